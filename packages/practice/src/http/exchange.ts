/** Reading the parts of a request, and writing an answer, on node's HTTP server without a framework between. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { writeJson } from '@openspine/standards/fhir'
import type { OutcomeName } from '../outcome.ts'
import { outcomeOf } from '../outcome-resource.ts'

/** Names in lower case; several values of one name joined by `, `, so that a repeated header is never taken for one. */
export function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (values !== undefined) headers.set(name, values.join(', '))
  }
  return headers
}

/**
 * The body, or undefined as soon as it is longer than `longest`; what still comes is passed over, so that the
 * answer can leave. Rejects when the client goes away.
 */
export function readBytes(request: IncomingMessage, longest: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > longest) return Promise.resolve(undefined)
  // Gone while the head was looked at: nothing would ever be heard of it again.
  if (request.destroyed) return Promise.reject(new Error('the client went away'))
  return new Promise((resolve, reject) => {
    const portions: Buffer[] = []
    let length = 0
    request.on('data', (portion: Buffer) => {
      length += portion.length
      if (length <= longest) portions.push(portion)
      else {
        portions.length = 0
        resolve(undefined)
      }
    })
    request.on('end', () => resolve(Buffer.concat(portions)))
    request.on('error', reject)
    request.on('close', () => reject(new Error('the client went away')))
  })
}

/** Whether the client takes gzip: named, or by a wildcard, with a quality above nought (RFC 9110 §12.5.3). */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  let any: boolean | undefined
  for (const part of (acceptEncoding ?? '').split(',')) {
    const [name = '', ...parameters] = part.split(';').map((it) => it.trim().toLowerCase())
    const quality = parameters.find((it) => it.startsWith('q='))?.slice(2)
    const wanted = quality === undefined || Number(quality) > 0
    if (name === 'gzip' || name === 'x-gzip') return wanted
    if (name === '*') any = wanted
  }
  return any ?? false
}

const compress = promisify(gzip)
const portionBytes = 16_384

/** Phrases of the two statuses that HTTP does not know. */
const reasons: Readonly<Record<number, string>> = { 495: 'SSL Certificate Error', 496: 'SSL Certificate Required' }

/** The bytes that go out, and their encoding. */
export async function encoded(
  body: string | Uint8Array,
  acceptEncoding: string | undefined,
): Promise<{ readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> }> {
  const plain = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.length)
  if (!takesGzip(acceptEncoding)) return { bytes: plain, headers: {} }
  return { bytes: await compress(plain), headers: { 'content-encoding': 'gzip' } }
}

/** Writes without a Content-Length, so that HTTP/1.1 sends it in chunks (§4.1); resolves when the last byte has left, or the client. */
export async function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  bytes: Buffer,
): Promise<void> {
  // A response behind another on the same connection has no socket of its own yet: ask the request's.
  const gone = (): boolean => response.destroyed || response.closed || response.req.socket.destroyed
  if (gone()) return
  const reason = reasons[status]
  if (reason === undefined) response.writeHead(status, { ...headers })
  else response.writeHead(status, reason, { ...headers })
  for (let i = 0; i < bytes.length && !gone(); i += portionBytes) {
    if (!response.write(bytes.subarray(i, i + portionBytes))) {
      await new Promise<void>((resolve) => {
        response.once('drain', resolve)
        response.once('close', resolve)
      })
    }
  }
  if (gone()) return
  await new Promise<void>((resolve) => {
    response.once('close', resolve)
    response.end(() => resolve())
  })
}

/** A whole response for a message that could not be read; the connection ends with it. */
export function bareOutcome(status: number, name: OutcomeName, diagnostics: string, reason: string): string {
  const body = writeJson(outcomeOf(name, diagnostics, 'dstu2'))
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    'Content-Type: application/json+fhir;charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    '',
    body,
  ].join('\r\n')
}
