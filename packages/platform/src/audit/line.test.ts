import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuditRecord } from './audit.ts'
import { chainSeed, lineText, readLine, recordFacts, recordHash, recordStart, storedRecord } from './line.ts'

const recordText = (seq: number, record: AuditRecord) => recordStart(seq, record) + recordFacts(record).join('')

const facts = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
const records: fc.Arbitrary<AuditRecord> = fc.record(
  {
    event: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    at: fc.maxSafeInteger(),
    trace: fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant('\\N'), fc.constant('')),
    facts,
  },
  { requiredKeys: ['event', 'at', 'facts'] },
)

test('a record comes back as it was written, whatever is in it', () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (record, seq) => {
      const text = recordText(seq, record)
      const hash = recordHash(chainSeed('c'), text)
      const written = `${hash}\t${text}`
      assert.doesNotMatch(written, /[\n\r\0]/)
      const line = readLine(written)
      assert.ok(line)
      assert.equal(lineText(line), text)
      const expected = { chain: 'c', seq, hash, ...record, facts: JSON.parse(JSON.stringify(record.facts)) }
      assert.deepEqual(storedRecord('c', line), expected)
    }),
  )
})

test('what is no record line is not read', () => {
  const text = recordText(1, { event: 'e', at: 0, facts: {} })
  const good = `${recordHash(chainSeed('c'), text)}\t${text}`
  assert.ok(readLine(good))
  for (const bad of ['', good.slice(1), good.slice(0, -1), `${good}\t`, good.replaceAll('\t', ' '), `${good}\n`, 'x'])
    assert.equal(readLine(bad), undefined, JSON.stringify(bad))
})

test('a hash binds chain, place, time, event, trace, facts and everything before', () => {
  const base: AuditRecord = { event: 'e', at: 5, trace: 't', facts: { a: 1 } }
  const hash = (chain: string, seq: number, record: AuditRecord) =>
    recordHash(chainSeed(chain), recordText(seq, record))
  const { trace: _, ...traceless } = base
  const all = [
    hash('c', 1, base),
    hash('d', 1, base),
    hash('c', 2, base),
    hash('c', 1, { ...base, at: 6 }),
    hash('c', 1, { ...base, event: 'f' }),
    hash('c', 1, { ...base, trace: 'u' }),
    hash('c', 1, { ...base, trace: '' }),
    hash('c', 1, traceless),
    hash('c', 1, { ...base, facts: { a: 2 } }),
  ]
  assert.equal(new Set(all).size, all.length)
})
