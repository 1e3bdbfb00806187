/**
 * What a FHIR API of the Spine, the record locator, or a provider of its records answers to a token that it does not
 * accept, word for word (identity specification §7.1). The rules of `spine-core.ts` tell everything that is wrong;
 * this list tells the one thing that the wire says.
 */
import { readBearer } from '../jwt/jwt.ts'
import { isAsid, isOdsCode, namingSystem } from '../nhs/nhs.ts'
import { isText, type Json, secondsAt } from './claims.ts'
import { lifeSeconds } from './rule.ts'

/** Other FHIR APIs of the Spine, the pointers of the record locator, and the records that these point to. */
export type SpineApi = 'spine' | 'nrl-pointers' | 'nrl-records'

export interface SpineTokenQuestion {
  readonly api: SpineApi
  /** Value of the header; undefined where there is none. */
  readonly authorization: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
  /** Whoever reads through the record locator must say who is at the screen; whoever writes pointers need not. */
  readonly consumer?: boolean
  /** Scopes of the operation. Absent: those of the API. */
  readonly scopes?: readonly string[]
  /** Claims that the API asks for besides: `requesting_organization`, `requesting_user`. Missing ones are named in their order (#3). */
  readonly mandatory?: readonly string[]
  /** Reasons that the API accepts. Absent: those of §7 for the Spine's, directcare alone for the record locator. */
  readonly reasons?: readonly string[]
  /** ODS code of the organisation of an accredited system; undefined where it is unknown. */
  organisationOf(asid: string): string | undefined
  isKnownOrganisation(odsCode: string): boolean
}

/** Every fault of a token is this OperationOutcome of STU3, with its own diagnostics. */
export const spineTokenOutcome = {
  status: 400,
  issue: 'structure',
  /** Some pages print `ValueSet` in place of `CodeSystem`: accept both when reading. */
  system: 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1',
  profile: 'https://fhir.nhs.uk/STU3/StructureDefinition/Spine-OperationOutcome-1',
  code: 'MISSING_OR_INVALID_HEADER',
  display: 'There is a required header missing or invalid',
} as const

/** A missing `fromASID` or `toASID` has the same coding under another issue code. */
export const asidHeaderOutcome = { ...spineTokenOutcome, issue: 'invalid' } as const
export const asidHeaderDiagnostics = (header: 'fromASID' | 'toASID'): string => `${header} HTTP Header is missing`

interface Subject {
  readonly question: SpineTokenQuestion
  readonly claims: Json
}

export interface SpineTokenCheck {
  readonly name: string
  readonly clause: string
  /** Diagnostics, where it does not pass. What it builds on has passed before. */
  fault(subject: Subject): string | undefined
}

const { accreditedSystem, odsOrganisation, sdsRoleProfileId, nhsNumber } = namingSystem.fhirNhsUk
const toleranceSeconds = 30
const longestShown = 200

/** What a stranger wrote, within bounds. */
const shown = (value: unknown) =>
  String(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, longestShown)

const scopesOf: Readonly<Record<SpineApi, readonly string[] | undefined>> = {
  spine: undefined,
  'nrl-pointers': ['patient/DocumentReference.read', 'patient/DocumentReference.write'],
  'nrl-records': ['patient/*.read'],
}
const anyReason = ['directcare', 'secondaryuses', 'patientaccess']

const numbers = ['exp', 'iat']
function mandatoryClaims({ api, consumer = false, mandatory = [] }: SpineTokenQuestion): readonly string[] {
  const always = ['iss', 'sub', 'aud', 'exp', 'iat', 'reason_for_request', 'scope', 'requesting_system']
  if (api === 'spine') return [...always, ...mandatory]
  return [
    ...always,
    'requesting_organization',
    ...(consumer || api === 'nrl-records' ? ['requesting_user'] : []),
    ...mandatory,
  ]
}

