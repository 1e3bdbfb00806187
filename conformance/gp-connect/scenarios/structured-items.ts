/** §9.3 to §9.6: what the areas of a structured record are made of, and its migration. */
import assert from 'node:assert/strict'
import type { AnyResource } from '@openspine/standards/fhir'
import type { Answered } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import { extra } from '../people.ts'
import { about, allergies, everything, migration, type Part, structured, who } from '../requests.ts'
import { type Area, firstOf, ofType, type Scenario, type Story } from '../scenario.ts'
import { type Json, objectsIn } from './foundations-reading.ts'

const definition = 'https://fhir.nhs.uk/STU3/StructureDefinition/'
const extensionsOf = (resource: Json, name: string): readonly Json[] =>
  objectsIn(resource['extension']).filter(({ url }) => String(url).endsWith(`/Extension-CareConnect-GPC-${name}-1`))
const codeIn = (concept: unknown): Json => objectsIn((concept as Json | undefined)?.['coding'])[0] ?? {}
const referenceIn = (value: unknown): string => String((value as Json | undefined)?.['reference'])
const lacks = (resource: Json, ...names: readonly string[]) => {
  for (const name of names) assert.equal(resource[name], undefined, name)
}
const isOf = (resource: AnyResource, profile: string) =>
  assert.deepEqual(resource.meta, { profile: [`${definition}${profile}`] })
const listOf = (answered: Answered, code: string): AnyResource => {
  const lists = ofType(answered, 'List').filter((list) => codeIn(list['code'])['code'] === code)
  assert.equal(lists.length, 1, code)
  return lists[0] as AnyResource
}
const entriesOf = (list: AnyResource) => objectsIn(list['entry']).map(({ item }) => referenceIn(item))
const hasIdentifier = (resource: Json) => {
  const [identifier] = objectsIn(resource['identifier'])
  assert.ok(identifier?.['system'] && identifier['value'])
}
const resolves = (answered: Answered, reference: string): AnyResource => {
  const [type = '', id] = reference.split('/')
  const found = ofType(answered, type).find((one) => one.id === id)
  assert.ok(found, `${reference} leads nowhere`)
  return found
}

const asked = (
  shows: readonly ObligationId[],
  name: string,
  parameter: Part,
  holds: (answered: Answered) => void,
  patient: string = who,
): Scenario => ({ ...structured(about(patient), parameter), shows, name, status: 200, holds })

const activeCode = '886921000000105'
const endedCode = '1103671000000101'

