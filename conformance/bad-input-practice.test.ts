/** Tokens, bodies and types that a GP Connect 0.x provider must refuse: sent through the proxy, answered exactly. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { ask, header } from './raw-http.ts'
import {
  type Claims,
  careRecord,
  metadata,
  nhsNumber,
  onlyRow,
  outcomeOf,
  parameters,
  type RequestChanges,
  rowsOf,
} from './raw-request.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox()
})
after(() => sandbox?.stop())

const errorCodes = 'http://fhir.nhs.net/ValueSet/gpconnect-error-or-warning-code-1'
const codes = {
  BAD_REQUEST: [400, 'invalid', 'Bad request'],
  UNSUPPORTED: [415, 'invalid', 'Bad request'],
  INVALID_RESOURCE: [422, 'invalid', 'Invalid validation of resource'],
  INVALID_PARAMETER: [422, 'invalid', 'Invalid parameter'],
  INVALID_NHS_NUMBER: [400, 'value', 'Invalid NHS number'],
  INVALID_IDENTIFIER_SYSTEM: [400, 'value', 'Invalid identifier system'],
  PATIENT_NOT_FOUND: [404, 'not-found', 'Patient not found'],
} as const
type Code = keyof typeof codes

/** Relayed by the proxy, refused by the practice with exactly this, and on record once with each. */
async function refused(change: RequestChanges, expected: Code, of: typeof careRecord = careRecord): Promise<void> {
  const { trace, bytes } = of(sandbox, change)
  const answer = await ask(String(sandbox.spine.urls['proxy']), sandbox.material, bytes)
  const { diagnostics, ...outcome } = outcomeOf(answer)
  const [status, issue, display] = codes[expected]
  assert.deepEqual(
    { status: answer.status, ...outcome },
    {
      status,
      severity: 'error',
      issue,
      system: errorCodes,
      code: expected === 'UNSUPPORTED' ? 'BAD_REQUEST' : expected,
      display,
    },
    diagnostics,
  )
  assert.ok(diagnostics !== undefined && diagnostics.length > 10)
  assert.equal(header(answer, 'cache-control'), 'no-store')
  assert.match(String(header(answer, 'content-type')), /^application\/json\+fhir; ?charset=utf-8$/i)
  const proxied = await onlyRow(sandbox, trace, 'proxy.request')
  assert.deepEqual([proxied.facts['ending'], proxied.facts['status']], ['relayed', status])
  const row = await onlyRow(sandbox, trace, 'practice.request')
  assert.equal(row.facts['status'], status)
  assert.equal(row.facts['outcome'], expected === 'UNSUPPORTED' ? 'UNSUPPORTED_TYPE' : expected)
}

const with_ = (more: Claims) => (claims: Claims) => ({ ...claims, ...more })
const without = (name: string) => (claims: Claims) => {
  const { [name]: _, ...rest } = claims
  return rest
}
const inside = (claim: string, more: Claims) => (claims: Claims) => ({
  ...claims,
  [claim]: { ...(claims[claim] as Claims), ...more },
})
const now = () => Math.floor(Date.now() / 1000)

