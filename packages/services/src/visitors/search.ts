import { type Demographics, knownAs } from '../demographics/contract.ts'
import type { RecordedStatus } from './contract.ts'
import { refuse } from './outcomes.ts'
import type { StatusStore } from './store.ts'

/** What is known of a person: the number of the retained record, and the status where one may be shown. */
export interface FoundStatus {
  readonly nhsNumber: string
  readonly status?: RecordedStatus
}

/**
 * The status of a person (§25), of what was decided under all their numbers. A number that was merged answers with the
 * retained record. Of very restricted people
 * nothing but the number is shown by any service (§15), so that they answer as those about whom nothing was recorded;
 * the status of restricted people tells nothing about where they are. SpineError `VISITORS_PATIENT_NOT_FOUND`.
 */
export async function findStatus(
  needs: {
    readonly demographics: Pick<Demographics, 'find' | 'mergedInto'>
    readonly status: StatusStore['current']
  },
  nhsNumber: string,
): Promise<FoundStatus> {
  const known = await knownAs(needs.demographics, nhsNumber)
  if (known === undefined)
    throw refuse('patientNotFound', 'No current person has this NHS number in this environment', 'Patient')
  const { person, numbers } = known
  const found = { nhsNumber: person.nhsNumber }
  if (person.sensitivity === 'V') return found
  const status = await needs.status(numbers)
  return status === undefined ? found : { ...found, status }
}
