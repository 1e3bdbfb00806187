/** Messages that are sent again, to two processes on one store at once: each is done once, and has one answer. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Store } from '@openspine/platform/store'
import { forEachStore } from '@openspine/platform/testing'
import { openPds, type TestPds } from '../testing.ts'
import { directory, named, reply, updateRequest } from './hl7v3.test-kit.ts'
import { actionOf } from './interactions.ts'
import { birth, item, newcomer, registration } from './register.test-kit.ts'

const times = 12
const arlo = '9990548609'

forEachStore((open) => {
  let store: Store
  let here: TestPds
  /** Another process on the same store. */
  let there: TestPds
  before(async () => {
    store = await open()
    here = await openPds({ store, directory })
    there = await openPds({ store, directory })
  })
  after(async () => {
    await here.close()
    await there.close()
    await store.close()
  })

  /** The answers to one message that is sent many times at once, then once more to each. */
  async function answers(interaction: string, body: string): Promise<readonly string[]> {
    const send = async (pds: TestPds) =>
      (await pds.post('/sync-service', body, { soapaction: actionOf(interaction) })).body
    const atOnce = await Promise.all(Array.from({ length: times }, (_, index) => send(index % 2 === 0 ? here : there)))
    return [...atOnce, await send(here), await send(there)]
  }

  const messages = {
    PRPA_IN000200UK03: (id: string) =>
      registration({ person: newcomer({ names: [item(named('Onlyonce', 'Ann'))] }) }, { id }),
    PRPA_IN000205UK03: (id: string) => birth({}, { id }),
  }
  for (const [interaction, message] of Object.entries(messages))
    test(`${interaction} registers one person`, async () => {
      const people = await here.contract.count()
      const [first = '', ...more] = await answers(interaction, message(randomUUID().toUpperCase()))
      assert.ok(reply(first).registered, first)
      for (const answer of more) assert.equal(answer, first)
      assert.equal(await here.contract.count(), people + 1)
    })

  for (const [interaction, code] of [
    ['PRPA_IN000203UK03', '2'],
    ['PRPA_IN000204UK03', '1'],
  ] as const)
    test(`${interaction} changes the record once`, async () => {
      const version = (await here.contract.find(arlo))?.version ?? 0
      const gender = { code, updateMode: 'altered' }
      const id = randomUUID().toUpperCase()
      const body = updateRequest({ number: arlo, version: String(version) }, { gender }, { interaction, id })
      const [first = '', ...more] = await answers(interaction, body)
      assert.match(first, /typeCode="AA"/)
      for (const answer of more) assert.equal(answer, first)
      assert.equal((await there.contract.find(arlo))?.version, version + 1)
    })
})
