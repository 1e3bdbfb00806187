import type { RelyingParty } from '../contract.ts'
import type { Issuer } from '../issuer.ts'
import { signedOutPage, signOutPage } from './pages.ts'
import { type Asked, formOf, type OwnRoute, redirect, sendJson, sendPage } from './routes.ts'

/**
 * `/connect/endSession` (§3.1): with an `id_token_hint` the sign-on of that token ends, whoever asks, as a relying
 * party's server does; without one a person is asked first. Nobody is sent to an address that is not registered.
 */
export function endSessionRoute(needs: {
  readonly issuer: () => Issuer
  readonly end: (uid: string) => Promise<unknown>
  readonly uidOf: (sid: string) => Promise<string | undefined>
  readonly party: (clientId: string) => Promise<RelyingParty | undefined>
}): OwnRoute {
  const { issuer, end, uidOf, party } = needs

  const invalid = ({ response }: Asked, error_description: string) =>
    sendJson(response, 400, { error: 'invalid_request', error_description })

  async function withHint(asked: Asked, given: URLSearchParams, hint: string) {
    const claims = issuer().verified(hint)
    const { aud, sid, iss, tokenName } = claims ?? {}
    if (iss !== issuer().issuer || tokenName !== 'id_token' || typeof aud !== 'string' || typeof sid !== 'string')
      return invalid(asked, 'id_token_hint is not an ID token of this provider')
    for (const name of ['id_token_hint', 'post_logout_redirect_uri', 'state'])
      if (given.getAll(name).length > 1) return invalid(asked, `'${name}' parameter must not be provided twice`)
    const to = given.get('post_logout_redirect_uri')
    const registered = (await party(aud))?.postLogoutRedirectUris ?? []
    if (to !== null && !registered.includes(to)) return invalid(asked, 'post_logout_redirect_uri not registered')
    const uid = await uidOf(sid)
    if (uid !== undefined) await end(uid)
    if (to !== null) {
      const address = new URL(to)
      const state = given.get('state')
      if (state !== null) address.searchParams.set('state', state)
      return redirect(asked.response, address.href)
    }
    if (/text\/html/.test(asked.request.headers.accept ?? '')) return sendPage(asked.response, 200, signedOutPage())
    asked.response.writeHead(204, { 'cache-control': 'no-store' }).end()
  }

  return {
    methods: ['GET', 'POST'],
    path: '/connect/endSession',
    async handle(asked) {
      const { request, response, query } = asked
      const form = request.method === 'POST' ? await formOf(request, issuer().issuer) : query
      const hint = form.get('id_token_hint')
      if (hint !== null) return withHint(asked, form, hint)
      if (request.method === 'GET') return sendPage(response, 200, signOutPage())
      const { provider } = issuer()
      const session = await provider.Session.get(provider.createContext(request, response))
      if (session.accountId !== undefined) await end(session.uid)
      sendPage(response, 200, signedOutPage())
    },
  }
}
