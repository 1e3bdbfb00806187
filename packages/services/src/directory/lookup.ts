import type { Clock } from '@openspine/platform/clock'
import { SpineError } from '@openspine/standards/error'
import type { AttributeType, EncodedEntry, Filter, MemoryTree, Schema } from '@openspine/standards/ldap'
import { compileFilter } from '@openspine/standards/ldap'
import type { Registry } from './registry.ts'

/** What is asked of nhsAs and nhsMhs entries; literal values, compared as LDAP equality compares them. */
export interface LookupQuery {
  readonly odsCode?: string
  readonly interaction?: string
  readonly partyKey?: string
  readonly manufacturer?: string
}

/** An accredited system as it stands in the tree; empty strings where an attribute is absent. */
export interface DeviceRecord {
  readonly id: string
  readonly asid: string
  readonly partyKey: string
  readonly manufacturer: string
  /** In stored order. */
  readonly interactions: readonly string[]
  readonly client: string
}

/** What the sender of a message must do so that it arrives: nhsMHS attributes by name; empty strings where absent. */
export interface Reliability {
  readonly nhsMHSSyncReplyMode: string
  readonly nhsMHSRetryInterval: string
  readonly nhsMHSRetries: string
  readonly nhsMHSPersistDuration: string
  readonly nhsMHSDuplicateElimination: string
  readonly nhsMHSAckRequested: string
  readonly nhsMHSActor: string
}

/** A message handling system for one interaction; empty strings where an attribute is absent. */
export interface EndpointRecord {
  readonly id: string
  readonly odsCode: string
  readonly interaction: string
  readonly fqdn: string
  readonly partyKey: string
  readonly cpaId: string
  readonly uniqueIdentifier: string
  /** The addresses to send to: those of an intermediary where messages of this interaction are forwarded. */
  readonly addresses: readonly string[]
  readonly reliability: Reliability
}

/** Which messages go through the Spine's intermediaries (directory specification §7.3). */
export interface Forwarding {
  readonly coreOdsCode: string
  readonly forwardServices: readonly string[]
  readonly forwardReliable: readonly string[]
  readonly forwardExpress: readonly string[]
}

/** Look-ups in the newest state that this process knows; from memory, in order of insertion. */
export interface Lookups {
  /** SpineError `DIRECTORY_AMBIGUOUS` where an entry has several values of what can be one. */
  devices(query: LookupQuery): readonly DeviceRecord[]
  /** SpineError `DIRECTORY_INTERMEDIARY` where messages are forwarded and the intermediary is not registered once. */
  endpoints(query: LookupQuery): readonly EndpointRecord[]
  /** Message handling systems as registered: without intermediaries. */
  registered(query: LookupQuery): readonly EndpointRecord[]
}

const intermediaries = {
  reliable: 'urn:nhs:names:services:tms:ReliableIntermediary',
  express: 'urn:nhs:names:services:tms:ExpressIntermediary',
} as const

export type ForwardKind = keyof typeof intermediaries

/** Whether messages of an interaction go through an intermediary, and through which. */
export function forwardKind(interaction: string, forwarding: Forwarding): ForwardKind | undefined {
  const parts = interaction.split(':')
  const [service = '', message = ''] = parts.length < 2 ? [] : parts.slice(-2)
  if (!forwarding.forwardServices.includes(service)) return undefined
  if (forwarding.forwardReliable.includes(message)) return 'reliable'
  return forwarding.forwardExpress.includes(message) ? 'express' : undefined
}

const servicesKey = 'ou=services,o=nhs'

/** Candidates that one look-up examines between two looks at the cursor; an indexed look-up needs one. */
const stride = 1_000_000

/**
 * Look-ups for faces beside LDAP. SpineError `DIRECTORY_NOT_LOADED` and `DIRECTORY_STALE` where this process cannot
 * vouch for an answer: it never had the tree, or the store has not confirmed it for `staleSeconds`.
 */
