import type { Demographics, PersonRecord } from './contract.ts'

/** Merges of merges that are followed; a longer chain is a fault in the data. */
const mostMerges = 16

/**
 * The person that a number stands for: its own, or the retained one when it was merged (§15; a chain resolves to its
 * end). Undefined where there is none, or where it was invalidated.
 */
export async function retainedPerson(
  { find }: Pick<Demographics, 'find'>,
  nhsNumber: string,
): Promise<PersonRecord | undefined> {
  let person = await find(nhsNumber)
  for (let merges = 0; person?.status === 'superseded' && merges < mostMerges; merges++)
    person = person.supersededBy === undefined ? undefined : await find(person.supersededBy)
  return person?.status === 'superseded' || person?.status === 'invalidated' ? undefined : person
}
