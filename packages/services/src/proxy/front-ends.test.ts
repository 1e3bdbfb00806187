import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { loadConfig } from '@openspine/platform/config'
import { FrontEnds } from '@openspine/platform/doors'
import { makeLog } from '@openspine/platform/log'
import { writeProxyHeader } from '@openspine/standards/proxy-protocol'
import { proxyConfig } from './config.ts'
import { answering, type Handler, readAnswer, requestHead, testWorld, type World } from './testing.ts'

/** Answers with the Forwarded lines that came. */
const forwarded: Handler = (request, socket) =>
  answering(
    request.fields
      .filter(([name]) => name.toLowerCase() === 'forwarded')
      .map(([, value]) => value)
      .join(' | '),
  )(request, socket)

/** A world whose front end is this machine, and what it logged. */
async function behind(t: TestContext, config: Partial<World['config']> = {}) {
  const lines: Record<string, unknown>[] = []
  const log = makeLog({ level: 'warn', environment: 'test' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const world = await testWorld(t, forwarded, {
    config: { trustedFrontEnds: ['127.0.0.1'], ...config },
    platform: { log },
  })
  return { world, codes: () => lines.map(({ code }) => code) }
}

function dial(t: TestContext, world: World, localAddress = '127.0.0.1'): Socket {
  const socket = connectPlain({ port: world.port, host: '127.0.0.1', localAddress, noDelay: true })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

/** The consumer's TLS over a connection that is there already. */
async function secured(world: World, socket: Socket): Promise<TLSSocket> {
  const { host: _, port: __, ...options } = world.client
  const tls = connect({ ...options, socket })
  tls.on('error', () => {})
  await once(tls, 'secureConnect')
  return tls
}

async function ask(world: World, tls: TLSSocket) {
  const answer = readAnswer(tls)
  tls.write(requestHead(world))
  return answer
}

const client = (address: string, port = 40_000) => ({
  source: { address, port },
  destination: { address: address.includes(':') ? '2001:db8::1' : '192.0.2.1', port: 443 },
})

describe('a front end that is trusted', () => {
  for (const [version, address, node] of [
    [1, '198.51.100.7', '198.51.100.7'],
    [1, '2001:db8::7', '"[2001:db8::7]"'],
    [2, '198.51.100.7', '198.51.100.7'],
    [2, '2001:db8::7', '"[2001:db8::7]"'],
    [2, '::ffff:198.51.100.7', '198.51.100.7'],
  ] as const)
    it(`tells the client’s address, version ${version}: ${address}`, async (t) => {
      const { world } = await behind(t)
      const socket = dial(t, world)
      socket.write(writeProxyHeader({ version, ends: client(address) }))
      const tls = await secured(world, socket)
      // The connection is kept: its second request comes from the same client.
      for (let i = 0; i < 2; i++) {
        const answer = await ask(world, tls)
        assert.equal(answer.status, 200)
        assert.equal(answer.body.toString(), `for=${node};proto=https;by=_localhost`)
        assert.equal(world.audit.last()['address'], node.replaceAll(/["[\]]/g, ''))
      }
    })

  it('may send the header in single bytes, and the beginning of TLS with it', async (t) => {
    const { world } = await behind(t)
    const socket = dial(t, world)
    // What the consumer's TLS writes goes through here, so that header and ClientHello share a segment.
    const header = writeProxyHeader({ version: 2, ends: client('198.51.100.8') })
    for (const octet of header.subarray(0, -3)) {
      socket.write(Buffer.from([octet]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.cork()
    socket.write(header.subarray(-3))
    const reading = secured(world, socket)
    setImmediate(() => socket.uncork())
    const answer = await ask(world, await reading)
    assert.equal(answer.body.toString(), 'for=198.51.100.8;proto=https;by=_localhost')
  })

  it('keeps clients apart that come at the same time', async (t) => {
    const { world } = await behind(t)
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const socket = dial(t, world)
        socket.write(writeProxyHeader({ version: 1, ends: client(`198.51.100.${n}`) }))
        return (await ask(world, await secured(world, socket))).body.toString()
      }),
    )
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, (_, n) => `for=198.51.100.${n};proto=https;by=_localhost`),
    )
  })

  it('that speaks for itself, or does not know the client, is the client', async (t) => {
    const { world } = await behind(t)
    for (const version of [1, 2] as const) {
      const socket = dial(t, world)
      socket.write(writeProxyHeader({ version }))
      const answer = await ask(world, await secured(world, socket))
      assert.equal(answer.body.toString(), 'for=127.0.0.1;proto=https;by=_localhost')
    }
  })

  it('tells who spoke plain HTTP, and which port was called', async (t) => {
    const { world } = await behind(t, { plainHttp: 'redirect' })
    const socket = dial(t, world)
    socket.write(writeProxyHeader({ version: 1, ends: client('198.51.100.9') }))
    socket.write('GET /https://gp.example.test/x HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    assert.match(text, /^HTTP\/1\.1 308 .*\r\nLocation: https:\/\/localhost\/https:\/\/gp\.example\.test\/x\r\n/)
    assert.equal(world.audit.last()['address'], '198.51.100.9')
  })

  it('is closed, with a reason in the log, when the header is missing or broken', async (t) => {
    const { world, codes } = await behind(t)
    for (const bytes of [
      Buffer.from('1603010005', 'hex'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n'),
      Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`),
    ]) {
      const socket = dial(t, world)
      let said = 0
      socket.on('data', (chunk) => {
        said += chunk.length
      })
      socket.write(bytes)
      await once(socket, 'close')
      assert.equal(said, 0, 'nothing is said')
    }
    assert.deepEqual(codes(), [
      'PROXY_PROTOCOL_MISSING',
      'PROXY_PROTOCOL_MISSING',
      'PROXY_PROTOCOL_MALFORMED',
      'PROXY_PROTOCOL_TOO_LONG',
    ])
    assert.deepEqual(world.audit.records, [])
  })

  it('is closed when the header drips, or breaks off; one that only knocks leaves no line', async (t) => {
    const { world, codes } = await behind(t, { handshakeSeconds: 0.2 })
    const slow = dial(t, world)
    const header = writeProxyHeader({ version: 1, ends: client('198.51.100.7') })
    let at = 0
    const drip = setInterval(() => slow.write(header.subarray(at, ++at)), 15)
    await once(slow, 'close')
    clearInterval(drip)
    assert.ok(at < header.length)
    // The proxy's end of the connection closes a moment later.
    while (codes().length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(codes(), ['PROXY_PROTOCOL_INCOMPLETE'])
    const silent = dial(t, world)
    await once(silent, 'connect')
    silent.end()
    await once(silent.resume(), 'close')
    const waiting = dial(t, world)
    waiting.write(header)
    await once(waiting.resume(), 'close')
    assert.deepEqual(codes(), ['PROXY_PROTOCOL_INCOMPLETE'], 'the header alone, and then nothing, is in order')
  })
})

describe('everybody else', () => {
  it('is served as ever, and a header of theirs is no TLS', async (t) => {
    const { world, codes } = await behind(t)
    const answer = await ask(world, await secured(world, dial(t, world, '127.0.0.2')))
    assert.equal(answer.body.toString(), 'for=127.0.0.2;proto=https;by=_localhost')
    for (const [version, expected] of [
      [1, /^HTTP\/1\.1 497 /],
      [2, /^$/],
    ] as const) {
      const socket = dial(t, world, '127.0.0.2')
      socket.write(writeProxyHeader({ version, ends: client('198.51.100.7') }))
      let text = ''
      for await (const chunk of socket) text += chunk
      assert.match(text, expected)
    }
    assert.equal(world.audit.last()['address'], '127.0.0.2')
    assert.deepEqual(codes(), [])
  })
})

describe('the setting', () => {
  const trusts = (trusted: string[], remoteAddress: string) =>
    new FrontEnds(trusted, makeLog({ level: 'silent', environment: 'test' })).trusts({ remoteAddress } as Socket)

  it('names addresses and ranges, IPv4 also where it comes as IPv6', () => {
    const trusted = ['192.0.2.1', '198.51.100.0/24', '2001:db8::/32']
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '198.51.100.255', '2001:db8:ffff::1'])
      assert.ok(trusts(trusted, address), address)
    for (const address of ['192.0.2.2', '198.51.101.0', '2001:db9::1', '::1', ''])
      assert.ok(!trusts(trusted, address), address)
    assert.ok(!trusts([], '192.0.2.1'))
  })

  it('is refused by name when it is something else', () => {
    for (const bad of ['front.example', '192.0.2.0/33', '2001:db8::/129', '192.0.2.1/', '1.2.3.4/8/8', 'fe80::1%eth0'])
      assert.throws(
        () => loadConfig({ proxy: proxyConfig }, { overrides: { 'proxy.trustedFrontEnds': [bad] } }),
        /trustedFrontEnds.*an address, or a range/s,
        bad,
      )
    const env = { OPENSPINE_PROXY_TRUSTED_FRONT_ENDS: '192.0.2.1, 2001:db8::/32' }
    assert.deepEqual(loadConfig({ proxy: proxyConfig }, { env }).values.proxy.trustedFrontEnds, [
      '192.0.2.1',
      '2001:db8::/32',
    ])
  })
})
