/** Messages whose ends can be read in two ways, at every HTTP door: refused, closed, and what hides behind them is never served. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { RawConnection } from './raw-http.ts'
import { careRecord, metadata, nhsNumber, parameters, type RawRequest, rowsOf } from './raw-request.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

let sandbox: Sandbox
let asProxy: ConnectionOptions

before(async () => {
  sandbox = await startSandbox()
  const { trust } = sandbox.spine.platform
  const { certificate, chain, key } = await trust.identity('proxy.spine.localhost')
  asProxy = { ca: sandbox.material.ca, cert: certificate + chain, key }
})
after(() => sandbox?.stop())

interface HttpDoor {
  readonly name: 'proxy' | 'practice' | 'api'
  tls(): ConnectionOptions
  /** A good request with a body, as text; `hidden` is one that must never be answered. */
  post(): RawRequest
  hidden(): RawRequest
}

const patch = (): RawRequest => {
  const trace = randomUUID()
  const body = parameters()
  return {
    trace,
    bytes: Buffer.from(
      `PATCH /personal-demographics/FHIR/R4/Patient/${nhsNumber} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: ${trace}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
  }
}
const read = (): RawRequest => {
  const trace = randomUUID()
  const bytes = `GET /personal-demographics/FHIR/R4/Patient/${nhsNumber} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: ${trace}\r\n\r\n`
  return { trace, bytes: Buffer.from(bytes) }
}

const doors: readonly HttpDoor[] = [
  {
    name: 'proxy',
    tls: () => sandbox.material,
    post: () => careRecord(sandbox),
    hidden: () => metadata(sandbox),
  },
  {
    name: 'practice',
    tls: () => asProxy,
    post: () => careRecord(sandbox, {}, 'practice'),
    hidden: () => metadata(sandbox, {}, 'practice'),
  },
  { name: 'api', tls: () => ({ ca: sandbox.material.ca }), post: patch, hidden: read },
]

/** How a good message with a body is spoilt; what follows it on the wire is a whole request that hides there. */
interface Shape {
  readonly name: string
  spoil(message: string, hidden: string): string
  /** Doors at which RFC 9112 lets a server pass this: then the hidden request is one of its own, and is served. */
  readonly allowed?: readonly HttpDoor['name'][]
  /** 400 unless another is named for the door. */
  readonly status?: Partial<Record<HttpDoor['name'], number>>
}

const length = /Content-Length: (\d+)\r\n/
const add = (line: string) => (message: string) => message.replace('\r\n\r\n', `\r\n${line}\r\n\r\n`)
const inPlaceOfLength = (lines: string) => (message: string) => message.replace(length, lines)
const bodyOf = (message: string) => message.slice(message.indexOf('\r\n\r\n') + 4)
const headOf = (message: string) => message.slice(0, message.indexOf('\r\n\r\n') + 4)
const chunked = (message: string, body: string, line = 'Transfer-Encoding: chunked') =>
  headOf(inPlaceOfLength(`${line}\r\n`)(message)) + body
const hex = (message: string) => bodyOf(message).length.toString(16)

const shapes: readonly Shape[] = [
  {
    name: 'Content-Length and Transfer-Encoding',
    spoil: (message, hidden) => `${add('Transfer-Encoding: chunked')(headOf(message))}0\r\n\r\n${hidden}`,
  },
  {
    name: 'Transfer-Encoding and Content-Length',
    spoil: (message, hidden) =>
      `${headOf(message).replace(length, 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n')}0\r\n\r\n${hidden}`,
  },
  { name: 'two Content-Lengths that differ', spoil: (message, hidden) => add('Content-Length: 0')(message) + hidden },
  {
    name: 'two Content-Lengths that agree',
    spoil: (message, hidden) => message.replace(length, (line) => line + line) + hidden,
  },
  {
    name: 'a list in Content-Length',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: $1, $1\r\n') + hidden,
  },
  {
    name: 'Content-Length with a plus',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: +$1\r\n') + hidden,
  },
  {
    name: 'a negative Content-Length',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: -1\r\n') + hidden,
  },
  {
    name: 'a hexadecimal Content-Length',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: 0x10\r\n') + hidden,
  },
  {
    name: 'an empty Content-Length',
    spoil: (message, hidden) => message.replace(length, 'Content-Length:\r\n') + hidden,
  },
  {
    name: 'Content-Length with an inner space',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: 1 $1\r\n') + hidden,
  },
  {
    name: 'Content-Length beyond 2^64',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: 18446744073709551617\r\n') + hidden,
  },
  {
    name: 'an unknown coding',
    spoil: (message, hidden) => chunked(message, `0\r\n\r\n${hidden}`, 'Transfer-Encoding: xchunked'),
  },
  {
    name: 'chunked, identity',
    spoil: (message, hidden) => chunked(message, `0\r\n\r\n${hidden}`, 'Transfer-Encoding: chunked, identity'),
  },
  {
    name: 'chunked twice',
    spoil: (message, hidden) => chunked(message, `0\r\n\r\n${hidden}`, 'Transfer-Encoding: chunked, chunked'),
  },
  {
    name: 'Transfer-Encoding twice',
    spoil: (message, hidden) =>
      chunked(message, `0\r\n\r\n${hidden}`, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'),
  },
  {
    name: 'a vertical tab before chunked',
    spoil: (message, hidden) => chunked(message, `0\r\n\r\n${hidden}`, 'Transfer-Encoding:\x0bchunked'),
  },
  {
    name: 'a space before the colon of Transfer-Encoding',
    spoil: (message, hidden) => chunked(message, `0\r\n\r\n${hidden}`, 'Transfer-Encoding : chunked'),
  },
  {
    name: 'a space before the colon of Content-Length',
    spoil: (message, hidden) => message.replace('Content-Length:', 'Content-Length :') + hidden,
  },
  { name: 'a space before any colon', spoil: (message, hidden) => add('X-Any : 1')(message) + hidden },
  { name: 'a folded line', spoil: (message, hidden) => add('X-Folded: a\r\n b')(message) + hidden },
  {
    name: 'a folded line with a tab',
    spoil: (message, hidden) => add('X-Folded: a\r\n\tTransfer-Encoding: chunked')(message) + hidden,
  },
  {
    name: 'a folded first line',
    spoil: (message, hidden) => message.replace('\r\n', '\r\n Transfer-Encoding: chunked\r\n') + hidden,
  },
  { name: 'a bare LF after the request line', spoil: (message, hidden) => message.replace('\r\n', '\n') + hidden },
  {
    name: 'a bare LF after a header',
    spoil: (message, hidden) => message.replace(length, 'Content-Length: $1\n') + hidden,
  },
  { name: 'bare LFs at the end of the head', spoil: (message, hidden) => message.replace('\r\n\r\n', '\n\n') + hidden },
  {
    name: 'a bare CR within a value',
    spoil: (message, hidden) => add('X-Cr: a\rTransfer-Encoding: chunked')(message) + hidden,
  },
  { name: 'a NUL within a value', spoil: (message, hidden) => add('X-Nul: a\0b')(message) + hidden },
  { name: 'a NUL within a name', spoil: (message, hidden) => add('X-N\0ul: b')(message) + hidden },
  { name: 'a NUL in the target', spoil: (message, hidden) => message.replace(' HTTP/1.1', '\0 HTTP/1.1') + hidden },
  { name: 'a header without a name', spoil: (message, hidden) => add(': x')(message) + hidden },
  { name: 'a header without a colon', spoil: (message, hidden) => add('X-No-Colon')(message) + hidden },
  { name: 'two Hosts', spoil: (message, hidden) => add('Host: evil.example')(message) + hidden },
  {
    name: 'two Hosts that agree',
    spoil: (message, hidden) => message.replace(/Host: .*\r\n/, (line) => line + line) + hidden,
  },
  { name: 'no Host', spoil: (message, hidden) => message.replace(/Host: .*\r\n/, '') + hidden },
  {
    name: 'two spaces in the request line',
    // §3 lets a parser take any run of white space there.
    allowed: ['practice', 'api'],
    spoil: (message, hidden) => message.replace(' HTTP/1.1', '  HTTP/1.1') + hidden,
  },
  {
    name: 'a tab in the request line',
    spoil: (message, hidden) => message.replace(' HTTP/1.1', '\tHTTP/1.1') + hidden,
  },
  { name: 'a space in the target', spoil: (message, hidden) => message.replace(' HTTP/1.1', ' x HTTP/1.1') + hidden },
  { name: 'HTTP/1.2', spoil: (message, hidden) => message.replace('HTTP/1.1', 'HTTP/1.2') + hidden },
  {
    name: 'HTTP/2.0',
    status: { api: 505 },
    spoil: (message, hidden) => message.replace('HTTP/1.1', 'HTTP/2.0') + hidden,
  },
  { name: 'HTTP/0.9', spoil: (message, hidden) => message.replace(/ HTTP\/1\.1\r\n[\s\S]*$/, '\r\n') + hidden },
  {
    name: 'a chunk extension',
    allowed: ['practice', 'api'],
    spoil: (message, hidden) => chunked(message, `${hex(message)};a=b\r\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a chunk extension that ends in a bare LF',
    spoil: (message, hidden) => chunked(message, `${hex(message)};a\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a chunk size with a sign',
    spoil: (message, hidden) => chunked(message, `+${hex(message)}\r\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a chunk size with 0x',
    spoil: (message, hidden) => chunked(message, `0x${hex(message)}\r\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a chunk size with a space before it',
    spoil: (message, hidden) => chunked(message, ` ${hex(message)}\r\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a chunk size that overflows',
    spoil: (message, hidden) => chunked(message, `1${'0'.repeat(16)}\r\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a chunk size line with a bare LF',
    spoil: (message, hidden) => chunked(message, `${hex(message)}\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'chunk data longer than its size',
    spoil: (message, hidden) => chunked(message, `1\r\n${bodyOf(message)}\r\n0\r\n\r\n${hidden}`),
  },
  {
    name: 'a last chunk with a bare LF',
    spoil: (message, hidden) => chunked(message, `${hex(message)}\r\n${bodyOf(message)}\r\n0\n\n${hidden}`),
  },
]

/** Every answer that comes until the server closes, or until as many came as could be wanted. */
async function answersTo(door: HttpDoor, bytes: string): Promise<{ statuses: number[]; closed: boolean }> {
  const connection = await RawConnection.open(String(sandbox.spine.urls[door.name]), door.tls())
  const statuses: number[] = []
  try {
    connection.send(bytes)
    for (let answer = await connection.answer(); answer; answer = await connection.answer()) {
      statuses.push(answer.status)
      if (statuses.length === 2) return { statuses, closed: false }
    }
    assert.equal(connection.left, '')
    return { statuses, closed: true }
  } finally {
    connection.destroy()
  }
}

for (const door of doors)
  describe(`at the ${door.name}`, () => {
    it('a good message and the one behind it are both answered, so that the table below proves something', async () => {
      const { statuses } = await answersTo(
        door,
        door.post().bytes.toString('latin1') + door.hidden().bytes.toString('latin1'),
      )
      assert.deepEqual(statuses, door.name === 'api' ? [412, 200] : [200, 200])
    })

    it('the same in chunks', async () => {
      const message = door.post().bytes.toString('latin1')
      const body = `${hex(message)}\r\n${bodyOf(message)}\r\n0\r\n\r\n${door.hidden().bytes.toString('latin1')}`
      const { statuses } = await answersTo(door, chunked(message, body))
      assert.deepEqual(statuses, door.name === 'api' ? [412, 200] : [200, 200])
    })

    for (const { name, spoil, allowed = [], status = {} } of shapes)
      it(name, async () => {
        const hidden = door.hidden()
        const bytes = spoil(door.post().bytes.toString('latin1'), hidden.bytes.toString('latin1'))
        const { statuses, closed } = await answersTo(door, bytes)
        const served = await rowsOf(sandbox, hidden.trace)
        if (allowed.includes(door.name)) {
          assert.equal(statuses.length, 2)
          assert.ok(served.length > 0)
          return
        }
        assert.deepEqual(statuses, [status[door.name] ?? 400])
        assert.ok(closed, 'the connection stays open')
        // Two Hosts leave no doubt about where the message ends: what follows is a request of its own.
        if (!name.startsWith('two Hosts')) assert.deepEqual(served, [], 'the hidden request was served')
      })
  })

it('plain HTTP on a TLS port is told so in the dialect of the door', async () => {
  for (const [door, status, type] of [
    ['proxy', 497, 'application/fhir+json'],
    ['practice', 497, 'application/json+fhir'],
    ['api', 400, 'application/problem+json'],
    ['spine', 400, 'application/problem+json'],
  ] as const) {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(String(sandbox.spine.urls[door])).port) })
    socket.setEncoding('latin1')
    socket.write('GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let answer = ''
    for await (const text of socket) answer += String(text)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), door)
    assert.ok(answer.toLowerCase().includes(`content-type: ${type}`), answer)
    assert.doesNotMatch(answer, /secret/)
  }
})

it('a head that never ends is cut at its limit at every door, with 431', async () => {
  for (const door of doors) {
    const { bytes } = door.hidden()
    const endless = bytes.toString('latin1').replace('\r\n\r\n', `\r\nX-Long: ${'a'.repeat(70_000)}\r\n`)
    assert.deepEqual(await answersTo(door, endless), { statuses: [431], closed: true }, door.name)
    const many = bytes.toString('latin1').replace('\r\n\r\n', `\r\n${'X: y\r\n'.repeat(300)}\r\n`)
    const { statuses } = await answersTo(door, many)
    assert.deepEqual(statuses, [431], door.name)
  }
})

it('what was asked whole before an unsound message is answered first', async () => {
  for (const door of doors) {
    const { statuses, closed } = await answersTo(door, `${door.hidden().bytes.toString('latin1')}GARBAGE\r\n\r\n`)
    assert.deepEqual({ statuses, closed }, { statuses: [200, 400], closed: false }, door.name)
  }
})

it('every refused message of the proxy is on record', async () => {
  const rows = await sandbox.spine.platform.audit.find({ event: 'proxy.request', limit: 1000 })
  const framing = rows.filter(({ facts }) => facts['check'] === 'framing')
  assert.ok(framing.length >= shapes.length, `${framing.length} rows for ${shapes.length} shapes`)
  assert.ok(framing.every(({ facts }) => facts['status'] === 400 || facts['status'] === 431))
})

it('every door still serves', async () => {
  for (const door of doors) {
    const connection = await RawConnection.open(String(sandbox.spine.urls[door.name]), door.tls())
    connection.send(door.hidden().bytes)
    assert.equal((await connection.answer())?.status, 200, door.name)
    connection.destroy()
  }
})
