/** Reads CSV files of a population: one of patients, and one for each area of their records. */

import { readCsv } from '@openspine/standards/csv'
import { isSpineError } from '@openspine/standards/error'
import { isNhsNumber } from '@openspine/standards/nhs'
import { systems } from '../../stu3/systems.ts'
import type { Books, SlotRow } from './books.ts'
import { type Column, columns, nhsNumberNames, passedOver, wordsOf } from './columns.ts'
import { type CsvKind, count, csvKinds, type Place, type Population, type PopulationSource } from './population.ts'

export interface CsvReading {
  /** Pass over columns that no kind of file has; otherwise each is a fault. */
  readonly ignoreUnknown: boolean
  /** Names that stand for NHS numbers, from a map such as the provider tests publish. */
  readonly numbers: ReadonlyMap<string, string>
  /** Where the rows of slots go. */
  readonly books: Books
}

/** `practice/allergies.csv`, `Allergies-2026.csv` → `allergies`; undefined where the name does not tell. */
export function kindOfName(name: string): CsvKind | undefined {
  const base = (name.split(/[/\\]/).at(-1) ?? '').toLowerCase()
  return (
    csvKinds.find((kind) => base.startsWith(kind)) ??
    (/^(pds|registerpatients)\b|^patients?_/.test(base)
      ? 'patients'
      : /^appointments\b/.test(base)
        ? 'slots'
        : undefined)
  )
}

const plain = (name: string): string =>
  name
    .trim()
    .replaceAll(/[\s_-]/g, '')
    .toLowerCase()

/** Maps of published test data: a native code and the code of the provider under test. */
const maps: Readonly<Record<string, 'numbers' | 'other'>> = {
  'nativenhsnumber,providernhsnumber': 'numbers',
  'nativepatientid,providernhsnumber': 'numbers',
  'nativeodscode,providerodscode': 'other',
  'nativepractitionercode,providerpractitionercode': 'other',
  'key,value': 'other',
  'location,logicalidentifier': 'other',
  'healthcare,logicalidentifier': 'other',
  'odscode,asid,organisationtype,organisationname,datasharinggroup,fhirendpoint': 'other',
}

/** Also as databases write out that there is nothing. */
const empty = new Set(['', 'NULL', '\\N'])

/** Reads a map of names to NHS numbers; undefined when the source is none. The names of a map are not patients. */
export async function readNumberMap(source: PopulationSource): Promise<ReadonlyMap<string, string> | undefined> {
  const found = new Map<string, string>()
  let first = true
  for await (const { fields } of readCsv(source.text())) {
    if (first) {
      if (maps[fields.map(plain).join()] !== 'numbers') return undefined
      first = false
      continue
    }
    const [name = '', number = ''] = fields
    if (isNhsNumber(number.trim())) found.set(plain(name), number.trim())
  }
  return first ? undefined : found
}

/** Reads one CSV file into the population. */
export async function readPopulationCsv(
  source: PopulationSource,
  population: Population,
  { ignoreUnknown, numbers, books }: CsvReading,
): Promise<void> {
  const place = (line: number, path?: string): Place => ({
    source: source.name,
    line,
    ...(path === undefined ? {} : { path }),
  })
  let header: Header | undefined
  try {
    for await (const { line, fields } of readCsv(source.text(), { field: 100_000 })) {
      if (header !== undefined) {
        readRow(fields, header, (path) => place(line, path), population, numbers, books)
        continue
      }
      const map = maps[fields.map(plain).join()]
      if (map === 'numbers') return
      if (map === 'other')
        return population.leaveOut(source.name, place(line), 'a map of names: what it names belongs to the practice')
      const kind = source.kind ?? kindOfName(source.name)
      if (kind === undefined)
        return population.fault(place(line), `the name does not tell what the rows are: one of ${csvKinds.join(', ')}`)
      header = readHeader(
        fields,
        kind,
        {
          fault: (path, problem) => population.fault(place(line, path), problem),
          passOver: (path) => population.leaveOut(`${kind} (${path})`, place(line, path), 'no place in a record'),
        },
        ignoreUnknown,
      )
      if (header === undefined) return
    }
    if (header === undefined) population.fault({ source: source.name }, 'the file is empty')
  } catch (error) {
    if (!isSpineError(error) || error.code !== 'CSV_INVALID') throw error
    const { line } = error.outcome as { readonly line: number }
    population.fault(place(line), error.message.replace(/^Line \d+ of the CSV file: /, '').replace(/\.$/, ''))
  }
}

