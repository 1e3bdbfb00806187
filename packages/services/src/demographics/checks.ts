import { isNhsNumber, isUuid } from '@openspine/standards/nhs'
import type { Access } from './access.ts'
import {
  askedName,
  isTrue,
  parseDays,
  postcodeParameter,
  type SearchParameters,
  singleValue,
  valuesOf,
} from './criteria.ts'
import { foldPostcode } from './fold.ts'
import { outcomes, type PdsOutcome, refuse } from './outcomes.ts'
import { parsePattern } from './wildcard.ts'

/** One check of an endpoint family: what it is, where it is written, and what the wire says when it fails. */
export interface Check<Subject> {
  readonly name: string
  /** Clause of the demographics specification. */
  readonly clause: string
  /** Plain words for whoever has to mend the request. */
  readonly explanation: string
  /** Where the check is one of whole lists of rules: the lists, by what they are for. */
  readonly rules?: Readonly<Record<string, readonly Check<never>[]>>
  /** The outcome when the check fails, undefined when it holds. */
  refusal(subject: Subject): PdsOutcome | undefined
}

/** What an operation is for, as far as PDS FHIR knows it (§3). */
export type Operation =
  | 'retrieve'
  | 'search'
  | 'related'
  | 'update'
  | 'create'
  | 'birth'
  | 'coverage'
  | 'coverage-write'
  | 'poll'
  | 'none'

/** A request after its caller is known. */
export interface Arrival {
  readonly method: string
  /** Path below the base, as it was sent. */
  readonly path: string
  readonly operation: Operation
  /** The number that the path or, for coverage, the query names. */
  readonly number: string | undefined
  readonly parameters: SearchParameters
  readonly requestId: string | undefined
  /** NHSD-Session-URID. */
  readonly role: string | undefined
  readonly access: Access
  readonly asidRequired: boolean
}

const paths: readonly { readonly path: RegExp; readonly operations: Readonly<Record<string, Operation>> }[] = [
  { path: /^\/Patient$/, operations: { GET: 'search', POST: 'create' } },
  { path: /^\/Patient\/\$process-birth-details$/, operations: { POST: 'birth' } },
  { path: /^\/Patient\/([^/]+)$/, operations: { GET: 'retrieve', PATCH: 'update' } },
  { path: /^\/Patient\/([^/]+)\/RelatedPerson$/, operations: { GET: 'related' } },
  { path: /^\/Coverage$/, operations: { GET: 'coverage', POST: 'coverage-write' } },
  { path: /^\/_poll\/([^/]+)$/, operations: { GET: 'poll' } },
]

/** What the method and path ask for; undefined when the path is none of PDS FHIR's. */
export function operationOf(
  method: string,
  path: string,
): { readonly operation: Operation; readonly id: string | undefined } | undefined {
  for (const known of paths) {
    const found = known.path.exec(path)
    if (found) return { operation: known.operations[method] ?? 'none', id: found[1] }
  }
  return undefined
}

const firstWords = (authorization: string | undefined) => (authorization ?? '').trim().split(/\s+/)

/** The form of the Authorization header; whether the token is good is for whoever issues tokens. */
export const authorizationChecks: readonly Check<string | undefined>[] = [
  {
    name: 'Authorization is there',
    clause: '§7',
    explanation: 'Send an access token: Authorization: Bearer {token}.',
    refusal: (header) => (header === undefined ? outcomes.accessDenied('Missing Authorization header') : undefined),
  },
  {
    name: 'Authorization is not empty',
    clause: '§7',
    explanation: 'The Authorization header has no content. Send Authorization: Bearer {token}.',
    refusal: (header) =>
      firstWords(header)[0] === '' ? outcomes.accessDenied('Empty Authorization header') : undefined,
  },
  {
    name: 'Authorization has a token',
    clause: '§7',
    explanation: 'There is one word in the Authorization header: a scheme and a token are needed.',
    refusal: (header) => (firstWords(header).length === 1 ? outcomes.accessDenied('Missing access token') : undefined),
  },
  {
    name: 'Authorization is Bearer',
    clause: '§7',
    explanation: 'Only Bearer tokens are accepted.',
    refusal: (header) => {
      const scheme = firstWords(header)[0]
      return scheme === 'Bearer' ? undefined : outcomes.accessDenied(`Invalid token type '${scheme}', must be 'Bearer'`)
    },
  },
]

