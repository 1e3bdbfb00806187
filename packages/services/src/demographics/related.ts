import { isSpineError } from '@openspine/standards/error'
import { namingSystem } from '@openspine/standards/nhs'
import { asJson, items, type Json, type StoredPerson, text } from './person.ts'
import { retrieve } from './retrieve.ts'
import type { PersonStore } from './store.ts'
import { type RelatedSubject, relatedView } from './view.ts'

/** The related people of one person, as they may be shown. */
export interface Related {
  /** The person whom the number stands for: the retained record, when it was merged. */
  readonly subject: StoredPerson
  readonly shown: readonly Json[]
}

/**
 * The related people of a person (§11). SpineError `PDS_RESOURCE_NOT_FOUND` or `PDS_INVALIDATED_RESOURCE` as in a retrieve.
 * Of a restricted person nobody is told.
 */
export async function related(store: Pick<PersonStore, 'find'>, nhsNumber: string): Promise<Related> {
  const subject = await retrieve(store, nhsNumber)
  const resources = items(besideOf(subject).related)
  const people = await Promise.all(resources.map((resource) => ownRecord(store, resource)))
  return { subject, shown: relatedView(subject, resources, people) }
}

/** What is kept beside the Patient: related people and the health insurance card. */
export function besideOf({ beside }: StoredPerson): { readonly related?: unknown; readonly coverage?: unknown } {
  return beside === undefined ? {} : asJson(JSON.parse(beside))
}

/** The related person's own number and what is known of them under it; of a merged record, the one that was retained. */
async function ownRecord(store: Pick<PersonStore, 'find'>, resource: Json): Promise<RelatedSubject | undefined> {
  const own = items(resource['identifier']).find(({ system }) => system === namingSystem.fhirNhsUk.nhsNumber)
  const nhsNumber = text(own?.['value'])
  if (nhsNumber === undefined || !/^\d{10}$/.test(nhsNumber)) return undefined
  try {
    return await retrieve(store, nhsNumber)
  } catch (error) {
    const code = isSpineError(error) ? error.code : undefined
    if (code === 'PDS_RESOURCE_NOT_FOUND') return { nhsNumber, sensitivity: 'U' }
    // Whoever it was: nothing is told of where.
    if (code === 'PDS_INVALIDATED_RESOURCE') return { nhsNumber, sensitivity: 'R' }
    throw error
  }
}
