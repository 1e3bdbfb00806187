/** `openspine app` as whoever owns an application meets it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Environment } from './openspine-process.ts'

let environment: Environment
before(async () => {
  environment = await Environment.create()
})
after(() => environment?.remove())

async function json(...words: readonly string[]) {
  const ran = await environment.run('app', ...words, '--json')
  assert.equal(ran.code, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

const company = 'Invented Software Ltd'

describe('openspine app', () => {
  it('gives an application an owner and limits of its own', async () => {
    const { application } = await json('create', 'Ward App')
    assert.deepEqual(await json('owner', company), { name: company, kind: 'company', status: 'active' })
    const facts = ['--owner', company, '--quota', '5000/1/hour', '--spike-arrest', '600pm']
    const set = await json('set', application, ...facts, '--origin', 'https://ward.example')
    assert.deepEqual(
      [set.owner, set.rates, set.origins],
      [
        company,
        { quota: { limit: 5000, interval: 1, timeunit: 'hour' }, spikeArrest: '600pm' },
        ['https://ward.example'],
      ],
    )
  })

  it('tells whose it is, what it used and what it was refused', async () => {
    const listed = await environment.run('app', 'list')
    assert.match(listed.stdout, /owner {2}Invented Software Ltd/)
    assert.match(listed.stdout, /application +since \d{4}-\d\d-\d\d +not used yet/)
    assert.deepEqual(await json('refusals', 'Ward App'), [])
  })
})
