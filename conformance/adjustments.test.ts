import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { raInteractions } from '@openspine/services/adjustments'
import { writeUnsecuredToken as unsecured } from '@openspine/standards/jwt'
import { Agent, request } from 'undici'
import { openApi } from './openapi.ts'
import { consumer, type Sandbox, startSandbox } from './sandbox.ts'

const stu3 = openApi('../packages/services/src/adjustments/openapi.yaml')
const flags = openApi('../packages/services/src/adjustments/r4/openapi.yaml')
const people = { one: '9990548609', restricted: '9990548838', veryRestricted: '9990548846', absent: '9990548994' }
/** A nurse of the sandbox. */
const role = '555110000001'
const spineAsid = '200000099999'

let sandbox: Sandbox
let agent: Agent
before(async () => {
  sandbox = await startSandbox()
  const { ca, cert, key } = sandbox.material
  agent = new Agent({ connect: { ca, cert, key } })
})
after(async () => {
  await agent.close()
  await sandbox.stop()
})

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json(): any
}

async function ask(method: string, url: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  const answer = await request(url, {
    dispatcher: agent,
    method: method.toUpperCase() as 'GET',
    headers: body === undefined ? headers : { 'content-type': 'application/fhir+json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.body.text()
  return { status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) }
}

/** Asks behind the API platform, and holds the answer against the description. `{id}` in the operation is filled in. */
async function platform(
  description: ReturnType<typeof openApi>,
  operation: string,
  about: {
    readonly id?: string
    readonly query?: string
    readonly body?: unknown
    readonly headers?: Record<string, string>
  } = {},
): Promise<Answer> {
  const [method = '', path = ''] = operation.split(' ')
  const url = `${sandbox.spine.urls['api']}${description.server}${path.replace('{id}', about.id ?? '')}${about.query === undefined ? '' : `?${about.query}`}`
  const answer = await ask(
    method,
    url,
    { 'x-request-id': randomUUID(), 'nhsd-session-urid': role, ...about.headers },
    about.body,
  )
  description.holds(operation, answer)
  seen.add(`${description.server} ${operation}`)
  return answer
}
const seen = new Set<string>()

const system = 'https://fhir.nhs.uk/STU3/CodeSystem/RARecord-'
const nraf = { coding: [{ system: `${system}FlagCategory-1`, code: 'NRAF' }] }
const subject = (nhsNumber: string) => ({
  reference: `https://demographics.spineservices.nhs.uk/STU3/Patient/${nhsNumber}`,
})
const consent = (nhsNumber: string) => ({
  resourceType: 'Consent',
  status: 'active',
  category: [nraf],
  patient: subject(nhsNumber),
  purpose: [{ system: `${system}ConsentPurpose-1`, code: 'RACONSENT' }],
})
const flag = (nhsNumber: string) => ({
  resourceType: 'Flag',
  extension: [
    {
      url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-AdjustmentCategory-1',
      valueCodeableConcept: { coding: [{ system: `${system}AdjustmentCategory-1`, code: '001' }] },
    },
  ],
  status: 'active',
  category: nraf,
  code: { coding: [{ system: 'http://snomed.info/sct', code: '796161000000101' }] },
  subject: subject(nhsNumber),
})
const list = (nhsNumber: string, code: object) => ({
  resourceType: 'List',
  contained: [
    {
      resourceType: 'Condition',
      id: 'c1',
      clinicalStatus: 'active',
      category: [
        {
          coding: [
            { system: 'https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1', code: 'issue' },
          ],
        },
      ],
      code: { coding: [code] },
      subject: subject(nhsNumber),
    },
  ],
  status: 'current',
  mode: 'changes',
  code: { coding: [{ system: 'http://snomed.info/sct', code: '1094391000000102' }] },
  subject: subject(nhsNumber),
  entry: [{ item: { reference: '#c1' } }],
})
const query = (nhsNumber: string, of: 'category' | 'code' = 'category') =>
  new URLSearchParams({
    patient: nhsNumber,
    status: 'active',
    [of]: of === 'category' ? `${system}FlagCategory-1|NRAF` : 'http://snomed.info/sct|1094391000000102',
  }).toString()
const version = (answer: Answer) => ({ 'if-match': String(answer.headers['etag']) })

test('a record in STU3, from consent to removal: every answer is as openapi.yaml says', async () => {
  const { one } = people
  assert.equal((await platform(stu3, 'post /Flag', { body: flag(one) })).status, 403)
  const made = await platform(stu3, 'post /Consent', { body: consent(one) })
  assert.equal(made.status, 201, made.text)
  assert.match(made.text, /"display":"[^"]+"/)
  assert.equal((await platform(stu3, 'post /Consent', { body: consent(one) })).status, 422)
  const adjustment = await platform(stu3, 'post /Flag', { body: flag(one) })
  const { id } = adjustment.json()
  const changed = await platform(stu3, 'put /Flag/{id}', { id, body: flag(one), headers: version(adjustment) })
  assert.equal(changed.json().meta.versionId, '2')
  const stale = await platform(stu3, 'put /Flag/{id}', { id, body: flag(one), headers: version(adjustment) })
  assert.equal(stale.status, 409)
  const impairments = list(one, { system: `${system}ConditionCode-1`, code: '5' })
  const conditions = list(one, { system: 'http://snomed.info/sct', code: '73618009' })
  for (const [path, body, of] of [
    ['/List', impairments, 'code'],
    ['/UnderlyingConditionList', conditions, 'category'],
  ] as const) {
    const sent = await platform(stu3, `post ${path}`, { body })
    assert.equal(sent.status, 201, sent.text)
    assert.equal((await platform(stu3, `post ${path}`, { body })).status, 200)
    const read = await platform(stu3, `get ${path}`, { query: query(one, of) })
    const put = await platform(stu3, `put ${path}/{id}`, { id: sent.json().id, body, headers: version(read) })
    assert.equal(put.status, 200, put.text)
  }
  for (const path of ['/Consent', '/Flag', '/ThresholdCode'])
    assert.equal((await platform(stu3, `get ${path}`, { query: query(one) })).json().total, 1, path)
  await platform(stu3, 'get /metadata')
  const inactive = { ...consent(one), status: 'inactive' }
  const unreasoned = await platform(stu3, 'put /Consent/{id}', {
    id: made.json().id,
    body: inactive,
    headers: version(made),
  })
  assert.equal(unreasoned.status, 422)
  const reason = { coding: [{ system: `${system}RemovalReason-1`, code: 'DoesntApply' }] }
  const part = [
    { name: 'nhsNumber', valueString: one },
    { name: 'removalReason', valueCodeableConcept: reason },
  ]
  const body = { resourceType: 'Parameters', parameter: [{ name: 'removeRARecord', part }] }
  const promised = await platform(stu3, 'post /$removerarecord', {
    body,
    headers: { ...version(made), prefer: 'respond-async' },
  })
  assert.equal(promised.status, 202)
  const poll = String(promised.headers['content-location']).split('/').at(-1) ?? ''
  assert.equal((await platform(stu3, 'get /_poll/{id}', { id: poll })).status, 200)
  assert.equal((await platform(stu3, 'get /Flag', { query: query(one) })).json().total, 0)
  assert.equal((await platform(stu3, 'get /Flag', { query: query(people.absent) })).status, 404)
  assert.equal((await platform(stu3, 'get /Flag', { query: query(people.veryRestricted) })).status, 403)
  assert.equal((await platform(stu3, 'get /Flag', { query: 'patient=1' })).status, 404)
  assert.equal(
    (await platform(stu3, 'get /Flag', { query: query(one), headers: { authorization: 'Bearer x' } })).status,
    401,
  )
  assert.deepEqual(
    stu3.operations.filter((operation) => !seen.has(`${stu3.server} ${operation}`)),
    [],
  )
})

test('the same record as Patient Flags, and back', async () => {
  const england = 'https://fhir.nhs.uk/England/CodeSystem/England-'
  const coded = (name: string, code: string) => ({ coding: [{ system: `${england}${name}`, code }] })
  const { restricted } = people
  const about = { subject: { reference: `Patient/${restricted}` } }
  const top = {
    resourceType: 'Flag',
    status: 'active',
    code: coded('FlagCategoryPatient', 'national-reasonable-adjustment-flag'),
    ...about,
  }
  const adjustment = {
    resourceType: 'Flag',
    status: 'active',
    category: [top.code, coded('FlagCategoryRA', 'communication-support')],
    code: { coding: [{ system: 'http://snomed.info/sct', code: '1082681000000103' }] },
    ...about,
  }
  const condition = {
    resourceType: 'Condition',
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }],
    },
    code: coded('ConditionCodeRA', 'learning'),
    ...about,
  }
  const entry = [top, adjustment, condition].map((resource) => ({
    resource,
    request: { method: 'POST', url: resource.resourceType },
  }))
  const body = { resourceType: 'Bundle', type: 'transaction', entry }
  assert.equal((await platform(flags, 'post /', { body })).json().entry.length, 3)
  const search = `patient=${restricted}&code=national-reasonable-adjustment-flag`
  const found = await platform(flags, 'get /Flag', { query: search })
  assert.equal(found.json().total, 3)
  // A restricted person: nobody learns who recorded it, and where, in either dialect.
  const old = await platform(stu3, 'get /Flag', { query: query(restricted) })
  assert.equal(old.json().total, 1)
  for (const { text } of [found, old]) assert.doesNotMatch(text, /Provenance|Organization/)
  const more = await platform(flags, 'post /Flag', { body: adjustment })
  const another = await platform(flags, 'post /Condition', { body: condition })
  assert.deepEqual([more.status, another.status], [201, 201])
  assert.equal((await platform(flags, 'delete /Flag/{id}', { id: more.json().id })).status, 200)
  assert.equal((await platform(flags, 'delete /Condition/{id}', { id: another.json().id })).status, 200)
  assert.equal((await platform(flags, 'delete /Flag', { query: search })).status, 400)
  const removed = await platform(flags, 'delete /Flag', { query: search, headers: { 'x-removal': 'DoesntApply' } })
  assert.equal(removed.status, 200)
  for (const [operation, status] of [
    ['get /Flag', 404],
    ['post /Flag', 400],
  ] as const)
    assert.equal(
      (await platform(flags, operation, { query: 'patient=1', ...(status === 400 ? { body: {} } : {}) })).status,
      status,
    )
  assert.deepEqual(
    flags.operations.filter((operation) => !seen.has(`${flags.server} ${operation}`)),
    [],
  )
})

