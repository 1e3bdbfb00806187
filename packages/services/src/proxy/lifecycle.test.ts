import assert from 'node:assert/strict'
import { connect as connectPlain } from 'node:net'
import { describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { answering, ask, type Handler, payload, readAnswer, requestHead, testWorld } from './testing.ts'

const closed = (socket: { once(event: 'close', then: () => void): unknown; destroyed: boolean; resume(): unknown }) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
    socket.resume()
  })

/** A provider that answers when the test says so. */
function held(): { handler: Handler; waiting: (() => void)[]; arrived(count: number): Promise<void> } {
  const waiting: (() => void)[] = []
  let told: { count: number; resolve(): void } | undefined
  return {
    waiting,
    handler: (request, socket) => {
      waiting.push(() => answering('ok')(request, socket))
      if (told !== undefined && waiting.length >= told.count) told.resolve()
    },
    arrived: (count) =>
      new Promise((resolve) => {
        if (waiting.length >= count) resolve()
        else told = { count, resolve }
      }),
  }
}

describe('connections that waste time', () => {
  it('a head that does not end is cut off and audited (444)', async (t) => {
    const world = await testWorld(t, answering('never'), { config: { headSeconds: 0.1 } })
    const socket = await world.open()
    socket.write('GET /https://gp.example.test/x HTTP/1.1\r\nHost: ')
    await closed(socket)
    await world.audit.reached(1)
    assert.equal(world.audit.last()['status'], 444)
    assert.match(String(world.audit.last()['explanation']), /did not arrive within proxy\.headSeconds/)
    assert.equal(world.audit.last()['target'], '/https://gp.example.test/x')
  })
  it('a head that drips is cut off all the same', async (t) => {
    const world = await testWorld(t, answering('never'), { config: { headSeconds: 0.15 } })
    const socket = await world.open()
    const bytes = requestHead(world)
    let at = 0
    const drip = setInterval(() => socket.write(bytes.slice(at, ++at)), 10)
    await closed(socket)
    clearInterval(drip)
    await world.audit.reached(1)
    assert.equal(world.audit.last()['ending'], 'closed')
  })
  it('a connection that asks nothing is closed, without a record', async (t) => {
    const world = await testWorld(t, answering('ok'), { config: { keepAliveSeconds: 0.1 } })
    const socket = await world.open()
    socket.write(requestHead(world))
    await readAnswer(socket)
    await closed(socket)
    assert.equal(world.audit.records.length, 1)
  })
  it('a request body that stops: 400, and the provider is let go', async (t) => {
    const world = await testWorld(t, answering('never'), { config: { bodySeconds: 0.1 } })
    const socket = await world.open()
    const reading = readAnswer(socket)
    socket.write(`${requestHead(world, { method: 'POST', fields: { 'Content-Length': '10' } })}abc`)
    const answer = await reading
    assert.equal(answer.status, 400)
    assert.equal(answer.field('connection'), 'close')
    assert.equal(world.audit.last()['check'], 'request-body')
    for (const one of world.provider.sockets) await closed(one)
  })
  it('a consumer that does not take its answer is cut off', async (t) => {
    const world = await testWorld(
      t,
      (_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1 << 30}\r\n\r\n`)
        const block = Buffer.alloc(1 << 20)
        const push = () => {
          while (!socket.destroyed && socket.write(block));
          socket.once('drain', push)
        }
        push()
      },
      { config: { bodySeconds: 0.2 } },
    )
    const socket = await world.open()
    socket.pause()
    socket.write(requestHead(world))
    await world.audit.reached(1)
    assert.equal(world.audit.last()['status'], 499)
    assert.match(String(world.audit.last()['explanation']), /stopped taking the answer/)
  })
  it('the whole exchange is bounded, however busy it looks', async (t) => {
    const world = await testWorld(
      t,
      (_request, socket) => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        const drip = setInterval(() => socket.write('1\r\nx\r\n'), 10)
        socket.once('close', () => clearInterval(drip))
      },
      { config: { totalSeconds: 0.2 } },
    )
    const answer = await ask(world, requestHead(world))
    assert.equal(answer.complete, false)
    await world.audit.reached(1)
    assert.equal((world.audit.last()['compared'] as { code: string }).code, 'TOTAL_TIMEOUT')
  })
})

describe('limits', () => {
  it('a thousand idle connections do not stand in the way', async (t) => {
    // A slow machine takes longer than the default to make a thousand of them.
    const world = await testWorld(t, answering('ok'), { config: { headSeconds: 100 } })
    const sockets: TLSSocket[] = []
    for (let i = 0; i < 20; i++)
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => world.open({ maxVersion: 'TLSv1.2' })))))
    assert.equal((await ask(world, requestHead(world))).status, 200)
    for (const one of [0, 500, 999]) {
      const socket = sockets[one]
      assert.ok(socket)
      socket.write(requestHead(world))
      assert.equal((await readAnswer(socket)).status, 200)
    }
  })
  it('connections beyond the limit are closed at once', async (t) => {
    const world = await testWorld(t, answering('ok'), { config: { maxConnections: 2 } })
    const first = await world.open()
    await world.open()
    const third = connectPlain(world.port, '127.0.0.1')
    third.on('error', () => {})
    await closed(third)
    first.write(requestHead(world))
    assert.equal((await readAnswer(first)).status, 200)
  })
  it('requests wait for one of few connections to the provider, and are refused when too many wait', async (t) => {
    const provider = held()
    const world = await testWorld(t, provider.handler, { config: { upstreamConnections: 1, upstreamQueue: 1 } })
    const sockets = await Promise.all([world.open(), world.open(), world.open()])
    const answers = sockets.map((socket) => readAnswer(socket))
    sockets[0].write(requestHead(world))
    await provider.arrived(1)
    sockets[1].write(requestHead(world))
    await new Promise((resolve) => setTimeout(resolve, 20))
    sockets[2].write(requestHead(world))
    assert.equal((await answers[2])?.status, 503)
    assert.equal(world.audit.last()['check'], 'provider-capacity')
    provider.waiting[0]?.()
    assert.equal((await answers[0])?.status, 200)
    await provider.arrived(2)
    provider.waiting[1]?.()
    assert.equal((await answers[1])?.status, 200)
    assert.equal(world.provider.sockets.size, 1)
  })
  it('a request that waits too long for a connection is refused', async (t) => {
    const provider = held()
    const world = await testWorld(t, provider.handler, {
      config: { upstreamConnections: 1, queueSeconds: 0.05, connectSeconds: 0.5 },
    })
    const [first, second] = await Promise.all([world.open(), world.open()])
    first.write(requestHead(world))
    await provider.arrived(1)
    const waiting = readAnswer(second)
    second.write(requestHead(world))
    assert.equal((await waiting).status, 503)
    assert.match(String(world.audit.last()['explanation']), /queueSeconds/)
  })
})

describe('connections to providers', () => {
  it('are kept, used newest first, and closed when unused for long', async (t) => {
    const world = await testWorld(t, answering('ok'), { config: { upstreamIdleSeconds: 0.2 } })
    for (let i = 0; i < 3; i++) await ask(world, requestHead(world))
    assert.equal(world.provider.sockets.size, 1)
    const [kept] = world.provider.sockets
    assert.ok(kept)
    await closed(kept)
  })
  it('are left before the provider closes them, when it tells how long it keeps them', async (t) => {
    const world = await testWorld(t, answering('ok', 'Keep-Alive: timeout=1\r\n'))
    await ask(world, requestHead(world))
    for (const one of world.provider.sockets) await closed(one)
  })
  it('are dropped when trust changes, and resumed sessions do not survive it', async (t) => {
    const world = await testWorld(t, answering('ok'))
    await ask(world, requestHead(world))
    const [kept] = world.provider.sockets
    assert.ok(kept)
    const other = await world.trust.issue({ fqdn: 'someone.example.test' })
    await world.trust.revoke(other.serial)
    await closed(kept)
    assert.equal((await ask(world, requestHead(world))).status, 200)
  })
})

describe('the audit', () => {
  it('comes before the last bytes of the answer', async (t) => {
    const world = await testWorld(t, (request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc')
      setTimeout(() => socket.write('def'), 20)
      void request
    })
    let release: () => void = () => {}
    world.audit.hold = new Promise((resolve) => {
      release = resolve
    })
    const socket = await world.open()
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    socket.write(requestHead(world))
    while (!text.includes('abc')) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.match(text, /\r\n\r\nabc$/, 'the beginning streams, the end waits')
    release()
    while (!text.endsWith('def')) await new Promise((resolve) => setImmediate(resolve))
  })
  it('that fails leaves nothing answered', async (t) => {
    const world = await testWorld(t, answering('secret'))
    world.audit.fail = true
    await assert.rejects(ask(world, requestHead(world)), /closed without an answer/)
    await assert.rejects(
      ask(world, requestHead(world, { fields: { 'Ssp-From': undefined } })),
      /closed without an answer/,
    )
    world.audit.fail = false
    assert.equal((await ask(world, requestHead(world))).status, 200)
  })
})

describe('the end', () => {
  it('finishes what is in flight, refuses what is new, and closes idle connections', async (t) => {
    const provider = held()
    const world = await testWorld(t, provider.handler)
    const [busy, idle] = await Promise.all([world.open(), world.open()])
    const answer = readAnswer(busy)
    busy.write(requestHead(world))
    await provider.arrived(1)
    const idleGone = closed(idle)
    const ended = world.close(5000)
    await idleGone
    await assert.rejects(world.open(), /ECONNREFUSED|closed|ECONNRESET/)
    provider.waiting[0]?.()
    const { status, field } = await answer
    assert.equal(status, 200)
    assert.equal(field('connection'), 'close')
    await ended
  })
  it('cuts off what is left at the deadline', async (t) => {
    const provider = held()
    const world = await testWorld(t, provider.handler)
    const socket = await world.open()
    socket.write(requestHead(world))
    await provider.arrived(1)
    const gone = closed(socket)
    await world.close(50)
    await gone
    await world.audit.reached(1)
    assert.equal(world.audit.last()['status'], 499)
  })
})

describe('metrics', () => {
  it('count what happened', async (t) => {
    const { makeMetrics } = await import('@openspine/platform/metrics')
    const metrics = makeMetrics()
    const world = await testWorld(t, answering('ok'), { platform: { metrics } })
    await ask(world, requestHead(world))
    await ask(world, requestHead(world, { fields: { 'Ssp-From': undefined } }))
    await world.close(100)
    const { body } = await metrics.render()
    assert.match(body, /openspine_proxy_requests_total\{ending="relayed",status="200"\} 1/)
    assert.match(body, /openspine_proxy_requests_total\{ending="refused",status="400"\} 1/)
  })
})

describe('load', () => {
  it('of mixed outcomes leaves every request with its own answer and one record', async (t) => {
    const world = await testWorld(t, (request, socket) => {
      const id = request.fields.find(([name]) => name === 'X-Id')?.[1] ?? ''
      // Chunked, counted and slow ones at once.
      if (Number(id) % 3 === 0)
        socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${id.length}\r\n${id}\r\n0\r\n\r\n`)
      else setTimeout(() => answering(id)(request, socket), Number(id) % 5)
    })
    let number = 0
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const socket = await world.open()
        for (let i = 0; i < 15; i++) {
          const id = String(++number)
          const refused = Number(id) % 7 === 0
          socket.write(requestHead(world, { fields: { 'X-Id': id, ...(refused ? { 'Ssp-To': '200000000009' } : {}) } }))
          const answer = await readAnswer(socket)
          assert.equal(answer.status, refused ? 403 : 200)
          if (!refused) assert.equal((Number(id) % 3 === 0 ? payload(answer.body) : answer.body).toString(), id)
        }
      }),
    )
    assert.equal(world.audit.records.length, 240)
  })
})
