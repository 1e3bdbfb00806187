import { createHash } from 'node:crypto'
import { outcomeResource } from '@openspine/standards/fhir'
import { namingSystem } from '@openspine/standards/nhs'
import type { DeviceRecord, EndpointRecord } from '../lookup.ts'
import type { SdsOutcome } from './outcomes.ts'

const systems = { ...namingSystem.fhirNhsUk, mhsId: 'https://fhir.nhs.uk/Id/nhsMHSId' }
const extensionUrl = (name: string) => `https://fhir.nhs.uk/StructureDefinition/Extension-SDS-${name}`

/** A resource with its members in the order of directory specification §7.2; empty ones left out. */
export type SdsResourceBody = Readonly<Record<string, unknown>> & { readonly resourceType: string; readonly id: string }

const reference = (system: string, value: string) => ({ identifier: { system, value } })

function identifiers(pairs: readonly (readonly [string, string])[]): { system: string; value: string }[] {
  return pairs.flatMap(([system, value]) => (value === '' ? [] : [{ system, value }]))
}

/** Lists without members and absent values are left out: FHIR has no empty ones. */
function present<Body extends Readonly<Record<string, unknown>>>(body: Body): Body {
  return Object.fromEntries(
    Object.entries(body).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as Body
}

const interactionExtension = (interaction: string) => ({
  url: extensionUrl('NhsServiceInteractionId'),
  valueReference: reference(systems.serviceInteractionId, interaction),
})

export function deviceResource(device: DeviceRecord): SdsResourceBody {
  return present({
    resourceType: 'Device',
    id: device.id.toUpperCase(),
    identifier: identifiers([
      [systems.asid, device.asid],
      [systems.partyKey, device.partyKey],
    ]),
    extension: [
      ...(device.manufacturer === ''
        ? []
        : [
            {
              url: extensionUrl('ManufacturingOrganisation'),
              valueReference: reference(systems.odsOrganisation, device.manufacturer),
            },
          ]),
      ...device.interactions.map(interactionExtension),
    ],
    owner: device.client === '' ? undefined : reference(systems.odsOrganisation, device.client),
  })
}

/** One resource for each address; one without an address where there is none. */
export function endpointResources(endpoint: EndpointRecord): SdsResourceBody[] {
  const addresses: readonly (string | undefined)[] = endpoint.addresses.length === 0 ? [undefined] : endpoint.addresses
  const reliability = Object.entries<string>({ ...endpoint.reliability }).flatMap(([url, value]): object[] => {
    if (url !== 'nhsMHSRetries') return value === '' ? [] : [{ url, valueString: value }]
    return /^\d{1,9}$/.test(value) ? [{ url, valueInteger: Number(value) }] : []
  })
  return addresses.map((address, index) =>
    present({
      resourceType: 'Endpoint',
      id: index === 0 ? endpoint.id.toUpperCase() : derivedId(endpoint.id, address ?? ''),
      status: 'active',
      connectionType: {
        system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
        code: 'hl7-fhir-msg',
        display: 'HL7 FHIR Messaging',
      },
      payloadType: [
        {
          coding: [
            { system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'any', display: 'Any' },
          ],
        },
      ],
      address,
      managingOrganization: endpoint.odsCode === '' ? undefined : reference(systems.odsOrganisation, endpoint.odsCode),
      identifier: identifiers([
        [systems.fqdn, endpoint.fqdn],
        [systems.partyKey, endpoint.partyKey],
        [systems.cpaId, endpoint.cpaId],
        [systems.mhsId, endpoint.uniqueIdentifier],
      ]),
      extension: [
        ...(reliability.length === 0
          ? []
          : [{ url: extensionUrl('ReliabilityConfiguration'), extension: reliability }]),
        ...(endpoint.interaction === '' ? [] : [interactionExtension(endpoint.interaction)]),
      ],
    }),
  )
}

/** Name-based (RFC 9562 §5.5), so that the further addresses of an entry keep their ids too. */
function derivedId(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString('hex').toUpperCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/** The searchset of §7.2, two spaces a level; `entry` is there also when it is empty. */
export function sdsBundle(
  resources: readonly SdsResourceBody[],
  about: { readonly id: string; readonly self: string; readonly base: string },
): string {
  return JSON.stringify(
    {
      resourceType: 'Bundle',
      id: about.id.toUpperCase(),
      type: 'searchset',
      total: resources.length,
      link: [{ relation: 'self', url: about.self }],
      entry: resources.map((resource) => ({
        fullUrl: `${about.base}/${resource.resourceType}/${resource.id}`,
        resource,
        search: { mode: 'match' },
      })),
    },
    undefined,
    2,
  )
}

/** The OperationOutcome of §7.4, four spaces a level. */
export function sdsOutcome(outcome: SdsOutcome, id: string): string {
  return JSON.stringify(outcomeResource(outcome, { id }), undefined, 4)
}
