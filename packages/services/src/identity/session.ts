import { BlockList, isIP } from 'node:net'
import { readSignedToken } from '@openspine/standards/jose'
import type { Grant } from '../gateway/contract.ts'
import { type Call, isNational, lazily, type Parts, type Result } from './call.ts'
import { firstRefusal, invalidRequest, type Outcome, type Refused, refusal, unknownError } from './checks/check.ts'
import { type LogoutToken, logoutChecks } from './checks/logout.ts'
import type { Form } from './http/form.ts'
import { FetchFault, type FetchRequest } from './keys/fetch.ts'
import { claimsOf, headerOf, providerKeys, providerName } from './providers.ts'
import { sessionDigest } from './sign-in.ts'

const refused = (check: string, clause: string, outcome: Outcome, cause: string): Refused => ({
  refused: true,
  check,
  clause,
  outcome,
  cause,
})

/** A fault of the gateway (§9.3): its body has no `error`. */
function gatewayFault(faultstring: string, errorcode: string, cause: string): Refused {
  const body = JSON.stringify({ fault: { faultstring, detail: { errorcode } } })
  const outcome = { ...refusal(401, errorcode, faultstring), worded: { body, headers: {} } }
  return refused('access token', '9.3', outcome, cause)
}

const staffOnly = invalidRequest(
  'The Userinfo endpoint is only supported for Combined Auth integrations. Currently this is only for NHS CIS2 authentications - for more guidance see https://digital.nhs.uk/developer/guides-and-documentation/security-and-authorisation/user-restricted-restful-apis-nhs-cis2-combined-authentication-and-authorisation',
)

/** GET /userinfo (§2.9): the provider's own answer, asked for with the provider's own token. */
export async function userinfo(parts: Parts, call: Call, authorization: string | undefined): Promise<Result> {
  const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined)
    return gatewayFault(
      'Invalid access token',
      'oauth.v2.InvalidAccessToken',
      'There is no Authorization header with "Bearer" and one token.',
    )
  const verdict = await parts.clients.verify(token)
  if (verdict.state === 'expired')
    return gatewayFault('Access Token expired', 'keymanagement.service.access_token_expired', 'The token has ended.')
  if (verdict.state !== 'valid')
    return gatewayFault(
      'Invalid Access Token',
      'keymanagement.service.invalid_access_token',
      'The token is unknown here, or was revoked.',
    )
  const { grant } = verdict
  const provider = parts.providers.find(
    (each) => each.kind === 'nhs-cis2' && each.base === call.base && providerName(each) === grant.provider,
  )
  const { externalAccessToken } = grant
  if (provider?.userinfoUrl === undefined || externalAccessToken === undefined)
    return refused(
      'combined sign-in of staff',
      '2.9 userinfo',
      staffOnly,
      provider !== undefined && externalAccessToken !== undefined
        ? 'The identity provider is configured without a userinfoUrl.'
        : `The token was given for ${grant.grantType} by ${grant.provider}, not for a combined sign-in of staff under ${call.base}.`,
    )
  try {
    const answer = await parts.fetch(userinfoRequest(provider.userinfoUrl, externalAccessToken))
    return {
      status: answer.status,
      headers: { 'content-type': answer.contentType ?? 'application/json' },
      body: answer.body,
    }
  } catch (error) {
    if (!(error instanceof FetchFault)) throw error
    return refused("provider's userinfo", '2.9 userinfo', unknownError(), error.message)
  }
}

const userinfoRequest = (url: string, token: string): FetchRequest => ({
  url,
  headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
})

/** What the provider's userinfo says of whoever signed in by combined authorisation; undefined where it cannot be had. */
export async function userinfoClaims(
  parts: Parts,
  grant: Grant,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const provider = parts.providers.find((each) => providerName(each) === grant.provider)
  const { externalAccessToken } = grant
  if (provider?.userinfoUrl === undefined || externalAccessToken === undefined) return undefined
  try {
    const { status, body } = await parts.fetch(userinfoRequest(provider.userinfoUrl, externalAccessToken))
    const claims: unknown = status === 200 ? JSON.parse(body.toString('utf8')) : undefined
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined
  } catch (error) {
    // An answer that is no JSON says as little as none.
    if (error instanceof FetchFault || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** POST /backchannel_logout (§2.9): ends every token of a session at the provider, and every code. */
export async function backchannelLogout(parts: Parts, call: Call, form: Form, sandbox: boolean): Promise<Result> {
  if (form.repeats && !isNational(parts))
    return refused(
      'parameters once',
      '2.6 notes',
      invalidRequest('Duplicate parameter in request body'),
      'A parameter of the form is there twice.',
    )
  const provider = parts.providers.find(({ kind, base }) => kind === 'nhs-cis2' && base === call.base)
  const reading = readSignedToken(form.one('logout_token') ?? '')
  const claims = claimsOf(reading)
  const allowed = provider?.logoutFrom ?? []
  const token: LogoutToken = {
    reading,
    claims,
    now: call.now,
    provider,
    // In the sandbox a provider may be anywhere, until it is said where.
    fromProvider: (sandbox && allowed.length === 0) || isAmong(call.address, allowed),
    keys: lazily(() => providerKeys(parts.keys, provider, headerOf(reading)['kid'])),
  }
  const fault = await firstRefusal(logoutChecks, token, { national: isNational(parts) })
  if (fault !== undefined) return fault
  const sid = claims['sid'] as string
  const about = provider as NonNullable<typeof provider>
  let ended: number
  try {
    // Codes first: one that is redeemed meanwhile has its tokens revoked after it.
    ended = await parts.once.endCodes(sessionDigest(about, sid))
    ended += await parts.clients.revokeSession(providerName(about), sid)
  } catch (error) {
    const cause = `The tokens of the session could not be revoked: ${error instanceof Error ? error.name : 'unknown'}.`
    return refused('revocation', '2.9 backchannel_logout', refusal(501, 'not_implemented', 'Logout Failed'), cause)
  }
  if (ended === 0)
    return refused(
      'session known',
      '2.9 backchannel_logout',
      refusal(501, 'not_implemented', 'SID not found'),
      'No valid token was given for this session.',
    )
  const facts = { provider: providerName(about), ended }
  return { status: 200, body: { success: true }, event: { name: 'identity.session.ended', facts } }
}

function isAmong(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    const version = isIP(network)
    if (version === 0) continue
    list.addSubnet(
      network,
      bits === undefined ? (version === 6 ? 128 : 32) : Number(bits),
      version === 6 ? 'ipv6' : 'ipv4',
    )
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}