export function lookups(needs: {
  readonly registry: Pick<Registry, 'state' | 'confirmedAt'>
  readonly schema: Schema
  readonly clock: Clock
  readonly staleSeconds: number
  readonly forwarding: Forwarding
}): Lookups {
  const { registry, schema, clock, staleSeconds, forwarding } = needs
  const type = (name: string): AttributeType => {
    const found = schema.attribute(name)
    if (found === undefined) throw new Error(`the schema has no attribute ${name}`)
    return found
  }
  const types = {
    objectClass: type('objectClass'),
    uniqueIdentifier: type('uniqueIdentifier'),
    odsCode: type('nhsIDCode'),
    partyKey: type('nhsMHSPartyKey'),
    manufacturer: type('nhsMhsManufacturerOrg'),
    asInteraction: type('nhsAsSvcIA'),
    mhsInteraction: type('nhsMhsSvcIA'),
    client: type('nhsAsClient'),
    endpoint: type('nhsMHSEndPoint'),
    fqdn: type('nhsMhsFQDN'),
    cpaId: type('nhsMhsCPAId'),
  }
  const reliability = (
    [
      'nhsMHSSyncReplyMode',
      'nhsMHSRetryInterval',
      'nhsMHSRetries',
      'nhsMHSPersistDuration',
      'nhsMHSDuplicateElimination',
      'nhsMHSAckRequested',
      'nhsMHSActor',
    ] as const
  ).map((name) => [name, type(name)] as const)
  const first = (entry: EncodedEntry, attribute: AttributeType) => entry.values(attribute)[0] ?? ''

  const tree = (): MemoryTree => {
    const { confirmedAt, state } = registry
    if (confirmedAt === undefined || state.tree.get(servicesKey) === undefined) {
      throw new SpineError('DIRECTORY_NOT_LOADED', undefined, {
        explanation: 'The directory has not been loaded from the store.',
      })
    }
    const seconds = (clock.now() - confirmedAt) / 1000
    if (seconds > staleSeconds) {
      throw new SpineError('DIRECTORY_STALE', undefined, {
        explanation: `The store has not answered for ${Math.round(seconds)} s: what this process shows may be out of date.`,
      })
    }
    return state.tree
  }

  const search = (objectClass: 'nhsAs' | 'nhsMhs', query: LookupQuery): EncodedEntry[] => {
    const at = tree()
    const base = at.get(servicesKey) as EncodedEntry
    // Values go into the filter as they are: there is no filter text in which they could mean something else.
    const equal = (attribute: AttributeType, value: string | undefined): Filter[] =>
      value === undefined ? [] : [{ kind: 'equal', attribute: attribute.name, value: Buffer.from(value) }]
    const filter: Filter = {
      kind: 'and',
      of: [
        ...equal(types.odsCode, query.odsCode),
        ...equal(types.objectClass, objectClass),
        ...equal(objectClass === 'nhsAs' ? types.asInteraction : types.mhsInteraction, query.interaction),
        ...equal(types.partyKey, query.partyKey),
        ...equal(types.manufacturer, query.manufacturer),
      ],
    }
    const cursor = at.search({ base, scope: 2, filter: compileFilter(filter, schema, { strict: false }), after: 0 })
    const found: EncodedEntry[] = []
    for (let entry = cursor.next(stride); entry !== undefined; entry = cursor.next(stride)) {
      if (entry !== null) found.push(entry as EncodedEntry)
    }
    return found
  }
  const device = (entry: EncodedEntry): DeviceRecord => {
    const single = (attribute: AttributeType) => {
      const values = entry.values(attribute)
      if (values.length <= 1) return values[0] ?? ''
      throw new SpineError(
        'DIRECTORY_AMBIGUOUS',
        { attribute: attribute.name },
        { explanation: `${entry.dn} has ${values.length} values of ${attribute.name}, and one is expected.` },
      )
    }
    return {
      id: entry.provenance.uuid,
      asid: single(types.uniqueIdentifier),
      partyKey: first(entry, types.partyKey),
      manufacturer: first(entry, types.manufacturer),
      interactions: entry.values(types.asInteraction),
      client: single(types.client),
    }
  }

  const endpoint = (entry: EncodedEntry): EndpointRecord => ({
    id: entry.provenance.uuid,
    odsCode: first(entry, types.odsCode),
    interaction: first(entry, types.mhsInteraction),
    fqdn: first(entry, types.fqdn),
    partyKey: first(entry, types.partyKey),
    cpaId: first(entry, types.cpaId),
    uniqueIdentifier: first(entry, types.uniqueIdentifier),
    addresses: entry.values(types.endpoint),
    reliability: Object.fromEntries(
      reliability.map(([name, attribute]) => [name, first(entry, attribute).trim()]),
    ) as unknown as Reliability,
  })

  const registered = (query: LookupQuery) => search('nhsMhs', query).map(endpoint)

  /** The one address of an intermediary. */
  const intermediary = (kind: ForwardKind): string => {
    const found = registered({ odsCode: forwarding.coreOdsCode, interaction: intermediaries[kind] })
    const [only] = found
    const refuse = (what: 'result' | 'address', got: number) =>
      new SpineError(
        'DIRECTORY_INTERMEDIARY',
        { what, got },
        {
          explanation: `Messages of this interaction go through ${intermediaries[kind]} of ${forwarding.coreOdsCode}, for which the directory has ${got} ${what === 'result' ? 'entries' : 'addresses'} and must have one.`,
        },
      )
    if (only === undefined || found.length !== 1) throw refuse('result', found.length)
    const [address] = only.addresses
    if (address === undefined || only.addresses.length !== 1) throw refuse('address', only.addresses.length)
    return address
  }

  return {
    devices: (query) => search('nhsAs', query).map(device),
    registered,
    endpoints: (query) =>
      registered(query).map((record) => {
        const kind = forwardKind(record.interaction, forwarding)
        return kind === undefined ? record : { ...record, addresses: [intermediary(kind)] }
      }),
  }
}