interface Header {
  readonly kind: CsvKind
  readonly number: number
  /** Fields of a row. */
  readonly width: number
  /** With their places in a row, in the order in which parts of one text follow each other. */
  readonly columns: readonly (readonly [number, Column])[]
}

function readHeader(
  fields: readonly string[],
  kind: CsvKind,
  {
    fault,
    passOver,
  }: { readonly fault: (path: string, problem: string) => void; readonly passOver: (path: string) => void },
  ignoreUnknown: boolean,
): Header | undefined {
  const known = new Map(
    columns[kind].flatMap((each) => [each.name, ...(each.also ?? [])].map((name) => [plain(name), each] as const)),
  )
  const numberNames = new Set(nhsNumberNames.map(plain))
  let wrong = false
  const wrongly = (path: string, problem: string) => {
    wrong = true
    fault(path, problem)
  }
  const seen = new Set<string>()
  let number = -1
  const found = fields.map((written, i) => {
    const name = plain(written)
    if (numberNames.has(name)) {
      if (number >= 0) wrongly('nhsNumber', 'the column stands twice')
      number = i
      return undefined
    }
    const each = known.get(name)
    const unused = each === undefined ? passedOver[kind]?.find((one) => plain(one) === name) : undefined
    if (unused !== undefined) passOver(unused)
    else if (each === undefined) {
      // The first line of a file without a header is a patient: the place is named, not what stands there.
      if (!ignoreUnknown) wrongly(`column ${i + 1}`, `is no column of ${kind}`)
    } else if (seen.has(each.name)) wrongly(each.name, 'the column stands twice')
    else seen.add(each.name)
    return each
  })
  if (number < 0 && kind !== 'slots') wrongly('nhsNumber', 'the column is missing')
  for (const { name, required } of columns[kind])
    if (required && !seen.has(name)) wrongly(name, 'the column is missing')
  if (wrong) return undefined
  const placed = columns[kind].flatMap((each): [number, Column][] => {
    const at = found.indexOf(each)
    return at < 0 ? [] : [[at, each]]
  })
  return { kind, number, width: fields.length, columns: placed }
}

function readRow(
  fields: readonly string[],
  { kind, number, width, columns: named }: Header,
  place: (path?: string) => Place,
  population: Population,
  numbers: ReadonlyMap<string, string>,
  books: Books,
): void {
  if (fields.length > width) {
    population.fault(place(), 'the row has more fields than the header')
    return
  }
  const written = (fields[number] ?? '').trim()
  const nhsNumber = numbers.get(plain(written)) ?? written.replaceAll(/[\s-]/g, '')
  const isNobodys = kind === 'slots' && nhsNumber === ''
  if (!isNobodys && !isNhsNumber(nhsNumber)) {
    const problem = nhsNumber === '' ? 'is missing' : 'is no NHS number: ten digits with a right check digit'
    population.fault(place('nhsNumber'), problem)
    return
  }
  const row: Record<string, unknown> = {}
  let wrong = false
  const refuse = (column: Column, problem: string) => {
    wrong = true
    population.fault(place(column.name), problem)
  }
  for (const [i, column] of named) {
    const value = (fields[i] ?? '').trim()
    if (empty.has(value)) {
      if (column.required) refuse(column, 'is empty')
      continue
    }
    const read = column.read(value)
    if ('fault' in read) refuse(column, read.fault)
    else put(row, column.path, read.value)
  }
  if (wrong) return
  if (kind === 'slots') books.add(row as unknown as SlotRow, isNobodys ? undefined : nhsNumber, place())
  else if (kind === 'patients') {
    const { practice, ...person } = finishedPerson(row)
    population.person(nhsNumber, person, place(), (practice ?? person['registeredAt']) as string | undefined)
  } else population.row(nhsNumber, kind, finishedRow(row, kind), place())
  count(population.used, kind)
}