const trustedVectors: ReadonlySet<string | undefined> = new Set(['P9.Cp.Cd', 'P9.Cp.Ck', 'P9.Cm'])

const isPatient = ({ access }: Arrival) => access.mode === 'patient'
const words = ({ access }: Arrival) => (access.mode === 'patient' ? 'patient-access' : access.mode)

/** Everything between the token and the operation, in the order of §6 (3 to 9). */
export const arrivalChecks: readonly Check<Arrival>[] = [
  {
    name: 'Patient is proved well enough',
    clause: '§5',
    explanation: 'Patient access needs identity level P9 with vector of trust P9.Cp.Cd, P9.Cp.Ck or P9.Cm.',
    refusal: ({ access }) =>
      access.mode === 'patient' && (access.patient?.level !== 'P9' || !trustedVectors.has(access.patient.vectorOfTrust))
        ? outcomes.patientCannot
        : undefined,
  },
  {
    name: 'Path is known',
    clause: '§6.4',
    explanation: 'PDS FHIR has no such path.',
    refusal: ({ path, method }) => (operationOf(method, path) ? undefined : outcomes.unsupportedPath(path)),
  },
  {
    name: 'X-Request-ID is a UUID',
    clause: '§6.5',
    explanation: 'X-Request-ID must be a UUID, of any version and case.',
    refusal: ({ requestId }) =>
      requestId === undefined || isUuid(requestId) ? undefined : outcomes.requestIdInvalid(requestId),
  },
  {
    name: "Role is one of the user's",
    clause: '§6.6',
    explanation: 'NHSD-Session-URID must be a role profile id of the user, and must be sent by a user with several.',
    refusal({ access, role }) {
      if (access.mode !== 'user-restricted') return undefined
      const roles = access.user?.roles
      if (role === undefined)
        return roles && roles.length > 1 && access.user?.selectedRole === undefined
          ? outcomes.roleInvalid('')
          : undefined
      return /^[0-9]+$/.test(role) && (roles?.includes(role) ?? true) ? undefined : outcomes.roleInvalid(role)
    },
  },
  {
    name: 'App has an ASID',
    clause: '§6.7',
    explanation: 'This environment serves only apps for which an ASID is registered.',
    refusal: ({ access, asidRequired }) =>
      asidRequired && access.app?.asid === undefined ? outcomes.asidMissing : undefined,
  },
  {
    name: 'Role may do this',
    clause: '§5; identity specification §6.4',
    explanation:
      'Where demographics.rbac is enforce, the selected role must have B0820 to read and B0825 to change: openspine rbac explain.',
    refusal: ({ access: { denied } }) => (denied === undefined ? undefined : outcomes.roleForbidden(denied)),
  },
  {
    name: 'Patient does only what patients may',
    clause: '§5',
    explanation: 'Patient access does not search.',
    refusal: (arrival) => (isPatient(arrival) && arrival.operation === 'search' ? outcomes.patientCannot : undefined),
  },
  {
    name: 'Patient asks for the own record',
    clause: '§5',
    explanation: 'With patient access, the NHS number must be that of the token.',
    // A query for a card that names no number is judged by its form, later.
    refusal: (arrival) =>
      isPatient(arrival) &&
      (['retrieve', 'related', 'update'].includes(arrival.operation) ||
        (arrival.operation === 'coverage' && arrival.number !== undefined)) &&
      arrival.number !== arrival.access.patient?.nhsNumber
        ? outcomes.patientCannot
        : undefined,
  },
  {
    name: 'Mode may update',
    clause: '§5',
    explanation: 'Apps may update only as a user, or with the attribute pds.app-restricted.update.',
    refusal: (arrival) =>
      arrival.operation === 'update' &&
      (arrival.access.mode === 'privileged-application-restricted' ||
        (arrival.access.mode === 'application-restricted' &&
          arrival.access.app?.attributes?.applicationUpdate !== true))
        ? outcomes.methodForbidden('update', words(arrival))
        : undefined,
  },
  {
    name: 'Mode may create',
    clause: '§5',
    explanation: 'Only healthcare workers may create records.',
    refusal: (arrival) =>
      (arrival.operation === 'create' || arrival.operation === 'birth') && arrival.access.mode !== 'user-restricted'
        ? outcomes.methodForbidden('create', words(arrival))
        : undefined,
  },
  {
    name: 'Mode may use coverage',
    clause: '§5',
    explanation: 'Health insurance cards are for the patient alone.',
    refusal: (arrival) =>
      (arrival.operation === 'coverage' || arrival.operation === 'coverage-write') && !isPatient(arrival)
        ? outcomes.operationForbidden(arrival.method, words(arrival))
        : undefined,
  },
  {
    name: 'Mode may have so many results',
    clause: '§5, §9.1',
    explanation: 'Application-restricted search answers one person: leave _max-results out, or send 1.',
    refusal(arrival) {
      if (arrival.operation !== 'search' || arrival.access.mode === 'user-restricted') return undefined
      const asked = valuesOf(arrival.parameters, '_max-results')
      return asked.every((value) => value === '1') ? undefined : outcomes.moreThanOneForbidden(words(arrival))
    },
  },
  {
    name: 'X-Request-ID is there',
    clause: '§6.9',
    explanation: 'Every request carries an X-Request-ID, a UUID of its own.',
    // An update looks at If-Match and Content-Type first (§6).
    refusal: ({ requestId, operation }) =>
      requestId === undefined && operation !== 'update' ? outcomes.requestIdMissing : undefined,
  },
  {
    name: 'Method is served on this path',
    clause: '§6',
    explanation: 'This method does nothing on this path.',
    refusal: ({ operation }) => (operation === 'none' ? outcomes.unsupportedService : undefined),
  },
]

