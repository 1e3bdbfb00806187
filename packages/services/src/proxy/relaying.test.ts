import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { answering, ask, type Handler, payload, readAnswer, requestHead, testWorld, type World } from './testing.ts'

const raw =
  (...pieces: (string | Buffer)[]): Handler =>
  (_request, socket) => {
    for (const piece of pieces) socket.write(piece)
  }

/** However it comes about. */
const closed = (socket: TLSSocket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))

const chunked = (...chunks: Buffer[]) =>
  Buffer.concat([
    ...chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ])

async function oneRecord(world: World, ending: string, status: number, says?: RegExp) {
  await world.audit.reached(1)
  assert.equal(world.audit.records.length, 1)
  assert.equal(world.audit.last()['ending'], ending)
  assert.equal(world.audit.last()['status'], status)
  if (says) assert.match(String(world.audit.last()['explanation']), says)
}

describe('bodies are relayed byte for byte', () => {
  const random = randomBytes(300_000)
  const gzip = gzipSync(random.toString('hex'))
  const cases: [name: string, head: string, body: Buffer][] = [
    ['counted', `Content-Length: ${random.length}\r\n`, random],
    ['gzip', `Content-Encoding: gzip\r\nContent-Length: ${gzip.length}\r\n`, gzip],
    [
      'chunked',
      'Transfer-Encoding: chunked\r\n',
      chunked(random.subarray(0, 10), random.subarray(10, 200_000), random.subarray(200_000)),
    ],
    ['empty', 'Content-Length: 0\r\n', Buffer.alloc(0)],
    ['until the end of the connection', '', random],
  ]
  for (const [name, head, body] of cases)
    it(`answers: ${name}`, async (t) => {
      const world = await testWorld(t, (_request, socket) => {
        socket.write(
          Buffer.concat([
            Buffer.from(
              `HTTP/1.1 200 Fine By Me\r\nSet-Cookie: a\r\nset-cookie: b\r\nX-Odd:  v \r\nServer: s\r\n${head}\r\n`,
            ),
            body,
          ]),
        )
        if (head === '') socket.end()
      })
      const answer = await ask(world, requestHead(world))
      assert.equal(answer.reason, 'Fine By Me')
      assert.ok(answer.complete)
      // A body that ends with the provider's connection comes in chunks.
      assert.ok((head === '' ? payload(answer.body) : answer.body).equals(body))
      assert.deepEqual(
        answer.fields.filter(([field]) => /cookie|odd|server/i.test(field)),
        [
          ['Set-Cookie', 'a'],
          ['set-cookie', 'b'],
          ['X-Odd', 'v'],
          ['Server', 's'],
        ],
      )
      assert.equal(answer.closed, false)
      await oneRecord(world, 'relayed', 200)
      assert.equal(world.audit.last()['bytesOut'], body.length)
    })

  for (const kind of ['counted', 'chunked'] as const)
    it(`requests: ${kind}`, async (t) => {
      const world = await testWorld(t, (request, socket) => {
        const got = kind === 'chunked' ? payload(request.body) : request.body
        answering(createHash('sha256').update(got).digest('hex'))(request, socket)
      })
      const body = kind === 'chunked' ? chunked(random.subarray(0, 1), random.subarray(1)) : random
      const fields =
        kind === 'chunked' ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(random.length) }
      const socket = await world.open()
      const reading = readAnswer(socket)
      socket.write(requestHead(world, { method: 'POST', fields }))
      socket.write(body)
      assert.equal((await reading).body.toString(), createHash('sha256').update(random).digest('hex'))
      await oneRecord(world, 'relayed', 200)
      assert.equal(world.audit.last()['bytesIn'], body.length)
      // and the connection to the provider serves again
      socket.write(requestHead(world))
      await readAnswer(socket)
      assert.equal(world.provider.sockets.size, 1)
    })

  it('64 MB pass through with flat memory, both ways, while the reader is slow', async (t) => {
    const size = 64 << 20
    const block = randomBytes(1 << 20)
    const digest = createHash('sha256')
    for (let i = 0; i < size / block.length; i++) digest.update(block)
    const expected = digest.digest('hex')
    const world = await testWorld(t, () => {}, {
      provider: {
        // Echoes while it reads: nothing is held at the provider either.
        onHead: (head, socket) => {
          if (head.method !== 'POST') return
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
          if (head.rest.length > 0) socket.write(Buffer.from(head.rest))
          socket.removeAllListeners('data')
          socket.on('data', (chunk: Buffer) => {
            if (!socket.write(chunk)) {
              socket.pause()
              socket.once('drain', () => socket.resume())
            }
          })
        },
      },
    })
    const socket = await world.open()
    const got = createHash('sha256')
    let received = -1
    let most = 0
    let slow = 0
    const finished = new Promise<void>((resolve, reject) => {
      socket.on('close', () => reject(new Error('closed early')))
      socket.on('data', (chunk: Buffer) => {
        if (received < 0) {
          const end = chunk.indexOf('\r\n\r\n') + 4
          received = 0
          chunk = chunk.subarray(end)
        }
        got.update(chunk)
        received += chunk.length
        most = Math.max(most, process.memoryUsage.rss())
        if (++slow % 200 === 0) {
          socket.pause()
          setImmediate(() => socket.resume())
        }
        if (received === size) resolve()
      })
    })
    const before = process.memoryUsage.rss()
    socket.write(requestHead(world, { method: 'POST', fields: { 'Content-Length': String(size) } }))
    for (let sent = 0; sent < size; sent += block.length) if (!socket.write(block)) await once(socket, 'drain')
    await finished
    assert.equal(got.digest('hex'), expected)
    assert.ok(
      most - before < 200 << 20,
      `memory grew by ${(most - before) >> 20} MB in a process that holds all three parties`,
    )
    await oneRecord(world, 'relayed', 200)
  })
})

