import type { AttributeType, EncodedEntry, MemoryTree, Schema } from '@openspine/standards/ldap'
import { acceptsOrganisation } from './checks/records.ts'
import type { DirectoryConfig } from './config.ts'
import type { AccreditedSystem, DirectoryOrganisation, DirectorySnapshot, MessageHandlingSystem } from './contract.ts'

/** Reads one attribute of an entry. */
interface Columns {
  of(entry: EncodedEntry, attribute: string): readonly string[]
  first(entry: EncodedEntry, attribute: string): string
}

export interface SnapshotSource {
  readonly tree: MemoryTree
  readonly version: number
  readonly schema: Schema
  readonly config: Pick<DirectoryConfig, 'organisations'>
  registeredFqdn(entry: EncodedEntry): string | undefined
  /** `YYYYMMDD` */
  today(): string
}

/** Interactions of entries that are still the same objects in later snapshots: worked out once. */
export type InteractionMemory = WeakMap<EncodedEntry, ReadonlySet<string>>

/** Values compare without case and in parts without spaces, so that one entry has many names: those kept have a bound. */
const mostRemembered = 50_000

function remembered<Value>(memory: Map<string, Value>, key: string, value: Value): Value {
  if (memory.size >= mostRemembered) memory.clear()
  memory.set(key, value)
  return value
}