/** GET /Patient/{id}, before anything is read. */
export const retrieveChecks: readonly Check<{ readonly number: string | undefined }>[] = [
  {
    name: 'NHS number is valid',
    clause: '§6, §1',
    explanation: 'An NHS number is ten digits without spaces, the last of which is the check digit.',
    refusal: ({ number }) => (isNhsNumber(number) ? undefined : outcomes.invalidResourceId),
  },
]

const searchNames: ReadonlySet<string> = new Set([
  'family',
  'given',
  'gender',
  'birthdate',
  'death-date',
  'address-postalcode',
  'address-postcode',
  'general-practitioner',
  'email',
  'phone',
  '_fuzzy-match',
  '_exact-match',
  '_history',
  '_max-results',
])

const repeatable: ReadonlySet<string> = new Set(['given', 'birthdate', 'death-date'])
const flags: ReadonlySet<string> = new Set(['_fuzzy-match', '_exact-match', '_history'])
const genders: ReadonlySet<string> = new Set(['male', 'female', 'other', 'unknown'])
const longestName = 35

/** Values that are wrong by themselves: the first one, in the order in which they were sent. */
function wrongValue(parameters: SearchParameters): PdsOutcome | undefined {
  const seen = new Set<string>()
  for (const [name, value] of parameters) {
    const wrong =
      (seen.has(name) && !repeatable.has(name)) ||
      (name === 'gender' && value !== '' && !genders.has(value.toLowerCase())) ||
      (flags.has(name) && !/^(true|false)$/i.test(value)) ||
      (name === '_max-results' && !/^([1-9]|[1-4][0-9]|50)$/.test(value)) ||
      ((name === 'family' || name === 'given') && value.length > longestName)
    if (wrong) return outcomes.invalidField(value, name)
    seen.add(name)
  }
  return undefined
}

function days(name: 'birthdate' | 'death-date'): Check<SearchParameters> {
  return {
    name: `${name} is a day or a range`,
    clause: '§9.1',
    explanation: `${name} is yyyy-mm-dd with an optional eq, ge or le; once, or a ge and a le for a range.`,
    refusal(parameters) {
      const parsed = parseDays(valuesOf(parameters, name))
      return 'wrong' in parsed ? outcomes.invalidField(parsed.wrong, name) : undefined
    },
  }
}

