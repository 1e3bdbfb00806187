import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext, test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { answered, clientKeys, keySet, providerPair } from '../testing.ts'
import { FetchFault, guardedFetch, isPublicAddress } from './fetch.ts'
import { keySets } from './key-sets.ts'

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const local = guardedFetch({ timeoutMs: 30_000, maxBytes: 65_536, plain: true, allow: ['127.0.0.0/8'] })
const impatient = guardedFetch({ timeoutMs: 400, maxBytes: 65_536, plain: true, allow: ['127.0.0.0/8'] })
const closed = guardedFetch({ timeoutMs: 30_000, maxBytes: 65_536, plain: true, allow: [] })

describe('fetching from where somebody else says', () => {
  it('gives up on a server that hangs, that drips, and that never ends', async (t) => {
    const url = await serve(t, (request, response) => {
      if (request.url === '/hangs') return
      if (request.url === '/drips') {
        response.writeHead(200)
        const timer = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(timer))
        return
      }
      // A gigabyte, as fast as it is taken.
      response.writeHead(200)
      let left = 1_000
      const more = () => {
        while (left-- > 0 && response.write(Buffer.alloc(1_048_576))) {}
        if (left <= 0) response.end()
      }
      response.on('drain', more)
      more()
    })
    await assert.rejects(impatient({ url: `${url}/hangs` }), /no whole answer within 400 ms/)
    await assert.rejects(impatient({ url: `${url}/drips` }), /no whole answer within 400 ms/)
    await assert.rejects(local({ url: `${url}/endless` }), /longer than 65536 octets/)
  })

  it('follows redirects within the same origin alone, and not for ever', async (t) => {
    const elsewhere = await serve(t, (_request, response) => response.end('secret'))
    const url = await serve(t, (request, response) => {
      const to = { '/here': '/keys', '/away': elsewhere, '/round': '/round', '/file': 'file:///etc/passwd' }[
        request.url ?? ''
      ]
      if (to === undefined) return response.end('keys')
      response.writeHead(302, { location: to }).end()
    })
    assert.equal((await local({ url: `${url}/here` })).body.toString(), 'keys')
    await assert.rejects(local({ url: `${url}/away` }), /redirects to another host/)
    await assert.rejects(local({ url: `${url}/round` }), /redirects too often/)
    await assert.rejects(local({ url: `${url}/file` }), FetchFault)
  })

  it('refuses special-use addresses in every spelling, unless they are allowed', async (t) => {
    const url = await serve(t, (_request, response) => response.end('inside'))
    const { port } = new URL(url)
    const hosts = [
      '127.0.0.1',
      'localhost',
      '2130706433',
      '0x7f.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::7f00:1]',
      '0.0.0.0',
    ]
    for (const host of hosts)
      await assert.rejects(closed({ url: `http://${host}:${port}/` }), /special-use address/, host)
    const named = guardedFetch({ timeoutMs: 400, maxBytes: 10, plain: true, allow: [`localhost:${port}`] })
    assert.equal((await named({ url: `http://localhost:${port}/` })).body.toString(), 'inside')
    await assert.rejects(named({ url: `http://127.0.0.1:${port}/` }), /special-use address/)
    const strict = guardedFetch({ timeoutMs: 400, maxBytes: 10, plain: false, allow: ['127.0.0.0/8'] })
    await assert.rejects(strict({ url }), /not an https one/)
    await assert.rejects(local({ url: 'http://user:pass@127.0.0.1/' }), /user name/)
    await assert.rejects(local({ url: 'nonsense' }), /cannot be read/)
    for (const address of [
      '169.254.169.254',
      '10.1.2.3',
      '172.31.0.1',
      '100.64.0.1',
      'fd00::1',
      'fe80::1',
      '64:ff9b::7f00:1',
      '2002:7f00:1::',
    ])
      assert.equal(isPublicAddress(address), false, address)
    for (const address of ['8.8.8.8', '172.32.0.1', '2606:4700::1111'])
      assert.equal(isPublicAddress(address), true, address)
  })
})

test('key sets: cached, one fetch at a time, fetched again for an unknown kid, kept while the server is down', async () => {
  const clock = manualClock('2026-11-25T12:00:00Z')
  let fetches = 0
  let now: 'first' | 'both' | 'down' | 'status' = 'first'
  const first = keySet(clientKeys.publicKey, 'k1')
  const both = JSON.stringify({
    keys: [...JSON.parse(first).keys, ...JSON.parse(keySet(providerPair.publicKey, 'k2')).keys],
  })
  const fetch = async () => {
    fetches++
    await Promise.resolve()
    if (now === 'down') throw new FetchFault('The server cannot be reached.')
    return answered(now === 'first' ? first : both, now === 'status' ? 500 : 200)
  }
  const keys = keySets({ fetch, clock, refetch: true })
  const at = (kid: string, url = 'https://keys.example') => keys.at(url, kid, 3_600_000)

  const together = await Promise.all(Array.from({ length: 20 }, () => at('k1')))
  assert.ok(together.every(({ found }) => found.length === 1))
  assert.equal(fetches, 1)
  clock.advance(1_000)
  assert.deepEqual((await at('k2')).found, [])
  assert.equal(fetches, 2, 'a key id that is not there has the set fetched at once')
  now = 'both'
  assert.deepEqual((await at('k2')).found, [], 'not again within a minute')
  assert.equal(fetches, 2)
  clock.advance(60_000)
  const rotated = await Promise.all([at('k2'), at('k2'), at('k1')])
  assert.deepEqual(
    rotated.map(({ found }) => found.length),
    [1, 1, 1],
  )
  assert.equal(fetches, 3)
  for (let asked = 0; asked < 50; asked++) await at(`invented ${asked}`)
  assert.equal(fetches, 3, 'invented key ids have nobody asked')

  clock.advance(3_599_000)
  await at('k1')
  assert.equal(fetches, 3)
  now = 'down'
  clock.advance(2_000)
  const stale = await at('k1')
  assert.equal(stale.found.length, 1)
  assert.match(stale.remarks.join(), /last fetch failed/)
  await at('k1')
  assert.equal(fetches, 4, 'a server that is down is asked once a minute')
  clock.advance(24 * 3_600_000)
  await assert.rejects(at('k1'), FetchFault)
  now = 'status'
  await assert.rejects(at('k1', 'https://other.example'), /status 500/)
  now = 'both'
  clock.advance(1_000)
  assert.equal((await at('k1', 'https://other.example')).found.length, 1)

  const national = keySets({ fetch, clock, refetch: false })
  await national.at('https://keys.example', 'k1', 3_600_000)
  const before = fetches
  clock.advance(120_000)
  await national.at('https://keys.example', 'unknown', 3_600_000)
  assert.equal(fetches, before)
  assert.throws(() => keys.held('<html>', 'k1'), FetchFault)
  assert.equal(keys.held(first, 'k1').found.length, 1)
})
