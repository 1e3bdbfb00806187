import { gpConnectInteractions, serviceNamePrefix } from '@openspine/standards/nhs/interactions'
import type { ContractProperties } from './contract.ts'

/** A named pattern of contract properties. */
export interface ContractTemplate {
  readonly name: string
  readonly says: string
  readonly properties: ContractProperties
}

const toPartyMSH = 'urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH'

/** Where a pattern knows no retries all six attributes are still filled: some clients fail where one is missing (§7.6). */
const once = {
  ackRequested: 'never',
  duplicateElimination: 'never',
  retries: '0',
  retryInterval: 'PT0S',
  persistDuration: 'PT0S',
}
const reliable = { ackRequested: 'always', duplicateElimination: 'always', retries: '2' }

/** The typical profiles of directory specification §6.2. Their keys are ours: public sources show the numbers of none but FHIR. */
export const contractTemplates: readonly ContractTemplate[] = [
  {
    name: 'fhir',
    says: 'FHIR, directly or through the secure proxy',
    properties: { interactionType: 'FHIR', authentication: 'none', templateKey: '14', syncReplyMode: 'none', ...once },
  },
  {
    name: 'spine-reliable',
    says: 'asynchronous and reliable, to the Spine',
    properties: {
      interactionType: 'HL7',
      authentication: 'transient',
      templateKey: '1',
      syncReplyMode: 'MSHSignalsOnly',
      ...reliable,
      retryInterval: 'PT1M',
      persistDuration: 'PT5M',
      actor: toPartyMSH,
    },
  },
  {
    name: 'express-query',
    says: 'asynchronous query, not repeated',
    properties: {
      interactionType: 'HL7',
      authentication: 'transient',
      templateKey: '2',
      syncReplyMode: 'MSHSignalsOnly',
      ...once,
      actor: toPartyMSH,
    },
  },
  {
    name: 'sync-query',
    says: 'synchronous query',
    properties: {
      interactionType: 'HL7',
      authentication: 'none',
      templateKey: '3',
      syncReplyMode: 'None',
      ...once,
      actor: toPartyMSH,
    },
  },
  {
    name: 'forward-reliable',
    says: 'reliable, through the Spine to another party (GP2GP)',
    properties: {
      interactionType: 'EBXML',
      authentication: 'transient',
      templateKey: '4',
      syncReplyMode: 'None',
      ...reliable,
      retryInterval: 'PT2H',
      persistDuration: 'PT7H',
    },
  },
  {
    name: 'intermediary',
    says: 'to the Spine as intermediary',
    properties: {
      interactionType: 'EBXML',
      authentication: 'none',
      templateKey: '5',
      syncReplyMode: 'None',
      ...once,
    },
  },
]

const usualByService: Readonly<Record<string, string>> = {
  psis: 'spine-reliable',
  psisquery: 'express-query',
  pdsquery: 'sync-query',
  gp2gp: 'forward-reliable',
  tms: 'intermediary',
}

/** The template for an interaction for which none is named. */
export function usualTemplate(service: string, interaction: string): ContractTemplate {
  const short = service.slice(serviceNamePrefix.length)
  const fhir = /(^|:)fhir(:|$)/.test(`${short}:${interaction}`) || /^[A-Za-z]+\.(read|write):\d+$/.test(interaction)
  const name = fhir ? 'fhir' : (usualByService[short] ?? 'sync-query')
  return contractTemplates.find((each) => each.name === name) as ContractTemplate
}

/** A list of interactions that belong together, by a name that people can remember. */
export interface KnownSet {
  readonly name: string
  readonly says: string
  readonly interactions: readonly string[]
}

const gp2gp = ['RCMR_IN010000UK05', 'RCMR_IN030000UK06', 'RCMR_IN030000UK07', 'COPC_IN000001UK01', 'MCCI_IN010000UK13']

/** Sets that a product can be given by name (§12). */
export const knownSets: readonly KnownSet[] = [
  {
    name: 'access-record-html',
    says: 'GP Connect Access Record HTML (0.x)',
    interactions: gpConnectInteractions.accessRecordHtml,
  },
  { name: 'foundations', says: 'GP Connect Foundations', interactions: gpConnectInteractions.foundations },
  { name: 'appointments', says: 'GP Connect Appointments', interactions: gpConnectInteractions.appointments },
  {
    name: 'structured-record',
    says: 'GP Connect Access Record Structured',
    interactions: gpConnectInteractions.structuredRecord,
  },
  { name: 'documents', says: 'GP Connect Access Document', interactions: gpConnectInteractions.documents },
  { name: 'gp2gp', says: 'GP2GP record transfer', interactions: gp2gp.map((id) => `${serviceNamePrefix}gp2gp:${id}`) },
]
