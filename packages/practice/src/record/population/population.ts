/**
 * A population on its way into a practice: what several sources say of each patient, put together by NHS number.
 * Nothing here knows a file format; faults name source, line and path, and never a value, which may tell of a patient.
 */
import type { PatientInput } from '../model.ts'
import type { Location, Practitioner } from '../people.ts'
import type { HeldAppointment } from '../scheduling.ts'

/** One file, or one text, of a population. */
export interface PopulationSource {
  /** As faults name it. */
  readonly name: string
  /** What the rows of a CSV file are, where its name does not tell. */
  readonly kind?: CsvKind
  /** Absent: told by the name, or by how the text begins. */
  readonly format?: SourceFormat
  /** Opens the text; may be asked for more than once. */
  text(): AsyncIterable<string> | Iterable<string>
}

export type SourceFormat = 'csv' | 'fhir'

export const csvKinds = [
  'patients',
  'allergies',
  'medications',
  'encounters',
  'problems',
  'immunisations',
  'observations',
  'referrals',
  'slots',
] as const

export type CsvKind = (typeof csvKinds)[number]
/** The areas of a record whose rows a source can give. */
export type RowArea =
  | Exclude<CsvKind, 'patients' | 'slots'>
  | 'clinicalItems'
  | 'investigations'
  | 'diaryEntries'
  | 'documents'

export interface PopulationFault {
  readonly source: string
  /** Line of a text file. */
  readonly line?: number
  /** What is wrong there: the column, or the path of the element. */
  readonly path?: string
  readonly problem: string
}

/** Where a fault of a source would be. */
export interface Place {
  readonly source: string
  readonly line?: number
  readonly path?: string
}

type Row = Readonly<Record<string, unknown>>

/** What was not used, and why: no fault of the sources. */
export interface LeftOut extends Place {
  /** As `unmapped` counts it. */
  readonly kind: string
  readonly why: string
}

interface Draft {
  readonly place: Place
  readonly practice: string | undefined
  readonly person: Row
  /** Rows by area, in the order in which they came, with the place of each. */
  readonly rows: Map<RowArea, { readonly row: Row; readonly place: Place }[]>
}

/** A patient as the sources say, and where each part of the record stands in them. */
export interface Assembled {
  readonly patient: PatientInput
  /** ODS code of the practice whose patient it is, where the sources say so. */
  readonly practice: string | undefined
  /** Where the patient stands in the sources. */
  readonly place: Place
  /** The place of what has this path in the record, such as `allergies[3].startDate`. */
  placeOf(path: string): Place
}

/** What the patients of a practice share. */
export type Shared = 'practitioners' | 'locations' | 'schedules'

/** A schedule before the record's schema has seen it. */
export interface PlannedSchedule {
  readonly id: string
  readonly location: string
  readonly [member: string]: unknown
}

/** What was read so far. */
export interface Population {
  readonly faults: PopulationFault[]
  /** Rows and resources that were used, by kind. */
  readonly used: Map<string, number>
  /** What there is no place for in a record, by kind. */
  readonly unmapped: ReadonlyMap<string, number>
  /** The first thousand of these, each with its place. */
  readonly leftOut: readonly LeftOut[]
  readonly practitioners: Map<string, Practitioner>
  readonly locations: Map<string, Location>
  /** Names of organisations by ODS code. */
  readonly organisations: Map<string, string>
  fault(place: Place, problem: string): void
  leaveOut(kind: string, place: Place, why: string): void
  /** A patient's own details, and the ODS code of the practice whose patient it is. */
  person(nhsNumber: string, person: Row, place: Place, practice?: string): void
  /** Whether a source has a patient of this number. */
  has(nhsNumber: string): boolean
  row(nhsNumber: string, area: RowArea, row: Row, place: Place): void
  /** `owners`: ODS codes of the organisations where the practitioner works. */
  practitioner(one: Practitioner, place: Place, owners?: readonly string[]): void
  location(one: Location, place: Place, owners?: readonly string[]): void
  /** A schedule as a source has it: the record's schema has not seen it yet. */
  schedule(one: PlannedSchedule, place: Place): void
  readonly schedules: ReadonlyMap<string, PlannedSchedule>
  /** An appointment of a schedule of the population. */
  appointment(one: HeldAppointment): void
  readonly appointments: readonly HeldAppointment[]
  /** Where a practitioner, location or schedule stands in the sources; undefined for what the practice has itself. */
  placeOf(kind: Shared, id: string): Place | undefined
  /** Whose a practitioner or location is, as far as the sources say. */
  ownersOf(kind: Shared, id: string): ReadonlySet<string>
  /** Patients with their rows, in the order in which they came. Rows of nobody become faults. */
  assembled(): Iterable<Assembled>
}