describe('tokens: claims', () => {
  const cases: readonly [name: string, claims: (claims: Claims) => Claims, expected: Code][] = [
    ...[
      ...['iss', 'sub', 'aud', 'exp', 'iat', 'reason_for_request', 'requested_scope', 'requesting_device'],
      ...['requesting_organization', 'requesting_practitioner', 'requested_record'],
    ].map((name): [string, (claims: Claims) => Claims, Code] => [`without ${name}`, without(name), 'BAD_REQUEST']),
    ['expired', () => ({}) as Claims, 'BAD_REQUEST'],
    ['expired a second ago', (claims) => ({ ...claims, iat: now() - 301, exp: now() - 1 }), 'BAD_REQUEST'],
    ['alive for 299 seconds', (claims) => ({ ...claims, exp: Number(claims['iat']) + 299 }), 'BAD_REQUEST'],
    ['alive for 301 seconds', (claims) => ({ ...claims, exp: Number(claims['iat']) + 301 }), 'BAD_REQUEST'],
    ['exp before iat', (claims) => ({ ...claims, iat: now() + 600 }), 'BAD_REQUEST'],
    [
      'times as text',
      (claims) => ({ ...claims, iat: String(claims['iat']), exp: String(claims['exp']) }),
      'BAD_REQUEST',
    ],
    ['times in milliseconds', (claims) => ({ ...claims, iat: Date.now(), exp: Date.now() + 300_000 }), 'BAD_REQUEST'],
    ['times with fractions', (claims) => ({ ...claims, iat: now() + 0.5, exp: now() + 300.5 }), 'BAD_REQUEST'],
    ['times below zero', with_({ iat: -600, exp: -300 }), 'BAD_REQUEST'],
    ['another reason', with_({ reason_for_request: 'secondaryuses' }), 'BAD_REQUEST'],
    ['the reason of 1.6', with_({ reason_for_request: 'migration' }), 'BAD_REQUEST'],
    ['the reason in capitals', with_({ reason_for_request: 'DIRECTCARE' }), 'BAD_REQUEST'],
    ['the scope of another operation', with_({ requested_scope: 'organization/*.read' }), 'BAD_REQUEST'],
    ['a scope to write', with_({ requested_scope: 'patient/*.write' }), 'BAD_REQUEST'],
    ['two scopes', with_({ requested_scope: 'patient/*.read organization/*.read' }), 'BAD_REQUEST'],
    ['the scope of 1.6', with_({ requested_scope: 'patient/*.read conf/N' }), 'BAD_REQUEST'],
    ['another audience', with_({ aud: 'https://authorize.fhir.nhs.net/Token' }), 'BAD_REQUEST'],
    ['a list as the audience', with_({ aud: ['https://authorize.fhir.nhs.net/token'] }), 'BAD_REQUEST'],
    ['sub of somebody else', with_({ sub: 'u-18' }), 'BAD_REQUEST'],
    ['null claims', with_({ requesting_device: null }), 'BAD_REQUEST'],
    ['a device of another resource type', inside('requesting_device', { resourceType: 'Patient' }), 'BAD_REQUEST'],
    ['a device with an unknown member', inside('requesting_device', { invented: true }), 'INVALID_RESOURCE'],
    [
      'an organisation with an unknown member',
      inside('requesting_organization', { invented: 'x' }),
      'INVALID_RESOURCE',
    ],
    ['an organisation without ODS code', inside('requesting_organization', { identifier: [] }), 'BAD_REQUEST'],
    ['a practitioner with an unknown member', inside('requesting_practitioner', { invented: [] }), 'INVALID_RESOURCE'],
    [
      'a practitioner with a list of names, as in 1.x',
      inside('requesting_practitioner', { name: [{ family: 'J' }] }),
      'INVALID_RESOURCE',
    ],
    [
      'the record of another patient',
      inside('requested_record', {
        identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990548617' }],
      }),
      'BAD_REQUEST',
    ],
    ['a record of an organisation', inside('requested_record', { resourceType: 'Organization' }), 'BAD_REQUEST'],
    [
      'claims of 1.x',
      (claims) => ({
        ...without('requested_record')(claims),
        aud: 'https://gp.example/A20047/STU3/1/gpconnect',
        requesting_organization: {
          resourceType: 'Organization',
          identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
          name: 'Invented Trust',
        },
      }),
      'BAD_REQUEST',
    ],
    [
      'identifier systems of 1.x',
      inside('requested_record', { identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }] }),
      'BAD_REQUEST',
    ],
  ]
  for (const [name, claims, expected] of cases) it(name, () => refused({ claims }, expected))

  it('issued in the future is allowed, with the same five minutes (tests of the specification)', async () => {
    const { bytes } = careRecord(sandbox, { claims: (claims) => ({ ...claims, iat: now() + 200, exp: now() + 500 }) })
    assert.equal((await ask(String(sandbox.spine.urls['proxy']), sandbox.material, bytes)).status, 200)
  })
})

