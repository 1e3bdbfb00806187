import { errors } from 'oidc-provider'
import type { Issuer } from '../issuer.ts'
import { mostPasskeys, type PasskeyPerson, type Passkeys } from '../passkeys.ts'
import type { Problem } from './pages.ts'
import { type PasskeyWording, passkeyScript, passkeysPage, signInFirstPage, usePasskeyPage } from './passkey-pages.ts'
import { type Asked, formOf, type OwnRoute, redirect, sendPage } from './routes.ts'

const scriptPath = '/passkey.js'

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

/** What a provider's pages of passkeys need. */
export interface PasskeyNeeds {
  readonly issuer: () => Issuer
  readonly passkeys: Passkeys
  readonly wording: PasskeyWording
  /** Undefined for who is not there any more. */
  readonly person: (subject: string) => Promise<PasskeyPerson | undefined>
  /** Whether a sign-on (its authenticator, or its vector) is good enough to add a passkey. */
  readonly strong: (signOn: string) => boolean
}

/** `/passkeys`: who has signed on well enough adds passkeys and removes them. */
export function passkeysRoute({ issuer, passkeys, wording, person: personOf, strong }: PasskeyNeeds): OwnRoute {
  /** Who is signed on in this browser. */
  async function signedOn({ request, response }: Asked) {
    const { provider } = issuer()
    const { accountId, acr, uid } = await provider.Session.get(provider.createContext(request, response))
    if (accountId === undefined || acr === undefined || !strong(acr)) return undefined
    const person = await personOf(accountId)
    return person === undefined ? undefined : { person, uid }
  }

  async function show(
    { response }: Asked,
    person: PasskeyPerson,
    uid: string,
    problems: readonly Problem[],
    label = '',
  ) {
    const own = await passkeys.of(person.id)
    const options = own.length >= mostPasskeys ? undefined : await passkeys.creationOptions(uid, person)
    const script = issuer().urlOf(scriptPath)
    sendPage(
      response,
      problems.length === 0 ? 200 : 400,
      passkeysPage({ wording, name: person.displayName, passkeys: own, options, script, problems, label }),
    )
  }

  return {
    methods: ['GET', 'POST'],
    path: '/passkeys',
    async handle(asked) {
      const found = await signedOn(asked)
      if (found === undefined) return sendPage(asked.response, 403, signInFirstPage(wording))
      const { person, uid } = found
      if (asked.request.method === 'GET') return show(asked, person, uid, [])
      const form = await formOf(asked.request, issuer().issuer)
      const credential = form.get('credential') ?? ''
      if (form.get('answer') === 'remove') {
        await passkeys.remove(person.id, credential)
        return redirect(asked.response, issuer().urlOf('/passkeys'))
      }
      const label = (form.get('name') ?? '').trim().slice(0, 60)
      if (label === '')
        return show(asked, person, uid, [{ field: 'name', text: 'Enter a name for the passkey, and add it again' }])
      if ((await passkeys.of(person.id)).length >= mostPasskeys) return show(asked, person, uid, [])
      const place = { purpose: 'register', person: person.id, within: uid } as const
      const refusal = await passkeys.register(place, label, credential)
      if (refusal !== undefined) return show(asked, person, uid, [{ field: 'passkey', text: refusal.text }], label)
      redirect(asked.response, issuer().urlOf('/passkeys'))
    },
  }
}

/** The step of a sign-in at which a passkey is used. */
export function passkeyStep({ issuer, passkeys, wording, person: personOf }: PasskeyNeeds) {
  async function show(asked: Asked, subject: string, application: string, problems: readonly Problem[] = []) {
    const options = await passkeys.requestOptions({ purpose: 'sign-in', person: subject, within: asked.part })
    const script = issuer().urlOf(scriptPath)
    const name = (await personOf(subject))?.displayName ?? subject
    sendPage(
      asked.response,
      problems.length === 0 ? 200 : 400,
      usePasskeyPage({ wording, application, name, options, script, problems }),
    )
  }

  return {
    show,
    has: async (subject: string) => (await passkeys.of(subject)).length > 0,
    /** True when the passkey proved who it is; otherwise the page has been sent again. */
    async proved(asked: Asked, subject: string, application: string, form: URLSearchParams): Promise<boolean> {
      const credential = form.get('credential')
      if (credential === null) throw new errors.InvalidRequest('a passkey was expected')
      const refusal = await passkeys.prove({ purpose: 'sign-in', person: subject, within: asked.part }, credential)
      if (refusal === undefined) return true
      await show(asked, subject, application, [{ field: 'passkey', text: refusal.text }])
      return false
    },
  }
}
