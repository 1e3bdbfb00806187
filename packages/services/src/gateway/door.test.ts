import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { manualClock, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { type FastifyInstance, fastify } from 'fastify'
import { demographics, demographicsConfig, workedPeople } from '../demographics/service.ts'
import { helloWorld } from '../hello-world/service.ts'
import { headerChecks, keyChecks, modeChecks, rateChecks, tokenChecks } from './checks.ts'
import type { Gateway, Grant } from './contract.ts'
import { explainRefusal, gateway, gatewayConfig } from './service.ts'

const clock = manualClock('2026-11-25T12:00:00Z')
const requestId = '60E0B220-8136-4CA5-AE46-1D97EF59D068'
const cis2: Partial<Grant> = {
  type: 'user',
  grantType: 'authorization_code',
  level: 'aal3',
  provider: 'nhs-cis2',
  user: '656005750104',
  identity: {
    sub: '656005750104',
    nhsid_nrbac_roles: [{ person_roleid: '656014452101' }, { person_roleid: '656014452102' }],
  },
}
const login = (nhsNumber: string, vot: string): Partial<Grant> => ({
  type: 'user',
  grantType: 'authorization_code',
  level: 'p9',
  provider: 'nhs-login',
  user: nhsNumber,
  identity: { nhs_number: nhsNumber, vot },
})

/** Store, trust, audit and jobs of every world here: they are slow to make. */
let shared: TestPlatform
before(async () => {
  shared = await testPlatform({ clock })
})
after(() => shared.close())

interface World {
  readonly platform: TestPlatform
  readonly gateway: Gateway
  readonly app: FastifyInstance
  readonly application: string
  readonly key: { readonly id: string; readonly secret: string; readonly clientSecret?: string }
  /** A token with these scopes, without `urn:nhsd:apim:`. */
  token(scope: string, more?: Partial<Grant>, lifeMs?: number): Promise<string>
}

async function world(
  t: { after(work: () => Promise<void>): void },
  about: { readonly profile?: 'sandbox' | 'strict'; readonly config?: Record<string, unknown> } = {},
): Promise<World> {
  const platform = { ...shared, profile: about.profile ?? 'strict', metrics: makeMetrics() }
  const service = gateway({
    platform,
    config: gatewayConfig.parse({ spikePerSecond: 1000, quotaPerMinute: 10_000, ...about.config }),
  })
  const pds = demographics({ platform, config: demographicsConfig.parse({}), gateway: service.contract })
  const hello = helloWorld({ gateway: service.contract })
  for (const each of [service, pds]) await platform.store.migrate(each.name, each.migrations ?? {})
  await service.start?.()
  await pds.contract.load(workedPeople())
  const app = fastify()
  for (const each of [pds, hello]) if (each.routes?.api) await app.register(each.routes.api)
  t.after(async () => {
    await app.close()
    await service.stop?.(1000)
  })
  const { application, key } = await service.contract.create('Ward App', 'tester')
  const products = ['personal-demographics-test', 'hello-world-test']
  if (platform.profile === 'strict')
    for (const product of products) {
      const asked = await service.contract.subscribe(application.id, product, 'tester')
      assert.equal(asked.status, 'pending', 'in strict an operator approves')
      await service.contract.decide(application.id, product, 'approved', 'tester')
    }
  return {
    platform,
    gateway: service.contract,
    app,
    application: application.id,
    key,
    async token(scope, more = {}, lifeMs = 600_000) {
      const grant: Grant = {
        application: application.id,
        key: key.id,
        products,
        scopes: [`urn:nhsd:apim:${scope}`],
        type: 'app',
        grantType: 'client_credentials',
        level: 'level3',
        provider: 'apim',
        ...more,
      }
      return (await service.contract.issue(grant, { access: lifeMs })).accessToken
    },
  }
}

type Headers = Readonly<Record<string, string>>
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

test('hello-world: each check of the door, failed once, in the plain form', async (t) => {
  const { app, gateway: door, application, key, token } = await world(t)
  const status = await door.newKey(application, 'status', 'tester')
  const ask = (path: string, headers: Headers = {}) => app.inject({ url: `/hello-world${path}`, headers })
  const fault = async (path: string, headers: Headers, statusCode: number, faultstring: string, errorcode: string) => {
    const answer = await ask(path, headers)
    assert.deepEqual(
      [answer.statusCode, answer.headers['content-type'], answer.json()],
      [statusCode, 'application/json', { fault: { faultstring, detail: { errorcode } } }],
      JSON.stringify(headers),
    )
  }
  assert.deepEqual((await ask('/hello/world')).json(), { message: 'Hello World!' })
  assert.deepEqual((await ask('/hello/application', { apikey: key.secret })).json(), { message: 'Hello Application!' })
  const application3 = await token('app:level3:hello-world')
  assert.deepEqual((await ask('/hello/application', bearer(application3))).json(), { message: 'Hello Application!' })
  const worker = await token('user-nhs-cis2:aal3:hello-world', cis2)
  const patient = await token('user-nhs-login:P0:hello-world', login('9912003071', 'P0.Cp'))
  for (const one of [worker, patient])
    assert.deepEqual((await ask('/hello/user', bearer(one))).json(), { message: 'Hello User!' })

  const ill = ['Invalid access token', 'oauth.v2.InvalidAccessToken'] as const
  for (const authorization of [undefined, '', 'Bearer', 'Basic abc', 'bearer abc'])
    await fault('/hello/user', authorization === undefined ? {} : { authorization }, 401, ...ill)
  await fault('/hello/%75ser', {}, 401, ...ill)
  const unknown = ['Invalid Access Token', 'keymanagement.service.invalid_access_token'] as const
  await fault('/hello/user', bearer('abc'), 401, ...unknown)
  await fault('/hello/user', bearer('A'.repeat(43)), 401, ...unknown)
  const brief = await token('user-nhs-cis2:aal3:hello-world', cis2, 1000)
  clock.advance(1000)
  await fault('/hello/user', bearer(brief), 401, 'Access Token expired', 'keymanagement.service.access_token_expired')
  await fault(
    '/hello/user',
    bearer(application3),
    403,
    'Required scope(s) : urn:nhsd:apim:user-nhs-id:aal3:hello-world urn:nhsd:apim:user-nhs-cis2:aal3:hello-world urn:nhsd:apim:user-nhs-login:P0:hello-world urn:nhsd:apim:user-nhs-login:P5:hello-world urn:nhsd:apim:user-nhs-login:P9:hello-world',
    'steps.oauth.v2.InsufficientScope',
  )
  const elsewhere = await token('app:level3:hello-world', { products: ['personal-demographics-test'] })
  const otherProduct = [
    'Invalid API call as no apiproduct match found',
    'keymanagement.service.InvalidAPICallAsNoApiProductMatchFound',
  ] as const
  await fault('/hello/application', bearer(elsewhere), 401, ...otherProduct)
  await fault(
    '/hello/application',
    {},
    401,
    'Failed to resolve API Key variable request.header.apikey',
    'steps.oauth.v2.FailedToResolveAPIKey',
  )
  await fault('/hello/application', { apikey: 'wrong' }, 401, 'Invalid ApiKey', 'oauth.v2.InvalidApiKey')
  await fault('/hello/application', { apikey: status.secret }, 401, 'Invalid ApiKey', 'oauth.v2.InvalidApiKey')
  await door.decide(application, 'hello-world-test', 'revoked', 'tester')
  await fault(
    '/hello/application',
    { apikey: key.secret },
    401,
    'Invalid ApiKey for given resource',
    'oauth.v2.InvalidApiKeyForGivenResource',
  )
  await fault('/hello/application', bearer(application3), 401, ...otherProduct)
  await door.decide(application, 'hello-world-test', 'approved', 'tester')
  assert.equal((await ask('/hello/application', bearer(application3))).statusCode, 200)

  await door.change(application, { rates: { spikePerSecond: 1 } }, 'tester')
  clock.advance(5000)
  assert.equal((await ask('/hello/application', bearer(application3))).statusCode, 200)
  const limited = await ask('/hello/application', bearer(application3))
  assert.deepEqual([limited.statusCode, limited.headers['retry-after']], [429, '1'])
  assert.match(limited.body, /"Your application, Ward App, has created a spike in traffic .*SpikeArrestViolation/)
  await door.change(application, { rates: null }, 'tester')

  assert.equal(await door.revokeApp(application, 'tester'), true)
  await fault('/hello/application', bearer(application3), 401, ...unknown)
  await fault(
    '/hello/application',
    { apikey: key.secret },
    401,
    'ApiKey not approved',
    'keymanagement.service.apikey-not-approved',
  )
})

test('hello-world: ids come back, what only the platform may say is taken away, ping and preflight', async (t) => {
  const { app, token } = await world(t)
  const headers = {
    ...bearer(await token('app:level3:hello-world')),
    'x-request-id': requestId,
    'x-correlation-id': 'c-1',
  }
  const answer = await app.inject({ url: '/hello-world/hello/application', headers })
  assert.deepEqual([answer.headers['x-request-id'], answer.headers['x-correlation-id']], [requestId, 'c-1'])
  const refused = await app.inject({ url: '/hello-world/hello/user', headers: { 'x-correlation-id': 'c-2' } })
  assert.deepEqual([refused.headers['x-request-id'], refused.headers['x-correlation-id']], [undefined, 'c-2'])
  assert.equal(refused.headers['www-authenticate'], 'Bearer')
  assert.equal((await app.inject({ url: '/hello-world/_ping' })).json().version, '0.1.0')
  assert.equal((await app.inject({ method: 'HEAD', url: '/hello-world/_ping' })).statusCode, 200)
  assert.equal((await app.inject({ url: '/hello-world/nothing' })).statusCode, 404)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/hello-world/hello/user',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
  })
  assert.equal(preflight.headers['access-control-allow-origin'], 'https://app.example')
  assert.match(String(preflight.headers['access-control-allow-headers']), /nhsd-session-urid, authorization/)
})

