import assert from 'node:assert/strict'
import {
  fdatasyncSync,
  ftruncateSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { manualClock } from '../clock.ts'
import { silentLog } from '../testing/testing.ts'
import { WrittenFacts } from './audit.ts'
import { type JournalFiles, openJournal } from './journal.ts'
import { type AuditLine, chainSeed, lineText, recordHash } from './line.ts'
import { findJournals, openSegment } from './segment.ts'

const now = Date.UTC(2026, 10, 20)
const real: JournalFiles = {
  write: (fd, bytes, offset, length) => writeSync(fd, bytes, offset, length),
  truncate: ftruncateSync,
  sync: async (fd) => fdatasyncSync(fd),
}

function openIn(t: TestContext, options: { files?: JournalFiles; disk?: boolean; segmentBytes?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'openspine-journal-'))
  const groups: number[] = []
  const clock = manualClock(now)
  const journal = openJournal({
    folder,
    chain: 'c',
    clock,
    log: silentLog(),
    durability: options.disk ? 'disk' : 'process',
    segmentBytes: options.segmentBytes ?? 1 << 20,
    onWritten: (records) => groups.push(records),
    files: options.files ?? real,
  })
  t.after(async () => {
    await journal.close()
    journal.abandon()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, journal, groups, clock }
}

const record = (number: number, facts: Record<string, unknown> = {}) => ({
  event: 'test',
  at: now,
  facts: { number, ...facts },
})

/** Everything that the files acknowledge, checked to be one unbroken chain. */
async function readBack(folder: string): Promise<AuditLine[]> {
  const { journals } = await findJournals(folder, now)
  const lines: AuditLine[] = []
  for (const segment of journals.flatMap(({ segments }) => segments)) {
    const open = await openSegment(segment)
    assert.ok(open)
    for await (const { line } of open.lines()) {
      assert.ok(line)
      assert.equal(line.seq, lines.length + 1)
      assert.equal(line.hash, recordHash(lines.at(-1)?.hash ?? chainSeed('c'), lineText(line)))
      lines.push(line)
    }
    await open.close()
  }
  return lines
}

const numbers = (lines: readonly AuditLine[]) => lines.map(({ facts }) => JSON.parse(facts).number as number)

test('records of one turn are one write, in the order of the calls, and acknowledged only then', async (t) => {
  let writes = 0
  const { folder, journal, groups } = openIn(t, {
    files: {
      ...real,
      write(...given) {
        writes++
        return real.write(...given)
      },
    },
  })
  writes = 0
  const acknowledged: number[] = []
  const all = Array.from({ length: 50 }, (_, number) =>
    journal.append(record(number)).then(() => acknowledged.push(number)),
  )
  assert.equal(writes, 0)
  assert.equal(journal.head().seq, 0)
  await Promise.all(all)
  assert.equal(writes, 1)
  assert.deepEqual(groups, [50])
  assert.deepEqual(acknowledged, [...all.keys()])
  assert.deepEqual(numbers(await readBack(folder)), [...all.keys()])
  await journal.append(record(50))
  assert.deepEqual(groups, [50, 1])
})

test('a record that cannot be written down is refused alone', async (t) => {
  const { folder, journal } = openIn(t)
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  const results = await Promise.allSettled([
    journal.append(record(0)),
    journal.append({ event: 'test', at: now, facts: circle }),
    journal.append({ event: 'no spaces', at: now, facts: {} }),
    journal.append({ event: 'test', at: Number.NaN, facts: {} }),
    journal.append(record(1, { long: 'x'.repeat(300_000) })),
    journal.append(record(2)),
  ])
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? result.reason.code : 'written')),
    ['written', ...Array.from({ length: 4 }, () => 'AUDIT_RECORD_INVALID'), 'written'],
  )
  assert.deepEqual(numbers(await readBack(folder)), [0, 2])
})

