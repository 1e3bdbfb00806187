import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { manualClock, systemRandom } from '../clock.ts'
import type { Store } from '../store/store.ts'
import { forEachStore, silentLog } from '../testing/testing.ts'
import { openJournal } from './journal.ts'
import { chainSeed, lineText, recordHash } from './line.ts'
import { checkpointChain, openAudit, verifyAudit } from './open.ts'
import { recordsAfter } from './store.ts'
import { abandonedAt } from './writer.ts'

const now = Date.UTC(2026, 10, 20, 9)

forEachStore((openStore) => {
  let store: Store
  before(async () => {
    store = await openStore()
  })
  after(() => store.close())

  function folderFor(t: TestContext): string {
    const folder = mkdtempSync(join(tmpdir(), 'openspine-audit-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }
  const openIn = (journalDir: string) =>
    openAudit({ store, clock: manualClock(now), random: systemRandom, log: silentLog(), journalDir })
  const verifyIn = (journalDir: string) => verifyAudit({ store, journalDir, clock: manualClock(now) })
  const run = (statement: string, ...values: unknown[]) => store.pool.query(statement, values)

  /** Two closed chains of twelve records; answers the id of the first. */
  async function setUp(t: TestContext) {
    await store.pool.query('drop schema if exists audit cascade')
    const journalDir = folderFor(t)
    let chain = ''
    for (const writer of ['first', 'second']) {
      const audit = await openIn(journalDir)
      for (let number = 0; number < 10; number++)
        await audit.append({ event: 'e', at: now + number, trace: `${writer}-${number}`, facts: { number } })
      if (writer === 'first') chain = (await audit.find({ limit: 1 }))[0]?.chain ?? ''
      await audit.close()
    }
    assert.deepEqual(await verifyIn(journalDir), { ok: true, chains: 2, records: 24 })
    return { journalDir, chain }
  }

  const found = async (journalDir: string) => {
    const verdict = await verifyIn(journalDir)
    assert.equal(verdict.ok, false, 'verify must notice')
    return verdict as Extract<typeof verdict, { ok: false }>
  }

  for (const [column, value] of [
    ['facts', `'{"number":99}'`],
    ['at', 'at + 1'],
    ['event', `'f'`],
    ['trace', 'null'],
    ['hash', `repeat('0', 64)`],
  ])
    test(`a changed ${column} is named`, async (t) => {
      const { journalDir, chain } = await setUp(t)
      await run(`update audit.record set ${column} = ${value} where chain = $1 and seq = 5`, chain)
      const { reason, ...place } = await found(journalDir)
      assert.deepEqual(place, { ok: false, chain, seq: 5 })
      assert.match(reason, /^changed/)
    })

  test('a removed record, a cut tail and a removed chain are named', async (t) => {
    const { journalDir, chain } = await setUp(t)
    const cases: [string, number, RegExp][] = [
      ['seq = 5', 5, /^removed/],
      ['seq = 1', 1, /^removed/],
      ['seq > 8', 9, /^removed: the chain ends at 8, a checkpoint attests 12/],
      ['true', 1, /^removed: the whole chain/],
    ]
    for (const [which, seq, reason] of cases) {
      await run('create table audit.kept as select * from audit.record')
      await run(`delete from audit.record where chain = $1 and ${which}`, chain)
      const verdict = await found(journalDir)
      assert.deepEqual([verdict.chain, verdict.seq], [chain, seq], which)
      assert.match(verdict.reason, reason)
      await run('insert into audit.record select * from audit.kept on conflict do nothing')
      await run('drop table audit.kept')
      assert.equal((await verifyIn(journalDir)).ok, true)
    }
  })

  test('reordered records are named', async (t) => {
    const { journalDir, chain } = await setUp(t)
    await run('update audit.record set seq = -4 where chain = $1 and seq = 4', chain)
    await run('update audit.record set seq = 4 where chain = $1 and seq = 6', chain)
    await run('update audit.record set seq = 6 where chain = $1 and seq = -4', chain)
    const verdict = await found(journalDir)
    assert.deepEqual([verdict.chain, verdict.seq], [chain, 4])
  })

  /** As an attacker would who knows the format: consistent in itself from `from` on. */
  async function rewrite(chain: string, from: number, change: string): Promise<void> {
    await run(`update audit.record set facts = $3 where chain = $1 and seq = $2`, chain, from, change)
    let previous = chainSeed(chain)
    for (const line of await recordsAfter(store, { chain, seq: 0 }, 1_000)) {
      if (line.chain !== chain) continue
      previous = recordHash(previous, lineText(line))
      await run('update audit.record set hash = $3 where chain = $1 and seq = $2', chain, line.seq, previous)
    }
  }

  test('a chain rewritten consistently departs from its checkpoints', async (t) => {
    const { journalDir, chain } = await setUp(t)
    await rewrite(chain, 7, '{"number":7000}')
    const verdict = await found(journalDir)
    // Attested were place 1, at the start, and place 12, at the end.
    assert.deepEqual([verdict.chain, verdict.seq], [chain, 2])
    assert.match(verdict.reason, /rewritten between 2 and 12/)
  })

  test('a record added to a closed chain, and an added chain, are named', async (t) => {
    const { journalDir, chain } = await setUp(t)
    const append = async (to: string, seq: number, previous: string) => {
      const line = { seq, at: now, event: 'e', trace: undefined, facts: '{}', hash: '' }
      await run(
        `insert into audit.record (chain, seq, at, event, hash, facts) values ($1, $2, $3, 'e', $4, '{}')`,
        to,
        seq,
        now,
        recordHash(previous, lineText(line)),
      )
    }
    const { rows } = await run('select hash from audit.record where chain = $1 and seq = 12', chain)
    await append(chain, 13, rows[0].hash)
    const late = await found(journalDir)
    assert.deepEqual([late.chain, late.seq, late.reason], [chain, 13, 'added: the chain was closed at 12'])
    await run('delete from audit.record where chain = $1 and seq = 13', chain)
    await append('zz', 1, chainSeed('zz'))
    const added = await found(journalDir)
    assert.deepEqual([added.chain, added.seq], ['zz', 1])
    assert.match(added.reason, /^added/)
  })

  test('changed, removed, forged and cut-off checkpoints are named', async (t) => {
    const { journalDir } = await setUp(t)
    const cases: [string, number, RegExp][] = [
      [`update audit.checkpoint set body = replace(body, '"seq":12', '"seq":11') where seq = 3`, 3, /valid signature/],
      [
        `update audit.checkpoint set signature = (select signature from audit.checkpoint where seq = 1) where seq = 3`,
        3,
        /valid signature/,
      ],
      [`update audit.checkpoint set key = '0123456789abcdef' where seq = 3`, 3, /not among the trusted keys/],
      ['delete from audit.checkpoint where seq = 2', 2, /^removed/],
      ['delete from audit.checkpoint where seq >= 5', 5, /^removed: this machine has seen checkpoint 6/],
      ['delete from audit.checkpoint', 1, /^removed: this machine has seen/],
    ]
    for (const [statement, seq, reason] of cases) {
      await run('create table audit.kept as select * from audit.checkpoint')
      await run(statement)
      const verdict = await found(journalDir)
      assert.deepEqual([verdict.chain, verdict.seq], [checkpointChain, seq], statement)
      assert.match(verdict.reason, reason)
      await run('delete from audit.checkpoint')
      await run('insert into audit.checkpoint select * from audit.kept')
      await run('drop table audit.kept')
    }
    assert.equal((await verifyIn(journalDir)).ok, true)
  })

  test('whoever holds the database but another key cannot satisfy the auditor’s own copy of the key', async (t) => {
    const { journalDir } = await setUp(t)
    const name = readdirSync(journalDir).find((file) => file.endsWith('.pub.pem')) ?? ''
    const publicKey = readFileSync(join(journalDir, name), 'utf8')
    const clock = manualClock(now)
    assert.equal((await verifyAudit({ store, journalDir, clock, publicKey })).ok, true)
    const elsewhere = folderFor(t)
    const other = await openIn(elsewhere) // makes a key of its own
    await other.close()
    const verdict = await verifyAudit({ store, journalDir, clock, publicKey })
    assert.equal(verdict.ok, false)
    assert.match(verdict.ok ? '' : verdict.reason, /not among the trusted keys/)
  })

  /** The journal of a writer that has died before anything reached the store. */
  async function deadJournal(folder: string, records: number): Promise<string> {
    const journal = openJournal({
      folder,
      chain: 'dead',
      clock: manualClock(now),
      log: silentLog(),
      durability: 'process',
      segmentBytes: 1 << 20,
      onWritten: () => {},
    })
    for (let number = 0; number < records; number++)
      await journal.append({ event: 'e', at: now, trace: `dead-${number}`, facts: { number } })
    await journal.close()
    const path = journal.segments()[0]?.path ?? ''
    journal.abandon()
    return path
  }

  function change(path: string, edit: (text: string) => string): void {
    const text = readFileSync(path, 'latin1')
    const edited = edit(text)
    assert.notEqual(edited, text)
    writeFileSync(path, edited, 'latin1')
    utimesSync(path, abandonedAt, abandonedAt)
  }

  for (const [what, edit, seq] of [
    ['changed in the middle', (text: string) => text.replace('"number":4', '"number":9'), 5],
    ['made unreadable in the middle', (text: string) => text.replace('\te\tdead-4', '\xff\0\xfe'), 5],
    ['made unreadable at the end', (text: string) => text.replace(/.{40}\n$/, '\xff\n'), 10],
  ] as const)
    test(`a journal record ${what} is reported before and after the journal is taken over`, async (t) => {
      await store.pool.query('drop schema if exists audit cascade')
      const journalDir = folderFor(t)
      const path = await deadJournal(journalDir, 10)
      change(path, edit)
      const early = await found(journalDir)
      assert.deepEqual([early.chain, early.seq], ['dead', seq])
      const audit = await openIn(journalDir)
      const late = await audit.verify()
      assert.deepEqual(late.ok ? late : [late.chain, late.seq], ['dead', seq])
      assert.equal((await audit.find({ trace: 'dead-7', limit: 10 })).length, 1, 'the others are there')
      await audit.close()
    })

  test('a torn last line was never acknowledged: it is cut, and all is well', async (t) => {
    await store.pool.query('drop schema if exists audit cascade')
    const journalDir = folderFor(t)
    const path = await deadJournal(journalDir, 10)
    appendFileSync(path, 'abcdef0123\t11\t17')
    utimesSync(path, abandonedAt, abandonedAt)
    assert.deepEqual(await verifyIn(journalDir), { ok: true, chains: 1, records: 10 })
    const audit = await openIn(journalDir)
    const [recovered] = await audit.find({ event: 'audit.recovered', limit: 1 })
    assert.deepEqual(
      [recovered?.facts['chain'], recovered?.facts['records'], recovered?.facts['damaged']],
      ['dead', 10, 0],
    )
    await audit.close()
    assert.deepEqual(await verifyIn(journalDir), { ok: true, chains: 2, records: 13 })
    assert.deepEqual(
      readdirSync(journalDir).filter((name) => name.includes('journal')),
      [],
    )
  })

  test('several writers that start at once over a dead journal take it over together, each record once', async (t) => {
    await store.pool.query('drop schema if exists audit cascade')
    const journalDir = folderFor(t)
    await deadJournal(journalDir, 2_000)
    const audits = await Promise.all([1, 2, 3].map(() => openIn(journalDir)))
    const { rows } = await run(
      `select count(*)::int4 as records, count(distinct trace)::int4 as traces from audit.record where chain = 'dead'`,
    )
    assert.deepEqual(rows[0], { records: 2_000, traces: 2_000 })
    for (const audit of audits) assert.equal((await audit.verify()).ok, true)
    await Promise.all(audits.map((audit) => audit.close()))
    assert.equal((await verifyIn(journalDir)).ok, true)
    assert.deepEqual(
      readdirSync(journalDir).filter((name) => name.includes('journal')),
      [],
    )
  })

  test('a record that somebody slipped into the place of the next one is noticed, and the journal kept', async (t) => {
    await store.pool.query('drop schema if exists audit cascade')
    const journalDir = folderFor(t)
    const audit = await openIn(journalDir)
    await audit.append({ event: 'e', at: now, facts: { number: 1 } })
    const [head] = await audit.find({ event: 'e', limit: 1 })
    assert.ok(head)
    const line = { seq: 3, at: now, event: 'e', trace: undefined, facts: '{"false":true}', hash: '' }
    await run(
      `insert into audit.record (chain, seq, at, event, hash, facts) values ($1, 3, $2, 'e', $3, '{"false":true}')`,
      head.chain,
      now,
      recordHash(head.hash, lineText(line)),
    )
    await audit.append({ event: 'e', at: now, facts: { number: 2 } })
    await audit.append({ event: 'e', at: now, facts: { number: 3 } })
    const verdict = await audit.verify()
    assert.equal(verdict.ok, false)
    await audit.close()
    assert.equal(readdirSync(journalDir).filter((name) => name.endsWith('.damaged')).length, 1)
  })
})
