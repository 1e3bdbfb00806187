import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Access } from '../access.ts'
import { outcomes } from '../outcomes.ts'
import { extensionUrl } from '../person.ts'
import { isOutcome, openPds, type TestPds } from '../testing.ts'
import { home, mobile, openUpdates, type Sent } from './update.test-kit.ts'

let pds: TestPds
let person: Awaited<ReturnType<typeof openUpdates>>['person']
let patch: Awaited<ReturnType<typeof openUpdates>>['patch']
before(async () => {
  ;({ pds, person, patch } = await openUpdates())
})
after(() => pds.close())

const invalid = outcomes.invalidUpdate

async function accepted(nhsNumber: string, patches: unknown, sent: Sent = {}) {
  const answer = await patch(nhsNumber, patches, sent)
  assert.equal(answer.statusCode, 200, answer.body)
  assert.deepEqual(r4.check(answer.json()), [])
  const read = await pds.ask(`/Patient/${nhsNumber}`, sent.as ? { as: sent.as } : {})
  assert.deepEqual(read.json(), answer.json())
  assert.equal(read.headers.etag, answer.headers.etag)
  assert.equal(answer.headers.etag, `W/"${answer.json().meta.versionId}"`)
  return answer.json()
}

describe('what is accepted', () => {
  test('scalars are replaced directly, and one request is one version', async () => {
    const number = await person()
    const body = await accepted(number, [
      { op: 'replace', path: '/gender', value: 'female' },
      { op: 'replace', path: '/birthDate', value: '1985-10-26' },
    ])
    assert.deepEqual([body.gender, body.birthDate, body.meta.versionId], ['female', '1985-10-26', '2'])
  })

  test('an item is added with an id of ours and a period from today, and found under it', async () => {
    const number = await person()
    const added = { use: 'nickname', given: ['Al'], family: 'Testcase', prefix: ['Mr.'] }
    const body = await accepted(number, [{ op: 'add', path: '/name/-', value: { id: 'mine', ...added } }])
    const { id, ...name } = body.name[1]
    assert.match(id, /^[0-9A-F]{8}$/)
    assert.deepEqual(name, { ...added, prefix: ['Mr'], period: { start: '2026-11-20' } })
    const phoned = await accepted(
      number,
      [{ op: 'add', path: '/telecom/-', value: { system: 'phone', use: 'mobile', value: '07700900002' } }],
      { version: 2 },
    )
    assert.equal(phoned.telecom.length, 1)
    const found = await pds.ask('/Patient?family=Testcase&birthdate=1980-02-29&phone=07700900002')
    assert.deepEqual(found.json().total, 1)
  })

  test('a part of an item is replaced beside the id, added beside it and removed after a test of it', async () => {
    const number = await person({ address: [home] })
    const id = { path: '/name/0/id', value: 'N1' }
    const replaced = await accepted(number, [
      { op: 'replace', ...id },
      { op: 'replace', path: '/name/0/given/0', value: 'Anne' },
    ])
    assert.deepEqual(replaced.name[0].given, ['Anne', 'Ben'])
    assert.deepEqual(replaced.name[0].period, { start: '2020-01-01' })
    const suffixed = await accepted(
      number,
      [
        { op: 'add', ...id },
        { op: 'add', path: '/name/0/suffix', value: ['PhD', 'MBBS'] },
      ],
      { version: 2 },
    )
    assert.deepEqual(suffixed.name[0].suffix, ['PhD', 'MBBS'])
    const fewer = await accepted(
      number,
      [
        { op: 'test', ...id },
        { op: 'remove', path: '/name/0/suffix/0' },
      ],
      { version: 3 },
    )
    assert.deepEqual(fewer.name[0].suffix, ['MBBS'])
    const moved = await accepted(
      number,
      [
        { op: 'replace', path: '/address/0/id', value: 'A1' },
        { op: 'replace', path: '/address/0/line/0', value: '2 Test Way' },
      ],
      { version: 4 },
    )
    // The client counts in the lines that it was shown; the blank ones keep their places.
    assert.deepEqual(moved.address[0].line, ['2 Test Way', 'Testham'])
    assert.deepEqual((await pds.contract.find(number))?.patient['address'], [
      { ...home, line: ['2 Test Way', '', '', 'Testham'] },
    ])
  })

  test('whole items are replaced and removed; former ones are history, and found by it', async () => {
    const number = await person({ address: [home], telecom: [mobile], birthDate: '1971-05-05' })
    await accepted(number, [
      {
        op: 'replace',
        path: '/name/0',
        value: { id: 'N1', use: 'usual', given: ['Arlo'], family: 'Newname' },
      },
      { op: 'replace', path: '/address/0', value: { ...home, postalCode: 'ZZ8 8ZZ' } },
      { op: 'test', path: '/telecom/0', value: mobile },
      { op: 'remove', path: '/telecom/0' },
    ])
    const record = await pds.contract.find(number)
    assert.equal(record?.version, 2)
    assert.equal(record?.patient['telecom'], undefined)
    const history = record?.history as Record<string, readonly Record<string, unknown>[]>
    assert.equal(history['name']?.[0]?.['family'], 'Testcase')
    assert.deepEqual(history['name']?.[0]?.['period'], { start: '2020-01-01', end: '2026-11-20' })
    assert.equal(history['address']?.[0]?.['postalCode'], 'ZZ9 9ZZ')
    assert.equal(history['telecom']?.[0]?.['value'], '07700900001')
    const total = async (query: string) => (await pds.ask(`/Patient?birthdate=1971-05-05&${query}`)).json().total
    assert.equal(await total('family=Testcase'), 0)
    assert.equal(await total('family=Testcase&_history=true'), 1)
    assert.equal(await total('family=Newname&address-postalcode=ZZ88ZZ'), 1)
  })

  test('indices of several removals count in the list as the earlier ones left it', async () => {
    const nick = { id: 'N2', use: 'nickname', given: ['Al'], family: 'Testcase', period: { start: '2020-01-01' } }
    const old = { id: 'N3', use: 'old', given: ['Arlo'], family: 'Before', period: { start: '2020-01-01' } }
    const usual = { id: 'N1', use: 'usual', given: ['Arlo'], family: 'Testcase', period: { start: '2020-01-01' } }
    const number = await person({ name: [usual, nick, old] })
    const body = await accepted(number, [
      { op: 'test', path: '/name/1/id', value: 'N2' },
      { op: 'remove', path: '/name/1' },
      { op: 'test', path: '/name/1/id', value: 'N3' },
      { op: 'remove', path: '/name/1' },
    ])
    assert.deepEqual(
      body.name.map(({ id }: { id: string }) => id),
      ['N1'],
    )
  })

  test('extensions: added, replaced by url, part by part, in their order; what is hidden stays', async () => {
    const consent = { url: extensionUrl.consent, extension: [{ url: 'consentType', valueString: 'kept' }] }
    const number = await person({ extension: [consent] })
    const birthPlace = { url: extensionUrl.birthPlace, valueAddress: { city: 'Testham', country: 'GBR' } }
    const pharmacy = {
      url: `https://fhir.nhs.uk/R4/StructureDefinition/Extension-UKCore-NominatedPharmacy`,
      valueReference: { identifier: { system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'FA123' } },
    }
    const communication = {
      url: extensionUrl.communication,
      extension: [
        { url: 'language', valueCodeableConcept: { coding: [{ code: 'fr' }] } },
        { url: 'interpreterRequired', valueBoolean: true },
      ],
    }
    const added = await accepted(
      number,
      [birthPlace, pharmacy, communication].map((value) => ({ op: 'add', path: '/extension/-', value })),
    )
    const urls = (body: { extension: { url: string }[] }) => body.extension.map(({ url }) => url)
    assert.deepEqual(urls(added), [extensionUrl.nominatedPharmacy, extensionUrl.communication, extensionUrl.birthPlace])
    const part = await accepted(
      number,
      [{ op: 'replace', path: '/extension/1/extension/1', value: { url: 'interpreterRequired', valueBoolean: false } }],
      { version: 2 },
    )
    assert.equal(part.extension[1].extension[1].valueBoolean, false)
    isOutcome(
      await patch(
        number,
        [{ op: 'replace', path: '/extension/1/extension/1', value: { url: ' ', valueBoolean: true } }],
        { version: 3 },
      ),
      invalid('interpreterRequired cannot be removed'),
    )
    const fewer = await accepted(
      number,
      [
        { op: 'test', path: '/extension/0/url', value: extensionUrl.nominatedPharmacy },
        { op: 'remove', path: '/extension/0' },
      ],
      { version: 3 },
    )
    assert.equal(fewer.extension.length, 2)
    const stored = (await pds.contract.find(number))?.patient['extension'] as { url: string }[]
    assert.ok(stored.some(({ url }) => url === extensionUrl.consent))
  })

  test('a death: date and notification together, later another date', async () => {
    const number = await person()
    const notification = {
      url: extensionUrl.deathNotification,
      extension: [{ url: 'deathNotificationStatus', valueCodeableConcept: { coding: [{ code: '1' }] } }],
    }
    const body = await accepted(number, [
      { op: 'add', path: '/extension/-', value: notification },
      { op: 'add', path: '/deceasedDateTime', value: '2026-10-01' },
    ])
    assert.equal(body.deceasedDateTime, '2026-10-01T00:00:00+00:00')
    assert.deepEqual(body.extension[0].extension[1], {
      url: 'systemEffectiveDate',
      valueDateTime: '2026-11-20T12:00:00+00:00',
    })
    const later = await accepted(number, [{ op: 'replace', path: '/deceasedDateTime', value: '2026-10-02T03:04:05' }], {
      version: 2,
    })
    assert.equal(later.deceasedDateTime, '2026-10-02T03:04:05+00:00')
  })

  test('older faults of a record block nothing that is unrelated', async () => {
    const number = await person({
      address: [{ id: 'A2', use: 'temp', period: { start: '2020-01-01' }, line: ['Only'], postalCode: 'ZZ9 9ZZ' }],
    })
    await accepted(number, [{ op: 'replace', path: '/gender', value: 'unknown' }])
  })

  test('patients change their address, mobile telephone and language', async () => {
    const number = await person({ address: [home], telecom: [mobile] })
    const patient: Access = { mode: 'patient', patient: { nhsNumber: number, level: 'P9', vectorOfTrust: 'P9.Cm' } }
    const body = await accepted(
      number,
      [
        { op: 'replace', path: '/telecom/0', value: { ...mobile, value: '07700900009' } },
        { op: 'replace', path: '/address/0', value: { ...home, line: ['', '3 Test Way', '', 'Testham'] } },
      ],
      { as: patient },
    )
    assert.equal(body.telecom[0].value, '07700900009')
    for (const patches of [
      [{ op: 'replace', path: '/gender', value: 'female' }],
      [
        { op: 'replace', path: '/telecom/0/id', value: 'T1' },
        { op: 'replace', path: '/telecom/0/value', value: '07700900010' },
      ],
      [{ op: 'replace', path: '/telecom/0', value: { ...mobile, use: 'home' } }],
      [{ op: 'add', path: '/name/-', value: { use: 'nickname', family: 'X' } }],
    ])
      isOutcome(
        await patch(number, patches, { as: patient, version: 2 }),
        invalid('This user does not have permission to update the fields in the patches provided.'),
      )
  })
})

