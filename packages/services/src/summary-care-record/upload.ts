/** What is uploaded: judged in order, as the public service judges it, and brought into the form that is kept. */
import { asJson, type Code, codings, items, type Json, text } from '@openspine/standards/fhir/untrusted'
import { isNhsNumber, namingSystem } from '@openspine/standards/nhs'
import { isMoment, type ScrCheck, shown, summaryType, uuid } from './checks.ts'

export const uuidSystem = 'https://tools.ietf.org/html/rfc4122'
const nhsNumberSystem = namingSystem.fhirNhsUk.nhsNumber
const category = { code: '163171000000105', display: 'Care Professional Documentation' } as const
const typeDisplay = 'General Practice Summary'

export type UploadCheck = ScrCheck<Json>

const resources = (bundle: Json): readonly Json[] => items(bundle['entry']).map(({ resource }) => asJson(resource))
export const resourcesOf = (bundle: Json, type: string): readonly Json[] =>
  resources(bundle).filter(({ resourceType }) => resourceType === type)
const only = (bundle: Json, type: string): Json => resourcesOf(bundle, type)[0] ?? {}
const compositionOf = (bundle: Json) => only(bundle, 'Composition')

const numbersOf = (patient: Json): readonly string[] =>
  items(patient['identifier'])
    .filter(({ system }) => system === nhsNumberSystem)
    .flatMap(({ value }) => text(value) ?? [])

/** What the service prints for a value that is not there. */
const printed = (value: unknown) => (value === undefined ? 'null' : shown(String(value)))
/** Codes of FHIR are printed as their names in a program. */
const constant = (value: unknown) => printed(value).toUpperCase().replaceAll('-', '')

const check = (name: string, explains: string, fault: UploadCheck['fault']): UploadCheck => ({
  name,
  clause: '§26',
  outcome: 'value',
  explains,
  fault,
})

function one(type: 'Composition' | 'Patient'): UploadCheck {
  return check(`One ${type}`, `The document has exactly one ${type}.`, (bundle) => {
    const { length } = resourcesOf(bundle, type)
    if (length === 1) return undefined
    return length === 0 ? `${type} missing from payload` : `There is more than 1 resource of type ${type}`
  })
}

function coded(
  element: 'category' | 'type',
  wanted: { readonly code: string; readonly display: string },
): readonly UploadCheck[] {
  const first = (bundle: Json): Partial<Code> => codings(compositionOf(bundle)[element])[0] ?? {}
  const at = `Composition.${element}`
  const isTitle = { category: 'Category', type: 'Type' }[element]
  return [
    check(`${isTitle} is there`, `${at} is there.`, (bundle) =>
      compositionOf(bundle)[element] === undefined ? `${at} element is missing` : undefined,
    ),
    check(isTitle, `The first coding of ${at} is ${wanted.code} of SNOMED CT, with its display.`, (bundle) => {
      const { system, code, display } = first(bundle)
      if (system !== summaryType.system) return `${at}.coding.system not supported: ${printed(system)}`
      if (code !== wanted.code) return `${at}.coding.code not supported: ${printed(code)}`
      return display === wanted.display ? undefined : `${at}.coding.display not supported: ${printed(display)}`
    }),
  ]
}

const isReference = (reference: unknown, { id }: Json) =>
  typeof reference === 'string' &&
  typeof id === 'string' &&
  (reference === id ||
    reference === `Patient/${id}` ||
    reference.endsWith(`/Patient/${id}`) ||
    reference === `urn:uuid:${id}`)