test('pages of any origin read answers, as nationally; with gateway.origins those that are registered', async (t) => {
  const { app, gateway: door, application, token } = await world(t, { config: { origins: 'registered' } })
  const other = await door.create('Other App', 'tester')
  await door.change(application, { callbackUrl: 'https://ward.example/callback' }, 'tester')
  await door.change(other.application.id, { origins: ['https://other.example:8443'] }, 'tester')
  const allowed = async (url: string, origin: string, more: Headers = {}, method: 'GET' | 'OPTIONS' = 'GET') => {
    const answer = await app.inject({ method, url, headers: { origin, ...more } })
    assert.equal(answer.headers['vary'], 'origin')
    return answer.headers['access-control-allow-origin']
  }
  const preflight = { 'access-control-request-method': 'GET' }
  const hello = bearer(await token('app:level3:hello-world'))
  const pds = { ...bearer(await token('app:level3:personal-demographics-service')), 'x-request-id': requestId }
  const rows = [
    ['https://ward.example', 'https://ward.example', 'https://ward.example'],
    ['https://other.example:8443', 'https://other.example:8443', undefined],
    ['https://ward.example:444', undefined, undefined],
    ['https://evil.example', undefined, undefined],
    ['null', undefined, undefined],
  ] as const
  for (const [origin, anybody, mine] of rows) {
    assert.equal(await allowed('/hello-world/hello/user', origin, preflight, 'OPTIONS'), anybody, origin)
    assert.equal(await allowed('/hello-world/hello/world', origin), anybody, origin)
    assert.equal(await allowed('/hello-world/hello/application', origin, hello), mine, origin)
    assert.equal(await allowed(`${patient}/9990548609`, origin, preflight, 'OPTIONS'), anybody, origin)
    assert.equal(await allowed(`${patient}/9990548609`, origin, pds), mine, origin)
  }
  await door.revokeApp(other.application.id, 'tester')
  assert.equal(await allowed('/hello-world/hello/world', 'https://other.example:8443'), undefined)
  for (const origins of [
    ['*'],
    ['https://a.example/'],
    ['https://A.example'],
    ['ftp://a.example'],
    ['https://u@a.example'],
  ])
    await assert.rejects(door.change(application, { origins }, 'tester'), { code: 'GATEWAY_FACT' })
})

