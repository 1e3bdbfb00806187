/** Looks into received resources of any version of FHIR, element by element, and takes nothing for granted. */
import { FhirDecimal } from '@openspine/standards/fhir'
import { replaceIllegal } from '@openspine/standards/xml'
import { daysOf } from '../../dates.ts'
import type { Coding } from '../../forms.ts'

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof FhirDecimal)

export const fields = (value: unknown): Fields => (isFields(value) ? value : {})
/** A list, a single value as a list of one, nothing as an empty one: versions differ in what repeats. */
export const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value : [value]).filter(isFields)
export const strings = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((one) => (textOf(one) === undefined ? [] : [textOf(one) as string]))

/** Text as it stands; undefined for what is empty or no text. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = replaceIllegal(value).trim()
  return text === '' ? undefined : text
}

/** Text on one line. */
export const lineOf = (value: unknown): string | undefined => textOf(value)?.replaceAll(/\s+/g, ' ')

export function numberOf(value: unknown): number | undefined {
  const number = value instanceof FhirDecimal ? value.valueOf() : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

export const flagOf = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)

/** The day of a dateTime; of a part of a date, its first day, because a record has whole days. */
export function dayOf(value: unknown): string | undefined {
  const text = textOf(value)
  if (text === undefined) return undefined
  // What is no dateTime is kept, so that the record's schema refuses it by its path.
  return daysOf(text)?.first ?? daysOf(text.slice(0, 10))?.first ?? text
}

const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/

/** A dateTime with seconds and zone, without fractions; undefined for a day. */
export function momentOf(value: unknown): string | undefined {
  const text = textOf(value)
  return text === undefined || !moment.test(text) ? undefined : text.replace(/(:\d{2})\.\d+/, '$1')
}

/** The moment, or the first moment of the day. */
export function instantOf(value: unknown): string | undefined {
  const day = dayOf(value)
  return momentOf(value) ?? (day === undefined ? undefined : `${day}T00:00:00Z`)
}

/** Codes that say only that there is none: the text was not understood when it was transferred. */
const nothing = new Set([
  '196411000000103',
  '196421000000109',
  '196431000000106',
  '196451000000104',
  '196461000000101',
  '196471000000108',
])
const nullFlavour = /NullFlavor$/

export function codesOf(concept: unknown): Coding[] {
  return list(fields(concept)['coding']).flatMap((coding) => {
    const system = textOf(coding['system'])
    const code = lineOf(coding['code'])
    if (system === undefined || code === undefined || nothing.has(code) || nullFlavour.test(system)) return []
    return [{ system, code, display: lineOf(coding['display']) ?? lineOf(fields(concept)['text']) ?? code }]
  })
}

/** The words of a concept: its text, or what its first code means. */
export function wordsOf(concept: unknown): string | undefined {
  const { text, coding } = fields(concept)
  return (
    lineOf(text) ??
    list(coding)
      .map(({ display, code }) => lineOf(display) ?? lineOf(code))
      .find((words) => words !== undefined)
  )
}

/** The first code, of any system; a plain code where a version has no concept. */
export function codeOf(concept: unknown): string | undefined {
  return textOf(concept) ?? list(fields(concept)['coding']).map(({ code }) => textOf(code))[0]
}

/** Words with their codes; undefined when there are no words. */
export function codedText(concept: unknown): { readonly text: string; readonly codes: Coding[] } | undefined {
  const text = wordsOf(concept)
  return text === undefined ? undefined : { text, codes: codesOf(concept) }
}

/** The extensions whose definition ends so, whatever the root of its URL. */
export const extensions = (element: unknown, name: string): readonly Fields[] =>
  list(fields(element)['extension']).filter(({ url }) => textOf(url)?.includes(name) === true)
export const extension = (element: unknown, name: string): Fields => extensions(element, name)[0] ?? {}

/** Texts of annotations; DSTU2 has a plain text in some places. */
export const notesOf = (note: unknown): readonly string[] =>
  (Array.isArray(note) ? note : [note]).flatMap((one) => textOf(one) ?? textOf(fields(one)['text']) ?? [])

/** The members that are known. */
export function known<Row extends object>(row: Row): { [Name in keyof Row]?: Exclude<Row[Name], undefined> } {
  return Object.fromEntries(
    Object.entries(row).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as { [Name in keyof Row]?: Exclude<Row[Name], undefined> }
}

export function quantityOf(value: unknown) {
  const { value: number, comparator, unit, code, system } = fields(value)
  const amount = numberOf(number)
  if (amount === undefined) return undefined
  const ucum = textOf(system) === 'http://unitsofmeasure.org' ? lineOf(code) : undefined
  const words = lineOf(unit) ?? lineOf(code)
  return words === undefined ? undefined : known({ value: amount, comparator: textOf(comparator), unit: words, ucum })
}

export function rangeOf(value: unknown) {
  const [range] = list(value)
  if (range === undefined) return undefined
  const low = quantityOf(range['low']) ?? { value: numberOf(fields(range['low'])['value']) }
  const high = quantityOf(range['high']) ?? { value: numberOf(fields(range['high'])['value']) }
  const found = known({
    low: low.value,
    high: high.value,
    unit: ('unit' in low ? low.unit : undefined) ?? ('unit' in high ? high.unit : undefined),
    text: lineOf(range['text']),
  })
  return Object.keys(found).length === 0 ? undefined : found
}
