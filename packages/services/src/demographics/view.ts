import { namingSystem } from '@openspine/standards/nhs'
import type { Access } from './access.ts'
import { asJson, extensionUrl, isJson, items, type Json, type Sensitivity, type StoredPerson } from './person.ts'

/**
 * What a reader is shown of a person: sensitivity (§15), app attributes (§16) and the projection of a
 * search result (§9.4). The one place where anything is withheld; every dialect goes through it.
 */
export function retrieveView(person: StoredPerson, access: Access): string {
  if (person.asIs) return person.document
  const patient = JSON.parse(person.document) as Record<string, unknown>
  const privileged = access.mode === 'privileged-application-restricted'
  return JSON.stringify(withheld(tidied(patient, access), person.sensitivity, privileged))
}

/**
 * What the paths of an update count in: the record as this caller is shown it, without blank address lines even where the
 * app asks for them (they are for reading). The back office, which alone may update restricted records, sees them whole.
 */
export function updateView({ sensitivity }: Pick<StoredPerson, 'sensitivity'>, patient: Json, access: Access): Json {
  const { emptyAddressLines: _, ...attributes } = access.app?.attributes ?? {}
  const reader = access.app === undefined ? access : { ...access, app: { ...access.app, attributes } }
  const whole = access.mode === 'privileged-application-restricted' || attributes.source === 'back-office'
  return withheld(tidied(patient, reader), sensitivity, whole)
}

/** Former names, addresses and so on, for dialects that show ended snippets; withheld as the current ones are. */
export function pastView(person: StoredPerson, access: Access): Json {
  if (person.past === undefined) return {}
  const { history } = JSON.parse(person.past) as { readonly history?: Json }
  const privileged = access.mode === 'privileged-application-restricted'
  return withheld(tidied(history ?? {}, access), person.sensitivity, privileged)
}

const searchedMembers = [
  'id',
  'meta',
  'identifier',
  'name',
  'gender',
  'birthDate',
  'multipleBirthInteger',
  'deceasedDateTime',
  'address',
  'telecom',
  'generalPractitioner',
  'extension',
] as const

const searchedNames: ReadonlySet<unknown> = new Set(['usual', 'nickname', 'temp'])

/** The Patient of a search result. Restricted people are masked whatever the mode (§5). */
export function searchView(
  sensitivity: Sensitivity,
  patient: Json,
  access: Access,
): Json & { readonly resourceType: 'Patient' } {
  const whole = withheld(tidied(patient, access), sensitivity, false)
  const shown: Record<string, unknown> & { readonly resourceType: 'Patient' } = { resourceType: 'Patient' }
  for (const member of searchedMembers) {
    const value = whole[member]
    const kept =
      member === 'name'
        ? items(value).filter(({ use }) => searchedNames.has(use))
        : member === 'address'
          ? items(value).filter(({ use }) => use === 'home')
          : member === 'extension'
            ? items(value).filter(({ url }) => url === extensionUrl.deathNotification)
            : value
    if (kept !== undefined && !(Array.isArray(kept) && kept.length === 0)) shown[member] = kept
  }
  return shown
}

/** A related person's own record, as far as it decides what is shown of them. */
export type RelatedSubject = Pick<StoredPerson, 'nhsNumber' | 'sensitivity'>

const relatedLists = ['name', 'telecom', 'address'] as const
const mostOfOneList = 5

/**
 * RelatedPerson resources as they are shown (§11): none of a restricted person; of related people who are restricted
 * themselves no place and no contact, and of the very restricted no name either. `people[n]` is the own record of
 * `resources[n]`, where their number is known.
 */
export function relatedView(
  subject: StoredPerson,
  resources: readonly Json[],
  people: readonly (RelatedSubject | undefined)[],
): readonly Json[] {
  if (subject.sensitivity !== 'U') return []
  return resources.map((resource, index) => {
    const own = people[index]
    const { resourceType, id, identifier, active, ...rest } = resource
    const shown: Record<string, unknown> = {
      resourceType: 'RelatedPerson',
      id,
      active: active ?? true,
      // A related person of whom no number is known is told of under the number of the patient.
      patient: {
        identifier: { system: namingSystem.fhirNhsUk.nhsNumber, value: own?.nhsNumber ?? subject.nhsNumber },
      },
      ...rest,
    }
    for (const list of relatedLists) {
      const value = resource[list]
      if (Array.isArray(value)) shown[list] = value.slice(0, mostOfOneList)
    }
    if (shown['address'] !== undefined)
      shown['address'] = items(shown['address']).map((address) => addressLines(address, false))
    if (own !== undefined && own.sensitivity !== 'U') {
      delete shown['address']
      delete shown['telecom']
      if (own.sensitivity === 'V') delete shown['name']
    }
    return shown
  })
}

