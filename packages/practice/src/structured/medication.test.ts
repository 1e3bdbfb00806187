import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { definition } from '../stu3/systems.ts'
import {
  askRecord,
  entriesOf,
  extension,
  inside,
  type Json,
  medication,
  type Part,
  type RecordBundle,
  withRows,
} from '../testing/structured.ts'

const medications = 'Medications and medical devices'

describe('medication of a structured record', () => {
  const byText = (bundle: RecordBundle, text: string) => {
    const drug = bundle.of('Medication').find(({ code }) => (code as Json)['text'] === text)
    const reference = `Medication/${drug?.['id']}`
    const of = (type: string) =>
      bundle.of(type).filter((one) => (one['medicationReference'] as Json)['reference'] === reference)
    const requests = of('MedicationRequest')
    return {
      drug,
      statement: of('MedicationStatement')[0],
      plans: requests.filter(({ intent }) => intent === 'plan'),
      orders: requests.filter(({ intent }) => intent === 'order'),
    }
  }

  it('has for each entry one drug, one statement and one plan, and orders based on the plan', async () => {
    const bundle = await askRecord([medication()])
    const statements = bundle.of('MedicationStatement')
    assert.equal(statements.length, 7)
    assert.deepEqual(
      entriesOf(bundle.list(medications)),
      statements.map(({ id }) => `MedicationStatement/${id}`),
    )
    const plans = bundle.of('MedicationRequest').filter(({ intent }) => intent === 'plan')
    assert.equal(plans.length, 7)
    assert.equal(bundle.of('Medication').length, 7)
    for (const statement of statements) {
      const based = statement['basedOn'] as { reference: string }[]
      assert.equal(based.length, 1)
      assert.ok(plans.some(({ id }) => based[0]?.reference === `MedicationRequest/${id}`))
      assert.equal(statement['taken'], 'unk')
      assert.equal(extension(statement, 'PrescribingAgency').length, 1)
      assert.ok(statement['dateAsserted'] && (statement['effectivePeriod'] as Json)['start'])
      assert.equal('end' in (statement['effectivePeriod'] as Json), statement['status'] !== 'active')
      for (const absent of ['partOf', 'category', 'informationSource', 'derivedFrom', 'reasonNotTaken', 'reasonCode'])
        assert.equal(statement[absent], undefined)
    }
    for (const request of bundle.of('MedicationRequest')) {
      assert.equal(extension(request, 'PrescriptionType').length, 1)
      assert.equal((request['dosageInstruction'] as unknown[]).length, 1)
      assert.ok(request['authoredOn'] && request['recorder'])
      assert.ok(((request['dispenseRequest'] as Json)['validityPeriod'] as Json)['start'])
      if (request['intent'] === 'plan') assert.equal(request['basedOn'], undefined)
      else {
        const [{ reference }] = request['basedOn'] as [{ reference: string }]
        assert.ok(plans.some(({ id }) => reference === `MedicationRequest/${id}`))
        assert.equal(extension(request, 'MedicationRepeatInformation').length, 0)
      }
    }
  })

  it('leaves the orders out where they are not asked for', async () => {
    const count = async (...parts: readonly Part[]) =>
      (await askRecord([medication(...parts)])).of('MedicationRequest').filter(({ intent }) => intent === 'order')
        .length
    assert.equal(await count({ name: 'includePrescriptionIssues', valueBoolean: false }), 0)
    assert.equal(await count({ name: 'includePrescriptionIssues', valueBoolean: true }), 7)
    assert.equal(await count(), 7)
  })

  it('writes a coded repeat in full', async () => {
    const { drug, statement, plans, orders } = byText(
      await askRecord([medication()]),
      'Beclometasone 100micrograms/dose inhaler',
    )
    assert.equal(inside(drug, 'code', 'coding', 0, 'code'), '39113611000001102')
    assert.equal(statement?.['status'], 'active')
    assert.equal(extension(statement, 'MedicationStatementLastIssueDate')[0]?.['valueDateTime'], '2026-10-13')
    const [plan] = plans
    assert.equal(orders.length, 3)
    assert.deepEqual(extension(plan, 'MedicationRepeatInformation')[0]?.['extension'], [
      { url: 'numberOfRepeatPrescriptionsAllowed', valuePositiveInt: 12 },
      { url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: 3 },
      { url: 'authorisationExpiryDate', valueDateTime: '2027-05-09' },
    ])
    assert.ok(inside(plan, 'groupIdentifier', 'value'))
    assert.deepEqual(plan?.['recorder'], { reference: 'Practitioner/gp-1' })
    assert.deepEqual(inside(plan, 'requester', 'agent'), { reference: 'Practitioner/gp-2' })
    assert.deepEqual(inside(plan, 'dispenseRequest', 'quantity'), {
      extension: [{ url: definition('Extension-CareConnect-GPC-MedicationQuantityText-1'), valueString: '200 dose' }],
      value: 200,
      unit: 'dose',
    })
  })

  it('tells stopped from completed, and why', async () => {
    const bundle = await askRecord([medication()])
    const omeprazole = byText(bundle, 'Omeprazole 20mg gastro-resistant capsules')
    assert.equal(omeprazole.statement?.['status'], 'stopped')
    assert.deepEqual(omeprazole.statement?.['effectivePeriod'], { start: '2015-06-01', end: '2016-08-22' })
    assert.deepEqual(extension(omeprazole.plans[0], 'MedicationStatusReason')[0]?.['extension'], [
      { url: 'statusReason', valueCodeableConcept: { text: 'No longer needed' } },
      { url: 'statusChangeDate', valueDateTime: '2016-08-22' },
    ])
    const cocodamol = byText(bundle, 'Co-codamol 30mg/500mg tablets')
    assert.equal(cocodamol.statement?.['status'], 'completed')
    assert.equal(extension(cocodamol.plans[0], 'MedicationStatusReason').length, 0)
    assert.equal(cocodamol.plans[0]?.['groupIdentifier'], undefined)
    assert.equal(extension(cocodamol.plans[0], 'MedicationRepeatInformation').length, 0)
  })

  it('has no orders and no last issue for what others prescribe, and for repeat dispensing', async () => {
    const bundle = await askRecord([medication()], {
      ...withRows({
        medications: [
          {
            type: 'acute',
            item: 'Elsewhere',
            dosage: 'One',
            recordedDate: '2020-01-01',
            elsewhere: {},
            issues: [{ date: '2020-01-01' }],
          },
          {
            type: 'repeat-dispense',
            item: 'Dispensed',
            dosage: 'One',
            recordedDate: '2020-01-01',
            issues: [{ date: '2020-01-01' }],
          },
        ],
      }),
    })
    const agency = (resource: Json | undefined) =>
      inside(extension(resource, 'PrescribingAgency'), 0, 'valueCodeableConcept', 'coding', 0, 'code')
    const [elsewhere, dispensed] = [byText(bundle, 'Elsewhere'), byText(bundle, 'Dispensed')]
    for (const { statement, orders } of [elsewhere, dispensed]) {
      assert.equal(orders.length, 0)
      assert.equal(extension(statement, 'MedicationStatementLastIssueDate').length, 0)
    }
    assert.equal(agency(elsewhere.statement), 'prescribed-by-another-organisation')
    assert.equal(agency(dispensed.statement), 'prescribed-at-gp-practice')
  })

  it('has one order of an acute plan, the latest', async () => {
    const bundle = await askRecord([medication()], {
      ...withRows({
        medications: [
          {
            type: 'acute',
            item: 'A',
            dosage: 'One',
            recordedDate: '2020-01-01',
            issues: [{ date: '2020-01-03' }, { date: '2020-01-09' }, { date: '2020-01-01' }],
          },
        ],
      }),
    })
    const { orders } = byText(bundle, 'A')
    assert.deepEqual(
      orders.map(({ authoredOn }) => authoredOn),
      ['2020-01-09'],
    )
  })

  it('returns what was active on the day of the search or later', async () => {
    const acute = { type: 'acute', dosage: 'One', recordedDate: '2020-01-01' } as const
    const rows = withRows({
      medications: [
        { ...acute, item: 'no end' },
        { ...acute, item: 'ten days', daysDuration: 10 },
        { ...acute, item: 'scheduled', scheduledEndDate: '2020-01-20' },
        { ...acute, item: 'stopped', daysDuration: 60, ended: { date: '2020-01-05', by: 'clinician' } },
        { ...acute, item: 'repeat', type: 'repeat' },
        { ...acute, item: 'ended repeat', type: 'repeat', ended: { date: '2020-01-05', by: 'expiry' } },
      ],
    })
    const found = async (valueDate: string) =>
      (await askRecord([medication({ name: 'medicationSearchFromDate', valueDate })], rows))
        .of('Medication')
        .map(({ code }) => (code as Json)['text'])
    assert.deepEqual(await found('2020-01-01'), [
      'no end',
      'ten days',
      'scheduled',
      'stopped',
      'repeat',
      'ended repeat',
    ])
    assert.deepEqual(await found('2020-01-02'), ['ten days', 'scheduled', 'stopped', 'repeat', 'ended repeat'])
    assert.deepEqual(await found('2020-01-05'), ['ten days', 'scheduled', 'stopped', 'repeat', 'ended repeat'])
    assert.deepEqual(await found('2020-01-06'), ['ten days', 'scheduled', 'repeat'])
    assert.deepEqual(await found('2020-01-11'), ['scheduled', 'repeat'])
    assert.deepEqual(await found('2020-01-21'), ['repeat'])
  })

  it('returns what others prescribe whatever the day of the search', async () => {
    const old = { type: 'acute', dosage: 'One', recordedDate: '2010-01-01', daysDuration: 7 } as const
    const rows = withRows({
      medications: [
        { ...old, item: 'ours' },
        { ...old, item: 'of a hospital', elsewhere: { agency: 'Hospital' } },
        { ...old, item: 'of somebody', elsewhere: {}, ended: { date: '2010-01-05', by: 'clinician' } },
      ],
    })
    const bundle = await askRecord([medication({ name: 'medicationSearchFromDate', valueDate: '2026-11-01' })], rows)
    assert.deepEqual(
      bundle.of('Medication').map(({ code }) => (code as Json)['text']),
      ['of a hospital', 'of somebody'],
    )
    assert.equal(entriesOf(bundle.list(medications)).length, 2)
  })
})
