/** The search for a patient's documents: its parameters and what they select (§11). */
import { parseDateTime } from '@openspine/standards/fhir'
import type { Check } from '../checks/check.ts'
import { queryParameters } from '../checks/query.ts'
import { type Day, type DayRange, daysOf, within } from '../record/dates.ts'
import type { Document } from '../record/documents.ts'
import type { Sheet } from '../sheet.ts'
import { systems } from '../stu3/systems.ts'

/** What has been asked for. */
export interface DocumentSheet extends Sheet {
  created?: DayRange
  /** ODS code of the organisation that wrote it. */
  author?: string
  description?: string
  document?: Document
}

/** Parameters that a search must have, word for word. */
export const requiredIncludes: readonly (readonly [name: string, value: string])[] = [
  ['_include', 'DocumentReference:subject:Patient'],
  ['_include', 'DocumentReference:custodian:Organization'],
  ['_include', 'DocumentReference:author:Organization'],
  ['_include', 'DocumentReference:author:Practitioner'],
  ['_revinclude:recurse', 'PractitionerRole:practitioner'],
]

function valuesOf(sheet: Sheet, name: string): string[] {
  return queryParameters(sheet.query)
    .filter((parameter) => parameter.name === name)
    .map(({ value }) => value)
}

/** Days that `created` covers with one prefix; undefined where the value is not one. */
function bound(value: string, prefix: 'ge' | 'le'): Day | undefined {
  const text = value.slice(2)
  const date = value.startsWith(prefix) ? parseDateTime(text) : undefined
  if (date === undefined || date.precision === 'year' || date.precision === 'month') return undefined
  const days = daysOf(date.text)
  return prefix === 'ge' ? days?.first : days?.last
}

export const searchChecks: readonly Check[] = [
  ...requiredIncludes.map(
    ([name, value]): Check => ({
      name: `parameter ${name}=${value}`,
      clause: '11',
      outcome: 'INVALID_PARAMETER',
      explains: `The search must have ${name}=${value}.`,
      examine: (sheet) =>
        valuesOf(sheet, name).includes(value) ? undefined : `The parameter ${name}=${value} is missing.`,
    }),
  ),
  {
    name: 'parameter created',
    clause: '11',
    outcome: 'INVALID_PARAMETER',
    explains: 'created may stand once with ge and once with le, each a whole date or a dateTime, ge not after le.',
    examine(sheet: DocumentSheet) {
      const values = valuesOf(sheet, 'created')
      if (values.length === 0) return undefined
      const from = values.filter((value) => value.startsWith('ge'))
      const until = values.filter((value) => value.startsWith('le'))
      if (from.length > 1 || until.length > 1) return 'The parameter created stands more than once with one prefix.'
      if (from.length + until.length !== values.length)
        return 'The parameter created has a prefix other than ge and le, or none.'
      const first = from[0] === undefined ? undefined : bound(from[0], 'ge')
      const last = until[0] === undefined ? undefined : bound(until[0], 'le')
      if ((from.length === 1 && first === undefined) || (until.length === 1 && last === undefined))
        return 'The parameter created is not a whole date.'
      if (first !== undefined && last !== undefined && first > last)
        return 'The parameter created has a ge after its le.'
      sheet.created = { ...(first === undefined ? {} : { first }), ...(last === undefined ? {} : { last }) }
      return undefined
    },
  },
  {
    name: 'parameter author',
    clause: '11',
    outcome: 'INVALID_PARAMETER',
    explains: `author may stand once, as ${systems.odsOrganisation}|CODE.`,
    examine(sheet: DocumentSheet) {
      const values = valuesOf(sheet, 'author')
      if (values.length === 0) return undefined
      const parts = (values[0] ?? '').split('|')
      if (values.length > 1 || parts.length !== 2 || parts[0] !== systems.odsOrganisation || !parts[1])
        return `The parameter author is not one ${systems.odsOrganisation}|CODE.`
      sheet.author = parts[1]
      return undefined
    },
  },
  {
    name: 'parameter description',
    clause: '11',
    outcome: 'INVALID_PARAMETER',
    explains: 'description may stand once, with a keyword.',
    examine(sheet: DocumentSheet) {
      const values = valuesOf(sheet, 'description')
      if (values.length === 0) return undefined
      const [keyword] = values
      if (values.length > 1 || !keyword?.trim()) return 'The parameter description is not one keyword.'
      sheet.description = keyword
      return undefined
    },
  },
]

/** Whether a document is what was asked for. One without a date of its own belongs to every period. */
export function isWanted(document: Document, asked: DocumentSheet, ownOdsCode: string): boolean {
  const { created, author, description } = asked
  if (created !== undefined && document.created !== undefined && !within(document.created.slice(0, 10), created))
    return false
  if (author !== undefined) {
    const writer = document.author !== undefined && 'odsCode' in document.author ? document.author.odsCode : ownOdsCode
    if (writer.toUpperCase() !== author.toUpperCase()) return false
  }
  return (
    description === undefined || (document.description ?? '').toLowerCase().includes(description.trim().toLowerCase())
  )
}
