import { isNhsNumber, namingSystem } from '@openspine/standards/nhs'
import type { Check } from '../checks.ts'
import { dayNumber } from '../fold.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { extensionUrl, isJson, items, type Json } from '../person.ts'
import { type Body, type BodyCheck, formed, list, matching, needs, ofMember, single, valueAt } from '../rules/body.ts'
import { deceasedRules, multipleBirthRules } from '../rules/details.ts'
import { codeIn, deathStatus, partOf } from '../rules/extensions.ts'
import { isOdsCode } from '../rules/registrations.ts'
import { daysBetween } from '../rules/snippet.ts'
import { babyChecks, newRecordChecks } from './patient-checks.ts'

const clause = '§13'

/** The entries of a birth notification, in their order. */
export const birthEntries = [
  'Patient',
  'Observation',
  'Observation',
  'Observation',
  'Observation',
  'Observation',
  'RelatedPerson',
  'Patient',
  'Organization',
  'Location',
  'CareTeam',
  'Practitioner',
] as const

/** Coding systems of the observations and the place of birth. */
export const birthSystem = {
  stillbirth: 'urn:oid:2.16.840.1.113883.2.1.3.2.4.17.172',
  abnormality: 'urn:oid:2.16.840.1.113883.2.1.3.2.4.17.171',
  place: 'urn:oid:2.16.840.1.113883.2.1.3.2.4.17.173',
  snomed: 'http://snomed.info/sct',
} as const

const bundleChecks: readonly BodyCheck[] = [
  needs('resourceType', { clause, explanation: 'The body is a Bundle.' }),
  formed('resourceType', (value) => value === 'Bundle', { clause, explanation: 'The body is a Bundle.' }),
  needs('type', { clause, explanation: 'The Bundle is a transaction.' }),
  formed('type', (value) => value === 'transaction', { clause, explanation: 'The Bundle is a transaction.' }),
  needs('entry', { clause, explanation: 'The Bundle has the entries of a birth notification.' }),
  list('entry', birthEntries.length, {
    clause,
    explanation: `The Bundle has ${birthEntries.length} entries: ${birthEntries.join(', ')}.`,
  }),
  ...birthEntries.flatMap((type, index) => [
    needs(`entry/${index}/resource/resourceType`, { clause, explanation: `Entry ${index} has a ${type}.` }),
    formed(`entry/${index}/resource/resourceType`, (value) => value === type, {
      clause,
      explanation: `Entry ${index} has a ${type}.`,
    }),
    formed(`entry/${index}/request/method`, (value) => value === 'POST', {
      clause,
      explanation: 'Every entry is posted.',
    }),
  ]),
]

/** Looks into the resource of one entry, under its full path. */
const within = (index: number, check: BodyCheck): BodyCheck => ({
  ...check,
  name: `Entry ${index}: ${check.name}`,
  refusal: ({ value, prefix, today }) => {
    const path = `entry/${index}/resource`
    const resource = valueAt(value, path)
    return isJson(resource) ? check.refusal({ value: resource, prefix: `${prefix}${path}/`, today }) : undefined
  },
})

const entry = (index: number, checks: readonly BodyCheck[]) => checks.map((check) => within(index, check))

const digits = (most: number) => (value: unknown) =>
  (typeof value === 'number' || typeof value === 'string') && new RegExp(`^\\d{1,${most}}$`).test(String(value))

/** An observation says by a SNOMED CT code what it is. */
const observes = (code: string, what: string): readonly BodyCheck[] => [
  needs('code/coding/0/code', { clause, explanation: `The observation has the code ${code}: ${what}.` }),
  formed('code/coding/0/code', (value) => value === code, {
    clause,
    explanation: `The observation has the code ${code}: ${what}.`,
  }),
]

