import { readClaims } from './claims.ts'

/** What a token says, as far as checks and audit ask. */
export type KnownToken =
  | {
      readonly ok: true
      /** Its `TokenFacts` as JSON, for the record; as bytes once it is remembered. */
      readonly json: string | Buffer
      readonly iat: unknown
      readonly exp: unknown
    }
  | { readonly ok: false; readonly fault: string }

/** What an Authorization header is found to be. */
export interface Credentials {
  readonly empty: boolean
  /** It is Bearer and one token, whatever that says. */
  readonly bearer: boolean
  readonly token: KnownToken
}

/** Where an Authorization header stands: the head that it came in. */
export interface WrittenValue {
  /** The same for the same bytes; for others mostly another. */
  fingerprint(id: number): number
  is(id: number, bytes: Buffer): boolean
  value(id: number): string | undefined
}

interface Remembered {
  readonly bytes: Buffer
  readonly credentials: Credentials
}

/** Of each of the two generations. A consumer that makes a token for every request fills them again and again. */
const mostTokens = 2_048
const mostBytes = 4 << 20
/** Fingerprints of headers that have been seen once, each in one of two places that follow from it. */
const places = 8_192

/**
 * Reads Authorization headers, and remembers what it has read, because a consumer may use a token for five minutes:
 * two generations, bounded in number and size, the older thrown away when the newer is full. What is remembered is
 * what the header says, never that it was good: whether it is in time is asked for every request. It is found again by
 * its bytes, all of which are compared: to make a text of them and find that takes longer than all other checks. Only
 * what comes a second time is remembered: many a consumer makes a token for each request, and to keep those costs memory
 * that has to be collected.
 */
export function tokenReader(limit = mostTokens): (head: WrittenValue, id: number) => Credentials | undefined {
  let young = new Map<number, Remembered>()
  let old = new Map<number, Remembered>()
  let kept = 0
  const once = new Int32Array(places)
  let second = false
  return (head, id) => {
    const key = head.fingerprint(id)
    const there = young.get(key)
    if (there !== undefined && head.is(id, there.bytes)) return there.credentials
    const older = old.get(key)
    let remembered = older !== undefined && head.is(id, older.bytes) ? older : undefined
    if (remembered === undefined) {
      const text = head.value(id)
      if (text === undefined) return undefined
      const credentials = read(text)
      const place = key & (places - 1)
      const other = (key >>> 16) & (places - 1)
      if (once[place] !== key && once[other] !== key) {
        // In turn, so that two that are used all the time and share a place do not drive each other out for ever.
        second = !second
        once[second ? other : place] = key
        return credentials
      }
      remembered = { bytes: Buffer.from(text, 'latin1'), credentials: asBytes(credentials) }
    }
    if (young.size >= limit || kept > mostBytes) {
      old = young
      young = new Map()
      kept = 0
    }
    // Another one with the same fingerprint gives way.
    young.set(key, remembered)
    kept += remembered.bytes.length
    return remembered.credentials
  }
}

function read(authorization: string): Credentials {
  const reading = readClaims(authorization)
  return {
    empty: authorization === '',
    bearer: isBearer(authorization),
    token: reading.ok
      ? {
          ok: true,
          json: JSON.stringify(reading.facts),
          iat: reading.claims['iat'],
          exp: reading.claims['exp'],
        }
      : reading,
  }
}

function asBytes(credentials: Credentials): Credentials {
  const { token } = credentials
  return token.ok ? { ...credentials, token: { ...token, json: Buffer.from(token.json) } } : credentials
}

function isBearer(value: string): boolean {
  // Not one expression over the whole text: tokens are long, and are read by a check of their own.
  const start = /^bearer +/i.exec(value)?.[0].length ?? value.length
  return start < value.length && !value.includes(' ', start) && !value.includes('\t', start)
}
