/** What the demographics benchmark asks for: of people all over the population, in the same order at every run. */
import { type PersonRecord, syntheticPeople } from '@openspine/services/demographics'
import type { Target } from './demographics-load.ts'
import { casesOf } from './matching-cases.ts'

export const seed = 1
/** Fuzzy queries of each corruption: beyond what caches of a second remember. */
const queriesOfEach = 250

/** Spread over the whole population, in an order that no cache has seen. */
export function targetsOf(basePath: string, people: number): Readonly<Record<string, readonly Target[]>> {
  const sample = sampleOf(people).filter(({ sensitivity }) => sensitivity !== 'V')
  const target = (query: (person: PersonRecord) => string) =>
    sample.map((person) => ({ path: basePath + query(person), holds: `"id":"${person.nhsNumber}"` }))
  return {
    retrieve: target(({ nhsNumber }) => `/Patient/${nhsNumber}`),
    'exact search': target(({ patient }) => {
      const [name] = patient['name'] as { readonly family: string; readonly given: readonly string[] }[]
      const query = { family: name?.family ?? '', given: name?.given[0] ?? '', birthdate: String(patient['birthDate']) }
      return `/Patient?${new URLSearchParams(query).toString()}`
    }),
    'fuzzy search': fuzzy(basePath, people),
  }
}

/** People as they are and as they are mistaken, people who are not there, and look-alikes: the questions of `matching.ts`. */
function fuzzy(basePath: string, people: number): Target[] {
  const targets = [...casesOf({ seed, people, queries: queriesOfEach })].map(({ corruption, query, nhsNumber }) => {
    const asked = new URLSearchParams([
      ...query.map(([name, value]): [string, string] => [name, value]),
      ['_fuzzy-match', 'true'],
    ])
    // How well people are found is measured there; here, that who is asked for as they are is found.
    const holds = corruption === 'clean' ? `"id":"${nhsNumber}"` : '"type":"searchset"'
    return { path: `${basePath}/Patient?${asked.toString()}`, holds }
  })
  shuffle(targets)
  return targets
}

/** Updates: people move house, and move back. Rows of keys, history, event and answer are written with each. */
export async function moves(
  basePath: string,
  people: number,
  find: (nhsNumber: string) => Promise<PersonRecord | undefined>,
): Promise<readonly Target[]> {
  const update: Target[] = []
  for (const { nhsNumber, sensitivity } of sampleOf(people)) {
    if (sensitivity !== 'U') continue
    const person = await find(nhsNumber)
    if (!person) throw new Error('somebody who was loaded is not there')
    const { patient, version = 1 } = person
    const [home] = patient['address'] as Readonly<Record<string, unknown>>[]
    const to = (house: number) => {
      const value = { ...home, line: ['', `${house} Sample Street`, '', 'Testham', ''], postalCode: `ZZ99 ${house}BX` }
      return JSON.stringify({ patches: [{ op: 'replace', path: '/address/0', value }] })
    }
    update.push({
      path: `${basePath}/Patient/${nhsNumber}`,
      holds: `"id":"${nhsNumber}"`,
      patches: [to(1), to(2)],
      version,
    })
  }
  return update
}

function sampleOf(people: number): PersonRecord[] {
  const sample: PersonRecord[] = []
  // Stretches of a hundred: one person at a time is slow to make.
  const step = Math.max(100, Math.floor(people / 10_000) * 100)
  for (let from = 0; from + 100 <= people; from += step) sample.push(...syntheticPeople({ seed, from, count: 100 }))
  shuffle(sample)
  return sample
}

/** The same order at every run. */
function shuffle(items: unknown[]): void {
  let state = 1
  for (let i = items.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const j = state % (i + 1)
    ;[items[i], items[j]] = [items[j], items[i]]
  }
}
