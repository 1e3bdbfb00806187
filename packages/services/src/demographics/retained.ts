import type { Demographics, PersonRecord } from './contract.ts'
import type { PersonStore } from './store.ts'

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
async function retainedPerson(
  demographics: Pick<Demographics, 'find'>,
  nhsNumber: string,
): Promise<PersonRecord | undefined> {
  const person = await followed(demographics, await demographics.find(nhsNumber))
  return person?.status === 'superseded' || person?.status === 'invalidated' ? undefined : person
}

/** A person, and all numbers under which something may be kept about them. */
export interface KnownAs {
  /** The retained record. */
  readonly person: PersonRecord
  /** The retained number first, then those that were merged into it. */
  readonly numbers: readonly [retained: string, ...merged: string[]]
}

/**
 * Whom a number stands for. What a service keeps about people stays under the number for which it was told, and is asked
 * for by all of them: so it follows every merge at once, also one that happens while it is written.
 */
export async function knownAs(
  demographics: Pick<Demographics, 'find' | 'mergedInto'>,
  nhsNumber: string,
): Promise<KnownAs | undefined> {
  const person = await retainedPerson(demographics, nhsNumber)
  if (person === undefined) return undefined
  return { person, numbers: [person.nhsNumber, ...(await demographics.mergedInto(person.nhsNumber))] }
}

/** The other way round: every number that ends at this one, the nearest first. */
export async function mergedInto(store: Pick<PersonStore, 'mergedInto'>, nhsNumber: string): Promise<string[]> {
  const found = new Set<string>([nhsNumber])
  for (let merges = 0, from = [nhsNumber]; from.length > 0 && merges < mostMerges; merges++) {
    from = (await store.mergedInto(from)).filter((each) => !found.has(each))
    for (const each of from) found.add(each)
  }
  found.delete(nhsNumber)
  return [...found]
}
