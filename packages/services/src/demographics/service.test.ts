import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { openDoor } from '@openspine/platform/doors'
import { makeLog } from '@openspine/platform/log'
import { makeMetrics } from '@openspine/platform/metrics'
import { strictTests, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { isSpineError } from '@openspine/standards/error'
import { demographics, demographicsConfig, outcomes, workedPeople } from './service.ts'

const run = promisify(execFile)
const curl = await run('curl', ['--version']).then(
  () => true,
  () => false,
)
const needsCurl = { skip: curl || strictTests ? false : 'curl is not installed' }
const requestId = '60e0b220-8136-4ca5-ae46-1d97ef59d068'

/** The service behind a real door, and everything it logs. */
async function openPds(t: { after(fn: () => Promise<void>): void }, profile: 'sandbox' | 'strict') {
  const lines: string[] = []
  const log = makeLog(
    { level: 'trace', environment: 'test' },
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString())
        done()
      },
    }),
  )
  const platform: TestPlatform = await testPlatform({ profile, log })
  t.after(() => platform.close())
  const service = demographics({ platform, config: demographicsConfig.parse({}) })
  await platform.store.migrate(service.name, service.migrations ?? {})
  await service.start?.()
  await service.contract.load(workedPeople())
  const { log: _log, metrics: _metrics, trust, clock, random } = platform
  const metrics = makeMetrics()
  assert.ok(service.routes?.api)
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log,
    metrics,
    clock,
    random,
    routes: [service.routes.api],
  })
  t.after(() => door.close(1000))
  const base = `${door.url}/personal-demographics/FHIR/R4`
  return {
    platform,
    service,
    lines,
    async curl(path: string, ...options: string[]) {
      const { stdout } = await run('curl', ['-s', '-i', '--cacert', trust.files.bundle, ...options, `${base}${path}`])
      const [head = '', ...body] = stdout.split('\r\n\r\n')
      return { head, body: body.join('\r\n\r\n') }
    },
  }
}

describe('over a real door', needsCurl, () => {
  test('curl retrieves and searches in the sandbox; the log tells of the open door and of no number', async (t) => {
    const pds = await openPds(t, 'sandbox')
    const id = ['-H', `X-Request-ID: ${requestId}`]
    const retrieved = await pds.curl('/Patient/9990548609', ...id)
    assert.match(retrieved.head, /^HTTP\/1\.1 200/)
    assert.match(retrieved.head, /^content-type: application\/fhir\+json\r?$/im)
    assert.match(retrieved.head, /^etag: W\/"2"\r?$/im)
    assert.equal(JSON.parse(retrieved.body).name[0].given[0], 'Arlo')
    const found = await pds.curl('/Patient?family=Attis%C3%B3n&birthdate=1966-03-21', ...id)
    assert.equal(JSON.parse(found.body).total, 2)
    assert.match(
      JSON.parse(found.body).entry[0].fullUrl,
      /^https:\/\/localhost:\d+\/personal-demographics\/FHIR\/R4\/Patient\/999/,
    )
    const unreadable = JSON.parse((await pds.curl('/Patient/%zz', ...id)).body)
    assert.equal(unreadable.resourceType, 'OperationOutcome', 'the door leaves an address that does not decode to PDS')
    const refused = await pds.curl('/Patient/9990548609', ...id, '-H', 'Authorization: Bearer abc')
    assert.match(refused.head, /^HTTP\/1\.1 401/)
    assert.equal(JSON.parse(refused.body).issue[0].diagnostics, 'Invalid Access Token')
    assert.equal(JSON.parse((await pds.curl('/Patient/9990548609')).body).issue[0].code, 'required')
    const log = pds.lines.join('')
    assert.match(log, /requests without an Authorization header act as a healthcare worker/)
    assert.ok(!log.includes('9990548609') && !/Attis/.test(log))
    const { body } = await pds.platform.metrics.render()
    assert.match(body, /openspine_pds_requests_total\{operation="retrieve",status="200",code=""\} 1/)
  })

  test('strict: nobody gets in, and each hears why', async (t) => {
    const pds = await openPds(t, 'strict')
    const id = ['-H', `X-Request-ID: ${requestId}`]
    for (const [header, words] of [
      [undefined, 'Missing Authorization header'],
      ['Authorization;', 'Empty Authorization header'],
      ['Authorization: Bearer', 'Missing access token'],
      ['Authorization: Basic abc', "Invalid token type 'Basic', must be 'Bearer'"],
      ['Authorization: Bearer abc', 'Invalid Access Token'],
    ] as const) {
      const answer = await pds.curl('/Patient/9990548609', ...id, ...(header ? ['-H', header] : []))
      assert.match(answer.head, /^HTTP\/1\.1 401/)
      assert.deepEqual(JSON.parse(answer.body).issue[0].details.coding[0], outcomes.accessDenied(words).coding)
      assert.equal(JSON.parse(answer.body).issue[0].diagnostics, words)
    }
    assert.ok(!pds.lines.join('').includes('act as a healthcare worker'))
    const refused = await pds.platform.audit.find({ event: 'pds.retrieve', limit: 10 })
    assert.equal(refused.length, 5)
    assert.deepEqual(await pds.service.health?.(), { status: 'pass' })
  })
})

test('a person that is none stops the load with the reason, and leaves the ones before it', async (t) => {
  const platform = await testPlatform()
  t.after(() => platform.close())
  const { contract, migrations, name } = demographics({ platform, config: demographicsConfig.parse({}) })
  await platform.store.migrate(name, migrations ?? {})
  await assert.rejects(
    contract.load([{ nhsNumber: 'x', patient: {} }]),
    (error) => isSpineError(error) && error.code === 'DEMOGRAPHICS_PERSON_INVALID',
  )
  assert.equal(await contract.count(), 0)
})
