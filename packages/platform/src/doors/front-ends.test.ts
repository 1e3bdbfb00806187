/** A door behind front ends: whose address it sees, and what becomes of whoever pretends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { writeProxyHeader } from '@openspine/standards/proxy-protocol'
import { testTrust } from '../trust/testing.ts'
import { testDoor } from './testing.ts'

async function behind(t: TestContext) {
  const trust = await testTrust(t)
  const routes = async (app: { get: (path: string, handler: (request: { ip: string }) => unknown) => unknown }) => {
    app.get('/whence', async ({ ip }) => ({ ip }))
  }
  const door = await testDoor(t, trust, { routes: [routes as never], frontEnds: ['127.0.0.1'] })
  const dial = (localAddress = '127.0.0.1'): Socket => {
    const socket = connectPlain({ host: '127.0.0.1', port: door.port, localAddress })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    return socket
  }
  /** What is answered to a request over TLS on this connection. */
  const asked = async (socket: Socket): Promise<string> => {
    const tls = connect({ socket, servername: 'localhost', ca: [...trust.material().ca] })
    tls.on('error', () => undefined)
    tls.write('GET /whence HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    let text = ''
    tls.on('data', (chunk) => {
      text += String(chunk)
    })
    await new Promise((resolve) => tls.on('close', resolve))
    return text
  }
  return { door, dial, asked }
}

const ends = (address: string) => ({
  source: { address, port: 40_000 },
  destination: { address: address.includes(':') ? '2001:db8::1' : '192.0.2.1', port: 443 },
})

test('requests come from the client that the front end names, version 1 and 2', async (t) => {
  const { dial, asked } = await behind(t)
  const answers = await Promise.all(
    (
      [
        [1, '198.51.100.7'],
        [2, '198.51.100.8'],
        [2, '2001:db8::7'],
      ] as const
    ).map(async ([version, address]) => {
      const socket = dial()
      socket.write(writeProxyHeader({ version, ends: ends(address) }))
      return [address, await asked(socket)] as const
    }),
  )
  for (const [address, answer] of answers) assert.ok(answer.endsWith(JSON.stringify({ ip: address })), answer)
})

test('a front end that speaks for itself is the client; without its header it is closed', async (t) => {
  const { dial, asked } = await behind(t)
  const own = dial()
  own.write(writeProxyHeader({ version: 2 }))
  assert.match(await asked(own), /\{"ip":"127\.0\.0\.1"\}$/)
  assert.equal(await asked(dial()), '')
  const plain = dial()
  plain.write('GET /whence HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let text = ''
  for await (const chunk of plain) text += String(chunk)
  assert.equal(text, '')
})

test('whoever is no front end is served as ever, and cannot claim another address', async (t) => {
  const { dial, asked } = await behind(t)
  assert.match(await asked(dial('127.0.0.2')), /\{"ip":"127\.0\.0\.2"\}$/)
  for (const version of [1, 2] as const) {
    const liar = dial('127.0.0.2')
    liar.write(writeProxyHeader({ version, ends: ends('198.51.100.7') }))
    assert.doesNotMatch(await asked(liar), /198\.51|"ip"/)
  }
})

test('a door that closes does not wait for a header', async (t) => {
  const { door, dial } = await behind(t)
  const silent = dial()
  await once(silent, 'connect')
  const began = performance.now()
  await door.close(0)
  assert.ok(performance.now() - began < 5_000)
})
