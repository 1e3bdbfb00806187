import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Access } from '../access.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { extensionUrl, ukCore } from '../person.ts'
import { isOutcome, openPds, type TestPds } from '../testing.ts'

let pds: TestPds
before(async () => {
  pds = await openPds()
})
after(() => pds.close())

const invalid = outcomes.invalidUpdate
const forbidden = outcomes.forbiddenUpdate

/** A person of one test alone: the number is made from its place. */
async function person(patient: Readonly<Record<string, unknown>> = {}, more: { sensitivity?: 'U' | 'R' | 'V' } = {}) {
  const nhsNumber = numbers.next().value
  await pds.contract.load([
    {
      nhsNumber,
      ...more,
      patient: {
        name: [{ id: 'N1', use: 'usual', period: { start: '2020-01-01' }, given: ['Arlo', 'Ben'], family: 'Testcase' }],
        gender: 'male',
        birthDate: '1980-02-29',
        ...patient,
      },
    },
  ])
  return nhsNumber
}

function* validNumbers(): Generator<string, never> {
  for (let beginning = 990_000_000; ; beginning++) {
    const digits = String(beginning)
    const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0)
    const check = (11 - (sum % 11)) % 11
    if (check !== 10) yield digits + check
  }
}
const numbers = validNumbers()

const home = {
  id: 'A1',
  use: 'home',
  period: { start: '2020-01-01' },
  line: ['1 Test Way', '', '', 'Testham'],
  postalCode: 'ZZ9 9ZZ',
}
const mobile = { id: 'T1', use: 'mobile', system: 'phone', period: { start: '2020-01-01' }, value: '07700900001' }

interface Sent {
  readonly version?: number | string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly as?: Access
  readonly body?: string
}

function patch(nhsNumber: string, patches: unknown, { version = 1, headers = {}, as, body }: Sent = {}) {
  return pds.ask(`/Patient/${nhsNumber}`, {
    method: 'PATCH',
    headers: {
      'x-request-id': randomUUID(),
      'content-type': 'application/json-patch+json',
      ...(version === null ? {} : { 'if-match': typeof version === 'string' ? version : `W/"${version}"` }),
      ...headers,
    },
    payload: body ?? JSON.stringify({ patches }),
    ...(as && { as }),
  })
}

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

