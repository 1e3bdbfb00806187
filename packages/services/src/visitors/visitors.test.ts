import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { arrivalChecks, searchChecks } from './checks.ts'
import type { StatusChange } from './contract.ts'
import { visitorsOutcomes } from './service.ts'
import { type Asking, asids, noon, numbers, query, startVisitors } from './testing.ts'

const charged: StatusChange = {
  nhsNumber: numbers.charged,
  basic: 'Y',
  category: 'F',
  source: 'home-office',
  effectiveAt: Date.parse('2024-01-01T15:00:00Z'),
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
const entryOf = (text: string): any => {
  const bundle = JSON.parse(text)
  assert.deepEqual([bundle.resourceType, bundle.type, bundle.entry.length], ['Bundle', 'searchset', 1])
  return bundle.entry[0].resource
}

let service: Awaited<ReturnType<typeof startVisitors>>
before(async () => {
  service = await startVisitors()
})
after(() => service.close())

test('a search shows the status that holds, as JSON and as XML', async () => {
  const { ask, contract } = service
  assert.equal(await contract.record([charged], 'test'), 1)
  const answer = await ask(numbers.charged)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/json+fhir;charset=utf-8')
  const { id, meta, effectiveDateTime, component, subject } = entryOf(answer.text)
  assert.equal(meta.versionId, '1')
  assert.equal(subject.reference, `Patient/${numbers.charged}`)
  assert.equal(effectiveDateTime, '2024-01-01T15:00:00+00:00')
  assert.deepEqual(
    component.map(({ code, valueCodeableConcept: value }: { code: Concept; valueCodeableConcept: Concept }) => [
      code.coding[0]?.code,
      value.coding[0]?.code,
    ]),
    [
      ['BASIC_CHARGEABLE_STATUS', 'Y'],
      ['CATEGORY_CHARGEABLE_STATUS', 'F'],
    ],
  )
  assert.deepEqual(dstu2.check(JSON.parse(answer.text)), [])
  assert.match(JSON.parse(answer.text).entry[0].fullUrl, new RegExp(`/visitorsandmigrants/Observation/${id}$`))

  for (const asking of [
    { headers: { Accept: 'application/xml+fhir' } },
    { query: `${query(numbers.charged)}&_format=${encodeURIComponent('application/xml+fhir')}` },
    { headers: { 'Content-Type': 'application/xml+fhir' } },
  ]) {
    const xml = await ask(numbers.charged, asking)
    assert.deepEqual([xml.status, xml.headers['content-type']], [200, 'application/xml+fhir;charset=utf-8'])
    assert.equal((dstu2.fromXml(xml.text)['entry'] as { resource: { id: string } }[])[0]?.resource.id, id)
    assert.equal(spawnSync('xmllint', ['--noout', '-'], { input: xml.text }).status ?? 0, 0)
  }
})

interface Concept {
  readonly coding: readonly { readonly code: string }[]
}

test('the latest decision holds, whoever told it last; each is kept', async () => {
  const { ask, contract } = service
  const decided = { ...charged, nhsNumber: numbers.decided }
  const later: StatusChange = {
    ...decided,
    basic: 'N',
    category: 'B',
    source: 'overseas-visitor-manager',
    effectiveAt: charged.effectiveAt + 86_400_000,
  }
  assert.equal(await contract.record([later, decided, decided], 'load'), 2)
  assert.equal(await contract.record([decided], 'again'), 0)
  assert.equal((await contract.status(numbers.decided))?.category, 'B')
  const history = await contract.history(numbers.decided)
  assert.deepEqual(
    history.map(({ version, category }) => [version, category]),
    [
      [1, 'B'],
      [2, 'F'],
    ],
  )
  assert.equal(new Set(history.map(({ id }) => id)).size, 1)
  assert.equal(await contract.count(), 2)
  const { component } = entryOf((await ask(numbers.decided)).text)
  assert.equal(component[1].valueCodeableConcept.coding[0].code, 'B')
  for (const wrong of [{ basic: 'X' }, { category: 'G' }, { source: 'me' }, { effectiveAt: 1.5 }, { nhsNumber: '1' }])
    await assert.rejects(contract.record([{ ...charged, ...wrong } as StatusChange], 'test'), {
      code: 'VISITORS_STATUS_INVALID',
    })
})

test('nothing recorded is a success; sensitive, merged and invalidated people are answered as the others services do', async () => {
  const { ask, contract } = service
  await contract.record(
    [charged, ...[numbers.restricted, numbers.veryRestricted].map((nhsNumber) => ({ ...charged, nhsNumber }))],
    'test',
  )
  for (const nhsNumber of [numbers.unrecorded, numbers.veryRestricted]) {
    const answer = await ask(nhsNumber)
    const { resourceType, issue } = entryOf(answer.text)
    assert.deepEqual([answer.status, resourceType, issue[0].severity], [200, 'OperationOutcome', 'information'])
    assert.equal(JSON.parse(answer.text).total, 0)
  }
  assert.equal(entryOf((await ask(numbers.restricted)).text).resourceType, 'Observation')
  assert.equal(entryOf((await ask(numbers.merged)).text).subject.reference, `Patient/${numbers.charged}`)
  for (const nhsNumber of [numbers.invalidated, numbers.absent]) assert.equal((await ask(nhsNumber)).status, 404)
})

test('what was decided under a number that was merged is told of the retained one', async () => {
  const { ask, contract } = service
  const now: StatusChange = {
    ...charged,
    nhsNumber: numbers.merged,
    category: 'E',
    effectiveAt: charged.effectiveAt + 1000,
  }
  assert.equal((await contract.record([charged, now], 'test')) > 0, true)
  for (const nhsNumber of [numbers.charged, numbers.merged]) {
    const { subject, component } = entryOf((await ask(nhsNumber)).text)
    assert.equal(subject.reference, `Patient/${numbers.charged}`)
    assert.equal(component[1].valueCodeableConcept.coding[0].code, 'E')
    assert.deepEqual(
      (await contract.history(nhsNumber)).map((each) => each.nhsNumber).sort(),
      [numbers.charged, numbers.merged].sort(),
    )
  }
})

test('tokens as the published example files have them', async () => {
  const { ask } = service
  const net = 'http://fhir.nhs.net/Id'
  const answer = await ask(numbers.unrecorded, {
    claims: {
      sub: 'PW1357',
      requested_scopes: 'patient/*.read',
      requested_record: {
        resourceType: 'Patient',
        identifier: [{ system: `${net}/nhs-number`, value: numbers.unrecorded }],
      },
      requesting_device: {
        resourceType: 'Device',
        identifier: [{ id: '0b7677c0-d434-11e6-9598-0800200c9a66' }],
        type: { coding: [{ system: 'http://snomed.info/sct', code: '462240000' }] },
        model: 'AA 1001-C',
        version: '8.15-04',
      },
      requesting_organization: {
        resourceType: 'Organization',
        identifier: [{ system: `${net}/ods-organization-code`, value: 'R1A02' }],
      },
      requesting_practitioner: {
        resourceType: 'Practitioner',
        id: '3516e6a0-d434-11e6-9598-0800200c9a66',
        identifier: [{ system: `${net}/sds-role-profile-id`, value: 'PW1357' }],
        practitionerRole: [
          { managingOrganization: { reference: 'Organization/1a9f3c50-d434-11e6-9598-0800200c9a66' } },
        ],
      },
    },
  })
  assert.equal(answer.status, 200, answer.text)
})

const spoiled = (part: string, value: unknown) => ({ claims: { [part]: value } })
const otherQuery = (name: string, value: string) => {
  const pairs = new URLSearchParams(query(numbers.charged))
  pairs.set(name, value)
  return { query: pairs.toString() }
}
const patient = 'subject:Patient.identifier'

/** Name of the check that fails → requests that fail it. */
const failures: Readonly<Record<string, readonly Asking[]>> = {
  Certificate: [{ certificate: 'none' }],
  Operation: [{ path: '/Patient' }, { method: 'POST' }, { method: 'DELETE' }, { path: '/Observation/1' }, { path: '' }],
  'Ssp-TraceID': [{ headers: { 'Ssp-TraceID': undefined } }, { headers: { 'Ssp-TraceID': 'x' } }],
  'Ssp-From': [{ headers: { 'Ssp-From': undefined } }, { headers: { 'Ssp-From': '12' } }],
  'Ssp-To': [{ headers: { 'Ssp-To': undefined } }, { headers: { 'Ssp-To': '' } }],
  'Ssp-InteractionID': [
    { headers: { 'Ssp-InteractionID': undefined } },
    { headers: { 'Ssp-InteractionID': 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:read:metadata' } },
  ],
  'Ssp-Version': [{ headers: { 'Ssp-Version': '2' } }],
  'Sender and receiver': [
    { headers: { 'Ssp-From': '200000109999' } },
    { headers: { 'Ssp-From': asids.stranger } },
    { headers: { 'Ssp-To': '200000109999' } },
    { headers: { 'Ssp-To': asids.stranger } },
    { certificate: 'other' },
  ],
  Accept: [{ headers: { Accept: 'text/html' } }],
  'Well formed': [{ query: `${patient}=%ff&code=1` }, { body: 'x', method: 'GET' }],
  Format: [{ query: `${query(numbers.charged)}&_format=csv` }],
  Authorization: [
    { headers: { Authorization: undefined } },
    { headers: { Authorization: 'Basic YTpi' } },
    { headers: { Authorization: 'Bearer x.y' } },
  ],
  Token: [
    ...['iss', 'sub', 'aud', 'exp', 'iat', 'reason_for_request', 'requested_scopes', 'requested_record'].map((claim) =>
      spoiled(claim, undefined),
    ),
    ...['requesting_device', 'requesting_organization', 'requesting_practitioner'].map((claim) =>
      spoiled(claim, undefined),
    ),
    spoiled('aud', 'https://authorize.fhir.nhs.net/token'),
    spoiled('sub', 'somebody'),
    spoiled('reason_for_request', 'secondaryuses'),
    spoiled('requested_scopes', 'patient/Observation.write'),
    { claims: { iat: noon - 400, exp: noon - 100 } },
    { claims: { iat: noon, exp: noon + 301 } },
    { claims: { iat: noon + 700, exp: noon + 1000 } },
    spoiled('requested_record', { resourceType: 'Patient', identifier: [{ system: 'x', value: 'y' }] }),
    spoiled('requesting_organization', { resourceType: 'Organization', name: 'none' }),
    spoiled('requesting_device', { resourceType: 'Device', model: 'none' }),
  ],
  'Resources of the token': [
    spoiled('requesting_device', { resourceType: 'Device', identifier: [{ system: 'a', value: 'b' }], colour: 'red' }),
  ],
  Parameters: [
    { query: '' },
    { query: `${patient}=a|b` },
    { query: `${query(numbers.charged)}&code=twice` },
    { query: `${query(numbers.charged)}&name=x` },
  ],
  'Identifier system': [otherQuery(patient, numbers.charged), otherQuery(patient, `http://other|${numbers.charged}`)],
  'NHS number': [
    otherQuery(patient, 'https://fhir.nhs.uk/Id/nhs-number|9990548600'),
    otherQuery(patient, 'https://fhir.nhs.uk/Id/nhs-number|'),
    otherQuery(patient, 'https://fhir.nhs.uk/Id/nhs-number|999 054 8609'),
  ],
  'Code system': [otherQuery('code', '0001'), otherQuery('code', 'https://fhir.nhs.uk/other|0001')],
  Code: [otherQuery('code', 'https://fhir.nhs.uk/fhir-observation-code-1|0002')],
  'Record of the token': [otherQuery(patient, `https://fhir.nhs.uk/Id/nhs-number|${numbers.unrecorded}`)],
}

test('every check fails with its outcome, in both formats, and is on record', async () => {
  const { ask, platform } = service
  const checks = [...arrivalChecks, ...searchChecks]
  assert.deepEqual(Object.keys(failures).sort(), checks.map(({ name }) => name).sort())
  for (const { name, outcome } of checks)
    for (const asking of failures[name] ?? []) {
      const about = `${name}: ${JSON.stringify(asking)}`
      const expected = visitorsOutcomes[outcome]
      const answer = await ask(numbers.charged, asking)
      assert.equal(answer.status, expected.status, `${about} ${answer.text}`)
      const { resourceType, meta, issue } = entryOf(answer.text)
      assert.equal(resourceType, 'OperationOutcome', about)
      assert.deepEqual(meta.profile, ['https://fhir.nhs.uk/StructureDefinition/spine-operationoutcome-1'])
      const { severity, code, details, diagnostics } = issue[0]
      assert.deepEqual([severity, code, details.coding[0]], ['error', expected.issue, expected.coding], about)
      assert.ok(diagnostics.length > 10, about)
      if (answer.trace.length < 36) continue
      const [record] = await platform.audit.find({ trace: answer.trace, limit: 1 })
      assert.equal(record?.event, 'visitors.request')
      assert.deepEqual([record?.facts['check'], record?.facts['because']], [name, diagnostics], about)
    }
  const xml = await ask(numbers.charged, { headers: { Accept: 'application/xml+fhir', 'Ssp-Version': '9' } })
  assert.equal(xml.headers['content-type'], 'application/xml+fhir;charset=utf-8')
  assert.equal(dstu2.fromXml(xml.text).resourceType, 'Bundle')
})

test('the answers of the published tables are all there', () => {
  const codes = Object.values(visitorsOutcomes).map(({ status, issue, coding }) => `${status} ${issue} ${coding.code}`)
  for (const row of [
    '404 not-found PATIENT_NOT_FOUND',
    '400 invalid INVALID_NHS_NUMBER',
    '400 code-invalid INVALID_CODE_SYSTEM',
    '400 code-invalid INVALID_CODE_VALUE',
    '400 code-invalid INVALID_IDENTIFIER_SYSTEM',
    '400 value INVALID_ELEMENT',
    '400 invalid INVALID_PARAMETER',
    '400 unknown REQUEST_UNMATCHED',
    '400 structure MESSAGE_NOT_WELL_FORMED',
    '400 invalid MISSING_OR_INVALID_HEADER',
    '403 forbidden ACCESS_DENIED_SSL',
    '403 forbidden ASID_CHECK_FAILED',
  ])
    assert.ok(codes.includes(row), row)
})

test('metadata tells what is served; the audit keeps who saw what', async () => {
  const { ask, platform } = service
  const metadata = await ask(numbers.charged, { path: '/metadata' })
  assert.equal(metadata.status, 200)
  assert.deepEqual(dstu2.check(JSON.parse(metadata.text)), [])
  const { trace } = await ask(numbers.charged)
  const [record] = await platform.audit.find({ trace, limit: 1 })
  const { from, asked, shown, status, peer, claims } = record?.facts ?? {}
  assert.deepEqual(
    [from, asked, shown, status, peer],
    [asids.consumer, numbers.charged, numbers.charged, 200, 'consumer.example'],
  )
  assert.equal((claims as { sub: string }).sub, '555254240100')
})
