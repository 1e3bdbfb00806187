import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { loadConfig } from '@openspine/platform/config'
import { proxyConfig } from './config.ts'
import {
  type Answer,
  answering,
  type Handler,
  interaction,
  providerAsid,
  readAnswer,
  requestHead,
  testWorld,
  type World,
} from './testing.ts'
import { throttle } from './throttle.ts'

const otherAsid = '200000000003'

/** A world with two providers behind one address; `other` is the endpoint of the second. */
async function twoProviders(t: TestContext, handler: Handler, config: Partial<World['config']>) {
  const world = await testWorld(t, handler, { config })
  const other = world.endpoint.replace('A20047', 'B83002')
  world.directory.systems.set(otherAsid, {
    asid: otherAsid,
    odsCode: 'B83002',
    partyKey: 'B83002-123458',
    interactions: new Set([interaction]),
    fqdns: new Set(['gp.example.test']),
  })
  world.directory.handlers.push({
    cpaId: 'S000000000002',
    odsCode: 'B83002',
    partyKey: 'B83002-123458',
    interaction,
    endpoints: [other],
    fqdn: 'gp.example.test',
  })
  world.agreements.agreed.push({ id: 'agreement-2', from: 'X26', to: 'B83002', interaction: '*' })
  const fields = { 'Ssp-To': otherAsid }
  return { world, toFirst: () => requestHead(world), toOther: () => requestHead({ endpoint: other }, { fields }) }
}

/**
 * The first practice answers nothing before `release`; the second whenever ten of its requests are there at once.
 * Keeps the connections of each, and how many were used at once.
 */
function counting() {
  const sockets = { A20047: new Set<TLSSocket>(), B83002: new Set<TLSSocket>() }
  const held: { A20047: (() => void)[]; B83002: (() => void)[] } = { A20047: [], B83002: [] }
  const most = { A20047: 0, B83002: 0 }
  let released = false
  const answer = (practice: 'A20047' | 'B83002') => {
    for (const one of held[practice].splice(0)) one()
  }
  const handler: Handler = (request, socket) => {
    const practice = request.target.includes('/B83002/') ? 'B83002' : 'A20047'
    sockets[practice].add(socket)
    held[practice].push(() => answering(practice)(request, socket))
    most[practice] = Math.max(most[practice], held[practice].length)
    if (practice === 'A20047' ? released : held[practice].length === 10) setImmediate(answer, practice)
  }
  const release = () => {
    released = true
    answer('A20047')
  }
  return { sockets, most, handler, release }
}

const ask = async (world: World, request: string) => {
  const socket = await world.open()
  const reading = readAnswer(socket)
  socket.write(request)
  return reading
}