describe('what is refused, before the record is looked at', () => {
  const good = [{ op: 'replace', path: '/gender', value: 'female' }]
  const number = '9990548609'
  const cases: readonly (readonly [string, PdsOutcome, string, unknown, Sent])[] = [
    ['a bad number before all', outcomes.invalidResourceId, '9000000000', good, { version: null }],
    [
      'If-Match before Content-Type',
      outcomes.ifMatchMissing,
      number,
      good,
      { version: null, headers: { 'content-type': 'x/y' } },
    ],
    ['Content-Type', outcomes.unsupportedService, number, good, { headers: { 'content-type': 'application/bananas' } }],
    [
      'X-Request-ID malformed',
      outcomes.requestIdInvalid('12345'),
      number,
      good,
      { headers: { 'x-request-id': '12345' } },
    ],
    ['unknown', outcomes.notFound, '9111231130', good, {}],
    ['invalidated', outcomes.invalidated, '9990548889', good, {}],
    [
      'superseded, whatever the version',
      forbidden('Update Failed - NHS No. supplied has been superseded in a merge'),
      '9990548854',
      good,
      { version: 99 },
    ],
    ['no patches', invalid('No patches found'), number, undefined, { version: 99 }],
    ['empty patches', invalid('No patches found'), number, [], {}],
    ['no JSON', invalid('No patches found'), number, good, { body: 'nonsense' }],
    ['too deep', invalid('No patches found'), number, good, { body: '['.repeat(200_000) }],
    ['version', outcomes.versionMismatch, number, [{ op: 'bad_value' }], { version: 99 }],
    ['version that is none', outcomes.versionMismatch, number, good, { version: 'W/"x"' }],
    [
      'op',
      outcomes.invalidField('bad_value', '0/op'),
      number,
      [{ op: 'bad_value', path: 'not a path' }],
      { version: 2 },
    ],
    [
      'op of the second',
      outcomes.invalidField('move', '1/op'),
      number,
      [{ op: 'add' }, { op: 'move' }],
      { version: 2 },
    ],
    ['op missing', outcomes.missingField('0/op'), number, [{ path: '/gender' }], { version: 2 }],
    ['path missing', outcomes.missingField('0/path'), number, [{ op: 'add', value: 1 }], { version: 2 }],
    [
      'path wrong',
      outcomes.invalidField('gender', '0/path'),
      number,
      [{ op: 'add', path: 'gender', value: 1 }],
      { version: 2 },
    ],
    ['value missing', outcomes.missingField('0/value'), number, [{ op: 'add', path: '/gender' }], { version: 2 }],
  ]
  for (const [name, outcome, to, patches, sent] of cases)
    test(name, async () => isOutcome(await patch(to, patches, sent), outcome))

  test('X-Request-ID missing, after Content-Type', async () => {
    const answer = await pds.ask(`/Patient/${number}`, {
      method: 'PATCH',
      headers: { 'if-match': 'W/"2"', 'content-type': 'application/json-patch+json' },
      payload: '{}',
    })
    isOutcome(answer, outcomes.requestIdMissing)
  })

  test('application/json is a patch in the sandbox alone', async () => {
    const plain = { headers: { 'content-type': 'application/json' }, version: 99 }
    isOutcome(await patch(number, good, plain), outcomes.versionMismatch)
    const strict = await openPds({ profile: 'strict' })
    const answer = await strict.ask(`/Patient/${number}`, {
      method: 'PATCH',
      headers: { 'x-request-id': randomUUID(), 'if-match': 'W/"99"', 'content-type': 'application/json' },
      payload: JSON.stringify({ patches: good }),
    })
    isOutcome(answer, outcomes.unsupportedService)
    await strict.close()
  })
})

