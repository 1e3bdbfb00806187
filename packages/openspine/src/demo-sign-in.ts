import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request of the demonstration, on a connection of its own; a form is posted. */
export function ask(
  url: string,
  about: {
    readonly ca: string
    readonly headers?: Readonly<Record<string, string>>
    readonly form?: Readonly<Record<string, string>>
  },
): Promise<Answered> {
  const { ca, headers = {}, form } = about
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ca,
        agent: false,
        timeout: 30_000,
        method: form === undefined ? 'GET' : 'POST',
        headers: {
          ...headers,
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
      },
      (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces).toString('utf8'),
          }),
        )
      },
    )
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${new URL(url).origin}`)))
    sent.on('error', reject)
    sent.end(form === undefined ? undefined : new URLSearchParams(form).toString())
  })
}

/**
 * Signs a member of staff in at the CIS2-like provider as an application and a browser without scripts do it together:
 * authorise, the page, back with a code, and the code for an ID token.
 */
export async function signInAsStaff(about: {
  readonly at: { readonly authorize: string; readonly token: string }
  readonly ca: string
  readonly clientId: string
  readonly secret: string
  readonly redirectUri: string
  readonly person: string
}): Promise<string> {
  const { at, ca, clientId, secret, redirectUri, person } = about
  const cookies = new Map<string, string>()
  const state = randomUUID()

  /** Follows redirects until there is a page, or the browser is sent back to the application. */
  const go = async (url: string, form?: Readonly<Record<string, string>>): Promise<string> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie === '' ? {} : { cookie }), origin: new URL(url).origin }
    const { status, headers: got } = await ask(url, { ca, headers, ...(form === undefined ? {} : { form }) })
    for (const line of got['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    if (got.location === undefined) {
      if (status !== 200) throw new Error(`the sign-in page answered ${status}`)
      return url
    }
    const next = new URL(got.location, url).href
    return next.startsWith(redirectUri) ? next : go(next)
  }

  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid nationalrbacaccess',
    state,
    nonce: randomUUID(),
    acr_values: 'AAL3_ANY',
  })
  const page = await go(`${at.authorize}?${query}`)
  const back = new URL(await go(page, { person, authenticator: 'AAL3_FIDO2', answer: 'yes' })).searchParams
  if (back.get('state') !== state || back.get('code') === null)
    throw new Error(
      `nobody was signed in: ${back.get('error_description') ?? back.get('error') ?? 'no code came back'}`,
    )
  const { status, body } = await ask(at.token, {
    ca,
    form: {
      grant_type: 'authorization_code',
      code: back.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: clientId,
      client_secret: secret,
    },
  })
  const idToken: unknown = status === 200 ? (JSON.parse(body) as Record<string, unknown>)['id_token'] : undefined
  if (typeof idToken !== 'string') throw new Error(`the identity provider gave no ID token: status ${status}`)
  return idToken
}
