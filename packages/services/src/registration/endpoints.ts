import type { Platform } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import type { Directory } from '../directory/contract.ts'
import { allocateAsid, allocatePartyKey } from './allocation.ts'
import { type EndpointGround, endpointChecks, type Handler } from './checks/endpoints.ts'
import type { RegistrationConfig } from './config.ts'
import type { Endpoint, EndpointStep, Endpoints, NewEndpoint } from './contract.ts'
import { entriesOf } from './entries.ts'
import { chosen, isGpConnect, offerOf } from './interactions.ts'
import { judgeStep, type LifecycleStep, stepNamed } from './lifecycle.ts'
import { judgeActor } from './products.ts'
import { type Publisher, publisher } from './publishing.ts'
import type { RegistrationStore, RegistrationWriter, StoredEndpoint, WholeEndpoint } from './store.ts'
import type { InTurn } from './together.ts'

const mostFound = 1000
/** A request of this many characters of JSON is no request any more. */
const largestRequest = 500_000

const unknown = (id: string) =>
  new SpineError('REGISTRATION_ENDPOINT_UNKNOWN', { id }, { explanation: `There is no endpoint ${id.slice(0, 100)}.` })

function judgeReason(why: string | undefined): void {
  if (why === undefined || isReason(why)) return
  throw new SpineError('REGISTRATION_NAME', {}, { explanation: 'A reason is text of at most 2000 characters.' })
}

const isReason = (text: string) => text.length <= 2000 && !text.includes('\0')

/** An endpoint's rules, asked with all that they need to know. */
interface Judged extends EndpointGround {
  /** Host under which an accredited system is known where no entry of its message handling system carries it. */
  readonly systemFqdn: string | undefined
  readonly handlerFqdn: string | undefined
}

