/** What is sent in R4, brought into the form that is kept. */
import type { FhirOutcome } from '@openspine/standards/fhir'
import { asJson, type Code, codings, extensionOf, type Json, text } from '@openspine/standards/fhir/untrusted'
import { isNhsNumber } from '@openspine/standards/nhs'
import {
  adjustmentCategories,
  adjustmentSlugs,
  conditionCodes,
  extensions,
  isSnomed,
  isSnomedCode,
  nraf,
  type PatientFlagCode,
  patientFlags,
  r4,
  raConsent,
  systems,
} from '../codes.ts'
import type { Kind } from '../item.ts'
import { patientReference } from '../stu3/render.ts'
import { numberIn } from '../stu3/resources.ts'
import { flagOutcomes } from './outcomes.ts'

/** One resource of a request, as the rules take it. */
export interface FlagDraft {
  readonly kind: Kind
  readonly nhsNumber: string
  readonly document: Json
  readonly notes?: string
}

/** One check of a resource: what it asks, and what the wire says when it fails. `at` is where it stands in the request. */
export interface FlagCheck {
  readonly name: string
  readonly explains: string
  refusal(resource: Json, at: string): FhirOutcome | undefined
}

const codeIn = (concept: unknown, system: string): Code | undefined =>
  codings(concept).find((each) => each.system === system)
const snomedIn = (concept: unknown): Code | undefined => codings(concept).find((each) => isSnomed(each.system))

/** The code, where there is such a flag: also by the short name, `NRAF`. */
export function patientFlagOf(code: string | undefined): PatientFlagCode | undefined {
  const found = Object.entries(patientFlags).find(([name, { short }]) => name === code || short === code)
  return found?.[0] as PatientFlagCode | undefined
}

const slugOf = (slugs: Readonly<Record<string, string>>, code: string | undefined) =>
  Object.entries(slugs).find(([number, slug]) => slug === code || number === code)?.[0]
const conditionSlugs = Object.fromEntries(Object.entries(conditionCodes).map(([code, { slug }]) => [code, slug]))

const isTop = (resource: Json) => codeIn(resource['code'], systems.patientFlag) !== undefined
const isFlag = (resource: Json) => resource['resourceType'] === 'Flag'
const field = (at: string, name: string) => (at === '' ? name : `${at}/${name}`)

/** Of a Flag or a Condition, in order. */
export const flagResourceChecks: readonly FlagCheck[] = [
  {
    name: 'Resource type',
    explains: 'The resource is a Flag or a Condition.',
    refusal: (resource, at) =>
      isFlag(resource) || resource['resourceType'] === 'Condition'
        ? undefined
        : flagOutcomes.invalidField(text(resource['resourceType']) ?? '', field(at, 'resourceType')),
  },
  {
    name: 'Subject',
    explains: 'The subject is a reference to Patient/ and the NHS number.',
    refusal(resource, at) {
      const number = numberIn(resource['subject'])
      if (number === undefined) return flagOutcomes.missingValue(field(at, 'subject/reference'))
      return isNhsNumber(number) ? undefined : flagOutcomes.invalidField(number, field(at, 'subject/reference'))
    },
  },
  {
    name: 'Status',
    explains: 'What is added is active.',
    refusal(resource, at) {
      if (isFlag(resource)) {
        const status = text(resource['status'])
        if (status === undefined) return flagOutcomes.missingValue(field(at, 'status'))
        return status === 'active' ? undefined : flagOutcomes.invalidField(status, field(at, 'status'))
      }
      const status = codeIn(resource['clinicalStatus'], systems.conditionClinical)?.code
      if (status === undefined) return flagOutcomes.missingValue(field(at, 'clinicalStatus'))
      return status === 'active' ? undefined : flagOutcomes.invalidField(status, field(at, 'clinicalStatus'))
    },
  },
  {
    name: 'Code',
    explains:
      'The code is that of a patient flag, or SNOMED CT (an adjustment, an underlying condition), or of England-ConditionCodeRA (an impairment).',
    refusal(resource, at) {
      const { code } = resource
      const [first] = codings(code)
      if (first === undefined) return flagOutcomes.missingValue(field(at, 'code'))
      const top = codeIn(code, systems.patientFlag)
      const impairment = codeIn(code, systems.conditionCodeRa)
      const snomed = snomedIn(code)
      const right = isFlag(resource)
        ? top === undefined
          ? snomed !== undefined && isSnomedCode(snomed.code)
          : patientFlagOf(top.code) !== undefined
        : impairment === undefined
          ? snomed !== undefined && isSnomedCode(snomed.code)
          : slugOf(conditionSlugs, impairment.code) !== undefined
      return right ? undefined : flagOutcomes.invalidField(first.code, field(at, 'code/coding/0/code'))
    },
  },
  {
    name: 'Child protection',
    explains: 'The child protection flag is read only.',
    refusal: (resource) =>
      isFlag(resource) &&
      patientFlagOf(codeIn(resource['code'], systems.patientFlag)?.code) === 'child-protection-information-system-flag'
        ? flagOutcomes.readOnly
        : undefined,
  },
  {
    name: 'Kind of flag',
    explains: 'What supports a flag names it in a category: only the Reasonable Adjustments flag is supported so.',
    refusal(resource, at) {
      if (isTop(resource)) return undefined
      const named = codeIn(resource['category'], systems.patientFlag)
      if (named === undefined) return isFlag(resource) ? flagOutcomes.missingValue(field(at, 'category')) : undefined
      const flag = patientFlagOf(named.code)
      if (flag === undefined) return flagOutcomes.invalidField(named.code, field(at, 'category'))
      return flag === 'national-reasonable-adjustment-flag' ? undefined : flagOutcomes.flagOnly
    },
  },
  {
    name: 'Category of the adjustment',
    explains: 'An adjustment has a category of England-FlagCategoryRA.',
    refusal(resource, at) {
      if (!isFlag(resource) || isTop(resource)) return undefined
      const category = codeIn(resource['category'], systems.flagCategoryRa)
      if (category === undefined) return flagOutcomes.missingValue(field(at, 'category'))
      return slugOf(adjustmentSlugs, category.code) === undefined
        ? flagOutcomes.invalidField(category.code, field(at, 'category'))
        : undefined
    },
  },
]

