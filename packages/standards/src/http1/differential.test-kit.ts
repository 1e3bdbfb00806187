/**
 * The framer beside the parser of node:http (llhttp, nothing lenient), over generated messages, most of them wrong in
 * some way: `node packages/standards/src/http1/differential.test-kit.ts [messages] [seed]`. A relay must never take for one message
 * what its neighbour takes for another, or for none; so what the framer accepts, the parser must accept with the same
 * parts and the same end. The other way round the framer may be stricter, for reasons that are listed here.
 */
import { METHODS } from 'node:http'
import { fileURLToPath } from 'node:url'
import { BodyReader, fieldNames, HeadReader } from './http1.ts'

/** What the parser of node:http accepts and the framer does not, and why that is wanted. */
export const wanted: Readonly<Record<string, string>> = {
  HTTP1_CHUNK_SIZE: 'chunk extensions and sizes beyond twelve digits: parsers are known to differ over them',
  HTTP1_TRAILER: 'trailers: fields that no check has seen',
  HTTP1_TRANSFER_ENCODING: 'codings beside chunked, a tab beside the value, or the field twice',
  HTTP1_CONTENT_LENGTH: 'more than 15 digits, a tab beside the value, or the field twice',
  HTTP1_LENGTH_AND_ENCODING: 'two statements of where the body ends',
  HTTP1_HOST: 'no Host, or two (RFC 9112 §3.2); node:http leaves that to its server',
  HTTP1_DUPLICATE: 'a field that is checked, twice: the provider could read the other one',
  HTTP1_CONNECTION: 'Connection names a field that is checked or frames the message, or is no list of names',
  HTTP1_VERSION: 'HTTP/1.0, HTTP/2.0 and lower-case http',
  HTTP1_TARGET: 'a target that is neither a path nor *, or holds bytes beyond ASCII',
  HTTP1_METHOD: 'a leading empty line',
  HTTP1_REASON: 'a control character in the reason phrase',
  HTTP1_STATUS: 'a status outside of 100 to 599',
  HTTP1_TOO_MANY_FIELDS: 'more than 100 fields',
  HTTP1_HEAD_TOO_LARGE: 'a head of more than 16,384 bytes',
}

export interface Comparison {
  readonly messages: number
  readonly requests: number
  /** Accepted by both, with the same parts and the same end. */
  readonly agreed: number
  /** Not accepted by either, or not complete. */
  readonly neither: number
  /** Accepted by the framer, whose user refuses the verb; the parser knows a list of verbs. */
  readonly strangeVerb: number
  /** Accepted by both, but the parser expects another protocol afterwards (Upgrade, CONNECT); the relay passes neither on. */
  readonly otherProtocol: number
  /** Accepted by the parser alone, by the framer's fault. */
  readonly stricter: Readonly<Record<string, number>>
  /** What must not be. */
  readonly wrong: readonly string[]
}

interface Message {
  readonly start: string
  readonly fields: readonly string[]
  readonly payload: string
}

interface Reading {
  /** The first message asks for another protocol. */
  readonly upgrade: boolean
  readonly messages: readonly Message[]
  readonly error: string | undefined
}

interface NodeParser {
  [callback: number]: unknown
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
  execute(bytes: Buffer): number | Error
  finish(): number | Error | undefined
}

const { HTTPParser } = process.getBuiltinModule('_http_common') as unknown as {
  HTTPParser: (new () => NodeParser) &
    Readonly<
      Record<'REQUEST' | 'RESPONSE' | 'kOnHeaders' | 'kOnHeadersComplete' | 'kOnBody' | 'kOnMessageComplete', number>
    >
}

/** Everything that node:http's parser makes of these bytes. */
function nodeReads(kind: 'request' | 'response', bytes: Buffer, ends: boolean): Reading {
  const messages: Message[] = []
  let start = ''
  let fields: string[] = []
  let payload = ''
  let upgrade = false
  const parser = new HTTPParser()
  parser[HTTPParser.kOnHeaders] = (more: string[], url: string) => {
    fields.push(...more)
    if (url) start = url
  }
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    given: string[] | undefined,
    method: number | undefined,
    url: string | undefined,
    status: number | undefined,
    reason: string | undefined,
    asksUpgrade: boolean,
  ) => {
    if (messages.length === 0) upgrade = asksUpgrade
    if (given !== undefined) fields.push(...given)
    start = kind === 'request' ? `${verbs.get(method ?? -1)} ${url ?? start}` : `${status} ${reason}`
    return 0
  }
  parser[HTTPParser.kOnBody] = (chunk: Buffer) => {
    payload += chunk.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages.push({ start, fields, payload })
    start = ''
    fields = []
    payload = ''
  }
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 16_384, 0)
  let result: unknown = parser.execute(bytes)
  if (ends && !(result instanceof Error)) result = parser.finish()
  const error = result instanceof Error ? ((result as Error & { code?: string }).code ?? result.message) : undefined
  return { messages, error, upgrade }
}

