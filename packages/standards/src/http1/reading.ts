import type { BodyKind } from './body.ts'
import { BodyReader } from './body.ts'
import type { FieldNames } from './fields.ts'
import { HeadReader } from './head.ts'

/** One request as read from a whole stream of bytes. */
export interface ReadRequest {
  readonly fault: string | undefined
  readonly method: string
  readonly target: string
  readonly fields: readonly [string, string][]
  readonly body: string
  /** Bytes of head and body together. */
  readonly length: number
  /** False when the stream ended first. */
  readonly complete: boolean
}

/**
 * Every request in a stream of bytes, up to the first fault or the end: how a relay drives the two
 * readers, in a form that a test or a diagnostic tool can look at. Bodies are given as walked, in Latin-1.
 */
export function readRequests(pieces: readonly Buffer[], names: FieldNames): ReadRequest[] {
  const found: ReadRequest[] = []
  const head = new HeadReader('request', names)
  const reader = new BodyReader()
  let inBody = false
  let body: Buffer[] = []
  const take = (fault: string | undefined, complete: boolean) => {
    const sound = inBody
    found.push({
      fault,
      method: sound ? head.method : '',
      target: sound ? head.target : '',
      fields: sound ? head.fields() : [],
      body: Buffer.concat(body).toString('latin1'),
      length: sound ? head.length + reader.bytes : 0,
      complete,
    })
    inBody = false
    body = []
    head.begin()
  }
  for (const piece of pieces) {
    let rest: Buffer = piece
    while (rest.length > 0 || (inBody && reader.done)) {
      if (!inBody) {
        if (!head.read(rest)) break
        if (head.fault !== undefined) {
          take(head.fault.code, false)
          return found
        }
        rest = head.rest
        reader.begin(head.body, head.contentLength)
        inBody = true
      }
      const end = reader.read(rest, 0)
      body.push(rest.subarray(0, end))
      if (reader.fault !== undefined) {
        take(reader.fault.code, false)
        return found
      }
      rest = rest.subarray(end)
      if (reader.done) take(undefined, true)
    }
  }
  if (inBody || head.received > 0) take(undefined, false)
  return found
}

/** One response to `method`, read from the pieces; `over` is what came after its end. */
export function readResponse(
  pieces: readonly Buffer[],
  names: FieldNames,
  method: string,
): { fault: string | undefined; kind: BodyKind; body: string; done: boolean; over: string } {
  const head = new HeadReader('response', names)
  const reader = new BodyReader()
  const body: Buffer[] = []
  let kind: BodyKind | undefined
  let over = ''
  for (const piece of pieces) {
    let rest = piece
    if (kind === undefined) {
      if (!head.read(rest)) continue
      if (head.fault !== undefined) return { fault: head.fault.code, kind: 'none', body: '', done: false, over }
      kind = head.responseBody(method)
      reader.begin(kind, head.contentLength)
      rest = head.rest
    }
    const end = reader.read(rest, 0)
    body.push(rest.subarray(0, end))
    over += rest.subarray(end).toString('latin1')
    if (reader.fault !== undefined) break
  }
  return {
    fault: reader.fault?.code,
    kind: kind ?? 'none',
    body: Buffer.concat(body).toString('latin1'),
    done: kind !== undefined && reader.done,
    over,
  }
}
