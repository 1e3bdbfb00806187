import type { Demographics, PersonRecord } from './contract.ts'

/** Merges of merges that are followed; a longer chain is a fault in the data. */
const mostMerges = 16

/** The record at the end of a chain of merges; what it is then is for the caller to judge. */
export async function followed<Found extends Pick<PersonRecord, 'status' | 'supersededBy'>>(
  { find }: { find(nhsNumber: string): Promise<Found | undefined> },
  first: Found | undefined,
): Promise<Found | undefined> {
  let person = first
  for (let merges = 0; person?.status === 'superseded' && merges < mostMerges; merges++)
    person = person.supersededBy === undefined ? undefined : await find(person.supersededBy)
  return person
}

/**
 * The person that a number stands for: its own, or the retained one when it was merged (§15; a chain resolves to its
 * end). Undefined where there is none, or where it was invalidated.
 */
export async function retainedPerson(
  demographics: Pick<Demographics, 'find'>,
  nhsNumber: string,
): Promise<PersonRecord | undefined> {
  const person = await followed(demographics, await demographics.find(nhsNumber))
  return person?.status === 'superseded' || person?.status === 'invalidated' ? undefined : person
}
