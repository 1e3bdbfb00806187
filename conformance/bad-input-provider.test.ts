/** Providers that are down, false, slow, unsound or dying: what the consumer is told, and what is on record. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { within } from '@openspine/platform/testing'
import { openTrust } from '@openspine/platform/trust'
import { ask, RawConnection } from './raw-http.ts'
import {
  type FakeProvider,
  fakeProvider,
  listening,
  type RegisteredProvider,
  register,
  through,
} from './raw-provider.ts'
import { careRecord, onlyRow, outcomeOf } from './raw-request.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

const fqdn = 'gp.fake.example'
const day = 86_400_000

let sandbox: Sandbox
const closing: { close(): unknown }[] = []
let fake: FakeProvider
let provider: RegisteredProvider

const length = (body: string) => `Content-Length: ${body.length}\r\n`
const ok = (body: string, more = '') => `HTTP/1.1 200 OK\r\n${length(body)}${more}\r\n${body}`

/** Goes on with an answer that has begun well. */
let spoil = () => {}

/** What the provider does, by the last part of the path. */
const behaviours: Readonly<Record<string, (write: (text: string) => void, end: () => void, cut: () => void) => void>> =
  {
    '/good': (write) => write(ok('good')),
    '/mute': () => {},
    '/closes': (_write, end) => end(),
    '/resets': (_write, _end, cut) => cut(),
    '/half-head': (write) => write('HTTP/1.1 200 OK\r\nContent-Le'),
    '/half-head-closes': (write, end) => {
      write('HTTP/1.1 200 OK\r\nContent-Le')
      end()
    },
    '/garbage': (write) => write('hello, this is no HTTP\r\n\r\n'),
    '/http-1.0': (write) => write('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'),
    '/bare-lf': (write) => write('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
    '/two-lengths': (write) => write(`HTTP/1.1 200 OK\r\n${length('x')}Content-Length: 2\r\n\r\nx`),
    '/length-and-chunked': (write) => write(`HTTP/1.1 200 OK\r\n${length('x')}Transfer-Encoding: chunked\r\n\r\nx`),
    '/folded': (write) => write('HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'),
    '/nul': (write) => write('HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n'),
    '/switches': (write) => write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
    '/interim-for-ever': (write) => write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(200)),
    '/huge-head': (write) => write(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}\r\n\r\n`),
    '/dies-in-counted': (write, _end, cut) => {
      write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
      cut()
    },
    '/ends-in-counted': (write, end) => {
      write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
      end()
    },
    '/ends-in-chunk': (write, end) => {
      write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf')
      end()
    },
    '/ends-between-chunks': (write, end) => {
      write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
      end()
    },
    '/bad-chunk': (write) => write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n'),
    '/bad-chunk-later': (write) => {
      write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
      spoil = () => write('zz\r\n')
    },
    '/stalls': (write) => write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
    '/too-much': (write) => write(`${ok('mine')}${ok('smuggled')}`),
  }

const answers = (port: number) => `https://${fqdn}:${port}/Z/DSTU2/1`

before(async () => {
  sandbox = await startSandbox({
    'proxy.hosts': [`${fqdn}=127.0.0.1`, 'other.fake.example=127.0.0.1'],
    'proxy.connectSeconds': 0.4,
    'proxy.answerSeconds': 0.4,
    'proxy.idleSeconds': 0.4,
  })
  fake = await fakeProvider(sandbox, fqdn, (socket, path) =>
    behaviours[path]?.(
      (text) => socket.write(text, 'latin1'),
      () => socket.end(),
      () => socket.destroy(),
    ),
  )
  closing.push(fake)
  provider = await register(sandbox, answers(fake.port))
})
after(async () => {
  for (const one of closing) one.close()
  await sandbox?.stop()
})

const proxyUrl = () => String(sandbox.spine.urls['proxy'])

/** The proxy says so itself, names the target, and has it on record once. */
async function told(at: RegisteredProvider, path: string, status: 502 | 504): Promise<void> {
  const { trace, bytes, target } = through(at, path)
  const answer = await ask(proxyUrl(), sandbox.material, bytes)
  const { issue, code, display, diagnostics } = outcomeOf(answer)
  const text = `ERROR_COMMUNICATING_TO_ENDPOINT_URL_${target}`
  assert.deepEqual(
    [answer.status, issue, code, display, diagnostics],
    [status, 'transient', String(status), text, text],
  )
  const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
  assert.deepEqual([facts['ending'], facts['status']], ['failed', status])
  assert.ok(String(facts['explanation']).length > 20)
}

describe('a provider that cannot be reached, or is not who it should be', () => {
  it('is down', async () => {
    const server = createServer()
    const port = await listening(server)
    server.close()
    await told(await register(sandbox, answers(port)), '/good', 502)
  })

  it('takes the connection and says nothing', async () => {
    const server = createServer(() => {})
    closing.push(server)
    await told(await register(sandbox, answers(await listening(server))), '/good', 504)
  })

  it('speaks plain HTTP', async () => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end(ok('plain'))
    })
    closing.push(server)
    await told(await register(sandbox, answers(await listening(server))), '/good', 502)
  })

  it('hangs up in the handshake', async () => {
    const server = createServer((socket) => socket.destroy())
    closing.push(server)
    await told(await register(sandbox, answers(await listening(server))), '/good', 502)
  })

  const certificates: readonly [
    name: string,
    issue: () => Promise<{ certificate: string; chain: string; key?: string }>,
  ][] = [
    ['another name', () => sandbox.spine.platform.trust.issue({ fqdn: 'other.fake.example' })],
    ['a wildcard of another name', () => sandbox.spine.platform.trust.issue({ fqdn: 'fake.example' })],
    [
      'an end that is past',
      () => sandbox.spine.platform.trust.issue({ fqdn, notBefore: Date.now() - 9 * day, days: 3 }),
    ],
    [
      'a revocation',
      async () => {
        const issued = await sandbox.spine.platform.trust.issue({ fqdn })
        await sandbox.spine.platform.trust.revoke(issued.serial)
        return issued
      },
    ],
    [
      'another authority',
      async () => {
        const { clock, log, dataDir } = sandbox.spine.platform
        const elsewhere = await openTrust({
          directory: join(dataDir, 'elsewhere'),
          environment: 'elsewhere',
          clock,
          log,
        })
        const issued = await elsewhere.issue({ fqdn })
        await elsewhere.close()
        return issued
      },
    ],
  ]
  for (const [name, issue] of certificates)
    it(`shows a certificate with ${name}, and is sent nothing`, async () => {
      const { certificate, chain, key } = await issue()
      const behave = (socket: { write(text: string): unknown }) => void socket.write(ok('false'))
      const one = await fakeProvider(sandbox, fqdn, behave, {
        cert: certificate + chain,
        ...(key === undefined ? {} : { key }),
      })
      closing.push(one)
      await told(await register(sandbox, answers(one.port)), '/good', 502)
      assert.deepEqual(one.seen.requests, [])
    })

  it('is revoked while a connection to it is kept', async () => {
    const issued = await sandbox.spine.platform.trust.issue({ fqdn })
    const one = await fakeProvider(sandbox, fqdn, (socket) => void socket.write(ok('good')), {
      cert: issued.certificate + issued.chain,
      key: String(issued.key),
    })
    closing.push(one)
    const at = await register(sandbox, answers(one.port))
    assert.equal((await ask(proxyUrl(), sandbox.material, through(at, '/good').bytes)).status, 200)
    await sandbox.spine.platform.trust.revoke(issued.serial)
    await told(at, '/good', 502)
    assert.equal(one.seen.requests.length, 1)
  })
})

