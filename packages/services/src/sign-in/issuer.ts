import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { errors, interactionPolicy, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { IssuerName, RelyingParty } from './contract.ts'
import { errorPage } from './http/html.ts'
import { type Algorithm, signJwt, verifiedClaims } from './jwt.ts'
import type { Keys } from './keys.ts'
import type { outgoing } from './outgoing.ts'
import { digestOf, recordAdapter } from './records.ts'
import { clientMetadata } from './relying-party.ts'
import type { SignInStore } from './store.ts'

/** What was settled when a code was given out; kept under its grant, which the code and every token after it name. */
export interface SignOnFacts {
  readonly sid: string
  readonly state?: string
  /** CIS2: the value of acr_values that was met; NHS login: the vector. */
  readonly acr: string
  /** How the person signed in: an authenticator's value, or proofing and credentials (`P9.Cp.Cd`). */
  readonly signOn: string
  readonly selectedRole?: string
}

/** An ID token or access token in the making. */
export interface TokenFacts {
  readonly subject: string
  readonly clientId: string
  readonly now: number
  readonly facts: SignOnFacts
  readonly algorithm: Algorithm
  readonly authTime: number | undefined
  readonly nonce: string | undefined
  readonly accessToken: string | undefined
  readonly code: string | undefined
  readonly amr: readonly string[]
  readonly scope: string
  /** Of an access token: its own id and life in seconds. */
  readonly jti: string | undefined
  readonly lifetime: number
}

/** What differs between the providers. */
export interface IssuerKind {
  readonly name: IssuerName
  readonly routes: {
    readonly authorization: string
    readonly token: string
    readonly userinfo: string
    readonly jwks: string
    readonly endSession?: string
  }
  readonly scopes: readonly string[]
  /** Scope → claims of userinfo. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  readonly acrValues?: readonly string[]
  readonly idTokenAlgorithms: readonly Algorithm[]
  readonly assertionAlgorithms: readonly Algorithm[]
  readonly secrets: boolean
  readonly extraParameters: readonly string[]
  /** Error of `prompt=none` without a sufficient sign-on. */
  readonly loginRequired: string
  readonly seconds: {
    readonly code: number
    readonly accessToken: number
    readonly refreshToken: number
    readonly idle: number
    readonly absolute: number
  }
  /** Parameters that are as good as not sent. */
  readonly passedOver?: readonly string[]
  /** After client and redirect URI are proved: throws what the redirect says. */
  judge(parameters: Readonly<Record<string, unknown>>): void
  /** What of the request the sign-on meets: claim `acr` or `vot`; undefined when one must sign in anew. */
  met(parameters: Readonly<Record<string, unknown>>, signOn: string | undefined): string | undefined
  /** `clientId` is that of the token, where there is one. */
  account(
    subject: string,
    facts: SignOnFacts | undefined,
    clientId?: string,
  ): Promise<Readonly<Record<string, unknown>> | undefined>
  /** Claims beyond iss, aud, sub, iat and exp. */
  idToken(token: TokenFacts, subjectFacts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
  accessToken(token: TokenFacts, subjectFacts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
  /** Changes answers of the library where the wire differs. */
  answer(ctx: KoaContextWithOIDC): void
}

export interface Issuer {
  readonly kind: IssuerKind
  readonly provider: Provider
  /** As configured, `:443` and all. */
  readonly issuer: string
  /** Path of the issuer on the door. */
  readonly path: string
  urlOf(route: string): string
  /** Signed as its ID tokens. */
  signed(claims: Readonly<Record<string, unknown>>, algorithm: Algorithm, typ?: string): string
  verified(token: string): Readonly<Record<string, unknown>> | undefined
}

type Bag = Record<string, unknown>

/** Only what is overridden of the library's classes; the types that are published with it leave some of it out. */
interface Internals {
  readonly OIDCContext: { prototype: Bag }
  readonly IdToken: { prototype: Bag; validate: unknown }
  readonly AccessToken: {
    prototype: { save(...given: unknown[]): Promise<string> }
    find(value: string, options?: unknown): Promise<unknown>
  }
  readonly Client: { prototype: Bag }
}

interface IdTokenInTheMaking {
  readonly ctx: KoaContextWithOIDC
  readonly client: { readonly clientId: string; readonly idTokenSignedResponseAlg: Algorithm }
  readonly available: Bag
  readonly extra: Bag
}

interface AccessTokenInTheMaking {
  readonly jti: string
  readonly grantId: string
  readonly clientId: string
  readonly accountId: string
  readonly expiration: number
  readonly scope: string
}

/** One OpenID provider: the library, told what our wire asks for (§12). */
export function makeIssuer(needs: {
  readonly kind: IssuerKind
  readonly issuer: string
  readonly rows: SignInStore
  readonly keys: Keys
  readonly clock: Clock
  readonly log: Logger
  readonly cookieKeys: readonly string[]
  readonly fetch: ReturnType<typeof outgoing>
  readonly party: (clientId: string) => Promise<RelyingParty | undefined>
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>
}): Issuer {
  const { kind, issuer, rows, keys, clock, log, party, record } = needs
  const { name } = kind
  // Never by way of `URL`, which would drop the port of the scheme (§3.1).
  const origin = issuer.replace(/^(https?:\/\/[^/]+).*$/, '$1')
  const path = issuer.slice(origin.length)
  const seconds = () => Math.floor(clock.now() / 1000)

  async function factsOf(grantId: string | undefined): Promise<SignOnFacts | undefined> {
    if (grantId === undefined) return undefined
    const record = await rows.find({ issuer: name, model: 'Facts', id: digestOf(grantId) })
    return record?.payload as SignOnFacts | undefined
  }

  const requestOf = (ctx: KoaContextWithOIDC) => (ctx.oidc.params ?? {}) as Readonly<Record<string, unknown>>

  function meets(ctx: KoaContextWithOIDC): string | undefined {
    const { oidc } = ctx
    return kind.met({ ...requestOf(ctx), 'signed in now': oidc.result?.login !== undefined }, oidc.session?.acr)
  }

  const { Check, Prompt, base } = interactionPolicy
  const login = base().get('login')
  if (login === undefined) throw new Error('the provider library has no prompt `login`')
  const policy = new Prompt(
    { name: 'login', requestable: true },
    ...['no_session', 'max_age', 'id_token_hint'].flatMap((reason) => {
      const check = login.checks.get(reason)
      return check === undefined ? [] : [new Check(reason, check.description, kind.loginRequired, check.check)]
    }),
    new Check('level', 'the sign-on does not meet the level asked for', kind.loginRequired, (ctx) =>
      meets(ctx) === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
    ),
  )

  const provider = new Provider(issuer, {
    adapter: recordAdapter({
      issuer: name,
      rows,
      clock,
      async client(clientId) {
        const found = await party(clientId)
        return found === undefined ? undefined : clientMetadata(found, kind.assertionAlgorithms)
      },
    }),
    // Only so that the library knows which algorithms there are: tokens are signed here, by the key of the hour.
    jwks: { keys: [{ ...keys.active('RS512').privateKey.export({ format: 'jwk' }), use: 'sig' }] },
    clientAuthMethods: kind.secrets
      ? ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
      : ['private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...kind.assertionAlgorithms],
      idTokenSigningAlgValues: [...kind.idTokenAlgorithms],
    },
    clientDefaults: {
      grant_types: ['authorization_code'],
      id_token_signed_response_alg: kind.idTokenAlgorithms[0] as Algorithm,
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
    },
    responseTypes: ['code'],
    scopes: [...kind.scopes],
    claims: Object.fromEntries(Object.entries(kind.claims).map(([scope, names]) => [scope, [...names]])),
    ...(kind.acrValues === undefined ? {} : { acrValues: [...kind.acrValues] }),
    conformIdTokenClaims: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: () => false },
    extraParams: Object.fromEntries(
      ['openspine_judge', ...kind.extraParameters].map((parameter) => [
        parameter,
        parameter === 'openspine_judge' ? (ctx: KoaContextWithOIDC) => judged(ctx, kind) : null,
      ]),
    ),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: true },
    },
    routes: {
      authorization: kind.routes.authorization,
      token: kind.routes.token,
      userinfo: kind.routes.userinfo,
      jwks: kind.routes.jwks,
    },
    cookies: {
      names: {
        session: `${name}_session`,
        interaction: `${name}_interaction`,
        resume: `${name}_resume`,
      },
      keys: [...needs.cookieKeys],
      long: { httpOnly: true, sameSite: 'lax', path: `${path}/` },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    ttl: {
      AuthorizationCode: kind.seconds.code,
      AccessToken: kind.seconds.accessToken,
      IdToken: 3600,
      RefreshToken: kind.seconds.refreshToken,
      Grant: Math.max(kind.seconds.refreshToken, kind.seconds.absolute),
      Interaction: 900,
      Session: (_ctx, session) => {
        const until = (session.loginTs ?? seconds()) + kind.seconds.absolute
        return Math.max(1, Math.min(kind.seconds.idle, until - seconds()))
      },
    },
    expiresWithSession: async () => false,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    interactions: {
      policy: [policy],
      url: (_ctx, interaction) => `${origin}${path}/sign-in/${interaction.uid}`,
    },
    async findAccount(_ctx, subject, token) {
      const grantId = token !== undefined && 'grantId' in token ? (token.grantId as string | undefined) : undefined
      const facts = await factsOf(grantId)
      const claims = await kind.account(subject, facts, token?.clientId)
      return claims === undefined
        ? undefined
        : { accountId: subject, claims: async () => ({ ...claims, sub: subject }) }
    },
    async loadExistingGrant(ctx) {
      const { oidc } = ctx
      const acr = meets(ctx)
      const { session, client } = oidc
      if (acr === undefined || session?.accountId === undefined || client === undefined) return undefined
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
      grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '))
      const grantId = await grant.save()
      session.ensureClientContainer(client.clientId)
      const { state } = requestOf(ctx)
      const role = (oidc.result as { selectedRole?: unknown } | undefined)?.selectedRole
      const facts: SignOnFacts = {
        sid: session.sidFor(client.clientId) as string,
        acr,
        signOn: session.acr ?? '',
        ...(typeof state === 'string' ? { state } : {}),
        ...(typeof role === 'string' ? { selectedRole: role } : {}),
      }
      await rows.put({
        issuer: name,
        model: 'Facts',
        id: digestOf(grantId),
        payload: { ...facts },
        grantId,
        session: session.uid,
        account: session.accountId,
        expiresAt: clock.now() + Math.max(kind.seconds.refreshToken, kind.seconds.absolute) * 1000,
      })
      // By its sid a sign-on is found when a relying party ends it (§3.1, endSession).
      await rows.put({
        issuer: name,
        model: 'Sid',
        id: digestOf(facts.sid),
        payload: { uid: session.uid },
        session: session.uid,
        expiresAt: clock.now() + kind.seconds.absolute * 1000,
      })
      return grant
    },
    async renderError(ctx, out, error) {
      if (out.error === 'server_error') log.error({ err: error }, 'the identity provider failed')
      ctx.type = 'html'
      const page = errorPage(out.error, out.error_description)
      ctx.set(page.headers)
      ctx.body = page.body
    },
    fetch: async (url, options) => {
      const { method = 'GET', body } = options ?? {}
      return needs.fetch(String(url), {
        method,
        headers: { ...Object.fromEntries(new Headers(options?.headers)) },
        ...(body === undefined || body === null ? {} : { body: String(body) }),
      })
    },
  })

  const urlOf = (route: string) => `${origin}${path}${route}`
  const internals = provider as unknown as Internals

  // The addresses that we say are those of the configuration, not of whatever Host the request names.
  internals.OIDCContext.prototype['urlFor'] = (route: string, options?: Bag) =>
    `${origin}${(provider as unknown as { pathFor(name: string, options?: Bag): string }).pathFor(route, options)}`
  internals.OIDCContext.prototype['clientJwtAuthExpectedAudience'] = () => new Set([issuer, urlOf(kind.routes.token)])

  // Secrets are kept as digests.
  internals.Client.prototype['compareClientSecret'] = function (this: { clientSecret: string }, given: string) {
    const digest = createHash('sha256').update(given).digest()
    const kept = Buffer.from(this.clientSecret, 'hex')
    return kept.length === digest.length && timingSafeEqual(kept, digest)
  }

  /** Tokens as they went out, for the hash in the ID token beside them. */
  const given = new WeakMap<object, string>()

  // Access tokens are JWTs without audience (§3.4, §4.3), which the library does not make: its own value is the jti.
  const { AccessToken } = internals
  const { save } = AccessToken.prototype
  AccessToken.prototype.save = async function (...rest: unknown[]) {
    const token = this as unknown as AccessTokenInTheMaking
    await save.apply(this, rest)
    const facts = await factsOf(token.grantId)
    if (facts === undefined) throw new errors.InvalidGrant('grant not found')
    const algorithm = kind.idTokenAlgorithms[0] as Algorithm
    const now = seconds()
    const about: TokenFacts = {
      subject: token.accountId,
      clientId: token.clientId,
      now,
      facts,
      algorithm,
      authTime: undefined,
      nonce: undefined,
      accessToken: undefined,
      code: undefined,
      amr: [],
      scope: token.scope ?? '',
      jti: token.jti,
      lifetime: token.expiration,
    }
    const account = (await kind.account(token.accountId, facts)) ?? {}
    const claims = { ...kind.accessToken(about, account), iat: now, exp: now + token.expiration }
    const jwt = signJwt({ iss: issuer, sub: token.accountId, ...claims }, keys.active(algorithm))
    given.set(this, jwt)
    return jwt
  }
  const find = AccessToken.find.bind(AccessToken)
  AccessToken.find = async (value, options) => {
    const jti = typeof value === 'string' ? verifiedClaims(value, keys.all())?.['jti'] : undefined
    return typeof jti === 'string' ? find(jti, options) : undefined
  }

  // ID tokens need `"typ":"JWT"` in their header, without which token exchange refuses them (§12.5), and claims of their own.
  internals.IdToken.prototype['issue'] = async function (this: IdTokenInTheMaking, { use }: { use: string }) {
    if (use !== 'idtoken') throw new Error(`no token is signed here for ${use}`)
    const { ctx, client, available, extra } = this
    const at = ctx.oidc.entities.AccessToken as unknown as AccessTokenInTheMaking | undefined
    const facts = await factsOf(at?.grantId)
    if (at === undefined || facts === undefined) throw new errors.InvalidGrant('grant not found')
    const algorithm = client.idTokenSignedResponseAlg
    const now = seconds()
    const code = requestOf(ctx)['code']
    const about: TokenFacts = {
      subject: String(available['sub']),
      clientId: client.clientId,
      now,
      facts,
      algorithm,
      authTime: available['auth_time'] as number | undefined,
      nonce: extra['nonce'] as string | undefined,
      accessToken: given.get(at),
      code: typeof code === 'string' ? code : undefined,
      amr: (available['amr'] as readonly string[] | undefined) ?? [],
      scope: at.scope,
      jti: undefined,
      lifetime: 3600,
    }
    const claims = { ...kind.idToken(about, available), aud: client.clientId, iat: now, exp: now + 3600 }
    return signJwt({ iss: issuer, sub: about.subject, ...claims }, keys.active(algorithm))
  }
  internals.IdToken.validate = async (token: string, client: { readonly clientId: string }) => {
    const payload = verifiedClaims(token, keys.all())
    if (payload?.['iss'] !== issuer || payload['aud'] !== client.clientId)
      throw new Error('not an ID token of this client')
    return { header: {}, payload }
  }

  provider.use(async (ctx, next) => {
    await next()
    const { oidc } = ctx as unknown as KoaContextWithOIDC
    switch (oidc?.route) {
      case 'jwks':
        ctx.body = keys.set()
        ctx.set('cache-control', 'public, max-age=3600')
        break
      case 'discovery':
        ctx.set('cache-control', 'public, max-age=3600')
        break
      case 'token': {
        const error = (ctx.body as { error?: string } | undefined)?.error
        await record(error === undefined ? 'sign_in.tokens.issued' : 'sign_in.tokens.refused', {
          issuer: name,
          client: oidc.client?.clientId,
          ...(error === undefined ? {} : { error }),
        })
        ctx.set('cache-control', 'no-store')
        ctx.set('pragma', 'no-cache')
        break
      }
      case 'userinfo':
        ctx.set('cache-control', 'no-store')
        ctx.set('pragma', 'no-cache')
        break
    }
    if (oidc !== undefined) kind.answer(ctx as unknown as KoaContextWithOIDC)
  })

  provider.on('authorization.success', (ctx, response) => {
    // Beside `iss`, which the library adds (§3.2).
    if (name === 'cis2') Object.assign(response as Bag, { client_id: ctx.oidc.client?.clientId })
  })
  // The answer tells the caller little; whoever runs this finds the reason here, without the token.
  const told = (event: string) => (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
    log.info(
      { issuer: name, client: ctx.oidc.client?.clientId, error: error.error, reason: error.error_detail },
      `${event} refused`,
    )
  provider.on('grant.error', told('token request'))
  provider.on('authorization.error', told('authorisation request'))
  provider.on('server_error', (_ctx, error) => log.error({ err: error, issuer: name }, 'the identity provider failed'))

  return {
    kind,
    provider,
    issuer,
    path,
    urlOf,
    signed: (claims, algorithm, typ) => signJwt(claims, keys.active(algorithm), typ),
    verified: (token) => verifiedClaims(token, keys.all()),
  }
}

function judged(ctx: KoaContextWithOIDC, kind: IssuerKind): void {
  const parameters: Record<string, unknown> = ctx.oidc.params ?? {}
  for (const name of kind.passedOver ?? []) parameters[name] = undefined
  kind.judge(parameters)
}
