import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gpPractice, put, samples, startDirectory, structured, type TestDirectory, visitors } from '../testing.ts'

let running: TestDirectory

before(async () => {
  running = await startDirectory()
  await running.service.contract.apply(
    [...samples, put(gpPractice('B00001', 'CLOSED SURGERY', { nhsOrgCloseDate: ['20200101'] }))],
    'tester',
  )
})
after(() => running.close())

const search = (filter: string, base = 'ou=Services,o=nhs', scope: 0 | 1 | 2 | 3 = 2) =>
  running.service.contract.explain({ filter, base, scope })

test('what is found is counted and named, without causes', async () => {
  const { found, names, conditions, nearest, causes, complete } = await search('(&(objectClass=nhsAs)(nhsIDCode=YES))')
  assert.deepEqual(
    { found, names, nearest, causes, complete },
    { found: 1, names: ['uniqueIdentifier=227319907548,ou=Services,o=nhs'], nearest: [], causes: [], complete: true },
  )
  assert.deepEqual(conditions, [
    { condition: '(objectClass=nhsAs)', met: 3, elsewhere: 0 },
    { condition: '(nhsIDCode=YES)', met: 2, elsewhere: 1 },
  ])
})

const nothing: readonly (readonly [
  what: string,
  filter: string,
  near: string,
  why: RegExp,
  base?: string,
  scope?: 0 | 1,
])[] = [
  ['another case', '(&(objectClass=nhsAs)(nhsIDCode=x26))', '200000100202', /is X26: upper and lower case count/],
  [
    'another organisation',
    `(&(objectClass=nhsMhs)(nhsIDCode=X26)(nhsMhsSvcIA=${structured}))`,
    '0123456789abcdef0123',
    /nhsIDCode is A99968, not X26/,
  ],
  [
    'an interaction that the system has not',
    `(&(objectClass=nhsAs)(nhsIDCode=A99968)(nhsAsSvcIA=${visitors}))`,
    '200000100101',
    /none of its 2 values of nhsAsSvcIA is urn.*visitors.*nearest/,
  ],
  [
    'another party key',
    `(&(objectClass=nhsMhs)(nhsMHSPartyKey=A99968-1)(nhsMhsSvcIA=${structured}))`,
    '0123456789abcdef0123',
    /nhsMHSPartyKey is A99968-850000, not A99968-1/,
  ],
  [
    'another supplier',
    `(&(objectClass=nhsAs)(nhsIDCode=X26)(nhsMhsManufacturerOrg=ABC))`,
    '200000100202',
    /nhsMhsManufacturerOrg is Z9Z99, not ABC/,
  ],
  [
    'another class',
    `(&(objectClass=nhsAs)(nhsMhsSvcIA=${structured}))`,
    '0123456789abcdef0123',
    /it is a nhsMhs, not a nhsAs/,
  ],
  [
    'another branch',
    '(&(objectClass=nhsMhs)(nhsIDCode=A99968))',
    '0123456789abcdef0123',
    /elsewhere in the directory, not below ou=Organisations/,
    'ou=Organisations,o=nhs',
  ],
  [
    'a scope that does not reach',
    '(nhsMhsCPAId=S20001A000182)',
    'S20001A000182',
    /not at ou=Services/,
    'ou=Services,o=nhs',
    0,
  ],
]

for (const [what, filter, near, why, base, scope] of nothing) {
  test(`nothing is found: ${what}`, async () => {
    const explained = await search(filter, base, scope)
    assert.equal(explained.found, 0)
    assert.match(explained.nearest[0]?.dn ?? '', new RegExp(`^uniqueIdentifier=${near},`))
    assert.match(explained.nearest[0]?.shortfalls.map((each) => each.why).join() ?? '', why)
    assert.match(explained.causes[0] ?? '', why)
  })
}

test('nothing can be found: what the schema does not know, with what was meant', async () => {
  const note = async (filter: string) => (await search(filter)).causes[0] ?? ''
  assert.match(
    await note(`(&(nhsIDCode=A99968)(nhsaASvcIA=${structured}))`),
    /no attribute nhsaASvcIA.*mean nhsAsSvcIA\?/,
  )
  assert.match(await note('(&(objectClass=nhsAss)(nhsIDCode=YES))'), /no object class nhsAss.*mean nhsAs\?/)
  assert.match(await note('(nhsPuSecret=do not tell)'), /no attribute nhsPuSecret/)
  assert.match(await note('(nhsIDCode=ZZZ99)'), /No entry of the directory meets \(nhsIDCode=ZZZ99\)/)
  assert.match((await search('(nhsIDCode=YES)', 'ou=Nothing,o=nhs')).causes[0] ?? '', /base ou=Nothing,o=nhs is not/)
  await assert.rejects(search('(nhsIDCode=YES'), { code: 'DIRECTORY_QUESTION' })
  await assert.rejects(search('(nhsIDCode=YES)', 'nonsense'), { code: 'DIRECTORY_QUESTION' })
  await assert.rejects(search(`(&${'(nhsIDCode=YES)'.repeat(51)})`), { code: 'DIRECTORY_QUESTION' })
})

test('under strict matching, what has no rule is named', async (t) => {
  const strict = await startDirectory({ strictMatching: true })
  t.after(() => strict.close())
  await strict.service.contract.apply(samples, 'tester')
  const { causes } = await strict.service.contract.explain({ filter: '(nhsAsSvcIA=urn:nhs:names:services:gpconnect*)' })
  assert.match(causes[0] ?? '', /Parts of nhsAsSvcIA cannot be compared.*directory\.strictMatching/)
})

test('a look-up names owner, endpoint and system', async () => {
  const { contract } = running.service
  const found = await contract.explainLookup({ organization: 'A99968', interaction: structured })
  assert.deepEqual([found.endpoint.found, found.system.found, found.causes], [1, 1, []])
  assert.equal(found.organization?.name, 'INVENTED SURGERY')
  const consumer = await contract.explainLookup({ organization: 'X26', interaction: structured })
  assert.match(consumer.causes[0] ?? '', /consumer of the interaction, not a provider/)
  const closed = await contract.explainLookup({ organization: 'B00001', interaction: structured })
  assert.match(closed.causes[0] ?? '', /CLOSED SURGERY .* closed on 20200101/)
  const unknown = await contract.explainLookup({ organization: 'ZZZ', interaction: structured })
  assert.match(unknown.causes[0] ?? '', /no organisation ZZZ/)
  const injected = await contract.explainLookup({ organization: '*)(objectClass=*' })
  assert.equal(injected.endpoint.found + injected.system.found, 0)
  await assert.rejects(contract.explainLookup({}), { code: 'DIRECTORY_QUESTION' })
})
