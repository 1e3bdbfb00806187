/** What tests of the authorisation server stand on: applications, tokens in memory, an identity provider without sockets. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { after } from 'node:test'
import type { Platform } from '@openspine/platform/service'
import { manualClock, testPlatform } from '@openspine/platform/testing'
import { publicJwk, type SignatureAlgorithm, signToken } from '@openspine/standards/jose'
import { type FastifyInstance, fastify } from 'fastify'
import type { AccessTokens, Client, Clients, Grant, IssuedToken, Lifetimes } from '../gateway/contract.ts'
import type { Fetch } from './keys/fetch.ts'
import { type IdentityConfig, identity, identityConfig, type Provider } from './service.ts'

export const origin = 'https://int.api.example'
export const tokenUrl = `${origin}/oauth2/token`
export const clientId = 'A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8'
export const secret = 'an-invented-secret'
export const callbackUrl = 'https://app.example/callback'
export const formType = 'application/x-www-form-urlencoded'

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2_048 })
export const clientKeys = pair()
export const providerPair = pair()
export const keySet = (key: KeyObject, kid: string, alg: SignatureAlgorithm = 'RS512') =>
  JSON.stringify({ keys: [publicJwk(key, { kid, alg })] })

export const provider: Provider = {
  kind: 'nhs-cis2',
  base: '/oauth2',
  issuer: 'https://am.example:443/openam/oauth2/realms/root/realms/oidc',
  authorizeUrl: 'https://am.example/authorize',
  tokenUrl: 'https://am.example/access_token',
  jwksUrl: 'https://am.example/connect/jwk_uri',
  userinfoUrl: 'https://am.example/userinfo',
  clientId: '123456789012.apps.national',
  secret: 'the-secret-of-the-platform',
  nonce: true,
  logoutFrom: ['127.0.0.0/8'],
}

export const loginProvider: Provider = {
  kind: 'nhs-login',
  base: '/oauth2',
  issuer: 'https://auth.login.example',
  authorizeUrl: 'https://auth.login.example/authorize',
  tokenUrl: 'https://auth.login.example/token',
  jwksUrl: 'https://auth.login.example/.well-known/jwks.json',
  clientId: 'platform',
  key: providerPair.privateKey,
  keyId: 'platform-1',
  nonce: true,
  logoutFrom: [],
}

export const client: Client = {
  application: 'b7c5d1f0-0000-4000-8000-000000000001',
  name: 'Ward App',
  key: 'b7c5d1f0-0000-4000-8000-000000000002',
  approved: true,
  callbackUrl,
  keys: { keySet: keySet(clientKeys.publicKey, 'test-1') },
  asid: undefined,
  subscriptions: [{ product: 'pds-int', status: 'approved' }],
  products: [
    {
      name: 'pds-int',
      apis: ['personal-demographics'],
      scopes: [
        'urn:nhsd:apim:app:level3:personal-demographics',
        'urn:nhsd:apim:user-nhs-cis2:aal3:personal-demographics',
        'urn:nhsd:apim:user-nhs-id:aal3:personal-demographics',
        'urn:nhsd:apim:user-nhs-login:P9:personal-demographics',
      ],
      approval: 'auto',
    },
  ],
}

/** Tokens of a test: in memory, and never forgotten. */
export function tokensInMemory(now: () => number) {
  const families: { grant: Grant; first: number; count: number; revoked: boolean; access: string[] }[] = []
  const access = new Map<string, { family: (typeof families)[number]; expiresAt: number }>()
  const refresh = new Map<string, { family: (typeof families)[number]; expiresAt: number; used: boolean }>()
  const make = (family: (typeof families)[number], lifetimes: Lifetimes): IssuedToken => {
    const issuedAt = now()
    const accessToken = randomBytes(32).toString('base64url')
    const accessExpiresAt = issuedAt + lifetimes.access
    access.set(accessToken, { family, expiresAt: accessExpiresAt })
    family.access.push(accessToken)
    const made = { accessToken, issuedAt, accessExpiresAt, refreshCount: family.count }
    if (lifetimes.refresh === undefined) return made
    const refreshToken = randomBytes(32).toString('base64url')
    const until = family.first + (lifetimes.refreshValidity ?? Number.POSITIVE_INFINITY)
    const refreshExpiresAt = Math.min(issuedAt + lifetimes.refresh, until)
    refresh.set(refreshToken, { family, expiresAt: refreshExpiresAt, used: false })
    return { ...made, refreshToken, refreshExpiresAt }
  }
  const tokens: AccessTokens = {
    async issue(grant, lifetimes) {
      const family = { grant, first: now(), count: 0, revoked: false, access: [] }
      families.push(family)
      return make(family, lifetimes)
    },
    async refresh(refreshToken, { key, lifetimes }) {
      const found = refresh.get(refreshToken)
      if (found === undefined || found.family.grant.key !== key || found.family.revoked) return 'unknown'
      if (found.used) {
        found.family.revoked = true
        return 'reused'
      }
      if (found.expiresAt <= now()) return 'expired'
      found.used = true
      found.family.count++
      return make(found.family, typeof lifetimes === 'function' ? lifetimes(found.family.grant) : lifetimes)
    },
    async verify(accessToken) {
      const found = access.get(accessToken)
      if (found === undefined || found.family.revoked) return { state: 'unknown' }
      if (found.expiresAt <= now()) return { state: 'expired' }
      return { state: 'valid', grant: found.family.grant, expiresAt: found.expiresAt }
    },
    async revoke(accessToken) {
      const found = access.get(accessToken)
      if (found === undefined || found.family.revoked) return false
      found.family.revoked = true
      return true
    },
    async revokeSession(name, session) {
      const mine = families.filter(
        ({ grant, revoked }) => !revoked && grant.provider === name && grant.session === session,
      )
      for (const family of mine) family.revoked = true
      return mine.length
    },
    async revokeApplication(application) {
      const mine = families.filter(({ grant, revoked }) => !revoked && grant.application === application)
      for (const family of mine) family.revoked = true
      return mine.length
    },
  }
  return { tokens, families }
}