describe('once', () => {
  test('a hundred updates of one version: one is accepted', async () => {
    const number = await person()
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        patch(number, [{ op: 'replace', path: '/birthDate', value: `1985-10-${10 + (index % 20)}` }]),
      ),
    )
    assert.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
    assert.equal(answers.filter(({ statusCode }) => statusCode === 409).length, 99)
    assert.equal((await pds.contract.find(number))?.version, 2)
  })

  test('a repeated request gets the first answer, at once and later, and changes nothing', async () => {
    const number = await person()
    const headers = { 'x-request-id': randomUUID() }
    const change = [{ op: 'replace', path: '/gender', value: 'female' }]
    const answers = await Promise.all(Array.from({ length: 20 }, () => patch(number, change, { headers })))
    for (const answer of answers) {
      assert.equal(answer.statusCode, 200, answer.body)
      assert.equal(answer.body, answers[0]?.body)
      assert.equal(answer.headers.etag, 'W/"2"')
    }
    const later = await patch(number, [{ op: 'replace', path: '/gender', value: 'male' }], { headers, version: 2 })
    assert.equal(later.body, answers[0]?.body)
    assert.equal(later.headers['openspine-repeated'], 'true')
    assert.equal((await pds.contract.find(number))?.version, 2)
    // Nor does it matter for what a repeat would be refused meanwhile.
    const nothing = await patch(number, [], { headers })
    assert.equal(nothing.body, answers[0]?.body)
    await pds.contract.administration.invalidate({ nhsNumber: number, by: 'operator' })
    assert.equal((await patch(number, change, { headers })).body, answers[0]?.body)
    isOutcome(await patch(number, change, { version: 3 }), outcomes.invalidated)
  })

  test('history and audit say who changed what, without its values', async () => {
    const number = await person({ address: [home] })
    const trace = randomUUID()
    await patch(number, [{ op: 'replace', path: '/address/0', value: { ...home, postalCode: 'ZZ8 8ZZ' } }], {
      headers: { 'x-request-id': trace, 'nhsd-session-urid': '555', 'nhsd-end-user-organisation-ods': 'X26' },
    })
    const [line] = await pds.contract.history(number, 5)
    assert.deepEqual(
      { ...line, requestId: undefined },
      {
        version: 2,
        at: pds.clock.now(),
        kind: 'update',
        author: { mode: 'user-restricted', user: '555254242102', role: '555', organisation: 'X26' },
        members: ['address'],
        requestId: undefined,
      },
    )
    const [record] = await pds.platform.audit.find({ trace, limit: 5 })
    assert.equal(record?.event, 'pds.update')
    assert.ok(!JSON.stringify(record).includes('ZZ8'))
    const events = (await pds.contract.events.waiting(1000)).filter(({ nhsNumber }) => nhsNumber === number)
    assert.deepEqual(
      events.map(({ code }) => code),
      ['pds-record-change-1', 'pds-change-of-address-1'],
    )
  })

  test('where updates are computed, the answer is that of an update and nothing is kept', async () => {
    const sandbox = await openPds({ config: { updates: 'computed' } })
    const answer = await sandbox.ask('/Patient/9990548609', {
      method: 'PATCH',
      headers: { 'x-request-id': randomUUID(), 'if-match': 'W/"2"', 'content-type': 'application/json-patch+json' },
      payload: JSON.stringify({ patches: [{ op: 'replace', path: '/gender', value: 'female' }] }),
    })
    assert.deepEqual([answer.statusCode, answer.json().gender, answer.headers.etag], [200, 'female', 'W/"3"'])
    assert.equal((await sandbox.ask('/Patient/9990548609')).json().gender, 'male')
    await sandbox.close()
  })
})
