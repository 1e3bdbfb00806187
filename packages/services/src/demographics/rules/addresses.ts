import { outcomes } from '../outcomes.ts'
import { items, type Json, text, ukCore } from '../person.ts'
import {
  dayOf,
  daysBetween,
  isObject,
  objectOf,
  oneOf,
  periodIsSound,
  type Snippet,
  type SnippetRule,
  textListFault,
} from './snippet.ts'

const mostLines = 5
const longestLine = 35
const longestStay = { temp: 90, billing: 366 } as const

/** What a temporary address is for. */
const temporaryKinds: ReadonlySet<unknown> = new Set([
  'Second Home',
  'Student Accommodation',
  'Respite Care Address',
  'Temporary Residence Address',
  'Convalescence Home',
  'Mobile Home',
  'Holiday Home',
])

/** What an address without premises, street and town lacks, in the words of the wire. */
export const linesMissing = 'address lines 1 and 4 or 2 and 4 must be completed as a minimum'

const addressKeyUrl = `${ukCore}Extension-UKCore-AddressKey`

/** Rules of one address. Whether its lines are complete is asked by {@link linesComplete}: the outcome differs. */
export const addressRules: readonly SnippetRule[] = [
  isObject,
  oneOf('use', new Set(['home', 'temp', 'billing']), {
    clause: '§2',
    explanation: 'An address that is written is used as home, temp or billing.',
  }),
  {
    name: 'line is a list of text',
    clause: '§2',
    explanation: `An address has at most ${mostLines} lines: premises, street, locality, post town, county.`,
    refusal: (snippet) =>
      textListFault(objectOf(snippet)['line'], `${snippet.path}/line`, {
        most: mostLines,
        longest: longestLine,
        blank: true,
      }),
  },
  {
    name: 'postalCode is a postcode',
    clause: '§2',
    explanation: 'A postcode has letters, digits and spaces, eight characters at most.',
    refusal(snippet) {
      const { postalCode } = objectOf(snippet)
      const sound =
        postalCode === undefined || (typeof postalCode === 'string' && /^[A-Za-z0-9 ]{2,8}$/.test(postalCode.trim()))
      return sound ? undefined : outcomes.invalidField(postalCode, `${snippet.path}/postalCode`)
    },
  },
  {
    name: 'Address keys are complete',
    clause: '§2',
    explanation: 'An address key has a type, PAF or UPRN, and a value: eight digits for PAF, one to twelve for UPRN.',
    refusal(snippet) {
      const { extension } = objectOf(snippet)
      if (extension === undefined) return undefined
      if (!Array.isArray(extension)) return outcomes.invalidField(extension, `${snippet.path}/extension`)
      const seen = new Set<string>()
      for (const [index, key] of items(extension).entries()) {
        const path = `${snippet.path}/extension/${index}`
        if (key['url'] === undefined) return outcomes.missingField(`${path}/url`)
        if (key['url'] !== addressKeyUrl) return outcomes.invalidField(key['url'], `${path}/url`)
        if (key['extension'] === undefined) return outcomes.missingField(`${path}/extension`)
        const { type, value } = addressKey(key)
        if (type !== 'PAF' && type !== 'UPRN')
          return outcomes.invalidField(type ?? '', `${path}/extension/0/valueCoding/code`)
        const sound = value !== undefined && (type === 'PAF' ? /^\d{8}$/ : /^\d{1,12}$/).test(value)
        if (!sound) return outcomes.invalidField(value ?? '', `${path}/extension/1/valueString`)
        if (seen.has(type)) return outcomes.tooManyValues(extension, `${snippet.path}/extension`)
        seen.add(type)
      }
      return undefined
    },
  },
  {
    name: 'A temporary address says what it is',
    clause: '§10.3',
    explanation: 'A temporary address has one of the seven texts, and an end; a billing address has an end.',
    refusal(snippet) {
      const { use, text: kind, period } = objectOf(snippet)
      if (use !== 'temp' && use !== 'billing') return undefined
      if (use === 'temp') {
        if (kind === undefined) return outcomes.missingField(`${snippet.path}/text`)
        if (!temporaryKinds.has(kind)) return outcomes.invalidField(kind, `${snippet.path}/text`)
      }
      const { start, end } = objectOf({ ...snippet, value: period })
      if (period === undefined) return outcomes.missingField(`${snippet.path}/period`)
      if (start === undefined) return outcomes.missingField(`${snippet.path}/period/start`)
      return end === undefined ? outcomes.missingField(`${snippet.path}/period/end`) : undefined
    },
  },
  periodIsSound,
  {
    name: 'A temporary address ends soon enough',
    clause: '§10.3',
    explanation: 'A temporary address holds for 90 days at most, a billing address for 366.',
    refusal(snippet) {
      const { use, period } = objectOf(snippet)
      const longest = use === 'temp' ? longestStay.temp : use === 'billing' ? longestStay.billing : undefined
      const { start, end } = objectOf({ ...snippet, value: period })
      const [from, to] = [dayOf(start), dayOf(end)]
      if (longest === undefined || from === undefined || to === undefined) return undefined
      return daysBetween(from, to) > longest ? outcomes.invalidField(end, `${snippet.path}/period/end`) : undefined
    },
  },
]

/** The key of an address in the Postcode Address File; undefined where it has none. */
export const pafKeyOf = (address: Json): string | undefined =>
  items(address['extension'])
    .filter(({ url }) => url === addressKeyUrl)
    .map(addressKey)
    .find(({ type }) => type === 'PAF')?.value

/** Such a key as an address has it. */
export const pafKey = (value: string): Json => ({
  url: addressKeyUrl,
  extension: [
    {
      url: 'type',
      valueCoding: { system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-AddressKeyType', code: 'PAF' },
    },
    { url: 'value', valueString: value },
  ],
})

/** Postcodes that stand for no place: no fixed abode, abroad and others like them. */
const placeless = /^ZZ99/

/**
 * Whether an address names a place: premises or street, and the post town (§10.3). An address key of the Postcode Address
 * File would let the lines be filled from that file; there is none here, so the lines are asked for all the same.
 */
export function linesComplete(snippet: Snippet): boolean {
  const { line, postalCode } = objectOf(snippet)
  if (placeless.test((text(postalCode) ?? '').toUpperCase().replaceAll(' ', ''))) return true
  const has = (index: number) => Array.isArray(line) && typeof line[index] === 'string' && line[index].trim() !== ''
  return (has(0) || has(1)) && has(3)
}

function addressKey(key: Readonly<Record<string, unknown>>): { readonly type?: string; readonly value?: string } {
  const found: { type?: string; value?: string } = {}
  for (const part of items(key['extension'])) {
    const { valueCoding } = part
    const code = typeof valueCoding === 'object' && valueCoding !== null ? Reflect.get(valueCoding, 'code') : undefined
    if (part['url'] === 'type' && typeof code === 'string') found.type = code
    if (part['url'] === 'value' && typeof part['valueString'] === 'string') found.value = part['valueString']
  }
  return found
}
