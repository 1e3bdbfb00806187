import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { readAnswer, requestHead, testWorld } from '../testing.ts'
import { readInto } from './shared-read.ts'

describe('one buffer that all consumers are read into', () => {
  it('can be set on the sockets of this Node: otherwise the relay is as right, but slower', async (t) => {
    const { trust } = await testWorld(t, () => {})
    const leaf = await trust.issue({ fqdn: 'localhost' })
    const server = createServer({ cert: `${leaf.certificate}\n${leaf.chain}`, key: leaf.key }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const mine = connect({
      port: (server.address() as { port: number }).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    })
    t.after(() => mine.destroy())
    const [socket] = (await once(server, 'secureConnection')) as [TLSSocket]
    t.after(() => socket.destroy())
    const buffer = Buffer.alloc(4)
    const pieces: string[] = []
    const whole = new Promise<void>((resolve) => {
      const set = readInto(socket, buffer, (piece) => {
        assert.equal(piece.buffer, buffer.buffer)
        pieces.push(piece.toString())
        if (pieces.join('') === 'abcdefghij') resolve()
      })
      assert.equal(set, true)
    })
    socket.resume()
    mine.write('abcdefghij')
    await whole
    assert.deepEqual(pieces, ['abcd', 'efgh', 'ij'])
    mine.end()
    await once(socket, 'end')
  })

  it('mixes nothing up when many connections send, wait and are answered at once', async (t) => {
    const world = await testWorld(
      t,
      ({ body }, socket) => {
        // Later than the next consumers are read, and in pieces that end anywhere.
        const half = body.length >> 1
        setImmediate(() => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
          socket.write(body.subarray(0, half))
          setImmediate(() => socket.write(body.subarray(half)))
        })
      },
      // Fewer connections than consumers: some bodies are kept until one is free.
      { config: { upstreamConnections: 2 } },
    )
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const socket = await world.open()
        for (let round = 0; round < 6; round++) {
          const body = randomBytes(1 + Math.floor(Math.random() * 150_000))
          const answer = readAnswer(socket, 'POST')
          const head = requestHead(world, { method: 'POST', fields: { 'Content-Length': String(body.length) } })
          const cut = Math.floor(Math.random() * 2000)
          const bytes = Buffer.concat([Buffer.from(head), body])
          socket.write(bytes.subarray(0, cut))
          socket.write(bytes.subarray(cut))
          assert.equal(Buffer.compare((await answer).body, body), 0)
        }
      }),
    )
    assert.equal(world.audit.records.length, 48)
  })
})
