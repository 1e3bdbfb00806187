import { type Cd, type Ii, oid, type PdsRegistration, type RegisteringAuthority } from '@openspine/standards/hl7v3'
import type { MessageCheck } from './message-check.ts'
import { filled, objectChecks } from './object-checks.ts'

/** One rule of a request for a new number. */
export type RegistrationCheck = MessageCheck<PdsRegistration>

const clause = 'demographics §12, §19.1'

/** Exactly one value of this system, with a code. */
export const onlyCode = (found: readonly Cd[], codeSystem: string): boolean =>
  found.length === 1 && found[0]?.codeSystem === codeSystem && filled(found[0].code)

/** Exactly one identifier under one of these roots, with an extension. */
export const onlyId = (found: readonly Ii[], ...roots: readonly string[]): boolean =>
  found.length === 1 && roots.includes(found[0]?.root ?? '') && filled(found[0]?.extension)

/** A registering authority has a type, and is an organisation. */
export const authorityTyped = ({ code }: RegisteringAuthority): boolean =>
  onlyCode(code === undefined ? [] : [code], oid.registeringAuthority)
export const authorityNamed = ({ ids }: RegisteringAuthority): boolean =>
  onlyId(ids, oid.organisation, oid.sdsOrganisation)

const missing = (
  where: string,
  explains: string,
  breaks: RegistrationCheck['breaks'],
  more: Partial<RegistrationCheck> = {},
): RegistrationCheck => ({ name: 'MANDATORY_FIELD_MISSING_SUPP_INFO', where, clause, explains, breaks, ...more })

/** GP practice, as a registering authority. */
const practiceType = 'x'

/** The rules of a request for a new number; those of a new record are the rules of every dialect (§12). */
export const registrationChecks: readonly RegistrationCheck[] = [
  missing(
    'PDSRegistrationRequest.root',
    'The subject is exactly one PdsRegistrationRequest.',
    ({ requests }) => requests !== 1,
  ),
  missing(
    'PDSRegistrationRequest.subject.patientRole',
    'The request is about exactly one patient role.',
    ({ patients }) => patients !== 1,
  ),
  missing('gender', 'A new record has an administrativeGenderCode.', ({ person }) => !filled(person.gender?.code)),
  missing('birthTime', 'A new record has a birthTime.', ({ person }) => !filled(person.birthTime?.value)),
  missing(
    'author',
    'The request names one registeringAuthority as its author.',
    ({ authorities }) => authorities.length !== 1,
  ),
  missing(
    'registeringAuthority.code',
    'The registering authority has a type (codeSystem 2.16.840.1.113883.2.1.3.2.4.16.20).',
    ({ authorities }) => authorities.length === 1 && !authorities.every(authorityTyped),
  ),
  missing(
    'registeringAuthority.id',
    'The registering authority is one organisation, by its ODS code.',
    ({ authorities }) => authorities.length === 1 && !authorities.every(authorityNamed),
  ),
  missing(
    'previousNHSContact',
    'The request tells in one previousNhsContact whether the patient was in contact with the NHS before.',
    ({ previousContacts }) => !onlyCode(previousContacts, oid.previousContact),
  ),
  missing(
    'patient.usualName',
    'A new record has exactly one usual name (L).',
    ({ person }) => person.names.filter(({ value }) => value.use === 'L').length !== 1,
  ),
  missing('patient.address', 'A new record has an address.', ({ person }) => person.addresses.length === 0),
  {
    name: 'ALLOCATION_NOT_SUPPORTED',
    clause: 'demographics §12',
    explains:
      'A new record has name, gender, date of birth, addresses, telecoms, practice, language and contact preferences; a place of birth is judged and not kept; nothing else may come with it, and it has no number yet.',
    breaks: ({ others, person }) =>
      others.length > 0 ||
      [person.ids, person.related, person.consents, person.secrets].some((list) => list.length > 0) ||
      [person.deceasedTime, person.deathNotification, person.multipleBirth].some((value) => value !== undefined),
  },
  {
    name: 'UNSUPPORTED_PATIENT_CARE',
    where: 'practice',
    clause: 'demographics §12',
    explains: 'A new record names its practice (1) and no other provider of care.',
    breaks: ({ person }) =>
      person.provisions.length > 1 || person.provisions.some(({ code }) => ['P1', 'P2', 'P3'].includes(code ?? '')),
  },
  ...objectChecks.map((check): RegistrationCheck => ({ ...check, breaks: ({ person }) => check.breaks(person) })),
  {
    name: 'MANDATORY_FIELD_MISSING',
    clause,
    level: 'WG',
    explains: 'A practice that registers somebody names itself as their practice (1).',
    breaks: ({ authorities, person }) =>
      authorities[0]?.code?.code === practiceType && person.provisions.every(({ code }) => code !== '1'),
  },
]