/** Puts a value at its path; what stands there as a list is lengthened. */
function put(row: Record<string, unknown>, path: readonly (string | number)[], value: unknown): void {
  let at = row as Record<string | number, unknown>
  path.forEach((step, i) => {
    if (i < path.length - 1) {
      at[step] ??= typeof path[i + 1] === 'number' ? [] : {}
      at = at[step] as Record<string | number, unknown>
    } else if (Array.isArray(at[step]) && Array.isArray(value)) at[step] = [...at[step], ...value]
    else if (typeof at[step] === 'string' && typeof value === 'string') at[step] = `${at[step]}\n${value}`
    else at[step] = value
  })
}

const contactUses = { phone: ['phone', 'home'], mobile: ['phone', 'mobile'], email: ['email', 'home'] } as const

function finishedPerson(row: Record<string, unknown>): Record<string, unknown> {
  const { telecom, address, registration, ...person } = row as Record<string, Record<string, unknown> | undefined>
  const uses = Object.entries(contactUses)
  return {
    gender: 'unknown',
    ...person,
    // Lines that were left empty are none.
    ...(address === undefined
      ? {}
      : { address: { ...address, lines: Object.values(address['lines'] ?? []).filter((line) => line !== undefined) } }),
    ...(telecom === undefined
      ? {}
      : {
          telecom: uses.flatMap(([name, [system, use]]) =>
            telecom[name] === undefined ? [] : [{ system, use, value: telecom[name] }],
          ),
        }),
    ...(registration === undefined
      ? {}
      : {
          registration: {
            ...registration,
            period: {
              ...(person['registrationDate'] === undefined ? {} : { start: person['registrationDate'] }),
              ...(registration['period'] as object | undefined),
            },
          },
        }),
  }
}

function finishedRow(
  row: Record<string, unknown>,
  kind: Exclude<CsvKind, 'patients' | 'slots'>,
): Record<string, unknown> {
  const finished = { ...row }
  const [code] = (row['codes'] ?? []) as readonly Record<string, unknown>[]
  const words = String(row[wordsOf[kind] ?? ''] ?? '').split('\n')[0]
  if (code !== undefined) finished['codes'] = [{ system: systems.snomed, display: words, ...code }]
  if (kind === 'medications') finished['recordedDate'] ??= row['startDate']
  return kind === 'allergies' ? finishedAllergy(finished) : finished
}

function finishedAllergy({ status, reaction, ...row }: Record<string, unknown>): Record<string, unknown> {
  const { manifestation, ...shown } = (reaction ?? {}) as Record<string, Record<string, unknown> | undefined>
  const code = manifestation?.['code']
  const seen = {
    ...shown,
    ...(code === undefined
      ? {}
      : { manifestation: { system: systems.snomed, code, display: manifestation?.['display'] ?? code } }),
  }
  const { endDate, reasonEnded, ...rest } = row
  const ended =
    status === 'active'
      ? {}
      : {
          // Resolved on a day that nobody wrote down: the latest that is known of it.
          endDate: endDate ?? (status === 'resolved' ? (row['recordedDate'] ?? row['startDate']) : undefined),
          reasonEnded,
        }
  return { ...rest, ...ended, ...(Object.keys(seen).length === 0 ? {} : { reaction: seen }) }
}
