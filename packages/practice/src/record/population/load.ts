/** Reads sources of a population and checks every patient against the record's schema; nothing is written here. */
import { isSpineError } from '@openspine/standards/error'
import { readPatient, readPractice } from '../file.ts'
import type { PatientRecord, PracticeRecord } from '../model.ts'
import type { HeldAppointment } from '../scheduling.ts'
import { booksOf } from './books.ts'
import { readNumberMap, readPopulationCsv } from './csv.ts'
import { readFhir } from './fhir/fhir.ts'
import { type Part, partsOf, placed, wholeOf } from './parts.ts'
import {
  emptyPopulation,
  type LeftOut,
  type Population,
  type PopulationFault,
  type PopulationSource,
  type Shared,
  type SourceFormat,
} from './population.ts'

export interface PopulationReading {
  /** The practice that gets every patient; absent: each goes to the practice that the sources name. */
  readonly odsCode?: string
  /** The practice as it stands; undefined: it is not there. */
  readonly practiceOf: (odsCode: string) => Promise<PracticeRecord | undefined>
  readonly ignoreUnknown?: boolean
  /** Told how many patients were checked. */
  readonly progress?: (done: number) => void
}

/** What one practice gets. */
export interface PracticePopulation {
  /** Practitioners and locations of the practice with those of the population. */
  readonly practice: PracticeRecord
  readonly patients: readonly PatientRecord[]
  /** Of these patients, in schedules of this practice. */
  readonly appointments: readonly HeldAppointment[]
}

/** A practice that the sources name and that is not there. */
export interface MissingPractice {
  readonly odsCode: string
  /** Where a source says it. */
  readonly name?: string
  readonly patients: number
}

export interface ReadPopulation {
  /** In order of ODS code. */
  readonly practices: readonly PracticePopulation[]
  readonly missing: readonly MissingPractice[]
  readonly used: Readonly<Record<string, number>>
  readonly unmapped: Readonly<Record<string, number>>
  /** The first thousand of what is counted under `unmapped`. */
  readonly leftOut: readonly LeftOut[]
  readonly faults: readonly PopulationFault[]
}

/** `csv` for names that end so and `fhir` for those of JSON and XML; undefined where the name does not tell. */
export function formatOfName(name: string): SourceFormat | undefined {
  if (/\.csv$/i.test(name)) return 'csv'
  return /\.(json|jsonl|ndjson|xml)$/i.test(name) ? 'fhir' : undefined
}

/** Puts those of the population in the place of those with the same id. */
function merged<One extends { readonly id: string }>(held: readonly One[], given: ReadonlyMap<string, One>): One[] {
  const kept = held.map((one) => given.get(one.id) ?? one)
  const ids = new Set(held.map(({ id }) => id))
  return [...kept, ...[...given.values()].filter(({ id }) => !ids.has(id))]
}

/** Reads the sources, and gives each practice what is its own. SpineError `PRACTICE_UNKNOWN` of a practice that is asked for. */
export async function readPopulation(
  sources: readonly PopulationSource[],
  { odsCode, practiceOf, ignoreUnknown = false, progress }: PopulationReading,
): Promise<ReadPopulation> {
  const population = await readSources(sources, ignoreUnknown)
  const assembled = [...population.assembled()]
  const parts = odsCode === undefined ? partsOf(assembled, population) : [wholeOf(odsCode, assembled, population)]
  const practices: PracticePopulation[] = []
  const missing: MissingPractice[] = []
  let checked = 0
  for (const part of await placed(parts, population, practiceOf)) {
    if (part.practice === undefined) {
      const name = population.organisations.get(part.odsCode)
      missing.push({
        odsCode: part.odsCode,
        patients: part.assembled.length,
        ...(name === undefined ? {} : { name }),
      })
      continue
    }
    practices.push(readPart(part, part.practice, population, () => progress?.(++checked)))
  }
  const booked = new Set(practices.flatMap(({ appointments }) => appointments))
  const read = new Set(practices.flatMap(({ patients }) => patients.map(({ nhsNumber }) => String(nhsNumber))))
  // The fault of a patient is told where the patient stands.
  for (const one of population.appointments)
    if (practices.length > 1 && !booked.has(one) && read.has(one.nhsNumber))
      population.leaveOut(
        'Appointment (elsewhere)',
        population.placeOf('schedules', one.schedule) ?? { source: 'the practice' },
        'the patient is of another practice than the schedule',
      )
  for (const { odsCode, patients } of missing)
    population.fault(
      assembled.find(({ practice }) => practice === odsCode)?.place ?? { source: 'the practice' },
      `there is no practice ${odsCode} (${patients} patients): load a practice file that makes it`,
    )
  return {
    practices,
    missing,
    used: Object.fromEntries(population.used),
    unmapped: Object.fromEntries(population.unmapped),
    leftOut: population.leftOut,
    faults: population.faults,
  }
}