test('short writes are continued; a failed write is taken back and refuses its group only', async (t) => {
  let failing = false
  const { folder, journal } = openIn(t, {
    files: {
      ...real,
      write(fd, bytes, offset, length) {
        if (failing && offset > 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        return real.write(fd, bytes, offset, Math.min(length, 100))
      },
    },
  })
  await journal.append(record(0))
  failing = true
  await assert.rejects(journal.append(record(1)), { code: 'AUDIT_UNAVAILABLE' })
  failing = false
  await journal.append(record(2))
  assert.deepEqual(numbers(await readBack(folder)), [0, 2])
})

test('when a failed write cannot be taken back, the next file says what counts', async (t) => {
  let failing = false
  const { folder, journal } = openIn(t, {
    files: {
      ...real,
      write(fd, bytes, offset, length) {
        if (!failing) return real.write(fd, bytes, offset, length)
        real.write(fd, bytes, offset, length - 10) // several whole records and a torn one
        throw Object.assign(new Error('input/output error'), { code: 'EIO' })
      },
      truncate() {
        throw Object.assign(new Error('input/output error'), { code: 'EIO' })
      },
    },
  })
  await journal.append(record(0))
  failing = true
  const refused = await Promise.allSettled([1, 2, 3].map((number) => journal.append(record(number))))
  assert.ok(refused.every(({ status }) => status === 'rejected'))
  failing = false
  await journal.append(record(4))
  assert.equal(readdirSync(folder).length, 2)
  assert.deepEqual(numbers(await readBack(folder)), [0, 4])
})

test('durability "disk" acknowledges after a fdatasync that began after the write, one in flight at a time', async (t) => {
  const started: PromiseWithResolvers<void>[] = []
  let inFlight = 0
  const { journal } = openIn(t, {
    disk: true,
    files: {
      ...real,
      async sync() {
        assert.equal(++inFlight, 1)
        const turn = Promise.withResolvers<void>()
        started.push(turn)
        await turn.promise
        inFlight--
      },
    },
  })
  const done: string[] = []
  const first = journal.append(record(0)).then(() => done.push('first'))
  await turnOfLoop()
  assert.equal(started.length, 1)
  const second = journal.append(record(1)).then(() => done.push('second'))
  await turnOfLoop()
  assert.deepEqual(done, [])
  assert.equal(started.length, 1)
  started[0]?.resolve()
  await first
  while (started.length < 2) await turnOfLoop() // the folder's own fsync lies between
  assert.deepEqual(done, ['first'])
  started[1]?.resolve()
  await second
  assert.deepEqual(done, ['first', 'second'])
  const closed = journal.close()
  started[2]?.resolve()
  await closed
})

test('a failed fdatasync refuses what waited for it and moves on to another file', async (t) => {
  let failing = true
  const { folder, journal } = openIn(t, {
    disk: true,
    files: {
      ...real,
      async sync(fd) {
        if (failing) throw Object.assign(new Error('input/output error'), { code: 'EIO' })
        await real.sync(fd)
      },
    },
  })
  await assert.rejects(journal.append(record(0)), { code: 'AUDIT_UNAVAILABLE' })
  failing = false
  await journal.append(record(1))
  assert.equal(readdirSync(folder).length, 2)
  assert.deepEqual(numbers(await readBack(folder)), [0, 1])
})

test('files give way to the next at their size, and go when released; removal under the writer is noticed', async (t) => {
  const { folder, journal, clock } = openIn(t, { segmentBytes: 1_000 })
  for (let number = 0; number < 20; number++) await journal.append(record(number))
  const before = readdirSync(folder).length
  assert.ok(before > 2)
  assert.equal((await readBack(folder)).length, 20)
  await journal.release(20)
  assert.equal(readdirSync(folder).length, 1)
  for (const name of readdirSync(folder)) unlinkSync(join(folder, name))
  clock.advance(60_000)
  await journal.append(record(20))
  assert.equal(readdirSync(folder).length, 1)
  assert.match(readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8'), /"number":20/)
})

test('a large group goes out before its turn ends, in order', async (t) => {
  const { folder, journal, groups } = openIn(t)
  const long = 'ß'.repeat(60_000)
  await Promise.all(Array.from({ length: 40 }, (_, number) => journal.append(record(number, { long }))))
  assert.ok(groups.length > 1)
  assert.deepEqual(numbers(await readBack(folder)), [...Array(40).keys()])
})

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}

test('facts that come in parts, as text and as bytes, are one line like any other', async (t) => {
  const { folder, journal } = openIn(t)
  const parts = ['{"number":', Buffer.from('1,"name":"é'), 'ü–"', Buffer.from('}')]
  const written = { event: 'test', at: now, trace: 'é', facts: new WrittenFacts(...parts) }
  assert.equal(written.facts.json, '{"number":1,"name":"éü–"}')
  await journal.append(written)
  await journal.append(record(2))
  for (const broken of [
    new WrittenFacts('{"a":1'),
    new WrittenFacts('{', Buffer.from('"a":1}'), ' '),
    new WrittenFacts(),
  ])
    await assert.rejects(journal.append({ ...written, facts: broken }), { code: 'AUDIT_RECORD_INVALID' })
  const lines = await readBack(folder)
  assert.deepEqual(
    lines.map(({ facts }) => facts),
    ['{"number":1,"name":"éü–"}', '{"number":2}'],
  )
})
