import { type Ivl, oid, oldNhsNumberRoots, type QueryParameters } from '@openspine/standards/hl7v3'
import { isNhsNumber } from '@openspine/standards/nhs'
import { genderWords } from '../asked.ts'
import { criteriaOfTrace } from './criteria.ts'
import type { QueryKind } from './interactions.ts'
import { daysOfInterval } from './interval.ts'
import type { MessageCheck } from './message-check.ts'

/** One rule of a query. */
export type QueryCheck = MessageCheck<QueryParameters>

const filled = (text: string | undefined) => text !== undefined && text !== ''
const oneOf = (codes: readonly { readonly code?: string }[], allowed: readonly string[]) =>
  codes.length === 1 && allowed.includes(codes[0]?.code ?? '')

const unreadable = (values: readonly Ivl[]) => values.length > 1 || daysOfInterval(values[0]) === 'wrong'
const number = ({ personId }: QueryParameters) => personId[0]?.extension ?? ''
const isNew = ({ personId }: QueryParameters) => personId[0]?.root === oid.nhsNumber
const allowedGenders = Object.keys(genderWords)

const clause = 'messaging §8.2'
const batch = 'demographics §19.1, §21'

const wellFormedNumber: readonly QueryCheck[] = [
  {
    name: 'INVALID_NHS_NUMBER',
    clause,
    explains: 'An NHS number is ten digits.',
    breaks: (it) => number(it) !== '' && !/^\d{10}$/.test(number(it)),
  },
  {
    name: 'FAILED_MOD11_CHECK',
    clause,
    explains: 'The last of the ten digits must be the check digit of the others.',
    breaks: (it) => /^\d{10}$/.test(number(it)) && !isNhsNumber(number(it)),
  },
]

const dateReadable: QueryCheck = {
  name: 'ILLEGAL_DATE_FORMAT',
  clause,
  explains:
    'Dates are yyyy, yyyyMM, yyyyMMdd or longer, and days of the calendar; low and high, or center, or a value.',
  breaks: ({ birthTime, deceasedTime }) => unreadable(birthTime) || unreadable(deceasedTime),
}