const coded = (system: string, form: RegExp, explanation: string): readonly BodyCheck[] => [
  needs('valueCodeableConcept/coding/0/code', { clause, explanation }),
  formed('valueCodeableConcept/coding/0/system', (value) => value === system, { clause, explanation }),
  formed('valueCodeableConcept/coding/0/code', matching(form), { clause, explanation }),
]

const weight = 'The weight at birth is in grams, four digits at most.'
const gestation = 'The gestation is in weeks, two digits at most.'
const foetuses = 'The number of foetuses is a whole number from 1.'
const mother = "The mother's NHS number is a valid one."
const place = 'The place of birth has a site code and a type.'
const careTeam = 'The care team has two participants: partner and responsible child health service, by ODS code.'

const childHealth: readonly BodyCheck[] = [0, 1].flatMap((index) => [
  needs(`participant/${index}/member/identifier/value`, { clause, explanation: careTeam }),
  formed(`participant/${index}/member/identifier/value`, isOdsCode, { clause, explanation: careTeam }),
  formed(`participant/${index}/role/0/coding/0/code`, (value) => value === '788127005', {
    clause,
    explanation: careTeam,
  }),
])

/** POST /Patient/$process-birth-details: the body, before anybody is looked for. */
export const birthChecks: readonly BodyCheck[] = [
  ...bundleChecks,
  ...entry(0, [
    ...babyChecks,
    ...multipleBirthRules.map((rule) => ofMember('multipleBirthInteger', rule)),
    ...deceasedRules.map((rule) => ofMember('deceasedDateTime', rule)),
    formed(
      '_birthDate/extension/0/valueDateTime',
      matching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/),
      {
        clause,
        explanation: 'The time of birth is a date with a time.',
      },
    ),
    {
      name: 'Death notification has a status',
      clause,
      explanation: 'The status of a death notification is 1 (informal), 2 (formal) or U (none).',
      refusal({ value, prefix }) {
        for (const [index, extension] of items(value['extension']).entries()) {
          if (extension['url'] !== extensionUrl.deathNotification) continue
          const found = partOf(extension, 'deathNotificationStatus')
          const code = codeIn(found?.part)
          if (code !== '1' && code !== '2' && code !== 'U')
            return outcomes.invalidField(
              code ?? '',
              `${prefix}extension/${index}/extension/${found?.index ?? 0}/valueCodeableConcept/coding/0/code`,
            )
        }
        return undefined
      },
    },
  ]),
  ...entry(1, [
    ...observes('364589006', 'birth weight'),
    needs('valueQuantity/value', { clause, explanation: weight }),
    formed('valueQuantity/value', digits(4), { clause, explanation: weight }),
  ]),
  ...entry(2, [
    ...observes('237364002', 'stillbirth'),
    ...coded(birthSystem.stillbirth, /^[1-4]$/, 'The child was born alive (1), or not (2 to 4).'),
  ]),
  ...entry(3, [
    ...observes('268477000', 'gestation at delivery'),
    needs('valueQuantity/value', { clause, explanation: gestation }),
    formed('valueQuantity/value', digits(2), { clause, explanation: gestation }),
  ]),
  ...entry(4, [
    ...observes('246435002', 'number of foetuses'),
    needs('valueInteger', { clause, explanation: foetuses }),
    formed(
      'valueInteger',
      (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 9,
      {
        clause,
        explanation: foetuses,
      },
    ),
  ]),
  ...entry(5, [
    ...observes('66091009', 'suspected congenital abnormality'),
    ...coded(birthSystem.abnormality, /^[YN]$/, 'A congenital abnormality is suspected (Y) or not (N).'),
  ]),
  ...entry(6, [
    needs('identifier/0/value', { clause, explanation: mother }),
    formed('identifier/0/value', isNhsNumber, { clause, explanation: mother }),
    needs('relationship/0/coding/0/code', { clause, explanation: 'The relationship is GESTM.' }),
    formed('relationship/0/coding/0/code', (value) => value === 'GESTM', {
      clause,
      explanation: 'The relationship is GESTM.',
    }),
  ]),
  ...entry(7, [
    needs('identifier/0/value', { clause, explanation: mother }),
    formed('identifier/0/system', (value) => value === namingSystem.fhirNhsUk.nhsNumber, {
      clause,
      explanation: mother,
    }),
    formed('identifier/0/value', isNhsNumber, { clause, explanation: mother }),
    needs('name/0/family', { clause, explanation: 'The mother has a family name.' }),
    needs('birthDate', { clause, explanation: 'The mother has a date of birth.' }),
    formed('birthDate', (value) => typeof value === 'string' && dayNumber(value) !== undefined, {
      clause,
      explanation: 'The mother has a date of birth.',
    }),
  ]),
  {
    name: 'Mother is one',
    clause,
    explanation: 'The related person and the mother have the same NHS number.',
    refusal: ({ value }) => {
      const number = motherOf(value)
      return number === valueAt(value, 'entry/6/resource/identifier/0/value')
        ? undefined
        : outcomes.invalidField(number, 'entry/7/resource/identifier/0/value')
    },
  },
  ...entry(8, [
    needs('identifier/0/value', { clause, explanation: "The mother's practice has an ODS code." }),
    formed('identifier/0/value', isOdsCode, { clause, explanation: "The mother's practice has an ODS code." }),
  ]),
  ...entry(9, [
    needs('identifier/0/value', { clause, explanation: place }),
    formed('identifier/0/value', isOdsCode, { clause, explanation: place }),
    needs('type/0/coding/0/code', { clause, explanation: place }),
  ]),
  ...entry(10, [
    needs('participant', { clause, explanation: careTeam }),
    list('participant', 2, { clause, explanation: careTeam }),
    ...childHealth,
  ]),
  ...entry(11, [
    needs('name/0/family', { clause, explanation: 'Who attended has a family name.' }),
    single('name', { clause, explanation: 'Who attended has one name.' }),
  ]),
]