describe('limits of one provider', () => {
  it('its connections stay within its own figure while twenty requests wait; another at the same address has those of all', async (t) => {
    const { sockets, most, handler, release } = counting()
    const { world, toFirst, toOther } = await twoProviders(t, handler, {
      upstreamConnections: 10,
      queueSeconds: 60,
      providerLimits: [{ asid: providerAsid, connections: 2 }],
    })
    const waiting = Array.from({ length: 20 }, () => ask(world, toFirst()))
    const others = await Promise.all(Array.from({ length: 20 }, () => ask(world, toOther())))
    release()
    const told = (answers: readonly Answer[]) => [...new Set(answers.map(({ status, body }) => `${status} ${body}`))]
    assert.deepEqual(told(await Promise.all(waiting)), ['200 A20047'])
    assert.deepEqual(told(others), ['200 B83002'])
    assert.deepEqual([sockets.A20047.size, most.A20047], [2, 2])
    assert.deepEqual([sockets.B83002.size, most.B83002], [10, 10])
    for (const socket of sockets.A20047) assert.ok(!sockets.B83002.has(socket), 'its connections are its own')
  })

  it('more than its own number of waiting requests are refused, and the record names that number', async (t) => {
    const held: (() => void)[] = []
    let arrived = () => {}
    const first = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const { world, toFirst, toOther } = await twoProviders(
      t,
      (request, socket) => {
        if (request.target.includes('/B83002/')) answering('other')(request, socket)
        else {
          held.push(() => answering('held')(request, socket))
          arrived()
        }
      },
      { providerLimits: [{ asid: providerAsid, connections: 1, waiting: 0 }] },
    )
    const answer = ask(world, toFirst())
    await first
    const refused = await ask(world, toFirst())
    assert.equal(refused.status, 503)
    assert.equal(JSON.parse(refused.body.toString()).issue[0].diagnostics, 'The provider has too many requests')
    assert.match(String(world.audit.last()['explanation']), /More than 0 requests wait/)
    assert.equal((await ask(world, toOther())).status, 200)
    held[0]?.()
    assert.equal((await answer).status, 200)
  })

  it('its requests in a window: 503 over all connections, and headers with its own figure', async (t) => {
    const { world, toFirst, toOther } = await twoProviders(t, answering('fine'), {
      limitWindowSeconds: 86_400,
      limitPerProvider: 100,
      providerLimits: [{ asid: providerAsid, requests: 2 }],
    })
    const seen: unknown[] = []
    for (const request of [toFirst(), toFirst(), toFirst(), toOther()]) {
      const { status, field, body } = await ask(world, request)
      const outcome = status === 200 ? undefined : JSON.parse(body.toString()).issue[0]
      seen.push([status, field('x-rate-limit-limit'), field('x-rate-limit-remaining'), outcome?.code])
      if (status === 503) assert.equal(field('retry-after'), field('x-rate-limit-reset'))
    }
    assert.deepEqual(seen, [
      [200, '2', '1', undefined],
      [200, '2', '0', undefined],
      [503, '2', '0', 'transient'],
      [200, '100', '99', undefined],
    ])
    const refusal = world.audit.records
      .map(({ facts }) => facts as Record<string, unknown>)
      .find((facts) => facts['status'] === 503)
    assert.match(
      String(refusal?.['explanation']),
      /the limit of 2 in a window of 86400 s for the provider 200000000002/,
    )
  })

  it('0 lifts the limit of all, and senders keep theirs', () => {
    const allow = throttle({
      ...proxyConfig.parse({ limitPerProvider: 1, limitPerSender: 3 }),
      providerLimits: [{ asid: providerAsid, requests: 0 }],
    })
    const call = { from: '200000000001', to: providerAsid, provider: 'A20047-123457' }
    const statuses = Array.from({ length: 4 }, () => allow(call, 0))
    assert.deepEqual(
      statuses.map(({ allowed, passed, limit, remaining }) => [allowed, passed, limit, remaining]),
      [
        [true, undefined, 3, 2],
        [true, undefined, 3, 1],
        [true, undefined, 3, 0],
        [false, 'sender', 3, 0],
      ],
    )
  })

  it('says nothing of limits to requests that none concerns, and makes nothing for them', () => {
    const allow = throttle({ ...proxyConfig.parse({}), providerLimits: [{ asid: otherAsid, requests: 1 }] })
    const call = { from: '200000000001', to: providerAsid, provider: 'A20047-123457' }
    assert.equal(allow(call, 0), allow(call, 1))
    assert.deepEqual(allow(call, 2), { allowed: true })
  })

  it('are read from file and environment, and refused by name when they make no sense', () => {
    const read = (value: unknown) =>
      loadConfig(
        { proxy: proxyConfig },
        { file: { name: 'x', text: JSON.stringify({ proxy: { providerLimits: value } }) } },
      )
    const good = [{ asid: otherAsid, requests: 5, waiting: 0 }]
    assert.deepEqual(read(good).values.proxy.providerLimits, good)
    const env = { OPENSPINE_PROXY_PROVIDER_LIMITS: JSON.stringify(good) }
    assert.deepEqual(loadConfig({ proxy: proxyConfig }, { env }).values.proxy.providerLimits, good)
    for (const [bad, why] of [
      [[{ asid: '12' }], /12 digits/],
      [[{ asid: otherAsid }, { asid: otherAsid }], /stands twice/],
      [[{ asid: otherAsid, connections: 0 }], /providerLimits/],
      [[{ asid: otherAsid, request: 1 }], /request/],
      ['200000000003=5', /providerLimits/],
    ] as const)
      assert.throws(() => read(bad), why, JSON.stringify(bad))
  })
})
