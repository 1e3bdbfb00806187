/**
 * Opens a token that somebody holds in hand: as forgiving as can be, so that its claims are read even where a service
 * would not read it, and with a finding for everything that was forgiven.
 */
import { isUtf8 } from 'node:buffer'
import { isSpineError } from '../error.ts'
import { parseJson } from '../fhir/json.ts'
import { longestToken, nestedTooDeep, readToken } from '../jwt/jwt.ts'
import { isObject, type Json } from './claims.ts'

/** One thing that is wrong with a token. */
export interface TokenFinding {
  /** The claim; `token`, `header` and `signature` for what is none. */
  readonly claim: string
  /** A service refuses an error. */
  readonly level: 'error' | 'warning'
  /** Name of the rule: that of the check which refuses it. */
  readonly rule: string
  readonly clause: string
  readonly says: string
  /** What stands there, shortened. */
  readonly found: string
  readonly remedy: string
}

export interface OpenedToken {
  /** Absent where they cannot be read at all. */
  readonly header: Json | undefined
  readonly claims: Json | undefined
  readonly signed: boolean
  readonly findings: readonly TokenFinding[]
}

const form = 'A token is base64url(header).base64url(claims). and ends with its second dot.'

export function openToken(text: string): OpenedToken {
  const findings: TokenFinding[] = []
  const fault = (claim: string, what: string, says: string, found: string, remedy: string) =>
    void findings.push({ claim, level: 'error', rule: `token: ${what}`, clause: '3.1', says, found, remedy })

  let token = text.trim().replace(/^authorization\s*:\s*/i, '')
  const scheme = /^([a-z]+)(?:\s+|$)/i.exec(token)
  if (scheme?.[1] && /^(bearer|basic|digest|apikey|token)$/i.test(scheme[1])) {
    token = token.slice(scheme[0].length)
    if (!/^bearer$/i.test(scheme[1]))
      fault(
        'token',
        'scheme',
        'The scheme of Authorization is not Bearer.',
        scheme[1],
        'Send Bearer, one space, and the token.',
      )
  }
  if (/\s/.test(token) && !token.startsWith('{')) {
    fault(
      'token',
      'white space',
      'The token has white space in it.',
      'white space',
      'Write it in one line: some encoders break lines.',
    )
    token = token.replace(/\s+/g, '')
  }
  const unreadable = { header: undefined, claims: undefined, signed: false, findings }
  if (token === '') {
    fault('token', 'readable', 'There is no token.', 'nothing', form)
    return unreadable
  }
  if (token.startsWith('{')) {
    fault('token', 'encoding', 'This is JSON, not a token.', 'an object', `Encode header and claims. ${form}`)
    return unreadable
  }
  if (token.length > longestToken) {
    fault(
      'token',
      'length',
      `The token is longer than ${longestToken} characters.`,
      `${token.length} characters`,
      'Send what the claims want, and nothing else.',
    )
    return unreadable
  }
  const parts = token.split('.')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 2)
    fault(
      'signature',
      'trailing dot',
      'The token does not end with a dot.',
      'two parts',
      'Put a dot behind the claims: the third part is there, and empty.',
    )
  else if (parts.length !== 3)
    fault(
      'token',
      'parts',
      'The token does not have three parts.',
      `${parts.length} part${parts.length === 1 ? '' : 's'}`,
      form,
    )

  function part(encoded: string, name: 'header' | 'claims'): Json | undefined {
    const wrong = (what: string, says: string, found: string, remedy: string) => {
      fault(name === 'claims' ? 'token' : name, what, `The ${name} of the token ${says}`, found, remedy)
      return undefined
    }
    if (encoded.includes('='))
      wrong('padding', 'is padded.', '= at its end', 'Leave the padding out: base64url of a token has none.')
    if (/[+/]/.test(encoded)) wrong('alphabet', 'is base64, not base64url.', '+ or /', 'Write - for + and _ for /.')
    const plain = encoded.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
    if (plain === '' || !/^[A-Za-z0-9_-]+$/.test(plain) || plain.length % 4 === 1)
      return wrong(
        'base64url',
        'is not base64url.',
        plain === '' ? 'nothing' : `${plain.length} characters`,
        `Encode it as base64url. ${form}`,
      )
    const bytes = Buffer.from(plain, 'base64url')
    if (!isUtf8(bytes))
      return wrong('UTF-8', 'is not UTF-8.', `${bytes.length} bytes`, 'Encode the UTF-8 bytes of the JSON.')
    let value: unknown
    try {
      value = JSON.parse(bytes.toString('utf8'))
    } catch {
      return wrong(
        'JSON',
        'is not JSON.',
        `${bytes.length} bytes`,
        'Encode a JSON object: check quotes, commas and braces.',
      )
    }
    if (!isObject(value))
      return wrong(
        'JSON',
        'is not a JSON object.',
        value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value,
        'Encode a JSON object.',
      )
    if (nestedTooDeep(value))
      return wrong(
        'nesting',
        'is nested too deep.',
        `${bytes.length} bytes`,
        'Send resources as flat as FHIR has them.',
      )
    const twice = duplicate(bytes)
    if (twice !== undefined)
      wrong(
        'member twice',
        'has a member twice in one object.',
        twice,
        'Write each member once: readers differ in which one they take.',
      )
    return value
  }

  const header = part(first, 'header')
  const claims = parts.length < 2 ? undefined : part(second, 'claims')
  // Whatever the reader of the services refuses beyond that, is refused here.
  const reading = readToken(token)
  if (!reading.ok && findings.length === 0)
    fault('token', 'readable', reading.fault, `${token.length} characters`, form)
  return { header, claims, signed: third !== '', findings }
}

function duplicate(bytes: Uint8Array): string | undefined {
  try {
    parseJson(bytes)
    return undefined
  } catch (error) {
    if (!isSpineError(error)) throw error
    return error.code === 'FHIR_JSON_DUPLICATE_KEY' ? (error.explanation ?? 'a member') : undefined
  }
}
