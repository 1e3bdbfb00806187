import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Provider } from '@openspine/services/identity'
import type { RelyingParty, SignIn } from '@openspine/services/sign-in/contract'

/** What the platform's authorisation server proves itself with at the identity providers of the same environment. */
interface Proof {
  /** Shared with the CIS2-like provider. */
  readonly secret: string
  /** PEM; its public half is known to the NHS-login-like provider. */
  readonly key: string
}

const keyId = 'platform-1'
const mockClient = 'openspine-platform'

/** The environment's own, made once; every process that shares the folder reads the same. */
function proofIn(folder: string): Proof {
  const file = join(folder, 'platform.json')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Proof
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const made: Proof = {
    secret: randomBytes(32).toString('base64url'),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  try {
    writeFileSync(file, JSON.stringify(made), { mode: 0o600, flag: 'wx' })
    return made
  } catch (error) {
    // Another process was sooner: its proof counts.
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return proofIn(folder)
    throw error
  }
}

/** The platform as both sides know it: a relying party of each identity provider, and each provider as the platform's. */
export interface PlatformParty {
  readonly relyingParties: readonly RelyingParty[]
  /** Of the mocks behind `/oauth2-mock`. */
  readonly mockParties: readonly RelyingParty[]
  providers(at: Pick<SignIn, 'issuers' | 'mocks'>): readonly Provider[]
}

/** `origin` is the address of the door `api`; `folder` holds the proof (mode 0600). */
export function platformParty({ origin, folder }: { readonly origin: string; readonly folder: string }): PlatformParty {
  const proof = proofIn(folder)
  const key = createPrivateKey(proof.key)
  const staffClient = '100000000001.apps.national'
  const patientClient = 'openspine-platform'
  const redirectUris = [`${origin}/oauth2/callback`]
  const name = 'The API platform'
  const publicKey = { ...createPublicKey(key).export({ format: 'jwk' }), kid: keyId, alg: 'RS512', use: 'sig' }
  return {
    relyingParties: [
      {
        issuer: 'cis2',
        clientId: staffClient,
        name,
        redirectUris,
        secret: proof.secret,
        backchannelLogoutUri: `${origin}/oauth2/backchannel_logout`,
      },
      { issuer: 'nhs-login', clientId: patientClient, name, redirectUris, jwks: { keys: [publicKey] } },
    ],
    mockParties: (['cis2', 'nhs-login'] as const).map((issuer) => ({
      issuer,
      clientId: mockClient,
      name,
      redirectUris: [`${origin}/oauth2-mock/callback`],
      secret: proof.secret,
    })),
    providers: ({ issuers: { cis2, 'nhs-login': nhsLogin }, mocks }) => [
      mockProvider('nhs-cis2', mocks.cis2, proof.secret),
      mockProvider('nhs-login', mocks['nhs-login'], proof.secret),
      {
        kind: 'nhs-cis2',
        base: '/oauth2',
        issuer: cis2.issuer,
        authorizeUrl: cis2.authorize,
        tokenUrl: cis2.token,
        jwksUrl: cis2.jwks,
        userinfoUrl: cis2.userinfo,
        clientId: staffClient,
        secret: proof.secret,
        nonce: true,
        // The provider stands in the same house.
        logoutFrom: ['127.0.0.0/8', '::1'],
      },
      {
        kind: 'nhs-login',
        base: '/oauth2',
        issuer: nhsLogin.issuer,
        authorizeUrl: nhsLogin.authorize,
        tokenUrl: nhsLogin.token,
        jwksUrl: nhsLogin.jwks,
        userinfoUrl: nhsLogin.userinfo,
        clientId: patientClient,
        key,
        keyId,
        nonce: true,
        logoutFrom: [],
      },
    ],
  }
}

/** A realm of the mock identity service as the platform's provider (§2.10). */
function mockProvider(kind: Provider['kind'], issuer: string, secret: string): Provider {
  const at = (path: string) => `${issuer}/protocol/openid-connect/${path}`
  return {
    kind,
    base: '/oauth2-mock',
    issuer,
    authorizeUrl: at('auth'),
    tokenUrl: at('token'),
    jwksUrl: at('certs'),
    userinfoUrl: at('userinfo'),
    clientId: mockClient,
    secret,
    nonce: true,
    logoutFrom: [],
  }
}
