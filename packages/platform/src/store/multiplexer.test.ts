import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { errorResponse, FrameReader, message, messageType, query, startup } from './frames.ts'
import { EngineBroken, Multiplexer } from './multiplexer.ts'

/** A session that only keeps count: `begin` opens a transaction, `commit` and `rollback` end it. */
function make() {
  const ran: string[] = []
  const sent: [number, string][] = []
  const ended: number[] = []
  let status = 'I'
  let now = 0
  const multiplexer = new Multiplexer({
    hello: Buffer.from('hello'),
    execute(bytes) {
      const text = Buffer.from(bytes)
        .toString('latin1')
        .replace(/[^ -~]/g, '')
      ran.push(text)
      if (text.includes('begin')) status = 'T'
      if (/commit|rollback/.test(text)) status = 'I'
      if (text.includes('disk'))
        return Buffer.concat([
          errorResponse('ERROR', '58030', 'x'),
          message(messageType.readyForQuery, Buffer.from('I')),
        ])
      return Buffer.concat([
        message(messageType.commandComplete, text),
        message(messageType.readyForQuery, Buffer.from(status)),
      ])
    },
    send: (client, bytes) => sent.push([client, Buffer.from(bytes).toString('latin1')]),
    end: (client) => ended.push(client),
    now: () => now,
    idleTransactionMs: 5_000,
  })
  const say = (client: number, ...bytes: Uint8Array[]) => {
    for (const one of bytes) multiplexer.receive(client, one)
    multiplexer.run()
  }
  for (const client of [1, 2, -3]) say(client, startup())
  sent.length = 0
  return { multiplexer, say, ran, sent, ended, wait: (ms: number) => (now += ms) }
}

test('a transaction has the session to itself, and the others get their turn in order', () => {
  const { say, ran } = make()
  say(1, query('begin'))
  say(2, query('two'))
  say(-3, query('three'))
  say(1, query('one'))
  assert.deepEqual(ran, ['Qbegin', 'Qone'])
  say(1, query('commit'))
  assert.deepEqual(
    ran.map((text) => text.slice(0, 6)),
    ['Qbegin', 'Qone', 'Qcommi', 'Qtwo', 'Qthree'],
  )
})

test('a statement is run in one piece however its bytes arrive', () => {
  const unit = Buffer.concat([
    message(messageType.parse, '', 'select 1', Buffer.alloc(2)),
    message(messageType.execute, '', 0),
    message(messageType.sync),
  ])
  const { say, ran } = make()
  for (const byte of unit) say(1, Buffer.from([byte]))
  assert.equal(ran.length, 1)
})

test('whoever leaves in a transaction is rolled back', () => {
  const { multiplexer, say, ran } = make()
  say(1, query('begin'))
  say(2, query('two'))
  multiplexer.leave(1)
  multiplexer.run()
  assert.deepEqual(ran, ['Qbegin', 'Qrollback', 'Qtwo'])
})

test('what a foreign client set for itself is discarded when it leaves', () => {
  const { multiplexer, say, ran } = make()
  say(1, query('begin'))
  multiplexer.leave(-3)
  multiplexer.run()
  assert.deepEqual(ran, ['Qbegin'])
  say(1, query('commit'))
  assert.deepEqual(ran, ['Qbegin', 'Qcommit', 'Qdiscard all'])
})

test('what was sent before a goodbye still runs', () => {
  const { multiplexer, say, ran, ended } = make()
  say(1, query('begin'))
  multiplexer.receive(2, Buffer.concat([query('two'), message(messageType.terminate), query('late')]))
  multiplexer.leave(2)
  say(1, query('commit'))
  assert.deepEqual(ran, ['Qbegin', 'Qcommit', 'Qtwo'])
  assert.deepEqual(ended, [2])
})

test('an idle transaction ends when others wait, not before', () => {
  const { multiplexer, say, ran, sent, ended, wait } = make()
  say(1, query('begin'))
  wait(60_000)
  multiplexer.guard()
  assert.deepEqual(ended, [])
  say(2, query('two'))
  multiplexer.guard()
  assert.deepEqual(ended, [1])
  assert.ok(sent.some(([client, text]) => client === 1 && text.includes('C25P03')))
  assert.deepEqual(ran, ['Qbegin', 'Qrollback', 'Qtwo'])
})

test('rows of a COPY reach the engine together with it', () => {
  const { say, ran, sent } = make()
  say(1, query('COPY person (id, name) FROM STDIN;'))
  assert.equal(ran.length, 0)
  assert.deepEqual(sent.splice(0), [[1, 'G\0\0\0\x07\0\0\0']])
  say(2, query('two'))
  say(1, message(messageType.copyData, Buffer.from('1\tx\n')))
  say(1, message(messageType.copyDone))
  assert.equal(ran.length, 2)
  assert.equal(ran[0], 'Qtwo')
  assert.match(ran[1] ?? '', /COPY person.*1x/)
})

test('every other COPY that wants rows is told that there are none', () => {
  const { say, ran } = make()
  const failed = 'COPY FROM STDIN is possible only'
  say(1, query('select 1; copy person from stdin'))
  say(1, message(messageType.parse, 'name', 'copy person from stdin', Buffer.alloc(2)), message(messageType.sync))
  say(-3, message(messageType.execute, '', 0), message(messageType.sync))
  assert.equal(ran.length, 3)
  for (const text of ran) assert.ok(text.includes(failed), text)
  say(1, message(messageType.execute, '', 0), message(messageType.sync))
  assert.ok(!ran[3]?.includes(failed))
})

test('after an input/output error nothing is answered', () => {
  const { multiplexer, sent } = make()
  multiplexer.receive(1, query('disk'))
  assert.throws(() => multiplexer.run(), EngineBroken)
  assert.deepEqual(sent, [])
})

test('frames do not depend on how the bytes were cut', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(30), { minLength: 1, maxLength: 30 }), (parts, cuts) => {
      const frames = parts.map((part) => message(messageType.copyData, part))
      const bytes = Buffer.concat(frames)
      const reader = new FrameReader(100)
      reader.begin()
      const read: Uint8Array[] = []
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const end = at + 1 + (cuts[turn % cuts.length] ?? 0)
        reader.push(bytes.subarray(at, end))
        at = end
        for (let frame = reader.next(); frame; frame = reader.next()) read.push(frame)
      }
      assert.deepEqual(
        read.map((frame) => Buffer.from(frame)),
        frames,
      )
      assert.equal(reader.rest.length, 0)
    }),
  )
  const small = new FrameReader(10)
  small.begin()
  small.push(message(messageType.copyData, Buffer.alloc(20)))
  assert.throws(() => small.next(), RangeError)
})