/** Endpoints: their states, ids and entries. */
export function endpoints(needs: {
  readonly platform: Platform
  readonly config: RegistrationConfig
  readonly store: RegistrationStore
  readonly inTurn: InTurn
  readonly directory: Pick<Directory, 'snapshot' | 'apply'>
}): { readonly contract: Endpoints; readonly publisher: Publisher } {
  const { config, store, inTurn, directory } = needs
  const { clock, random, audit, environment, profile } = needs.platform
  const onePersonSuffices = profile === 'sandbox' && config.onePersonSuffices
  const publishing = publisher({ ...needs, allocateAgain })

  /** What the rules ask about, as it stands in this transaction and in the newest snapshot. */
  async function groundOf(writer: RegistrationWriter, { id, asked, partyKey: own }: StoredEndpoint): Promise<Judged> {
    const snapshot = directory.snapshot()
    const product = await writer.product(asked.productId)
    const sets = product === undefined ? [] : await writer.sets(product.id)
    const ownPartyKey = asked.kind === 'AS' ? undefined : own
    const carrier = asked.kind === 'AS' ? asked.partyKey : product?.partyKey
    const registered = carrier === undefined ? undefined : await writer.handler(carrier)
    let handler: Handler | undefined
    let carried: readonly string[] = []
    let fqdn: string | undefined
    if (registered !== undefined) {
      carried = registered.entries.flatMap(({ attributes }) => attributes['nhsMhsSvcIA'] ?? [])
      fqdn = registered.fqdn
      handler = { state: registered.state === 'suspended' ? 'suspended' : 'approved', ...(fqdn ? { fqdn } : {}) }
    } else if (carrier !== undefined) {
      const known = snapshot.messageHandlingSystems({ partyKey: carrier })
      const [system] = known.length > 0 ? [] : snapshot.accreditedSystems({ partyKey: carrier })
      carried = known.map(({ interaction }) => interaction)
      fqdn = known[0]?.fqdn ?? system?.fqdns.values().next().value
      if (known.length > 0 || system !== undefined) handler = { state: 'elsewhere', ...(fqdn ? { fqdn } : {}) }
    }
    const offer = offerOf(asked.kind, sets, carried)
    const interactions = chosen(offer, asked)
    const ids = [...interactions.messages.map((message) => message.id), ...interactions.system]
    const gpConnect = ids.length === 0 ? undefined : ids.some(isGpConnect)
    const partyKey = own ?? asked.partyKey ?? product?.partyKey
    const rivals = await writer.rivals({
      id,
      odsCode: asked.odsCode,
      productId: asked.productId,
      fqdn: asked.fqdn?.toLowerCase(),
      partyKey,
      gpConnect,
    })
    const elsewhere =
      registered === undefined && carried.some((each) => gpConnect !== undefined && isGpConnect(each) !== gpConnect)
    return {
      asked,
      environment,
      fqdnSuffixes: config.fqdnSuffixes,
      product,
      messageSets: sets.flatMap(({ use, name }) => (use === 'messages' ? [name] : [])),
      offer,
      interactions,
      directory: snapshot,
      rivals: {
        ...(rivals.provider === undefined ? {} : { provider: rivals.provider }),
        ...(rivals.fqdnHolder === undefined ? {} : { fqdnHolder: rivals.fqdnHolder }),
        ...(rivals.sameSystem === undefined ? {} : { sameSystem: rivals.sameSystem }),
        otherFamily: rivals.otherFamily || elsewhere,
      },
      handler,
      ownPartyKey,
      handlerFqdn: fqdn,
      systemFqdn: asked.kind === 'AS' && carried.length === 0 ? fqdn : undefined,
    }
  }

  function judge(ground: Judged, id: string): void {
    for (const check of endpointChecks) {
      const explanation = check.run(ground)
      if (explanation !== undefined) throw new SpineError(check.code, { id }, { explanation })
    }
  }

  /** Ids out of the sequences, and the entries that bear them: in the transaction that approves. */
  async function allocate(
    writer: RegistrationWriter,
    endpoint: StoredEndpoint,
    ground: Judged,
    history: readonly EndpointStep[],
  ): Promise<StoredEndpoint> {
    const { asked } = endpoint
    const { product, interactions } = ground
    if (product === undefined) throw new TypeError('the rules have asked for the product')
    const snapshot = directory.snapshot()
    const numbers = await writer.sequences()
    const system = asked.kind === 'MHS' ? undefined : allocateAsid(numbers.asid, snapshot)
    const given = asked.kind === 'AS' ? asked.partyKey : product.partyKey
    const key = given === undefined ? allocatePartyKey(numbers['party key'], asked.odsCode, snapshot) : undefined
    const partyKey = given ?? key?.value ?? ''
    writer.putSequences({
      ...(system === undefined ? {} : { asid: system.next }),
      ...(key === undefined ? {} : { 'party key': key.next }),
    })
    const fqdn = asked.kind === 'AS' ? ground.handlerFqdn : asked.fqdn?.toLowerCase()
    const ids = [...interactions.messages.map(({ id }) => id), ...interactions.system]
    return {
      ...endpoint,
      fqdn,
      partyKey,
      asid: system?.value,
      gpConnect: ids.length === 0 ? undefined : ids.some(isGpConnect),
      provider: interactions.messages.some(({ id }) => isGpConnect(id)),
      entries: entriesOf({
        asked,
        product,
        interactions,
        partyKey,
        history,
        ...(system === undefined ? {} : { asid: system.value }),
        ...(asked.kind === 'AS' || fqdn === undefined ? {} : { fqdn }),
        ...(ground.systemFqdn === undefined ? {} : { systemFqdn: ground.systemFqdn }),
      }),
    }
  }

  async function allocateAgain(writer: RegistrationWriter, { endpoint, history }: WholeEndpoint): Promise<void> {
    // Its own key of the time before would pass for a rival.
    const bare = { ...endpoint, partyKey: endpoint.asked.partyKey, asid: undefined }
    const next = await allocate(writer, bare, await groundOf(writer, bare), history)
    const version = endpoint.version + 1
    await writer.putEndpoint({ ...next, version }, undefined, 'in')
  }

  async function take(
    named: LifecycleStep['step'],
    id: string,
    by: string,
    why: string | undefined,
  ): Promise<Endpoint> {
    judgeActor(by)
    judgeReason(why)
    const step = stepNamed(named)
    for (;;) {
      const at = clock.now()
      const taken: EndpointStep = { step: named, state: step.to, at, by, ...(why === undefined ? {} : { why }) }
      const work = async (writer: RegistrationWriter): Promise<WholeEndpoint | undefined> => {
        const whole = await writer.endpoint(id)
        if (whole === undefined) throw unknown(id)
        const { endpoint, history } = whole
        if (whole.unpublished !== undefined) return undefined
        const about = { id, kind: endpoint.asked.kind, state: endpoint.state }
        judgeStep(step, about, { by, history, onePersonSuffices })
        await leaveNobodyBehind(writer, step, endpoint)
        const ground = step.rules ? await groundOf(writer, endpoint) : undefined
        if (ground !== undefined) judge(ground, id)
        const moved = { ...endpoint, state: step.to, version: endpoint.version + 1 }
        const next =
          named === 'approve' && ground !== undefined
            ? await allocate(writer, moved, ground, [...history, taken])
            : moved
        const shown = step.to === 'approved' || endpoint.state === 'approved' || endpoint.state === 'suspended'
        await writer.putEndpoint(next, taken, shown ? 'in' : undefined)
        return writer.endpoint(id)
      }
      const whole = await inTurn(work, { endpoint: id })
      const published = await publishing.publish(id, whole)
      // An earlier change was still on its way to the directory: after it, this one.
      if (whole === undefined) continue
      const after = (published ?? whole).endpoint
      await audit.append({
        event: `registration.endpoint.${step.event}`,
        at,
        facts: { by, ...(why === undefined ? {} : { why }), ...facts(after) },
      })
      return shownEndpoint(after)
    }
  }

  /** A message handling system is not taken away from under accredited systems. */
  async function leaveNobodyBehind(writer: RegistrationWriter, step: LifecycleStep, endpoint: StoredEndpoint) {
    if (endpoint.state !== 'approved' && endpoint.state !== 'suspended') return
    if (step.to === 'approved' || endpoint.asked.kind === 'AS' || endpoint.partyKey === undefined) return
    const used = step.to === 'withdrawn' ? (['approved', 'suspended'] as const) : (['approved'] as const)
    const behind = await writer.systemsBehind(endpoint.partyKey, used)
    if (behind.length === 0) return
    const explanation = `Accredited systems use party key ${endpoint.partyKey}: ${behind.join(', ')}. Suspend or withdraw them first.`
    throw new SpineError('REGISTRATION_IN_USE', { id: endpoint.id, asids: behind }, { explanation })
  }

  /** A draft, new or written anew; `submit` requests it in the same transaction. */
  async function write(
    asked: NewEndpoint,
    by: string,
    about: { readonly id?: string; readonly submit?: { readonly why: string | undefined } } = {},
  ): Promise<Endpoint> {
    const { id, submit } = about
    judgeActor(by)
    judgeReason(submit?.why)
    if (JSON.stringify(asked).length > largestRequest) {
      throw new SpineError('REGISTRATION_TOO_LARGE', {}, { explanation: 'The request is too large to be one.' })
    }
    const at = clock.now()
    const work = async (writer: RegistrationWriter) => {
      const product = await writer.product(asked.productId)
      if (product === undefined || product.deletedAt !== undefined) {
        const explanation = `This environment has no product ${asked.productId.slice(0, 100)}.`
        throw new SpineError('REGISTRATION_PRODUCT_UNKNOWN', { id: asked.productId }, { explanation })
      }
      const earlier = id === undefined ? undefined : await writer.endpoint(id)
      if (id !== undefined && earlier === undefined) throw unknown(id)
      if (earlier !== undefined && earlier.endpoint.state !== 'draft') {
        const explanation = `The endpoint is ${earlier.endpoint.state}: only a draft can be written anew.`
        throw new SpineError('REGISTRATION_STATE', { id, state: earlier.endpoint.state }, { explanation })
      }
      const draft: StoredEndpoint = {
        id: earlier?.endpoint.id ?? random.uuid(),
        state: 'draft',
        asked,
        manufacturer: product.manufacturer,
        fqdn: asked.fqdn?.toLowerCase(),
        partyKey: asked.partyKey,
        asid: undefined,
        gpConnect: undefined,
        provider: false,
        entries: [],
        certificate: undefined,
        version: (earlier?.endpoint.version ?? 0) + 1,
        createdAt: earlier?.endpoint.createdAt ?? at,
      }
      if (submit !== undefined) judge(await groundOf(writer, draft), draft.id)
      await writer.putEndpoint(draft, { step: 'draft', state: 'draft', at, by })
      if (submit === undefined) return draft
      const why = submit.why === undefined ? {} : { why: submit.why }
      const requested = { ...draft, state: 'requested' as const, version: draft.version + 1 }
      await writer.putEndpoint(requested, { step: 'request', state: 'requested', at, by, ...why })
      return requested
    }
    const written = await inTurn(work, id === undefined ? {} : { endpoint: id })
    const event = `registration.endpoint.${submit === undefined ? 'drafted' : stepNamed('request').event}`
    await audit.append({ event, at, facts: { by, ...facts(written) } })
    return shownEndpoint(written)
  }

  const contract: Endpoints = {
    draft: (asked, by) => write(asked, by),
    redraft: (id, asked, by) => write(asked, by, { id }),
    submit: (asked, by, why) => write(asked, by, { submit: { why } }),
    request: (id, by, why) => take('request', id, by, why),
    approveDns: (id, by, why) => take('approve-dns', id, by, why),
    approve: (id, by, why) => take('approve', id, by, why),
    suspend: (id, by, why) => take('suspend', id, by, why),
    resume: (id, by, why) => take('resume', id, by, why),
    withdraw: (id, by, why) => take('withdraw', id, by, why),
    async endpoint(id) {
      const whole = await store.endpoint(id)
      return whole === undefined ? undefined : shownEndpoint(whole.endpoint)
    },
    async system(asid) {
      const found = await store.endpointByAsid(asid)
      return found === undefined ? undefined : shownEndpoint(found)
    },
    history: async (id) => (await store.endpoint(id))?.history ?? [],
    async find({ limit = mostFound, ...query }) {
      const found = await store.endpoints({ ...query, limit: Math.min(Math.max(1, limit), mostFound) })
      return found.map(shownEndpoint)
    },
  }
  return { contract, publisher: publishing }
}

