import { isNhsNumber } from '@openspine/standards/nhs'
import type { Access } from '../access.ts'
import { criteriaFor, genderCode, genderWords } from '../asked.ts'
import type { DayRange } from '../criteria.ts'
import { dayNumber } from '../fold.ts'
import { asJson, items, type Json, type StoredPerson, text } from '../person.ts'
import { linesOf, moment } from '../spine-person.ts'
import type { UseCases } from '../use-cases.ts'
import { retrieveView } from '../view.ts'
import {
  type Algorithm,
  algorithms,
  noMatch,
  type RequestColumn,
  type RowCode,
  rowCodes,
  severalMatches,
} from './columns.ts'

/** One row of a request, by column; what is not there is empty. */
export type Row = Readonly<Partial<Record<RequestColumn, string>>>

/** How one row comes out. */
export interface RowResult {
  readonly code: RowCode
  readonly algorithm: Algorithm
  /** Two decimals, 0 to 100. */
  readonly confidence: string
  readonly number: string
  readonly person?: StoredPerson
  /** What may be shown of the person. */
  readonly shown?: Json
}

const filled = (row: Row, column: RequestColumn): string | undefined => {
  const value = row[column]?.trim()
  return value === '' ? undefined : value
}

/** `yyyymmdd`, with a time of day behind it perhaps. */
function dayOf(value: string | undefined): DayRange | 'wrong' | undefined {
  if (value === undefined) return undefined
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{4,6})?$/.exec(value)
  const day = dayNumber(parts === null ? '' : `${parts[1]}-${parts[2]}-${parts[3]}`)
  return day === undefined ? 'wrong' : { from: day, to: day }
}

/** A row that finds nobody. */
export const nobody = (code: RowCode, number = ''): RowResult => ({
  code,
  algorithm: algorithms.none,
  confidence: '0.00',
  number,
})

/** What is wrong with a row by itself; undefined where nothing is. */
function faultOf(row: Row): RowCode | undefined {
  if (filled(row, 'UNIQUE REFERENCE') === undefined) return rowCodes.requiredField
  const gender = filled(row, 'GENDER')
  if (gender !== undefined && genderWords[gender] === undefined) return rowCodes.invalidGender
  const number = filled(row, 'NHS_NO')
  if (number !== undefined && !/^\d{10}$/.test(number)) return rowCodes.invalidFormat
  if (dayOf(filled(row, 'DATE_OF_BIRTH')) === 'wrong' || dayOf(filled(row, 'DATE_OF_DEATH')) === 'wrong')
    return rowCodes.invalidFormat
  return undefined
}

const anyone: Access = {
  mode: 'application-restricted',
  app: { id: 'batch', attributes: { emptyAddressLines: true } },
}

function found(person: StoredPerson, algorithm: Algorithm, score: number, code: RowCode = rowCodes.success): RowResult {
  return {
    code: person.sensitivity === 'U' ? code : rowCodes.sensitive,
    algorithm,
    confidence: (score * 100).toFixed(2),
    number: person.nhsNumber,
    person,
    shown: JSON.parse(retrieveView(person, anyone)) as Json,
  }
}

/** By number and date of birth; undefined where that settles nothing. A merged number counts where the date is that of the retained record. */
async function byNumber(row: Row, birth: DayRange, cases: UseCases): Promise<RowResult | undefined> {
  const nhsNumber = filled(row, 'NHS_NO')
  if (nhsNumber === undefined || !isNhsNumber(nhsNumber)) return undefined
  const checked = await cases.crossCheck({ nhsNumber, birth })
  if (checked.found === 'agrees') return found(checked.person, algorithms.crossCheck, 1)
  if (checked.found === 'invalidated') return nobody(rowCodes.invalidated, noMatch)
  if (checked.found !== 'superseded' || checked.person === undefined) return undefined
  const retained = await cases.crossCheck({ nhsNumber: checked.person.nhsNumber, birth })
  return retained.found === 'agrees' ? found(retained.person, algorithms.crossCheck, 1, rowCodes.superseded) : undefined
}

/**
 * Traces one row (§21): cross-check first, because it is the cheapest and settles most, then alphanumeric, then
 * algorithmic. A person is returned only where there is no other.
 */
