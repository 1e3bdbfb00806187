import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { manualClock, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { fastify } from 'fastify'
import { accessControl } from '../access-control/service.ts'
import { demographics, demographicsConfig, workedPeople } from '../demographics/service.ts'
import type { DirectoryPerson, PersonRole } from '../directory/contract.ts'
import type { Api, Grant } from './contract.ts'
import { roleFor, roleSource } from './roles.ts'
import { gateway, gatewayConfig } from './service.ts'

const clock = manualClock('2026-11-25T12:00:00Z')
const ownIssuer = 'https://own.example:443/cis2'
const uid = '555100000001'
const reader = '555110000001'
const writer = '555110000002'

const role = (id: string, activityCodes: readonly string[]): PersonRole => ({
  id,
  orgPersonId: '555120000001',
  odsCode: 'A20047',
  jobRole: '"Clinical":"Clinical Provision":"Nurse Access Role"',
  jobRoleCode: 'S8000:G8000:R8001',
  areasOfWork: [],
  areaOfWorkCodes: [],
  activities: [],
  activityCodes,
  workgroups: [],
  workgroupCodes: [],
})
const both = [role(reader, ['B0820']), role(writer, ['B0825'])]
let roles: readonly PersonRole[] = both
const person = (): DirectoryPerson => ({ uid, name: 'Imogen Fairweather', memberships: {}, roles })
const people = { person: (asked: string) => (asked === uid ? person() : undefined), people: () => [person()] }

const combined: Grant = {
  application: 'a',
  key: 'k',
  products: [],
  scopes: [],
  type: 'user',
  grantType: 'authorization_code',
  level: 'aal3',
  provider: 'nhs-cis2',
  user: uid,
  identity: { iss: ownIssuer, sub: uid },
}
const exchanged: Grant = { ...combined, grantType: 'token_exchange' }

describe('roles at the time of the call', () => {
  const source = (ask: (grant: Grant) => Promise<Readonly<Record<string, unknown>> | undefined>, seconds = 5) =>
    roleSource({ people, ownIssuer, ask, clock, seconds })
  const never = async () => assert.fail('nobody is asked')

  test('are those of the directory for staff of the own provider and after an exchange, of userinfo otherwise', async () => {
    const own = source(never)
    const ids = async (grant: Grant, from = own) => {
      const held = await from(grant)
      return Array.isArray(held) ? held.map(({ id }) => id) : held
    }
    assert.deepEqual(await ids(combined), [reader, writer])
    roles = [role(reader, [])]
    assert.deepEqual(await ids(combined), [reader], 'a role that was taken away is gone at once')
    roles = both
    assert.deepEqual(await ids({ ...combined, user: '555100000009' }), [], 'nobody of the directory has no role')
    assert.deepEqual(await ids(exchanged), [reader, writer])
    assert.equal(await ids({ ...exchanged, user: '555100000009' }), undefined)
    assert.equal(await ids({ ...combined, provider: 'nhs-login' }), undefined)

    const elsewhere: Grant = { ...combined, identity: { iss: 'https://other.example' }, externalAccessToken: 'one' }
    const claims = {
      nhsid_nrbac_roles: [
        { person_roleid: '1', org_code: 'X26', role_code: 'S8000:G8000:R8001', activity_codes: ['B0820'] },
      ],
    }
    assert.deepEqual(await source(async () => claims)(elsewhere), [
      { id: '1', odsCode: 'X26', jobRole: 'S8000:G8000:R8001', areasOfWork: [], activities: ['B0820'], workgroups: [] },
    ])
    for (const ill of [
      { nhsid_nrbac_roles: 'x' },
      { nhsid_nrbac_roles: [null] },
      { nhsid_nrbac_roles: [{ person_roleid: '' }] },
    ])
      assert.equal(await source(async () => ill)(elsewhere), 'malformed')
    assert.equal(await source(async () => undefined)(elsewhere), undefined)
  })

  test('of another provider are asked for once for requests that come together, and again when they could not be had', async () => {
    let asked = 0
    const elsewhere: Grant = { ...combined, identity: { iss: 'https://other.example' }, externalAccessToken: 'one' }
    const counting = source(async () => {
      asked++
      return asked === 1 ? undefined : { nhsid_nrbac_roles: [] }
    })
    assert.equal(await counting(elsewhere), undefined)
    await Promise.all([counting(elsewhere), counting(elsewhere)])
    assert.equal(asked, 2)
    await counting({ ...elsewhere, externalAccessToken: 'two' })
    assert.equal(asked, 3)
    clock.advance(5_000)
    await counting(elsewhere)
    assert.equal(asked, 4)
  })

  test('are compared with the header after an exchange, and with the selected role, unless the nation would not', () => {
    const held = both.map(({ id }) => ({ id, jobRole: '' }))
    const said = (grant: Grant, header: string | undefined, compare: boolean) => {
      const chosen = roleFor(grant, header, { held, compare })
      return 'fault' in chosen ? chosen.fault.outcome.diagnostics : chosen.role
    }
    assert.equal(said(exchanged, '5', true), 'NHSD-Session-URID is invalid')
    assert.equal(said(exchanged, '5', false), '5')
    assert.equal(said(exchanged, reader, true), reader)
    const selected = (id: string): Grant => ({ ...combined, identity: { iss: ownIssuer, selected_roleid: id } })
    assert.equal(said(selected('5'), undefined, true), 'selected_roleid is misconfigured/invalid')
    assert.equal(said(selected('5'), undefined, false), '5')
    assert.equal(said(selected(writer), undefined, true), writer)
  })
})

describe('role-based access control at the door', () => {
  let shared: TestPlatform
  before(async () => {
    shared = await testPlatform({ clock })
  })
  after(() => shared.close())

  async function world(t: { after(work: () => Promise<void>): void }, rbac: 'off' | 'record' | 'enforce') {
    const platform = { ...shared, profile: 'strict' as const, metrics: makeMetrics() }
    const rules = accessControl({ platform })
    const never = async () => assert.fail('nobody is asked')
    const service = gateway({
      platform,
      config: gatewayConfig.parse({ spikePerSecond: 0, quotaPerMinute: 0 }),
      userInfo: roleSource({ people, ownIssuer, ask: never, clock, seconds: 5 }),
      access: rules.contract,
    })
    const door = service.contract
    const pds = demographics({ platform, config: demographicsConfig.parse({ rbac }), gateway: door })
    for (const each of [rules, service, pds]) await platform.store.migrate(each.name, each.migrations ?? {})
    for (const each of [rules, service]) await each.start?.()
    await pds.contract.load(workedPeople())
    const sample: Api = {
      name: 'sample',
      version: '1',
      basePath: '/sample',
      faults: 'fhir',
      roles: true,
      access: [{ mode: 'user-restricted', grants: ['user-nhs-cis2:aal3'] }],
      permissions: {
        rbac,
        needs: [{ methods: ['GET'], paths: /^\/flags/, need: { any: ['B0572'], minimumLevel: 3 } }],
      },
      health: async () => ({ status: 'pass' }),
    }
    const app = fastify()
    if (pds.routes?.api) await app.register(pds.routes.api)
    await app.register(
      door.behind(sample, async (routes) => {
        routes.get('/flags/:id', async () => ({ flags: [] }))
        routes.get('/free', async () => ({}))
      }),
    )
    t.after(async () => {
      await app.close()
      await service.stop?.(1000)
      await rules.stop?.(1000)
    })
    const { application, key } = await door.create('Ward App', 'tester')
    const products = ['personal-demographics-test', 'sample-test']
    for (const product of products) await door.decide(application.id, product, 'approved', 'tester')
    const { accessToken } = await door.issue(
      {
        ...combined,
        application: application.id,
        key: key.id,
        products,
        scopes: [
          'urn:nhsd:apim:user-nhs-cis2:aal3:personal-demographics-service',
          'urn:nhsd:apim:user-nhs-cis2:aal3:sample',
        ],
      },
      { access: 600_000 },
    )
    const requestId = crypto.randomUUID()
    const ask = async (method: 'GET' | 'HEAD' | 'PATCH', url: string, acting: string) => {
      const headers = {
        authorization: `Bearer ${accessToken}`,
        'x-request-id': requestId,
        ...(acting === '' ? {} : { 'nhsd-session-urid': acting }),
      }
      const answer = await app.inject({ method, url, headers })
      const [issue] = answer.body === '' ? [] : (answer.json().issue ?? [])
      return { status: answer.statusCode, display: issue?.details.coding[0].display, says: issue?.diagnostics }
    }
    const decisions = async () => {
      await service.stop?.(1000)
      const records = await platform.audit.find({ event: 'gateway.access', limit: 50 })
      const all = records
        .toReversed()
        .flatMap(({ facts }) => facts['operations'] as Readonly<Record<string, unknown>>[])
      return all.filter((each) => each['requestId'] === requestId)
    }
    return { ask, decisions, version: rules.contract.version, platform }
  }

  const patient = '/personal-demographics/FHIR/R4/Patient/9990548609'
  const denied = 'Access has been denied to process this request'
  const lacks = 'The selected role lacks every one of B0825.'

  test('enforced: PDS refuses in its order what the role may not, and each decision is kept with the rules that made it', async (t) => {
    roles = both
    const { ask, decisions, version, platform } = await world(t, 'enforce')
    assert.equal((await ask('GET', patient, reader)).status, 200)
    assert.equal((await ask('GET', patient, writer)).status, 200, 'B0825 includes B0820')
    assert.deepEqual(await ask('PATCH', patient, reader), { status: 403, display: denied, says: lacks })
    assert.notEqual((await ask('PATCH', patient, writer)).status, 403)
    assert.equal((await ask('GET', patient, '5')).status, 400, "a role that is not the user's: PDS has its own words")
    assert.equal((await ask('GET', patient, '')).status, 400, 'several roles, none named')
    roles = []
    assert.deepEqual((await ask('GET', patient, '')).status, 403, 'no role at all')
    roles = both
    const kept = await decisions()
    assert.deepEqual(
      kept.map(({ method, role: acting, allowed, refused, reason }) => [method, acting, allowed, refused, reason]),
      [
        ['GET', reader, true, false, undefined],
        ['GET', writer, true, false, undefined],
        ['PATCH', reader, false, true, 'not-permitted'],
        ['PATCH', writer, true, false, undefined],
        ['GET', undefined, false, true, 'role-not-selected'],
      ],
    )
    for (const each of kept)
      assert.deepEqual([each['version'], each['user'], each['path']], [version, uid, '/Patient/…'])
    const updates = await platform.audit.find({ event: 'pds.update', limit: 10 })
    assert.deepEqual(
      updates.flatMap(({ facts }) => (facts['status'] === 403 ? [facts['role']] : [])),
      [reader],
    )
  })

  test('recorded: nothing is refused, everything is kept; off: nothing is', async (t) => {
    const recording = await world(t, 'record')
    assert.notEqual((await recording.ask('PATCH', patient, reader)).status, 403)
    assert.equal((await recording.ask('GET', '/sample/flags/1', reader)).status, 200)
    assert.deepEqual(
      (await recording.decisions()).map(({ api, allowed, refused }) => [api, allowed, refused]),
      [
        ['personal-demographics', false, false],
        ['sample', false, false],
      ],
    )
    const off = await world(t, 'off')
    assert.equal((await off.ask('GET', '/sample/flags/1', reader)).status, 200)
    assert.deepEqual(await off.decisions(), [])
  })

  test('enforced at the gateway itself, with an explanation that names the rules', async (t) => {
    const { ask, decisions, version, platform } = await world(t, 'enforce')
    const answer = await ask('GET', '/sample/flags/1', reader)
    assert.deepEqual(answer, {
      status: 403,
      display: denied,
      says: 'The selected role lacks every one of B0572.',
    })
    assert.equal((await ask('GET', '/sample/%66lags/1', reader)).status, 403, 'however it is spelt')
    assert.equal((await ask('HEAD', '/sample/flags/1', reader)).status, 403)
    assert.equal((await ask('GET', '/sample/free', reader)).status, 200, 'an operation that asks nothing')
    assert.equal((await decisions()).length, 3)
    const records = await platform.audit.find({ event: 'gateway.refused', limit: 10 })
    assert.match(JSON.stringify(records), new RegExp(`Role may do this.*Decided by the access rules ${version}`))
  })
})