describe('read buffers that are used again', () => {
  it('never mix the answers of slow consumers, whatever the sizes and however the pieces come', async (t) => {
    const made = (id: number) => {
      const size = [1, 700, 16_000, 16_384, 16_385, 90_000, 400_000][id % 7] as number
      return Buffer.alloc(size, `${id} `)
    }
    const world = await testWorld(t, (request, socket) => {
      const id = Number(request.fields.find(([name]) => name === 'X-Id')?.[1])
      const body = id % 2 === 0 ? made(id) : chunked(made(id).subarray(0, 5), made(id).subarray(5))
      const framing = id % 2 === 0 ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked'
      const all = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nX-Id: ${id}\r\n${framing}\r\n\r\n`), body])
      // The head in pieces, sometimes byte by byte; then the body as the socket takes it.
      const cut = id % 3 === 0 ? 60 : 20
      for (let at = 0; at < cut; at += id % 3 === 0 ? 1 : 20)
        socket.write(all.subarray(at, at + (id % 3 === 0 ? 1 : 20)))
      setImmediate(() => socket.write(all.subarray(cut)))
    })
    await Promise.all(
      Array.from({ length: 14 }, async (_, one) => {
        const socket = await world.open()
        for (let round = 0; round < 6; round++) {
          const id = round * 14 + one
          const reading = readAnswer(socket)
          socket.write(requestHead(world, { fields: { 'X-Id': String(id) } }))
          if (id % 4 === 0) {
            socket.pause()
            setTimeout(() => socket.resume(), 30)
          }
          const answer = await reading
          assert.equal(answer.field('x-id'), String(id))
          const body = id % 2 === 0 ? answer.body : payload(answer.body)
          assert.ok(body.equals(made(id)), `the body of ${id}`)
        }
      }),
    )
    assert.equal(world.audit.records.length, 84)
  })
})

describe('faults of our own', () => {
  it('cost one answer, and the connection', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const { permitting } = world.agreements
    world.agreements.permitting = () => {
      throw new Error('broken')
    }
    const answer = await ask(world, requestHead(world))
    assert.equal(answer.status, 500)
    assert.equal(JSON.parse(answer.body.toString()).issue[0].diagnostics, 'Internal Server Error')
    assert.equal(world.audit.records.length, 1)
    world.agreements.permitting = permitting
    assert.equal((await ask(world, requestHead(world))).status, 200)
  })
})

describe('answers without a body', () => {
  for (const status of [204, 304])
    it(`${status}`, async (t) => {
      const world = await testWorld(t, raw(`HTTP/1.1 ${status} X\r\nETag: W/"1"\r\n\r\n`))
      const socket = await world.open()
      for (let i = 0; i < 2; i++) {
        socket.write(requestHead(world))
        const answer = await readAnswer(socket)
        assert.equal(answer.status, status)
        assert.equal(answer.field('etag'), 'W/"1"')
      }
      assert.equal(world.provider.sockets.size, 1, 'the connection was used again')
    })
  it('to HEAD, where that verb is relayed', async (t) => {
    const world = await testWorld(t, raw('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n'), {
      config: { verbs: ['GET', 'HEAD'] },
    })
    const answer = await ask(world, requestHead(world, { method: 'HEAD' }), {}, 'HEAD')
    assert.equal(answer.field('content-length'), '500')
    assert.equal(answer.body.length, 0)
  })
})

describe('Expect: 100-continue', () => {
  it('is passed on, and so is the answer to it', async (t) => {
    const world = await testWorld(t, (request, socket) => answering(request.body)(request, socket), {
      provider: {
        onHead: (head, socket) => {
          if (head.fields().some(([name, value]) => name === 'Expect' && value === '100-continue'))
            socket.write('HTTP/1.1 100 Continue\r\n\r\n')
        },
      },
    })
    const socket = await world.open()
    const interim = once(socket, 'data')
    socket.write(requestHead(world, { method: 'POST', fields: { 'Content-Length': '4', Expect: '100-continue' } }))
    assert.match(String((await interim)[0]), /^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    const reading = readAnswer(socket)
    socket.write('body')
    const answer = await reading
    assert.equal(answer.body.toString(), 'body')
    assert.equal(world.audit.records.length, 1)
  })
  it('is answered with the refusal when the proxy refuses, and the connection ends', async (t) => {
    const world = await testWorld(t, answering('never'))
    const answer = await ask(
      world,
      requestHead(world, {
        method: 'POST',
        fields: { 'Content-Length': '4', Expect: '100-continue', 'Ssp-From': '200000000009' },
      }),
    )
    assert.equal(answer.status, 403)
    assert.equal(answer.field('connection'), 'close')
  })
  it('a final answer before the body: passed on, and neither connection is used again', async (t) => {
    const world = await testWorld(t, answering('never'), {
      provider: { onHead: (_head, socket) => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno') },
    })
    const answer = await ask(
      world,
      requestHead(world, { method: 'POST', fields: { 'Content-Length': '4000000', Expect: '100-continue' } }),
    )
    assert.equal(answer.status, 413)
    assert.equal(answer.body.toString(), 'no')
    assert.equal(answer.field('connection'), 'close')
    await oneRecord(world, 'relayed', 413)
  })
  it('an interim answer that nobody asked for is not passed on', async (t) => {
    const world = await testWorld(t, raw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    assert.equal((await ask(world, requestHead(world))).body.toString(), 'ok')
  })
})

describe('providers that fail', () => {
  const communicating = (world: World) =>
    `ERROR_COMMUNICATING_TO_ENDPOINT_URL_${world.endpoint}/Patient?identifier=a%7Cb`
  const failure = async (world: World, status: number, says: RegExp) => {
    const answer = await ask(world, requestHead(world))
    assert.equal(answer.status, status)
    assert.equal(JSON.parse(answer.body.toString()).issue[0].diagnostics, communicating(world))
    await oneRecord(world, 'failed', status, says)
  }

  it('down: 502', async (t) => {
    const world = await testWorld(t, answering('never'))
    world.provider.close()
    await failure(world, 502, /ECONNREFUSED.*Is the provider running/)
  })
  it('unknown name: 502', async (t) => {
    const world = await testWorld(t, answering('never'), { config: { hosts: [] } })
    await failure(world, 502, /ENOTFOUND|EAI_AGAIN/)
  })
  it('silent: 504', async (t) => {
    const world = await testWorld(t, () => {}, { config: { answerSeconds: 0.1 } })
    await failure(world, 504, /did not begin its answer/)
    for (const socket of world.provider.sockets) await closed(socket)
  })
  it('silent in the handshake: 504', async (t) => {
    const world = await testWorld(t, answering('never'), { config: { connectSeconds: 0.1 } })
    const { createServer } = await import('node:net')
    const mute = createServer(() => {})
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    t.after(() => mute.close())
    const address = mute.address()
    const endpoint = `https://gp.example.test:${typeof address === 'object' && address ? address.port : 0}/x`
    world.directory.handlers.splice(0, 1, { ...(world.directory.handlers[0] ?? assert.fail()), endpoints: [endpoint] })
    const answer = await ask(world, requestHead(world, { target: `/${endpoint}/y` }))
    assert.equal(answer.status, 504)
    await oneRecord(world, 'failed', 504, /CONNECT_TIMEOUT/)
  })
  for (const [why, bytes] of [
    ['not HTTP', 'SSH-2.0-x\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['length and chunked', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 1\n\na'],
    ['switching protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['bad first chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ] as const)
    it(`${why}: 502`, async (t) => failure(await testWorld(t, raw(bytes)), 502, /sound HTTP|interim/))

  it('closing before the answer: 502, never repeated', async (t) => {
    let requests = 0
    const world = await testWorld(t, (_request, socket) => {
      requests++
      socket.end()
    })
    await failure(world, 502, /before it answered/)
    assert.equal(requests, 1)
  })

  const died = async (world: World, length: number) => {
    const answer = await ask(world, requestHead(world))
    assert.equal(answer.status, 200)
    assert.equal(answer.complete, false)
    assert.equal(answer.closed, true)
    assert.equal(answer.body.length, length)
    await oneRecord(world, 'failed', 502, /broke within the body|sound HTTP/)
  }
  it('dying within a counted body: the consumer’s connection is cut', async (t) => {
    const world = await testWorld(t, (_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', () => setImmediate(() => socket.destroy()))
    })
    await died(world, 3)
  })
  it('ending within a chunked body: the consumer’s connection is cut', async (t) => {
    const world = await testWorld(t, (_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () =>
        setImmediate(() => socket.end()),
      )
    })
    await died(world, 8)
  })
  it('sending a bad chunk later: the consumer’s connection is cut', async (t) => {
    const world = await testWorld(t, (_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () =>
        setTimeout(() => socket.write('zz\r\n'), 20),
      )
    })
    await died(world, 8)
  })
  it('pausing within a body that nothing but the connection ends: the consumer can tell that it is not whole', async (t) => {
    const world = await testWorld(t, raw('HTTP/1.1 200 OK\r\n\r\nabc'), { config: { idleSeconds: 0.1 } })
    const answer = await ask(world, requestHead(world))
    assert.deepEqual(
      [answer.status, answer.field('transfer-encoding'), answer.body.toString(), answer.complete, answer.closed],
      [200, 'chunked', '3\r\nabc\r\n', false, true],
    )
    await oneRecord(world, 'failed', 504, /paused within the body/)
  })
  it('pausing within a body: cut after the limit', async (t) => {
    const world = await testWorld(t, raw('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'), {
      config: { idleSeconds: 0.1 },
    })
    const answer = await ask(world, requestHead(world))
    assert.equal(answer.complete, false)
    await oneRecord(world, 'failed', 504, /paused within the body/)
  })
  it('sending bytes beyond the answer: the answer counts, the connection does not', async (t) => {
    const world = await testWorld(
      t,
      raw('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    )
    const socket = await world.open()
    for (let i = 0; i < 2; i++) {
      socket.write(requestHead(world))
      assert.equal((await readAnswer(socket)).body.toString(), 'ok')
    }
  })
  it('sending bytes unasked on an idle connection: it is dropped', async (t) => {
    const world = await testWorld(t, answering('ok'))
    const socket = await world.open()
    socket.write(requestHead(world))
    await readAnswer(socket)
    const [kept] = world.provider.sockets
    assert.ok(kept)
    const gone = closed(kept)
    kept.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
    await gone
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).body.toString(), 'ok')
  })
  it('asking to close: their connection is not used again, the consumer’s is', async (t) => {
    const world = await testWorld(t, answering('ok', 'Connection: close\r\n'))
    const socket = await world.open()
    socket.write(requestHead(world))
    const [first] = [(await readAnswer(socket)).field('connection')]
    assert.equal(first, undefined)
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 200)
  })
  it('a GET that met a closed kept connection is repeated once, where the operator wants it', async (t) => {
    let requests = 0
    const world = await testWorld(
      t,
      (request, socket) => {
        if (++requests === 2) socket.destroy()
        else answering('ok')(request, socket)
      },
      { config: { repeatStale: true } },
    )
    const socket = await world.open()
    for (let i = 0; i < 2; i++) {
      socket.write(requestHead(world))
      assert.equal((await readAnswer(socket)).status, 200)
    }
    assert.equal(requests, 3)
    assert.equal(world.audit.records.length, 2)
  })
})