async function readSources(sources: readonly PopulationSource[], ignoreUnknown: boolean): Promise<Population> {
  const population = emptyPopulation()
  const formatted = sources.map((source) => ({ source, format: source.format ?? formatOfName(source.name) }))
  const csv = formatted.filter(({ format }) => format === 'csv').map(({ source }) => source)
  const fhir = formatted.filter(({ format }) => format === 'fhir').map(({ source }) => source)
  for (const { source, format } of formatted)
    if (format === undefined)
      population.fault({ source: source.name }, 'neither its name nor a setting tells whether it is CSV or FHIR')
  const numbers = new Map<string, string>()
  const books = booksOf(population)
  for (const source of csv.filter(({ name }) => /map/i.test(name)))
    for (const [name, number] of (await readNumberMap(source).catch(() => undefined)) ?? []) numbers.set(name, number)
  for (const source of csv) await readPopulationCsv(source, population, { ignoreUnknown, numbers, books })
  await readFhir(fhir, population)
  books.finish()
  return population
}

/** Checks what one practice gets. Faults are told to the population. */
function readPart(
  { odsCode, assembled, shared }: Part,
  practice: PracticeRecord,
  population: Population,
  checked: () => void,
): PracticePopulation {
  const extended = extendedBy(population, practice, shared)
  const patients: PatientRecord[] = []
  const documents = new Map<string, string>()
  for (const { patient, placeOf } of assembled) {
    try {
      const read = readPatient(
        patient.registeredAt === odsCode ? { ...patient, registeredAt: undefined } : patient,
        extended,
      )
      read.documents.forEach(({ id }, i) => {
        const owner = documents.get(id)
        if (owner !== undefined && owner !== read.nhsNumber)
          population.fault(placeOf(`documents[${i}].id`), 'a document of another patient has the same id')
        documents.set(id, read.nhsNumber)
      })
      patients.push(read)
    } catch (error) {
      for (const { path, what } of problemsOf(error)) population.fault(placeOf(path), what)
    }
    checked()
  }
  const numbers = new Set(patients.map(({ nhsNumber }) => String(nhsNumber)))
  return {
    practice: extended,
    patients,
    appointments: population.appointments.filter(
      ({ nhsNumber, schedule }) => numbers.has(nhsNumber) && extended.schedules.some(({ id }) => id === schedule),
    ),
  }
}

/** The practice with the practitioners, locations and schedules of the population; as it was, where they have faults. */
function extendedBy(population: Population, practice: PracticeRecord, shared: Part['shared']): PracticeRecord {
  if (shared.practitioners.size + shared.locations.size + shared.schedules.size === 0) return practice
  const given = {
    practitioners: merged(practice.practitioners, shared.practitioners),
    locations: merged(practice.locations, shared.locations),
    schedules: merged<{ readonly id: string }>(practice.schedules, shared.schedules),
  }
  try {
    return readPractice({ ...practice, ...given })
  } catch (error) {
    for (const { path, what } of problemsOf(error)) {
      const [, kind = '', index = '', rest = ''] =
        /^(practitioners|locations|schedules)\[(\d+)\]\.?(.*)$/.exec(path) ?? []
      const id = given[kind as Shared]?.[Number(index)]?.id
      const place = id === undefined ? undefined : population.placeOf(kind as Shared, id)
      population.fault(
        { source: 'the practice', ...place, path: [place?.path, rest || path].filter(Boolean).join('.') },
        what,
      )
    }
    return practice
  }
}

/** What is wrong with a record, by its paths. */
function problemsOf(error: unknown): readonly { readonly path: string; readonly what: string }[] {
  if (!isSpineError(error) || error.code !== 'PRACTICE_FILE_INVALID') throw error
  const { problems } = error.outcome as { readonly problems: readonly string[] }
  return problems.map((problem) => {
    const [, path = '', what = problem] = /^([\w[\].]+)(?::\s| )(.*)$/.exec(problem) ?? []
    return { path, what }
  })
}