test('an API learns from the gateway who asks, never from the caller', async (t) => {
  const { app, gateway: door, application, token } = await world(t)
  const asid = '200000100000'
  await door.change(application, { asid }, 'tester')
  const health = async () => ({ status: 'pass' as const })
  const access = [{ mode: 'user-restricted', grants: ['user-nhs-cis2:aal3'] }] as const
  const api = {
    name: 'sample',
    version: '1',
    basePath: '/sample',
    faults: 'fhir',
    roles: true,
    access,
    health,
  } as const
  const product = { name: 'sample-test', apis: ['sample'], scopes: [], approval: 'auto' } as const
  const plugin = door.behind(api, async (routes) => {
    routes.get('/who', async ({ headers, apiCaller }) => ({ headers, role: apiCaller.role, mode: apiCaller.mode }))
  })
  const server = fastify()
  await server.register(plugin)
  t.after(() => server.close())
  await door.defineProduct(product, 'tester')
  await door.subscribe(application, 'sample-test', 'tester')
  const forged = {
    'nhsd-asid': '1',
    'nhsd-nhslogin-user': 'P9:9990548609',
    'nhse-pds-privileged-access': 'true',
    'nhse-pds-custom-attributes': '{}',
  }
  const ask = async (more: Partial<Grant>, headers: Headers = {}) => {
    const one = await token('user-nhs-cis2:aal3:sample', { ...cis2, products: ['sample-test'], ...more })
    return server.inject({ url: '/sample/who', headers: { ...bearer(one), ...forged, ...headers } })
  }
  const one = await ask({}, { 'nhsd-session-urid': '656014452102', 'x-request-id': requestId })
  assert.equal(one.statusCode, 200, one.body)
  assert.deepEqual([one.json().role, one.json().mode], ['656014452102', 'user-restricted'])
  assert.equal(one.headers['nhsd-session-urid'], '656014452102')
  const { headers } = one.json()
  assert.deepEqual(
    Object.keys(headers).filter((name) => /^nhs/.test(name)),
    ['nhsd-session-urid', 'nhsd-request-id', 'nhsd-correlation-id', 'nhsd-identity-uuid', 'nhsd-asid'],
  )
  assert.deepEqual([headers['nhsd-asid'], headers['nhsd-identity-uuid']], [asid, '656005750104'])
  assert.match(headers['nhsd-correlation-id'], new RegExp(`^${requestId}\\.\\.rrt-`))

  const roles = (...ids: readonly unknown[]) => ({ nhsid_nrbac_roles: ids.map((id) => ({ person_roleid: id })) })
  const said = async (more: Partial<Grant>, sent?: string) => {
    const answer = await ask(more, sent === undefined ? {} : { 'nhsd-session-urid': sent })
    return answer.statusCode === 200 ? answer.json().role : `${answer.statusCode} ${answer.json().issue[0].diagnostics}`
  }
  const exchanged: Partial<Grant> = { grantType: 'token_exchange' }
  const table: readonly [Partial<Grant>, string | undefined, string][] = [
    [{}, undefined, '401 multiple roles found in user info, please check NHSD-Session-URID'],
    [{ identity: roles() }, undefined, '401 no userroles available, please check NHSD-Session-URID is valid'],
    [{ identity: roles('1') }, undefined, '1'],
    [{ identity: { ...roles('1', '2'), selected_roleid: '2' } }, undefined, '2'],
    [{ identity: { selected_roleid: '' } }, undefined, '401 selected_roleid is misconfigured/invalid'],
    [{ identity: roles('') }, undefined, '401 nhsid_nrbac_roles is misconfigured/invalid'],
    [{ identity: { nhsid_nrbac_roles: 'x' } }, '1', '401 nhsid_nrbac_roles is misconfigured/invalid'],
    [{}, '3', '401 NHSD-Session-URID is invalid'],
    [exchanged, undefined, '401 selected_roleid is missing in your token'],
    [exchanged, '3', '3'],
    [{ provider: 'nhs-login' }, '3', '500 unable to retrieve user info'],
  ]
  for (const [more, sent, expected] of table) assert.equal(await said(more, sent), expected, JSON.stringify(more))
  const malformed = await ask({}, { 'x-request-id': 'x' })
  assert.deepEqual(
    [malformed.statusCode, malformed.json().issue[0].diagnostics],
    [400, "Invalid value - 'x' in header 'X-Request-ID'"],
  )
  assert.ok(app)
})

