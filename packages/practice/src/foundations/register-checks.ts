/** What a consumer must send to register a patient, and whom the practice takes (§8.3). */
import type { AnyResource } from '@openspine/standards/fhir'
import { isNhsNumber } from '@openspine/standards/nhs'
import { bodyChecks, bodyOf } from '../checks/body.ts'
import type { Check } from '../checks/check.ts'
import { switchedOn } from '../checks/sharing.ts'
import { agrees, sameFamily, type TracedPerson } from '../demographics.ts'
import type { OutcomeName } from '../outcome.ts'
import { isDay } from '../record/dates.ts'
import { type PatientInput, patientRecord } from '../record/model.ts'
import type { Sheet, Surroundings } from '../sheet.ts'
import { extensionUrl } from '../stu3/people.ts'
import { systems } from '../stu3/systems.ts'

type Json = Readonly<Record<string, unknown>>

/** What these checks find. */
export interface RegisterSheet extends Sheet {
  /** The person as the body describes them. */
  asked?: AskedPatient
  /** What the demographics service knows of the number; null: nothing. */
  traced?: TracedPerson | null
}

/** The part of a record that a registration may say. */
export type AskedPatient = Pick<
  PatientInput,
  'name' | 'birthDate' | 'address' | 'temporaryAddress' | 'telecom' | 'communications'
> & { readonly nhsNumber: string; readonly gender?: PatientInput['gender'] }

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
const text = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')

const parametersOf = (sheet: Sheet): readonly Json[] => objects(bodyOf(sheet)['parameter'])

/** The Patient of the first parameter `registerPatient`; an empty object where there is none. */
function patientOf(sheet: Sheet): Json {
  const resource = parametersOf(sheet).find(({ name }) => name === 'registerPatient')?.['resource']
  return isObject(resource) ? resource : {}
}

const nhsNumbersOf = (patient: Json): readonly string[] =>
  objects(patient['identifier'])
    .filter(({ system }) => system === systems.nhsNumber)
    .map(({ value }) => text(value))

const officialNames = (patient: Json): readonly Json[] =>
  objects(patient['name']).filter(({ use }) => use === 'official')

/** Elements that a registration may have; id and meta are those of whatever the consumer keeps the patient in. */
const allowed = new Set([
  'resourceType',
  'id',
  'meta',
  'extension',
  'identifier',
  'name',
  'telecom',
  'gender',
  'birthDate',
  'address',
])
const addressUses: readonly unknown[] = ['home', 'temp']
const telecomUses: readonly unknown[] = ['home', 'work', 'mobile', 'temp']
const communicationParts = new Set<unknown>(['language', 'interpreterRequired'])

function twice(values: readonly unknown[]): boolean {
  return new Set(values).size < values.length
}

/** A rule about the Patient that was sent. */
function patientRule(
  name: string,
  outcome: OutcomeName,
  explains: string,
  passes: (patient: Json) => boolean,
  diagnostics: string,
): Check {
  return {
    name,
    clause: '8.3',
    outcome,
    explains,
    examine: (sheet) => (passes(patientOf(sheet)) ? undefined : diagnostics),
  }
}

