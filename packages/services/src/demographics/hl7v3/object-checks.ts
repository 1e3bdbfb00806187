import { boundOf, type ChangedItem, type ChangedPerson, type Ivl, oid } from '@openspine/standards/hl7v3'
import type { MessageCheck } from './message-check.ts'

const clause = 'messaging §8.3'

/** Whether there is something in a text or attribute. */
export const filled = (text: string | undefined): boolean => text !== undefined && text !== ''

/** Whether one of these is done with an object. */
export const does = (mode: string | undefined, ...modes: readonly string[]): boolean =>
  mode !== undefined && modes.includes(mode)

const writes = ({ value }: ChangedItem<{ readonly updateMode?: string }>) => does(value.updateMode, 'added', 'altered')

const high = (period: Ivl | undefined) => boundOf(period, 'high') ?? ''
const low = (period: Ivl | undefined) => boundOf(period, 'low') ?? ''

/** A high before its low, as far as both are told. */
function backwards(period: Ivl | undefined): boolean {
  const [from, to] = [low(period), high(period)]
  const length = Math.min(from.length, to.length)
  return length > 0 && to.slice(0, length) < from.slice(0, length)
}

const periodsOf = (it: ChangedPerson): readonly (Ivl | undefined)[] => [
  ...it.names.map(({ value }) => value.validTime),
  ...it.addresses.map(({ value }) => value.useablePeriod),
  ...it.telecoms.map(({ value }) => value.useablePeriod),
  ...it.provisions.flatMap(({ effectiveTimes }) => effectiveTimes),
]

const namesIn = ({ names }: ChangedPerson) => names.filter(writes).map(({ value }) => value)

/** The rules of names, addresses, telecoms and providers of care that are added or altered, in whatever message. */
export const objectChecks: readonly MessageCheck<ChangedPerson>[] = [
  {
    name: 'UNSUPPORTED_CHARACTERS_IN_FIELD',
    clause,
    explains: 'Every name, address and telecom has a use.',
    breaks: (it) =>
      [...it.names, ...it.addresses, ...it.telecoms].some((item) => writes(item) && !filled(item.value.use)),
  },
  {
    name: 'INCORRECT_NUMBER_OF_ADDRESS_LINES',
    clause,
    explains: 'An address has one to five lines.',
    breaks: ({ addresses }) =>
      addresses.some((item) => writes(item) && (item.value.lines.length < 1 || item.value.lines.length > 5)),
  },
  {
    name: 'DESCRIPTION_PROVIDED_NO_TEMPORARY_ADDRESS',
    clause,
    explains: 'Only a temporary address (TMP) has a description.',
    breaks: ({ addresses }) =>
      addresses.some((item) => writes(item) && filled(item.value.description) && item.value.use !== 'TMP'),
  },
  {
    name: 'MORE_THAN_ONE_USABLE_PERIOD',
    clause,
    explains: 'An object has one period at most; of the providers of care only the practice (1) has one.',
    breaks: ({ names, addresses, telecoms, provisions }) =>
      [...names, ...addresses, ...telecoms].some(({ periods }) => periods > 1) ||
      provisions.some(({ code, effectiveTimes }) => effectiveTimes.length > (code === '1' ? 1 : 0)),
  },
  {
    name: 'HIGH_TIME_NOT_GREATER_THAN_LOW_TIME',
    clause,
    explains: 'A period does not end before it begins.',
    breaks: (it) => periodsOf(it).some(backwards),
  },
  {
    name: 'UNEXPECTED_CONTACT_TYPE',
    clause,
    explains: 'A telecom has a value that begins with tel:, fax:, mailto: or textphone:.',
    breaks: ({ telecoms }) =>
      telecoms.some((item) => writes(item) && !/^(tel|fax|mailto|textphone):./.test(item.value.value ?? '')),
  },
  {
    name: 'NO_MORE_THAN_ONE_PREFIX',
    clause,
    explains: 'A name has one prefix at most.',
    breaks: (it) => namesIn(it).some(({ prefix }) => prefix.length > 1),
  },
  {
    name: 'NO_MORE_THAN_ONE_FAMILY_NAME',
    clause,
    explains: 'A name has one family name at most.',
    breaks: (it) => namesIn(it).some(({ family }) => family.length > 1),
  },
  {
    name: 'NO_MORE_THAN_ONE_SUFFIX',
    clause,
    explains: 'A name has one suffix at most.',
    breaks: (it) => namesIn(it).some(({ suffix }) => suffix.length > 1),
  },
  {
    name: 'INSUFFICIENT_NAME_DETAILS',
    clause,
    explains: 'A name has a given name or a family name.',
    breaks: (it) => namesIn(it).some(({ given, family }) => ![...given, ...family].some(filled)),
  },
  {
    name: 'TOO_MANY_GIVEN_NAMES_5',
    clause,
    explains: 'A name has five given names at most.',
    breaks: (it) => namesIn(it).some(({ given }) => given.length > 5),
  },
  {
    name: 'UNSUPPORTED_PATIENT_CARE',
    clause,
    explains: 'A provider of care has a code: 1 practice, P1 to P3 pharmacies.',
    breaks: ({ provisions }) => provisions.some(({ code }) => !['1', 'P1', 'P2', 'P3'].includes(code ?? '')),
  },
  {
    name: 'MANDATORY_FIELD_MISSING_SUPP_INFO',
    clause,
    explains: 'A provider of care that is added or altered is one organisation.',
    breaks: ({ provisions }) =>
      provisions.some(
        ({ updateMode, organisations }) => does(updateMode, 'added', 'altered') && organisations.length !== 1,
      ),
  },
  {
    name: 'UNSUPPORTED_HCP_CODE_TYPE',
    clause,
    explains: 'The organisation is named by its ODS code.',
    breaks: ({ provisions }) =>
      provisions.some(({ organisations }) =>
        organisations.some(({ root }) => root !== oid.organisation && root !== oid.sdsOrganisation),
      ),
  },
]