/** The parser tells methods by number. */
const verbs = new Map<number, string>()
for (const method of METHODS) {
  const parser = new HTTPParser()
  parser[HTTPParser.kOnHeadersComplete] = (_major: number, _minor: number, _fields: unknown, number: number) => {
    verbs.set(number, method)
    return 0
  }
  parser.initialize(HTTPParser.REQUEST, {}, 16_384, 0)
  parser.execute(Buffer.from(`${method} ${method === 'CONNECT' ? 'a:1' : '/'} HTTP/1.1\r\nHost: a\r\n\r\n`))
}

const names = fieldNames({ single: ['authorization', 'ssp-from'] })
const sentinel = {
  request: Buffer.from('GET /after HTTP/1.1\r\nHost: a\r\n\r\n'),
  response: Buffer.from('HTTP/1.1 299 After\r\nContent-Length: 0\r\n\r\n'),
}
const afterwards = { request: 'GET /after', response: '299 After' }

/** Compares so many generated messages; the same seed gives the same ones. */
export function compare(count: number, seed: number, onProgress?: (done: number) => void): Comparison {
  const random = randomFrom(seed)
  const head = { request: new HeadReader('request', names), response: new HeadReader('response', names) }
  const body = new BodyReader()
  const stricter: Record<string, number> = {}
  const wrong: string[] = []
  const complain = (what: string, bytes: Buffer) => {
    if (wrong.length < 20) wrong.push(`${what}: ${JSON.stringify(bytes.toString('latin1'))}`)
  }
  let requests = 0
  let agreed = 0
  let neither = 0
  let strangeVerb = 0
  let otherProtocol = 0
  for (let done = 0; done < count; done++) {
    if (done % 50_000 === 0) onProgress?.(done)
    const kind = random(4) === 0 ? 'response' : 'request'
    if (kind === 'request') requests++
    const bytes = message(kind, random)
    const reader = head[kind]
    reader.begin()
    let fault: string | undefined
    let end = -1
    let closes = false
    // In one piece or in two: it must not matter where the bytes were cut.
    const cut = random(2) === 0 ? 0 : random(bytes.length + 1)
    let read = false
    for (const piece of cut === 0 ? [bytes] : [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      let rest = piece
      if (!read) {
        if (!reader.read(piece)) continue
        fault = reader.fault?.code
        if (fault !== undefined) break
        read = true
        rest = reader.rest
        const framing = kind === 'request' ? reader.body : reader.responseBody('GET')
        body.begin(framing, reader.contentLength)
        closes = framing === 'close'
      }
      body.read(rest, 0)
      fault = body.fault?.code
      if (fault !== undefined) break
    }
    if (closes) body.close()
    if (read && fault === undefined && body.done) end = reader.length + body.bytes
    if (end < 0) {
      const theirs = nodeReads(kind, bytes, false)
      if (theirs.messages.length === 0) neither++
      // Its target is a path here, and the proxy relays no such verb: nobody waits for that body.
      else if (theirs.messages[0]?.start.startsWith('CONNECT ')) otherProtocol++
      else if (fault === undefined) complain('the parser sees the end of a message that goes on for the framer', bytes)
      else if (wanted[fault] === undefined) complain(`${fault}, but the parser accepts it`, bytes)
      else stricter[fault] = (stricter[fault] ?? 0) + 1
      continue
    }
    if (kind === 'request' && !METHODS.includes(reader.method)) {
      strangeVerb++
      continue
    }
    // 101 gives the connection to another protocol: the relay never passes it on.
    if (kind === 'response' && reader.status === 101) continue
    const whole = bytes.subarray(0, end)
    const last = closes || reader.close
    const theirs = nodeReads(kind, last ? whole : Buffer.concat([whole, sentinel[kind]]), closes)
    const [first, second] = theirs.messages
    const expected = {
      start: kind === 'request' ? `${reader.method} ${reader.target}` : `${reader.status} ${reader.reason}`,
      fields: reader.fields().flat(),
      payload: body.kind === 'chunked' ? unchunked(whole, reader.length) : bytes.toString('latin1', reader.length, end),
    }
    if (theirs.upgrade) {
      if (first === undefined || first.start === expected.start) otherProtocol++
      else complain('another protocol, and read in another way', bytes)
    } else if (theirs.error !== undefined || first === undefined)
      complain(`accepted, but the parser says ${theirs.error}`, bytes)
    else if (!same(first, expected))
      complain(`read as ${JSON.stringify(first)}, not ${JSON.stringify(expected)}`, bytes)
    else if (last ? second !== undefined : second?.start !== afterwards[kind] || theirs.messages.length !== 2)
      complain('the parser sees another end', bytes)
    else agreed++
  }
  return { messages: count, requests, agreed, neither, strangeVerb, otherProtocol, stricter, wrong }
}

function same(a: Message, b: Message): boolean {
  return (
    a.start === b.start &&
    a.payload === b.payload &&
    a.fields.length === b.fields.length &&
    a.fields.every((field, index) => field === b.fields[index])
  )
}

/** A chunked body that has been walked over, without its framing. */
function unchunked(bytes: Buffer, from: number): string {
  let payload = ''
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (size === 0) return payload
    payload += bytes.toString('latin1', line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

type Random = (below: number) => number

/** xorshift32: the same numbers for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const pick = <Value>(random: Random, values: readonly Value[]): Value => values[random(values.length)] as Value

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'get', 'BREW', 'CONNECT', 'M-SEARCH', '']
const targets = [
  '/',
  '/a',
  '/https://gp.example/A/1?x=%20',
  '*',
  'http://a/',
  '/é',
  '/a b',
  '',
  '/{}|^`',
  '/a#b',
  'a:1',
]
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'http/1.1',
  'HTTP/1.1 ',
  'HTTP/0.9',
]
const statuses = ['200', '201', '204', '304', '404', '500', '100', '103', '101', '099', '600', '20', '2000']
const reasons = [' OK', ' ', '', ' Not\tFound', ' Grün', ' a\x01b']
const fieldLines = [
  'Accept: application/fhir+json',
  'Authorization: Bearer a.b.',
  'Authorization: Bearer c.d.',
  'Ssp-From: 200000000001',
  'ssp-from:200000000002',
  'X-A:\tb\t',
  'X-Empty:',
  'X-Latin: \xe9\xff',
  'X-Colon: a:b:c',
  ' folded',
  '\tfolded',
  'X A: b',
  'X-A : b',
  ': b',
  'X-Nul: a\0b',
  'X-Cr: a\rb',
  'X-Del: a\x7fb',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: keep-alive, X-A',
  'Connection: Ssp-From',
  'Connection: Transfer-Encoding',
  'Connection: a b',
  'Connection: upgrade',
  'Upgrade: h2c',
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'Trailer: X-A',
  'Expect: 100-continue',
  'Proxy-Connection: keep-alive',
  'Content-Type: text/plain',
]
const hosts = ['Host: a', 'Host: a', 'Host: a', 'Host: a', 'host:a', 'Host:', '', 'Host: a\r\nHost: b']
const lengths = [
  (n: number) => `Content-Length: ${n}`,
  (n: number) => `Content-Length: ${n}`,
  (n: number) => `content-length:${n}`,
  (n: number) => `Content-Length: ${n + 1}`,
  (n: number) => `Content-Length: 00${n}`,
  (n: number) => `Content-Length: +${n}`,
  (n: number) => `Content-Length: 0x${n.toString(16)}`,
  (n: number) => `Content-Length:\t${n}`,
  (n: number) => `Content-Length: ${n} `,
  (n: number) => `Content-Length: ${n}, ${n}`,
  (n: number) => `Content-Length: ${n}\r\nContent-Length: ${n}`,
  (n: number) => `Content-Length: ${'0'.repeat(16)}${n}`,
  () => 'Content-Length: 99999999999999999999',
  () => 'Content-Length: -1',
  () => 'Content-Length:',
]
const codings = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked',
  'transfer-encoding:CHUNKED',
  'Transfer-Encoding: chunked ',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
]
const data = ['', 'x', 'hello', '0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: b\r\n\r\n', '\r\n', '\0\xff', 'y'.repeat(40)]
const sizes = [
  (n: string) => n,
  (n: string) => n,
  (n: string) => n,
  (n: string) => n.toUpperCase(),
  (n: string) => `00${n}`,
  (n: string) => `${n};a=b`,
  (n: string) => `${n} `,
  (n: string) => ` ${n}`,
  (n: string) => `0x${n}`,
  (n: string) => `${'0'.repeat(12)}${n}`,
  (n: string) => `+${n}`,
  (n: string) => `${n};`,
]
const breaks = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ']
const lastChunks = [
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\n\r\n',
  '000\r\n\r\n',
  '0;a\r\n\r\n',
  '0\r\nX-T: a\r\n\r\n',
  '0\n\n',
  '0\r\n',
  '',
]
const disturbing = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  'Content-Length: 3\r\n',
  'Host: b\r\n',
  '\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
]

/** A message from pieces of which some are wrong, with up to two disturbances on top. */
function message(kind: 'request' | 'response', random: Random): Buffer {
  // Half are sound in their lines, so that what follows them is reached.
  const sound = random(2) === 0
  const feed = () => (sound || random(30) > 0 ? '\r\n' : pick(random, breaks))
  let text: string
  if (kind === 'request') {
    const method = sound || random(6) > 0 ? (methods[random(7)] as string) : pick(random, methods)
    const target = sound || random(6) > 0 ? (targets[random(4)] as string) : pick(random, targets)
    text = `${method} ${target} ${sound ? 'HTTP/1.1' : pick(random, versions)}${feed()}`
  } else {
    const status = sound ? (statuses[random(8)] as string) : pick(random, statuses)
    text = `${sound ? 'HTTP/1.1' : pick(random, versions)} ${status}${pick(random, sound ? reasons.slice(0, 5) : reasons)}${feed()}`
  }
  const host = kind === 'request' ? (sound ? 'Host: a' : pick(random, hosts)) : ''
  const before = random(4)
  for (let i = 0; i < before; i++) text += `${fieldLine(random, sound)}${feed()}`
  if (host !== '') text += `${host}${feed()}`
  const framing = random(3)
  let body = ''
  if (framing === 1) {
    body = pick(random, data)
    const length = sound && random(3) > 0 ? (lengths[0] as (n: number) => string) : pick(random, lengths)
    text += `${length(body.length)}${feed()}`
  } else if (framing === 2) {
    text += `${sound && random(3) > 0 ? codings[0] : pick(random, codings)}${feed()}`
    for (let i = random(3); i > 0; i--) {
      const chunk = pick(random, data)
      if (chunk === '') continue
      const size = sound && random(4) > 0 ? (sizes[0] as (n: string) => string) : pick(random, sizes)
      body += `${size(chunk.length.toString(16))}${feed()}${chunk}${feed()}`
    }
    body += sound && random(3) > 0 ? lastChunks[0] : pick(random, lastChunks)
  }
  for (let i = random(3); i > 0; i--) text += `${fieldLine(random, sound)}${feed()}`
  text += `${feed()}${body}`
  for (let i = random(6) - 3; i > 0; i--) {
    const at = random(text.length + 1)
    const how = random(4)
    if (how === 0) text = text.slice(0, at) + text.slice(at + 1)
    else if (how === 1) text = text.slice(0, at) + pick(random, disturbing) + text.slice(at)
    else if (how === 2) text = text.slice(0, at) + pick(random, disturbing) + text.slice(at + 1)
    else text = text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1)
  }
  return Buffer.from(text, 'latin1')
}

function fieldLine(random: Random, sound: boolean): string {
  return sound && random(4) > 0 ? (fieldLines[random(9)] as string) : pick(random, fieldLines)
}

/** As a few lines for people. */
export function told(result: Comparison): string {
  const lines = [
    `${result.messages} messages (${result.requests} requests): ${result.agreed} accepted by both with the same parts and end, ${result.neither} by neither, ${result.strangeVerb} with a verb that node:http does not know, ${result.otherProtocol} that ask for another protocol`,
    ...Object.entries(result.stricter)
      .sort(([, a], [, b]) => b - a)
      .map(([code, count]) => `  ${count} accepted by node:http alone, ${code}: ${wanted[code]}`),
    `  ${result.wrong.length === 0 ? 'none' : 'SOME'} accepted that node:http refuses or reads in another way`,
    ...result.wrong.map((one) => `  ${one}`),
  ]
  return `${lines.join('\n')}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count = '1000000', seed = '1'] = process.argv.slice(2)
  const result = compare(Number(count), Number(seed))
  process.stdout.write(told(result))
  if (result.wrong.length > 0) process.exitCode = 1
}
