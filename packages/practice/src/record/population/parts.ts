/** Parts a population among the practices that it names: each gets its patients, and the people and places they need. */
import type { PracticeRecord } from '../model.ts'
import type { Location, Practitioner } from '../people.ts'
import type { Assembled, PlannedSchedule, Population } from './population.ts'

/** What of a population belongs to one practice. */
export interface Part {
  readonly odsCode: string
  readonly assembled: readonly Assembled[]
  readonly shared: {
    readonly practitioners: ReadonlyMap<string, Practitioner>
    readonly locations: ReadonlyMap<string, Location>
    readonly schedules: ReadonlyMap<string, PlannedSchedule>
  }
}

/** A part whose people and places are not known yet. */
interface Named {
  readonly odsCode: string
  readonly assembled: readonly Assembled[]
}

/** The population as a whole, for one practice. */
export const wholeOf = (odsCode: string, assembled: readonly Assembled[], population: Population): Part => ({
  odsCode,
  assembled,
  shared: population,
})

/** The practices that patients, and schedules by their locations, name. A patient that names none is a fault. */
export function partsOf(assembled: readonly Assembled[], population: Population): readonly Named[] {
  const parts = new Map<string, Assembled[]>()
  for (const { location } of population.schedules.values())
    for (const odsCode of population.ownersOf('locations', location)) parts.set(odsCode, [])
  for (const one of assembled) {
    if (one.practice === undefined) {
      population.fault(one.place, 'names no practice; one that is given for all takes such patients (--practice)')
      continue
    }
    const own = parts.get(one.practice)
    if (own === undefined) parts.set(one.practice, [one])
    else own.push(one)
  }
  return [...parts]
    .map(([odsCode, own]) => ({ odsCode, assembled: own }))
    .sort((one, other) => (one.odsCode < other.odsCode ? -1 : 1))
}

/** Part with the practice as it stands; undefined where it is not there. */
export type Placed = Part & { readonly practice: PracticeRecord | undefined }

/** Finds the practices, and gives each its practitioners, locations and schedules. */
export async function placed(
  parts: readonly (Part | Named)[],
  population: Population,
  practiceOf: (odsCode: string) => Promise<PracticeRecord | undefined>,
): Promise<readonly Placed[]> {
  const there: (Placed | (Named & { readonly practice: PracticeRecord | undefined }))[] = []
  for (const part of parts) there.push({ ...part, practice: await practiceOf(part.odsCode) })
  const [only] = there
  if (there.length === 1 && only !== undefined) return [{ ...only, shared: population }]
  const said = there.map(({ assembled }) => {
    const words = new Set<string>()
    for (const { patient } of assembled) gather(patient, words)
    return words
  })
  const schedules = there.map(() => new Map<string, PlannedSchedule>())
  for (const schedule of population.schedules.values()) {
    const place = population.placeOf('schedules', schedule.id) ?? { source: 'the practice' }
    const owners = ownersOfSchedule(schedule, there, said, population)
    const [owner] = owners
    if (owner === undefined || owners.length > 1) {
      const whose = owner === undefined ? 'no practice has' : 'several practices have'
      population.fault(place, `${whose} its location: load its practice by itself (--practice)`)
      continue
    }
    schedules[owner]?.set(schedule.id, schedule)
    gather(schedule, said[owner] ?? new Set())
  }
  const found = there.map((part, i): Placed => {
    const words = said[i] ?? new Set()
    const isOwn = (kind: 'practitioners' | 'locations') => (id: string) =>
      words.has(id) || population.ownersOf(kind, id).has(part.odsCode)
    return {
      ...part,
      shared: {
        practitioners: those(population.practitioners, isOwn('practitioners')),
        locations: withParents(population.locations, isOwn('locations')),
        schedules: schedules[i] ?? new Map(),
      },
    }
  })
  for (const [kind, type] of [
    ['practitioners', 'Practitioner'],
    ['locations', 'Location'],
  ] as const)
    for (const id of population[kind].keys())
      if (!found.some(({ shared }) => shared[kind].has(id)))
        population.leaveOut(
          `${type} (of no practice)`,
          population.placeOf(kind, id) ?? { source: 'the practice' },
          'is of none of the practices of the patients, and no record names it',
        )
  return found
}

/** Places in the list of the practices of a schedule: by whose its location is, who has it, and whose patients name it. */
function ownersOfSchedule(
  { location }: PlannedSchedule,
  parts: readonly (Named & { readonly practice: PracticeRecord | undefined })[],
  said: readonly ReadonlySet<string>[],
  population: Population,
): readonly number[] {
  const by = (isOwner: (part: (typeof parts)[number], i: number) => boolean): readonly number[] =>
    parts.flatMap((part, i) => (isOwner(part, i) ? [i] : []))
  const ways = [
    by(({ odsCode }) => population.ownersOf('locations', location).has(odsCode)),
    by(({ practice }) => practice?.locations.some(({ id }) => id === location) === true),
    by((_, i) => said[i]?.has(location) === true),
  ]
  return ways.find((found) => found.length > 0) ?? []
}

/** Every text of a record: among them the ids of the people and places that it names. */
function gather(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.length <= 64) into.add(value)
  } else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) gather(each, into)
}

const those = <One>(all: ReadonlyMap<string, One>, isOwn: (id: string) => boolean): ReadonlyMap<string, One> =>
  new Map([...all].filter(([id]) => isOwn(id)))

/** Locations with those that they are parts of. */
function withParents(
  all: ReadonlyMap<string, Location>,
  isOwn: (id: string) => boolean,
): ReadonlyMap<string, Location> {
  const found = new Map(those(all, isOwn))
  for (const location of found.values()) {
    const parent = location.partOf === undefined ? undefined : all.get(location.partOf)
    // A map that grows while it is gone through gives what was added, too.
    if (parent !== undefined) found.set(parent.id, parent)
  }
  return found
}