const notesOf = (resource: Json): string | undefined =>
  text(asJson(extensionOf(resource, r4.notes)?.['valueAnnotation'])['text'])

/** A resource that has passed the checks, in the form of STU3. */
export function draftOf(resource: Json): FlagDraft {
  const nhsNumber = numberIn(resource['subject']) ?? ''
  const notes = notesOf(resource)
  const about = { nhsNumber, ...(notes === undefined ? {} : { notes }) }
  const subject = patientReference(nhsNumber)
  const top = codeIn(resource['code'], systems.patientFlag)
  const flag = patientFlagOf(top?.code)
  if (isFlag(resource) && flag !== undefined)
    return { ...about, kind: patientFlags[flag].kind, document: topDocument(flag, nhsNumber, notes) }
  const snomed = snomedIn(resource['code'])
  if (isFlag(resource)) {
    const category = slugOf(adjustmentSlugs, codeIn(resource['category'], systems.flagCategoryRa)?.code) ?? ''
    const coding = { system: systems.adjustmentCategory, code: category, display: adjustmentCategories[category] }
    const extension = [
      { url: extensions.adjustmentCategory, valueCodeableConcept: { coding: [coding] } },
      ...noted(notes),
    ]
    return {
      ...about,
      kind: 'adjustment',
      document: { extension, category: { coding: [nraf] }, code: { coding: [snomed] }, subject },
    }
  }
  const impairment = slugOf(conditionSlugs, codeIn(resource['code'], systems.conditionCodeRa)?.code)
  const coding =
    impairment === undefined
      ? snomed
      : { system: systems.conditionCode, code: impairment, display: conditionCodes[impairment]?.display }
  const { note } = resource
  return {
    ...about,
    kind: impairment === undefined ? 'condition' : 'impairment',
    document: {
      category: [{ coding: [{ system: systems.conditionCategory, code: 'issue', display: 'Issue' }] }],
      code: { coding: [coding] },
      subject,
      ...(note === undefined ? {} : { note }),
    },
  }
}

/** Notes where both dialects find them. */
export const noted = (notes: string | undefined): readonly Json[] =>
  notes === undefined ? [] : [{ url: extensions.adjustmentNotes, valueString: notes }]

/** A flag at the top: of the Reasonable Adjustments the consent, whose proxy role this dialect does not tell. */
export function topDocument(flag: PatientFlagCode, nhsNumber: string, notes: string | undefined): Json {
  const extension = noted(notes)
  const own = extension.length > 0 ? { extension } : {}
  if (flag !== 'national-reasonable-adjustment-flag') return own
  return {
    ...own,
    category: [{ coding: [nraf] }],
    patient: patientReference(nhsNumber),
    purpose: [raConsent],
  }
}
