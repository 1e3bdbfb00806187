import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient, signedJwtToken, tokenExchange } from '@openspine/client'
import { publicJwk, readSignedToken, signToken } from '@openspine/standards/jose'
import { terminalUser } from './context.ts'
import type { Sequence } from './demo-sequence.ts'
import { ask, signInAsStaff } from './demo-sign-in.ts'
import type { Spine } from './openspine.ts'

const by = 'openspine start --demo'
const kid = 'demonstration-1'
const elsewhere = 'https://int.example/oauth2/token'
const nhsNumber = '9990548609'
/** Of the sandbox's staff: two roles, so that one has to be named. */
const clinician = { uid: '555100000001', name: 'Dr Imogen Fairweather', role: '555110000002' }

/** The application of the demonstration: its API key and the private key of its assertions, kept in the data folder. */
interface Demonstrator {
  readonly application: string
  readonly clientId: string
  readonly key: string
}

/** The one that is kept, if this environment still knows it; a new one otherwise. It may call PDS. */
async function demonstrator({ platform, contracts: { gateway } }: Spine): Promise<Demonstrator> {
  const folder = join(platform.dataDir, 'identity')
  const file = join(folder, 'demonstration.json')
  const kept = keptIn(file)
  if (kept !== undefined && gateway.client(kept.clientId)?.approved === true) return kept
  const { application, key } = await gateway.create('Demonstration', by)
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keySet = JSON.stringify({ keys: [publicJwk(publicKey, { kid, alg: 'RS512' })] })
  await gateway.change(application.id, { publicKeys: { keySet } }, by)
  for (const { name, apis } of gateway.products())
    if (apis.includes('personal-demographics')) await gateway.decide(application.id, name, 'approved', by)
  const made: Demonstrator = {
    application: application.id,
    clientId: key.secret,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 })
  return made
}

function keptIn(file: string): Demonstrator | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Demonstrator
  } catch {
    // Not there, or not whole: another is made.
    return undefined
  }
}

/** Two ways to an access token, each with a call to PDS: by signed JWT, and by exchange of a clinician's ID token. */
export async function tokenExample(spine: Spine, sequence: Sequence): Promise<void> {
  const { urls, platform, settings, contracts } = spine
  const api = String(urls['api'])
  const tls = { ca: readFileSync(platform.trust.files.bundle, 'utf8') }
  const { clientId, key } = await demonstrator(spine)
  const asked = { tokenUrl: `${api}/oauth2/token`, clientId, key, kid, tls }
  const pdsUrl = `${api}${settings.values.demographics.basePath}`

  /** Asks PDS with this token. */
  const patient = async (step: string, accessToken: string, roleProfileId?: string) => {
    const role = roleProfileId === undefined ? '' : `  NHSD-Session-URID: ${roleProfileId}`
    sequence.say(`${step}e`, 'consumer', 'PDS', `GET /Patient/${nhsNumber}  Authorization: Bearer …${role}`)
    await sequence.held(`${step}f`, 'PDS', 'consumer', async () => {
      const client = createClient({
        pdsUrl,
        tls,
        accessToken: () => accessToken,
        ...(roleProfileId === undefined ? {} : { roleProfileId }),
      })
      try {
        const { person, ms } = await client.session({ practitioner: terminalUser }).trace({ nhsNumber })
        return {
          result: person,
          ms,
          said: `200, registered at ${person.practice}`,
          held: person.nhsNumber === nhsNumber,
        }
      } finally {
        await client.close()
      }
    })
  }

  sequence.title('PDS with an access token of the application (signed JWT)')
  sequence.say('9a', 'consumer', 'platform', `POST /oauth2/token  an assertion for ${elsewhere}`)
  await sequence.held('9b', 'platform', 'consumer', async () => {
    const began = performance.now()
    const { status, body } = await ask(asked.tokenUrl, { ca: tls.ca, form: mistakenForm(asked) })
    const { error_description: text = '', message_id: id } = JSON.parse(body) as Readonly<Record<string, string>>
    return {
      result: id,
      ms: performance.now() - began,
      said: `${status} ${text}   why: openspine explain ${id}`,
      held: status === 401 && text.includes("'aud'"),
    }
  })
  sequence.say('9c', 'consumer', 'platform', `POST /oauth2/token  client_credentials, assertion RS512 kid ${kid}`)
  const own = await sequence.held('9d', 'platform', 'consumer', async () => {
    const began = performance.now()
    const token = await signedJwtToken(asked)()
    return { result: token, ms: performance.now() - began, said: '200, an access token', held: token.length >= 28 }
  })
  if (own !== undefined) await patient('9', own)

  if (!contracts.signIn.answers) return
  sequence.title('PDS for a member of staff whom the application signs in by itself (token exchange)')
  sequence.say('10a', 'consumer', 'CIS2', `GET /authorize  ${clinician.name} signs in with a security key`)
  const idToken = await sequence.held('10b', 'CIS2', 'consumer', async () => {
    const began = performance.now()
    const party = {
      clientId: '100000000002.apps.national',
      secret: randomBytes(32).toString('base64url'),
      redirectUri: 'https://consumer.openspine.example/signed-in',
    }
    await contracts.signIn.register({
      issuer: 'cis2',
      clientId: party.clientId,
      name: 'Demonstration',
      redirectUris: [party.redirectUri],
      secret: party.secret,
    })
    const token = await signInAsStaff({
      ...party,
      at: contracts.signIn.issuers.cis2,
      ca: tls.ca,
      person: clinician.uid,
    })
    const reading = readSignedToken(token)
    const claims = reading.ok ? reading.token.claims : {}
    const level = claims['authentication_assurance_level']
    return {
      result: token,
      ms: performance.now() - began,
      said: `ID token of ${claims['sub']}, authentication assurance level ${level}`,
      held: claims['sub'] === clinician.uid && level === '3',
    }
  })
  if (idToken === undefined) return
  sequence.say('10c', 'consumer', 'platform', 'POST /oauth2/token  token-exchange, the ID token and an assertion')
  const exchanged = await sequence.held('10d', 'platform', 'consumer', async () => {
    const began = performance.now()
    const token = await tokenExchange(asked)(idToken)
    return {
      result: token,
      ms: performance.now() - began,
      said: '200, an access token and a refresh token',
      held: token.refreshToken !== undefined,
    }
  })
  if (exchanged !== undefined) await patient('10', exchanged.accessToken, clinician.role)
}

/** A form whose assertion is for the token URL of another environment: the mistake that is made most often. */
function mistakenForm({ clientId, key }: Pick<Demonstrator, 'clientId' | 'key'>): Readonly<Record<string, string>> {
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: elsewhere,
    jti: randomUUID(),
    exp: Math.floor(Date.now() / 1000) + 300,
  }
  return {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signToken(claims, { key: createPrivateKey(key), algorithm: 'RS512', header: { kid } }),
  }
}