describe('tokens: envelope', () => {
  const base64 = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const tokenOf = (change: RequestChanges = {}) =>
    /Authorization: Bearer (\S+)/.exec(careRecord(sandbox, change).bytes.toString('latin1'))?.[1] ?? ''
  const parts = () => tokenOf().split('.') as [string, string, string]
  /** Readable: the proxy relays it, the provider refuses it. */
  const readable: readonly [name: string, token: () => string][] = [
    ['signed, whatever the signature', () => `${tokenOf()}c2lnbmF0dXJl`],
    ['alg RS256', () => `${base64({ alg: 'RS256', typ: 'JWT' })}.${parts()[1]}.`],
    ['alg HS256 and signed', () => `${base64({ alg: 'HS256', typ: 'JWT' })}.${parts()[1]}.c2ln`],
    ['alg None', () => `${base64({ alg: 'None', typ: 'JWT' })}.${parts()[1]}.`],
    ['no alg', () => `${base64({ typ: 'JWT' })}.${parts()[1]}.`],
    ['no typ', () => `${base64({ alg: 'none' })}.${parts()[1]}.`],
    ['another member in the header', () => `${base64({ alg: 'none', typ: 'JWT', kid: '1' })}.${parts()[1]}.`],
    ['empty claims', () => `${parts()[0]}.${base64({})}.`],
  ]
  for (const [name, token] of readable)
    it(name, () => refused({ headers: { Authorization: `Bearer ${token()}` } }, 'BAD_REQUEST'))

  /** Unreadable: the proxy, which must put it on record, refuses it itself. */
  const unreadable: readonly [name: string, token: () => string][] = [
    ['no final dot', () => parts().slice(0, 2).join('.')],
    ['four parts', () => `${tokenOf()}.x`],
    ['one part', () => 'garbage'],
    ['dots alone', () => '..'],
    ['header that is no base64url', () => `+${parts()[0]}.${parts()[1]}.`],
    ['padded claims', () => `${parts()[0]}.${parts()[1]}==.`],
    ['claims that are no JSON', () => `${parts()[0]}.${base64('{"iss":')}.`],
    ['claims that are a list', () => `${parts()[0]}.${base64([])}.`],
    ['claims that are null', () => `${parts()[0]}.${base64('null')}.`],
    ['claims that are not UTF-8', () => `${parts()[0]}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.`],
    ['claims nested a thousand deep', () => `${parts()[0]}.${base64(`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`)}.`],
    ['a token of 15 000 characters that is none', () => 'a'.repeat(15_000)],
  ]
  for (const [name, token] of unreadable)
    it(`${name}: refused by the proxy`, async () => {
      const { trace, bytes } = careRecord(sandbox, { headers: { Authorization: `Bearer ${token()}` } })
      const answer = await ask(String(sandbox.spine.urls['proxy']), sandbox.material, bytes)
      assert.equal(answer.status, 400)
      assert.equal(outcomeOf(answer).code, '400')
      const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
      assert.equal(facts['check'], 'token')
      assert.ok(String(facts['tokenFault']).length > 10)
      assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
    })
})

const json = (resource: unknown) => JSON.stringify(resource)
const good = () => JSON.parse(parameters()) as { resourceType: string; parameter: Record<string, unknown>[] }
const changed = (change: (parameter: Record<string, unknown>[]) => unknown) => {
  const resource = good()
  return json({ ...resource, parameter: change(resource.parameter) })
}
const section = (coding: unknown) =>
  changed(([patient]) => [patient, { name: 'recordSection', valueCodeableConcept: { coding } }])
const patient = (value: unknown) =>
  changed(([, second]) => [{ name: 'patientNHSNumber', valueIdentifier: value }, second])
const nhsSystem = 'http://fhir.nhs.net/Id/nhs-number'
const sectionSystem = 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1'

