import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { outcomes } from './outcomes.ts'
import { isOutcome, openPds, type TestPds } from './testing.ts'

let pds: TestPds
before(async () => {
  pds = await openPds()
})
after(() => pds.close())

const by = 'operator'

test('merges of merges resolve everywhere, and a search never shows who was merged', async () => {
  const { administration } = pds.contract
  const [a, b, c] = ['9990548706', '9990548714', '9990548722'] as const
  await administration.merge({ superseded: a, retained: b, by })
  await administration.merge({ superseded: b, retained: c, by })
  for (const number of [a, b, c]) {
    assert.equal((await pds.ask(`/Patient/${number}`)).json().id, c)
    const { total } = (await pds.ask(`/Patient/${number}/RelatedPerson`)).json()
    assert.equal(typeof total, 'number')
  }
  for (const query of ['', '&_history=true', '&_fuzzy-match=true&given=Molly']) {
    const found = (await pds.ask(`/Patient?family=Mockley&birthdate=1970-01-24${query}`)).json()
    for (const { resource } of found.entry ?? []) assert.ok(![a, b].includes(resource.id), query)
  }
  const [line] = await pds.contract.history(a, 1)
  assert.deepEqual([line?.kind, line?.version, line?.author], ['merge', 2, { mode: 'operator', user: by }])
  const events = (await pds.contract.events.waiting(100)).filter(({ nhsNumber }) => nhsNumber === a)
  assert.deepEqual(
    events.map(({ code, facts }) => [code, facts['supersededBy']]),
    [['pds-record-change-1', b]],
  )
  await assert.rejects(administration.merge({ superseded: a, retained: c, by }), { code: 'DEMOGRAPHICS_NOT_CURRENT' })
  await assert.rejects(administration.merge({ superseded: c, retained: a, by }), { code: 'DEMOGRAPHICS_NOT_CURRENT' })
  await assert.rejects(administration.merge({ superseded: c, retained: c, by }), { code: 'DEMOGRAPHICS_MERGE_SELF' })
  await assert.rejects(administration.merge({ superseded: '9111231130', retained: c, by }), {
    code: 'DEMOGRAPHICS_PERSON_UNKNOWN',
  })
})

test('what is invalidated is gone for everyone', async () => {
  await pds.contract.administration.invalidate({ nhsNumber: '9990548617', by })
  isOutcome(await pds.ask('/Patient/9990548617'), outcomes.invalidated)
  assert.equal((await pds.ask('/Patient?family=Testcase&birthdate=1983-11-07')).json().total, 0)
})

test('a person who is restricted loses the places in every answer, and gets them back', async () => {
  const number = '9990548609'
  const set = (sensitivity: 'U' | 'R' | 'V') =>
    pds.contract.administration.setSensitivity({ nhsNumber: number, sensitivity, by })
  const shown = async () => (await pds.ask(`/Patient/${number}`)).json()
  const traced = async (query: string) =>
    (await pds.ask(`/Patient?family=Testcase&birthdate=1980-02-29${query}`)).json().total
  await set('R')
  assert.equal((await shown()).address, undefined)
  assert.equal((await shown()).meta.security[0].code, 'R')
  assert.deepEqual([await traced(''), await traced('&address-postalcode=ZZ993CZ')], [1, 0])
  await set('V')
  assert.equal(await traced(''), 0)
  await set('U')
  assert.equal((await shown()).meta.versionId, '5')
  assert.equal(await traced('&address-postalcode=ZZ993CZ'), 1)
})