describe('a provider that does not answer as HTTP wants it', () => {
  for (const [path, status] of [
    ['/mute', 504],
    ['/half-head', 504],
    ['/closes', 502],
    ['/resets', 502],
    ['/half-head-closes', 502],
    ['/garbage', 502],
    ['/http-1.0', 502],
    ['/bare-lf', 502],
    ['/two-lengths', 502],
    ['/length-and-chunked', 502],
    ['/folded', 502],
    ['/nul', 502],
    ['/switches', 502],
    ['/interim-for-ever', 502],
    ['/huge-head', 502],
    ['/bad-chunk', 502],
  ] as const)
    it(`${path.slice(1)}: ${status}`, () => told(provider, path, status))

  for (const path of [
    '/dies-in-counted',
    '/ends-in-counted',
    '/ends-in-chunk',
    '/ends-between-chunks',
    '/bad-chunk-later',
    '/stalls',
  ])
    it(`${path.slice(1)}: the consumer’s connection is cut, never ended as if the answer were whole`, async () => {
      const { trace, bytes } = through(provider, path)
      const connection = await RawConnection.open(proxyUrl(), sandbox.material)
      const begun = once(connection.socket, 'data')
      connection.send(bytes)
      await begun
      spoil()
      await assert.rejects(connection.answer(), /broken off in the (body|head)/)
      await connection.closed
      const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
      assert.equal(facts['ending'], 'failed')
      assert.match(String(facts['explanation']), /cut|body|sound/)
    })

  it('more than it announced: the answer is what it announced, and the rest is nobody’s answer', async () => {
    const connection = await RawConnection.open(proxyUrl(), sandbox.material)
    for (const [path, body] of [
      ['/too-much', 'mine'],
      ['/good', 'good'],
      ['/good', 'good'],
    ] as const) {
      connection.send(through(provider, path).bytes)
      assert.equal((await connection.answer())?.body.toString(), body)
    }
    connection.destroy()
  })

  it('an answer that nobody asked for, on a kept connection, is not given to the next request', async () => {
    const one = await fakeProvider(sandbox, fqdn, (socket, path) => {
      socket.write(ok(path))
      // Behind the answer, in a TLS record of its own.
      setImmediate(() => socket.write(ok('unasked')))
    })
    closing.push(one)
    const at = await register(sandbox, answers(one.port))
    for (const path of ['/first', '/second', '/third']) {
      const answer = await ask(proxyUrl(), sandbox.material, through(at, path).bytes).catch(() => undefined)
      // A connection that is found to be spoilt may cost its request, never its truth.
      assert.ok(answer?.body.toString() === path || answer?.status === 502, answer?.body.toString())
    }
  })
})

it('a consumer that leaves takes its request to the provider with it (499)', async () => {
  const left = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const one = await fakeProvider(sandbox, fqdn, (socket) => {
    asked.resolve()
    socket.on('close', () => left.resolve())
  })
  closing.push(one)
  const { trace, bytes } = through(await register(sandbox, answers(one.port)), '/never')
  const connection = await RawConnection.open(proxyUrl(), sandbox.material)
  connection.send(bytes)
  await asked.promise
  connection.destroy()
  await left.promise
  const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
  assert.deepEqual([facts['ending'], facts['status']], ['consumer-left', 499])
})

it('other providers are served, and the audit verifies, after all that', async () => {
  // The limits of this file are so short that a busy machine breaks them by itself; a place that was lost stays lost.
  const served = async (bytes: Parameters<typeof ask>[2]) =>
    (await ask(proxyUrl(), sandbox.material, bytes)).status === 200
  await within(20_000, 'the practice answers', () => served(careRecord(sandbox).bytes))
  await within(20_000, 'the provider answers', () => served(through(provider, '/good').bytes))
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
})