/** The rules of each query, in order (messaging specification §8.2, demographics specification §19.3). */
export const queryChecks: Readonly<Record<QueryKind, readonly QueryCheck[]>> = {
  'simple trace': [
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD',
      where: 'birthTime',
      clause,
      explains: 'A simple trace needs person.birthTime with a value.',
      breaks: ({ birthTime }) => !filled(birthTime[0]?.value),
    },
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD',
      where: 'name.family',
      clause,
      explains: 'A simple trace needs a family name.',
      breaks: ({ personName }) => !filled(personName[0]?.family[0]),
    },
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD',
      where: 'administrativeGenderCode',
      clause,
      explains: 'A simple trace needs person.administrativeGenderCode: 0, 1, 2 or 9.',
      breaks: ({ gender }) => !oneOf(gender, allowedGenders),
    },
    dateReadable,
  ],
  'advanced trace': [
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD_AT',
      where: 'historicDataIndicator',
      clause,
      explains: 'An advanced trace needs historicDataIndicator.',
      breaks: ({ historicDataIndicator }) => historicDataIndicator.length === 0,
    },
    {
      name: 'DUPLICATE_SEARCH_FIELDS_PROVIDED',
      clause,
      explains: 'historicDataIndicator, gender, name and family name may stand once.',
      breaks: ({ historicDataIndicator, gender, personName }) =>
        historicDataIndicator.length > 1 ||
        gender.length > 1 ||
        personName.length > 1 ||
        personName.some(({ family }) => family.length > 1),
    },
    dateReadable,
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD_AT',
      where: 'name',
      clause,
      explains: 'An advanced trace needs a family name or a given name.',
      breaks: ({ personName }) => !personName.some(({ family, given }) => [...family, ...given].some(filled)),
    },
    {
      name: 'MISSING_SEARCH_TYPE',
      clause,
      explains: 'An advanced trace needs exactly one searchParameter.',
      breaks: ({ searchParameter }) => searchParameter.length !== 1,
    },
    {
      name: 'INVALID_SEARCH_TYPE',
      clause,
      explains: 'searchParameter is 1 (alphanumeric) or 2 (algorithmic).',
      breaks: ({ searchParameter }) => searchParameter.length === 1 && !oneOf(searchParameter, ['1', '2']),
    },
    {
      name: 'INVALID_HISTORY_INDICATOR',
      clause,
      explains: 'historicDataIndicator is 0 or 1.',
      breaks: ({ historicDataIndicator }) =>
        historicDataIndicator.length === 1 && !oneOf(historicDataIndicator, ['0', '1']),
    },
    {
      name: 'INVALID_IGNORE_HISTORY_INDICATOR',
      clause,
      explains: 'ignoreHistoryIndicator is 0 or 1, where it is given.',
      breaks: ({ ignoreHistoryIndicator }) =>
        ignoreHistoryIndicator.length > 0 && !oneOf(ignoreHistoryIndicator, ['0', '1']),
    },
    {
      name: 'INVALID_SEARCH_DATA',
      clause,
      explains:
        'gender is 0, 1, 2 or 9; there is one NHS number at most; a wildcard stands behind two characters, and in no algorithmic search; without a date of birth there is a family name.',
      breaks: (it) =>
        (it.gender.length === 1 && !oneOf(it.gender, allowedGenders)) ||
        it.personId.length > 1 ||
        (daysOfInterval(it.birthTime[0]) === undefined && !filled(it.personName[0]?.family[0])) ||
        criteriaOfTrace(it) === undefined,
    },
  ],
  'batch trace': [
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD',
      where: 'birthTime',
      clause: batch,
      explains: 'A batch trace needs person.birthTime with a whole date.',
      breaks: ({ birthTime }) => !/^\d{8}/.test(birthTime[0]?.value ?? ''),
    },
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD',
      where: 'name.family',
      clause: batch,
      explains: 'A batch trace without an NHS number needs a family name.',
      breaks: (it) => !isNew(it) && !filled(it.personName[0]?.family[0]),
    },
    {
      name: 'MISSING_MANDATORY_SEARCH_FIELD',
      where: 'administrativeGenderCode',
      clause: batch,
      explains: 'A batch trace without an NHS number needs person.administrativeGenderCode: 0, 1, 2 or 9.',
      breaks: (it) => !isNew(it) && it.gender.length === 0,
    },
    {
      name: 'INVALID_SEARCH_DATA',
      clause: batch,
      explains: 'gender is 0, 1, 2 or 9; every parameter stands once.',
      breaks: (it) =>
        (it.gender.length > 0 && !oneOf(it.gender, allowedGenders)) ||
        it.personId.length > 1 ||
        it.personName.length > 1,
    },
    dateReadable,
    ...wellFormedNumber.map((check): QueryCheck => ({ ...check, breaks: (it) => isNew(it) && check.breaks(it) })),
  ],
  retrieval: [
    {
      name: 'INVALID_HISTORIC_DATA_INDICATOR',
      clause,
      explains: 'A retrieval needs exactly one historicDataIndicator: 0 or 1.',
      breaks: ({ historicDataIndicator }) => !oneOf(historicDataIndicator, ['0', '1']),
    },
    {
      name: 'NHS_NUMBER_UNSPECIFIED',
      where: 'root',
      clause,
      level: 'WG',
      explains: 'The root of person.id is that of the NHS number.',
      breaks: (it) => number(it) !== '' && !isNew(it),
    },
    {
      name: 'NHS_NUMBER_UNSPECIFIED',
      clause,
      explains: 'A retrieval needs person.id with an NHS number.',
      breaks: (it) => number(it) === '' || it.personId.length > 1,
    },
    ...wellFormedNumber,
  ],
  'cross-check': [
    {
      name: 'DATE_OF_BIRTH_MISSING',
      clause,
      explains: 'A cross-check needs person.birthTime.',
      breaks: ({ birthTime }) => birthTime.length === 0 || daysOfInterval(birthTime[0]) === undefined,
    },
    dateReadable,
    {
      name: 'MISSING_NHS_NUMBER',
      clause,
      explains: 'A cross-check needs person.id with an NHS number.',
      breaks: (it) => number(it) === '' || it.personId.length > 1,
    },
    {
      name: 'NOT_NEW_STYLE_NHS_NUMBER',
      clause,
      explains: 'A cross-check takes NHS numbers of the new style alone.',
      breaks: (it) => number(it) !== '' && !isNew(it),
    },
    ...wellFormedNumber.map((check): QueryCheck => ({ ...check, breaks: (it) => isNew(it) && check.breaks(it) })),
    {
      name: 'INVALID_NAME_FORMAT',
      clause,
      explains: 'A cross-check takes one given name and one family name at most.',
      breaks: ({ personName }) =>
        personName.length > 1 || personName.some(({ given, family }) => given.length > 1 || family.length > 1),
    },
  ],
  confirmation: [
    {
      name: 'NHS_NUMBER_UNSPECIFIED',
      clause: 'demographics §19.3',
      explains: 'The confirmation of an NHS number needs person.id.',
      breaks: (it) => number(it) === '' || it.personId.length > 1,
    },
    {
      name: 'NOT_NEW_STYLE_NHS_NUMBER',
      clause: 'demographics §19.4',
      explains: 'Numbers of the old style and temporary ones are not held here.',
      breaks: ({ personId }) => oldNhsNumberRoots.includes(personId[0]?.root ?? ''),
    },
    ...wellFormedNumber.map(
      (check): QueryCheck => ({
        ...check,
        breaks: (it) => !oldNhsNumberRoots.includes(it.personId[0]?.root ?? '') && check.breaks(it),
      }),
    ),
  ],
}
