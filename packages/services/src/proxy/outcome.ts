import { hsts } from '@openspine/platform/doors'
import { type Refusal, type RefusalStatus, shapes } from './refusal.ts'
import type { Allowance } from './throttle.ts'
import { rateHeaders } from './throttle.ts'

/** On every answer that the proxy makes itself (§2.3). */
export const hstsLine = `Strict-Transport-Security: ${hsts}\r\n`

/** When an answer of its own was made: whoever originates one and has a clock says so (RFC 9110 §6.6.1). */
export const dateLine = (at: number) => `Date: ${new Date(at).toUTCString()}\r\n`

const proxyCodes = 'http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0'
const spineCodes = 'https://fhir.nhs.uk/StructureDefinition/spine-operationoutcome-1'

export type FhirType =
  | 'application/fhir+json'
  | 'application/fhir+xml'
  | 'application/json+fhir'
  | 'application/xml+fhir'

const known: ReadonlyMap<string, FhirType> = new Map(
  Object.entries({
    'application/fhir+json': 'application/fhir+json',
    'application/fhir+xml': 'application/fhir+xml',
    'application/json+fhir': 'application/json+fhir',
    'application/xml+fhir': 'application/xml+fhir',
    'application/json': 'application/fhir+json',
    'application/xml': 'application/fhir+xml',
    'text/json': 'application/fhir+json',
    'text/xml': 'application/fhir+xml',
    json: 'application/fhir+json',
    xml: 'application/fhir+xml',
  } as const),
)

/** The type that the request prefers: `_format` in its query, then `Accept`, then JSON. */
export function preferredType(requestTarget: string, accept: string | undefined): FhirType {
  const format = /[?&]_format=([^&#]*)/.exec(requestTarget)?.[1]
  if (format !== undefined) {
    const asked = typeNamed(decode(format))
    if (asked !== undefined) return asked
  }
  let best: FhirType | undefined
  let weight = 0
  for (const range of (accept ?? '').slice(0, 1000).split(',')) {
    const [type = '', ...parameters] = range.split(';')
    const q = parameters.map((one) => /^\s*q=([\d.]+)\s*$/i.exec(one)?.[1]).find((found) => found !== undefined)
    const found = typeNamed(type)
    const given = q === undefined ? 1 : Number(q)
    if (found !== undefined && given > weight) {
      best = found
      weight = given
    }
  }
  return best ?? 'application/fhir+json'
}

/** A plus sign that was not percent-encoded in a query arrives as a space (§15 trap 14). */
const typeNamed = (text: string): FhirType | undefined =>
  known.get((text.split(';')[0] ?? '').trim().replace(' ', '+').toLowerCase())

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The OperationOutcome of an answer that the proxy makes itself (§2.8). `id` is a new UUID. */
export function outcomeBody(status: RefusalStatus, text: string, id: string, type: FhirType): string {
  const { severity, issue } = shapes[status]
  const system = status === 405 ? spineCodes : proxyCodes
  const coding = { system, code: String(status), display: text }
  // The documented 405 has no diagnostics.
  const diagnostics = status === 405 ? undefined : text
  if (type.includes('json'))
    return JSON.stringify({
      resourceType: 'OperationOutcome',
      id,
      issue: [{ severity, code: issue, details: { coding: [coding] }, diagnostics }],
    })
  const element = (name: string, value: string) => `<${name} value="${escaped(value)}"/>`
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<OperationOutcome xmlns="http://hl7.org/fhir">${element('id', id)}<issue>` +
    `${element('severity', severity)}${element('code', issue)}<details><coding>${element('system', system)}` +
    `${element('code', coding.code)}${element('display', text)}</coding></details>` +
    `${diagnostics === undefined ? '' : element('diagnostics', diagnostics)}</issue></OperationOutcome>`
  )
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Seconds: to the end of the window when a limit was passed; a moment when there was merely no room. */
function wait(allowance: Allowance | undefined): number {
  return allowance?.allowed === false ? (allowance.reset ?? 1) : 1
}

/** A whole answer that the proxy makes itself, ready for the wire. */
export function refusalAnswer(
  refusal: Pick<Refusal, 'status' | 'text'>,
  about: {
    readonly id: string
    readonly type: FhirType
    readonly close: boolean
    /** HEAD is answered without a body. */
    readonly method: string
    /** What a 405 names as allowed. */
    readonly verbs: readonly string[]
    /** Milliseconds since the epoch. */
    readonly at: number
    readonly allowance: Allowance | undefined
  },
): Buffer {
  const { status, text } = refusal
  const body = Buffer.from(outcomeBody(status, text, about.id, about.type))
  const head =
    `HTTP/1.1 ${status} ${shapes[status].reason}\r\n${dateLine(about.at)}` +
    `Content-Type: ${about.type}; charset=utf-8\r\nContent-Length: ${body.length}\r\nCache-Control: no-store\r\n` +
    hstsLine +
    (status === 405 ? `Allow: ${about.verbs.join(', ')}\r\n` : '') +
    (about.allowance === undefined ? '' : rateHeaders(about.allowance)) +
    (status === 429 || status === 503 ? `Retry-After: ${wait(about.allowance)}\r\n` : '') +
    (about.close ? 'Connection: close\r\n' : '') +
    '\r\n'
  return about.method === 'HEAD' ? Buffer.from(head, 'latin1') : Buffer.concat([Buffer.from(head, 'latin1'), body])
}