function facts(endpoint: StoredEndpoint): Readonly<Record<string, unknown>> {
  const { id, state, asked, asid, partyKey, fqdn, certificate } = endpoint
  return {
    endpoint: id,
    state,
    kind: asked.kind,
    odsCode: asked.odsCode,
    product: asked.productId,
    ...(asid === undefined ? {} : { asid }),
    ...(partyKey === undefined ? {} : { partyKey }),
    ...(fqdn === undefined ? {} : { fqdn }),
    ...(certificate === undefined ? {} : { serial: certificate.serial }),
  }
}

function shownEndpoint(endpoint: StoredEndpoint): Endpoint {
  const { id, state, asked, manufacturer, fqdn, partyKey, asid, entries, certificate, createdAt } = endpoint
  return {
    ...asked,
    id,
    state,
    manufacturer,
    ...(fqdn === undefined ? {} : { fqdn }),
    ...(partyKey === undefined ? {} : { partyKey }),
    ...(asid === undefined ? {} : { asid }),
    systemInteractions: entries.flatMap(({ attributes }) => attributes['nhsAsSvcIA'] ?? []),
    cpaIds: entries.flatMap(({ attributes }) => attributes['nhsMhsCPAId'] ?? []),
    ...(certificate === undefined ? {} : { certificate }),
    createdAt,
  }
}
