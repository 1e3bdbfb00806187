import { errors } from 'oidc-provider'
import type { Worker, Workers } from '../contract.ts'
import type { Issuer } from '../issuer.ts'
import { authenticators } from '../levels.ts'
import { type ChallengePlace, mostPasskeys, type Passkeys } from '../passkeys.ts'
import type { Problem } from './pages.ts'
import { passkeyScript, passkeysPage, signInFirstPage, usePasskeyPage } from './passkey-pages.ts'
import { type Asked, formOf, type OwnRoute, redirect, sendPage } from './routes.ts'

const scriptPath = '/passkey.js'

const nameOf = (worker: Worker) => worker.displayName ?? `${worker.givenName ?? ''} ${worker.familyName}`.trim()

/** The script of the pages; the same for everybody. */
export function passkeyScriptRoute(): OwnRoute {
  return {
    methods: ['GET'],
    path: scriptPath,
    async handle({ response }) {
      response.writeHead(200, {
        'content-type': 'text/javascript; charset=utf-8',
        'content-length': Buffer.byteLength(passkeyScript),
        'cache-control': 'public, max-age=300',
        'x-content-type-options': 'nosniff',
      })
      response.end(passkeyScript)
    },
  }
}

/** `/passkeys`: who has signed on at level 3 adds passkeys and removes them. */
export function passkeysRoute(needs: {
  readonly issuer: () => Issuer
  readonly workers: Workers
  readonly passkeys: Passkeys
}): OwnRoute {
  const { issuer, workers, passkeys } = needs

  /** Who is signed on in this browser, at level 3. */
  async function signedOn({ request, response }: Asked) {
    const { provider } = issuer()
    const session = await provider.Session.get(provider.createContext(request, response))
    const { accountId, acr, uid } = session
    if (accountId === undefined || authenticators.find(({ value }) => value === acr)?.aal !== 3) return undefined
    const worker = await workers.find(accountId)
    return worker === undefined ? undefined : { worker, uid }
  }

  async function show({ response }: Asked, worker: Worker, uid: string, problems: readonly Problem[], label = '') {
    const own = await passkeys.of(worker.uid)
    const place: ChallengePlace = { purpose: 'register', person: worker.uid, within: uid }
    const options = own.length >= mostPasskeys ? undefined : await passkeys.creationOptions(place, worker)
    const script = issuer().urlOf(scriptPath)
    sendPage(
      response,
      problems.length === 0 ? 200 : 400,
      passkeysPage({ name: nameOf(worker), passkeys: own, options, script, problems, label }),
    )
  }

  return {
    methods: ['GET', 'POST'],
    path: '/passkeys',
    async handle(asked) {
      const found = await signedOn(asked)
      if (found === undefined) return sendPage(asked.response, 403, signInFirstPage())
      const { worker, uid } = found
      if (asked.request.method === 'GET') return show(asked, worker, uid, [])
      const form = await formOf(asked.request, issuer().issuer)
      const credential = form.get('credential') ?? ''
      if (form.get('answer') === 'remove') {
        await passkeys.remove(worker.uid, credential)
        return redirect(asked.response, issuer().urlOf('/passkeys'))
      }
      const label = (form.get('name') ?? '').trim().slice(0, 60)
      if (label === '')
        return show(asked, worker, uid, [{ field: 'name', text: 'Enter a name for the passkey, and add it again' }])
      if ((await passkeys.of(worker.uid)).length >= mostPasskeys) return show(asked, worker, uid, [])
      const refusal = await passkeys.register(
        { purpose: 'register', person: worker.uid, within: uid },
        label,
        credential,
      )
      if (refusal !== undefined) return show(asked, worker, uid, [{ field: 'passkey', text: refusal.text }], label)
      redirect(asked.response, issuer().urlOf('/passkeys'))
    },
  }
}

/** The step of a sign-in at which a passkey is used. */
export function passkeyStep(needs: { readonly issuer: () => Issuer; readonly passkeys: Passkeys }) {
  const { issuer, passkeys } = needs

  async function show(asked: Asked, worker: Worker, application: string, problems: readonly Problem[] = []) {
    const options = await passkeys.requestOptions({ purpose: 'sign-in', person: worker.uid, within: asked.part })
    const script = issuer().urlOf(scriptPath)
    sendPage(
      asked.response,
      problems.length === 0 ? 200 : 400,
      usePasskeyPage({ application, name: nameOf(worker), options, script, problems }),
    )
  }

  return {
    show,
    has: async (person: string) => (await passkeys.of(person)).length > 0,
    /** True when the passkey proved who it is; otherwise the page has been sent again. */
    async proved(asked: Asked, worker: Worker, application: string, form: URLSearchParams): Promise<boolean> {
      const credential = form.get('credential')
      if (credential === null) throw new errors.InvalidRequest('a passkey was expected')
      const refusal = await passkeys.prove({ purpose: 'sign-in', person: worker.uid, within: asked.part }, credential)
      if (refusal === undefined) return true
      await show(asked, worker, application, [{ field: 'passkey', text: refusal.text }])
      return false
    },
  }
}