const parameterChecks: readonly Check[] = [
  {
    name: 'parameter registerPatient',
    clause: '8.3',
    outcome: 'INVALID_PARAMETER',
    explains: 'Send one parameter with the name registerPatient.',
    examine: (sheet) =>
      parametersOf(sheet).some(({ name }) => name === 'registerPatient')
        ? undefined
        : 'The parameter registerPatient is missing.',
  },
  {
    name: 'parameter registerPatient alone',
    clause: '8.3',
    outcome: 'BAD_REQUEST',
    explains: 'Send the parameter registerPatient once, and no other.',
    examine: (sheet) =>
      parametersOf(sheet).length === 1 ? undefined : 'The parameter registerPatient must stand once and alone.',
  },
  patientRule(
    'registerPatient is a Patient',
    'INVALID_RESOURCE',
    'The parameter registerPatient holds a Patient resource.',
    (patient) => patient['resourceType'] === 'Patient',
    'The parameter registerPatient holds no Patient resource.',
  ),
  patientRule(
    'elements allowed',
    'INVALID_RESOURCE',
    'Send identifier, name, birthDate, and at most gender, address, telecom, and the extension NHSCommunication.',
    (patient) => Object.keys(patient).every((name) => allowed.has(name)),
    'The Patient has an element that must not be sent when a patient is registered.',
  ),
  patientRule(
    'extensions allowed',
    'INVALID_RESOURCE',
    'The only extension that may be sent is NHSCommunication: how a patient is registered is for the practice to say.',
    (patient) => objects(patient['extension']).every(({ url }) => url === extensionUrl('NHSCommunication')),
    'The Patient has an extension other than NHSCommunication.',
  ),
  patientRule(
    'one NHSCommunication',
    'INVALID_RESOURCE',
    'Send one NHSCommunication at most, with a language and whether an interpreter is required.',
    (patient) => {
      const given = objects(patient['extension'])
      return (
        given.length <= 1 &&
        given.every((extension) => {
          const parts = objects(extension['extension']).map(({ url }) => url)
          return parts.includes('language') && !twice(parts) && parts.every((url) => communicationParts.has(url))
        })
      )
    },
    'NHSCommunication must stand once at most, with a language and at most interpreterRequired.',
  ),
  patientRule(
    'identifiers with systems',
    'BAD_REQUEST',
    'Every identifier must name its system.',
    (patient) => objects(patient['identifier']).every(({ system }) => text(system) !== ''),
    'An identifier of the Patient has no system.',
  ),
  {
    name: 'NHS number of the patient',
    clause: '8.3',
    outcome: 'INVALID_NHS_NUMBER',
    explains: `Send one identifier with the system ${systems.nhsNumber} and a number with a right check digit.`,
    examine(sheet) {
      const [nhsNumber, ...more] = nhsNumbersOf(patientOf(sheet))
      if (nhsNumber === undefined || more.length > 0) return 'The Patient must have one NHS number.'
      if (!isNhsNumber(nhsNumber)) return 'The NHS number of the Patient is not valid.'
      sheet.nhsNumber = nhsNumber
      return undefined
    },
  },
  patientRule(
    'birth date',
    'BAD_REQUEST',
    'Send the whole birthDate: year, month and day.',
    (patient) => isDay(text(patient['birthDate'])),
    'The birthDate of the Patient is missing or not a whole date.',
  ),
  patientRule(
    'one official name',
    'BAD_REQUEST',
    'Send one name with the use official; names of other uses are not kept.',
    (patient) => officialNames(patient).length === 1,
    'The Patient must have one name with the use official.',
  ),
  patientRule(
    'family name and given name',
    'BAD_REQUEST',
    'The official name needs a family name and a given name.',
    (patient) => {
      const [name] = officialNames(patient)
      return text(name?.['family']) !== '' && texts(name?.['given']).some((given) => text(given) !== '')
    },
    'The official name of the Patient has no family name or no given name.',
  ),
  patientRule(
    'addresses',
    'INVALID_RESOURCE',
    'Send at most one address with the use home and one with the use temp.',
    (patient) => {
      const uses = objects(patient['address']).map(({ use }) => use)
      return uses.every((use) => addressUses.includes(use)) && !twice(uses)
    },
    'The Patient may have one address with the use home and one with the use temp, and no other.',
  ),
  patientRule(
    'telecom',
    'BAD_REQUEST',
    'Send at most one phone for each of home, work, mobile and temp, and one email; each with a value.',
    (patient) => {
      const given = objects(patient['telecom'])
      const kinds = given.map(({ system, use }) => (system === 'email' ? 'email' : use))
      return (
        given.every(
          ({ system, use, value }) =>
            text(value) !== '' &&
            (system === 'email'
              ? use === undefined || telecomUses.includes(use)
              : system === 'phone' && telecomUses.includes(use)),
        ) && !twice(kinds)
      )
    },
    'The telecom of the Patient may have one phone for each of home, work, mobile and temp, and one email.',
  ),
  {
    name: 'values that can be kept',
    clause: '8.3',
    outcome: 'INVALID_RESOURCE',
    explains: 'Names, addresses and the like must be single lines of reasonable length.',
    examine(sheet: RegisterSheet) {
      const asked = askedPatient(patientOf(sheet), sheet.nhsNumber ?? '')
      const read = patientRecord.safeParse({ gender: 'unknown', ...asked })
      if (!read.success) {
        const path = read.error.issues[0]?.path.join('.') ?? ''
        return `The Patient has a value that cannot be kept${path === '' ? '' : `: ${path}`}.`
      }
      sheet.asked = asked
      return undefined
    },
  },
]

/** Reads what the checks have found to be there. */
function askedPatient(patient: Json, nhsNumber: string): AskedPatient {
  const [name] = officialNames(patient)
  const address = (use: string) => {
    const found = objects(patient['address']).find((one) => one['use'] === use)
    return (
      found && {
        lines: [...texts(found['line'])],
        ...optional('city', found['city']),
        ...optional('district', found['district']),
        ...optional('postcode', found['postalCode']),
      }
    )
  }
  const [home, temporary] = [address('home'), address('temp')]
  const [communication] = objects(patient['extension']).map(communicationOf)
  return {
    nhsNumber,
    name: {
      family: text(name?.['family']),
      given: texts(name?.['given']).filter((given) => text(given) !== ''),
      prefix: [...texts(name?.['prefix'])],
    },
    birthDate: text(patient['birthDate']),
    ...(patient['gender'] === undefined ? {} : { gender: patient['gender'] as PatientInput['gender'] }),
    ...(home === undefined ? {} : { address: home }),
    ...(temporary === undefined ? {} : { temporaryAddress: temporary }),
    telecom: objects(patient['telecom']).map(({ system, value, use }) => ({
      system: system === 'email' ? 'email' : 'phone',
      value: text(value),
      ...(use === undefined ? {} : { use: use as 'home' }),
    })),
    communications: communication === undefined ? [] : [communication],
  }
}

