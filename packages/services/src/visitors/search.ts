import type { Demographics } from '../demographics/contract.ts'
import { retainedPerson } from '../demographics/contract.ts'
import type { RecordedStatus, Visitors } from './contract.ts'
import { refuse } from './outcomes.ts'

/** What is known of a person: the number of the retained record, and the status where one may be shown. */
export interface FoundStatus {
  readonly nhsNumber: string
  readonly status?: RecordedStatus
}

/**
 * The status of a person (§25). A number that was merged answers with the retained record. Of very restricted people
 * nothing but the number is shown by any service (§15), so that they answer as those about whom nothing was recorded;
 * the status of restricted people tells nothing about where they are. SpineError `VISITORS_PATIENT_NOT_FOUND`.
 */
export async function findStatus(
  needs: { readonly demographics: Pick<Demographics, 'find'>; readonly status: Visitors['status'] },
  nhsNumber: string,
): Promise<FoundStatus> {
  const person = await retainedPerson(needs.demographics, nhsNumber)
  if (person === undefined)
    throw refuse('patientNotFound', 'No current person has this NHS number in this environment', 'Patient')
  const found = { nhsNumber: person.nhsNumber }
  if (person.sensitivity === 'V') return found
  const status = (await needs.status(person.nhsNumber)) ?? (await needs.status(nhsNumber))
  return status === undefined ? found : { ...found, status }
}
