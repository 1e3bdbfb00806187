/** What the door `api` must not be talked into: identity specification §7, §9.1, §14. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { manualClock, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { signToken } from '@openspine/standards/jose'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { type FastifyInstance, fastify } from 'fastify'
import type { Api, Gateway } from './contract.ts'
import { gateway, gatewayConfig } from './service.ts'

const clock = manualClock('2026-11-25T12:00:00Z')
const api: Api = {
  name: 'sample',
  version: '1',
  basePath: '/sample',
  faults: 'plain',
  roles: true,
  access: [
    { mode: 'key', paths: ['/key'] },
    { mode: 'user-restricted', grants: ['user-nhs-cis2:aal3'], paths: ['/who'] },
  ],
  health: async () => ({ status: 'pass' }),
}
const unknown = 'keymanagement.service.invalid_access_token'

let platform: TestPlatform
let app: FastifyInstance
let door: Gateway
let stop: (() => Promise<unknown>) | undefined
let port = 0
let token = ''
let key = ''
before(async () => {
  platform = await testPlatform({ clock, profile: 'strict' })
  const service = gateway({
    platform,
    config: gatewayConfig.parse({ spikePerSecond: 0, quotaPerMinute: 0 }),
    userInfo: async () => [{ id: '555110000001', jobRole: '' }],
  })
  await platform.store.migrate('gateway', service.migrations ?? {})
  await service.start?.()
  door = service.contract
  stop = async () => service.stop?.(100)
  app = fastify()
  await app.register(
    door.behind(api, async (routes) => {
      routes.get('/who', async ({ headers, apiCaller }) => ({ headers, role: apiCaller.role }))
      routes.get('/key', async () => ({}))
    }),
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  port = (app.server.address() as AddressInfo).port
  const made = await door.create('Ward App', 'tester')
  key = made.key.secret
  await door.decide(made.application.id, 'sample-test', 'approved', 'tester')
  const issued = await door.issue(
    {
      application: made.application.id,
      key: made.key.id,
      products: ['sample-test'],
      scopes: ['urn:nhsd:apim:user-nhs-cis2:aal3:sample'],
      type: 'user',
      grantType: 'authorization_code',
      level: 'aal3',
      provider: 'nhs-cis2',
      user: '555100000001',
      identity: { sub: '555100000001' },
    },
    { access: 600_000, refresh: 600_000 },
  )
  token = issued.accessToken
  refreshToken = issued.refreshToken ?? ''
})
let refreshToken = ''
after(async () => {
  await app.close()
  await stop?.()
  await platform.close()
})

/** Over a socket: headers as they are written, repeated ones too. */
const ask = (path: string, headers: readonly (readonly [string, string])[]) =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asking = send(
      { port, host: '127.0.0.1', path: `/sample${path}`, headers: ['Host', 'localhost', ...headers.flat()] },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      },
    )
    asking.on('error', reject).end()
  })
const code = ({ body }: { body: string }) => JSON.parse(body).fault?.detail.errorcode

describe('the door of the API platform', () => {
  it('takes its own opaque tokens alone: no JWT, unsecured or signed, no refresh token, no key', async () => {
    assert.equal((await ask('/who', [['Authorization', `Bearer ${token}`]])).status, 200)
    const claims = { iss: 'x', sub: '555100000001', scope: 'urn:nhsd:apim:user-nhs-cis2:aal3:sample', exp: 4e9 }
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const unsecured = writeUnsecuredToken(claims)
    const signed = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${unsecured.split('.')[1]}`
    for (const wrong of [
      unsecured,
      unsecured.slice(0, -1),
      signToken(claims, { key: privateKey, algorithm: 'RS512' }),
      `${signed}.${createHmac('sha256', '').update(signed).digest('base64url')}`,
      refreshToken,
      key,
      `${token} `.padEnd(50, 'x'),
      token.toUpperCase(),
      token.slice(0, -1),
      `${token}=`,
      "' or 1=1 --",
      '__proto__',
      'x'.repeat(12_000),
    ]) {
      const answer = await ask('/who', [['Authorization', `Bearer ${wrong}`]])
      assert.deepEqual([answer.status, code(answer)], [401, unknown], wrong.slice(0, 30))
    }
  })

  it('is not confused by repeated headers, in whichever order', async () => {
    const good = `Bearer ${token}`
    for (const pair of [
      [
        ['Authorization', 'Bearer x'],
        ['Authorization', good],
      ],
      [
        ['Authorization', `Basic eDp5`],
        ['Authorization', good],
      ],
    ] as const)
      assert.equal((await ask('/who', pair)).status, 401, 'the first one counts')
    assert.equal(
      (
        await ask('/key', [
          ['apikey', 'x'],
          ['apikey', key],
        ])
      ).status,
      401,
    )
    assert.equal(
      (
        await ask('/key', [
          ['apikey', key],
          ['apikey', key],
        ])
      ).status,
      401,
    )
    const roles = await ask('/who', [
      ['Authorization', good],
      ['NHSD-Session-URID', '555110000001'],
      ['NHSD-Session-URID', '555110000002'],
    ])
    assert.equal(roles.status, 401, 'two roles are none')
    for (const role of ['555110000002', '0', "1' or '1", '555110000001,', ' '])
      assert.equal(
        (
          await ask('/who', [
            ['Authorization', good],
            ['NHSD-Session-URID', role],
          ])
        ).status,
        role.trim() === '' ? 200 : 401,
        role,
      )
  })

  it('takes away what only the platform may say, in every spelling and as often as it is sent', async () => {
    const forged = [
      'NHSD-ASID',
      'nhsd-asid',
      'NHSD-Identity-UUID',
      'nhsd-identity-idp',
      'NHSD-NHSLogin-User',
      'NHSE-PDS-Privileged-Access',
    ]
    const answer = await ask('/who', [
      ['Authorization', `Bearer ${token}`],
      ...forged.flatMap((name) => [[name, 'forged'] as const, [name, 'forged again'] as const]),
    ])
    assert.equal(answer.status, 200)
    assert.ok(!answer.body.includes('forged'), answer.body)
  })

  it('judges the path that the API will see: no way around by spelling', async () => {
    for (const path of [
      '/who/',
      '/WHO',
      '/%77ho',
      '//who',
      '/./who',
      '/key/../who',
      '/who;x',
      '/who%00',
      '/who%2f',
      '/key%2f..%2fwho',
    ]) {
      const { status, body } = await ask(path, [])
      assert.ok(status === 401 || status === 404 || status === 400, `${path}: ${status} ${body}`)
      assert.ok(!body.includes('headers'), path)
    }
  })

  it('forgets a token with its family, whoever shows it', async () => {
    assert.equal(await door.revoke(token), true)
    assert.equal(code(await ask('/who', [['Authorization', `Bearer ${token}`]])), unknown)
    const refreshed = await door.refresh(refreshToken, { key: 'x', lifetimes: { access: 1 } })
    assert.equal(refreshed, 'unknown')
  })
})
