/** The rules of the token of the Spine's other FHIR services (§3.4), and the stricter ones of the record locator (§2.13). */
import { isAsid, isNhsNumber, isOdsCode, namingSystem } from '../nhs/nhs.ts'
import { isText, secondsAt } from './claims.ts'
import {
  envelopeRules,
  expiryRule,
  lifeOf,
  lifeSeconds,
  type RuleMaker,
  rulesOf,
  secondsClaim,
  type TokenRule,
  textClaim,
} from './rule.ts'
import { tokenScopes } from './scope.ts'

/** Clocks differ: the record locator forgives so much. */
const toleranceSeconds = 30

const { accreditedSystem, odsOrganisation, sdsRoleProfileId, nhsNumber } = namingSystem.fhirNhsUk

function references(value: unknown, system: string, isIdentifier: (it: string) => boolean): boolean {
  return isText(value) && value.startsWith(`${system}|`) && isIdentifier(value.slice(system.length + 1))
}

/** `system|value`, where the claim stands. */
function referenceRule(
  rule: RuleMaker,
  claim: string,
  system: string,
  what: string,
  isIdentifier: (it: string) => boolean = isText,
): TokenRule {
  return rule(claim, claim, {
    explains: `The claim ${claim} is not ${system}| followed by ${what}.`,
    remedy: `Send ${system}|, then ${what}, as one text.`,
    passes: ({ claims }) => claims[claim] === undefined || references(claims[claim], system, isIdentifier),
  })
}

function common(rule: RuleMaker): readonly TokenRule[] {
  return [
    ...envelopeRules(rulesOf('3.1')),
    textClaim(rule, 'iss', 'Send the URL of your own system.'),
    textClaim(rule, 'sub', 'Send who asks: the same text as requesting_user.'),
    textClaim(rule, 'aud', 'Send the URL of the endpoint that is called.'),
    secondsClaim(rule, 'iat', 'Send the time of the request in whole seconds since 1970 (UTC), as a JSON number.'),
    secondsClaim(rule, 'exp', 'Send iat plus 300, in whole seconds, as a JSON number.'),
    rule('exp', 'order', {
      explains: 'The claim iat is after exp.',
      remedy: 'Set exp to iat plus 300.',
      passes: ({ claims }) => (lifeOf(claims) ?? 0) >= 0,
    }),
  ]
}

function asked(rule: RuleMaker, reasons: readonly string[], scopes: readonly string[]): readonly TokenRule[] {
  return [
    rule('reason_for_request', 'reason_for_request', {
      explains: `The claim reason_for_request is not ${reasons.join(' or ')}.`,
      remedy: `Send ${reasons.join(' or ')}: nothing else is a reason here.`,
      passes: ({ claims }) => reasons.some((it) => it === claims['reason_for_request']),
    }),
    textClaim(rule, 'scope', `Send ${scopes.join(' or ')}.`),
    rule('scope', 'scope', {
      explains: `The claim scope is not ${scopes.join(' or ')}.`,
      remedy: `Send ${scopes.join(' or ')}.`,
      passes: ({ claims }) => !isText(claims['scope']) || scopes.some((it) => it === claims['scope']),
    }),
    textClaim(rule, 'requesting_system', `Send ${accreditedSystem}|, then the ASID of your system.`),
    referenceRule(rule, 'requesting_system', accreditedSystem, 'the ASID, twelve digits', isAsid),
  ]
}

function spineCore(): readonly TokenRule[] {
  const rule = rulesOf('3.4')
  return [
    ...common(rule),
    rule('exp', 'life', {
      explains: `The claim exp is more than ${lifeSeconds} seconds after iat.`,
      remedy: 'Set exp to iat plus 300.',
      passes: ({ claims }) => (lifeOf(claims) ?? 0) <= lifeSeconds,
    }),
    expiryRule(rule),
    ...asked(rule, ['directcare', 'secondaryuses', 'patientaccess'], tokenScopes),
    referenceRule(rule, 'requesting_organization', odsOrganisation, 'the ODS code', isOdsCode),
    referenceRule(rule, 'requesting_user', sdsRoleProfileId, 'the role profile id (URPID)'),
    referenceRule(rule, 'requesting_patient', nhsNumber, 'the NHS number', isNhsNumber),
    rule('sub', 'sub', {
      explains:
        'The claim sub is neither requesting_user nor requesting_patient, nor requesting_system where nobody attends.',
      remedy:
        'Send as sub the whole text of requesting_user; without a user, that of requesting_patient; without both, that of requesting_system.',
      passes({ claims }) {
        const { sub, requesting_user: user, requesting_patient: patient, requesting_system: system } = claims
        if (!isText(sub)) return true
        if (user !== undefined || patient !== undefined) return sub === user || sub === patient
        return !isText(system) || sub === system
      },
    }),
  ]
}

function recordLocator(): readonly TokenRule[] {
  const rule = rulesOf('2.13')
  return [
    ...common(rule),
    expiryRule(rule),
    rule('iat', 'iat ahead', {
      explains: 'The claim iat lies in the future.',
      remedy: `Set the clock of the sender right: ${toleranceSeconds} seconds are forgiven.`,
      passes: ({ claims, now }) => (secondsAt(claims, 'iat') ?? 0) <= now + toleranceSeconds,
    }),
    rule('exp', 'exp ahead', {
      explains: 'The claim exp lies more than five minutes in the future.',
      remedy: `Set exp to iat plus 300: ${toleranceSeconds} seconds more are forgiven.`,
      passes: ({ claims, now }) => (secondsAt(claims, 'exp') ?? 0) <= now + lifeSeconds + toleranceSeconds,
    }),
    ...asked(rule, ['directcare'], ['patient/*.read']),
    textClaim(rule, 'requesting_organization', `Send ${odsOrganisation}|, then the ODS code.`),
    referenceRule(rule, 'requesting_organization', odsOrganisation, 'the ODS code', isOdsCode),
    textClaim(rule, 'requesting_user', `Send ${sdsRoleProfileId}|, then the role profile id (URPID).`),
    rule('sub', 'sub', {
      explains: 'The claim sub is not requesting_user.',
      remedy: 'Send the same text as sub and as requesting_user.',
      passes: ({ claims: { sub, requesting_user: user } }) => !isText(sub) || !isText(user) || sub === user,
    }),
  ]
}

export const spineCoreRules = { 'spine-core': spineCore(), nrl: recordLocator() } as const