const restrictedMembers = ['address', 'telecom', 'contact', 'generalPractitioner', 'managingOrganization'] as const
const restrictedExtensions: ReadonlySet<unknown> = new Set([
  extensionUrl.nominatedPharmacy,
  extensionUrl.dispensingDoctor,
  extensionUrl.applianceSupplier,
  extensionUrl.birthPlace,
])
const veryRestrictedMembers: ReadonlySet<string> = new Set([
  'resourceType',
  'id',
  'meta',
  'identifier',
  'gender',
  'deceasedDateTime',
])

function withheld(patient: Json, sensitivity: Sensitivity, privileged: boolean): Json {
  if (sensitivity === 'U' || (sensitivity === 'R' && privileged)) return patient
  if (sensitivity === 'R') {
    const shown: Record<string, unknown> = { ...patient }
    for (const member of restrictedMembers) delete shown[member]
    return withExtensions(shown, ({ url }) => !restrictedExtensions.has(url))
  }
  const shown = Object.fromEntries(Object.entries(patient).filter(([member]) => veryRestrictedMembers.has(member)))
  return withExtensions(
    { ...shown, extension: patient['extension'] },
    ({ url }) => url === extensionUrl.deathNotification,
  )
}

function tidied(patient: Json, access: Access): Json {
  const attributes = access.app?.attributes ?? {}
  const shown: Record<string, unknown> = { ...patient }
  if (Array.isArray(patient['address']))
    shown['address'] = items(patient['address']).map((address) =>
      addressLines(address, attributes.emptyAddressLines === true),
    )
  if (patient['extension'] !== undefined)
    shown['extension'] = items(patient['extension']).map((extension) =>
      extension['url'] === extensionUrl.removal
        ? removalReason(extension, attributes.confidentialRemovalReason === true)
        : extension,
    )
  return withExtensions(
    shown,
    ({ url }) =>
      (url !== extensionUrl.consent || attributes.recordSharingConsent === true) &&
      (url !== extensionUrl.ethnicCategory || attributes.ethnicCategory === true),
  )
}

function withExtensions(patient: Record<string, unknown>, keep: (extension: Json) => boolean): Json {
  const { extension, ...rest } = patient
  const kept = items(extension).filter(keep)
  return kept.length === 0 ? rest : { ...rest, extension: kept }
}

const lineAbsent = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'not-applicable' }],
}

/** Blank lines are dropped, or shown as null with a companion in `_line` where the app asks for them. */
function addressLines(address: Json, keepBlank: boolean): Json {
  const { line } = address
  if (!Array.isArray(line) || line.every(Boolean)) return address
  if (!keepBlank) return { ...address, line: line.filter(Boolean) }
  return {
    ...address,
    line: line.map((part: unknown) => part || null),
    _line: line.map((part: unknown) => (part ? null : lineAbsent)),
  }
}

const confidentialReasons: ReadonlySet<unknown> = new Set(['AFN', 'SDN'])

function removalReason(removal: Json, confidentialShown: boolean): Json {
  return {
    ...removal,
    extension: items(removal['extension']).map((part) => {
      const concept = asJson(part['valueCodeableConcept'])
      if (part['url'] !== 'removalFromRegistrationCode') return part
      const coding = items(concept['coding']).map((code) =>
        code['code'] === 'LDN' || (confidentialReasons.has(code['code']) && !confidentialShown)
          ? { ...code, code: 'ORR', display: 'Other Reason' }
          : code,
      )
      return isJson(part['valueCodeableConcept']) ? { ...part, valueCodeableConcept: { ...concept, coding } } : part
    }),
  }
}
