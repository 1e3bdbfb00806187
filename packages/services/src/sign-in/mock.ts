import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock, Random } from '@openspine/platform/clock'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { RelyingParty } from './contract.ts'
import { errorPage, html, type Page, page } from './http/html.ts'
import { halfHash, signJwt, verifiedClaims } from './jwt.ts'
import type { Keys } from './keys.ts'
import { mockUsers } from './mock-users.ts'
import { digestOf } from './records.ts'
import type { SignInStore } from './store.ts'

export type MockRealm = keyof typeof mockUsers

const codeSeconds = 60
const tokenSeconds = 3600

interface Code {
  readonly clientId: string
  readonly redirectUri: string
  readonly user: string
  readonly nonce?: string
  readonly scope: string
}

/**
 * One realm of the mock identity service (§2.10): shaped as Keycloak is, with one form that asks for a user name alone.
 * Its own issuer and keys, so that nothing of it passes for the providers beside it.
 */
export function mockRealm(needs: {
  readonly realm: MockRealm
  /** `https://{host}/realms/{realm}-mock-{environment}` */
  readonly issuer: string
  readonly rows: SignInStore
  readonly keys: Keys
  readonly clock: Clock
  readonly random: Random
  readonly party: (clientId: string) => Promise<RelyingParty | undefined>
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>
}): FastifyPluginAsync {
  const { realm, issuer, rows, keys, clock, random, party, record } = needs
  const users = mockUsers[realm]
  const name = `mock ${realm}`
  const base = `${issuer}/protocol/openid-connect`
  const algorithm = realm === 'Cis2' ? 'RS256' : 'RS512'

  /** The client and redirect are proved before anybody is sent anywhere. */
  async function judged(
    query: URLSearchParams,
  ): Promise<Page | URL | { readonly to: URL; readonly code: Omit<Code, 'user'> }> {
    const one = (parameter: string) =>
      query.getAll(parameter).length === 1 ? (query.get(parameter) ?? undefined) : undefined
    const clientId = one('client_id')
    const redirectUri = one('redirect_uri')
    const found = clientId === undefined ? undefined : await party(clientId)
    if (clientId === undefined || found === undefined) return errorPage('invalid_request', 'unknown client_id', name)
    if (redirectUri === undefined || !found.redirectUris.includes(redirectUri))
      return errorPage('invalid_request', 'redirect_uri is not registered', name)
    const to = new URL(redirectUri)
    const state = one('state')
    if (state !== undefined) to.searchParams.set('state', state)
    const scope = one('scope') ?? ''
    const twice = [...new Set(query.keys())].some((key) => query.getAll(key).length > 1)
    const wrong =
      twice || one('response_type') !== 'code'
        ? 'invalid_request'
        : scope.split(' ').includes('openid')
          ? undefined
          : 'invalid_scope'
    if (wrong !== undefined) {
      to.searchParams.set('error', wrong)
      return to
    }
    const nonce = one('nonce')
    return { to, code: { clientId, redirectUri, scope, ...(nonce === undefined ? {} : { nonce }) } }
  }

  const form = (query: URLSearchParams, problem: string | undefined): Page =>
    page(
      problem === undefined ? 'Sign in' : 'Error: Sign in',
      `Mock sign-in (${realm})`,
      html`<h1>Sign in</h1>
<div class="note"><p><strong>This is a mock.</strong> Its users are invented and have no passwords.</p></div>
<form id="kc-form-login" method="post" action="${`${base}/auth?${query}`}">
<label class="field" for="username">User name</label>
${problem === undefined ? '' : html`<p class="problem" id="username-problem">Error: ${problem}</p>`}
<p><input type="text" id="username" name="username" autocomplete="off"></p>
<button name="login">Sign in</button>
</form>
<h2>Users</h2>
<ul>${[...users.keys()].map((user) => html`<li>${user}</li>`)}</ul>`,
    )

  const show = (reply: FastifyReply, status: number, { headers, body }: Page) =>
    reply.code(status).headers(headers).send(Buffer.from(body))

  const json = (reply: FastifyReply, status: number, body: unknown) =>
    reply
      .code(status)
      .headers({ 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' })
      .send(Buffer.from(JSON.stringify(body)))

  async function tokens(given: URLSearchParams, authorization: string | undefined) {
    if ([...new Set(given.keys())].some((key) => given.getAll(key).length > 1)) return 'invalid_request'
    const basic = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1]
    const [id, secret] =
      basic === undefined
        ? [given.get('client_id') ?? '', given.get('client_secret') ?? '']
        : (Buffer.from(basic, 'base64').toString().split(/:(.*)/s).map(decoded) as [string, string])
    const found = await party(id)
    const digest = createHash('sha256')
      .update(secret ?? '')
      .digest()
    if (found?.secretDigest === undefined || !timingSafeEqual(digest, Buffer.from(found.secretDigest, 'hex')))
      return 'invalid_client'
    if (given.get('grant_type') !== 'authorization_code') return 'unsupported_grant_type'
    const key = { issuer: name, model: 'Code', id: digestOf(given.get('code') ?? '') }
    const stored = await rows.find(key)
    const code = stored?.payload as Code | undefined
    if (code === undefined || stored?.expiresAt === undefined || stored.expiresAt <= clock.now()) return 'invalid_grant'
    if (code.clientId !== id || code.redirectUri !== given.get('redirect_uri')) return 'invalid_grant'
    if (!(await rows.consume(key, clock.now()))) return 'invalid_grant'
    const now = Math.floor(clock.now() / 1000)
    const signer = keys.active(algorithm)
    const life = { iss: issuer, sub: code.user, iat: now, exp: now + tokenSeconds }
    const access = signJwt({ ...life, jti: random.uuid(), typ: 'Bearer', azp: id, scope: code.scope }, signer)
    const idToken = {
      ...life,
      aud: id,
      jti: random.uuid(),
      typ: 'ID',
      azp: id,
      auth_time: now,
      at_hash: halfHash(access, algorithm),
      sid: random.uuid(),
      ...(code.nonce === undefined ? {} : { nonce: code.nonce }),
      ...(realm === 'Cis2' ? {} : { vtm: `${issuer}/trustmark` }),
      ...users.get(code.user)?.token,
    }
    return {
      access_token: access,
      expires_in: tokenSeconds,
      token_type: 'Bearer',
      id_token: signJwt(idToken, signer),
      'not-before-policy': 0,
      scope: code.scope,
    }
  }

  return async (app) => {
    const path = new URL(issuer).pathname
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 64 * 1024 },
      (_request, body, done) => done(null, new URLSearchParams(String(body))),
    )
    const queryOf = (url: string) => new URL(url, 'https://localhost').searchParams
    app.get(`${path}/.well-known/openid-configuration`, (_request, reply) =>
      json(reply, 200, {
        issuer,
        authorization_endpoint: `${base}/auth`,
        token_endpoint: `${base}/token`,
        userinfo_endpoint: `${base}/userinfo`,
        jwks_uri: `${base}/certs`,
        response_types_supported: ['code'],
        grant_types_supported: ['authorization_code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [algorithm],
        scopes_supported: ['openid'],
        token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      }),
    )
    app.get(`${path}/protocol/openid-connect/certs`, (_request, reply) => json(reply, 200, keys.set()))
    app.route({
      method: ['GET', 'POST'],
      url: `${path}/protocol/openid-connect/auth`,
      async handler(request, reply) {
        const query = queryOf(request.raw.url ?? '')
        const verdict = await judged(query)
        if ('body' in verdict) return show(reply, 400, verdict)
        if (verdict instanceof URL) return reply.code(302).header('location', verdict.href).send()
        if (request.method !== 'POST') return show(reply, 200, form(query, undefined))
        const user = request.body instanceof URLSearchParams ? (request.body.get('username') ?? '').trim() : ''
        if (!users.has(user)) return show(reply, 200, form(query, 'Enter the name of one of the users below'))
        const code = random.bytes(32).toString('base64url')
        await rows.put({
          issuer: name,
          model: 'Code',
          id: digestOf(code),
          payload: { ...verdict.code, user },
          expiresAt: clock.now() + codeSeconds * 1000,
        })
        await record('sign_in.signed_on', { issuer: name, client: verdict.code.clientId })
        verdict.to.searchParams.set('code', code)
        return reply.code(302).headers({ location: verdict.to.href, 'cache-control': 'no-store' }).send()
      },
    })
    app.post(`${path}/protocol/openid-connect/token`, async (request, reply) => {
      const given = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const answer = await tokens(given, request.headers.authorization)
      if (typeof answer !== 'string') return json(reply, 200, answer)
      return json(reply, answer === 'invalid_client' ? 401 : 400, { error: answer })
    })
    app.get(`${path}/protocol/openid-connect/userinfo`, async (request, reply) => {
      const token = /^bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
      const claims = verifiedClaims(token, keys.all())
      const user = typeof claims?.['sub'] === 'string' ? claims['sub'] : ''
      const alive =
        claims?.['typ'] === 'Bearer' && claims['iss'] === issuer && Number(claims['exp']) * 1000 > clock.now()
      const found = alive ? users.get(user) : undefined
      if (found === undefined) {
        reply.header('www-authenticate', 'Bearer error="invalid_token"')
        return json(reply, 401, { error: 'invalid_token' })
      }
      return json(reply, 200, { sub: user, ...found.info })
    })
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
