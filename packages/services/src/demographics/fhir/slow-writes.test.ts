import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeptAnswer } from '../changes/change.ts'
import { outcomes, refuse } from '../outcomes.ts'
import { isOutcome, openPds } from '../testing.ts'
import { type Answer, refused } from './answer.ts'
import { slowWrites } from './slow-writes.ts'

const key = { caller: 'user a 1', id: '60e0b220-8136-4ca5-ae46-1d97ef59d068' }
const created: KeptAnswer = { status: 201, body: '{}', headers: { etag: 'W/"1"' }, shown: '9999000002' }
const answered: Answer = { status: 201, body: '{}', headers: { etag: 'W/"1"' }, shown: ['9999000002'] }
const later = {
  status: 202,
  body: '',
  headers: { 'content-location': `/_poll/${key.id}`, 'retry-after': '5' },
}

function opened(form: 'retry' | 'poll') {
  let kept: KeptAnswer | undefined
  const slow = slowWrites({
    form,
    keptAnswer: async ({ caller }) => (caller === key.caller ? kept : undefined),
    refusal: () => refused(outcomes.versionMismatch),
  })
  let finish: (answer: Answer) => void = () => undefined
  let fail: (error: unknown) => void = () => undefined
  const work = new Promise<Answer>((resolve, reject) => {
    finish = (answer) => {
      kept = created
      resolve(answer)
    }
    fail = reject
  })
  return { slow, work, finish: () => finish(answered), fail: () => fail(refuse(outcomes.versionMismatch)) }
}

test('in time: the answer; late: 503, and the repeat has the answer', async () => {
  const { slow, work, finish } = opened('retry')
  await assert.rejects(slow.inTime(key, 1, work), { outcome: outcomes.serviceUnavailable })
  finish()
  assert.deepEqual(await slow.inTime(key, 1000, work), answered)
})

test('the legacy form: 202 until it is done, then the answer, to this caller alone', async () => {
  const { slow, work, finish } = opened('poll')
  await assert.rejects(slow.poll(key), { outcome: outcomes.notFound })
  assert.deepEqual(await slow.inTime(key, 1, work), later)
  assert.deepEqual(await slow.poll(key), later)
  await assert.rejects(slow.poll({ ...key, caller: 'user a 2' }), { outcome: outcomes.notFound })
  finish()
  await work
  assert.deepEqual(await slow.poll(key), answered)
  await assert.rejects(slow.poll({ ...key, caller: 'user a 2' }), { outcome: outcomes.notFound })
})

test('a late refusal can be polled for; one in time cannot', async () => {
  const late = opened('poll')
  assert.deepEqual(await late.slow.inTime(key, 1, late.work), later)
  late.fail()
  await assert.rejects(late.work)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await late.slow.poll(key)).status, 409)
  const early = opened('poll')
  early.fail()
  await assert.rejects(early.slow.inTime(key, 1000, early.work))
  await assert.rejects(early.slow.poll(key), { outcome: outcomes.notFound })
})

test('an accepted write can be polled for under its X-Request-ID', async () => {
  const pds = await openPds({ config: { slowAnswers: 'poll' } })
  const patches = [{ op: 'replace', path: '/gender', value: 'female' }]
  const changed = await pds.ask('/Patient/9990548609', {
    method: 'PATCH',
    payload: JSON.stringify({ patches }),
    headers: {
      'x-request-id': key.id.toUpperCase(),
      'content-type': 'application/json-patch+json',
      'if-match': 'W/"2"',
    },
  })
  assert.equal(changed.statusCode, 200, changed.body)
  const polled = await pds.ask(`/_poll/${key.id}`)
  assert.deepEqual([polled.statusCode, polled.body, polled.headers.etag], [200, changed.body, 'W/"3"'])
  isOutcome(await pds.ask('/_poll/60e0b220-8136-4ca5-ae46-1d97ef59d069'), outcomes.notFound)
  isOutcome(
    await pds.ask(`/_poll/${key.id}`, { as: { mode: 'user-restricted', user: { id: '2' } } }),
    outcomes.notFound,
  )
  await pds.close()
})