function isAllergy(answered: Answered, allergy: AnyResource, resolved: boolean): void {
  isOf(allergy, 'CareConnect-GPC-AllergyIntolerance-1')
  hasIdentifier(allergy)
  assert.equal(allergy['clinicalStatus'], resolved ? 'resolved' : 'active')
  assert.equal(allergy['verificationStatus'], 'unconfirmed')
  for (const category of allergy['category'] as string[]) assert.match(category, /^(medication|environment)$/)
  assert.ok(codeIn(allergy['code'])['system'])
  assert.match(referenceIn(allergy['patient']), /^Patient\//)
  assert.ok(allergy['assertedDate'])
  resolves(answered, referenceIn(allergy['recorder']))
  const reactions = objectsIn(allergy['reaction'])
  assert.ok(reactions.length <= 1)
  for (const reaction of reactions) {
    assert.ok(objectsIn(reaction['manifestation']).length <= 1)
    if (reaction['severity'] !== undefined) assert.match(String(reaction['severity']), /^(mild|moderate|severe)$/)
    lacks(reaction, 'note', 'onset', 'substance')
  }
}

const ofAllergies: readonly Scenario[] = [
  asked(
    [
      '9.3-two-lists',
      '9.3-resolved-contained',
      '9.3-active-count',
      '9.3-form',
      '9.3-reaction',
      '9.3-end',
      '9.3-life-threatening',
    ],
    'allergies with the resolved ones',
    allergies,
    (answered) => {
      const active = ofType(answered, 'AllergyIntolerance')
      assert.deepEqual(
        entriesOf(listOf(answered, activeCode)).toSorted(),
        active.map(({ id }) => `AllergyIntolerance/${id}`).toSorted(),
      )
      for (const allergy of active) isAllergy(answered, allergy, false)
      const list = listOf(answered, endedCode)
      const contained = objectsIn(list['contained']) as unknown as readonly AnyResource[]
      assert.ok(contained.length > 0)
      assert.deepEqual(
        entriesOf(list),
        contained.map(({ id }) => `#${id}`),
      )
      for (const allergy of contained) {
        isAllergy(answered, allergy, true)
        const parts = objectsIn(extensionsOf(allergy, 'AllergyIntoleranceEnd')[0]?.['extension'])
        assert.deepEqual(
          parts.map((part) => [part['url'], part['valueDateTime'] ?? part['valueString']]),
          [
            ['endDate', '2001-09-10'],
            ['reasonEnded', 'Tolerates milk since adolescence'],
          ],
        )
      }
      const threat = active.find(({ criticality }) => criticality === 'high')
      assert.equal(objectsIn(threat?.['reaction'])[0]?.['severity'], 'severe')
    },
  ),
  asked(
    ['9.3-two-lists', '9.3-active-count'],
    'allergies without the resolved ones',
    { name: 'includeAllergies', part: [{ name: 'includeResolvedAllergies', valueBoolean: false }] },
    (answered) => {
      assert.equal(ofType(answered, 'List').length, 1)
      assert.equal(entriesOf(listOf(answered, activeCode)).length, ofType(answered, 'AllergyIntolerance').length)
    },
  ),
  asked(
    ['9.3-active-count'],
    'an allergy that is no drug allergy',
    allergies,
    (answered) => {
      assert.deepEqual(
        ofType(answered, 'AllergyIntolerance').map(({ category }) => category),
        [['environment']],
      )
    },
    extra.varied,
  ),
]

const requestsOf = (answered: Answered, intent: 'plan' | 'order') =>
  ofType(answered, 'MedicationRequest').filter((request) => request['intent'] === intent)
const nameOf = (answered: Answered, of: AnyResource) =>
  String((resolves(answered, referenceIn(of['medicationReference']))['code'] as Json)['text'])
const knownDrugSystems =
  /^(http:\/\/snomed\.info\/sct|http:\/\/read\.info\/(readv2|ctv3)|https:\/\/fhir\.hl7\.org\.uk\/Id\/(emis-drug-codes|egton-codes|multilex-drug-codes|resipuk-gemscript-drug-codes))$/

function isStatement(answered: Answered, statement: AnyResource): void {
  isOf(statement, 'CareConnect-GPC-MedicationStatement-1')
  hasIdentifier(statement)
  const [based, ...others] = objectsIn(statement['basedOn']).map(referenceIn)
  assert.ok(based !== undefined && others.length === 0)
  assert.equal(resolves(answered, based)['intent'], 'plan')
  const agency = codeIn(extensionsOf(statement, 'PrescribingAgency')[0]?.['valueCodeableConcept'])
  assert.equal(agency['system'], 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1')
  assert.match(String(agency['code']), /^prescribed-(at-gp-practice|by-another-organisation)$/)
  const elsewhere = agency['code'] === 'prescribed-by-another-organisation'
  assert.equal(agency['display'], elsewhere ? 'Prescribed by another organisation' : 'Prescribed at GP practice')
  assert.match(String(statement['status']), /^(active|completed|stopped)$/)
  const { start, end } = statement['effectivePeriod'] as { start?: string; end?: string }
  assert.ok(start && statement['dateAsserted'])
  if (statement['status'] === 'active') assert.equal(end, undefined)
  assert.match(referenceIn(statement['subject']), /^Patient\//)
  assert.equal(statement['taken'], 'unk')
  assert.ok(objectsIn(statement['dosage'])[0]?.['text'])
  lacks(statement, 'partOf', 'category', 'informationSource', 'derivedFrom', 'reasonNotTaken', 'reasonCode')
  assert.doesNotMatch(JSON.stringify(statement), /ChangeSummary/)
}

const prescriptionTypes = ['acute', 'delayed-prescribing', 'repeat', 'repeat-dispensing', 'acute-handwritten']

function isRequest(request: AnyResource): void {
  const plan = request['intent'] === 'plan'
  isOf(request, 'CareConnect-GPC-MedicationRequest-1')
  hasIdentifier(request)
  const type = codeIn(extensionsOf(request, 'PrescriptionType')[0]?.['valueCodeableConcept'])
  assert.equal(type['system'], 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescriptionType-1')
  assert.ok(prescriptionTypes.includes(String(type['code'])) && type['display'])
  const repeat = String(type['code']).startsWith('repeat')
  assert.match(String(request['status']), /^(active|completed|stopped)$/)
  assert.ok(request['authoredOn'] && referenceIn(request['recorder']).startsWith('Practitioner/'))
  const [dosage, ...more] = objectsIn(request['dosageInstruction'])
  assert.ok(dosage?.['text'] && more.length === 0)
  const { validityPeriod } = request['dispenseRequest'] as { validityPeriod: { start?: string } }
  assert.ok(validityPeriod.start)
  const [information] = extensionsOf(request, 'MedicationRepeatInformation')
  assert.equal(information !== undefined, plan && repeat)
  if (information !== undefined)
    assert.ok(objectsIn(information['extension']).some(({ url }) => url === 'numberOfRepeatPrescriptionsIssued'))
  const [reason] = extensionsOf(request, 'MedicationStatusReason')
  assert.equal(reason !== undefined, plan && request['status'] === 'stopped')
  if (reason !== undefined)
    assert.deepEqual(
      objectsIn(reason['extension']).map(({ url }) => url),
      ['statusReason', 'statusChangeDate'],
    )
  assert.equal(Boolean((request['groupIdentifier'] as Json | undefined)?.['value']), repeat)
  assert.equal(request['basedOn'] === undefined, plan)
  lacks(
    request,
    'definition',
    'category',
    'priority',
    'supportingInformation',
    'substitution',
    'detectedIssue',
    'eventHistory',
  )
}

const ofMedication: readonly Scenario[] = [who, extra.medicated].map((patient) =>
  asked(
    [
      '9.4-chain',
      '9.4-orders',
      '9.4-list',
      '9.4-medication',
      '9.4-statement',
      '9.4-statement-not',
      '9.4-last-issue',
      '9.4-active-end',
      '9.4-request',
      '9.4-request-not',
      '9.4-repeat-information',
      '9.4-status-reason',
      '9.4-group',
    ],
    `medication of ${patient}`,
    { name: 'includeMedication' },
    (answered) => {
      const statements = ofType(answered, 'MedicationStatement')
      assert.ok(statements.length > 3)
      assert.deepEqual(
        entriesOf(listOf(answered, '933361000000108')).toSorted(),
        statements.map(({ id }) => `MedicationStatement/${id}`).toSorted(),
      )
      for (const statement of statements) isStatement(answered, statement)
      for (const medication of ofType(answered, 'Medication')) {
        isOf(medication, 'CareConnect-GPC-Medication-1')
        assert.match(String(codeIn(medication['code'])['system']), knownDrugSystems)
        lacks(medication, 'package')
      }
      for (const request of ofType(answered, 'MedicationRequest')) isRequest(request)
      const perPlan = new Map<string, number>()
      for (const order of requestsOf(answered, 'order')) {
        const [plan = ''] = objectsIn(order['basedOn']).map(referenceIn)
        assert.equal(resolves(answered, plan)['intent'], 'plan')
        perPlan.set(plan, (perPlan.get(plan) ?? 0) + 1)
      }
      for (const statement of statements) {
        const plan = resolves(answered, referenceIn(objectsIn(statement['basedOn'])[0]))
        const orders = perPlan.get(`MedicationRequest/${plan.id}`) ?? 0
        const type = codeIn(extensionsOf(plan, 'PrescriptionType')[0]?.['valueCodeableConcept'])['code']
        const agency = codeIn(extensionsOf(statement, 'PrescribingAgency')[0]?.['valueCodeableConcept'])['code']
        const none = type === 'repeat-dispensing' || agency !== 'prescribed-at-gp-practice'
        const name = nameOf(answered, statement)
        assert.ok(orders <= (none ? 0 : type === 'acute' ? 1 : Number.POSITIVE_INFINITY), name)
        const last = extensionsOf(statement, 'MedicationStatementLastIssueDate')[0]?.['valueDateTime']
        assert.equal(last !== undefined, !none && orders > 0, name)
      }
    },
    patient,
  ),
)

const nested = [
  ['325851000000107', 'Consultation'],
  ['25851000000105', 'Topic (EHR)'],
  ['24781000000107', 'Category (EHR)'],
] as const

const ofOtherAreas: readonly Scenario[] = [
  asked(
    ['9.5-consultations'],
    'consultations with their nested lists',
    { name: 'includeConsultations' },
    (answered) => {
      isOf(firstOf(answered, 'Encounter'), 'CareConnect-GPC-Encounter-1')
      const inside = ofType(answered, 'List').filter(({ id }) => id !== undefined)
      for (const [code] of nested)
        assert.ok(
          inside.some((list) => codeIn(list['code'])['code'] === code),
          code,
        )
      const [consultation] = inside.filter((list) => codeIn(list['code'])['code'] === nested[0][0])
      const [topic] = entriesOf(consultation as AnyResource)
      assert.equal(codeIn(resolves(answered, String(topic))['code'])['code'], nested[1][0])
      resolves(answered, referenceIn(consultation?.['encounter']))
    },
  ),
  asked(['9.5-problems'], 'problems with their extensions', { name: 'includeProblems' }, (answered) => {
    for (const condition of ofType(answered, 'Condition')) isOf(condition, 'CareConnect-GPC-ProblemHeader-Condition-1')
    const said = JSON.stringify(ofType(answered, 'Condition'))
    for (const name of ['ActualProblem', 'ProblemSignificance', 'RelatedProblemHeader', 'RelatedClinicalContent'])
      assert.match(said, new RegExp(`Extension-CareConnect(-GPC)?-${name}-1`), name)
  }),
  asked(
    ['9.5-immunisations'],
    'an immunisation with what is known of it',
    { name: 'includeImmunisations' },
    (answered) => {
      const immunization = firstOf(answered, 'Immunization')
      isOf(immunization, 'CareConnect-GPC-Immunization-1')
      assert.equal(immunization['notGiven'], false)
      for (const name of ['ParentPresent-1', 'DateRecorded-1'])
        assert.ok(
          objectsIn(immunization['extension']).some(({ url }) => String(url).endsWith(name)),
          name,
        )
    },
    extra.varied,
  ),
  asked(
    ['9.5-uncategorised'],
    'uncategorised data with a blood pressure',
    { name: 'includeUncategorisedData' },
    (answered) => {
      const observations = ofType(answered, 'Observation')
      for (const observation of observations) isOf(observation, 'CareConnect-GPC-Observation-1')
      const said = JSON.stringify(observations)
      for (const code of ['271649006', '271650006']) assert.ok(said.includes(code), code)
    },
  ),
  asked(
    ['9.5-investigations'],
    'an investigation with all that belongs to it',
    { name: 'includeInvestigations' },
    (answered) => {
      isOf(firstOf(answered, 'DiagnosticReport'), 'CareConnect-GPC-DiagnosticReport-1')
      isOf(firstOf(answered, 'ProcedureRequest'), 'CareConnect-GPC-ProcedureRequest-1')
      isOf(firstOf(answered, 'Specimen'), 'CareConnect-GPC-Specimen-1')
      assert.ok(ofType(answered, 'Observation').length > 2)
    },
  ),
  asked(['9.5-referrals'], 'a referral', { name: 'includeReferrals' }, (answered) => {
    isOf(firstOf(answered, 'ReferralRequest'), 'CareConnect-GPC-ReferralRequest-1')
    for (const request of ofType(answered, 'ReferralRequest')) assert.ok(request['authoredOn'])
  }),
  asked(['9.5-diary'], 'a diary entry', { name: 'includeDiaryEntries' }, (answered) => {
    for (const request of ofType(answered, 'ProcedureRequest')) {
      isOf(request, 'CareConnect-GPC-ProcedureRequest-1')
      assert.equal(request['intent'], 'plan')
    }
  }),
  asked(
    ['9.5-linked-problems'],
    'the problems that immunisations are linked to',
    { name: 'includeImmunisations' },
    (answered) => {
      const lists = ofType(answered, 'List').filter(
        ({ title }) => title === 'Problems - linked problems not relating to the primary query',
      )
      assert.equal(lists.length, 1)
      for (const reference of entriesOf(lists[0] as AnyResource))
        assert.equal(resolves(answered, reference).resourceType, 'Condition')
    },
  ),
  {
    ...structured(about(who), { name: 'includeConsultations' }),
    settings: { disabledAreas: ['diary', 'medication'] },
    shows: ['9.5-disabled-display'],
    name: 'consultations with items of areas that are switched off',
    status: 200,
    holds(answered) {
      const displays = [
        ...answered.text.matchAll(
          /"display":"([^"]* items have been disabled)"|display value="([^"]* items have been disabled)"/g,
        ),
      ]
      assert.ok(displays.length > 0)
      assert.equal(ofType(answered, 'MedicationStatement').length, 0)
    },
  },
]

/** The same record as it is asked for by its own registered practice, wherever it is kept. */
const migrating = (sensitive: boolean, scope: string) => migration(sensitive, scope)

const ofMigration: readonly Scenario[] = [
  {
    ...migrating(true, 'patient/*.read conf/R'),
    shows: ['9.6-whole', '9.6-confidential'],
    name: 'a whole record with what is sensitive',
    status: 200,
    holds(answered) {
      assert.ok(ofType(answered, 'DocumentReference').length > 0)
      const codes = ofType(answered, 'List').map((list) => codeIn(list['code'])['code'])
      for (const code of [
        activeCode,
        endedCode,
        '933361000000108',
        '1149501000000101',
        '717711000000103',
        '1102181000000102',
        '826501000000100',
        '887191000000108',
        '792931000000107',
        '714311000000108',
      ])
        assert.ok(codes.includes(code), code)
    },
  },
  {
    ...migrating(true, 'patient/*.read conf/N'),
    shows: ['9.6-confidential'],
    name: 'what is sensitive without conf/R',
    status: 403,
    code: 'NOT_AUTHORISED',
  },
  {
    ...migrating(true, 'patient/*.read'),
    shows: ['9.6-confidential'],
    name: 'what is sensitive without a confidentiality',
    status: 403,
    code: 'NOT_AUTHORISED',
  },
  {
    ...migrating(false, 'patient/*.read conf/N'),
    claims: (claims) => ({ ...claims, reason_for_request: 'migration', requested_scope: 'patient/*.read conf/N' }),
    shows: ['9.6-registered'],
    name: 'a migration for a practice that is not the registered one',
    status: 403,
    code: 'NOT_AUTHORISED',
  },
  ...(
    [
      ['without includeFullRecord', [about(who)]],
      ['without includeSensitiveInformation', [about(who), { name: 'includeFullRecord' }]],
      [
        'without a patient',
        [{ name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: false }] }],
      ],
    ] as readonly (readonly [string, readonly Part[]])[]
  ).map(
    ([name, parameter]): Scenario => ({
      ...migrating(false, 'patient/*.read conf/N'),
      body: { resourceType: 'Parameters', parameter },
      shows: ['9.6-parameter'],
      name: `a migration ${name}`,
      status: 422,
      code: 'INVALID_PARAMETER',
    }),
  ),
  {
    ...migrating(false, 'patient/*.read conf/N'),
    settings: { disabledAreas: ['diary', 'medication'] },
    claims: (claims) =>
      JSON.parse(
        JSON.stringify(migrating(false, 'patient/*.read conf/N').claims?.(claims)).replaceAll('"A20047"', '"B82617"'),
      ),
    shows: ['9.6-switches'],
    name: 'a migration though areas are switched off',
    status: 200,
    holds(answered) {
      assert.ok(ofType(answered, 'MedicationStatement').length > 0)
      assert.equal(ofType(answered, 'OperationOutcome').length, 0)
    },
  },
]

const stories: readonly Story[] = [
  {
    generation: '1.x',
    shows: ['9.4-identifiers'],
    name: 'identifiers that are the same the next time',
    async tell({ ask }) {
      const identifiers = (answered: Answered) =>
        ['AllergyIntolerance', 'MedicationStatement', 'MedicationRequest', 'Encounter', 'Condition', 'Observation']
          .flatMap((type) => ofType(answered, type))
          .map(({ resourceType, id, identifier }) => JSON.stringify([resourceType, id, identifier]))
          .sort()
      const first = identifiers(await ask(structured(about(who), ...everything)))
      const second = identifiers(await ask(structured(about(who), ...everything)))
      assert.ok(first.length > 20)
      assert.deepEqual(first, second)
      const values = first.map((one) => JSON.stringify(objectsIn((JSON.parse(one) as unknown[])[2])[0]))
      assert.equal(new Set(values).size, values.length)
    },
  },
]

export const structuredItems: Area = {
  scenarios: [...ofAllergies, ...ofMedication, ...ofOtherAreas, ...ofMigration],
  stories,
}