const patient = '/personal-demographics/FHIR/R4/Patient'

test('strict PDS answers with a valid token, and says exactly why otherwise', async (t) => {
  const { app, gateway: door, application, key, token } = await world(t)
  const ask = (path: string, headers: Headers) =>
    app.inject({ url: `${patient}${path}`, headers: { 'x-request-id': requestId, ...headers } })
  const refused = async (headers: Headers, diagnostics: string) => {
    const answer = await ask('/9990548609', headers)
    assert.equal(answer.statusCode, 401)
    assert.equal(answer.headers['content-type'], 'application/fhir+json')
    assert.deepEqual(answer.json().issue, [
      {
        severity: 'error',
        code: 'forbidden',
        details: {
          coding: [
            {
              system: 'https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode',
              version: '1',
              code: 'ACCESS_DENIED',
              display: 'Access Denied - Unauthorised',
            },
          ],
        },
        diagnostics,
      },
    ])
  }
  await refused({}, 'Missing Authorization header')
  await refused({ authorization: '' }, 'Empty Authorization header')
  await refused({ authorization: 'Bearer' }, 'Missing access token')
  await refused({ authorization: 'Basic abc' }, "Invalid token type 'Basic', must be 'Bearer'")
  await refused(bearer('A'.repeat(43)), 'Invalid Access Token')
  const brief = await token('app:level3:personal-demographics-service', {}, 1000)
  clock.advance(1000)
  await refused(bearer(brief), 'Access Token expired')
  const hello = await token('app:level3:hello-world', { products: ['hello-world-test'] })
  await refused(bearer(hello), 'Invalid API call as no apiproduct match found')

  const app3 = bearer(await token('app:level3:personal-demographics-service'))
  const worker = bearer(await token('user-nhs-cis2:aal3:personal-demographics-service', cis2))
  const own = bearer(await token('user-nhs-login:P9:personal-demographics-service', login('9990548609', 'P9.Cp.Cd')))
  const weak = bearer(await token('user-nhs-login:P9:personal-demographics-service', login('9990548609', 'P9.Cp')))
  const p5 = bearer(
    await token('user-nhs-login:P5:personal-demographics-service', { ...login('9990548609', 'P5.Cp.Cd'), level: 'p5' }),
  )
  const said = async (path: string, headers: Headers) => {
    const answer = await ask(path, headers)
    return answer.statusCode === 200 ? 200 : [answer.statusCode, answer.json().issue[0].details.coding[0].display]
  }
  assert.equal(await said('/9990548609', app3), 200)
  assert.equal(await said('/9990548609', { ...worker, 'nhsd-session-urid': '656014452101' }), 200)
  assert.deepEqual(await said('/9990548609', worker), [400, 'Provided value is invalid'], 'several roles, none named')
  assert.deepEqual(await said('/9990548609', { ...worker, 'nhsd-session-urid': '5' }), [
    400,
    'Provided value is invalid',
  ])
  assert.equal(await said('/9990548609', own), 200)
  const cannot = [403, 'Patient cannot perform this action']
  assert.deepEqual(await said('/9990548617', own), cannot)
  assert.deepEqual(await said('/9990548609', weak), cannot)
  assert.deepEqual(await said('/9990548609', p5), cannot)
  assert.deepEqual(await said('?family=Smith&birthdate=eq2010-10-22&_max-results=2', app3), [
    403,
    'Cannot retrieve more than one result with application-restricted access token',
  ])
  const update = () =>
    app.inject({ method: 'PATCH', url: `${patient}/9990548609`, headers: { ...app3, 'x-request-id': requestId } })
  assert.equal((await update()).statusCode, 403)
  await door.change(application, { settings: { pds: { 'app-restricted': { update: true } } } }, 'tester')
  assert.notEqual((await update()).statusCode, 403, 'the setting of the application allows it')

  await door.change(application, { rates: { quotaPerMinute: 1 } }, 'tester')
  clock.advance(60_000)
  assert.equal(await said('/9990548609', app3), 200)
  assert.deepEqual(await said('/9990548609', app3), [429, 'Too many requests'])
  await door.revokeKey(key.id, 'tester')
  await refused(app3, 'Invalid Access Token')
})

