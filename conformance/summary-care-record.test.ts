import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { signedJwtToken } from '@openspine/client'
import { openApi } from './openapi.ts'
import { Environment } from './openspine-process.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { applicationKey, type WebClient, webClient } from './token-client.ts'

const description = openApi('../packages/services/src/summary-care-record/openapi.yaml')
const [patient, other] = ['9990548609', '9990548617'] as const
const nhsNumber = (number: string) => `https://fhir.nhs.uk/Id/nhs-number|${number}`

let sandbox: Sandbox
let web: WebClient
before(async () => {
  sandbox = await startSandbox()
  web = webClient(sandbox.material.ca)
})
after(async () => {
  web.close()
  await sandbox.stop()
})

const seen = new Set<string>()
/** Asks behind the API platform, and holds the answer against the description. */
async function ask(operation: string, about: { query?: string; body?: object; headers?: Record<string, string> } = {}) {
  const [method = '', path = ''] = operation.split(' ')
  const { query, body, headers } = about
  const url = `${sandbox.spine.urls['api']}${description.server}${path}${query === undefined ? '' : `?${query}`}`
  const answer = await web.ask(url, {
    method: method.toUpperCase(),
    headers: { 'x-request-id': randomUUID(), 'content-type': 'application/fhir+json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  description.holds(operation, answer)
  seen.add(operation)
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  return { ...answer, json: answer.json as any }
}

const search = (number: string) =>
  ask('get /DocumentReference', { query: `patient=${nhsNumber(number)}&_sort=date&_count=1` })
const retrieve = (number: string, id: string, headers: Record<string, string> = {}) =>
  ask('get /Bundle', {
    query: `composition.identifier=${id}&composition.subject:Patient.identifier=${nhsNumber(number)}`,
    headers,
  })

test('the summary of the demonstration, made of the record of the practice, is found, read and replaced', async () => {
  const found = await search(patient)
  assert.equal(found.json.total, 1)
  const id = found.json.entry[0].resource.masterIdentifier.value
  const document = (await retrieve(patient, id)).json
  const [composition] = document.entry.map(({ resource }: { resource: unknown }) => resource)
  const narrative = JSON.stringify(composition.section)
  for (const text of ['Penicillin V allergy: rash &amp; swelling', 'Beclometasone', 'Asthma', 'Seasonal influenza'])
    assert.ok(narrative.includes(text), text)
  assert.ok(!narrative.includes('Omeprazole'), 'what has ended is no current medicine')

  const upload = (number: string, replaces?: string) => {
    const body = structuredClone({ ...document, type: 'document', total: undefined })
    const next = randomUUID().toUpperCase()
    Object.assign(body.entry[0].resource, {
      identifier: { ...composition.identifier, value: next },
      ...(replaces === undefined ? {} : { relatesTo: [{ code: 'replaces', targetIdentifier: { value: replaces } }] }),
    })
    for (const { resource } of body.entry)
      if (resource.resourceType === 'Patient') resource.identifier[0].value = number
    return { next, answer: ask('post /Bundle', { body }) }
  }
  const { next, answer } = upload(patient, id)
  assert.equal((await answer).status, 201)
  assert.equal((await retrieve(patient, id)).json.total, 0)
  assert.equal((await retrieve(patient, next)).json.total, 5)

  const permission = {
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'setPermissions',
        part: [
          { name: 'nhsNumber', valueString: other },
          {
            name: 'permissionCode',
            valueCoding: { system: 'https://fhir.nhs.uk/CodeSystem/SCR-ACSPermission', code: 'No' },
          },
        ],
      },
    ],
  }
  assert.equal((await ask('post /$setPermission', { body: permission })).status, 201)
  assert.equal((await upload(other).answer).status, 403)
  assert.equal((await ask('post /AuditEvent', { body: permission })).status, 400)
  assert.equal((await ask('get /healthcheck')).json.status, 'UP')
  assert.deepEqual(
    description.operations.filter((operation) => !seen.has(operation)),
    [],
  )
})

test('an application by itself: a token by signed JWT reads and is refused what users do', async () => {
  const { gateway } = sandbox.spine.contracts
  const { application, key } = await gateway.create('Summaries', 'tester')
  const own = applicationKey('summaries-1')
  await gateway.change(application.id, { publicKeys: { keySet: own.keySet } }, 'tester')
  const tokenUrl = `${sandbox.spine.urls['api']}/oauth2/token`
  const token = signedJwtToken({
    tokenUrl,
    clientId: key.secret,
    key: own.key,
    kid: own.kid,
    tls: { ca: sandbox.material.ca },
  })
  const headers = { authorization: `Bearer ${await token()}` }
  const id = (await search(patient)).json.entry[0].resource.masterIdentifier.value
  assert.equal((await retrieve(patient, id, headers)).json.total, 5)
  for (const operation of ['post /AuditEvent', 'post /$setPermission'])
    assert.equal((await ask(operation, { body: {}, headers })).status, 401)
})

test('openspine scr tells, and says so where there is nothing to tell', async () => {
  const environment = await Environment.create()
  try {
    const alerts = await environment.run('scr', 'alerts', '--since', '2026-01-01', '--json')
    assert.deepEqual([alerts.code, JSON.parse(alerts.stdout)], [3, []], alerts.stderr)
    const history = await environment.run('scr', 'history', patient)
    assert.deepEqual([history.code, history.stdout], [3, `${patient} has no summary\n`])
  } finally {
    await environment.remove()
  }
})
