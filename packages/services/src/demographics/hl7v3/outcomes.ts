import { type Cd, oid } from '@openspine/standards/hl7v3'
import type { ErrorListEntry, Fault } from '@openspine/standards/soap'
import { writeErrorList } from '@openspine/standards/soap'

/** A fault of the transport (messaging specification §7.1), by its number. */
export const transportFaults = {
  101: { code: 'Client', description: 'The service/interaction is not supported for the requested URI' },
  200: { code: 'Server', description: 'System failure to process message - default' },
  201: { code: 'Client', description: 'The message is not well formed' },
  300: { code: 'Client', description: 'Access denied' },
} as const

/** Number of such a fault. */
export type FaultNumber = keyof typeof transportFaults

/**
 * The fault as it goes over the wire. Numbers of the rules for the SOAP header are not published: they are answered 201 with
 * the name of the rule as description.
 */
export function faultOf(number: FaultNumber, location: string, rule?: string): Fault {
  const { code, description } = transportFaults[number]
  const entry: ErrorListEntry = {
    codeContext: 'urn:nhs:names:error:tms',
    errorCode: String(number),
    severity: 'Error',
    location,
    description: number === 201 && rule !== undefined && rule !== 'MESSAGE_NOT_WELL_FORMED' ? rule : description,
  }
  return { code, string: 'Application Exception', detail: [writeErrorList([entry])] }
}

/** An issue of a reply: a code of the PDS response codes (§7.4), an error or a warning. */
export interface Issue {
  readonly code: string
  readonly text: string
  readonly level: 'ER' | 'WG'
  /** Name of the rule, where the text says more than the audit may keep. */
  readonly rule?: string
}

const error = (code: string, text: string): Issue => ({ code, text, level: 'ER' })
const warning = (code: string, text: string): Issue => ({ code, text, level: 'WG' })

/** What an update by NHAIS says of joining a list has no place in the record. */
export const unkept: Issue = {
  code: '0',
  level: 'WG',
  rule: 'NHAIS_REGISTRATION_NOT_KEPT',
  text: 'NHAIS_REGISTRATION_NOT_KEPT: the registration event is not kept; the practice is',
}

const noMatch = 'No match to a Service User record'

/** Business outcomes of queries. Texts that are not published are those of the Mini Services for the same number. */
export const issues = {
  noMatch: error('1', noMatch),
  noMatchSimple: error('ST004', noMatch),
  noMatchRetrieval: error('RT003', noMatch),
  noMatchAdvanced: error('AT006', noMatch),
  numberNotFound: error('NHSNCC002', 'NHS Number Not Found'),
  match: warning('3', 'Match - NHS Number and standard Service User details returned'),
  limitedMatch: warning('5', 'Match – limited data returned (sensitive record)'),
  several: error('7', 'Multiple matches found'),
  limitedRetrieval: warning('9', 'Successful retrieval - Information returned limited by sensitivity conditions'),
  supersededRefused: error('17', 'Superceding NHS number returned'),
  invalidated: error('22', 'NHS Number of response record has been invalidated'),
  superseded: warning('24', 'NHS number superseded (returned record is for the new number)'),
  notVerified: error('40', 'NHS number not verified'),
  unexpected: error('GE002', 'Unexpected business error encountered.'),
} as const satisfies Readonly<Record<string, Issue>>

/**
 * Codes of rules of messages. Few are published: the rest are generic errors (0) whose text begins with the name of the rule,
 * so that a client's log tells which it was.
 */
const ruleCodes: Readonly<Record<string, string>> = {
  MISSING_SEARCH_TYPE: 'AT001',
  INVALID_SEARCH_TYPE: 'AT001',
  MISSING_MANDATORY_SEARCH_FIELD_AT: 'AT002',
  NOT_NEW_STYLE_NHS_NUMBER: '42',
}

/** The issue of a rule that a message breaks; `where` names the field. */
export function ruleIssue(rule: string, where?: string, level: Issue['level'] = 'ER'): Issue {
  return { code: ruleCodes[rule] ?? '0', text: where === undefined ? rule : `${rule}[${where}]`, level }
}

/** The code of an issue as a reply carries it. */
export const issueCode = ({ code, text, level }: Issue): Cd => ({
  code,
  codeSystem: oid.pdsResponse,
  displayName: text,
  qualifiers: [{ code: level }],
})

/** A warning in the reply to a change, whose qualifier is spelt otherwise than that of a query (messaging §4.2). */
export const changeWarning = ({ code, text, level }: Issue): Cd => ({
  code,
  codeSystem: oid.pdsResponse,
  displayName: text,
  qualifiers: [{ value: { code: level, codeSystem: oid.qualifier } }],
})

/** Number of rules of structure that have none of their own published (§7.3). */
const structureCode = '299'

/** The code with which a message is rejected for its structure. */
export const rejectionCode = (rule: string, explains: string): Cd => ({
  code: structureCode,
  codeSystem: oid.acknowledgementDetail,
  displayName: `${rule}: ${explains}`,
})
