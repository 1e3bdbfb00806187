import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fieldNames, HeadReader } from './http1.ts'
import { message, mutated } from './samples.test-kit.ts'

const names = fieldNames({
  single: ['authorization', 'ssp-from'],
  wanted: ['accept', 'date', 'x'],
  varying: ['authorization', 'date', 'x'],
})
const ids = ['host', 'content-length', 'authorization', 'ssp-from', 'accept', 'date', 'x'].map((name) => names.id(name))

/** Everything that a reader tells of a head. */
function told(head: HeadReader, bytes: Buffer) {
  const done = head.read(Buffer.from(bytes))
  if (!done || head.fault !== undefined) return { done, fault: head.fault?.code }
  return {
    done,
    method: head.method,
    status: head.status,
    target: head.target,
    reason: head.reason,
    body: head.body,
    contentLength: head.contentLength,
    close: head.close,
    length: head.length,
    received: head.received,
    rest: head.rest.toString('latin1'),
    fields: head.fields(),
    values: ids.map((id) => [head.value(id), head.has(id)]),
    rebuilt: head.rebuild('S\r\n', 'E\r\n', head.rest).toString('latin1'),
  }
}

/** The second head after the first, and alone, must be told alike. */
function alike(kind: 'request' | 'response', heads: readonly Buffer[]): void {
  const kept = new HeadReader(kind, names)
  for (const bytes of heads) {
    assert.deepEqual(told(kept, bytes), told(new HeadReader(kind, names), bytes), bytes.toString('latin1'))
    kept.begin()
  }
}

const value = fc.stringMatching(/^(?:[\x20-\x7e\t\xa0-\xff]{0,40}|[0-9]{1,3}|[\x00-\x20\x7f\xff:a]{0,6})$/)
const target = fc.stringMatching(/^\/?[\x20-\x7f]{0,20}$/)
const field = fc.constantFrom('Authorization', 'date', 'X', 'Content-Length', 'Accept', 'Connection', 'Ssp-From')
const space = fc.constantFrom('', ' ', '\t', '  ')

/** Heads with the same lines, of which some values and the target differ. */
const family = (start: (target: string) => string) =>
  fc.array(fc.tuple(field, space, space), { maxLength: 6 }).chain((lines) =>
    fc.array(
      fc
        .tuple(target, fc.array(value, { minLength: lines.length, maxLength: lines.length }), fc.boolean())
        .map(([target, values, same]) =>
          Buffer.from(
            `${start(same ? '/a' : target)}Host: h\r\n${lines
              .map(([name, before, after], i) => `${name}:${before}${same ? '1' : values[i]}${after}\r\n`)
              .join('')}\r\nabc`,
            'latin1',
          ),
        ),
      { minLength: 2, maxLength: 5 },
    ),
  )

describe('a head after another one of the same connection', () => {
  const ok = 'GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\nDate: 2\r\nAccept: b\r\n\r\n'

  it('is read as if it were the first, whatever the other was', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(message(), mutated()), { minLength: 2, maxLength: 4 }), (heads) =>
        alike('request', heads),
      ),
      { numRuns: 500 },
    )
  })

  it('is read as if it were the first when it has the same lines', () => {
    fc.assert(
      fc.property(
        family((target) => `GET ${target} HTTP/1.1\r\n`),
        (heads) => alike('request', heads),
      ),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(
        family((reason) => `HTTP/1.1 200 ${reason}\r\n`),
        (heads) => alike('response', heads),
      ),
      { numRuns: 2000 },
    )
  })

  it('is refused for what stands in a varying value', () => {
    for (const bad of [
      'a\rb',
      'a\nb',
      'a\0b',
      'a\x7fb',
      'abcdefgh\x1f',
      'abcdefgh\x7fabcdefgh',
      '1\r\nHost: i',
      '1\r\n y',
      '1\r\n\r\nGET',
    ])
      alike(
        'request',
        [ok, ok.replace('X: 1', `X: ${bad}`), ok].map((text) => Buffer.from(text, 'latin1')),
      )
  })

  it('is read in pieces after one that came whole', () => {
    const whole = new HeadReader('request', names)
    for (let cut = 0; cut <= ok.length; cut++) {
      assert.equal(whole.read(Buffer.from(ok)), true)
      whole.begin()
      const done = whole.read(Buffer.from(ok.slice(0, cut)))
      assert.equal(done, cut === ok.length)
      if (!done) assert.equal(whole.read(Buffer.from(ok.slice(cut))), true)
      assert.deepEqual(whole.fields().at(-1), ['Accept', 'b'])
      assert.equal(whole.target, '/a')
      whole.begin()
    }
  })

  it('keeps what it says when the buffer that was read from is used again', () => {
    const head = new HeadReader('request', names)
    const shared = Buffer.from(ok)
    assert.equal(head.read(shared), true)
    shared.fill(0)
    assert.equal(head.value(names.id('accept')), 'b')
    assert.equal(head.rebuild('', '').toString(), 'X: 1\r\nDate: 2\r\nAccept: b\r\n\r\n')
  })
})
