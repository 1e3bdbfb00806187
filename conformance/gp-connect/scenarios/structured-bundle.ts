/** §9.2: the bundle of a structured record, and its lists. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import type { AnyResource } from '@openspine/standards/fhir'
import { type Answered, resourcesOf } from '../ask.ts'
import { shownDay } from '../html.ts'
import type { ObligationId } from '../obligations.ts'
import { extra, servicesOfSecond } from '../people.ts'
import { about, allergies, day, everything, nhsNumber, type Part, structured, who } from '../requests.ts'
import { type Area, ofType, type Scenario } from '../scenario.ts'
import { type Json, objectsIn } from './foundations-reading.ts'

const definition = 'https://fhir.nhs.uk/STU3/StructureDefinition/'

/** Code, display and title of the list of each area. */
const primary = [
  ['886921000000105', 'Allergies and adverse reactions', 'Allergies and adverse reactions'],
  ['1103671000000101', 'Ended allergies', 'Ended allergies'],
  ['933361000000108', 'Medications and medical devices', 'Medications and medical devices'],
  ['1149501000000101', 'List of consultations', 'List of consultations'],
  ['717711000000103', 'Problems', 'Problems'],
  ['1102181000000102', 'Immunisations', 'Immunisations'],
  ['826501000000100', 'Miscellaneous record', 'Uncategorised data'],
  ['887191000000108', 'Investigations and results', 'Investigations and results'],
  ['792931000000107', 'Outbound referral', 'Outbound referral'],
  ['714311000000108', 'Patient recall administration', 'Patient recall administration'],
] as const

const secondary = [
  'Consultations - allergies contained in consultations',
  'Consultations - allergies that have been ended contained in consultations',
  'Consultations - diary entries contained in consultations',
  'Consultations - documents contained in consultations',
  'Consultations - immunisations contained in consultations',
  'Consultations - investigations contained in consultations',
  'Consultations - medications contained in consultations',
  'Consultations - outbound referrals in consultations',
  'Consultations - problems contained in consultations',
  'Consultations - uncategorised data contained in consultations',
  'Problems - allergies related to problems',
  'Problems - allergies that have been ended related to problems',
  'Problems - consultations related to problems',
  'Problems - diary entries related to problems',
  'Problems - documents related to problems',
  'Problems - immunisations related to problems',
  'Problems - investigations related to problems',
  'Problems - medications related to problems',
  'Problems - outbound referrals related to problems',
  'Problems - linked problems not relating to the primary query',
  'Problems - uncategorised data related to problems',
]

interface Coding {
  readonly system: string
  readonly code: string
  readonly display: string
}
const codingOf = (value: unknown): Coding => {
  const [coding, ...more] = objectsIn((value as Json | undefined)?.['coding'])
  assert.ok(coding !== undefined && more.length === 0, JSON.stringify(value))
  return coding as unknown as Coding
}
/** Lists of areas and secondary ones: those inside a consultation have ids of their own. */
const listsOf = (answered: Answered) => ofType(answered, 'List').filter(({ id }) => id === undefined)
const extensionsOf = (list: AnyResource, name: string) =>
  objectsIn(list['extension']).filter(({ url }) => url === `${definition}${name}`)
const warningsOf = (list: AnyResource) =>
  extensionsOf(list, 'Extension-CareConnect-GPC-ListWarningCode-1').map(({ valueCode }) => valueCode)
const notesOf = (list: AnyResource) => objectsIn(list['note']).map(({ text }) => String(text))
const isPrimary = (list: AnyResource) => codingOf(list['code']).system === 'http://snomed.info/sct'

function isWellFormed(list: AnyResource, number: string): void {
  assert.equal(list.id, undefined)
  assert.deepEqual(list.meta, { profile: [`${definition}CareConnect-GPC-List-1`] })
  assert.deepEqual([list['status'], list['mode']], ['current', 'snapshot'])
  const { reference, identifier } = list['subject'] as { reference: string; identifier: Json }
  assert.match(reference, /^Patient\//)
  assert.deepEqual(identifier, { system: nhsNumber, value: number })
  assert.match(String(list['date']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+Z]/)
  const [setting, ...more] = extensionsOf(list, 'Extension-CareConnect-GPC-ClinicalSetting-1')
  assert.equal(more.length, 0)
  assert.deepEqual(codingOf(setting?.['valueCodeableConcept']), {
    system: 'http://snomed.info/sct',
    code: '1060971000000108',
    display: 'General practice service',
  })
}

function isSoundBundle({ resource, trace }: Answered): void {
  assert.deepEqual([resource.resourceType, resource['type']], ['Bundle', 'collection'])
  assert.deepEqual(resource.meta, { profile: [`${definition}GPConnect-StructuredRecord-Bundle-1`] })
  assert.equal(resource.id, trace)
  for (const entry of resource['entry'] as { fullUrl?: string }[]) assert.equal(entry.fullUrl, undefined)
  for (const { meta, resourceType, text } of resourcesOf(resource)) {
    assert.deepEqual(Object.keys(meta ?? {}), ['profile'], resourceType)
    assert.equal(meta?.profile?.length, 1)
    assert.equal(text, undefined)
  }
}

/** Every reference that a resource makes, in whatever depth. */
function referencesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'reference' && typeof inner === 'string' ? [inner] : referencesIn(inner),
  )
}

function isClosed({ resource }: Answered): void {
  const held = new Set(resourcesOf(resource).map(({ resourceType, id }) => `${resourceType}/${id}`))
  for (const reference of referencesIn(resource))
    if (!reference.startsWith('#')) assert.ok(held.has(reference), `${reference} leads nowhere`)
}

