/** The AuditEvent of a privacy alert: judged in order, and read. */
import { asJson, codings, items, type Json, text } from '@openspine/standards/fhir/untrusted'
import { isNhsNumber, namingSystem } from '@openspine/standards/nhs'
import { isMoment, type ScrCheck, shown } from './checks.ts'
import type { PrivacyAlert } from './contract.ts'

const extensionUrl = 'https://fhir.nhs.uk/StructureDefinition/Extension-SCR-NotificationMessage'
const lifecycle = 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle'
/** The specification has the lifecycle code `access`; the published test data have codes of this system. */
const alertTypes = { system: 'https://fhir.nhs.uk/CodeSystem/SCR-AlertType', codes: ['1', '2'] }
const reasonSystem = 'https://fhir.nhs.uk/CodeSystem/SCR-AlertReason'
/** The service takes 1 to 6, its specification names 0 to 5. */
const reasons = ['1', '2', '3', '4', '5', '6']
const { nhsNumber: numbers, odsOrganisation: organisations, sdsUserId: people } = namingSystem.fhirNhsUk

export type AlertCheck = ScrCheck<Json>

const check = (name: string, explains: string, fault: AlertCheck['fault']): AlertCheck => ({
  name,
  clause: '§26',
  outcome: 'value',
  explains,
  fault,
})

const messages = ({ extension }: Json) => items(extension).filter(({ url }) => url === extensionUrl)
const agents = ({ agent }: Json, system: string) =>
  items(agent).filter(({ who }) => {
    const identifier = asJson(asJson(who)['identifier'])
    return identifier['system'] === system && text(identifier['value']) !== undefined
  })
const named = (event: Json, system: string): string =>
  String(asJson(asJson(agents(event, system)[0]?.['who'])['identifier'])['value'])
const summaryIn = ({ entity }: Json) => text(asJson(asJson(items(entity)[0]?.['what'])['identifier'])['value'])

function agent(what: string, system: string): AlertCheck {
  return check(what, `One agent, who is no requestor, is named by an identifier of the system ${system}.`, (event) => {
    const found = agents(event, system)
    if (found.some(({ requestor }) => requestor !== false))
      return `Missing or unsupported 'requestor' value for 'agent' with 'who.identifier.system' '${system}'`
    if (found.length === 1) return undefined
    return found.length === 0
      ? `Missing 'agent' entry with 'who.identifier.system' '${system}' and non-empty 'value'`
      : `Expecting exactly one 'agent' entry with 'who.identifier.system' '${system}' and non-empty 'value'`
  })
}

export const alertChecks: readonly AlertCheck[] = [
  check('AuditEvent', 'The body is an AuditEvent.', ({ resourceType }) =>
    resourceType === 'AuditEvent'
      ? undefined
      : `Incorrect resource type found, expected "AuditEvent" but found "${shown(String(resourceType))}"`,
  ),
  // The second apostrophe is the service's own.
  check('Id', 'The event has an id.', ({ id }) => (text(id) === undefined ? "'id' element is missing'" : undefined)),
  check('Message', 'There is exactly one message to be passed on, as an extension with a valueString.', (event) => {
    const found = messages(event)
    if (found.length !== 1) return `Expecting exactly one 'extension' element with URL: '${extensionUrl}'`
    return text(found[0]?.['valueString']) === undefined
      ? `'valueString' for 'extension' '${extensionUrl}' is missing`
      : undefined
  }),
  check('Type', `The type is of ${lifecycle}, or 1 or 2 of ${alertTypes.system}, and has a display.`, ({ type }) => {
    const { system, code, display } = asJson(type)
    if (system !== lifecycle && system !== alertTypes.system) return `'Type' element for '${lifecycle}' system missing`
    if (system === alertTypes.system && !alertTypes.codes.includes(String(code)))
      return `Invalid or missing value in field 'type.code'. Supported values are: ${alertTypes.codes.join(', ')}`
    return text(display) === undefined ? "Missing value 'type.display'" : undefined
  }),
  check('Reason', `There is exactly one subtype, with a display: a code of ${reasonSystem}.`, ({ subtype }) => {
    const [reason, ...more] = items(subtype)
    if (reason === undefined || more.length > 0) return "Expecting exactly one 'subtype' element"
    if (reason['system'] !== reasonSystem)
      return `Invalid or missing value in field 'subtype.system'. Supported value is: ${reasonSystem}`
    if (!['0', ...reasons].includes(String(reason['code'])))
      return `Invalid or missing value in field 'subtype.code'. Supported values are: ${reasons.join(', ')}`
    return text(reason['display']) === undefined ? "Missing value 'subtype.display'" : undefined
  }),
  check('Time', 'The event says when it was recorded.', ({ recorded }) =>
    isMoment(recorded) ? undefined : "'recorded' element missing",
  ),
  check('Summary', 'Exactly one entity names the summary that was looked at.', (event) => {
    if (items(event['entity']).length !== 1) return "Expecting exactly one 'entity' element"
    return summaryIn(event) === undefined
      ? "Invalid or missing value in field 'entity.what.identifier.value'"
      : undefined
  }),
  agent('Patient', numbers),
  agent('Organisation', organisations),
  agent('Person', people),
  check('Role', 'The person has a role, in words or coded.', (event) => {
    const roles = items(agents(event, people)[0]?.['role'])
    if (roles.length === 0) return `Expecting at least one 'role' for 'agent' entry with system ${people}`
    return roles.some((role) => text(role['text']) === undefined && codings(role).length === 0)
      ? `Expecting at least one non empty 'role' for 'agent' entry with system ${people}`
      : undefined
  }),
  check('NHS number', 'The NHS number has a right check digit.', (event) => {
    const { nhsNumber } = alertIn(event)
    return isNhsNumber(nhsNumber)
      ? undefined
      : `Invalid value - ${shown(nhsNumber)} in field 'agent.who.identifier.value'`
  }),
]

/** What a sound event says. */
export function alertIn(event: Json): Omit<PrivacyAlert, 'id' | 'sent'> {
  const [reason = {}] = items(event['subtype'])
  return {
    nhsNumber: named(event, numbers),
    reason: { code: String(reason['code']), display: shown(String(reason['display'])) },
    message: String(messages(event)[0]?.['valueString']).slice(0, 2000),
    recorded: String(event['recorded']),
    organisation: shown(named(event, organisations)),
    person: shown(named(event, people)),
    summary: shown(summaryIn(event) ?? ''),
  }
}
