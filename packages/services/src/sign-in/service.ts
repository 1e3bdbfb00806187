import type { Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { cis2 } from './cis2.ts'
import { clientMetadata } from './client-metadata.ts'
import type { SignInConfig } from './config.ts'
import type { IssuerAddresses, IssuerName, MockKeys, Patients, RelyingParty, SignIn, Workers } from './contract.ts'
import { endSessionRoute } from './http/end-session.ts'
import { patientWording, staffWording } from './http/passkey-pages.ts'
import { type PasskeyNeeds, passkeyScriptRoute, passkeysRoute } from './http/passkeys.ts'
import { authorizeByForm, issuerRoutes } from './http/routes.ts'
import { patientRoutes, staffRoutes } from './http/sign-in.ts'
import { trustmarkRoute } from './http/trustmark.ts'
import { patchUserInfo } from './http/userinfo.ts'
import { type Issuer, makeIssuer } from './issuer.ts'
import { keyRing } from './keys.ts'
import { hadSecondFactor, levelOf } from './levels.ts'
import { backChannel } from './logout.ts'
import { migrations } from './migrations.ts'
import { mockRealm } from './mock.ts'
import { mockCredentials } from './mock-credentials.ts'
import { mockJwks } from './mock-jwks.ts'
import { nhsLogin, patientBySubject } from './nhs-login.ts'
import { outgoing } from './outgoing.ts'
import { makePasskeys, type PasskeyPerson } from './passkeys.ts'
import { digestOf } from './records.ts'
import { soundParty } from './relying-party.ts'
import { signInStore } from './store.ts'

export { type SignInConfig, signInConfig } from './config.ts'
export { countedCheck, newCheck, type PasskeyWords, registrationChecks, signInChecks } from './passkey-checks.ts'
export { listedWorkers, patientsIn, workersIn } from './people.ts'

/** A client of a mock: both realms know it by a secret, as CIS2 does. */
const soundMock = ({ issuer, ...party }: RelyingParty): RelyingParty => ({
  ...soundParty({ ...party, issuer: 'cis2' }),
  issuer,
})

const topic = 'sign_in.keys'
const cookiePurpose = 'sign_in cookie key'

/** The identity providers: one for staff as CIS2 describes it, one for patients as NHS login does. */
export function signIn(needs: {
  readonly platform: Platform
  readonly config: SignInConfig
  readonly workers: Workers
  readonly patients: Patients
  /** Address of the door `api`, without a slash at its end. */
  readonly origin: string
  /** Known besides those that are registered in the store: the platform's own authorisation server. */
  readonly relyingParties?: readonly RelyingParty[]
  /** The same of the mocks, which know secrets for patients' applications too. */
  readonly mockParties?: readonly RelyingParty[]
  /** Who is given the credentials of `/mock-jwks`. Absent: those two answers are not there. */
  readonly mockKeys?: MockKeys
  /** How often ended sign-ons are cleared away, in milliseconds. */
  readonly sweepMs?: number
}): Service<SignIn> {
  const { platform, config, workers, patients, origin, sweepMs = 60_000 } = needs
  const { store, clock, random, log, audit, jobs, trust, profile } = platform
  const enabled = config.answers === 'always' || (config.answers === 'sandbox' && profile === 'sandbox')
  const rows = signInStore(store, platform.sealing)
  const keys = keyRing({
    rows,
    clock,
    sealing: platform.sealing,
    keyDays: config.keyDays,
    noticeMs: config.keyNoticeHours * 3_600_000,
  })
  const fetch = outgoing({
    privateAddresses: config.privateAddresses,
    authorities: () => trust.material().ca,
  })
  const given = (needs.relyingParties ?? []).map(soundParty)
  const givenMocks = (needs.mockParties ?? []).map(soundMock)
  const issuerOf = {
    cis2: config.cis2Issuer === '' ? `${origin}${config.cis2Path}` : config.cis2Issuer,
    'nhs-login': config.nhsLoginIssuer === '' ? `${origin}${config.nhsLoginPath}` : config.nhsLoginIssuer,
  }
  const issuers = new Map<IssuerName, Issuer>()
  const issuer = (name: IssuerName) => () => {
    const found = issuers.get(name)
    if (found === undefined) throw new Error(`the provider ${name} has not been started`)
    return found
  }
  let fault: string | undefined
  let timer: NodeJS.Timeout | undefined
  let stopListening: (() => void) | undefined
  let sweeping: Promise<void> = Promise.resolve()

  const partyOf = (name: IssuerName) => async (clientId: string) => {
    const own = given.find((party) => party.issuer === name && party.clientId === clientId)
    if (own !== undefined) return own
    const record = await rows.find({ issuer: name, model: 'Party', id: digestOf(clientId) })
    return record?.payload as RelyingParty | undefined
  }
  const record = (event: string, facts: Readonly<Record<string, unknown>>) =>
    audit.append({ event, at: clock.now(), facts })
  const metadata = clientMetadata({ rows, random })
  const passkeysOf = (name: IssuerName) => makePasskeys({ rows, clock, random, name, issuer: issuerOf[name], record })
  const patientOf = patientBySubject({ rows, patients })
  const passkeys: Readonly<Record<IssuerName, PasskeyNeeds>> = {
    cis2: {
      issuer: issuer('cis2'),
      passkeys: passkeysOf('cis2'),
      wording: staffWording,
      strong: (signOn) => levelOf(signOn) === 3,
      async person(subject): Promise<PasskeyPerson | undefined> {
        const worker = await workers.find(subject)
        if (worker === undefined) return undefined
        const { uid, givenName = '', familyName, displayName = `${givenName} ${familyName}`.trim() } = worker
        return { id: uid, account: uid, displayName }
      },
    },
    'nhs-login': {
      issuer: issuer('nhs-login'),
      passkeys: passkeysOf('nhs-login'),
      wording: patientWording,
      strong: hadSecondFactor,
      async person(subject): Promise<PasskeyPerson | undefined> {
        const patient = await patientOf(subject)
        if (patient === undefined) return undefined
        const displayName = `${patient.givenName ?? ''} ${patient.familyName}`.trim()
        return { id: subject, account: displayName, displayName }
      },
    },
  }
  const channel = backChannel({
    rows,
    jobs,
    clock,
    random,
    log,
    issuer: issuer('cis2'),
    party: partyOf('cis2'),
    fetch,
  })
  const ends: Readonly<Record<IssuerName, (uid: string) => Promise<boolean>>> = {
    cis2: channel.end,
    // There is no logout there: nobody is told (§4.3).
    'nhs-login': async (uid) => (await rows.endSession('nhs-login', uid, async () => undefined)) !== undefined,
  }

  async function sweep() {
    await keys.refresh()
    const ended = await rows.endedSessions(clock.now(), 500)
    for (const { issuer: name, model, id, session } of ended) {
      // A refresh token of a patient outlives the sign-on; whoever leaves a staff sign-on idle has left everything.
      if (name === 'cis2' && session !== undefined) await channel.end(session)
      else await rows.remove({ issuer: name, model, id })
    }
    await rows.prune(clock.now())
    fault = undefined
  }

  /** One key for all processes, so that a cookie of one is read by the others. */
  async function cookieKey(): Promise<string> {
    const key = { issuer: 'cis2', model: 'CookieKey', id: digestOf('1') }
    const sealed = platform.sealing.seal(random.bytes(32).toString('base64url'), cookiePurpose)
    await rows.insert({ ...key, payload: { key: sealed } }, clock.now())
    const kept = String((await rows.find(key))?.payload['key'])
    // One that was made before keys were sealed.
    if (!platform.sealing.isSealed(kept))
      await rows.put({ ...key, payload: { key: platform.sealing.seal(kept, cookiePurpose) } })
    return platform.sealing.open(kept, cookiePurpose)
  }

  const addresses = (name: IssuerName, token: string, jwks: string): IssuerAddresses => ({
    issuer: issuerOf[name],
    authorize: `${issuerOf[name]}/authorize`,
    token: `${issuerOf[name]}${token}`,
    userinfo: `${issuerOf[name]}/userinfo`,
    jwks: `${issuerOf[name]}${jwks}`,
  })

  /** Clients of the mocks, which know secrets for patients' applications too. */
  const mockParty = (name: IssuerName) => async (clientId: string) => {
    const own = givenMocks.find((party) => party.issuer === name && party.clientId === clientId)
    if (own !== undefined) return own
    const found = await rows.find({ issuer: `mock-${name}`, model: 'Party', id: digestOf(clientId) })
    return found?.payload as RelyingParty | undefined
  }
  const contract: SignIn = {
    answers: enabled,
    mocks: {
      cis2: `${origin}/realms/Cis2-mock-${platform.environment}`,
      'nhs-login': `${origin}/realms/NHS-Login-mock-${platform.environment}`,
    },
    async registerMock(party) {
      const sound = soundMock(party)
      const { issuer: name } = sound
      await rows.put({ issuer: `mock-${name}`, model: 'Party', id: digestOf(sound.clientId), payload: { ...sound } })
      await record('sign_in.relying_party.registered', { issuer: `mock-${name}`, client: sound.clientId })
    },
    issuers: {
      cis2: addresses('cis2', '/access_token', '/connect/jwk_uri'),
      'nhs-login': addresses('nhs-login', '/token', '/.well-known/jwks.json'),
    },
    async register(party) {
      const sound = soundParty(party)
      const { issuer: name, clientId } = sound
      await rows.put({ issuer: name, model: 'Party', id: digestOf(clientId), payload: { ...sound } })
      await record('sign_in.relying_party.registered', { issuer: name, client: clientId })
    },
    async end(name, subject) {
      let number = 0
      for (const { session } of await rows.sessionsOf(name, subject))
        if (session !== undefined && (await ends[name](session))) number += 1
      await record('sign_in.ended', { issuer: name, subject, number })
      return number
    },
    logouts: (limit) => rows.logouts(limit),
    async rotateKeys({ soon = false } = {}) {
      await keys.rotate(soon)
      store.announce(topic)
      await record('sign_in.keys.rotated', { soon })
    },
    async signingKeys() {
      await keys.reload()
      return keys.shown()
    },
  }

  const shared = (name: IssuerName) => ({ issuer: issuer(name), end: ends[name], record })

  return {
    name: 'sign_in',
    contract,
    migrations,
    jobs: [channel.handler],
    routes: enabled
      ? {
          api: async (app) => {
            await app.register(
              issuerRoutes(issuer('cis2'), config.cis2Path, [
                staffRoutes({
                  ...shared('cis2'),
                  workers,
                  passkeys: passkeys.cis2,
                  passkeyAlways: config.passkeys === 'always',
                }),
                passkeysRoute(passkeys.cis2),
                passkeyScriptRoute(),
                endSessionRoute({
                  issuer: issuer('cis2'),
                  end: ends.cis2,
                  party: partyOf('cis2'),
                  async uidOf(sid) {
                    const found = await rows.find({ issuer: 'cis2', model: 'Sid', id: digestOf(sid) })
                    const uid = found?.payload['uid']
                    return typeof uid === 'string' ? uid : undefined
                  },
                }),
              ]),
            )
            await app.register(
              issuerRoutes(issuer('nhs-login'), config.nhsLoginPath, [
                patientRoutes({
                  ...shared('nhs-login'),
                  patients,
                  passkeys: passkeys['nhs-login'],
                  passkeyAlways: config.passkeys === 'always',
                  know: (subject, nhsNumber) =>
                    rows.put({ issuer: 'nhs-login', model: 'Account', id: digestOf(subject), payload: { nhsNumber } }),
                }),
                passkeysRoute(passkeys['nhs-login']),
                passkeyScriptRoute(),
                trustmarkRoute(issuer('nhs-login')),
                patchUserInfo({ issuer: issuer('nhs-login'), metadata, record }),
                authorizeByForm(issuer('nhs-login')),
              ]),
            )
            await app.register(mockJwks)
            if (needs.mockKeys !== undefined)
              await app.register(
                mockCredentials({
                  rows,
                  keys: needs.mockKeys,
                  clock,
                  random,
                  redirectUris: config.mockRedirects,
                  registerMock: contract.registerMock,
                }),
              )
            for (const [realm, owner, name] of [
              ['Cis2', 'mock-cis2', 'cis2'],
              ['NHS-Login', 'mock-nhs-login', 'nhs-login'],
            ] as const) {
              const mock = {
                realm,
                issuer: contract.mocks[name],
                rows,
                keys: keys.of(owner),
                clock,
                random,
                party: mockParty(name),
                record,
              }
              await app.register(mockRealm(mock))
            }
          },
        }
      : {},
    async start() {
      if (!enabled) return
      await keys.refresh()
      while ((await rows.sealOld(500)) > 0);
      const cookieKeys = [await cookieKey()]
      const kinds = [
        cis2({ config, workers }),
        nhsLogin({ config, patients, rows, metadata, issuer: issuerOf['nhs-login'] }),
      ]
      for (const kind of kinds) {
        const { name } = kind
        const path = { cis2: config.cis2Path, 'nhs-login': config.nhsLoginPath }[name]
        if (!issuerOf[name].endsWith(path))
          throw new SpineError(
            'SIGN_IN_ISSUER',
            { issuer: issuerOf[name], path },
            { explanation: `The issuer ${issuerOf[name]} must end with the path on which it answers, ${path}.` },
          )
        issuers.set(
          name,
          makeIssuer({
            kind,
            issuer: issuerOf[name],
            rows,
            keys: keys.of(name),
            clock,
            log,
            cookieKeys,
            fetch,
            party: partyOf(name),
            record,
          }),
        )
      }
      log.info('people sign in at the identity providers as anybody they choose (profile sandbox)')
      stopListening = store.onAnnounced(topic, () => {
        keys.reload().catch((error: unknown) => log.error({ err: error }, 'signing keys cannot be read'))
      })
      timer = setInterval(() => {
        sweeping = sweeping.then(sweep).catch((error: unknown) => {
          fault = 'Ended sign-ons could not be cleared away, or signing keys not be read: see the log.'
          log.error({ err: error }, fault)
        })
      }, sweepMs)
      timer.unref()
    },
    async stop() {
      stopListening?.()
      clearInterval(timer)
      await sweeping
    },
    async health() {
      return fault === undefined ? { status: 'pass' } : { status: 'fail', note: fault }
    },
  }
}