export interface TestIdentity {
  readonly app: FastifyInstance
  readonly platform: Platform
  readonly clock: ReturnType<typeof manualClock>
  readonly families: ReturnType<typeof tokensInMemory>['families']
  readonly service: ReturnType<typeof identity>
  /** Applications by their client id: may be changed. */
  readonly known: Map<string, Client>
  /** POST of a form to the token endpoint. */
  post(form: Readonly<Record<string, string>> | string, path?: string): Promise<Told>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Told>
}

export interface Told {
  readonly status: number
  readonly body: Record<string, string>
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** An authorisation server whose clock is moved by hand and whose clients are those of `known`. */
export async function testIdentity(
  t: { after(then: () => Promise<void>): void },
  options: {
    readonly config?: Partial<IdentityConfig>
    readonly platform?: Partial<Platform>
    readonly fetch?: Fetch
    readonly tokens?: ReturnType<typeof tokensInMemory>
    readonly rate?: Parameters<typeof identity>[0]['rate']
    readonly activity?: Parameters<typeof identity>[0]['activity']
    readonly providers?: readonly Provider[]
  } = {},
): Promise<TestIdentity> {
  const clock = (options.platform?.clock as TestIdentity['clock']) ?? manualClock('2026-11-25T12:00:00Z')
  const platform = await testPlatform({ environment: 'int', clock, ...options.platform })
  const known = new Map([[clientId, client]])
  const { tokens, families } = options.tokens ?? tokensInMemory(clock.now)
  const clients: Clients = {
    client: (id) => known.get(id),
    secretFits: (id, given) => known.has(id) && given === secret,
  }
  const service = identity({
    platform,
    config: { ...identityConfig.parse({ origins: [origin] }), ...options.config },
    clients: { ...clients, ...tokens },
    publicHost: 'int.api.example',
    providers: options.providers ?? [provider, loginProvider],
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.activity === undefined ? {} : { activity: options.activity }),
  })
  await platform.store.migrate('identity', service.migrations ?? {})
  await service.start?.()
  const app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  if (service.routes?.api !== undefined) await app.register(service.routes.api)
  t.after(async () => {
    await app.close()
    await service.stop?.(0)
    await platform.close()
  })
  const told = (answer: { statusCode: number; body: string; headers: object }): Told => {
    let body: Record<string, string> = {}
    try {
      body = JSON.parse(answer.body)
    } catch {}
    return { status: answer.statusCode, body, text: answer.body, headers: { ...answer.headers } }
  }
  return {
    app,
    platform,
    clock,
    families,
    service,
    known,
    post: async (form, path = '/oauth2/token') =>
      told(
        await app.inject({
          method: 'POST',
          url: path,
          headers: { 'content-type': formType },
          payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
        }),
      ),
    get: async (url, headers = {}) => told(await app.inject({ method: 'GET', url, headers })),
  }
}

