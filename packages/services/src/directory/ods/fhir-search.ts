import type { BundleLink, FhirFormat } from '@openspine/standards/fhir'
import { negotiate } from '@openspine/standards/fhir'
import type { TextTerm } from './catalogue.ts'
import { type OdsRequest, withParameters } from './face.ts'
import { refuse } from './outcome.ts'

/** `name:exact` as its name and modifier. */
export function splitName(written: string): readonly [name: string, modifier: string | undefined] {
  const colon = written.indexOf(':')
  return colon === -1 ? [written, undefined] : [written.slice(0, colon), written.slice(colon + 1)]
}

export const textMatch = (modifier: string | undefined): TextTerm['match'] | undefined =>
  modifier === undefined ? 'starts' : modifier === 'contains' || modifier === 'exact' ? modifier : undefined

/** The format of an answer: `_format`, else Accept, else JSON. */
export function formatOf({ parameters, accept }: OdsRequest, version: 'stu3' | 'r4'): FhirFormat {
  const format = parameters.find(([name]) => name === '_format')?.[1]
  const found = negotiate({ version, format, accept, lenient: true })
  if (found === undefined)
    throw refuse('format', `Unknown content type specified "${(format ?? accept ?? '').slice(0, 200)}"`)
  return found
}

/** JSON where what was asked for is not spoken: for errors. */
export function formatOfError(request: OdsRequest, version: 'stu3' | 'r4'): FhirFormat {
  const format = request.parameters.find(([name]) => name === '_format')?.[1]
  return negotiate({ version, format, accept: request.accept, lenient: true }) ?? 'json'
}

/** A page of a search: where it begins, from 0, and how many may stand on it. */
export interface Paging {
  readonly offset: number
  readonly count: number
}

/** The links between the pages of a search. */
export function pageLinks(request: OdsRequest, { offset, count }: Paging, total: number): BundleLink[] {
  const at = (start: number) => withParameters(request, { _offset: start === 0 ? undefined : String(start) })
  const self = { relation: 'self', url: at(offset) }
  if (count === 0) return [self]
  const last = total === 0 ? 0 : Math.floor((total - 1) / count) * count
  return [
    self,
    { relation: 'first', url: at(0) },
    ...(offset > 0 ? [{ relation: 'previous', url: at(Math.max(0, offset - count)) }] : []),
    ...(offset + count < total ? [{ relation: 'next', url: at(offset + count) }] : []),
    { relation: 'last', url: at(last) },
  ]
}

/** A day `YYYY-MM-DD` moved by days, within the years of four digits. */
export function dayAfter(day: string, days: number): string {
  const moved = new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString()
  if (moved.startsWith('+')) return '9999-12-31'
  return moved.startsWith('-') ? '0000-01-01' : moved.slice(0, 10)
}

/** The day of a moment, within the years of four digits. */
export const dayOfMoment = (at: number): string => dayAfter('1970-01-01', Math.floor(at / 86_400_000))
