import { all, daysOf, hl7Namespace, one, type Pn, readIi, readPn, textAt, valueAt } from '@openspine/standards/hl7v3'
import type { XmlElement } from '@openspine/standards/xml'
import { genderWords } from '../asked.ts'
import type { DayRange } from '../criteria.ts'
import { type Operation, payloadNames } from './operations.ts'

/** What a request says, as it was written. */
export interface MiniRequest {
  readonly birth?: string
  readonly gender?: string
  readonly number?: { readonly root: string; readonly extension: string }
  readonly name?: Pn
  readonly postcode?: string
}

/** The payload of an operation; undefined where it is another one, or has no queryEvent. */
export function readRequest(payload: XmlElement | undefined, operation: Operation): MiniRequest | undefined {
  if (payload?.namespace !== hl7Namespace || !payloadNames(operation).includes(payload.name)) return undefined
  const event = one(payload, 'queryEvent')
  if (event === undefined) return undefined
  const value = (item: string) => one(event, `Person.${item}/value`)
  const birth = valueAt(value('DateOfBirth'), 'value')
  const gender = valueAt(value('Gender'), 'code')
  const id = value('NHSNumber')
  const name = value('Name')
  const code = value('Postcode')
  const postcode =
    textAt(one(code, 'postalCode')) ?? (code && all(code, 'postalCode').length === 0 ? textAt(code) : undefined)
  const { root = '', extension = '' } = id === undefined ? {} : readIi(id)
  return {
    ...(birth === undefined ? {} : { birth }),
    ...(gender === undefined ? {} : { gender }),
    ...(id === undefined ? {} : { number: { root, extension } }),
    ...(name === undefined ? {} : { name: readPn(name) }),
    ...(postcode === undefined || postcode === '' ? {} : { postcode }),
  }
}

/** The one day of a `YYYYMMDD`; partial dates are not taken. */
export function birthOf({ birth }: MiniRequest): DayRange | undefined {
  return birth !== undefined && /^\d{8}$/.test(birth) ? daysOf(birth) : undefined
}

export const genderOf = ({ gender }: MiniRequest): string | undefined => genderWords[gender ?? '']

export const familyOf = ({ name }: MiniRequest): string | undefined => {
  const family = name?.family[0]
  return family === '' ? undefined : family
}

export const givenOf = ({ name }: MiniRequest): readonly string[] => (name?.given ?? []).filter((part) => part !== '')