describe('bodies in JSON', () => {
  const cases: readonly [name: string, body: string | Buffer, expected: Code][] = [
    ['empty', '', 'BAD_REQUEST'],
    ['white space', ' \r\n\t', 'BAD_REQUEST'],
    ['no JSON', 'hello', 'BAD_REQUEST'],
    ['cut off', parameters().slice(0, -20), 'BAD_REQUEST'],
    ['with something behind it', `${parameters()}{}`, 'BAD_REQUEST'],
    ['a member twice', parameters().replace('{', '{"resourceType":"Parameters",'), 'BAD_REQUEST'],
    ['a list', '[]', 'BAD_REQUEST'],
    ['null', 'null', 'BAD_REQUEST'],
    [
      'not UTF-8',
      Buffer.concat([Buffer.from('{"resourceType":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      'BAD_REQUEST',
    ],
    [
      'nested ten thousand deep',
      `{"resourceType":"Parameters","parameter":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      'BAD_REQUEST',
    ],
    ['XML, though the type says JSON', '<Parameters xmlns="http://hl7.org/fhir"/>', 'BAD_REQUEST'],
    ['another resource', json({ resourceType: 'Patient' }), 'INVALID_RESOURCE'],
    ['no resource type', json({ parameter: good().parameter }), 'INVALID_RESOURCE'],
    ['an unknown member', json({ ...good(), invented: 1 }), 'INVALID_RESOURCE'],
    ['__proto__ as a member', parameters().replace('{', '{"__proto__":{"x":1},'), 'BAD_REQUEST'],
    ['no parameters', json({ resourceType: 'Parameters' }), 'BAD_REQUEST'],
    ['no patient', changed(([, second]) => [second]), 'BAD_REQUEST'],
    ['no section', changed(([first]) => [first]), 'BAD_REQUEST'],
    ['the patient twice', changed(([first, second]) => [first, first, second]), 'BAD_REQUEST'],
    ['the section twice', changed(([first, second]) => [first, second, second]), 'BAD_REQUEST'],
    [
      'the patient as a text',
      changed(([, second]) => [{ name: 'patientNHSNumber', valueString: nhsNumber }, second]),
      'BAD_REQUEST',
    ],
    ['an unknown parameter', changed((all) => [...all, { name: 'other', valueString: 'x' }]), 'INVALID_PARAMETER'],
    [
      'a parameter in another case',
      changed(([first, second]) => [first, second, { ...second, name: 'RecordSection' }]),
      'INVALID_PARAMETER',
    ],
    ['NHS number with a bad check digit', parameters({ nhsNumber: '9990548608' }), 'INVALID_NHS_NUMBER'],
    ['NHS number whose check digit would be 10', parameters({ nhsNumber: '9990000000' }), 'INVALID_NHS_NUMBER'],
    ['NHS number of nine digits', parameters({ nhsNumber: '999054860' }), 'INVALID_NHS_NUMBER'],
    ['NHS number with spaces', parameters({ nhsNumber: '999 054 8609' }), 'INVALID_NHS_NUMBER'],
    ['NHS number that is empty', patient({ system: nhsSystem, value: '' }), 'INVALID_NHS_NUMBER'],
    ['NHS number that is absent', patient({ system: nhsSystem }), 'INVALID_NHS_NUMBER'],
    [
      'NHS number system of 1.x',
      patient({ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }),
      'INVALID_IDENTIFIER_SYSTEM',
    ],
    ['NHS number system that is empty', patient({ system: '', value: nhsNumber }), 'INVALID_IDENTIFIER_SYSTEM'],
    ['section unknown', parameters({ section: 'ZZZ' }), 'INVALID_PARAMETER'],
    ['section in lower case', parameters({ section: 'all' }), 'INVALID_PARAMETER'],
    ['section of earlier drafts', parameters({ section: 'INV' }), 'INVALID_PARAMETER'],
    ['section that is empty', parameters({ section: '' }), 'INVALID_PARAMETER'],
    ['section constructor', parameters({ section: 'constructor' }), 'INVALID_PARAMETER'],
    ['section system empty', section([{ system: '', code: 'SUM' }]), 'INVALID_PARAMETER'],
    ['section system wrong', section([{ system: `${sectionSystem}-x`, code: 'SUM' }]), 'BAD_REQUEST'],
    ...['ALL', 'IMM', 'SUM'].map((code): [string, string, Code] => [
      `a time period on ${code}`,
      parameters({ section: code, period: { start: '2015-01-01', end: '2016-01-01' } }),
      'BAD_REQUEST',
    ]),
    ['a time period without bounds', parameters({ section: 'ENC', period: {} }), 'INVALID_PARAMETER'],
    ['a start that is no date', parameters({ section: 'ENC', period: { start: 'yesterday' } }), 'INVALID_PARAMETER'],
    ['a start on 30 February', parameters({ section: 'ENC', period: { start: '2015-02-30' } }), 'INVALID_PARAMETER'],
    [
      'a time without zone',
      parameters({ section: 'ENC', period: { start: '2015-01-01T10:00:00' } }),
      'INVALID_PARAMETER',
    ],
    [
      'a start after the end',
      parameters({ section: 'ENC', period: { start: '2016-01-01', end: '2015-01-01' } }),
      'INVALID_PARAMETER',
    ],
  ]
  for (const [name, body, expected] of cases) it(name, () => refused({ body }, expected))

  it('an unknown patient, asked for rightly', () =>
    refused(
      {
        body: parameters({ nhsNumber: '9999999409' }),
        claims: inside('requested_record', { identifier: [{ system: nhsSystem, value: '9999999409' }] }),
      },
      'PATIENT_NOT_FOUND',
    ))

  it('a body beyond the limit is 413, in FHIR', async () => {
    const { trace, bytes } = careRecord(sandbox, { body: ' '.repeat(300_000) })
    const answer = await ask(String(sandbox.spine.urls['proxy']), sandbox.material, bytes)
    assert.equal(answer.status, 413)
    outcomeOf(answer)
    await onlyRow(sandbox, trace, 'practice.request')
  })
})

describe('bodies in XML', () => {
  const xml = () => dstu2.toXml(good() as never)
  const send = { 'Content-Type': 'application/xml+fhir' }
  const doctype = (text: string) => xml().replace(/^(<\?xml[^>]*\?>)?/, (start) => `${start}${text}`)
  const cases: readonly [name: string, body: () => string, expected: Code][] = [
    ['cut off', () => xml().slice(0, -20), 'BAD_REQUEST'],
    ['a DTD', () => doctype('<!DOCTYPE Parameters>'), 'BAD_REQUEST'],
    [
      'a DTD with an external subset',
      () => doctype('<!DOCTYPE Parameters SYSTEM "file:///etc/passwd">'),
      'BAD_REQUEST',
    ],
    [
      'an external entity',
      () => doctype('<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace('ALL', '&x;'),
      'BAD_REQUEST',
    ],
    [
      'a billion laughs',
      () =>
        doctype(
          '<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
        ).replace('ALL', '&c;'),
      'BAD_REQUEST',
    ],
    ['an undeclared entity', () => xml().replace('ALL', '&nbsp;'), 'BAD_REQUEST'],
    ['no namespace', () => xml().replace(' xmlns="http://hl7.org/fhir"', ''), 'BAD_REQUEST'],
    ['an attribute twice', () => xml().replace('<name value=', '<name value="x" value='), 'BAD_REQUEST'],
    ['elements nested ten thousand deep', () => `${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}`, 'BAD_REQUEST'],
    ['JSON, though the type says XML', () => parameters(), 'BAD_REQUEST'],
    ['a NUL', () => xml().replace('ALL', 'A\0L'), 'BAD_REQUEST'],
    [
      'an unknown element',
      () => xml().replace('</Parameters>', '<invented value="1"/></Parameters>'),
      'INVALID_RESOURCE',
    ],
    ['another resource', () => '<Patient xmlns="http://hl7.org/fhir"/>', 'INVALID_RESOURCE'],
  ]
  for (const [name, body, expected] of cases) it(name, () => refused({ body: body(), headers: send }, expected))

  it('a sound one is answered, so that the table proves something', async () => {
    const { bytes } = careRecord(sandbox, { body: xml(), headers: { ...send, Accept: 'application/xml+fhir' } })
    const answer = await ask(String(sandbox.spine.urls['proxy']), sandbox.material, bytes)
    assert.equal(answer.status, 200)
    assert.match(answer.body.toString(), /<Bundle xmlns="http:\/\/hl7.org\/fhir">/)
  })
})

describe('types', () => {
  const cases: readonly [name: string, change: RequestChanges][] = [
    ...[
      ...[
        'application/json',
        'application/xml',
        'application/fhir+json',
        'application/fhir+xml',
        'text/plain',
        'text/xml',
      ],
      ...[
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'json',
        'application/json+fhirx',
        '*/*',
      ],
    ].map((type): [string, RequestChanges] => [`Content-Type ${type}`, { headers: { 'Content-Type': type } }]),
    ['no Content-Type', { headers: { 'Content-Type': undefined } }],
    ['a compressed body', { headers: { 'Content-Encoding': 'gzip' } }],
    ...['text/html', 'application/fhir+json', 'application/pdf', 'application/json+fhir;q=0', 'nonsense'].map(
      (type): [string, RequestChanges] => [`Accept ${type}`, { headers: { Accept: type } }],
    ),
  ]
  for (const [name, change] of cases) it(name, () => refused(change, 'UNSUPPORTED'))

  for (const format of ['application/fhir+json', 'text/html', 'json', 'xml'])
    it(`_format=${format}`, () => {
      const good = metadata(sandbox).bytes.toString('latin1').split(' ')[1] ?? ''
      return refused({ target: `${good}?_format=${format}` }, 'UNSUPPORTED', metadata)
    })

  it('the line breaks of a header do not get through in another coding', () =>
    refused({ headers: { Accept: 'text/html\xa0' } }, 'UNSUPPORTED'))
})

it('the practice serves, and the audit verifies, after all that', async () => {
  const { bytes } = careRecord(sandbox)
  assert.equal((await ask(String(sandbox.spine.urls['proxy']), sandbox.material, bytes)).status, 200)
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
})