function hasPeople(answered: Answered, gp: string): void {
  for (const type of ['Patient', 'Organization', 'Practitioner', 'PractitionerRole'])
    assert.ok(ofType(answered, type).length > 0, type)
  const [patient] = ofType(answered, 'Patient')
  assert.deepEqual(patient?.['generalPractitioner'], [{ reference: `Practitioner/${gp}` }])
  assert.deepEqual(patient['managingOrganization'], { reference: 'Organization/A20047' })
}

const whole: Scenario = {
  ...structured(about(who), ...everything),
  shows: [
    '9.2-bundle',
    '9.2-no-versions',
    '9.2-bundle-id',
    '9.2-closed',
    '9.2-people',
    '9.2-list-each',
    '9.2-list-form',
    '9.2-list-entries',
    '9.2-secondary',
    '4.1-no-full-url',
    '4.1-no-narrative',
  ],
  name: 'a record of every area',
  status: 200,
  holds(answered) {
    isSoundBundle(answered)
    isClosed(answered)
    hasPeople(answered, 'gp-1')
    const lists = listsOf(answered)
    for (const list of lists) isWellFormed(list, who)
    assert.deepEqual(
      lists
        .filter(isPrimary)
        .map(({ code, title }) => [codingOf(code).code, codingOf(code).display, title])
        .sort(),
      primary.map((row) => [...row]).sort(),
    )
    const others = lists.filter((list) => !isPrimary(list))
    assert.ok(others.length > 5)
    for (const list of others) isSecondary(list)
    for (const list of lists)
      for (const entry of objectsIn(list['entry'])) assert.ok((entry['item'] as Json)['reference'] !== undefined)
  },
}

function isSecondary(list: AnyResource): void {
  const { code, display } = codingOf(list['code'])
  assert.equal(list['title'], display)
  assert.ok(secondary.includes(display), display)
  assert.equal(code, display.toLowerCase().replaceAll(' - ', '-').replaceAll(' ', '-'))
  assert.ok(objectsIn(list['entry']).length > 0 || warningsOf(list).length > 0, `${display} has nothing to say`)
}

const alone: readonly Scenario[] = everything.map((parameter) => ({
  ...structured(about(people.noData), parameter),
  shows: ['9.2-list-each', '9.2-empty', '9.2-list-form', '9.2-people'],
  name: `${parameter.name} of a patient without data`,
  status: 200,
  holds(answered) {
    hasPeople(answered, 'gp-2')
    const lists = listsOf(answered)
    assert.equal(lists.length, parameter.name === 'includeAllergies' ? 2 : 1)
    for (const list of lists) {
      isWellFormed(list, people.noData)
      assert.equal(list['entry'], undefined)
      assert.deepEqual(list['emptyReason'], {
        coding: [
          {
            system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-ListEmptyReasonCode-1',
            code: 'no-content-recorded',
            display: 'No Content Recorded',
          },
        ],
      })
      assert.deepEqual(notesOf(list), ['Information not available'])
    }
  },
}))

const warned = (
  shows: ObligationId,
  name: string,
  patient: string,
  parameters: readonly Part[],
  code: string,
  words: string | RegExp,
  more: Partial<Scenario> = {},
): Scenario => ({
  ...structured(about(patient), ...parameters),
  shows: [shows],
  name,
  status: 200,
  holds(answered) {
    const lists = listsOf(answered)
    assert.ok(lists.length > 0)
    for (const list of lists.filter(isPrimary)) {
      assert.deepEqual(warningsOf(list), [code], JSON.stringify(list['title']))
      assert.ok(
        notesOf(list).some((note) => (typeof words === 'string' ? note === words : words.test(note))),
        notesOf(list).join(' | '),
      )
    }
  },
  ...more,
})

const medication: Part = { name: 'includeMedication' }

export const structuredBundle: Area = {
  scenarios: [
    whole,
    ...alone,
    warned(
      '9.2-confidential',
      'confidential items that are kept back',
      people.confidentialItems,
      [medication, { name: 'includeProblems' }],
      'confidential-items',
      'Items excluded due to confidentiality and/or patient preferences.',
    ),
    {
      ...structured(about(people.confidentialItems), ...everything),
      shows: ['9.2-confidential'],
      name: 'what is confidential nowhere, and no warning where nothing is kept back',
      status: 200,
      holds(answered) {
        assert.doesNotMatch(answered.text, /Kept back|Confidential clinic/)
        const warnings = Object.fromEntries(
          listsOf(answered)
            .filter(isPrimary)
            .map((list) => [String(list['title']), warningsOf(list).length]),
        )
        assert.deepEqual([warnings['Immunisations'], warnings['Outbound referral']], [0, 0])
        assert.equal(warnings['List of consultations'], 1)
      },
    },
    warned(
      '9.2-transit',
      'a record in transit',
      people.inTransit,
      everything,
      'data-in-transit',
      `Patient record transfer from previous GP practice not yet complete; information recorded before ${shownDay(day(-20))} may be missing.`,
    ),
    warned(
      '9.2-filing',
      'data that await filing',
      extra.awaitingFiling,
      everything,
      'data-awaiting-filing',
      /^Patient record contains some items in the GP practice workflow/,
    ),
    {
      ...structured(about(who), allergies),
      settings: { services: servicesOfSecond({ structured: { specificationVersion: '1.5.1' } }) },
      shows: ['9.2-bundle'],
      name: 'a bundle of 1.5',
      status: 200,
      holds: ({ resource }) => assert.deepEqual([resource.resourceType, resource['type']], ['Bundle', 'collection']),
    },
  ],
  stories: [],
}