type Json = Readonly<Record<string, unknown>>

/** A client assertion that passes every check at this time; members set to undefined are left out. */
export function assertion(
  now: number,
  claims: Json = {},
  how: { readonly header?: Json; readonly key?: KeyObject; readonly algorithm?: SignatureAlgorithm } = {},
): string {
  const seconds = Math.floor(now / 1000)
  return signToken(
    {
      iss: clientId,
      sub: clientId,
      aud: tokenUrl,
      jti: randomBytes(8).toString('hex'),
      iat: seconds,
      exp: seconds + 300,
      ...claims,
    },
    {
      key: how.key ?? clientKeys.privateKey,
      algorithm: how.algorithm ?? 'RS512',
      header: { kid: 'test-1', ...how.header },
    },
  )
}

export const assertionForm = (text: string): Record<string, string> => ({
  grant_type: 'client_credentials',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion: text,
})

/** A form that exchanges that ID token, by the good application at this time. */
export const exchangeForm = (now: number, subject: string): Record<string, string> => ({
  ...assertionForm(assertion(now)),
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  subject_token: subject,
})

/** An ID token of the staff provider. */
export function idToken(now: number, claims: Json = {}, header: Json = {}, of: Provider = provider): string {
  const seconds = Math.floor(now / 1000)
  const level = of.kind === 'nhs-cis2' ? { authentication_assurance_level: '3' } : { identity_proofing_level: 'P9' }
  return signToken(
    { iss: of.issuer, sub: '656005750107', aud: of.clientId, iat: seconds, exp: seconds + 3_600, ...level, ...claims },
    { key: providerPair.privateKey, algorithm: 'RS256', header: { kid: 'idp-1', ...header } },
  )
}

/** An answer of a fetch that is told by hand. */
export const answered = (body: string, status = 200) => ({
  status,
  contentType: 'application/json',
  body: Buffer.from(body),
})

/** What a suite closes at its end, where a test would say so to its context. */
export function untilTheEnd() {
  const closers: (() => Promise<void>)[] = []
  after(async () => {
    for (const close of closers) await close()
  })
  return { after: (close: () => Promise<void>) => void closers.push(close) }
}

/** The answer is that refusal, with the headers of every refusal. */
export function refusedWith(
  told: Awaited<ReturnType<TestIdentity['post']>>,
  status: number,
  error: string,
  description: string,
) {
  assert.deepEqual(
    { status: told.status, error: told.body['error'], error_description: told.body['error_description'] },
    { status, error, error_description: description },
  )
  assert.match(told.body['message_id'] ?? '', /^rrt-\d{19}-a-spine-\d{4}-\d{7}-1$/)
  assert.equal(told.headers['cache-control'], 'no-store')
  assert.equal(told.headers['pragma'], 'no-cache')
  assert.equal(told.headers['content-type'], 'application/json')
}
