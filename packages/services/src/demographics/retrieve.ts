import { outcomes, refuse } from './outcomes.ts'
import type { StoredPerson } from './person.ts'
import type { PersonStore } from './store.ts'

/** Merges of merges that are followed; a longer chain is a fault in the data. */
const mostMerges = 16

/** The record at the end of a chain of merges; what it is then is for the caller to judge. */
export async function followed(
  store: Pick<PersonStore, 'find'>,
  first: StoredPerson | undefined,
): Promise<StoredPerson | undefined> {
  let person = first
  for (let merges = 0; person?.status === 'superseded' && merges < mostMerges; merges++)
    person = person.supersededBy === undefined ? undefined : await store.find(person.supersededBy)
  return person
}

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
