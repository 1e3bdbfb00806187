import { createHash } from 'node:crypto'
import { outcomeResource } from '@openspine/standards/fhir'
import { namingSystem } from '@openspine/standards/nhs'
import type { DeviceRecord, EndpointRecord, Reliability } from '../lookup.ts'
import type { SdsOutcome } from './outcomes.ts'

const systems = { ...namingSystem.fhirNhsUk, mhsId: 'https://fhir.nhs.uk/Id/nhsMHSId' }
const extensionUrl = (name: string) => `https://fhir.nhs.uk/StructureDefinition/Extension-SDS-${name}`

/**
 * A resource as text, two spaces a level, as it stands in the entry of a bundle: members in the order of directory
 * specification §7.2, empty ones left out. Written straight from the record, without the objects between: a
 * device has hundreds of extensions.
 */
export interface SdsResourceText {
  readonly type: 'Device' | 'Endpoint'
  readonly id: string
  readonly text: string
}

/** Indentation of a resource's members, of the items of its lists, and of what is in these. */
const [l1, l2, l3, l4, l5] = [8, 10, 12, 14, 16].map((size) => `\n${' '.repeat(size)}`) as [
  string,
  string,
  string,
  string,
  string,
]
const quoted = (text: string) => JSON.stringify(text)

function identifierItem(system: string, value: string): string {
  return `{${l3}"system": "${system}",${l3}"value": ${quoted(value)}${l2}}`
}

function identifierList(pairs: readonly (readonly [string, string])[]): string {
  const items = pairs.filter(([, value]) => value !== '').map(([system, value]) => identifierItem(system, value))
  return items.length === 0 ? '' : `,${l1}"identifier": [${l2}${items.join(`,${l2}`)}${l1}]`
}

/** `"name": { "identifier": … }` as a member of the resource; nothing for an empty value. */
function organisationMember(name: string, odsCode: string): string {
  if (odsCode === '') return ''
  const identifier = `{${l3}"system": "${systems.odsOrganisation}",${l3}"value": ${quoted(odsCode)}${l2}}`
  return `,${l1}"${name}": {${l2}"identifier": ${identifier}${l1}}`
}

function referenceExtension(url: string, system: string, value: string): string {
  const identifier = `{${l5}"system": "${system}",${l5}"value": ${quoted(value)}${l4}}`
  return `{${l3}"url": "${url}",${l3}"valueReference": {${l4}"identifier": ${identifier}${l3}}${l2}}`
}

function extensionList(items: readonly string[]): string {
  return items.length === 0 ? '' : `,${l1}"extension": [${l2}${items.join(`,${l2}`)}${l1}]`
}

/** The interactions of a country are few, and every device repeats them. */
const interactionTexts = new Map<string, string>()
const mostInteractionTexts = 5000

function interactionExtension(interaction: string): string {
  let text = interactionTexts.get(interaction)
  if (text === undefined) {
    text = referenceExtension(extensionUrl('NhsServiceInteractionId'), systems.serviceInteractionId, interaction)
    if (interactionTexts.size >= mostInteractionTexts) interactionTexts.clear()
    interactionTexts.set(interaction, text)
  }
  return text
}

const manufacturerUrl = extensionUrl('ManufacturingOrganisation')

export function deviceResource(device: DeviceRecord): SdsResourceText {
  const id = device.id.toUpperCase()
  const identifiers = identifierList([
    [systems.asid, device.asid],
    [systems.partyKey, device.partyKey],
  ])
  const manufacturer =
    device.manufacturer === ''
      ? []
      : [referenceExtension(manufacturerUrl, systems.odsOrganisation, device.manufacturer)]
  const extensions = extensionList([...manufacturer, ...device.interactions.map(interactionExtension)])
  const owner = organisationMember('owner', device.client)
  const text = `{${l1}"resourceType": "Device",${l1}"id": "${id}"${identifiers}${extensions}${owner}\n      }`
  return { type: 'Device', id, text }
}

const connection = `{${l2}"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",${l2}"code": "hl7-fhir-msg",${l2}"display": "HL7 FHIR Messaging"${l1}}`
const anyPayload = `{${l5}"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type",${l5}"code": "any",${l5}"display": "Any"${l4}}`
const payloads = `[${l2}{${l3}"coding": [${l4}${anyPayload}${l3}]${l2}}${l1}]`
const reliabilityUrl = extensionUrl('ReliabilityConfiguration')

function reliabilityExtension(reliability: Reliability): string[] {
  const parts: string[] = []
  for (const [name, value] of Object.entries<string>({ ...reliability })) {
    if (name !== 'nhsMHSRetries') {
      if (value !== '') parts.push(`{${l5}"url": "${name}",${l5}"valueString": ${quoted(value)}${l4}}`)
    } else if (/^\d{1,9}$/.test(value)) parts.push(`{${l5}"url": "${name}",${l5}"valueInteger": ${Number(value)}${l4}}`)
  }
  if (parts.length === 0) return []
  return [`{${l3}"url": "${reliabilityUrl}",${l3}"extension": [${l4}${parts.join(`,${l4}`)}${l3}]${l2}}`]
}

/** One resource for each address; one without an address where there is none. */
export function endpointResources(endpoint: EndpointRecord): SdsResourceText[] {
  const addresses: readonly (string | undefined)[] = endpoint.addresses.length === 0 ? [undefined] : endpoint.addresses
  const organisation = organisationMember('managingOrganization', endpoint.odsCode)
  const identifiers = identifierList([
    [systems.fqdn, endpoint.fqdn],
    [systems.partyKey, endpoint.partyKey],
    [systems.cpaId, endpoint.cpaId],
    [systems.mhsId, endpoint.uniqueIdentifier],
  ])
  const extensions = extensionList([
    ...reliabilityExtension(endpoint.reliability),
    ...(endpoint.interaction === '' ? [] : [interactionExtension(endpoint.interaction)]),
  ])
  return addresses.map((address, index) => {
    const id = index === 0 ? endpoint.id.toUpperCase() : derivedId(endpoint.id, address ?? '')
    const where = address === undefined ? '' : `,${l1}"address": ${quoted(address)}`
    const head = `{${l1}"resourceType": "Endpoint",${l1}"id": "${id}",${l1}"status": "active"`
    const kind = `,${l1}"connectionType": ${connection},${l1}"payloadType": ${payloads}`
    return { type: 'Endpoint', id, text: `${head}${kind}${where}${organisation}${identifiers}${extensions}\n      }` }
  })
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
  resources: readonly SdsResourceText[],
  about: { readonly id: string; readonly self: string; readonly base: string },
): string {
  const entries = resources.map(
    ({ type, id, text }) =>
      `\n    {\n      "fullUrl": ${quoted(`${about.base}/${type}/${id}`)},\n      "resource": ${text},\n      "search": {\n        "mode": "match"\n      }\n    }`,
  )
  const list = entries.length === 0 ? '[]' : `[${entries.join(',')}\n  ]`
  const link = `[\n    {\n      "relation": "self",\n      "url": ${quoted(about.self)}\n    }\n  ]`
  return `{\n  "resourceType": "Bundle",\n  "id": "${about.id.toUpperCase()}",\n  "type": "searchset",\n  "total": ${resources.length},\n  "link": ${link},\n  "entry": ${list}\n}`
}

/** The OperationOutcome of §7.4, four spaces a level. */
export function sdsOutcome(outcome: SdsOutcome, id: string): string {
  return JSON.stringify(outcomeResource(outcome, { id }), undefined, 4)
}
