import { renderDn } from '@openspine/standards/ldap'
import type { DirectoryEntry, EntryAttributes } from '../directory/contract.ts'
import type { EndpointStep, NewEndpoint, Product } from './contract.ts'
import type { Offer } from './interactions.ts'

/** Everything that the directory shows of an endpoint. */
export interface EndpointFacts {
  readonly asked: NewEndpoint
  readonly product: Product
  readonly interactions: Offer
  readonly partyKey: string
  readonly asid?: string
  /** Of a CMA or MHS. */
  readonly fqdn?: string
  /** Of an AS whose message handling system has no entry that carries it. */
  readonly systemFqdn?: string
  readonly history: readonly EndpointStep[]
}

export const serviceDn = (uniqueIdentifier: string): string =>
  renderDn([
    [{ type: 'uniqueIdentifier', value: uniqueIdentifier }],
    [{ type: 'ou', value: 'Services' }],
    [{ type: 'o', value: 'nhs' }],
  ])

/** CPA id in the newest scheme (§1). */
export const cpaIdOf = (partyKey: string, interaction: string): string => `${partyKey}:${interaction}`

/** `YYYYMMDDhhmmss`, as nhsDate… are written (§1). */
const written = (at: number) => new Date(at).toISOString().replaceAll(/[-:T]|\..*$/g, '')

const optional = (attributes: Readonly<Record<string, string | readonly string[] | undefined>>): EntryAttributes =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]): [string, readonly string[]][] => {
      const values = value === undefined ? [] : typeof value === 'string' ? [value] : value
      const kept = values.filter((each) => each.trim() !== '')
      return kept.length === 0 ? [] : [[name, kept]]
    }),
  )

/** The entries of an approved endpoint: its nhsAs, then one nhsMhs for each message (directory specification §3.1, §6). */
export function entriesOf(facts: EndpointFacts): readonly DirectoryEntry[] {
  const { asked, product, interactions, partyKey, asid, fqdn, systemFqdn, history } = facts
  const last = (step: EndpointStep['step']) => history.findLast((each) => each.step === step)
  const [requested, dns, approved] = [last('request'), last('approve-dns'), last('approve')]
  if (requested === undefined || approved === undefined) throw new TypeError('only an approved endpoint has entries')
  const shared = {
    nhsIDCode: [asked.odsCode],
    nhsMHSPartyKey: [partyKey],
    nhsMhsManufacturerOrg: [product.manufacturer],
    nhsProductKey: [product.productKey],
    nhsProductName: [asked.productName ?? product.name],
    ...optional({ nhsProductVersion: asked.productVersion ?? product.version }),
    nhsRequestorURP: [requested.by],
    nhsDateRequested: [written(requested.at)],
    nhsApproverURP: [approved.by],
    nhsDateApproved: [written(approved.at)],
  }
  const entries: DirectoryEntry[] = []
  if (asid !== undefined) {
    entries.push({
      dn: serviceDn(asid),
      ...(systemFqdn === undefined ? {} : { registeredFqdn: systemFqdn }),
      attributes: {
        objectClass: ['top', 'nhsAs'],
        uniqueIdentifier: [asid],
        ...shared,
        nhsAsClient: asked.clients ?? [asked.odsCode],
        nhsAsSvcIA: interactions.system,
        ...optional({
          description: asked.description,
          nhsAsACF: asked.accessControl,
          nhsAsCategoryBag: asked.categoryBag,
        }),
      },
    })
  }
  if (fqdn === undefined || dns === undefined) return entries
  for (const { id, set, service, interaction, properties } of interactions.messages) {
    const cpaId = cpaIdOf(partyKey, id)
    entries.push({
      dn: serviceDn(cpaId),
      attributes: {
        objectClass: ['top', 'nhsMhs'],
        uniqueIdentifier: [cpaId],
        ...shared,
        nhsMhsCPAId: [cpaId],
        nhsMhsSvcIA: [id],
        nhsMHsSN: [service],
        nhsMHsIN: [interaction],
        nhsMHSEndPoint: urlsOf(asked, set),
        nhsMhsFQDN: [fqdn],
        nhsDNSApprover: [dns.by],
        nhsDateDNSApproved: [written(dns.at)],
        nhsEPInteractionType: [properties.interactionType],
        nhsMHSIsAuthenticated: [properties.authentication],
        nhsContractPropertyTemplateKey: [properties.templateKey],
        nhsMHSSyncReplyMode: [properties.syncReplyMode],
        nhsMHSAckRequested: [properties.ackRequested],
        nhsMHSDuplicateElimination: [properties.duplicateElimination],
        ...optional({
          nhsProductKey: properties.productKey ?? product.productKey,
          nhsMHSServiceDescription: asked.description,
          nhsMHSRetries: properties.retries,
          nhsMHSRetryInterval: properties.retryInterval,
          nhsMHSPersistDuration: properties.persistDuration,
          nhsMHSActor: properties.actor,
          nhsMhsIPAddress: properties.sourceAddress ?? asked.sourceAddress,
        }),
      },
    })
  }
  return entries
}

/** Where messages of a set are received: the URLs that name it, else those that name none. */
export function urlsOf({ urls = [] }: Pick<NewEndpoint, 'urls'>, set: string): readonly string[] {
  const own = urls.filter((each) => each.set === set)
  return (own.length > 0 ? own : urls.filter((each) => each.set === undefined)).map(({ url }) => url)
}