/** The identifier in `system|value`; undefined where the claim has another form. */
function identifierIn(claim: unknown, system: string, fits: (value: string) => boolean): string | undefined {
  if (!isText(claim) || !claim.startsWith(`${system}|`)) return undefined
  const value = claim.slice(system.length + 1)
  return fits(value) ? value : undefined
}
const asidIn = (claims: Json) => identifierIn(claims['requesting_system'], accreditedSystem, isAsid)
const organisationIn = (claims: Json) => identifierIn(claims['requesting_organization'], odsOrganisation, isOdsCode)

/** In order; the first that has a fault is the answer. The header itself is judged before them. */
export const spineTokenChecks: readonly SpineTokenCheck[] = [
  {
    name: 'mandatory claims',
    clause: '7.1 #3',
    fault({ question, claims }) {
      const missing = mandatoryClaims(question).find((claim) =>
        numbers.includes(claim) ? secondsAt(claims, claim) === undefined : !isText(claims[claim]),
      )
      return (
        missing && `The mandatory claim ${missing} from the JWT associated with the Authorisation header is missing`
      )
    },
  },
  {
    name: 'subject is the system',
    clause: '7.1 #4',
    fault({
      question: { api },
      claims: { sub, requesting_user: user, requesting_patient: patient, requesting_system: it },
    }) {
      if (user !== undefined || sub === it || (api === 'spine' && patient !== undefined && sub === patient))
        return undefined
      return "requesting_system and sub claim's values must match."
    },
  },
  {
    name: 'subject is the user',
    clause: '7.1 #5',
    fault: ({ claims: { sub, requesting_user: user } }) =>
      user === undefined || sub === user ? undefined : "requesting_user and sub claim's values must match.",
  },
  {
    name: 'reason',
    clause: '7.1 #6',
    fault({
      question: { api, reasons = api === 'spine' ? anyReason : ['directcare'] },
      claims: { reason_for_request: reason },
    }) {
      if (reasons.some((it) => it === reason)) return undefined
      return reasons.length === 1
        ? `reason_for_request must be '${reasons[0]}'.`
        : `reason_for_request (${shown(reason)}) must be one of '${reasons.join(',')}'`
    },
  },
  {
    name: 'scope',
    clause: '7.1 #7',
    fault({ question: { api, scopes = scopesOf[api] }, claims: { scope } }) {
      if (scopes === undefined || scopes.some((it) => it === scope)) return undefined
      const [first, second] = scopes
      return scopes.length === 2
        ? `scope must match either '${first}' or '${second}'.`
        : `scope must match ${scopes.map((it) => `'${it}'`).join(' or ')}.`
    },
  },
  {
    name: 'system form',
    clause: '7.1 #8',
    fault: ({ claims }) =>
      asidIn(claims) === undefined ? `requesting_system must be of the form [${accreditedSystem}|[ASID]]` : undefined,
  },
  {
    name: 'system known',
    clause: '7.1 #9',
    fault: ({ question, claims }) =>
      question.organisationOf(asidIn(claims) ?? '') === undefined ? 'The ASID must be known to Spine.' : undefined,
  },
  {
    name: 'organisation form',
    clause: '7.1 #10',
    fault: ({ claims }) =>
      claims['requesting_organization'] !== undefined && organisationIn(claims) === undefined
        ? `requesting_organisation must be of the form [${odsOrganisation}|[ODSCode]]`
        : undefined,
  },
  {
    name: 'organisation known',
    clause: '7.1 #11',
    fault({ question, claims }) {
      const odsCode = organisationIn(claims)
      return odsCode === undefined || question.isKnownOrganisation(odsCode)
        ? undefined
        : 'The ODS code of the requesting_organisation must be known to Spine.'
    },
  },
  {
    name: 'system of the organisation',
    clause: '7.1 #12',
    fault({ question, claims }) {
      const [asid = '', odsCode] = [asidIn(claims), organisationIn(claims)]
      if (odsCode === undefined || question.organisationOf(asid)?.toUpperCase() === odsCode.toUpperCase())
        return undefined
      return `requesting_system ASID (${asid}) is not associated with the requesting_organisation ODS code (${odsCode})`
    },
  },
  {
    name: 'user form',
    clause: '7.1 #13',
    fault({ claims: { requesting_user: user } }) {
      if (user === undefined || identifierIn(user, sdsRoleProfileId, isText) !== undefined) return undefined
      return `requesting_user (${shown(user)}) must be of the form [${sdsRoleProfileId}|[SDSRoleProfileID]]`
    },
  },
  {
    name: 'patient form',
    clause: '7',
    fault({ claims: { requesting_patient: patient } }) {
      // Never the value: it would be an NHS number. Both namespaces are published.
      const systems = [nhsNumber, namingSystem.dstu2.nhsNumber]
      if (patient === undefined || systems.some((it) => identifierIn(patient, it, isText) !== undefined))
        return undefined
      return `requesting_patient must be of the form [${nhsNumber}|[NHSNumber]]`
    },
  },
  {
    name: 'issue not ahead',
    clause: '7.1',
    fault: ({ question: { now }, claims }) =>
      (secondsAt(claims, 'iat') ?? 0) > now + toleranceSeconds
        ? 'The JWT iat (issued at) claim is in the future'
        : undefined,
  },
  {
    name: 'expiry not far ahead',
    clause: '7.1',
    fault: ({ question: { now }, claims }) =>
      (secondsAt(claims, 'exp') ?? 0) > now + lifeSeconds + toleranceSeconds
        ? 'The JWT exp (expiration time) claim is more than 5 minutes in the future'
        : undefined,
  },
  {
    name: 'issue before expiry',
    clause: '7.1',
    fault: ({ claims }) =>
      (secondsAt(claims, 'iat') ?? 0) > (secondsAt(claims, 'exp') ?? 0)
        ? 'The JWT iat (issued at) time is after the exp (expiration time) time'
        : undefined,
  },
  {
    name: 'not expired',
    clause: '7',
    fault: ({ question: { now }, claims }) =>
      (secondsAt(claims, 'exp') ?? 0) <= now ? 'The JWT exp (expiration time) claim is in the past' : undefined,
  },
]

