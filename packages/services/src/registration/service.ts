import type { Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import type { Directory } from '../directory/contract.ts'
import { type AgreementBook, agreementChecks, emptyBook, permitting, withChanges } from './agreements/agreements.ts'
import { agreementStore } from './agreements/store.ts'
import type { RegistrationConfig } from './config.ts'
import type { Registration, SharingAgreement, SharingAgreements } from './contract.ts'
import { endpoints } from './endpoints.ts'
import type { Admit } from './http/face.ts'
import { registrationRoutes } from './http/routes.ts'
import { migrations } from './migrations.ts'
import { products } from './products.ts'
import { registrationStore } from './store.ts'
import { together } from './together.ts'

export { agreementChecks } from './agreements/agreements.ts'
export { endpointChecks } from './checks/endpoints.ts'
export { productChecks, setChecks } from './checks/products.ts'
export { type RegistrationConfig, registrationConfig } from './config.ts'
export { registrars } from './http/admission.ts'
export type { Admit } from './http/face.ts'
export { contractTemplates, knownSets } from './templates.ts'

const topic = 'registration'

/** The agreement without stray spaces; throws the first rule that it breaks. */
function checked(given: Omit<SharingAgreement, 'id'>, change = 0): Omit<SharingAgreement, 'id'> {
  const wanted = { from: given.from.trim(), to: given.to.trim(), interaction: given.interaction.trim() }
  const failed = agreementChecks.find((check) => !check.passes(wanted))
  if (failed !== undefined)
    throw new SpineError(failed.code, { change, ...wanted }, { explanation: failed.explanation })
  return wanted
}

/**
 * Registration: products, the endpoints that are registered for them and published in the directory, and sharing
 * agreements, which are answered from memory. Needs a directory that was started before.
 */
export function registration(needs: {
  readonly platform: Platform
  readonly config: RegistrationConfig
  readonly directory: Directory
  /** Which application asks over the API; without it anybody may in profile sandbox, and nobody in strict. */
  readonly admit?: Admit
}): Service<Registration> {
  const { platform, config } = needs
  const { store, clock, random, log, audit } = platform
  const rows = agreementStore(store)
  let book: AgreementBook = emptyBook
  let fault: string | undefined
  let stopListening: (() => void) | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let repairing: Promise<void> | undefined

  /** Resolves when memory shows everything that was committed before the call. */
  const refresh = (): Promise<void> => {
    const mine = turn.then(async () => {
      if ((await rows.version()) !== book.version) {
        const { version, changes } = await rows.since(book.version)
        book = withChanges(book, changes, version)
      }
      fault = undefined
    })
    turn = mine.catch(() => {})
    return mine
  }

  const registered = registrationStore(store)
  const inTurn = together(registered)
  const parts = { ...needs, store: registered, inTurn }
  const { contract: theEndpoints, publisher } = endpoints(parts)

  const agreements: SharingAgreements = {
    permitting: (call) => permitting(book, call),
    list: () => [...book.byId.values()],
    async agree(given, by) {
      const wanted = checked(given)
      const id = random.uuid()
      const at = clock.now()
      const answer = await rows.agree({ id, ...wanted }, { at, by, most: config.maxAgreements })
      if (answer === 'full') throw full()
      if (answer.added) await changed('registration.agreement.agreed', answer.agreement, by)
      else await refresh()
      return answer.agreement
    },
    async withdraw(id, by) {
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return false
      const withdrawn = await rows.withdraw(id.toLowerCase(), { at: clock.now(), by })
      if (withdrawn === undefined) return false
      await changed('registration.agreement.withdrawn', withdrawn, by)
      return true
    },
    version: () => book.version,
    check({ agree, withdraw }) {
      agree.forEach(checked)
      if (agree.length > 0 && book.byId.size + agree.length - withdraw.length > config.maxAgreements) throw full()
    },
    async change({ agree, withdraw }, by, { ifVersion } = {}) {
      const wanted = agree.map((each, change) => ({ id: random.uuid(), ...checked(each, change) }))
      const answer = await rows.change(
        { agree: wanted, withdraw },
        { at: clock.now(), by, most: config.maxAgreements, ifVersion },
      )
      if (answer === 'full') throw full()
      if ('expected' in answer) {
        const explanation = `The sharing agreements were changed meanwhile: they stand at version ${answer.version}, and the changes were worked out for ${answer.expected}. None was made; look again.`
        throw new SpineError('REGISTRATION_VERSION', { ...answer }, { explanation })
      }
      store.announce(topic)
      await refresh()
      await Promise.all([
        ...answer.withdrawn.map((agreement) => audited('registration.agreement.withdrawn', agreement, by)),
        ...answer.agreed.map((agreement) => audited('registration.agreement.agreed', agreement, by)),
      ])
      return { version: answer.version }
    },
  }

  async function changed(event: string, agreement: SharingAgreement, by: string): Promise<void> {
    store.announce(topic)
    await refresh()
    await audited(event, agreement, by)
  }

  const audited = (event: string, agreement: SharingAgreement, by: string) =>
    audit.append({ event, at: clock.now(), facts: { by, ...agreement } })

  function full(): SpineError {
    const most = config.maxAgreements
    const explanation = `No more than ${most} agreements may be in force: withdraw some, or raise registration.maxAgreements.`
    return new SpineError('REGISTRATION_FULL', { most }, { explanation })
  }

  const contract: Registration = { agreements, products: products(parts), endpoints: theEndpoints }
  const open = platform.profile === 'sandbox'
  const admit = needs.admit ?? (async () => (open ? 'sandbox' : undefined))

  return {
    name: 'registration',
    contract,
    migrations,
    routes: {
      api: registrationRoutes({ platform, config, registration: contract, directory: needs.directory, admit }),
    },
    async start() {
      if (open && config.apiApplications.length === 0)
        log.info('registration API: any application may register systems (profile sandbox)')
      await refresh()
      await publisher.repair({ atOnce: true })
      stopListening = store.onAnnounced(topic, () => {
        refresh().catch((error: unknown) => {
          fault = 'The sharing agreements could not be read from the store: this process knows an older state.'
          log.error({ err: error }, fault)
        })
        repairing ??= publisher
          .repair({ atOnce: false })
          .catch((error: unknown) => log.error({ err: error }, 'unpublished endpoints could not be looked for'))
          .finally(() => {
            repairing = undefined
          })
      })
    },
    async stop() {
      stopListening?.()
      await turn
      await repairing
    },
    health: async () => (fault === undefined ? { status: 'pass' } : { status: 'fail', note: fault }),
  }
}