const isFuzzy = (parameters: SearchParameters) => isTrue(parameters, '_fuzzy-match')
const has = (parameters: SearchParameters, name: string) => singleValue(parameters, name) !== undefined

/** GET /Patient, in the order of §6. */
export const searchChecks: readonly Check<SearchParameters>[] = [
  {
    name: 'Search has parameters',
    clause: '§6',
    explanation: 'A search needs at least a family name and a birthdate.',
    refusal: (parameters) => (parameters.length === 0 ? outcomes.unsupportedService : undefined),
  },
  {
    name: 'Parameters are known',
    clause: '§9.1',
    explanation: 'The search has parameters that PDS FHIR does not know.',
    refusal(parameters) {
      const unknown = [...new Set(parameters.map(([name]) => name).filter((name) => !searchNames.has(name)))]
      return unknown.length > 0 ? outcomes.additionalProperties(unknown) : undefined
    },
  },
  days('birthdate'),
  days('death-date'),
  {
    name: 'birthdate is there',
    clause: '§9.2',
    explanation: 'Every search needs a date of birth or a range of them.',
    refusal: (parameters) => (has(parameters, 'birthdate') ? undefined : outcomes.birthdateMissing),
  },
  {
    name: 'Values are allowed',
    clause: '§9.1',
    explanation: 'A parameter has a value that it cannot have, or stands twice though it may stand once.',
    refusal: wrongValue,
  },
  {
    name: 'One postcode',
    clause: '§9.1',
    explanation: 'address-postcode is the old name of address-postalcode: send one of them.',
    refusal: (parameters) =>
      valuesOf(parameters, 'address-postalcode').length > 0 && valuesOf(parameters, 'address-postcode').length > 0
        ? outcomes.twoPostcodes
        : undefined,
  },
  {
    name: 'Enough for a fuzzy search',
    clause: '§9.2',
    explanation:
      'A fuzzy search needs given and family name, or gender and postcode with one of them, beside the birthdate; and takes no wildcards.',
    refusal(parameters) {
      if (!isFuzzy(parameters)) return undefined
      const place = has(parameters, 'gender') && postcodeParameter(parameters) !== undefined
      const enough =
        (has(parameters, 'family') && has(parameters, 'given')) ||
        (place && (has(parameters, 'family') || has(parameters, 'given')))
      const wild = parameters.some(([name, value]) => wildNames.has(name) && value.includes('*'))
      return enough && !wild ? undefined : outcomes.fuzzyNotMet
    },
  },
  {
    name: 'Enough for a search',
    clause: '§9.1, §9.2',
    explanation: 'A search needs family name and birthdate; a wildcard needs two characters before it.',
    refusal: (parameters) =>
      isFuzzy(parameters) || (has(parameters, 'family') && wildcardsStandWell(parameters))
        ? undefined
        : outcomes.minimumNotMet,
  },
]

const wildNames: ReadonlySet<string> = new Set(['family', 'given', 'address-postalcode', 'address-postcode'])

function wildcardsStandWell(parameters: SearchParameters): boolean {
  return parameters.every(([name, value]) =>
    name === 'family' || name === 'given'
      ? askedName(value) !== undefined
      : !wildNames.has(name) || parsePattern(value, foldPostcode) !== undefined,
  )
}

/** Throws the outcome of the first check that fails. */
export function mustPass<Subject>(checks: readonly Check<Subject>[], subject: Subject): void {
  const refused = firstRefusal(checks, subject)
  if (refused) throw refuse(refused.outcome, refused.check.explanation, refused.check.name)
}

/** The first check that fails, with its outcome. */
export function firstRefusal<Subject>(
  checks: readonly Check<Subject>[],
  subject: Subject,
): { readonly check: Check<Subject>; readonly outcome: PdsOutcome } | undefined {
  for (const check of checks) {
    const outcome = check.refusal(subject)
    if (outcome) return { check, outcome }
  }
  return undefined
}
