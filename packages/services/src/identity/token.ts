import { readSignedToken } from '@openspine/standards/jose'
import type { Client } from '../gateway/contract.ts'
import {
  type Answer,
  about,
  type Call,
  clientLookups,
  isNational,
  lazily,
  type Parts,
  type Result,
  urlOf,
} from './call.ts'
import { type Assertion, applicationScope, assertionChecks, exchangeGrant } from './checks/assertion.ts'
import { firstRefusal, invalidRequest, type Outcome, type Refused, refusal } from './checks/check.ts'
import { codeChecks, type Redemption, refreshChecks } from './checks/client.ts'
import { type ActingToken, type SubjectToken, subjectChecks } from './checks/subject-token.ts'
import { applicationGrant, bodies, lifetimesOf, refreshedLifetimes, userGrant } from './grants.ts'
import type { Form } from './http/form.ts'
import { FetchFault } from './keys/fetch.ts'
import { claimsOf, headerOf, type Provider, providerKeys } from './providers.ts'
import { grantedScopes, levelOf, type Standing } from './scopes.ts'
import { digestOf, seal, unseal } from './sealed.ts'
import type { StoredCode } from './sign-in.ts'

const idTokenType = 'urn:ietf:params:oauth:token-type:id_token'
/** §2.6: cached by URL. */
const clientKeysLifeMs = 3_600_000
/** How much longer than `exp` a jti is remembered: clocks of several processes differ. */
const rememberedMs = 60_000

/** POST /token: dispatch (§2.5). */
export async function token(parts: Parts, call: Call, form: Form): Promise<Result> {
  const grantType = form.one('grant_type')
  const subjectType = form.one('subject_token_type')
  if (form.repeats && !isNational(parts))
    return refused(
      'parameters once',
      '2.6 notes',
      invalidRequest('Duplicate parameter in request body'),
      'A parameter of the form is there twice.',
    )
  if (grantType === 'client_credentials' && subjectType !== idTokenType) return clientCredentials(parts, call, form)
  if (subjectType === idTokenType) return exchange(parts, call, form)
  if (grantType === 'authorization_code') return redeemCode(parts, call, form)
  if (grantType === 'refresh_token') return refresh(parts, call, form)
  if (grantType === exchangeGrant)
    return refused(
      'subject_token_type',
      '2.5 #5',
      invalidRequest(`missing or invalid subject_token_type - must be '${idTokenType}'`),
      'An exchange needs the subject_token_type of an ID token.',
    )
  return grantType === undefined
    ? refused('grant_type present', '2.5 #6', invalidRequest('grant_type is missing'), 'The form has no grant_type.')
    : refused(
        'grant_type',
        '2.5 #6',
        refusal(400, 'unsupported_grant_type', 'grant_type is invalid'),
        'grant_type must be client_credentials, authorization_code, refresh_token or that of token exchange.',
      )
}

const refused = (check: string, clause: string, outcome: Outcome, cause: string, client?: Client): Refused => ({
  refused: true,
  check,
  clause,
  outcome,
  cause,
  client,
})

function assertionOf(parts: Parts, call: Call, form: Form): Assertion {
  const text = form.one('client_assertion')
  const reading = text === undefined ? undefined : readSignedToken(text)
  const header = headerOf(reading)
  const claims = claimsOf(reading)
  const looked = clientLookups(parts, claims['iss'])
  const digest = () => digestOf(JSON.stringify([claims['iss'], claims['jti']]))
  return {
    type: form.one('client_assertion_type'),
    grantType: form.one('grant_type'),
    text,
    reading,
    header,
    claims,
    now: call.now,
    audience: urlOf(call, '/token'),
    environment: parts.environment,
    ...looked,
    seen: () => parts.once.seen(digest()),
    remember: () => parts.once.remember(digest(), Math.ceil((claims['exp'] as number) * 1000) + rememberedMs),
    keys: lazily(async () => {
      const keys = looked.client()?.keys
      const kid = typeof header['kid'] === 'string' ? header['kid'] : ''
      try {
        if (keys === undefined) throw new FetchFault('No key set is registered.')
        return 'url' in keys ? await parts.keys.at(keys.url, kid, clientKeysLifeMs) : parts.keys.held(keys.keySet, kid)
      } catch (error) {
        if (error instanceof FetchFault) return error
        throw error
      }
    }),
    scopes: lazily(() => grantedScopes(looked.client()?.products ?? [], { kind: 'app' })),
  }
}

const credentialChecks = [...assertionChecks.filter(({ only }) => only === undefined), applicationScope]

async function clientCredentials(parts: Parts, call: Call, form: Form): Promise<Result> {
  const assertion = assertionOf(parts, call, form)
  const fault = await firstRefusal(credentialChecks, assertion, {
    national: isNational(parts),
    client: assertion.client,
  })
  if (fault !== undefined) return fault
  const client = assertion.client() as Client
  const grant = applicationGrant(client, assertion.scopes())
  const issued = await parts.clients.issue(grant, lifetimesOf('app', form, parts.config))
  return granted(client, 'client_credentials', bodies.clientCredentials(issued), assertion.header['kid'])
}

