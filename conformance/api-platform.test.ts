/** The API platform over real sockets: tokens for applications and for people, and what they open. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { publicJwk, signToken } from '@openspine/standards/jose'
import { loadSandbox, type Spine, startSpine } from 'openspine'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const kid = 'test-1'
const patientPath = '/personal-demographics/FHIR/R4/Patient'
const callbackUrl = 'https://app.example.test/signed-in'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const form = { 'content-type': 'application/x-www-form-urlencoded' }

let spine: Spine
let origin: string
let ca: string

function ask(
  url: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(url, origin), { method, headers, ca, agent: false }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => {
        const text = Buffer.concat(pieces).toString()
        const json = () => {
          try {
            return JSON.parse(text) as Record<string, unknown>
          } catch {
            return {}
          }
        }
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: json() })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A browser without scripts: cookies, redirects within the platform, and forms. */
function browser() {
  const jar = new Map<string, string>()
  const go = async (url: string, fields?: Record<string, string>): Promise<{ url: string; answer: Answer }> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await ask(url, {
      ...(fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields).toString() }),
      headers: {
        ...(cookie === '' ? {} : { cookie }),
        ...(fields === undefined ? {} : { ...form, origin }),
      },
    })
    for (const each of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = each.split(';')
      const at = pair.indexOf('=')
      if (/expires=Thu, 01 Jan 1970/i.test(each)) jar.delete(pair.slice(0, at))
      else jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const { location } = answer.headers
    if (answer.status < 300 || answer.status > 399 || location === undefined) return { url, answer }
    const next = new URL(location, new URL(url, origin))
    return next.origin === origin ? go(next.href) : { url: next.href, answer }
  }
  return { go }
}

const token = (fields: Record<string, string>, headers: Record<string, string> = form) =>
  ask('/oauth2/token', { method: 'POST', headers, body: new URLSearchParams(fields).toString() })

const assertion = (clientId: string, claims: Record<string, unknown> = {}) =>
  signToken(
    {
      iss: clientId,
      sub: clientId,
      aud: `${origin}/oauth2/token`,
      jti: randomUUID(),
      exp: Math.floor(Date.now() / 1000) + 240,
      ...claims,
    },
    { key: privateKey, algorithm: 'RS512', header: { kid } },
  )

async function application(name: string) {
  const { gateway } = spine.contracts
  const { application: made, key } = await gateway.create(name, 'test')
  const keySet = JSON.stringify({ keys: [{ ...publicJwk(publicKey, { kid, alg: 'RS512' }), use: 'sig' }] })
  await gateway.change(made.id, { callbackUrl, publicKeys: { keySet }, asid: '200000100000' }, 'test')
  return { id: made.id, clientId: key.secret, clientSecret: key.clientSecret ?? '' }
}

/** Every product of PDS, approved by an operator. */
async function mayCallPds(id: string) {
  const { gateway } = spine.contracts
  for (const { name } of gateway.products().filter(({ apis }) => apis.includes('personal-demographics'))) {
    await gateway.subscribe(id, name, 'test')
    await gateway.decide(id, name, 'approved', 'test')
  }
}

const patient = (accessToken: string, number: string, headers: Record<string, string> = {}) =>
  ask(`${patientPath}/${number}`, {
    headers: { authorization: `Bearer ${accessToken}`, 'x-request-id': randomUUID(), ...headers },
  })

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

before(async () => {
  const apiPort = await freePort()
  origin = `https://localhost:${apiPort}`
  spine = await startSpine({
    overrides: {
      apiPort,
      publicHost: 'localhost',
      'demographics.accessWithoutToken': 'refused',
      'gateway.apikey': 'registered',
    },
  })
  await loadSandbox(spine)
  ca = readFileSync(spine.platform.trust.files.bundle, 'utf8')
})

after(() => spine?.stop())

