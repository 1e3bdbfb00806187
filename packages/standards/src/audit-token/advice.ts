/** What no provider must refuse, but what a token should have or leave: the SHOULDs, and what is probably a slip. */
import { isNhsNumber, isOdsCode, namingSystem } from '../nhs/nhs.ts'
import { isText, type Json, objectAt, objectsAt, requestedRecord, requestingOrganisation, secondsAt } from './claims.ts'
import { fixedAudience } from './gp-connect.ts'
import { rulesOf, type TokenRule, type TokenSubject, type TokenVariant } from './rule.ts'
import { visitorsRecord } from './visitors.ts'

export type TokenAdvice = Omit<TokenRule, 'outcome'>

const isUrl = (value: unknown) => isText(value) && /^https?:\/\/[^\s/]+/.test(value)
const practitioner = ({ claims }: TokenSubject) => objectAt(claims, 'requesting_practitioner')
const systemsOf = (resource: Json) => objectsAt(resource, 'identifier').map(({ system }) => system)
const hasPractitioner = (subject: TokenSubject) => subject.claims['requesting_practitioner'] !== undefined

function common(clause: string): readonly TokenAdvice[] {
  const rule = rulesOf(clause)
  return [
    rule('iss', 'iss URL', {
      explains: 'The claim iss is not a URL.',
      remedy: 'Send the URL of your own system.',
      passes: ({ claims: { iss } }) => !isText(iss) || isUrl(iss),
    }),
    rule('iat', 'iat ahead of time', {
      explains: 'The claim iat lies in the future: tests accept it, and some providers refuse it.',
      remedy: 'Keep the clock of the sender right.',
      passes: ({ claims, now }) => (secondsAt(claims, 'iat') ?? 0) <= now,
    }),
    rule('requesting_organization', 'ODS code', {
      explains: 'The ODS code of requesting_organization does not look like one.',
      remedy: 'Send the ODS code, one to nine letters and digits.',
      passes({ claims }) {
        const code = requestingOrganisation(claims)
        return code === undefined || isOdsCode(code)
      },
    }),
    rule('sub', 'sub is a person', {
      explains: 'The claim sub looks like a general user, not a person.',
      remedy: 'Name the person who asks: a general user of the system is not allowed.',
      passes: ({ claims: { sub } }) => !isText(sub) || !/^(system|admin|user|anonymous|unknown|test|unk)$/i.test(sub),
    }),
  ]
}

function localIdentifier(clause: string, national: readonly string[]): TokenAdvice {
  return rulesOf(clause)('requesting_practitioner', 'local user id', {
    explains: 'The claim requesting_practitioner has no identifier of your own system.',
    remedy: 'Add an identifier with a system URL of your own, and the id of the user there.',
    at: ['requesting_practitioner', 'identifier'],
    passes(subject) {
      const found = systemsOf(practitioner(subject))
      return found.length === 0 || found.some((it) => isText(it) && !national.includes(it))
    },
  })
}

function earlyAdvice(): readonly TokenAdvice[] {
  const rule = rulesOf('3.3')
  const { sdsUserId, sdsRoleProfileId } = namingSystem.dstu2
  const hasId = (claim: string) =>
    rule(claim, `${claim} id`, {
      explains: `The claim ${claim} has no id.`,
      remedy: 'Give it an id, as the published examples of 0.x have one.',
      at: [claim, 'id'],
      passes: ({ claims }) => claims[claim] === undefined || objectAt(claims, claim)['id'] !== undefined,
    })
  return [
    ...common('3.3'),
    hasId('requesting_device'),
    hasId('requesting_organization'),
    localIdentifier('3.3', [sdsUserId, sdsRoleProfileId]),
    rule('requesting_practitioner', 'job role', {
      explains: 'The claim requesting_practitioner has no job role: older tests refuse it.',
      remedy: 'Add practitionerRole with a coding of the system http://fhir.nhs.net/ValueSet/sds-job-role-name-1.',
      at: ['requesting_practitioner', 'practitionerRole'],
      passes: (subject) =>
        !hasPractitioner(subject) ||
        objectsAt(practitioner(subject), 'practitionerRole').some(({ role }) =>
          JSON.stringify(role ?? '').includes('sds-job-role-name-1'),
        ),
    }),
    numberAdvice('3.3', (claims) => requestedRecord(claims, 'Patient')),
  ]
}