async function exchange(parts: Parts, call: Call, form: Form): Promise<Result> {
  const assertion = assertionOf(parts, call, form)
  const national = isNational(parts)
  const fault = await firstRefusal(assertionChecks, assertion, { national, client: assertion.client })
  if (fault !== undefined) return fault
  const client = assertion.client() as Client
  const subject = subjectOf(parts, call, form, client)
  const subjectFault = await firstRefusal(subjectChecks, subject, { national, client: assertion.client })
  if (subjectFault !== undefined) return subjectFault
  const provider = subject.provider() as Provider
  const actor = subject.acting?.claims['nhs_number']
  const grant = userGrant({
    client,
    scopes: subject.scopes(),
    provider,
    standing: { kind: provider.kind, level: levelOf(provider.kind, subject.claims) },
    grantType: 'token_exchange',
    claims: subject.claims,
    idToken: subject.text as string,
    actor: typeof actor === 'string' ? actor : undefined,
  })
  const issued = await parts.clients.issue(grant, lifetimesOf(provider.kind, form, parts.config))
  return granted(client, 'token_exchange', bodies.exchange(issued), assertion.header['kid'])
}

function subjectOf(parts: Parts, call: Call, form: Form, client: Client): SubjectToken {
  const text = form.one('subject_token')
  const trusted = parts.providers.filter(({ base }) => base === call.base)
  const of = (token: string) => {
    const reading = readSignedToken(token)
    const claims = claimsOf(reading)
    const provider = lazily(() => trusted.find(({ issuer }) => issuer === claims['iss']))
    return {
      reading,
      header: headerOf(reading),
      claims,
      provider,
      keys: lazily(() => providerKeys(parts.keys, provider(), headerOf(reading)['kid'])),
    }
  }
  const outer = of(text ?? '')
  return {
    ...outer,
    text,
    reading: text === undefined ? undefined : outer.reading,
    now: call.now,
    issuers: trusted.map(({ issuer }) => issuer),
    acting: actingOf(outer.claims, of),
    scopes: lazily(() => {
      const provider = outer.provider()
      if (provider === undefined) return []
      const standing: Standing = { kind: provider.kind, level: levelOf(provider.kind, outer.claims) }
      return grantedScopes(client.products, standing)
    }),
  }
}

/** Somebody acts for the patient where there is a number and a token within the token (§2.7). */
function actingOf(
  { nhs_number: number, act }: Readonly<Record<string, unknown>>,
  of: (token: string) => ActingToken,
): ActingToken | undefined {
  const sub = typeof act === 'object' && act !== null ? Reflect.get(act, 'sub') : undefined
  return number !== undefined && typeof sub === 'string' ? of(sub) : undefined
}

function redemptionOf(parts: Parts, form: Form): Redemption {
  const clientId = form.one('client_id')
  const secret = form.one('client_secret')
  return {
    ...clientLookups(parts, clientId),
    clientId,
    environment: parts.environment,
    product: parts.config.product,
    secret,
    secretFits: () => clientId !== undefined && secret !== undefined && parts.clients.secretFits(clientId, secret),
    redirectUri: form.one('redirect_uri'),
    code: form.one('code'),
    refreshToken: form.one('refresh_token'),
  }
}

async function redeemCode(parts: Parts, call: Call, form: Form): Promise<Result> {
  const asked = redemptionOf(parts, form)
  const national = isNational(parts)
  const fault = await firstRefusal(codeChecks, asked, { national, client: asked.client })
  if (fault !== undefined) return fault
  const client = asked.client() as Client
  const code = asked.code as string
  const use = {
    digest: digestOf(code),
    clientKey: client.key,
    redirectUri: asked.redirectUri as string,
    now: call.now,
  }
  const claimed = await parts.once.claimCode(use)
  if (claimed === undefined) {
    // RFC 6749 §4.1.2: whoever tries a used code again may not be who used it first.
    const issued = national ? undefined : await parts.once.codeReused(use)
    if (issued !== undefined) await parts.clients.revoke(unseal<string>(code, issued))
    return refused(
      'code',
      '2.7',
      refusal(400, 'invalid_grant', 'authorization_code is invalid'),
      issued === undefined
        ? 'The code is unknown, used, older than 300 s, or was given to another client.'
        : 'The code was used before: the tokens that it gave are revoked.',
      client,
    )
  }
  const { kind, ...kept } = unseal<StoredCode>(code, claimed.sealed)
  const issued = await parts.clients.issue(userGrant({ ...kept, client }), lifetimesOf(kind, form, parts.config))
  const sealed = seal(code, issued.accessToken, parts.random)
  if ((await parts.once.codeGave(use.digest, sealed)) && !national) await parts.clients.revoke(issued.accessToken)
  return granted(client, 'authorization_code', bodies.code(issued))
}

async function refresh(parts: Parts, _call: Call, form: Form): Promise<Result> {
  const asked = redemptionOf(parts, form)
  const fault = await firstRefusal(refreshChecks, asked, { national: isNational(parts), client: asked.client })
  if (fault !== undefined) return fault
  const client = asked.client() as Client
  const refreshToken = asked.refreshToken as string
  const issued = await parts.clients.refresh(refreshToken, {
    key: client.key,
    lifetimes: refreshedLifetimes(form, parts.config),
  })
  if (typeof issued !== 'string') return granted(client, 'refresh_token', bodies.code(issued))
  const [description, cause] =
    issued === 'expired'
      ? ['refresh token refresh period has expired', 'The refresh token has ended: sign the person in again.']
      : [
          'refresh_token is invalid',
          issued === 'reused'
            ? 'The refresh token was used before: all tokens of the same sign-in are revoked.'
            : 'The refresh token is unknown, revoked, or of another client.',
        ]
  return refused('refresh token', '2.7', refusal(401, 'invalid_grant', description), cause, client)
}

/** `kid`: of the key with which the application proved itself. */
function granted(client: Client, grantType: string, body: Readonly<Record<string, unknown>>, kid?: unknown): Answer {
  return {
    status: 200,
    body,
    event: {
      name: 'identity.token.issued',
      facts: { ...about(client), grantType, ...(typeof kid === 'string' ? { kid } : {}) },
    },
  }
}
