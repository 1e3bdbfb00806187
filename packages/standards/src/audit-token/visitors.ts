/**
 * The rules of the token of Visitors & Migrants (demographics specification §25): that of GP Connect 0.x in the naming
 * systems of everything later, with an audience of its own, its scope under the name `requested_scopes`, and a
 * practitioner who need not have a name.
 */
import { dstu2 } from '../fhir/dstu2.ts'
import { namingSystem } from '../nhs/nhs.ts'
import { identifierOf, isText, type Json, objectAt, objectsAt } from './claims.ts'
import { type Generation, hasIdentifier, resourceRules, timeRules, typed } from './gp-connect.ts'
import { envelopeRules, rulesOf, type TokenRule, textClaim } from './rule.ts'
import { visitorsScopes } from './scope.ts'

/** The one audience, whoever serves the request. */
export const visitorsAudience = 'https://authorize.fhir.nhs.uk/token'

const { nhsNumber, odsOrganisation } = namingSystem.fhirNhsUk
const generation: Generation = { line: '0', fhir: dstu2, ids: namingSystem.fhirNhsUk }

/** The text of the specification has the later naming systems, its example files the earlier ones: both are taken. */
const numberSystems = [nhsNumber, namingSystem.dstu2.nhsNumber]
const organisationSystems = [odsOrganisation, namingSystem.dstu2.odsOrganisation]
const hasOne = (resource: Json, systems: readonly string[]) => systems.some((each) => hasIdentifier(resource, each))

/** NHS number of the patient that the token says is asked for. */
export function visitorsRecord(claims: Json): string | undefined {
  const record = objectAt(claims, 'requested_record')
  return numberSystems.map((system) => identifierOf(record, system)).find((number) => number !== undefined)
}

function rules(): readonly TokenRule[] {
  const rule = rulesOf('25')
  const device = 'requesting_device'
  const organisation = 'requesting_organization'
  const practitioner = 'requesting_practitioner'
  const record = 'requested_record'
  return [
    ...envelopeRules(rulesOf('3.1')),
    textClaim(rule, 'iss', 'Send the URL of your own system.'),
    textClaim(rule, 'sub', `Send who asks: an identifier, or the id, of ${practitioner}.`),
    textClaim(rule, 'aud', `Send ${visitorsAudience}.`),
    rule('aud', 'aud', {
      explains: `The claim aud is not ${visitorsAudience}.`,
      remedy: `Send ${visitorsAudience}.`,
      passes: ({ claims: { aud } }) => !isText(aud) || aud === visitorsAudience,
    }),
    ...timeRules(rule),
    rule('reason_for_request', 'reason_for_request', {
      explains: 'The claim reason_for_request is not directcare.',
      remedy: 'Send directcare: nothing else is a reason here.',
      passes: ({ claims }) => claims['reason_for_request'] === 'directcare',
    }),
    textClaim(rule, 'requested_scopes', `Send ${visitorsScopes[0]}.`),
    rule('requested_scopes', 'scope', {
      explains: `The claim requested_scopes is not ${visitorsScopes[0]}.`,
      remedy: `Send ${visitorsScopes[0]}.`,
      passes: ({ claims: { requested_scopes: scope } }) =>
        !isText(scope) || visitorsScopes.some((one) => one === scope),
    }),
    ...resourceRules(rule, generation, device, () => ['Device'], 'Send a Device with an identifier.'),
    rule(device, `${device} identifier`, {
      explains: `The claim ${device} has no identifier.`,
      remedy: 'Give the device an identifier: a system (a URL of your own) and a value.',
      at: [device, 'identifier'],
      passes({ claims }) {
        const it = typed(claims, device, 'Device')
        return !it || objectsAt(it, 'identifier').length > 0
      },
    }),
    ...resourceRules(rule, generation, organisation, () => ['Organization'], 'Send an Organization with its ODS code.'),
    rule(organisation, `${organisation} identifier`, {
      explains: `The claim ${organisation} has no identifier of the system ${odsOrganisation}.`,
      remedy: `Give the organisation an identifier of the system ${odsOrganisation} whose value is its ODS code.`,
      at: [organisation, 'identifier'],
      passes({ claims }) {
        const it = typed(claims, organisation, 'Organization')
        return !it || hasOne(it, organisationSystems)
      },
    }),
    ...resourceRules(
      rule,
      generation,
      practitioner,
      () => ['Practitioner'],
      'Send a Practitioner with the role profile id of the person who asks, or a local user id.',
    ),
    rule(practitioner, `${practitioner} identifier`, {
      explains: `The claim ${practitioner} has no identifier with system and value.`,
      remedy: 'Give the practitioner the role profile id of the smartcard session, or a local user id.',
      at: [practitioner, 'identifier'],
      passes({ claims }) {
        const it = typed(claims, practitioner, 'Practitioner')
        return !it || objectsAt(it, 'identifier').some(({ system, value }) => isText(system) && isText(value))
      },
    }),
    rule('sub', 'sub', {
      explains: `The claim sub is neither an identifier nor the id of ${practitioner}.`,
      remedy: `Send the same text as sub and as an identifier, or the id, of ${practitioner}.`,
      passes({ claims }) {
        const it = typed(claims, practitioner, 'Practitioner')
        const { sub } = claims
        const names = it ? [it['id'], ...objectsAt(it, 'identifier').map(({ value }) => value)] : []
        // A practitioner without a name of any kind is the fault of the rule before.
        return !isText(sub) || names.every((name) => name === undefined) || names.includes(sub)
      },
    }),
    ...resourceRules(rule, generation, record, () => ['Patient'], 'Send the Patient by NHS number.'),
    rule(record, `${record} identifier`, {
      explains: `The claim ${record} has no identifier of the system ${nhsNumber}.`,
      remedy: `Give the patient an identifier of the system ${nhsNumber} whose value is the NHS number.`,
      at: [record, 'identifier'],
      passes({ claims }) {
        const it = typed(claims, record, 'Patient')
        return !it || hasOne(it, numberSystems)
      },
    }),
  ]
}

/** In order: the first that does not pass decides the answer. */
export const visitorsTokenRules: readonly TokenRule[] = rules()