export type SpineTokenVerdict =
  | { readonly ok: true; readonly claims: Json }
  | { readonly ok: false; readonly check: string; readonly diagnostics: string }

/**
 * Judges the Authorization header of a request to a FHIR API of the Spine.
 *
 * @example
 * const verdict = judgeSpineToken({ api: 'nrl-pointers', authorization, now, organisationOf, isKnownOrganisation })
 * if (!verdict.ok) verdict.diagnostics // 'The ASID must be known to Spine.'
 */
export function judgeSpineToken(question: SpineTokenQuestion): SpineTokenVerdict {
  const { authorization = '' } = question
  const no = (check: string, diagnostics: string): SpineTokenVerdict => ({ ok: false, check, diagnostics })
  if (authorization.trim() === '') return no('header', 'The Authorisation header must be supplied')
  const sections = 'The JWT associated with the Authorisation header must have the 3 sections'
  if (authorization.replace(/^bearer +/i, '').split('.').length !== 3) return no('sections', sections)
  const reading = readBearer(authorization)
  const { header = {}, claims = {}, signed = false } = reading.ok ? reading : {}
  const unsecured = Object.keys(header).length === 2 && header['alg'] === 'none' && header['typ'] === 'JWT'
  if (!reading.ok || !unsecured) return no('readable', 'The Authorisation header must be supplied as a valid JWT.')
  if (signed) return no('unsigned', 'The JWT associated with the Authorisation header must have an empty signature.')
  for (const { name, fault } of spineTokenChecks) {
    const diagnostics = fault({ question, claims })
    if (diagnostics !== undefined) return no(name, diagnostics)
  }
  return { ok: true, claims }
}