test('the direct door: found in the directory, mutual TLS, one token for each interaction', async () => {
  const { spine, client } = sandbox
  const session = client.session({ practitioner: consumer.practitioner })
  const interaction = 'urn:nhs:names:services:raflags:Consent.write:1'
  assert.ok(raInteractions.includes(interaction))
  const found = await session.lookup({ odsCode: 'YES', interaction })
  assert.deepEqual([found.endpoint, found.asid], [`${spine.urls['spine']}/STU3`, spineAsid])
  const headers = (what: string, scope: string) => {
    const now = Math.floor(Date.now() / 1000)
    const user = `https://fhir.nhs.uk/Id/sds-role-profile-id|${role}`
    const token = unsecured({
      iss: consumer.system.url,
      sub: user,
      aud: found.endpoint,
      iat: now,
      exp: now + 300,
      reason_for_request: 'directcare',
      scope,
      requesting_system: `https://fhir.nhs.uk/Id/accredited-system|${consumer.asid}`,
      requesting_organization: 'https://fhir.nhs.uk/Id/ods-organization-code|X26',
      requesting_user: user,
    })
    return {
      Authorization: `Bearer ${token}`,
      fromASID: consumer.asid,
      toASID: found.asid,
      TraceID: randomUUID(),
      InteractionID: `urn:nhs:names:services:raflags:${what}:1`,
    }
  }
  const write = headers('Consent.write', 'user/Consent.write')
  const made = await ask('POST', `${found.endpoint}/Consent`, write, consent(people.one))
  assert.equal(made.status, 201, made.text)
  const [provenance] = made.json().contained
  assert.ok(provenance.agent[0].whoReference.display !== undefined, made.text)
  const read = await ask(
    'GET',
    `${found.endpoint}/Consent?${query(people.one)}`,
    headers('Consent.read', 'user/Consent.read'),
  )
  assert.equal(read.json().total, 1)
  const xml = await ask('GET', `${found.endpoint}/Consent?${query(people.one)}`, {
    ...headers('Consent.read', 'user/Consent.read'),
    accept: 'application/fhir+xml',
  })
  assert.match(xml.text, /^<Bundle xmlns="http:\/\/hl7.org\/fhir">/)
  const wrong = await ask(
    'GET',
    `${found.endpoint}/Consent?${query(people.one)}`,
    headers('Consent.read', 'user/Consent.write'),
  )
  assert.deepEqual([wrong.status, wrong.json().issue[0].diagnostics], [400, "scope must match 'user/Consent.read'."])
  const bare = new Agent({ connect: { ca: sandbox.material.ca } })
  const stranger = await request(`${found.endpoint}/Consent?${query(people.one)}`, {
    dispatcher: bare,
    headers: headers('Consent.read', 'user/Consent.read'),
  })
  assert.equal(stranger.statusCode, 403)
  assert.match(await stranger.body.text(), /ACCESS_DENIED_SSL/)
  await bare.close()
  const [record] = await spine.platform.audit.find({ trace: write.TraceID, limit: 1 })
  assert.deepEqual(
    [record?.facts['face'], record?.facts['nhsNumber'], record?.facts['status']],
    ['direct', people.one, 201],
  )
})