describe('what is refused for the record', () => {
  const usual = { id: 'N1', use: 'usual', period: { start: '2020-01-01' }, given: ['Arlo', 'Ben'], family: 'Testcase' }
  const tested = { op: 'test', path: '/name/0/id', value: 'N1' }
  const communication = {
    url: extensionUrl.communication,
    extension: [{ url: 'language', valueCodeableConcept: { coding: [{ code: 'fr', display: "l'autre" }] } }],
  }
  const inName = (path: string, value: unknown) => [
    { op: 'replace', path: '/name/0/id', value: 'N1' },
    { op: 'replace', path: `/name/0/${path}`, value },
  ]
  const newAddress = (more: Readonly<Record<string, unknown>>) => [
    {
      op: 'add',
      path: '/address/-',
      value: { use: 'billing', line: ['1 Way', '', '', 'Town'], postalCode: 'AA1 1AA', ...more },
    },
  ]
  const newExtension = (value: unknown) => [{ op: 'add', path: '/extension/-', value }]
  const death = (code: string) => ({
    url: extensionUrl.deathNotification,
    extension: [{ url: 'deathNotificationStatus', valueCodeableConcept: { coding: [{ code }] } }],
  })
  const cases: readonly (readonly [string, PdsOutcome, readonly unknown[]])[] = [
    [
      'unsupported member',
      invalid("Update unsupported for resource - 'pets'"),
      [{ op: 'add', path: '/pets/-', value: 'cat' }],
    ],
    [
      'identifier',
      invalid("Update unsupported for resource - 'identifier'"),
      [{ op: 'replace', path: '/identifier/0/value', value: '1' }],
    ],
    [
      'prototype',
      invalid("Update unsupported for resource - '__proto__'"),
      [{ op: 'add', path: '/__proto__', value: {} }],
    ],
    [
      'removal without test',
      invalid("removal '/name/1' is not immediately preceded by equivalent test - instead it is the first item"),
      [{ op: 'remove', path: '/name/1' }],
    ],
    [
      'removal after a test of another item',
      invalid(
        "removal '/telecom/0' is not immediately preceded by equivalent test - instead it is preceded by 'test /name/0/id'",
      ),
      [tested, { op: 'remove', path: '/telecom/0' }],
    ],
    [
      'test out of bounds',
      invalid("Invalid patch - index '1' is out of bounds"),
      [
        { op: 'test', path: '/name/1/id', value: 'x' },
        { op: 'remove', path: '/name/1' },
      ],
    ],
    [
      'removal of nothing',
      invalid("Invalid patch - can't remove non-existent object '0'"),
      [tested, { op: 'remove', path: '/name/0/suffix/0' }],
    ],
    [
      'no id',
      invalid('no id or url found for path with root /address/0'),
      [
        { op: 'replace', path: '/address/0/line/0', value: 'x' },
        { op: 'replace', path: '/address/0/postalCode', value: 'x' },
      ],
    ],
    [
      'no id comes before bounds',
      invalid('no id or url found for path with root /contact/7'),
      [{ op: 'replace', path: '/contact/7/period', value: {} }],
    ],
    [
      'bounds with id',
      invalid("Invalid patch - index '0' is out of bounds"),
      [{ op: 'replace', path: '/contact/0/id', value: 'x' }],
    ],
    [
      'lines as a whole, before an unknown id',
      invalid("Invalid patch - can't replace non-existent object 'line'"),
      [
        { op: 'replace', path: '/address/0/id', value: '456' },
        { op: 'replace', path: '/address/0/line', value: ['x'] },
      ],
    ],
    [
      'unknown id alone',
      invalid("no 'address' resources with object id '123456'"),
      [{ op: 'replace', path: '/address/0/id', value: '123456' }],
    ],
    [
      'failed test, as Python prints it',
      invalid(
        `Invalid patch - {'url': '${ukCore}Extension-UKCore-NHSCommunication', 'extension': [{'url': 'language', 'valueCodeableConcept': {'coding': [{'code': 'fr', 'display': "l'autre"}]}}]} (<class 'dict'>) is not equal to tested value {'url': 'x', 'extension': [True, None, 1]} (<class 'dict'>)`,
      ),
      [
        { op: 'test', path: '/extension/0', value: { url: 'x', extension: [true, null, 1] } },
        { op: 'remove', path: '/extension/0' },
      ],
    ],
    [
      'failed test of text',
      invalid("Invalid patch - N1 (<class 'str'>) is not equal to tested value 9 (<class 'int'>)"),
      [{ op: 'test', path: '/name/0/id', value: 9 }],
    ],
    [
      'add by index',
      invalid("Invalid patch - items of 'name' are added with path '/name/-'"),
      [{ op: 'add', path: '/name/0', value: usual }],
    ],
    [
      'insert beyond the list',
      invalid("Invalid patch - can't insert outside of list"),
      [
        { op: 'add', path: '/name/0/id', value: 'N1' },
        { op: 'add', path: '/name/0/given/9', value: 'x' },
      ],
    ],
    [
      'second usual name',
      forbidden('multiple usual names cannot be added'),
      [{ op: 'add', path: '/name/-', value: usual }],
    ],
    [
      'usual name removed',
      forbidden('not permitted to remove usual name'),
      [tested, { op: 'remove', path: '/name/0' }],
    ],
    [
      'birth date removed, before a fault in another operation',
      forbidden("source not permitted to remove 'birthDate'"),
      [
        { op: 'test', path: '/name/8/id', value: 'x' },
        { op: 'remove', path: '/birthDate' },
      ],
    ],
    [
      'gender removed',
      forbidden("source not permitted to remove 'gender'"),
      [
        { op: 'test', path: '/gender', value: 'male' },
        { op: 'remove', path: '/gender' },
      ],
    ],
    [
      'practice removed',
      forbidden("source not permitted to remove 'generalPractitioner'"),
      [
        { op: 'test', path: '/generalPractitioner/0/id', value: 'G1' },
        { op: 'remove', path: '/generalPractitioner/0' },
      ],
    ],
    [
      'second home',
      forbidden('multiple home addresses cannot be added'),
      [{ op: 'add', path: '/address/-', value: home }],
    ],
    [
      'second mobile',
      forbidden('multiple phone mobile telecoms cannot be added'),
      [{ op: 'add', path: '/telecom/-', value: mobile }],
    ],
    ['use of a name', invalid('use of a name cannot be changed'), inName('use', 'old')],
    [
      'end of the usual name',
      invalid('An end date can not be provided on usual name'),
      inName('period', { start: '2020-01-01', end: '2021-01-01' }),
    ],
    ['gender', outcomes.invalidField('other', 'gender'), [{ op: 'replace', path: '/gender', value: 'other' }]],
    [
      'birth date',
      outcomes.invalidField('2027-01-01', 'birthDate'),
      [{ op: 'replace', path: '/birthDate', value: '2027-01-01' }],
    ],
    [
      'birth order',
      outcomes.invalidField(10, 'multipleBirthInteger'),
      [{ op: 'add', path: '/multipleBirthInteger', value: 10 }],
    ],
    ['given is no list', outcomes.invalidField('not an array', 'name/0/given'), inName('given', 'not an array')],
    [
      'six given names',
      outcomes.tooManyValues(['a', 'b', 'c', 'd', 'e', 'f'], 'name/0/given'),
      inName('given', ['a', 'b', 'c', 'd', 'e', 'f']),
    ],
    ['family too long', outcomes.invalidField('x'.repeat(36), 'name/0/family'), inName('family', 'x'.repeat(36))],
    ['backtick', outcomes.unsupportedCharacters('name/0/family'), inName('family', 'O`Test')],
    [
      'title',
      outcomes.invalidField('MR', 'name/0/prefix/0'),
      [
        { op: 'add', path: '/name/0/id', value: 'N1' },
        { op: 'add', path: '/name/0/prefix', value: ['MR'] },
      ],
    ],
    [
      'suffix',
      outcomes.invalidField('phd', 'name/0/suffix/0'),
      [
        { op: 'add', path: '/name/0/id', value: 'N1' },
        { op: 'add', path: '/name/0/suffix', value: ['phd'] },
      ],
    ],
    [
      'unknown member',
      outcomes.additionalProperties(['pets']),
      [
        { op: 'add', path: '/name/0/id', value: 'N1' },
        { op: 'add', path: '/name/0/pets', value: ['cat'] },
      ],
    ],
    [
      'start in the future',
      outcomes.invalidField('2026-11-21', 'name/0/period/start'),
      inName('period', { start: '2026-11-21' }),
    ],
    ['work address', outcomes.invalidField('work', 'address/1/use'), newAddress({ use: 'work' })],
    [
      'six lines',
      outcomes.tooManyValues(['1', '2', '3', '4', '5', '6'], 'address/1/line'),
      newAddress({ line: ['1', '2', '3', '4', '5', '6'] }),
    ],
    ['billing without period', outcomes.missingField('address/1/period'), newAddress({})],
    [
      'billing without end',
      outcomes.missingField('address/1/period/end'),
      newAddress({ period: { start: '2026-01-01' } }),
    ],
    [
      'billing too long',
      outcomes.invalidField('2028-01-01', 'address/1/period/end'),
      newAddress({ period: { start: '2026-01-01', end: '2028-01-01' } }),
    ],
    [
      'temp without text',
      outcomes.missingField('address/1/text'),
      newAddress({ use: 'temp', period: { start: '2026-11-01', end: '2026-12-01' } }),
    ],
    [
      'temp too long',
      outcomes.invalidField('2027-02-01', 'address/1/period/end'),
      newAddress({ use: 'temp', text: 'Second Home', period: { start: '2026-11-01', end: '2027-02-01' } }),
    ],
    [
      'lines',
      invalid('address lines 1 and 4 or 2 and 4 must be completed as a minimum'),
      newAddress({ line: ['1 Way'], period: { start: '2026-01-01', end: '2026-12-01' } }),
    ],
    [
      'e-mail',
      outcomes.invalidField('nobody', 'telecom/1/value'),
      [{ op: 'add', path: '/telecom/-', value: { system: 'email', use: 'home', value: 'nobody' } }],
    ],
    [
      'contact by fax',
      outcomes.invalidField('fax', 'contact/0/telecom/0/system'),
      [
        {
          op: 'add',
          path: '/contact/-',
          value: { relationship: [{ coding: [{ code: 'C' }] }], telecom: [{ system: 'fax', value: '1' }] },
        },
      ],
    ],
    [
      'practice',
      outcomes.invalidField('!', 'generalPractitioner/0/identifier/value'),
      [{ op: 'replace', path: '/generalPractitioner/0', value: { id: 'G1', identifier: { value: '!' } } }],
    ],
    [
      'English',
      outcomes.invalidField('en', 'extension/0/extension/0/valueCodeableConcept/coding/0/code'),
      [
        {
          op: 'replace',
          path: '/extension/0',
          value: {
            url: extensionUrl.communication,
            extension: [{ url: 'language', valueCodeableConcept: { coding: [{ code: 'en' }] } }],
          },
        },
      ],
    ],
    ['unknown extension', outcomes.invalidField('urn:x', 'extension/1/url'), newExtension({ url: 'urn:x' })],
    [
      'times without method',
      outcomes.missingField('extension/1/extension/PreferredContactMethod'),
      newExtension({
        url: extensionUrl.contactPreference,
        extension: [{ url: 'PreferredContactTimes', valueString: 'noon' }],
      }),
    ],
    [
      'birth place without place',
      outcomes.missingField('extension/1/valueAddress'),
      newExtension({ url: extensionUrl.birthPlace, valueAddress: {} }),
    ],
    [
      'death without date',
      invalid('deceasedDateTime must be given with a death notification'),
      newExtension(death('1')),
    ],
    [
      'date without death',
      invalid('a death notification must be given with deceasedDateTime'),
      [{ op: 'add', path: '/deceasedDateTime', value: '2026-01-01' }],
    ],
    ['formal death', forbidden("source not permitted to set 'deathNotificationStatus'"), newExtension(death('2'))],
    [
      'death status U',
      outcomes.invalidField('U', 'extension/1/extension/0/valueCodeableConcept/coding/0/code'),
      newExtension(death('U')),
    ],
    [
      'death before birth',
      outcomes.invalidField('1979-01-01', 'deceasedDateTime'),
      [...newExtension(death('1')), { op: 'add', path: '/deceasedDateTime', value: '1979-01-01' }],
    ],
    [
      'death with another offset',
      outcomes.invalidField('2026-01-01T00:00:00+01:00', 'deceasedDateTime'),
      [...newExtension(death('1')), { op: 'add', path: '/deceasedDateTime', value: '2026-01-01T00:00:00+01:00' }],
    ],
  ]
  for (const [name, outcome, patches] of cases)
    test(name, async () => {
      const number = await person({
        address: [home],
        telecom: [mobile],
        generalPractitioner: [{ id: 'G1', type: 'Organization', identifier: { value: 'A20047' } }],
        extension: [communication],
      })
      isOutcome(await patch(number, patches), outcome)
      assert.equal((await pds.contract.find(number))?.version, 1)
    })

  test('restricted people are updated by the back office alone, and nothing of them is told', async () => {
    const number = await person({ address: [home] }, { sensitivity: 'R' })
    const probe = [{ op: 'test', path: '/address/0/postalCode', value: 'ZZ1 1ZZ' }]
    isOutcome(await patch(number, probe), forbidden('source not permitted to update a restricted record'))
    const as: Access = {
      mode: 'user-restricted',
      user: { id: '1' },
      app: { id: 'a', attributes: { source: 'back-office' } },
    }
    const answer = await patch(
      number,
      [{ op: 'replace', path: '/address/0', value: { ...home, postalCode: 'ZZ8 8ZZ' } }],
      { as },
    )
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.json().address, undefined)
    const stored = (await pds.contract.find(number))?.patient['address'] as { postalCode: string }[]
    assert.equal(stored[0]?.postalCode, 'ZZ8 8ZZ')
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
