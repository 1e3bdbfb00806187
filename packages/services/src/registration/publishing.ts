import type { Platform } from '@openspine/platform/service'
import { isSpineError, type SpineError } from '@openspine/standards/error'
import type { Directory, DirectoryChange } from '../directory/contract.ts'
import type { EndpointCertificate, EndpointState, EndpointStep } from './contract.ts'
import type { RegistrationStore, RegistrationWriter, StoredEndpoint, WholeEndpoint } from './store.ts'
import type { InTurn } from './together.ts'

/** An endpoint stands in the outbox for so long before another process looks after it. */
const graceMs = 10_000
const mostRepaired = 100
const mostCertificates = 1000
/** So often other ids are tried when those that were allocated turn out to be taken. */
const mostAttempts = 5

export interface Publisher {
  /**
   * Brings what the directory shows of an endpoint to its state, whatever was done of it already, and answers it as it is
   * then. When its certificate or its entries are refused, the step is taken back, and the refusal is thrown.
   * `whole`: where the caller has just read it.
   */
  publish(id: string, whole?: WholeEndpoint): Promise<WholeEndpoint | undefined>
  /** Looks after endpoints whose publishing was cut off, by the end of a process for example. */
  repair(how: { readonly atOnce: boolean }): Promise<void>
}

/** Publishing: the outbox of registration is carried to the directory. Idempotent, and safe in several processes at once. */
export function publisher(needs: {
  readonly platform: Platform
  readonly store: RegistrationStore
  readonly inTurn: InTurn
  readonly directory: Pick<Directory, 'apply'>
  /** Gives an endpoint other ids, because those that it has were taken by an entry from elsewhere meanwhile. */
  readonly allocateAgain: (writer: RegistrationWriter, whole: WholeEndpoint) => Promise<void>
}): Publisher {
  const { store, inTurn, directory, allocateAgain } = needs
  const { clock, log, trust, audit } = needs.platform
  const underWay = new Map<string, Promise<WholeEndpoint | undefined>>()

  /** A certificate for a signing request; recorded before anything is published. */
  async function certify({ endpoint }: WholeEndpoint): Promise<void> {
    const { signingRequest } = endpoint.asked
    if (signingRequest === undefined || endpoint.fqdn === undefined) return
    const signed = await trust.signRequest(signingRequest, { fqdn: endpoint.fqdn })
    const certificate: EndpointCertificate = {
      serial: signed.serial,
      notAfter: signed.notAfter,
      certificate: signed.certificate,
      chain: signed.chain,
    }
    await inTurn(
      async (writer) => {
        const now = await writer.endpoint(endpoint.id)
        if (now?.endpoint.version !== endpoint.version || now.endpoint.certificate !== undefined) return
        await writer.putEndpoint({ ...now.endpoint, certificate }, undefined)
      },
      { endpoint: endpoint.id },
    )
  }

  async function carry(id: string, given?: WholeEndpoint): Promise<WholeEndpoint | undefined> {
    let whole = given ?? (await store.endpoint(id))
    for (let attempt = 1; whole?.unpublished !== undefined; attempt++) {
      const { endpoint, history } = whole
      const live = endpoint.state === 'approved'
      try {
        if (live && endpoint.certificate === undefined) await certify(whole)
        const changes = endpoint.entries.map(
          (entry): DirectoryChange =>
            live ? { kind: 'create', entry } : { kind: 'delete', dn: entry.dn, ifThere: true },
        )
        if (changes.length > 0) await directory.apply(changes, history.at(-1)?.by ?? 'registration')
        if (endpoint.state === 'withdrawn') await revoke(endpoint)
      } catch (error) {
        if (!live || !isSpineError(error) || !/^(DIRECTORY|TRUST)_/.test(error.code)) throw error
        if (error.code === 'DIRECTORY_ENTRY_EXISTS' && history.at(-1)?.step === 'approve' && attempt < mostAttempts) {
          whole = await otherIds(endpoint)
          continue
        }
        await takeBack(whole, error)
        throw error
      }
      whole = await settle(endpoint)
    }
    return whole
  }

  /** Takes the endpoint out of the outbox, if the directory shows what is written of it now; answers what is. */
  function settle({ id, version }: StoredEndpoint): Promise<WholeEndpoint | undefined> {
    return inTurn(
      async (writer) => {
        const now = await writer.endpoint(id)
        if (now?.unpublished === version) writer.putOutbox(id, 'out')
        // Somebody else has published a later state, over which ours now lies.
        else if (now !== undefined && now.unpublished === undefined && now.endpoint.version !== version) {
          writer.putOutbox(id, 'in')
        }
        return writer.endpoint(id)
      },
      { endpoint: id },
    )
  }

  function otherIds({ id, version }: StoredEndpoint): Promise<WholeEndpoint | undefined> {
    return inTurn(
      async (writer) => {
        const now = await writer.endpoint(id)
        if (now?.endpoint.version === version && now.unpublished !== undefined) await allocateAgain(writer, now)
        return writer.endpoint(id)
      },
      { endpoint: id },
    )
  }

  /** Several endpoints may stand behind one certificate: it goes when the last endpoint of its FQDN goes. */
  async function revoke({ asked, fqdn }: StoredEndpoint): Promise<void> {
    if (asked.kind === 'AS' || fqdn === undefined) return
    for (const state of ['approved', 'suspended'] as const) {
      if ((await store.endpoints({ fqdn, state, limit: 1 })).length > 0) return
    }
    for (const { certificate } of await store.endpoints({ fqdn, state: 'withdrawn', limit: mostCertificates })) {
      if (certificate === undefined || trust.revoked(certificate.serial)) continue
      await trust.revoke(certificate.serial, 'cessationOfOperation')
    }
  }

  async function takeBack({ endpoint, history }: WholeEndpoint, cause: SpineError): Promise<void> {
    const before = history.at(-2)?.state ?? 'draft'
    const step: EndpointStep = {
      step: 'take-back',
      state: before,
      at: clock.now(),
      by: 'registration',
      why: `${cause.code}: ${cause.message}`,
    }
    const certificate = await inTurn(
      async (writer) => {
        const now = await writer.endpoint(endpoint.id)
        if (now?.endpoint.version !== endpoint.version || now.unpublished === undefined) return undefined
        await writer.putEndpoint(undone(now.endpoint, before), step, 'out')
        return before === 'suspended' ? undefined : now.endpoint.certificate
      },
      { endpoint: endpoint.id },
    )
    if (certificate !== undefined) {
      await trust.revoke(certificate.serial, 'cessationOfOperation').catch((error: unknown) => {
        log.error(
          { err: error, serial: certificate.serial },
          'a certificate of a refused endpoint could not be revoked',
        )
      })
    }
    await audit.append({
      event: 'registration.endpoint.taken-back',
      at: step.at,
      facts: { endpoint: endpoint.id, state: before, code: cause.code },
    })
  }

  const publish = (id: string, whole?: WholeEndpoint): Promise<WholeEndpoint | undefined> => {
    // Whoever comes while another carries the same endpoint looks again after it: it may have carried an earlier state.
    const running = underWay.get(id)
    const started =
      running === undefined
        ? carry(id, whole)
        : running.then(
            () => carry(id),
            () => carry(id),
          )
    underWay.set(id, started)
    const ended = () => {
      if (underWay.get(id) === started) underWay.delete(id)
    }
    started.then(ended, ended)
    return started
  }

  return {
    publish,
    async repair({ atOnce }) {
      for (;;) {
        const ids = await store.unpublished(atOnce ? clock.now() + 1 : clock.now() - graceMs, mostRepaired)
        const outcomes = await Promise.allSettled(ids.map((id) => publish(id)))
        const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
        for (const error of failures) log.error({ err: error }, 'an endpoint could not be published')
        const repaired = ids.length - failures.length
        if (repaired > 0) log.warn({ repaired }, 'endpoints were published whose publishing had been cut off')
        if (ids.length < mostRepaired || repaired === 0) return
      }
    },
  }
}

/** The endpoint as it was before the step: what an approval gave it is gone, and its numbers are not given out again. */
function undone(endpoint: StoredEndpoint, state: EndpointState): StoredEndpoint {
  const version = endpoint.version + 1
  if (state === 'suspended') return { ...endpoint, state, version }
  return {
    ...endpoint,
    state,
    version,
    asid: undefined,
    partyKey: endpoint.asked.partyKey,
    gpConnect: undefined,
    provider: false,
    entries: [],
    certificate: undefined,
  }
}