/** Looks of other services at one state of the tree. Records are made when they are first asked for. */
export function directorySnapshot(source: SnapshotSource, memory: InteractionMemory): DirectorySnapshot {
  const { tree, version, schema, config } = source
  const types = new Map<string, AttributeType>()
  const typeOf = (attribute: string): AttributeType => {
    let type = types.get(attribute)
    if (type === undefined) {
      type = schema.attribute(attribute)
      if (type === undefined) throw new Error(`the schema has no attribute ${attribute}`)
      types.set(attribute, type)
    }
    return type
  }
  const columns: Columns = {
    of: (entry, attribute) => entry.values(typeOf(attribute)),
    first: (entry, attribute) => columns.of(entry, attribute)[0] ?? '',
  }
  const isA = (entry: EncodedEntry, objectClass: string) =>
    columns.of(entry, 'objectClass').some((name) => name.toLowerCase() === objectClass)

  const systems = new Map<EncodedEntry, AccreditedSystem>()
  const systemOf = (entry: EncodedEntry): AccreditedSystem => {
    let system = systems.get(entry)
    if (system === undefined) {
      system = accreditedSystem(entry)
      systems.set(entry, system)
    }
    return system
  }

  /** Answers to what is asked again and again. Only what was found is remembered. */
  const byAsid = new Map<string, AccreditedSystem>()
  const handlers = new Map<string, readonly MessageHandlingSystem[]>()

  const accreditedSystem = (entry: EncodedEntry): AccreditedSystem => {
    const partyKey = columns.first(entry, 'nhsMHSPartyKey')
    const [manufacturer] = columns.of(entry, 'nhsMhsManufacturerOrg')
    let interactions = memory.get(entry)
    if (interactions === undefined) {
      interactions = new Set(columns.of(entry, 'nhsAsSvcIA'))
      memory.set(entry, interactions)
    }
    const fqdns = new Set<string>()
    const registered = source.registeredFqdn(entry)
    if (registered !== undefined) fqdns.add(registered.toLowerCase())
    for (const handler of tree.having('nhsMHSPartyKey', partyKey)) {
      for (const fqdn of columns.of(handler, 'nhsMhsFQDN')) fqdns.add(fqdn.toLowerCase())
    }
    return {
      asid: columns.first(entry, 'uniqueIdentifier'),
      odsCode: columns.first(entry, 'nhsIDCode'),
      partyKey,
      interactions,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      fqdns,
    }
  }

  const handlerOf = (entry: EncodedEntry): MessageHandlingSystem => {
    const [manufacturer] = columns.of(entry, 'nhsMhsManufacturerOrg')
    return {
      cpaId: columns.first(entry, 'nhsMhsCPAId'),
      odsCode: columns.first(entry, 'nhsIDCode'),
      partyKey: columns.first(entry, 'nhsMHSPartyKey'),
      interaction: columns.first(entry, 'nhsMhsSvcIA'),
      endpoints: columns.of(entry, 'nhsMHSEndPoint'),
      fqdn: columns.first(entry, 'nhsMhsFQDN').toLowerCase(),
      ...(manufacturer === undefined ? {} : { manufacturer }),
    }
  }

  /**
   * Entries of a class that have all the values that are named. The first that is named is looked up and the others are
   * compared, so the rarest stands first: some lists of interactions hold half the tree.
   */
  const having = (
    objectClass: string,
    wanted: readonly (readonly [attribute: string, value: string | undefined])[],
  ) => {
    const [rarest, ...others] = wanted.flatMap(([attribute, value]) =>
      value === undefined ? [] : [{ attribute, value }],
    )
    const compared = others.map(({ attribute, value }) => {
      const rule = schema.equality(typeOf(attribute), 'caseIgnoreMatch')
      const key = rule?.normalise(value)
      return {
        attribute,
        equals: (each: string) => each === value || (key !== undefined && rule?.normalise(each) === key),
      }
    })
    const candidates = rarest === undefined ? [...tree.entries()] : tree.having(rarest.attribute, rarest.value)
    return candidates.filter(
      (entry) =>
        isA(entry, objectClass) && compared.every(({ attribute, equals }) => columns.of(entry, attribute).some(equals)),
    )
  }

  return {
    version,
    accreditedSystem(asid) {
      const there = byAsid.get(asid)
      if (there !== undefined) return there
      const entry = tree.having('uniqueIdentifier', asid).find((each) => isA(each, 'nhsas'))
      return entry === undefined ? undefined : remembered(byAsid, asid, systemOf(entry))
    },
    accreditedSystems: ({ odsCode, partyKey, interaction, manufacturer }) =>
      having('nhsas', [
        ['nhsMHSPartyKey', partyKey],
        ['nhsIDCode', odsCode],
        ['nhsMhsManufacturerOrg', manufacturer],
        ['nhsAsSvcIA', interaction],
      ]).map(systemOf),
    messageHandlingSystems({ odsCode, partyKey, interaction, manufacturer, fqdn, cpaId }) {
      // What the proxy asks for every request.
      const alone = odsCode === undefined && manufacturer === undefined && fqdn === undefined && cpaId === undefined
      const key =
        alone && partyKey !== undefined && interaction !== undefined ? `${partyKey}\n${interaction}` : undefined
      const there = key === undefined ? undefined : handlers.get(key)
      if (there !== undefined) return there
      const found = having('nhsmhs', [
        ['nhsMhsCPAId', cpaId],
        ['nhsMHSPartyKey', partyKey],
        ['nhsIDCode', odsCode],
        ['nhsMhsFQDN', fqdn],
        ['nhsMhsManufacturerOrg', manufacturer],
        ['nhsMhsSvcIA', interaction],
      ]).map(handlerOf)
      return key === undefined || found.length === 0 ? found : remembered(handlers, key, found)
    },
    holdsService: (uniqueIdentifier) =>
      tree.having('uniqueIdentifier', uniqueIdentifier).some(({ key }) => key.endsWith(',ou=services,o=nhs')),
    acceptsOrganisation: (odsCode) =>
      acceptsOrganisation({ schema, look: tree, config, today: source.today() }, odsCode),
    organisation(odsCode): DirectoryOrganisation | undefined {
      // By its name, which compares without case; nhsIDCode does not.
      const entry = tree
        .having('uniqueIdentifier', odsCode)
        .find(({ key }) => key.endsWith(',ou=organisations,o=nhs') && key.startsWith('uniqueidentifier='))
      if (entry === undefined) return undefined
      const closed = columns.first(entry, 'nhsOrgCloseDate')
      const parent = columns.first(entry, 'nhsParentOrgCode')
      const commissioner = columns.first(entry, 'nhsPCTCode')
      return {
        odsCode: columns.first(entry, 'nhsIDCode'),
        name: columns.first(entry, 'o') || columns.first(entry, 'ou'),
        open: closed === '' || closed > source.today(),
        type: columns.first(entry, 'nhsOrgTypeCode'),
        ...(parent === '' ? {} : { parent }),
        ...(commissioner === '' ? {} : { commissioner }),
      }
    },
    knowsInteraction: (interaction) => tree.holds('nhsAsSvcIA', interaction) || tree.holds('nhsMhsSvcIA', interaction),
  }
}