function communicationOf(extension: Json) {
  const part = (url: string) => objects(extension['extension']).find((one) => one['url'] === url)
  const concept = part('language')?.['valueCodeableConcept'] as AnyResource | undefined
  const [coding] = objects(concept?.['coding'])
  const interpreter = part('interpreterRequired')?.['valueBoolean']
  const code = text(coding?.['code'])
  return {
    language: { code, display: text(coding?.['display']) || code },
    ...(typeof interpreter === 'boolean' ? { interpreterRequired: interpreter } : {}),
  }
}

function optional<Name extends string>(name: Name, value: unknown): { readonly [name in Name]?: string } {
  return text(value) === '' ? {} : ({ [name]: text(value) } as { readonly [name in Name]?: string })
}

/** A rule about what the demographics service and the practice itself know of the person. */
function traceRule(
  name: string,
  outcome: OutcomeName,
  explains: string,
  passes: (known: {
    readonly traced: TracedPerson
    readonly asked: AskedPatient
    readonly record: Sheet['record']
  }) => boolean,
  diagnostics: string,
): Check {
  return {
    name,
    clause: '8.3',
    outcome,
    explains,
    examine: ({ traced, asked, record }: RegisterSheet) =>
      traced && asked && passes({ traced, asked, record }) ? undefined : diagnostics,
  }
}

const traceChecks: readonly Check[] = [
  {
    name: 'demographics service reached',
    clause: '8.3',
    outcome: 'INTERNAL',
    explains: 'The practice must trace the patient before it registers anybody: try again later.',
    async examine(sheet: RegisterSheet, { demographics, store }: Surroundings) {
      const { practice, nhsNumber } = sheet
      if (demographics === undefined || practice === undefined || nhsNumber === undefined)
        return 'The patient cannot be traced: this practice has no connection to the demographics service.'
      try {
        sheet.traced = (await demographics(nhsNumber)) ?? null
      } catch {
        return 'The patient cannot be traced: the demographics service cannot be reached.'
      }
      const record = await store.patient(practice.practice.odsCode, nhsNumber)
      if (record !== undefined) sheet.record = record
      return undefined
    },
  },
  {
    name: 'known to the demographics service',
    clause: '8.3',
    outcome: 'INVALID_PATIENT_DEMOGRAPHICS',
    explains: 'The demographics service does not know this NHS number.',
    examine: ({ traced }: RegisterSheet) =>
      traced ? undefined : 'The NHS number was not found by the demographics service.',
  },
  traceRule(
    'NHS number current',
    'INVALID_NHS_NUMBER',
    'The number was superseded or invalidated: trace the patient again.',
    ({ traced }) => traced.status === 'current',
    'The NHS number is no longer in use.',
  ),
  traceRule(
    'patient living',
    'INVALID_PATIENT_DEMOGRAPHICS',
    'A patient who has died is not registered.',
    ({ traced, record }) => !traced.deceased && record?.patient.deceasedDate === undefined,
    'The patient cannot be registered.',
  ),
  traceRule(
    'patient without sensitivity flag',
    'INVALID_PATIENT_DEMOGRAPHICS',
    'A patient whose record is flagged as sensitive is not registered by other systems.',
    ({ traced, record }) => !traced.sensitive && record?.patient.sensitive !== true,
    'The patient cannot be registered.',
  ),
  traceRule(
    'family name as traced',
    'BAD_REQUEST',
    'The family name must be that of the demographics service.',
    ({ traced, asked }) => sameFamily(traced, asked.name.family),
    'The family name of the Patient is not that of the demographics service.',
  ),
  traceRule(
    'birth date as traced',
    'INVALID_PATIENT_DEMOGRAPHICS',
    'The birth date must be that of the demographics service, or two of its parts together with the names.',
    ({ traced, asked }) => agrees(traced, { ...asked.name, given: asked.name.given ?? [], birthDate: asked.birthDate }),
    'The patient could not be verified with the demographics service.',
  ),
  traceRule(
    'not registered yet',
    'DUPLICATE_REJECTED',
    'The patient is registered at this practice already: search for the patient.',
    ({ record }) => record?.patient.active !== true,
    'The patient is registered at this practice already.',
  ),
]

export const registerChecks: readonly Check[] = [
  ...bodyChecks('Parameters'),
  ...parameterChecks,
  switchedOn,
  ...traceChecks,
]
