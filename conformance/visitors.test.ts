import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { skipWithout } from '@openspine/platform/testing'
import { visitorsInteractions } from '@openspine/services/visitors'
import { visitorsAudience } from '@openspine/standards/audit-token'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { openApi } from './openapi.ts'
import { consumer, type Sandbox, startSandbox } from './sandbox.ts'

const description = openApi('../packages/services/src/visitors/openapi.yaml')
const spineAsid = '200000099999'
const people = { charged: '9990548625', undecided: '9990548609', veryRestricted: '9990548846', absent: '9990548994' }

let sandbox: Sandbox
let folder: string
before(async () => {
  sandbox = await startSandbox()
  folder = mkdtempSync(join(tmpdir(), 'openspine-visitors-'))
  const { ca, cert, key } = sandbox.material
  for (const [name, text] of Object.entries({ ca, cert, key })) writeFileSync(join(folder, name), text, { mode: 0o600 })
})
after(async () => {
  await sandbox.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Asks with curl, as a right request about this patient unless it is said to be otherwise. */
function curl(
  nhsNumber: string,
  about: {
    readonly path?: string
    readonly headers?: Readonly<Record<string, string | undefined>>
    readonly certificate?: boolean
    readonly code?: string
    readonly more?: readonly string[]
  } = {},
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const now = Math.floor(Date.now() / 1000)
  const identifier = (system: string, value: string) => ({ identifier: [{ system, value }] })
  const token = writeUnsecuredToken({
    iss: consumer.system.url,
    sub: consumer.practitioner.id,
    aud: visitorsAudience,
    exp: now + 300,
    iat: now,
    reason_for_request: 'directcare',
    requested_record: { resourceType: 'Patient', ...identifier('https://fhir.nhs.uk/Id/nhs-number', nhsNumber) },
    requested_scopes: 'patient/Observation.read',
    requesting_device: { resourceType: 'Device', ...identifier('https://consumer.example/Id/device', 'D1') },
    requesting_organization: {
      resourceType: 'Organization',
      ...identifier('https://fhir.nhs.uk/Id/ods-organization-code', 'X26'),
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: consumer.practitioner.id,
      ...identifier('https://fhir.nhs.uk/sds-role-profile-id', '555254240100'),
    },
  })
  const { path = '/Observation', code = '0001' } = about
  const headers: Record<string, string | undefined> = {
    'Ssp-TraceID': randomUUID(),
    'Ssp-From': consumer.asid,
    'Ssp-To': spineAsid,
    'Ssp-InteractionID': visitorsInteractions[path === '/metadata' ? 'metadata' : 'search'],
    Authorization: `Bearer ${token}`,
    ...about.headers,
  }
  const file = (name: string) => join(folder, name)
  const tls = [
    '--cacert',
    file('ca'),
    ...(about.certificate === false ? [] : ['--cert', file('cert'), '--key', file('key')]),
  ]
  const query = [
    `subject:Patient.identifier=https://fhir.nhs.uk/Id/nhs-number|${nhsNumber}`,
    `code=https://fhir.nhs.uk/fhir-observation-code-1|${code}`,
  ].flatMap((pair) => ['--data-urlencode', pair])
  const args = [
    ...['-s', '-i', '--http1.1', '-G', ...tls, ...(path === '/Observation' ? query : [])],
    ...Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : ['-H', `${name}: ${value}`])),
    ...(about.more ?? []),
    `${sandbox.spine.urls['spine']}${description.server}${path}`,
  ]
  return new Promise((resolve, reject) => {
    execFile('curl', args, { timeout: 30_000 }, (error, stdout) => {
      if (error) return reject(error)
      const [head = '', ...rest] = stdout.split('\r\n\r\n')
      const [line = '', ...fields] = head.split('\r\n')
      const pairs = fields.map((field) => [
        field.slice(0, field.indexOf(':')).toLowerCase(),
        field.slice(field.indexOf(':') + 2),
      ])
      resolve({ status: Number(line.split(' ')[1]), headers: Object.fromEntries(pairs), text: rest.join('\r\n\r\n') })
    })
  })
}

test('a hospital asks with curl, over mutual TLS, and every answer is as openapi.yaml says', async (t) => {
  if (skipWithout(t, 'curl')) return
  const search = 'get /Observation'
  const seen = new Set<number>()
  for (const [status, answer] of [
    [200, await curl(people.charged)],
    [200, await curl(people.undecided)],
    [200, await curl(people.veryRestricted)],
    [404, await curl(people.absent)],
    [400, await curl(people.charged, { code: '2' })],
    [400, await curl(people.charged, { headers: { Authorization: undefined } })],
    [403, await curl(people.charged, { certificate: false })],
    [403, await curl(people.charged, { headers: { 'Ssp-From': '200000100001' } })],
    [501, await curl(people.charged, { more: ['-X', 'DELETE'] })],
  ] as const) {
    assert.equal(answer.status, status, answer.text)
    description.holds(search, answer)
    seen.add(status)
  }
  assert.deepEqual([...seen].sort(), [200, 400, 403, 404, 501])
  const metadata = await curl(people.charged, { path: '/metadata' })
  assert.equal(metadata.status, 200)
  description.holds('get /metadata', metadata)
  const xml = await curl(people.charged, { headers: { Accept: 'application/xml+fhir' } })
  description.holds(search, xml)
  assert.match(xml.text, /^<Bundle xmlns="http:\/\/hl7.org\/fhir">.*<Observation>/)
  assert.deepEqual(description.operations, ['get /Observation', 'get /metadata'])
})

test('the door and the contract agree, and the audit knows who asked for whom', async (t) => {
  if (skipWithout(t, 'curl')) return
  const { contracts, platform } = sandbox.spine
  const effectiveAt = Math.floor(Date.now() / 1000) * 1000
  await contracts.visitors.record(
    [{ nhsNumber: people.charged, basic: 'N', category: 'E', source: 'overseas-visitor-manager', effectiveAt }],
    'test',
  )
  const trace = randomUUID()
  const { text } = await curl(people.charged, { headers: { 'Ssp-TraceID': trace } })
  const [entry] = JSON.parse(text).entry
  assert.equal(entry.resource.component[1].valueCodeableConcept.coding[0].code, 'E')
  assert.equal(entry.resource.meta.versionId, '2')
  const [record] = await platform.audit.find({ trace, limit: 1 })
  assert.deepEqual(
    [record?.facts['shown'], record?.facts['from'], record?.facts['peer']],
    [people.charged, consumer.asid, consumer.fqdn],
  )
})
