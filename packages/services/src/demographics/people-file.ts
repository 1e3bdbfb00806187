import { isSpineError } from '@openspine/standards/error'
import { r4 } from '@openspine/standards/fhir/r4'
import { namingSystem } from '@openspine/standards/nhs'
import type { ImportReport, PersonRecord } from './contract.ts'
import { asJson, checkPerson, isJson, items, type Json, personRecord, type StoredPerson, text } from './person.ts'

/**
 * People as FHIR NDJSON: one R4 Patient a line, the whole record. What a Patient has no place for (status,
 * former and hidden snippets, related people …) stands as JSON in an extension of ours.
 */
const recordExtension = 'urn:openspine:person-record'

/** More octets than a person has. */
export const longestLine = 1 << 20
/** Rejected lines that are kept; the rest is counted. */
const mostRejections = 1_000

/** The line of one person, without the line end. */
export function personLine(person: StoredPerson): string {
  const { nhsNumber, version, sensitivity, patient, status, ...rest } = personRecord(person)
  const beside = { ...(status === 'current' ? {} : { status }), ...rest }
  if (Object.keys(beside).length === 0) return person.document
  const whole = JSON.parse(person.document) as Record<string, unknown>
  const ours = { url: recordExtension, valueString: JSON.stringify(beside) }
  return JSON.stringify({ ...whole, extension: [...items(whole['extension']), ours] })
}

/** The person of a line, or in plain words why there is none: never with a value of it. */
export function personOfLine(line: string): PersonRecord | string {
  let resource: unknown
  try {
    resource = JSON.parse(line)
  } catch {
    return 'is not JSON'
  }
  if (!isJson(resource) || resource['resourceType'] !== 'Patient') return 'is no Patient'
  // An address keeps its blank lines, because a line means something by its place (§2).
  const fault = r4.check(resource).find(({ code }) => code !== 'FHIR_EMPTY')
  if (fault) return `is no FHIR R4 Patient: ${fault.path}: ${fault.message}`
  const { resourceType, id, meta, identifier, extension, ...patient } = resource
  const nhsNumber =
    text(items(identifier).find(({ system }) => system === namingSystem.fhirNhsUk.nhsNumber)?.['value']) ?? text(id)
  if (nhsNumber === undefined || !/^\d{10}$/.test(nhsNumber)) return 'has no NHS number of ten digits'
  const ours = items(extension).find(({ url }) => url === recordExtension)
  const others = items(extension).filter((other) => other !== ours)
  const beside = ours ? besideOf(text(ours['valueString']) ?? '') : {}
  if (!beside) return `has an extension ${recordExtension} that is not what an export writes`
  const versionId = Number(text(asJson(meta)['versionId']))
  const label = items(asJson(meta)['security']).find(({ code }) => code === 'R' || code === 'V')?.['code']
  const record: PersonRecord = {
    nhsNumber,
    version: Number.isSafeInteger(versionId) && versionId > 0 ? versionId : 1,
    sensitivity: label === 'R' || label === 'V' ? label : 'U',
    ...beside,
    patient: { ...patient, ...(others.length > 0 && { extension: others }) },
  }
  try {
    checkPerson(record)
  } catch (error) {
    if (isSpineError(error)) return 'is of a status that does not fit: superseded people, and no others, name a number'
    throw error
  }
  return record
}

const besideMembers: Readonly<Record<string, (value: unknown) => boolean>> = {
  status: (value) => value === 'current' || value === 'superseded' || value === 'invalidated',
  supersededBy: (value) => typeof value === 'string',
  history: isJson,
  hidden: isJson,
  related: (value) => Array.isArray(value) && value.every(isJson),
  coverage: isJson,
}

function besideOf(json: string): Json | undefined {
  try {
    const beside: unknown = JSON.parse(json)
    if (!isJson(beside)) return
    return Object.entries(beside).every(([name, value]) => besideMembers[name]?.(value)) ? beside : undefined
  } catch {
    return
  }
}

/** Loads the people of these lines through `load`; lines that are no people are left out and told. */
export async function importPeople(
  lines: AsyncIterable<string> | Iterable<string>,
  load: (people: AsyncIterable<PersonRecord>) => Promise<number>,
): Promise<ImportReport> {
  let read = 0
  let rejected = 0
  const rejections: { readonly line: number; readonly reason: string }[] = []
  async function* people(): AsyncGenerator<PersonRecord> {
    let number = 0
    for await (const line of lines) {
      number++
      if (line.trim() === '') continue
      read++
      const person = line.length > longestLine ? `is longer than ${longestLine} characters` : personOfLine(line)
      if (typeof person !== 'string') yield person
      else if (rejected++ < mostRejections) rejections.push({ line: number, reason: person })
    }
  }
  const written = await load(people())
  return { read, written, rejected, rejections }
}

/** The lines of a file as it is read; one that is too long comes as its beginning, longer than {@link longestLine}. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of chunks) {
    const [first = '', ...more] = chunk.split('\n')
    if (rest.length <= longestLine) rest += first
    for (const piece of more) {
      yield rest
      rest = piece
    }
  }
  if (rest !== '') yield rest
}
