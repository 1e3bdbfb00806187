/** What an application does at the authorisation server, over real sockets. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { publicJwk, signToken } from '@openspine/standards/jose'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Empty for a body that is no JSON object. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Asks servers of one authority; connections are kept, `connections` of them for each server. */
export function webClient(ca: string, connections = 64) {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: connections })
  const ask = (url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method, headers, agent }, (answer) => {
        const pieces: Buffer[] = []
        answer.on('data', (piece: Buffer) => pieces.push(piece))
        answer.on('error', reject)
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString()
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: membersOf(text) })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  return {
    ask,
    post: (url: string, fields: Readonly<Record<string, string>>) =>
      ask(url, { method: 'POST', headers: form, body: new URLSearchParams(fields).toString() }),
    close: () => agent.destroy(),
  }
}

export type WebClient = ReturnType<typeof webClient>

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** A key pair of an application, and the set in which its public half is registered. */
export function applicationKey(kid: string): {
  readonly kid: string
  readonly key: KeyObject
  readonly keySet: string
} {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return { kid, key: privateKey, keySet: JSON.stringify({ keys: [publicJwk(publicKey, { kid, alg: 'RS512' })] }) }
}

/** An assertion for these token URLs (§2.6), good for as long as one may be. */
export function clientAssertion(
  about: { readonly clientId: string; readonly audience: string | readonly string[] },
  { kid, key }: { readonly kid: string; readonly key: KeyObject },
): string {
  const claims = {
    iss: about.clientId,
    sub: about.clientId,
    aud: about.audience,
    jti: randomUUID(),
    exp: Math.floor(Date.now() / 1000) + 300,
  }
  return signToken(claims, { key, algorithm: 'RS512', header: { kid } })
}

/** The form of client credentials. */
export const credentials = (assertion: string) => ({
  grant_type: 'client_credentials',
  client_assertion_type: assertionType,
  client_assertion: assertion,
})

/** The form that exchanges an ID token. */
export const exchange = (assertion: string, idToken: string) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  client_assertion_type: assertionType,
  client_assertion: assertion,
  subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  subject_token: idToken,
})

/** A browser without scripts: cookies, redirects within `origin`, and forms. */
export function browser(web: WebClient, origin: string) {
  const jar = new Map<string, string>()
  return async function go(
    url: string,
    fields?: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string; readonly answer: Answer }> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await web.ask(url, {
      ...(fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields).toString() }),
      headers: { ...(cookie === '' ? {} : { cookie }), ...(fields === undefined ? {} : { ...form, origin }) },
    })
    for (const each of answer.headers['set-cookie'] ?? []) {
      const [pair = ''] = each.split(';')
      const at = pair.indexOf('=')
      if (/expires=Thu, 01 Jan 1970/i.test(each)) jar.delete(pair.slice(0, at))
      else jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const { location } = answer.headers
    if (answer.status < 300 || answer.status > 399 || location === undefined) return { url, answer }
    const next = new URL(location, url)
    return next.origin === origin ? go(next.href) : { url: next.href, answer }
  }
}
