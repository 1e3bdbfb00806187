import { raInteractions } from '@openspine/services/adjustments'
import type { DirectoryEntry } from '@openspine/services/directory/contract'
import { splitInteractionId } from '@openspine/standards/nhs'
import { serviceNamePrefix, spineInteractions } from '@openspine/standards/nhs/interactions'
import { approved, organisationEntry, product } from './entries.ts'

/** The Spine's own organisation and party key, the same in every environment that the public documents name (directory specification §1). */
export const spineCore = { odsCode: 'YES', partyKey: 'YES-0000806', asid: '200000099999' } as const

/** Those of the published list, and those of Reasonable Adjustments under the names that their requests bear. */
const interactions: readonly string[] = [...new Set([...spineInteractions, ...raInteractions])]

const toPartyMsh = 'urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH'

/** How messages of one pattern travel (directory specification §6.2, typical profiles). */
interface Pattern {
  readonly path: string
  readonly kind: 'HL7' | 'FHIR' | 'EBXML'
  readonly syncReplyMode: string
  readonly assured: boolean
  readonly authenticated: string
}

const reliable: Pattern = {
  path: '/reliablemessaging/reliablerequest',
  kind: 'HL7',
  syncReplyMode: 'MSHSignalsOnly',
  assured: true,
  authenticated: 'transient',
}
const express: Pattern = { ...reliable, path: '/reliablemessaging/queryrequest', assured: false }
const synchronous: Pattern = {
  path: '/sync-service',
  kind: 'HL7',
  syncReplyMode: 'None',
  assured: false,
  authenticated: 'none',
}
const intermediary: Pattern = { ...synchronous, path: '/reliablemessaging/intermediary', kind: 'EBXML' }
const fhir = (path: string): Pattern => ({ ...synchronous, path, kind: 'FHIR' })

/** Services that do not follow from the name; of the others, those that end in `query` answer queries, the rest take messages. */
const patterns: Readonly<Record<string, Pattern>> = {
  pdsquery: synchronous,
  'pds-simple': { ...synchronous, path: '/smsp/pds' },
  tms: intermediary,
  raflags: fhir('/STU3'),
  visitorsandmigrants: fhir('/visitorsandmigrants'),
  nrl: fhir('/nrl'),
  nrls: fhir('/nrls-ri'),
  'clinicals-sync': { ...synchronous, path: '/clinical' },
}

function patternOf(service: string): Pattern {
  return patterns[service] ?? (service.endsWith('query') ? express : reliable)
}

/**
 * The Spine's organisation, its accredited system with every interaction, and one message handling system entry for
 * each interaction that is a message (not an ebXML signal), all at the door `spine`.
 */
export function spineCoreEntries(spineUrl: string): DirectoryEntry[] {
  const { odsCode, partyKey, asid } = spineCore
  const { hostname } = new URL(spineUrl)
  const organisation = organisationEntry('nhsOrg', {
    odsCode,
    name: 'Spine',
    lines: ['Backbone House', '', ''],
    town: 'TESTHAM',
    postcode: 'ZZ99 1AA',
  })
  const system: DirectoryEntry = {
    dn: `uniqueIdentifier=${asid},ou=Services,o=nhs`,
    registeredFqdn: hostname,
    attributes: {
      objectClass: ['top', 'nhsAs'],
      uniqueIdentifier: [asid],
      nhsIDCode: [odsCode],
      nhsAsClient: [odsCode],
      nhsMHSPartyKey: [partyKey],
      nhsAsSvcIA: [...interactions],
      nhsMhsManufacturerOrg: [odsCode],
      ...product,
      ...approved,
    },
  }
  const handlers = interactions
    .filter((id) => id.startsWith(serviceNamePrefix))
    .map((id, place) => handlerEntry(id, place, spineUrl))
  return [organisation, system, ...handlers]
}

function handlerEntry(id: string, place: number, spineUrl: string): DirectoryEntry {
  const name = splitInteractionId(id)
  if (name === undefined) throw new TypeError(`${id} is not an interaction id`)
  const pattern = patternOf(name.service.slice(serviceNamePrefix.length))
  // The older scheme of ids, as the Spine's own records have it.
  const cpaId = `S00001A${String(100_001 + place)}`
  const assurance = pattern.assured ? 'always' : 'never'
  return {
    dn: `uniqueIdentifier=${cpaId},ou=Services,o=nhs`,
    attributes: {
      objectClass: ['top', 'nhsMhs'],
      uniqueIdentifier: [cpaId],
      nhsIDCode: [spineCore.odsCode],
      nhsMHSPartyKey: [spineCore.partyKey],
      nhsMhsSvcIA: [id],
      nhsMHsSN: [name.service],
      nhsMHsIN: [name.interaction],
      nhsMHSEndPoint: [`${spineUrl}${pattern.path}`],
      nhsMhsFQDN: [new URL(spineUrl).hostname],
      nhsMHSIsAuthenticated: [pattern.authenticated],
      nhsMhsCPAId: [cpaId],
      nhsMhsManufacturerOrg: [spineCore.odsCode],
      nhsDNSApprover: ['System'],
      nhsDateDNSApproved: ['20260101090000'],
      nhsEPInteractionType: [pattern.kind],
      nhsContractPropertyTemplateKey: [pattern.assured ? '1' : pattern.kind === 'FHIR' ? '14' : '7'],
      nhsMHSSyncReplyMode: [pattern.syncReplyMode],
      // Clients read all six without looking whether they are there (directory specification §7.6).
      nhsMHSRetries: [pattern.assured ? '2' : '0'],
      nhsMHSRetryInterval: [pattern.assured ? 'PT1M' : 'PT0S'],
      nhsMHSPersistDuration: [pattern.assured ? 'PT5M' : 'PT0S'],
      nhsMHSAckRequested: [assurance],
      nhsMHSDuplicateElimination: [assurance],
      nhsMHSActor: [pattern.kind === 'FHIR' ? 'IGNORED' : toPartyMsh],
      ...product,
      ...approved,
    },
  }
}
