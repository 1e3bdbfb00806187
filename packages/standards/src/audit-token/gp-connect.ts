/**
 * The rules of GP Connect's token, 0.x (§3.3) and 1.x (§3.2), in the order in which a provider asks. It is provenance,
 * not authentication: nothing is verified but that it says everything it must.
 */
import type { FhirCodec } from '../fhir/codec.ts'
import { dstu2 } from '../fhir/dstu2.ts'
import { stu3 } from '../fhir/stu3.ts'
import { namingSystem } from '../nhs/nhs.ts'
import { isObject, isText, type Json, objectAt, secondsAt } from './claims.ts'
import {
  envelopeRules,
  expiryRule,
  lifeOf,
  lifeSeconds,
  type RuleMaker,
  rulesOf,
  secondsClaim,
  type TokenRule,
  type TokenSubject,
  textClaim,
} from './rule.ts'

/** The one audience of 0.x, whoever the provider is. */
export const fixedAudience = 'https://authorize.fhir.nhs.net/token'

type Line = '0' | '1.2' | '1.6'

/** What differs between the lines. */
export interface Generation {
  readonly line: Line
  readonly fhir: FhirCodec
  readonly ids: { readonly odsOrganisation: string; readonly sdsUserId: string }
}

/** The resource is there, and is of a type that is asked about by an earlier rule. */
export function typed(claims: Json, claim: string, type: string): Json | undefined {
  const resource = claims[claim]
  return isObject(resource) && resource['resourceType'] === type ? resource : undefined
}

/** Has a text there. What is no string at all is a fault of structure, which an earlier rule has named. */
function hasText(resource: Json, member: string): boolean {
  const value = resource[member]
  return isText(value) || (value !== undefined && typeof value !== 'string')
}

/** Has such an object in the list there; what is no list of objects is a fault of structure. */
function hasListed(resource: Json, member: string, asks: (it: Json) => boolean): boolean {
  const value = resource[member]
  if (!Array.isArray(value)) return value !== undefined
  return value.filter(isObject).some(asks) || !value.every(isObject)
}

export const hasIdentifier = (resource: Json, wanted: string) =>
  hasListed(resource, 'identifier', ({ system, value }) => system === wanted && isText(value))

/** Present, of the right type, and of sound structure. */
export function resourceRules(
  rule: RuleMaker,
  { line, fhir }: Generation,
  claim: string,
  type: (subject: TokenSubject) => readonly string[],
  remedy: string,
  optional: (subject: TokenSubject) => boolean = () => false,
): TokenRule[] {
  const isTyped = (subject: TokenSubject) =>
    type(subject).some((it) => it === objectAt(subject.claims, claim)['resourceType'])
  const fault = (subject: TokenSubject) => (isTyped(subject) ? fhir.structureFault(subject.claims[claim]) : undefined)
  return [
    rule(claim, `${claim} present`, {
      explains: `The claim ${claim} is missing.`,
      remedy,
      passes: (subject) =>
        isObject(subject.claims[claim]) || (subject.claims[claim] === undefined && optional(subject)),
    }),
    rule(claim, `${claim} type`, {
      explains: `The claim ${claim} has the wrong resourceType.`,
      remedy,
      at: [claim, 'resourceType'],
      // The published tests of 0.x want 400 for it, those of 1.x 422.
      outcome: line === '0' ? 'BAD_REQUEST' : 'INVALID_RESOURCE',
      passes: (subject) => !isObject(subject.claims[claim]) || isTyped(subject),
    }),
    rule(claim, `${claim} structure`, {
      explains: `The claim ${claim} has a member that its resource does not know, or a value of the wrong type.`,
      remedy: `Leave out what ${fhir.version.toUpperCase()} does not define for this resource, and give lists and texts where it has them.`,
      outcome: 'INVALID_RESOURCE',
      passes: (subject) => fault(subject) === undefined,
      detail: fault,
    }),
  ]
}

export function timeRules(rule: RuleMaker): readonly TokenRule[] {
  return [
    secondsClaim(rule, 'iat', 'Send the time of the request in whole seconds since 1970 (UTC), as a JSON number.'),
    secondsClaim(rule, 'exp', 'Send iat plus 300, in whole seconds, as a JSON number.'),
    rule('exp', 'life', {
      explains: `The claim exp is not exactly ${lifeSeconds} seconds after iat.`,
      remedy: 'Set exp to iat plus 300.',
      passes({ claims }) {
        const life = lifeOf(claims)
        return life === undefined || life === lifeSeconds
      },
    }),
    expiryRule(rule),
    rule('iat', 'iat ahead', {
      explains: 'The claim iat lies too far in the future.',
      remedy: 'Set the clock of the sender right; send seconds, not milliseconds.',
      passes({ claims, now, longestAheadSeconds = Number.POSITIVE_INFINITY }) {
        const iat = secondsAt(claims, 'iat')
        return iat === undefined || iat <= now + longestAheadSeconds
      },
    }),
  ]
}

