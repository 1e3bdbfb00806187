import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { oids, parseFilter, resultCodes } from '@openspine/standards/ldap'
import { plainClient } from '../testing/wire.ts'
import { samples, startDirectory } from '../testing.ts'
import { searchRate } from './rate.ts'

test('a client has its searches a second, and a burst after a rest; others are not touched', () => {
  const clock = manualClock(0)
  const may = searchRate(10, clock)
  assert.ok(may !== undefined)
  const granted = (client: string, asked: number) =>
    Array.from({ length: asked }, () => may(client)).filter(Boolean).length
  assert.equal(granted('one', 100), 20)
  assert.equal(granted('two', 5), 5)
  clock.advance(1000)
  assert.equal(granted('one', 100), 10)
  clock.advance(60_000)
  assert.equal(granted('one', 100), 20)
  assert.equal(searchRate(0, clock), undefined)
})

test('however many clients come, each is served and few are remembered', () => {
  const clock = manualClock(0)
  const may = searchRate(1, clock)
  assert.ok(may !== undefined)
  for (let i = 0; i < 25_000; i++) assert.equal(may(`client ${i}`), true)
})

test('over the limit a search and a compare are answered busy, on every connection; the connection lives on', async (t) => {
  const running = await startDirectory({ plainPort: 0, searchesPerSecond: 2 })
  t.after(() => running.close())
  await running.service.contract.apply(samples, 'tester')
  const [one, other] = [await plainClient(running.plainPort ?? 0), await plainClient(running.plainPort ?? 0)]
  const search = {
    op: 'search',
    base: 'ou=Services,o=nhs',
    scope: 2,
    derefAliases: 0,
    sizeLimit: 0,
    timeLimit: 0,
    typesOnly: false,
    filter: parseFilter('(nhsIDCode=YES)'),
    attributes: ['1.1'],
  } as const
  const codes: number[] = []
  for (let i = 0; i < 6; i++) codes.push((await (i % 2 === 0 ? one : other).ask(search)).code)
  assert.deepEqual(codes.slice(0, 4), [0, 0, 0, 0])
  assert.ok(codes.includes(resultCodes.busy), codes.join())
  const compare = { op: 'compare', entry: 'o=nhs', attribute: 'o', value: Buffer.from('nhs') } as const
  assert.equal((await one.ask(compare)).code, resultCodes.busy)
  assert.equal((await one.ask({ op: 'extended', oid: oids.whoAmI })).code, 0)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  assert.equal((await one.ask(search)).code, 0)
  one.socket.destroy()
  other.socket.destroy()
})
