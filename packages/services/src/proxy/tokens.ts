import { readClaims } from './claims.ts'

/** What a token says, as far as checks and audit ask. */
export type KnownToken =
  | {
      readonly ok: true
      /** Its `TokenFacts` as JSON, for the record. */
      readonly json: Buffer
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

/**
 * Reads Authorization headers, and remembers what it has read, because a consumer may use a token for five minutes:
 * two generations, bounded in number and size, the older thrown away when the newer is full. What is remembered is
 * what the header says, never that it was good: whether it is in time is asked for every request. It is found again by
 * its bytes, all of which are compared: to make a text of them and find that takes longer than all other checks.
 */
export function tokenReader(limit = mostTokens): (head: WrittenValue, id: number) => Credentials | undefined {
  let young = new Map<number, Remembered>()
  let old = new Map<number, Remembered>()
  let kept = 0
  return (head, id) => {
    const key = head.fingerprint(id)
    const there = young.get(key)
    if (there !== undefined && head.is(id, there.bytes)) return there.credentials
    const older = old.get(key)
    let remembered = older !== undefined && head.is(id, older.bytes) ? older : undefined
    if (remembered === undefined) {
      const text = head.value(id)
      if (text === undefined) return undefined
      remembered = { bytes: Buffer.from(text, 'latin1'), credentials: read(text) }
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
          json: Buffer.from(JSON.stringify(reading.facts)),
          iat: reading.claims['iat'],
          exp: reading.claims['exp'],
        }
      : reading,
  }
}

function isBearer(value: string): boolean {
  // Not one expression over the whole text: tokens are long, and are read by a check of their own.
  const start = /^bearer +/i.exec(value)?.[0].length ?? value.length
  return start < value.length && !value.includes(' ', start) && !value.includes('\t', start)
}