function audienceRules(rule: RuleMaker, line: Line): readonly TokenRule[] {
  const remedy =
    line === '0'
      ? `Send ${fixedAudience}, whoever the provider is.`
      : 'Send the service root URL of the provider as the directory has it (nhsMhsEndPoint), without a slash at its end.'
  const present = textClaim(rule, 'aud', remedy)
  const withoutSlash = (url: string) => url.replace(/\/$/, '')
  if (line === '0')
    return [
      present,
      rule('aud', 'aud', {
        explains: `The claim aud is not ${fixedAudience}.`,
        remedy,
        passes: ({ claims: { aud } }) => !isText(aud) || aud === fixedAudience,
      }),
    ]
  return [
    present,
    rule('aud', 'aud', {
      explains: 'The claim aud is not the service root of the provider.',
      remedy,
      passes: ({ claims: { aud }, expectedAudience }) =>
        !isText(aud) || expectedAudience === undefined || withoutSlash(aud) === withoutSlash(expectedAudience),
    }),
  ]
}

function reasonRule(rule: RuleMaker, line: Line): TokenRule {
  const reasons = line === '1.6' ? ['directcare', 'migration'] : ['directcare']
  return rule('reason_for_request', 'reason_for_request', {
    explains: `The claim reason_for_request is not ${reasons.join(' or ')}.`,
    remedy: `Send ${reasons.join(' or ')}: nothing else is a reason here.`,
    passes: ({ claims }) => reasons.some((it) => it === claims['reason_for_request']),
  })
}

function deviceRules(rule: RuleMaker, generation: Generation): readonly TokenRule[] {
  const claim = 'requesting_device'
  const device = ({ claims }: TokenSubject) => typed(claims, claim, 'Device')
  return [
    ...resourceRules(
      rule,
      generation,
      claim,
      () => ['Device'],
      'Send a Device with identifier, model and version of the system that asks.',
    ),
    rule(claim, `${claim} identifier`, {
      explains: `The claim ${claim} has no identifier with system and value.`,
      remedy: 'Give the device an identifier: a system (a URL of your own) and a value.',
      at: [claim, 'identifier'],
      passes(subject) {
        const it = device(subject)
        return !it || hasListed(it, 'identifier', ({ system, value }) => isText(system) && isText(value))
      },
    }),
    rule(claim, `${claim} product`, {
      explains: `The claim ${claim} has no model or no version.`,
      remedy: 'Give the device model (the product) and version (of the software).',
      passes(subject) {
        const it = device(subject)
        return !it || (hasText(it, 'model') && hasText(it, 'version'))
      },
    }),
  ]
}

function organisationRules(rule: RuleMaker, generation: Generation): readonly TokenRule[] {
  const claim = 'requesting_organization'
  const { odsOrganisation } = generation.ids
  const organisation = ({ claims }: TokenSubject) => typed(claims, claim, 'Organization')
  return [
    ...resourceRules(
      rule,
      generation,
      claim,
      () => ['Organization'],
      'Send an Organization with ODS code and name: the organisation where the user works, not the one that hosts the system.',
    ),
    rule(claim, `${claim} identifier`, {
      explains: `The claim ${claim} has no identifier of the system ${odsOrganisation}.`,
      remedy: `Give the organisation an identifier of the system ${odsOrganisation} whose value is its ODS code.`,
      at: [claim, 'identifier'],
      passes(subject) {
        const it = organisation(subject)
        return !it || hasIdentifier(it, odsOrganisation)
      },
    }),
    rule(claim, `${claim} name`, {
      explains: `The claim ${claim} has no name.`,
      remedy: 'Give the organisation its name.',
      at: [claim, 'name'],
      passes(subject) {
        const it = organisation(subject)
        return !it || hasText(it, 'name')
      },
    }),
  ]
}

function hasFamilyName(line: Line, practitioner: Json): boolean {
  if (line !== '0') return hasListed(practitioner, 'name', (it) => hasText(it, 'family'))
  const { name } = practitioner
  if (!isObject(name)) return name !== undefined
  const { family } = name
  return Array.isArray(family) ? family.some(isText) : family !== undefined
}

