import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { Spine } from 'openspine'
import { Agent, request } from 'undici'
import { listening } from './raw-provider.ts'

/** What the application's server was told by the platform. */
interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly json: Readonly<Record<string, unknown>>
}

export interface RelyingApplication {
  /** Address of its first page. */
  readonly url: string
  /** What the last call of PDS answered. */
  last(): Told | undefined
  stop(): Promise<void>
}

const escaped = (text: unknown) => String(text).replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)

/**
 * A web application of somebody else's, on a host of its own: signs people in over the platform, takes their code to
 * the token endpoint from its server, lets staff say in which role they act, and reads records of PDS.
 */
export async function startApplication(spine: Spine, name: string, scope?: 'nhs-login'): Promise<RelyingApplication> {
  const { gateway } = spine.contracts
  const api = String(spine.urls['api'])
  const { trust } = spine.platform
  const host = 'ward.example'
  const issued = await trust.issue({ fqdn: host })
  const dispatcher = new Agent({ connect: { ca: [...trust.material().ca] } })
  const { application, key } = await gateway.create(name, 'test')
  let accessToken = ''
  let last: Told | undefined

  const ask = async (
    path: string,
    {
      method = 'GET',
      headers = {},
      body,
    }: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
  ): Promise<Told> => {
    const answer = await request(`${api}${path}`, {
      method,
      headers,
      dispatcher,
      ...(body === undefined ? {} : { body }),
    })
    return { status: answer.statusCode, headers: answer.headers, json: (await answer.body.json()) as Told['json'] }
  }
  const bearer = () => ({ authorization: `Bearer ${accessToken}` })
  const page = (title: string, content: string) =>
    `<!DOCTYPE html><html lang="en"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${content}</html>`

  /** Roles are those of the person who signed in; patients have none. */
  const choosing = (roles: readonly Readonly<Record<string, unknown>>[]) =>
    page(
      'Signed in',
      `<form method="post" action="/record">
${roles
  .map(
    (role) =>
      `<label><input type="radio" name="role" value="${escaped(role['person_roleid'])}"> ${escaped(role['role_name'])} ${escaped(role['org_code'])}</label>`,
  )
  .join('\n')}
<label>NHS number <input name="number"></label><button>Read the record</button></form>`,
    )

  async function signedIn(query: URLSearchParams, cookie: string): Promise<string> {
    const state = /state=([^;]+)/.exec(cookie)?.[1]
    if (state === undefined || query.get('state') !== state) return page('Another browser began this', '')
    const code = query.get('code')
    if (code === null) return page('Not signed in', `<p>${escaped(query.get('error_description'))}</p>`)
    const given = await ask('/oauth2/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: key.secret,
        client_secret: key.clientSecret ?? '',
        redirect_uri: callbackUrl,
        code,
      }).toString(),
    })
    if (given.status !== 200) return page('No token', `<pre>${escaped(JSON.stringify(given.json))}</pre>`)
    accessToken = String(given.json['access_token'])
    if (scope === 'nhs-login') return choosing([])
    const info = await ask('/oauth2/userinfo', { headers: bearer() })
    return choosing(info.json['nhsid_nrbac_roles'] as readonly Readonly<Record<string, unknown>>[])
  }

  async function record(form: URLSearchParams): Promise<string> {
    const role = form.get('role')
    last = await ask(`/personal-demographics/FHIR/R4/Patient/${form.get('number')}`, {
      headers: {
        ...bearer(),
        'x-request-id': randomUUID(),
        ...(role === null ? {} : { 'NHSD-Session-URID': role }),
      },
    })
    return page(`Answer ${last.status}`, `<pre>${escaped(JSON.stringify(last.json))}</pre>`)
  }

  const server = createServer({ cert: issued.certificate + issued.chain, key: String(issued.key) }, (asked, answer) => {
    const { pathname, searchParams } = new URL(asked.url ?? '/', url)
    const send = (text: string, headers: Record<string, string> = {}) =>
      answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(text)
    const handle = async () => {
      if (pathname === '/signed-in') return send(await signedIn(searchParams, asked.headers.cookie ?? ''))
      if (pathname === '/record') {
        const pieces: Buffer[] = []
        for await (const piece of asked as AsyncIterable<Buffer>) pieces.push(piece)
        return send(await record(new URLSearchParams(Buffer.concat(pieces).toString())))
      }
      // Browsers ask for an icon too.
      if (pathname !== '/') return answer.writeHead(404).end()
      const state = randomUUID()
      const query = new URLSearchParams({
        client_id: key.secret,
        redirect_uri: callbackUrl,
        response_type: 'code',
        state,
        ...(scope === undefined ? {} : { scope }),
      })
      return send(page(name, `<a href="${escaped(`${api}/oauth2/authorize?${query}`)}">Sign in</a>`), {
        'set-cookie': `state=${state}; Secure; HttpOnly; SameSite=Lax`,
      })
    }
    handle().catch((error: unknown) => answer.writeHead(500).end(String(error)))
  })
  const url = `https://${host}:${await listening(server)}`
  const callbackUrl = `${url}/signed-in`

  await gateway.change(application.id, { callbackUrl, asid: '200000100000' }, 'test')
  for (const { name: product } of gateway.products().filter(({ apis }) => apis.includes('personal-demographics'))) {
    await gateway.subscribe(application.id, product, 'test')
    await gateway.decide(application.id, product, 'approved', 'test')
  }
  return {
    url,
    last: () => last,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await dispatcher.close()
    },
  }
}