export async function traceRow(row: Row, cases: UseCases): Promise<RowResult> {
  const fault = faultOf(row)
  if (fault !== undefined) return nobody(fault)
  const birth = dayOf(filled(row, 'DATE_OF_BIRTH'))
  if (birth === undefined || birth === 'wrong') return nobody(rowCodes.notEnoughData)
  const settled = await byNumber(row, birth, cases)
  if (settled !== undefined) return settled

  const family = filled(row, 'FAMILY_NAME')
  const given = [filled(row, 'GIVEN_NAME')].filter((name) => name !== undefined)
  const gender = genderWords[filled(row, 'GENDER') ?? '']
  const postcode = filled(row, 'POSTCODE')
  const death = dayOf(filled(row, 'DATE_OF_DEATH'))
  const asked = {
    birth,
    ...(family === undefined ? {} : { family }),
    given,
    ...(gender === undefined ? {} : { gender }),
    ...(postcode === undefined ? {} : { postcode }),
    ...(death === undefined || death === 'wrong' ? {} : { death }),
    max: 1,
  }
  const steps = [
    ...(family === undefined ? [] : [{ algorithm: algorithms.alphanumeric, criteria: criteriaFor(asked) }]),
    // As much as a fuzzy search needs (§9.2).
    ...((family !== undefined && given.length > 0) ||
    (gender !== undefined && postcode !== undefined && (family !== undefined || given.length > 0))
      ? [{ algorithm: algorithms.algorithmic, criteria: criteriaFor({ ...asked, fuzzy: true }) }]
      : []),
  ]
  if (steps.length === 0)
    return filled(row, 'NHS_NO') === undefined ? nobody(rowCodes.notEnoughData) : nobody(rowCodes.notFound, noMatch)
  for (const { algorithm, criteria } of steps) {
    if (criteria === undefined) continue
    const traced = await cases.search(criteria)
    if ('tooMany' in traced) return nobody(rowCodes.several, severalMatches)
    const [only] = traced.found
    if (only !== undefined) return found(only.person, algorithm, only.match.score)
  }
  return nobody(rowCodes.notFound, noMatch)
}

/** Everything of an answer that comes from the person. */
export function personColumns({ person, shown }: RowResult) {
  if (person === undefined || shown === undefined) return {}
  const [usual] = items(shown['name']).filter(({ use }) => use === 'usual')
  const givens = Array.isArray(usual?.['given']) ? usual['given'].filter((part) => typeof part === 'string') : []
  const [home] = items(shown['address']).filter(({ use }) => use === 'home')
  const [practice] = items(shown['generalPractitioner'])
  const identifier = asJson(practice?.['identifier'])
  const contact = (system: string, mobile: boolean) =>
    text(
      items(shown['telecom']).find((each) => each['system'] === system && (each['use'] === 'mobile') === mobile)?.[
        'value'
      ],
    )
  const lines = home === undefined ? [] : linesOf(home)
  return {
    FAMILY_NAME: text(usual?.['family']),
    GIVEN_NAME: givens[0],
    OTHER_GIVEN_NAME: givens.slice(1).join(' '),
    GENDER: genderCode(shown['gender']),
    DATE_OF_BIRTH: moment(shown['birthDate']),
    DATE_OF_DEATH: moment(shown['deceasedDateTime'])?.slice(0, 8),
    ADDRESS_LINE1: lines[0],
    ADDRESS_LINE2: lines[1],
    ADDRESS_LINE3: lines[2],
    ADDRESS_LINE4: lines[3],
    ADDRESS_LINE5: lines[4],
    POSTCODE: text(home?.['postalCode']),
    GP_PRACTICE_CODE: text(identifier['value']),
    GP_REGISTRATION_DATE: moment(asJson(identifier['period'])['start']),
    TELEPHONE_NUMBER: contact('phone', false),
    MOBILE_NUMBER: contact('phone', true),
    EMAIL_ADDRESS: contact('email', false) ?? contact('email', true),
    SENSITIVITY_FLAG: person.sensitivity === 'U' ? '' : 'S',
    SERIAL_CHANGE_NUMBER: String(person.version),
  }
}
