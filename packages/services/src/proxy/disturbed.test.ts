import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answering, ask, readAnswer, requestHead, testWorld } from './testing.ts'

/** The same numbers in every run, so that a failure can be met again. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pieces = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  '0',
  'ffff\r\n',
  'Content-Length: 7\r\n',
  'Transfer-Encoding: chunked\r\n',
  '\x80',
  '%',
  '/../',
  'HTTP/1.1',
]

/** One or two things inserted, removed or replaced. */
function disturb(bytes: Buffer, random: (below: number) => number): Buffer {
  let made = bytes
  for (let times = 1 + random(2); times > 0; times--) {
    const at = random(made.length)
    const piece = Buffer.from(pieces[random(pieces.length)] ?? '', 'latin1')
    const how = random(3)
    made = Buffer.concat([
      made.subarray(0, at),
      how === 0 ? Buffer.alloc(0) : piece,
      made.subarray(how === 1 ? at : at + 1),
    ])
  }
  return made
}

describe('disturbed bytes', () => {
  it('from consumers: an answer or a close, one record for each answer, and the proxy goes on', async (t) => {
    const world = await testWorld(t, (request, socket) => answering(request.body)(request, socket), {
      config: { headSeconds: 0.3, bodySeconds: 0.3 },
    })
    const random = numbers(7)
    const counted = Buffer.from(`${requestHead(world, { method: 'POST', fields: { 'Content-Length': '5' } })}hello`)
    const chunked = Buffer.from(
      `${requestHead(world, { method: 'POST', fields: { 'Transfer-Encoding': 'chunked' } })}5\r\nhello\r\n0\r\n\r\n`,
    )
    const seen = new Map<number, number>()
    let answers = 0
    for (let group = 0; group < 10; group++)
      await Promise.all(
        Array.from({ length: 16 }, async (_, one) => {
          const bytes = disturb(one % 2 === 0 ? counted : chunked, random)
          const status = await ask(world, bytes).then(
            (answer) => answer.status,
            () => 0,
          )
          if (status > 0) answers++
          seen.set(status, (seen.get(status) ?? 0) + 1)
        }),
      )
    for (const status of seen.keys()) assert.ok([0, 200, 400, 403, 405, 431, 495].includes(status), String(status))
    assert.ok((seen.get(400) ?? 0) > 50, JSON.stringify([...seen]))
    assert.ok(world.audit.records.length >= answers)
    assert.equal((await ask(world, counted)).body.toString(), 'hello')
  })

  it('from providers: relayed, refused or cut off, never taken for whole, and never a mixture with the next', async (t) => {
    const random = numbers(11)
    let bytes: Buffer = Buffer.alloc(0)
    const world = await testWorld(t, (_request, socket) => socket.write(bytes), {
      config: { answerSeconds: 0.2, idleSeconds: 0.2 },
    })
    const socket = { current: await world.open() }
    const answers = [
      'HTTP/1.1 200 OK\r\nX-Mark: MARK\r\nContent-Length: 30\r\n\r\nMARKMARKMARKMARKMARKMARKMARKMA',
      'HTTP/1.1 200 OK\r\nX-Mark: MARK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nMARKMARK\r\n4\r\nMARK\r\n0\r\n\r\n',
    ]
    let whole = 0
    for (let i = 0; i < 120; i++) {
      const mark = `m${String(i).padStart(3, '0')}`
      bytes = disturb(
        Buffer.from((answers[i % 2] ?? '').replaceAll('MARK', mark).replaceAll('MA', mark.slice(0, 2))),
        random,
      )
      const reading = readAnswer(socket.current)
      socket.current.write(requestHead(world))
      const answer = await reading
      if (answer.status === 200 && answer.complete) {
        whole++
        const other = /m\d{3}/.exec(answer.body.toString().replaceAll(mark, ''))
        assert.equal(other, null, `an answer of another request within that of ${mark}`)
      }
      assert.equal(world.audit.records.length, i + 1, 'one record each')
      if (answer.closed || answer.field('connection') === 'close') {
        socket.current.destroy()
        socket.current = await world.open()
      }
    }
    assert.ok(whole > 10 && whole < 120, `${whole} came whole`)
  })
})
