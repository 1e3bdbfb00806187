import { createHash } from 'node:crypto'
import { SpineError } from '@openspine/standards/error'
import type { RelyingParty } from './contract.ts'
import type { Algorithm } from './jwt.ts'

const refuse = (clientId: string, explanation: string) =>
  new SpineError('SIGN_IN_RELYING_PARTY', { clientId }, { explanation })

/** Refuses what cannot work or is not safe, in words; the secret leaves as a digest. */
export function soundParty(party: RelyingParty): RelyingParty {
  const { clientId, issuer, redirectUris, secret, ...rest } = party
  const digest = secret === undefined ? party.secretDigest : createHash('sha256').update(secret).digest('hex')
  if (!/^[\x21-\x7e]{1,255}$/.test(clientId))
    throw refuse(clientId, 'A client id is 1 to 255 characters without spaces.')
  if (redirectUris.length === 0 || redirectUris.length > 10)
    throw refuse(clientId, 'A relying party has 1 to 10 redirect URIs.')
  for (const uri of redirectUris) checkAddress(clientId, uri, issuer === 'nhs-login')
  for (const uri of [party.backchannelLogoutUri, party.jwksUri])
    if (uri !== undefined) checkAddress(clientId, uri, false)
  if (issuer === 'nhs-login' && digest !== undefined)
    throw refuse(clientId, 'NHS login knows no secrets: register a public key (private_key_jwt, RS512).')
  if (digest === undefined && party.jwks === undefined && party.jwksUri === undefined)
    throw refuse(clientId, 'A relying party has a secret or a key set: there are no public clients.')
  return { ...rest, issuer, clientId, redirectUris, ...(digest === undefined ? {} : { secretDigest: digest }) }
}

function checkAddress(clientId: string, address: string, bare: boolean) {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const local = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && local)))
    throw refuse(clientId, `${address} is not an https address (http is for localhost alone).`)
  if (url.hash !== '' || address.includes('*') || (bare && url.search !== ''))
    throw refuse(clientId, `${address} must not have a fragment, a wildcard${bare ? ' or a query' : ''}.`)
}

/** Client metadata as the provider library wants it; `assertions` are the algorithms that the provider takes. */
export function clientMetadata(
  party: RelyingParty,
  assertions: readonly Algorithm[],
): Readonly<Record<string, unknown>> {
  const login = party.issuer === 'nhs-login'
  const algorithm = assertions.length === 1 ? assertions[0] : party.assertionAlgorithm
  const keyed = party.jwks !== undefined || party.jwksUri !== undefined
  return {
    client_id: party.clientId,
    client_name: party.name,
    redirect_uris: [...party.redirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', ...(party.refreshTokens === true ? ['refresh_token'] : [])],
    // Localhost over http is for native applications in the library's eyes; exact comparison holds all the same.
    application_type: 'web',
    id_token_signed_response_alg: party.idTokenAlgorithm ?? (login ? 'RS512' : 'RS256'),
    token_endpoint_auth_method: keyed ? 'private_key_jwt' : 'client_secret_post',
    ...(keyed && algorithm !== undefined ? { token_endpoint_auth_signing_alg: algorithm } : {}),
    ...(party.secretDigest === undefined || keyed ? {} : { client_secret: party.secretDigest }),
    ...(party.jwks === undefined ? {} : { jwks: party.jwks }),
    ...(party.jwksUri === undefined ? {} : { jwks_uri: party.jwksUri }),
  }
}
