import { outcomes, refuse } from './outcomes.ts'
import type { StoredPerson } from './person.ts'
import { followed } from './retained.ts'
import type { PersonStore } from './store.ts'

/**
 * The record that a number stands for (§8): its own, or the retained one when it was merged (a chain
 * resolves to its end). SpineError `PDS_RESOURCE_NOT_FOUND` or `PDS_INVALIDATED_RESOURCE`.
 */
export async function retrieve(store: Pick<PersonStore, 'find'>, nhsNumber: string): Promise<StoredPerson> {
  const person = await followed(store, await store.find(nhsNumber))
  if (person === undefined || person.status === 'superseded')
    throw refuse(outcomes.notFound, 'No person has this NHS number in this environment.')
  if (person.status === 'invalidated')
    throw refuse(outcomes.invalidated, 'The record of this NHS number was marked as invalid and has no successor.')
  return person
}