describe('the API platform', () => {
  it('gives an application a token for its signed JWT, once, and PDS answers it', async () => {
    const app = await application('Ward list')
    await mayCallPds(app.id)
    const signed = assertion(app.clientId)
    const asked = { grant_type: 'client_credentials', client_assertion_type: assertionType, client_assertion: signed }
    const given = await token(asked)
    assert.equal(given.status, 200, given.text)
    assert.deepEqual([given.json['expires_in'], given.json['token_type']], ['599', 'Bearer'])
    assert.equal(given.headers['cache-control'], 'no-store')
    const again = await token(asked)
    assert.deepEqual(
      [again.status, again.json['error_description']],
      [400, "Non-unique 'jti' claim in client_assertion JWT"],
    )
    const found = await patient(String(given.json['access_token']), '9990548609')
    assert.equal(found.status, 200, found.text)
    assert.equal(found.json['id'], '9990548609')

    await spine.contracts.gateway.revokeTokens(app.id, 'test')
    const refused = await patient(String(given.json['access_token']), '9990548609')
    assert.equal(refused.status, 401)
    assert.match(refused.text, /Invalid Access Token/)
  })

  it('says why an assertion is refused, and explains it by the id of the answer', async () => {
    const app = await application('Wrong audience')
    await mayCallPds(app.id)
    const refused = await token({
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: assertion(app.clientId, { aud: 'https://api.service.example/oauth2/token' }),
    })
    assert.deepEqual(
      [refused.status, refused.json['error'], refused.json['error_description']],
      [401, 'invalid_request', "Missing or invalid 'aud' claim in client_assertion JWT"],
    )
    const told = await spine.contracts.identity.refusal(String(refused.json['message_id']))
    assert.equal(told?.application, app.id)
    assert.match(told?.cause ?? '', /oauth2\/token/)
  })

  it('refuses PDS without a token in the words of the gateway', async () => {
    const refused = await ask(`${patientPath}/9990548609`, { headers: { 'x-request-id': randomUUID() } })
    assert.equal(refused.status, 401)
    assert.match(refused.text, /Missing Authorization header/)
  })

  it('signs a clinician in, who picks a role and calls PDS', async () => {
    const app = await application('Clinic')
    await mayCallPds(app.id)
    const { go } = browser()
    const query = new URLSearchParams({
      client_id: app.clientId,
      redirect_uri: callbackUrl,
      response_type: 'code',
      state: 'clinic-state',
    })
    const page = await go(`${origin}/oauth2/authorize?${query}`)
    assert.equal(page.answer.status, 200, page.answer.text)
    assert.match(page.answer.text, /Fairweather/)
    const back = await go(page.url, { person: '555100000001', authenticator: 'AAL3_FIDO2', answer: 'yes' })
    assert.ok(back.url.startsWith(callbackUrl), `${back.url} ${back.answer.text}`)
    const returned = new URL(back.url).searchParams
    assert.equal(returned.get('state'), 'clinic-state')
    const given = await token({
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      redirect_uri: callbackUrl,
      code: returned.get('code') ?? '',
    })
    assert.equal(given.status, 200, given.text)
    const accessToken = String(given.json['access_token'])
    const info = await ask('/oauth2/userinfo', { headers: { authorization: `Bearer ${accessToken}` } })
    assert.equal(info.status, 200, info.text)
    const roles = info.json['nhsid_nrbac_roles'] as readonly Record<string, string>[]
    assert.deepEqual(
      roles.map((role) => role['person_roleid']),
      ['555110000001', '555110000002'],
    )
    const inRole = (role: string) => patient(accessToken, '9990548609', { 'nhsd-session-urid': role })
    const found = await inRole('555110000002')
    assert.equal(found.status, 200, found.text)
    const other = await inRole('555110000003')
    assert.equal(other.status, 400, 'the role of somebody else')
    assert.match(other.text, /Invalid value - '555110000003' in header 'NHSD-Session-URID'/)
    // Roles are those of the call, not those of the sign-in.
    const dn = 'uniqueIdentifier=555110000002,uniqueIdentifier=555120000012,uid=555100000001,ou=People,o=nhs'
    await spine.contracts.directory.apply([{ kind: 'delete', dn }], 'test')
    assert.equal((await inRole('555110000002')).status, 400, 'a role that was taken away')
    assert.equal((await inRole('555110000001')).status, 200)
  })

  it('shows the status of the authorisation server to a monitoring key alone', async () => {
    const app = await application('Monitoring')
    const status = await spine.contracts.gateway.newKey(app.id, 'status', 'test')
    const shown = async (apikey: string) => (await ask('/oauth2/_status', { headers: { apikey } })).status
    assert.deepEqual(await Promise.all(['nonsense', app.clientId, status.secret].map(shown)), [401, 401, 200])
  })

  it('signs a patient in, who reads their own record alone', async () => {
    const app = await application('My record')
    await mayCallPds(app.id)
    const { go } = browser()
    const query = new URLSearchParams({
      client_id: app.clientId,
      redirect_uri: callbackUrl,
      response_type: 'code',
      state: 'my-state',
      scope: 'nhs-login',
    })
    const page = await go(`${origin}/oauth2/authorize?${query}`)
    assert.equal(page.answer.status, 200, `${page.url} ${page.answer.text}`)
    const fields = { patient: '9990548609', proofing: 'P9', credential: 'Cp.Cd', answer: 'yes' }
    const back = await go(page.url, fields)
    assert.ok(back.url.startsWith(callbackUrl), `${back.url} ${back.answer.text}`)
    const given = await token({
      grant_type: 'authorization_code',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      redirect_uri: callbackUrl,
      code: new URL(back.url).searchParams.get('code') ?? '',
    })
    assert.equal(given.status, 200, given.text)
    const accessToken = String(given.json['access_token'])
    const own = await patient(accessToken, '9990548609')
    assert.equal(own.status, 200, own.text)
    const other = await patient(accessToken, '9990548617')
    assert.equal(other.status, 403, other.text)
  })
})