/** Of an uploaded document, in order. */
export const uploadChecks: readonly UploadCheck[] = [
  check('Bundle', 'The body is a Bundle.', ({ resourceType }) =>
    resourceType === 'Bundle'
      ? undefined
      : `Incorrect resource type found, expected "Bundle" but found "${printed(resourceType)}"`,
  ),
  check('Document', 'The type of the Bundle is document.', ({ type }) =>
    type === 'document' ? undefined : `Unsupported Bundle.type: ${constant(type)}`,
  ),
  check('Timestamp', 'The Bundle has a timestamp.', ({ timestamp }) =>
    isMoment(timestamp) ? undefined : 'bundle.timestamp must not be empty',
  ),
  check('Identifier', `The Bundle has an identifier of the system ${uuidSystem}.`, ({ identifier }) => {
    const { system, value } = asJson(identifier)
    if (identifier === undefined) return 'bundle.identifier must not be empty'
    if (system !== uuidSystem) return `bundle.identifier.system must be ${uuidSystem}`
    return text(value) === undefined ? 'bundle.identifier.value must not be empty' : undefined
  }),
  one('Composition'),
  ...coded('category', category),
  ...coded('type', { code: summaryType.code, display: typeDisplay }),
  check('Status', 'The status of the Composition is final.', (bundle) => {
    const { status } = compositionOf(bundle)
    return status === 'final' ? undefined : `Invalid composition.status: ${constant(status)}`
  }),
  check('Replaces', 'Where the Composition relates to another, it replaces it, and names its id.', (bundle) => {
    const [relation] = items(compositionOf(bundle)['relatesTo'])
    if (relation === undefined) return undefined
    if (relation['code'] !== 'replaces')
      return `Unsupported Composition.relatesTo.code element: ${constant(relation['code'])}`
    return replacedBy(bundle) === undefined
      ? 'Composition.relatesTo.targetIdentifier.value element is missing'
      : undefined
  }),
  check('Id of the summary', `The Composition has an identifier of the system ${uuidSystem}: a UUID.`, (bundle) => {
    const { system, value } = asJson(compositionOf(bundle)['identifier'])
    if (system !== uuidSystem) return `Missing Composition.identifier for system: ${uuidSystem}`
    if (text(value) === undefined) return 'Missing Composition.identifier.value element'
    return uuid.test(String(value))
      ? undefined
      : `Invalid value - ${shown(String(value))} in field 'Composition.identifier.value'`
  }),
  check('Date', 'The Composition has a date.', (bundle) =>
    text(compositionOf(bundle)['date']) === undefined ? 'Composition Date Element missing from payload' : undefined,
  ),
  check('Sections', 'The Composition has sections.', (bundle) =>
    items(compositionOf(bundle)['section']).length === 0 ? 'Missing mandatory Composition.section' : undefined,
  ),
  one('Patient'),
  check('NHS number is there', `The Patient has one identifier of the system ${nhsNumberSystem}.`, (bundle) => {
    const { length } = numbersOf(only(bundle, 'Patient'))
    if (length === 1) return undefined
    return length === 0
      ? `patient.identifier[] for system ${nhsNumberSystem} must not be empty`
      : `Multiple Patient resource '${nhsNumberSystem}' identifiers`
  }),
  check('NHS number', 'The NHS number has a right check digit.', (bundle) => {
    const number = numberOf(bundle)
    return isNhsNumber(number) ? undefined : `Invalid value - ${shown(number)} in field 'Patient.identifier.value'`
  }),
  check('Subject', 'The subject of the Composition is the Patient.', (bundle) =>
    isReference(asJson(compositionOf(bundle)['subject'])['reference'], only(bundle, 'Patient'))
      ? undefined
      : 'Composition.subject reference is missing or invalid',
  ),
]

/** NHS number of the patient whom a sound document is about. */
export const numberOf = (bundle: Json): string => numbersOf(only(bundle, 'Patient'))[0] ?? ''
/** Id of the summary, as it is asked for. */
export const summaryIdOf = (bundle: Json): string =>
  String(asJson(compositionOf(bundle)['identifier'])['value']).toUpperCase()
/** Id of the summary that it replaces, as it was written. */
export function replacedBy(bundle: Json): string | undefined {
  const [relation] = items(compositionOf(bundle)['relatesTo'])
  const value = text(asJson(relation?.['targetIdentifier'])['value'])
  return value === undefined ? undefined : shown(value).toUpperCase()
}
