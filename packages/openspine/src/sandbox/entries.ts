import type { DirectoryEntry } from '@openspine/services/directory/contract'
import { splitInteractionId } from '@openspine/standards/nhs'

/** How the sandbox's organisations and systems look in the directory. */

const manufacturer = 'YY001'

export const approved = {
  nhsRequestorURP: ['System'],
  nhsDateRequested: ['20260101090000'],
  nhsApproverURP: ['System'],
  nhsDateApproved: ['20260101090000'],
}
/** The product that the sandbox's systems are. */
export const sandboxProduct = { manufacturer, name: 'OpenSpine sandbox', version: '0.1' }
export const product = { nhsProductKey: ['1'], nhsProductName: ['OpenSpine sandbox'], nhsProductVersion: ['0.1'] }

export function organisationEntry(
  kind: 'nhsOrg' | 'nhsGPPractice',
  about: { odsCode: string; name: string; lines: string[]; town: string; postcode: string },
): DirectoryEntry {
  const practice = kind === 'nhsGPPractice'
  return {
    dn: `uniqueIdentifier=${about.odsCode},ou=Organisations,o=nhs`,
    attributes: {
      objectClass: ['top', 'organization', kind],
      uniqueIdentifier: [about.odsCode],
      nhsIDCode: [about.odsCode],
      o: [about.name.toUpperCase()],
      nhsOrgType: [practice ? 'GP PRACTICE' : 'NHS TRUST'],
      nhsOrgTypeCode: [practice ? 'PR' : 'TR'],
      postalAddress: [[...about.lines, about.town].join('$')],
      postalCode: [about.postcode],
      l: [about.town],
      nhsOrgOpenDate: ['20260101'],
      ...(practice ? { nhsPCTCode: ['X26'] } : {}),
    },
  }
}

export function accreditedSystemEntry(about: {
  asid: string
  odsCode: string
  partyKey: string
  fqdn: string
  interactions: readonly string[]
}): DirectoryEntry {
  return {
    dn: `uniqueIdentifier=${about.asid},ou=Services,o=nhs`,
    registeredFqdn: about.fqdn,
    attributes: {
      objectClass: ['top', 'nhsAs'],
      uniqueIdentifier: [about.asid],
      nhsIDCode: [about.odsCode],
      nhsAsClient: [about.odsCode],
      nhsMHSPartyKey: [about.partyKey],
      nhsAsSvcIA: [...about.interactions],
      nhsMhsManufacturerOrg: [manufacturer],
      ...product,
      ...approved,
    },
  }
}

export function messageHandlingSystemEntry(about: {
  odsCode: string
  partyKey: string
  interaction: string
  endpoint: string
}): DirectoryEntry {
  const name = splitInteractionId(about.interaction)
  if (!name) throw new TypeError(`${about.interaction} is not an interaction id`)
  const cpaId = `${about.partyKey}:${about.interaction}`
  return {
    dn: `uniqueIdentifier=${cpaId},ou=Services,o=nhs`,
    attributes: {
      objectClass: ['top', 'nhsMhs'],
      uniqueIdentifier: [cpaId],
      nhsIDCode: [about.odsCode],
      nhsMHSPartyKey: [about.partyKey],
      nhsMhsSvcIA: [about.interaction],
      nhsMHsSN: [name.service],
      nhsMHsIN: [name.interaction],
      nhsMHSEndPoint: [about.endpoint],
      nhsMhsFQDN: [new URL(about.endpoint).hostname],
      nhsMHSIsAuthenticated: ['none'],
      nhsMhsCPAId: [cpaId],
      nhsMhsManufacturerOrg: [manufacturer],
      nhsDNSApprover: ['System'],
      nhsDateDNSApproved: ['20260101090000'],
      nhsEPInteractionType: ['FHIR'],
      nhsContractPropertyTemplateKey: ['14'],
      nhsMHSSyncReplyMode: ['none'],
      nhsMHSAckRequested: ['never'],
      nhsMHSDuplicateElimination: ['never'],
      ...product,
      ...approved,
    },
  }
}
