import { readBearer } from '@openspine/standards/jwt'

/** What the audit keeps of a token (§2.11). Members that the token does not have are absent. */
export interface TokenFacts {
  iss?: unknown
  sub?: unknown
  aud?: unknown
  iat?: unknown
  exp?: unknown
  reason_for_request?: unknown
  scope?: unknown
  device?: unknown
  organisation?: unknown
  practitioner?: unknown
  system?: unknown
  user?: unknown
  /** NHS number or ODS code of the requested record (0.x). */
  record?: unknown
}

export type TokenReading =
  | { readonly ok: true; readonly facts: TokenFacts; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly fault: string }

type Values = Readonly<Record<string, unknown>>

const longest = 512
const most = 8

/** Text, number or list of them, cut to a bound; anything else is left out. A token is written by a stranger. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return value.length > longest ? value.slice(0, longest) : value
  if (typeof value === 'number' || typeof value === 'boolean') return value
  return Array.isArray(value) ? value.slice(0, most).map(scalar) : undefined
}

/** As above, without lists: what stands in a list is not looked into again. */
function scalar(value: unknown): unknown {
  return Array.isArray(value) ? undefined : plain(value)
}

const text = (value: unknown): string =>
  typeof value === 'string' ? (value.length > longest ? value.slice(0, longest) : value) : ''

const object = (value: unknown): Values | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : undefined

const first = (value: unknown): Values | undefined => object(Array.isArray(value) ? value[0] : value)

/** `system|value` of each identifier. */
function identifiers(resource: Values): string[] | undefined {
  const list: unknown = resource['identifier']
  if (!Array.isArray(list)) return undefined
  const found: string[] = []
  for (let i = 0; i < list.length && i < most; i++) {
    const identifier = object(list[i])
    if (identifier !== undefined) found.push(`${text(identifier['system'])}|${text(identifier['value'])}`)
  }
  return found
}

/** Both dialects: 1.x has a list of names, 0.x one object. */
function personName(value: unknown): string | undefined {
  const name = first(value)
  if (name === undefined) return undefined
  const written = words('', name['prefix'])
  return words(words(written, name['given']), name['family'])
}

/** Appends the words of a name part: one text, or a list of them. */
function words(before: string, part: unknown): string {
  if (typeof part === 'string') return before === '' ? text(part) : `${before} ${text(part)}`
  let all = before
  if (Array.isArray(part))
    for (let i = 0; i < part.length && i < most; i++) if (typeof part[i] === 'string') all = words(all, part[i])
  return all
}

function role(value: unknown): unknown {
  const given = first(value)
  return given === undefined ? undefined : scalar(first(object(given['role'])?.['coding'])?.['code'])
}

/** What an Authorization header tells the audit. Never throws; the size of the answer is bounded. */
export function readClaims(authorization: string): TokenReading {
  const reading = readBearer(authorization)
  if (!reading.ok) return reading
  const { claims } = reading
  const facts: TokenFacts = {
    iss: plain(claims['iss']),
    sub: plain(claims['sub']),
    aud: plain(claims['aud']),
    iat: plain(claims['iat']),
    exp: plain(claims['exp']),
    reason_for_request: plain(claims['reason_for_request']),
    scope: plain(claims['requested_scope'] ?? claims['scope']),
  }
  const device = object(claims['requesting_device'])
  if (device !== undefined) facts.device = identifiers(device)
  const organisation = object(claims['requesting_organization'])
  if (organisation !== undefined)
    facts.organisation = { ids: identifiers(organisation), name: plain(organisation['name']) }
  else facts.organisation = plain(claims['requesting_organization'])
  const practitioner = object(claims['requesting_practitioner'])
  if (practitioner !== undefined)
    facts.practitioner = {
      id: plain(practitioner['id']),
      ids: identifiers(practitioner),
      name: personName(practitioner['name']),
      role: role(practitioner['practitionerRole']),
    }
  if (claims['requesting_system'] !== undefined) facts.system = plain(claims['requesting_system'])
  if (claims['requesting_user'] !== undefined) facts.user = plain(claims['requesting_user'])
  const record = object(claims['requested_record'])
  if (record !== undefined) facts.record = identifiers(record)
  return { ok: true, facts, claims }
}
