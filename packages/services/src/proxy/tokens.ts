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
  /** Whether its bytes are those of `bytes` from `start` to `end`. */
  is(id: number, bytes: Buffer, start: number, end: number): boolean
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
 * its bytes, all of which are compared: to make a text of them and find that takes longer than all other checks. What has
 * come once is kept apart (`SeenOnce`): many a consumer makes a token for each request.
 */
export function tokenReader(limit = mostTokens): (head: WrittenValue, id: number) => Credentials | undefined {
  let young = new Map<number, Remembered>()
  let old = new Map<number, Remembered>()
  let kept = 0
  const once = new SeenOnce()
  return (head, id) => {
    const key = head.fingerprint(id)
    const there = young.get(key)
    if (there !== undefined && head.is(id, there.bytes, 0, there.bytes.length)) return there.credentials
    const older = old.get(key)
    const remembered =
      older !== undefined && head.is(id, older.bytes, 0, older.bytes.length) ? older : once.find(key, head, id)
    if (remembered === undefined) {
      const text = head.value(id)
      if (text === undefined) return undefined
      const credentials = read(text)
      once.keep(key, text, credentials)
      return credentials
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

function isBearer(value: string): boolean {
  // Not one expression over the whole text: tokens are long, and are read by a check of their own.
  const start = /^bearer +/i.exec(value)?.[0].length ?? value.length
  return start < value.length && !value.includes(' ', start) && !value.includes('\t', start)
}

/** Places of tokens that have been seen once, each in one of two that follow from its fingerprint. */
const places = 8_192
const ringBytes = 4 << 20

/**
 * Tokens that have been seen once, with what they say: written one behind the other into one ring of bytes, over the
 * oldest, because objects that live until a token comes again, which most never do, take the collector longer than
 * reading it a second time. Only tokens that could be read are kept.
 */
class SeenOnce {
  readonly #ring = Buffer.allocUnsafeSlow(ringBytes)
  /** Bytes written since the beginning, those at the end of the ring that were too few included. */
  #written = 0
  readonly #keys = new Int32Array(places)
  /** Where the token stands, counted since the beginning; it is overwritten when that is more than a ring ago. */
  readonly #starts = new Float64Array(places).fill(Number.NEGATIVE_INFINITY)
  /** Bytes of the token, and of its JSON, which stands behind it. */
  readonly #lengths = new Int32Array(places)
  readonly #jsonLengths = new Int32Array(places)
  readonly #iat = new Float64Array(places)
  readonly #exp = new Float64Array(places)
  #second = false

  keep(key: number, text: string, { bearer, token }: Credentials): void {
    if (!bearer || !token.ok || typeof token.json !== 'string') return
    const { iat, exp, json } = token
    if (typeof iat !== 'number' || typeof exp !== 'number') return
    const most = text.length + 3 * json.length
    if (most > ringBytes / 16) return
    const before = this.#written % ringBytes
    if (before + most > ringBytes) this.#written += ringBytes - before
    const start = this.#written % ringBytes
    this.#ring.write(text, start, 'latin1')
    const jsonLength = this.#ring.write(json, start + text.length)
    // In turn, so that two that are used all the time and share a place do not drive each other out for ever.
    this.#second = !this.#second
    const place = this.#second ? otherPlace(key) : firstPlace(key)
    this.#keys[place] = key
    this.#starts[place] = this.#written
    this.#lengths[place] = text.length
    this.#jsonLengths[place] = jsonLength
    this.#iat[place] = iat
    this.#exp[place] = exp
    this.#written += text.length + jsonLength
  }

  /** Copies of the header that stands there, and of what it says, when it has been kept. */
  find(key: number, head: WrittenValue, id: number): Remembered | undefined {
    return this.#at(firstPlace(key), key, head, id) ?? this.#at(otherPlace(key), key, head, id)
  }

  #at(place: number, key: number, head: WrittenValue, id: number): Remembered | undefined {
    const from = this.#starts[place] as number
    if (this.#keys[place] !== key || from < this.#written - ringBytes) return undefined
    const start = from % ringBytes
    const end = start + (this.#lengths[place] as number)
    if (!head.is(id, this.#ring, start, end)) return undefined
    const json = Buffer.from(this.#ring.subarray(end, end + (this.#jsonLengths[place] as number)))
    return {
      bytes: Buffer.from(this.#ring.subarray(start, end)),
      credentials: {
        empty: false,
        bearer: true,
        token: { ok: true, json, iat: this.#iat[place], exp: this.#exp[place] },
      },
    }
  }
}

const firstPlace = (key: number) => key & (places - 1)
const otherPlace = (key: number) => (key >>> 16) & (places - 1)
