/** Systems and codes of the demographics specification, sections 23 and 24. */

const stu3 = 'https://fhir.nhs.uk/STU3/CodeSystem/'
const england = 'https://fhir.nhs.uk/England/CodeSystem/'

export const systems = {
  flagCategory: `${stu3}RARecord-FlagCategory-1`,
  consentPurpose: `${stu3}RARecord-ConsentPurpose-1`,
  proxyRole: `${stu3}RARecord-ProxyRole-1`,
  adjustmentCategory: `${stu3}RARecord-AdjustmentCategory-1`,
  conditionCode: `${stu3}RARecord-ConditionCode-1`,
  removalReason: `${stu3}RARecord-RemovalReason-1`,
  conditionCategory: 'https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1',
  jobRole: `${stu3}CareConnect-SDSJobRoleName-1`,
  snomed: 'http://snomed.info/sct',
  dataOperation: 'http://hl7.org/fhir/v3/DataOperation',
  patientFlag: `${england}England-FlagCategoryPatient`,
  flagCategoryRa: `${england}England-FlagCategoryRA`,
  conditionCategoryRa: `${england}England-ConditionCategoryRA`,
  conditionCodeRa: `${england}England-ConditionCodeRA`,
  conditionClinical: 'http://terminology.hl7.org/CodeSystem/condition-clinical',
  dataOperationR4: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation',
} as const

/** The systems of the reasons for a removal: the first one, and the four into which it was split. */
export const removalSystems: readonly string[] = [
  systems.removalReason,
  ...['EntireRecord', 'IndividualAdjustment', 'IndividualImpairment', 'UnderlyingCondition'].map(
    (part) => `${stu3}RARecord-RemovalReason${part}-1`,
  ),
]

/** Published examples write SNOMED CT in both ways. */
export const isSnomed = (system: string): boolean => /^https?:\/\/snomed\.info\/sct$/.test(system)
export const isSnomedCode = (code: string): boolean => /^[0-9]{6,18}$/.test(code)

const profile = 'https://fhir.nhs.uk/STU3/StructureDefinition/'
export const profiles = {
  consent: `${profile}RARecord-Consent-1`,
  flag: `${profile}RARecord-Flag-1`,
  list: `${profile}CareConnect-RARecord-List-1`,
  condition: `${profile}CareConnect-RARecord-Condition-1`,
  provenance: `${profile}RARecord-Provenance-1`,
  outcome: `${profile}Spine-OperationOutcome-1`,
} as const

export const extensions = {
  adjustmentCategory: `${profile}Extension-RARecord-AdjustmentCategory-1`,
  adjustmentNotes: `${profile}Extension-RARecord-AdjustmentNotes-1`,
  provenance: `${profile}Extension-RARecord-Provenance-1`,
  proxyRole: `${profile}Extension-RARecord-ProxyRole-1`,
  removalReason: `${profile}Extension-RARecord-RemovalReason-1`,
} as const

const profileR4 = 'https://fhir.nhs.uk/England/StructureDefinition/'
export const r4 = {
  patientFlag: `${profileR4}England-Flag-PatientFlag`,
  adjustment: `${profileR4}England-Flag-PatientFlag-Adjustment`,
  condition: `${profileR4}England-Condition-Flag`,
  provenance: `${profileR4}England-Provenance-Flag`,
  notes: `${profileR4}Extension-FlagNotes`,
  detail: 'http://hl7.org/fhir/StructureDefinition/flag-detail',
} as const

export const nraf = {
  system: systems.flagCategory,
  code: 'NRAF',
  display: 'National Reasonable Adjustments Flag',
} as const
export const raConsent = {
  system: systems.consentPurpose,
  code: 'RACONSENT',
  display: 'Reasonable Adjustments - Consent to record Reasonable Adjustments',
} as const
/** Code of the List. */
export const adjustmentList = {
  system: systems.snomed,
  code: '1094391000000102',
  display: 'Reasonable adjustments for health and care access',
} as const
export const threshold = {
  system: systems.snomed,
  code: '1326341000000105',
  display: 'Impairment with substantial and long term adverse effect on normal day to day activity (Equality Act 2010)',
} as const

const slug = (display: string) =>
  display
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-')
    .replace(/-$/, '')

/** Code of STU3 → display. */
export const adjustmentCategories: Readonly<Record<string, string>> = {
  '001': 'Communication support',
  '002': 'Requires communication professional',
  '003': 'Requires specific contact method',
  '004': 'Requires specific information format',
  '005': 'Additional communication needs and support',
  '006': 'Community Language Support',
  '007': 'Adjustments for providing Additional Support to patients',
  '008': 'Adjustments for Individual Care Requirements',
  '009': 'Adjustments in relation to the environment of care',
  '010': 'Adjustments to support Additional needs',
  '011': 'Bespoke Reasonable adjustments',
}
/** Code of STU3 → code of R4: `communication-support` is published, the others are made the same way. */
export const adjustmentSlugs: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(adjustmentCategories).map(([code, display]) => [code, slug(display)]),
)

/** Code of STU3 → display and code of R4: `learning` is published, the others are made the same way. */
export const conditionCodes: Readonly<Record<string, { readonly display: string; readonly slug: string }>> = {
  1: { display: 'Vision', slug: 'vision' },
  2: { display: 'Hearing', slug: 'hearing' },
  3: { display: 'Mobility', slug: 'mobility' },
  4: { display: 'Dexterity', slug: 'dexterity' },
  5: { display: 'Learning or understanding or concentrating', slug: 'learning' },
  6: { display: 'Memory', slug: 'memory' },
  7: { display: 'Mental health', slug: 'mental-health' },
  8: { display: 'Stamina or breathing or fatigue', slug: 'stamina' },
  9: { display: 'Social or behavioural', slug: 'social' },
  10: { display: 'Other', slug: 'other' },
  12: { display: 'Patient would prefer not to say', slug: 'prefer-not-to-say' },
}
/** Published examples pad it: `01`. */
export const conditionCodeOf = (code: string): string => code.replace(/^0+(?=\d)/, '')

export const proxyRoles: Readonly<Record<string, string>> = {
  '001': 'Patient consent',
  '002': 'Best interest decision made on behalf of patient (Mental Capacity Act 2005)',
  '003':
    'Lasting power of attorney for personal welfare or court-appointed deputy or equivalent (Mental Capacity Act 2005)',
  '004': 'Consent given by person with parental responsibility on behalf of patient',
}

export const removalReasons: readonly string[] = [
  'Error',
  'PatientDissent',
  'ProxyDissent',
  'DoesntApply',
  'BestInterest',
]

/** Flags at the top of a patient's record (§24), with the short names by which they are known as well. */
export const patientFlags = {
  'national-reasonable-adjustment-flag': {
    display: 'National Reasonable Adjustments Flag',
    short: 'NRAF',
    kind: 'record',
  },
  'female-genital-mutilation-flag': { display: 'Female Genital Mutilation Flag', short: 'FGM', kind: 'fgm' },
  'child-protection-information-system-flag': {
    display: 'Child Protection Information System Flag',
    short: 'CP-IS',
    kind: 'child-protection',
  },
} as const
export type PatientFlagCode = keyof typeof patientFlags