function practitionerRules(rule: RuleMaker, generation: Generation): readonly TokenRule[] {
  const claim = 'requesting_practitioner'
  const { line, ids } = generation
  const migrates = ({ migrate }: TokenSubject) => line === '1.6' && migrate === true
  const practitioner = ({ claims }: TokenSubject) => typed(claims, claim, 'Practitioner')
  /** Asked of whoever must be named, and is. */
  const named = (asks: (it: Json, subject: TokenSubject) => boolean) => (subject: TokenSubject) => {
    const it = practitioner(subject)
    return !it || migrates(subject) || asks(it, subject)
  }
  const name = line === '0' ? '{"family":["Jones"],"given":["Claire"]}' : '[{"family":"Jones","given":["Claire"]}]'
  return [
    ...resourceRules(
      rule,
      generation,
      claim,
      () => ['Practitioner'],
      'Send a Practitioner with id, name and identifiers: the person who asks, never a general user of the system.',
      migrates,
    ),
    rule(claim, `${claim} id`, {
      explains: `The claim ${claim} has no id.`,
      remedy: 'Give the practitioner the id of the user in your system, the same as sub.',
      at: [claim, 'id'],
      passes: named((it) => hasText(it, 'id')),
    }),
    rule('sub', 'sub', {
      explains: `The claim sub is not the id of ${claim}.`,
      remedy: `Send the same text as sub and as ${claim}.id.`,
      passes({ claims }) {
        const id = typed(claims, claim, 'Practitioner')?.['id']
        return !isText(id) || !isText(claims['sub']) || claims['sub'] === id
      },
    }),
    rule(claim, `${claim} identifier`, {
      explains: `The claim ${claim} has no identifier of the system ${ids.sdsUserId}.`,
      remedy: `Give the practitioner an identifier of the system ${ids.sdsUserId} whose value is the smartcard user id, or UNK where there is none.`,
      at: [claim, 'identifier'],
      passes: named((it) => hasIdentifier(it, ids.sdsUserId)),
    }),
    rule(claim, `${claim} name`, {
      explains: `The claim ${claim} has no family name.`,
      remedy: `Give the practitioner a name as this version has it: ${name}.`,
      at: [claim, 'name'],
      passes: named((it) => hasFamilyName(line, it)),
    }),
  ]
}

function recordRules(rule: RuleMaker, generation: Generation): readonly TokenRule[] {
  const claim = 'requested_record'
  if (generation.line !== '0')
    return [
      rule(claim, `${claim} absent`, {
        explains: `The claim ${claim} must not be sent.`,
        remedy: `Leave ${claim} out: GP Connect 1.x has it no more.`,
        passes: ({ claims }) => claims[claim] === undefined,
      }),
    ]
  const remedy =
    'Send the Patient by NHS number for a care record, the Organization by ODS code for metadata, with systems that begin with http://fhir.nhs.net/Id/.'
  const types = ({ recordType }: TokenSubject): readonly ('Patient' | 'Organization')[] =>
    recordType === undefined ? ['Patient', 'Organization'] : [recordType]
  return [
    ...resourceRules(rule, generation, claim, types, remedy),
    rule(claim, `${claim} identifier`, {
      explains:
        'The claim requested_record does not name the record: a patient by NHS number, an organisation by ODS code.',
      remedy,
      at: [claim, 'identifier'],
      passes(subject) {
        const type = types(subject).find((it) => typed(subject.claims, claim, it))
        if (type === undefined) return true
        const { nhsNumber, odsOrganisation } = namingSystem.dstu2
        return hasIdentifier(objectAt(subject.claims, claim), type === 'Patient' ? nhsNumber : odsOrganisation)
      },
    }),
  ]
}

function gpConnect(clause: string, generation: Generation): readonly TokenRule[] {
  const rule = rulesOf(clause)
  return [
    ...envelopeRules(rulesOf('3.1')),
    textClaim(rule, 'iss', 'Send the URL of your own system.'),
    textClaim(rule, 'sub', 'Send the id of the user, the same as requesting_practitioner.id.'),
    ...audienceRules(rule, generation.line),
    ...timeRules(rule),
    reasonRule(rule, generation.line),
    textClaim(rule, 'requested_scope', 'Send the scope of the interaction, for example patient/*.read.'),
    ...deviceRules(rule, generation),
    ...organisationRules(rule, generation),
    ...practitionerRules(rule, generation),
    ...recordRules(rule, generation),
  ]
}

const later = { fhir: stu3, ids: namingSystem.fhirNhsUk } as const

export const gpConnectRules = {
  'gpconnect-0': gpConnect('3.3', { line: '0', fhir: dstu2, ids: namingSystem.dstu2 }),
  'gpconnect-1.2': gpConnect('3.2', { line: '1.2', ...later }),
  'gpconnect-1.6': gpConnect('3.2', { line: '1.6', ...later }),
} as const