function numberAdvice(clause: string, numberIn: (claims: Json) => string | undefined): TokenAdvice {
  return rulesOf(clause)('requested_record', 'NHS number', {
    explains: 'The NHS number of requested_record is not valid: ten digits whose last is the check digit.',
    remedy: 'Trace the patient, and send the NHS number as PDS has it.',
    at: ['requested_record', 'identifier'],
    passes({ claims }) {
      const number = numberIn(claims)
      return number === undefined || isNhsNumber(number)
    },
  })
}

function laterAdvice(): readonly TokenAdvice[] {
  const rule = rulesOf('3.2')
  const { sdsUserId, sdsRoleProfileId } = namingSystem.fhirNhsUk
  return [
    ...common('3.2'),
    rule('aud', 'aud service root', {
      explains: 'The claim aud does not look like a service root of STU3.',
      remedy:
        'Send the service root URL of the provider as the directory has it (nhsMhsEndPoint), without a slash at its end.',
      passes: ({ claims: { aud } }) =>
        !isText(aud) || (aud !== fixedAudience && isUrl(aud) && aud.includes('/STU3/') && !aud.endsWith('/')),
    }),
    rule('requesting_practitioner', 'role profile id', {
      explains: `The claim requesting_practitioner has no identifier of the system ${sdsRoleProfileId}.`,
      remedy: `Add an identifier of the system ${sdsRoleProfileId}, with the value UNK where there is none.`,
      at: ['requesting_practitioner', 'identifier'],
      passes: (subject) =>
        !hasPractitioner(subject) || systemsOf(practitioner(subject)).some((it) => it === sdsRoleProfileId),
    }),
    localIdentifier('3.2', [sdsUserId, sdsRoleProfileId]),
    rule('requesting_practitioner', 'practitioner named', {
      explains: 'The claim requesting_practitioner is missing: a migration should name who asks.',
      remedy: 'Send it where a person started the migration.',
      passes: (subject) => subject.migrate !== true || hasPractitioner(subject),
    }),
  ]
}

function spineAdvice(clause: string): readonly TokenAdvice[] {
  const rule = rulesOf(clause)
  const { sdsRoleProfileId } = namingSystem.fhirNhsUk
  return [
    ...common(clause),
    rule('aud', 'aud URL', {
      explains: 'The claim aud is not a URL.',
      remedy: 'Send the URL of the endpoint that is called.',
      passes: ({ claims: { aud } }) => !isText(aud) || isUrl(aud),
    }),
    rule('requesting_organization', 'organisation named', {
      explains: 'The claim requesting_organization is missing.',
      remedy: `Send ${namingSystem.fhirNhsUk.odsOrganisation}|, then the ODS code of the organisation that asks.`,
      // Where it must stand, the rule says so.
      passes: ({ claims }) => clause === '2.13' || claims['requesting_organization'] !== undefined,
    }),
    rule('requesting_user', 'requesting_user form', {
      explains: `The claim requesting_user is not ${sdsRoleProfileId}| followed by the role profile id.`,
      remedy: `Send ${sdsRoleProfileId}|, then the role profile id (URPID).`,
      passes: ({ claims: { requesting_user: user } }) =>
        clause !== '2.13' || !isText(user) || user.startsWith(`${sdsRoleProfileId}|`),
    }),
  ]
}

const later = laterAdvice()

/** Advice of a variant, in the order of the claims. */
export const tokenAdvice: Readonly<Record<TokenVariant, readonly TokenAdvice[]>> = {
  'gpconnect-0': earlyAdvice(),
  'gpconnect-1.2': later,
  'gpconnect-1.6': later,
  'spine-core': spineAdvice('3.4'),
  nrl: spineAdvice('2.13'),
  visitors: [...common('25'), numberAdvice('25', visitorsRecord)],
}

const jwtClaims = ['iss', 'sub', 'aud', 'exp', 'iat', 'reason_for_request']
const gpConnectClaims = [
  ...jwtClaims,
  'requested_scope',
  'requesting_device',
  'requesting_organization',
  'requesting_practitioner',
  'requested_record',
]
const spineClaims = [
  ...jwtClaims,
  'scope',
  'requesting_system',
  'requesting_organization',
  'requesting_user',
  'requesting_patient',
]

/** The claims that a variant has, and one that must not be sent any more. */
export function knownClaims(variant: TokenVariant): readonly string[] {
  if (variant === 'visitors')
    return gpConnectClaims.map((claim) => (claim === 'requested_scope' ? 'requested_scopes' : claim))
  return variant === 'spine-core' || variant === 'nrl' ? spineClaims : gpConnectClaims
}