/** The mother's number, of a body that passed its checks. */
export const motherOf = (value: Json): string => String(valueAt(value, 'entry/7/resource/identifier/0/value'))

/** The baby, of a body that passed its checks. */
export const babyOf = (value: Json): Json => {
  const baby = valueAt(value, 'entry/0/resource')
  return isJson(baby) ? baby : {}
}

/** The status of the death that is notified with the birth; none where it is U. */
export function deathAtBirth(baby: Json): '1' | '2' | undefined {
  const extension = items(baby['extension']).find(({ url }) => url === extensionUrl.deathNotification)
  const status = extension === undefined ? undefined : deathStatus(extension)
  return status === '1' || status === '2' ? status : undefined
}

/** A child is registered as one that was born until this age. */
const oldestBaby = 183

/** The whole notification, after nobody was found who matches. */
export const newBirthChecks: readonly Check<Body>[] = [
  {
    name: 'Birth was within six months',
    clause,
    explanation: `The child was born at most ${oldestBaby} days ago: register an older one with POST /Patient.`,
    refusal: ({ value, today }) => {
      const born = dayNumber(String(babyOf(value)['birthDate'])) ?? 0
      return daysBetween(born, dayNumber(today) ?? 0) > oldestBaby ? outcomes.birthTooLongAgo : undefined
    },
  },
  {
    name: 'Death and stillbirth agree',
    clause,
    explanation:
      'A stillbirth (2 to 4) comes with a formal death and its date, a live birth (1) without a formal death.',
    refusal: ({ value }): PdsOutcome | undefined => {
      const baby = babyOf(value)
      const still = valueAt(value, 'entry/2/resource/valueCodeableConcept/coding/0/code') !== '1'
      const death = deathAtBirth(baby)
      const consistent = still === (death === '2') && (death !== undefined) === (baby['deceasedDateTime'] !== undefined)
      return consistent ? undefined : outcomes.birthDeathInconsistent
    },
  },
  ...newRecordChecks.map((check) => within(0, check)),
]
