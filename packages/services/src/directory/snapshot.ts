import type { EncodedEntry, MemoryTree, Schema } from '@openspine/standards/ldap'
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
  registeredFqdn(entry: EncodedEntry): string | undefined
  /** `YYYYMMDD` */
  today(): string
}

/** Interactions of entries that are still the same objects in later snapshots: worked out once. */
export type InteractionMemory = WeakMap<EncodedEntry, ReadonlySet<string>>

/** Looks of other services at one state of the tree. Records are made when they are first asked for. */
export function directorySnapshot(source: SnapshotSource, memory: InteractionMemory): DirectorySnapshot {
  const { tree, version, schema } = source
  const types = new Map<string, ReturnType<Schema['attribute']>>()
  const columns: Columns = {
    of(entry, attribute) {
      let type = types.get(attribute)
      if (type === undefined) {
        type = schema.attribute(attribute)
        types.set(attribute, type)
      }
      return type === undefined ? [] : entry.values(type)
    },
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

  return {
    version,
    accreditedSystem(asid) {
      const entry = tree.having('uniqueIdentifier', asid).find((each) => isA(each, 'nhsas'))
      return entry === undefined ? undefined : systemOf(entry)
    },
    accreditedSystems({ odsCode, partyKey, interaction }) {
      const lists = [
        odsCode === undefined ? undefined : tree.having('nhsIDCode', odsCode),
        partyKey === undefined ? undefined : tree.having('nhsMHSPartyKey', partyKey),
        interaction === undefined ? undefined : tree.having('nhsAsSvcIA', interaction),
      ].filter((list) => list !== undefined)
      const [shortest, ...others] = lists.sort((a, b) => a.length - b.length)
      const rest = others.map((list) => new Set(list))
      return (shortest ?? [...tree.entries()])
        .filter((entry) => rest.every((set) => set.has(entry)) && isA(entry, 'nhsas'))
        .map(systemOf)
    },
    messageHandlingSystems(partyKey, interaction) {
      return tree
        .having('nhsMHSPartyKey', partyKey)
        .filter((entry) => columns.of(entry, 'nhsMhsSvcIA').includes(interaction) && isA(entry, 'nhsmhs'))
        .map(
          (entry): MessageHandlingSystem => ({
            cpaId: columns.first(entry, 'nhsMhsCPAId'),
            odsCode: columns.first(entry, 'nhsIDCode'),
            partyKey: columns.first(entry, 'nhsMHSPartyKey'),
            interaction,
            endpoints: columns.of(entry, 'nhsMHSEndPoint'),
            fqdn: columns.first(entry, 'nhsMhsFQDN').toLowerCase(),
          }),
        )
    },
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
