/** Which of JSON and XML a caller wants, by the media types of each version. */

import type { FhirFormat } from './codec.ts'
import type { FhirVersion } from './types.ts'

/** The media types of each version. */
export const mediaTypes: Readonly<Record<FhirVersion, Readonly<Record<FhirFormat, string>>>> = {
  dstu2: { json: 'application/json+fhir', xml: 'application/xml+fhir' },
  stu3: { json: 'application/fhir+json', xml: 'application/fhir+xml' },
  r4: { json: 'application/fhir+json', xml: 'application/fhir+xml' },
}

/** Names that some faces of the Spine take besides: short forms, plain types, and those of the other versions. */
const lenientTypes: Readonly<Record<string, FhirFormat>> = {
  json: 'json',
  xml: 'xml',
  'application/json': 'json',
  'text/json': 'json',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'application/json+fhir': 'json',
  'application/xml+fhir': 'xml',
  'application/fhir+json': 'json',
  'application/fhir+xml': 'xml',
}

/** The value of Content-Type in a response. */
export function contentTypeOf(version: FhirVersion, format: FhirFormat): string {
  return `${mediaTypes[version][format]};charset=utf-8`
}

interface MediaRange {
  /** Lower case, `type/subtype`. */
  readonly type: string
  readonly quality: number
  /** False when it asks for another charset than UTF-8. */
  readonly utf8: boolean
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

function readRange(written: string): MediaRange {
  const [type = '', ...parameters] = written.split(';')
  let quality = 1
  let utf8 = true
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=')
    const name = (equals === -1 ? parameter : parameter.slice(0, equals)).trim().toLowerCase()
    const value = equals === -1 ? '' : unquoted(parameter.slice(equals + 1).trim())
    if (name === 'q') quality = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(value) ? Number(value) : 0
    if (name === 'charset') utf8 = value.toLowerCase() === 'utf-8' || value.toLowerCase() === 'utf8'
  }
  return { type: type.trim().toLowerCase(), quality, utf8 }
}

/** Splits a header list at commas outside quotation marks. */
function splitList(header: string): string[] {
  const parts: string[] = []
  let quoted = false
  let start = 0
  for (let i = 0; i < header.length; i++) {
    if (header[i] === '"') quoted = !quoted
    else if (header[i] === ',' && !quoted) {
      parts.push(header.slice(start, i))
      start = i + 1
    }
  }
  parts.push(header.slice(start))
  return parts.filter((part) => part.trim() !== '')
}

function formatOf(type: string, version: FhirVersion, lenient: boolean): FhirFormat | undefined {
  if (type === mediaTypes[version].json) return 'json'
  if (type === mediaTypes[version].xml) return 'xml'
  return lenient && Object.hasOwn(lenientTypes, type) ? lenientTypes[type] : undefined
}

/** `_format`, where `+` may have been decoded to a space, or come still percent-encoded. */
function fromFormatParameter(written: string, version: FhirVersion, lenient: boolean): FhirFormat | undefined {
  let decoded = written
  if (written.includes('%')) {
    try {
      decoded = decodeURIComponent(written)
    } catch {
      return undefined
    }
  }
  const { type, utf8 } = readRange(decoded)
  return utf8 ? formatOf(type.replace(' ', '+'), version, lenient) : undefined
}

/** The format whose best match has the highest quality; on a tie the one named first, JSON for a wildcard. */
function fromAccept(header: string, version: FhirVersion, lenient: boolean): FhirFormat | undefined {
  const ranges = splitList(header).map(readRange)
  let best: { format: FhirFormat; quality: number; index: number } | undefined
  for (const format of ['json', 'xml'] as const) {
    let match: { specificity: number; quality: number; index: number } | undefined
    ranges.forEach(({ type, quality, utf8 }, index) => {
      const exact = formatOf(type, version, lenient) === format
      const specificity = exact ? 3 : type === 'application/*' ? 2 : type === '*/*' ? 1 : 0
      if (utf8 && specificity > (match?.specificity ?? 0)) match = { specificity, quality, index }
    })
    if (match === undefined || match.quality === 0) continue
    const better =
      best === undefined || match.quality > best.quality || (match.quality === best.quality && match.index < best.index)
    if (better) best = { format, ...match }
  }
  return best?.format
}

/** The format of a request body by its Content-Type; undefined when this version does not speak it. */
export function bodyFormat(
  contentType: string,
  version: FhirVersion,
  options: { readonly lenient?: boolean } = {},
): FhirFormat | undefined {
  const { type, utf8 } = readRange(contentType)
  return utf8 ? formatOf(type, version, options.lenient === true) : undefined
}

/** What a request says about the format of its response. */
export interface FormatRequest {
  readonly version: FhirVersion
  /** The `_format` query parameter, decoded or not. */
  readonly format?: string | undefined
  readonly accept?: string | undefined
  /** Content-Type of the request. */
  readonly contentType?: string | undefined
  /** Also take short names, `application/json` and the media types of other versions. Default false. */
  readonly lenient?: boolean | undefined
}

/**
 * The format of a response: `_format`, else `Accept`, else `Content-Type`, else JSON; a wildcard is JSON. The
 * first of them that is present decides; undefined when what it asks for is not spoken (415). Whether the
 * request's own body can be read is `bodyFormat`.
 *
 * @example
 * negotiate({ version: 'stu3', accept: 'application/fhir+xml;q=0.5, application/fhir+json;q=0.4' }) // 'xml'
 */
export function negotiate({
  version,
  format,
  accept,
  contentType,
  lenient = false,
}: FormatRequest): FhirFormat | undefined {
  if (format !== undefined) return fromFormatParameter(format, version, lenient)
  if (accept !== undefined && accept.trim() !== '') return fromAccept(accept, version, lenient)
  if (contentType !== undefined && contentType.trim() !== '') return bodyFormat(contentType, version, { lenient })
  return 'json'
}