export const count = (counts: Map<string, number>, kind: string): void => {
  counts.set(kind, (counts.get(kind) ?? 0) + 1)
}

/** How many places of what was left out are kept. */
const leftOutKept = 1000
const nobody: ReadonlySet<string> = new Set()

export function emptyPopulation(): Population {
  const people = new Map<string, Draft>()
  const loose = new Map<string, Draft['rows']>()
  const faults: PopulationFault[] = []
  const fault = (place: Place, problem: string) => void faults.push({ ...place, problem })
  const unmapped = new Map<string, number>()
  const leftOut: LeftOut[] = []
  const places = new Map<string, Place>()
  const ownersOf = new Map<string, Set<string>>()
  const shared = <One extends { readonly id: string }>(kind: Shared, held: Map<string, One>) => {
    return (one: One, place: Place, owners: readonly string[] = []) => {
      const key = `${kind}/${one.id}`
      ownersOf.set(key, new Set([...(ownersOf.get(key) ?? []), ...owners]))
      const before = held.get(one.id)
      if (before === undefined) {
        held.set(one.id, one)
        places.set(key, place)
      }
      // The same practitioner stands in every bundle; two that share an id would become one.
      else if (JSON.stringify(before) !== JSON.stringify(one))
        fault(place, `another of the ${kind} of the population has the same id`)
    }
  }
  const practitioners = new Map<string, Practitioner>()
  const locations = new Map<string, Location>()
  const schedules = new Map<string, PlannedSchedule>()
  const appointments: HeldAppointment[] = []
  return {
    faults,
    used: new Map(),
    unmapped,
    leftOut,
    practitioners,
    locations,
    organisations: new Map(),
    fault,
    leaveOut(kind, place, why) {
      count(unmapped, kind)
      if (leftOut.length < leftOutKept) leftOut.push({ ...place, kind, why })
    },
    person(nhsNumber, person, place, practice) {
      if (people.has(nhsNumber)) return fault(place, 'this patient stands twice in the population')
      people.set(nhsNumber, { place, person, practice, rows: new Map() })
    },
    has: (nhsNumber) => people.has(nhsNumber),
    row(nhsNumber, area, row, place) {
      const areas = loose.get(nhsNumber) ?? new Map()
      loose.set(nhsNumber, areas)
      const rows = areas.get(area) ?? []
      areas.set(area, rows)
      rows.push({ row, place })
    },
    practitioner: shared('practitioners', practitioners),
    location: shared('locations', locations),
    schedule: shared('schedules', schedules),
    schedules,
    appointment: (one) => void appointments.push(one),
    appointments,
    placeOf: (kind, id) => places.get(`${kind}/${id}`),
    ownersOf: (kind, id) => ownersOf.get(`${kind}/${id}`) ?? nobody,
    *assembled() {
      for (const [nhsNumber, areas] of loose) {
        if (people.has(nhsNumber)) continue
        for (const rows of areas.values())
          for (const { place } of rows) fault(place, 'no source has a patient of this NHS number')
      }
      for (const [nhsNumber, { place, person, practice }] of people) {
        const areas: Draft['rows'] = loose.get(nhsNumber) ?? new Map()
        yield {
          practice,
          place,
          patient: {
            ...person,
            nhsNumber,
            ...Object.fromEntries([...areas].map(([area, rows]) => [area, rows.map(({ row }) => row)])),
          } as unknown as PatientInput,
          placeOf(path) {
            const [, area = '', index = '', rest = ''] = /^(\w+)\[(\d+)\]\.?(.*)$/.exec(path) ?? []
            const found = areas.get(area as RowArea)?.[Number(index)]?.place
            if (found === undefined) return { ...place, path: joined(place.path, path) }
            return { ...found, path: joined(found.path, rest) }
          },
        }
      }
    },
  }
}

const joined = (one: string | undefined, other: string): string =>
  [one, other].filter((part) => part !== undefined && part !== '').join('.')