test('in the sandbox PDS goes on without a token, and a token counts', async (t) => {
  const { app, token } = await world(t, { profile: 'sandbox' })
  const ask = async (headers: Headers) =>
    (await app.inject({ url: `${patient}/9990548609`, headers: { 'x-request-id': requestId, ...headers } })).statusCode
  assert.equal(await ask({}), 200)
  assert.equal(await ask(bearer('A'.repeat(43))), 401)
  assert.equal(await ask(bearer(await token('app:level3:personal-demographics-service'))), 200)
  const other = login('9912003071', 'P9.Cm')
  assert.equal(await ask(bearer(await token('user-nhs-login:P9:personal-demographics-service', other))), 403)
})

test('a refusal can be explained by its id and by X-Request-ID; national sends nothing more than the nation', async (t) => {
  const { app, platform, gateway: door } = await world(t)
  const url = `${patient}/9990548609`
  const first = await app.inject({ url, headers: { ...bearer('A'.repeat(43)), 'x-request-id': requestId } })
  const second = await app.inject({ url: '/hello-world/hello/user' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const records = await platform.audit.find({ event: 'gateway.refused', limit: 10 })
  const told = (id: unknown) => records.map((record) => explainRefusal(record, String(id))).find((each) => each)
  assert.equal(told(first.headers['openspine-message-id'])?.check, 'Token is known')
  assert.equal(told(requestId)?.says, 'Invalid Access Token')
  assert.equal(told(second.headers['openspine-message-id'])?.check, 'Authorization is there')
  assert.equal(told('rrt-1'), undefined)
  assert.ok(!JSON.stringify(records).includes('9990548609'), 'no number of a patient')
  assert.ok(!JSON.stringify(records).includes('A'.repeat(43)), 'no token')

  const national = await world(t, { config: { compat: 'national', spikePerSecond: 1 } })
  const answer = await national.app.inject({ url: '/hello-world/hello/user' })
  assert.deepEqual(
    Object.keys(answer.headers).filter((name) => /retry|ratelimit|www|openspine/.test(name)),
    [],
  )
  assert.equal(answer.body, second.body)
  assert.ok(door)
})

test('every check has a name of its own, a clause and a sentence', () => {
  const all = [...tokenChecks, ...keyChecks, ...rateChecks, ...modeChecks, ...headerChecks]
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
  for (const { name, clause, explains } of all) assert.ok(/^§\d/.test(clause) && explains.length > 20, name)
})
