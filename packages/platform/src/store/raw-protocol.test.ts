import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { PGlite } from '@electric-sql/pglite'
import { openMemoryCluster } from './cluster.ts'
import { query, readAnswer, startup } from './frames.ts'
import { rawProtocol } from './raw-protocol.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

test('answers are complete, and nothing of them is kept by the engine', async (t) => {
  const { db } = await openMemoryCluster()
  t.after(() => db.close())
  const run = rawProtocol(db)
  assert.ok(readAnswer(run(startup())).status > 0)
  const read = () => run(query(`select repeat('x', 1000) || n as text from generate_series(1, 5000) as n`)).length
  // The first answer also carries the settings that `hello` did not.
  read()
  const size = read()
  assert.ok(size > 5_000_000)
  assert.deepEqual(readAnswer(run(query('select 1 / 0'))).error, { severity: 'ERROR', sqlstate: '22012' })
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 4; i++) assert.equal(read(), size)
  collectGarbage()
  assert.ok(process.memoryUsage().heapUsed - before < 5_000_000, 'what was read is garbage')
})

test('a failure of the engine is thrown at once; so is a version that answers later', () => {
  const failing = {
    execProtocolRawSync(_messages: Uint8Array): Uint8Array {
      throw new Error('unreachable')
    },
    async execProtocolRawStream(messages: Uint8Array) {
      this.execProtocolRawSync(messages)
    },
  }
  assert.throws(() => rawProtocol(failing as unknown as PGlite)(query('select 1')), /unreachable/)
  const late = { execProtocolRawSync: () => new Uint8Array(0), async execProtocolRawStream() {} }
  assert.throws(() => rawProtocol(late as unknown as PGlite)(query('select 1')), /did not run the messages at once/)
})