describe('consumers that go away', () => {
  it('take the request to the provider with them: 499', async (t) => {
    let asked: () => void = () => {}
    const reached = new Promise<void>((resolve) => {
      asked = resolve
    })
    const world = await testWorld(t, () => asked())
    const socket = await world.open()
    socket.write(requestHead(world))
    await reached
    const [upstream] = world.provider.sockets
    assert.ok(upstream)
    const gone = closed(upstream)
    socket.destroy()
    await gone
    await oneRecord(world, 'consumer-left', 499)
  })
  it('within an answer: the provider is let go', async (t) => {
    const world = await testWorld(t, raw('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabc'))
    const socket = await world.open()
    const data = once(socket, 'data')
    socket.write(requestHead(world))
    await data
    const [upstream] = world.provider.sockets
    assert.ok(upstream)
    const gone = closed(upstream)
    socket.destroy()
    await gone
    await oneRecord(world, 'consumer-left', 499)
  })
  it('while they wait for a connection leave the queue', async (t) => {
    const held: (() => void)[] = []
    const world = await testWorld(t, (request, socket) => held.push(() => answering('ok')(request, socket)), {
      config: { upstreamConnections: 1 },
    })
    const first = await world.open()
    const answered = readAnswer(first)
    first.write(requestHead(world))
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const second = await world.open()
    second.write(requestHead(world))
    await new Promise((resolve) => setTimeout(resolve, 20))
    second.destroy()
    await world.audit.reached(1)
    assert.equal(world.audit.last()['status'], 499)
    held[0]?.()
    assert.equal((await answered).status, 200)
    assert.equal(held.length, 1, 'the request of the one who left was never sent')
  })
})
