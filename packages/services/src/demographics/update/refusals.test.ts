import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Access } from '../access.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { extensionUrl, ukCore } from '../person.ts'
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
const forbidden = outcomes.forbiddenUpdate

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
