import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RecordList, StructuredRecord } from '@openspine/client'
import { readableStructured } from './readable-structured.ts'

const ended = (code: string) => ({ coding: [{ system: 'http://snomed.info/sct', code }] })
const extension = (name: string, value: object) => ({
  url: `https://fhir.nhs.uk/STU3/StructureDefinition/${name}`,
  ...value,
})

/** A record of one list that holds these resources, the rest of the bundle beside them. */
function record(items: readonly object[], rest: readonly object[] = []): StructuredRecord {
  const list: RecordList = {
    area: 'consultations',
    code: '1149501000000101',
    title: 'Anything',
    warnings: [],
    notes: [],
    items: items.map((resource) => ({ reference: 'x', resource: resource as Record<string, unknown> })),
    resource: {},
  }
  return {
    patient: { resourceType: 'Patient', name: [{ family: 'Testcase' }], birthDate: '1980-02-29' },
    lists: [list],
    complete: true,
    incomplete: [],
    bundle: { resourceType: 'Bundle', entry: [...items, ...rest].map((resource) => ({ resource })) },
    traceId: 't',
    ms: 1,
    retries: 0,
    endpoint: 'e',
    asid: 'a',
  }
}

const shownRows = (given: StructuredRecord) => readableStructured(given).slice(3)

describe('a structured record as text', () => {
  const cases: readonly (readonly [resource: object, line: string])[] = [
    [
      {
        resourceType: 'Condition',
        onsetDateTime: '2020-01-02',
        code: { text: 'Asthma' },
        clinicalStatus: 'active',
        extension: [extension('Extension-CareConnect-GPC-ProblemSignificance-1', { valueCode: 'major' })],
      },
      '  2020-01-02  Asthma  major  active',
    ],
    [
      { resourceType: 'Immunization', date: '2020-01-02T10:00:00+00:00', vaccineCode: { text: 'Flu' }, notGiven: true },
      '  2020-01-02  Flu  not given',
    ],
    [
      {
        resourceType: 'Observation',
        effectiveDateTime: '2020-01-02',
        code: { text: 'Weight' },
        valueQuantity: { value: 71.5, unit: 'kg' },
        comment: 'one line\nand another',
      },
      '  2020-01-02  Weight  71.5 kg  one line / and another',
    ],
    [
      { resourceType: 'DiagnosticReport', issued: '2020-01-02T10:00:00Z', code: { text: 'Full blood count' } },
      '  2020-01-02  Full blood count',
    ],
    [
      {
        resourceType: 'ReferralRequest',
        authoredOn: '2020-01-02',
        reasonCode: [{ text: 'Hip' }],
        description: 'pain since May',
        priority: 'urgent',
      },
      '  2020-01-02  Hip  pain since May  urgent',
    ],
    [
      { resourceType: 'ProcedureRequest', occurrenceDateTime: '2027-01-02', code: { text: 'Review' } },
      '  2027-01-02  Review',
    ],
    [{ resourceType: 'Novelty', id: 'n' }, 'x'],
    [{ resourceType: 'Observation' }, ''],
  ]
  for (const [resource, line] of cases)
    it(`shows ${(resource as { resourceType: string }).resourceType} in a line`, () => {
      assert.equal(shownRows(record([resource]))[0]?.trim(), line.trim())
    })

  it('shows a vaccination by its procedure, and an issue of a medicine', () => {
    const vaccination = {
      resourceType: 'Immunization',
      date: '2020-01-02',
      vaccineCode: { coding: [{ code: 'UNK', display: 'unknown' }] },
      extension: [
        {
          url: 'https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-VaccinationProcedure-1',
          valueCodeableConcept: { text: 'Influenza vaccination' },
        },
      ],
    }
    const issue = {
      resourceType: 'MedicationRequest',
      authoredOn: '2020-01-02',
      intent: 'order',
      medicationReference: { reference: 'Medication/m' },
      dosageInstruction: [{ text: 'one' }],
    }
    const medication = { resourceType: 'Medication', id: 'm', code: { text: 'Inventedicin' } }
    assert.deepEqual(shownRows(record([vaccination, issue], [medication])), [
      '  2020-01-02  Influenza vaccination',
      '  2020-01-02  Inventedicin           one  issued',
    ])
  })

  it('shows the results of a report beneath it, groups with their members', () => {
    const observation = (id: string, name: string, ...members: string[]) => ({
      resourceType: 'Observation',
      id,
      code: { text: name },
      related: members.map((reference) => ({ type: 'has-member', target: { reference } })),
    })
    assert.deepEqual(
      shownRows(
        record(
          [{ resourceType: 'DiagnosticReport', issued: '2020-01-02', result: [{ reference: 'Observation/g' }] }],
          [observation('g', 'Full blood count', 'Observation/w'), observation('w', 'White cells')],
        ),
      ),
      ['  2020-01-02', '    Full blood count', '      White cells'],
    )
  })

  it('shows the prescription type of the plan, and the end of what has ended', () => {
    const statement = {
      resourceType: 'MedicationStatement',
      basedOn: [{ reference: 'MedicationRequest/r' }],
      medicationReference: { reference: 'Medication/m' },
      effectivePeriod: { start: '2020-01-02', end: '2020-02-03' },
      status: 'stopped',
      dosage: [{ text: 'one' }],
    }
    const plan = {
      resourceType: 'MedicationRequest',
      id: 'r',
      extension: [
        extension('Extension-CareConnect-GPC-PrescriptionType-1', {
          valueCodeableConcept: { coding: [{ code: 'repeat', display: 'Repeat' }] },
        }),
      ],
    }
    const medication = { resourceType: 'Medication', id: 'm', code: { text: 'Inventedicin' } }
    assert.deepEqual(shownRows(record([statement], [plan, medication])), [
      '  2020-01-02 – 2020-02-03  Inventedicin  one  Repeat, stopped',
    ])
  })

  it('shows a consultation with its topics, headings and entries beneath it, and ends where lists hold each other', () => {
    const list = (id: string, code: string, title: string, ...entries: string[]) => ({
      resourceType: 'List',
      id,
      title,
      code: ended(code),
      encounter: { reference: 'Encounter/e' },
      entry: entries.map((reference) => ({ item: { reference } })),
    })
    const lines = shownRows(
      record(
        [{ resourceType: 'Encounter', id: 'e', period: { start: '2020-01-02' }, type: [{ text: 'Surgery' }] }],
        [
          list('c', '325851000000107', 'Consultation', 'List/t'),
          list('t', '25851000000105', 'Cough', 'List/h', 'Observation/gone'),
          list('h', '24781000000107', 'Examination', 'Observation/o', 'List/t'),
          { resourceType: 'Observation', id: 'o', effectiveDateTime: '2020-01-02', code: { text: 'Chest clear' } },
        ],
      ),
    )
    assert.deepEqual(lines.slice(0, 4), [
      '  2020-01-02  Surgery',
      '    Cough',
      '      Examination',
      '        2020-01-02  Chest clear',
    ])
    assert.ok(lines.length < 40)
    assert.equal(lines.at(-1), '      Observation/gone')
  })

  it('lets nothing of a record steer the terminal', () => {
    const hostile = '\u001b[2J\u009b31m\u202eevil\u0007\rx'
    const lines = readableStructured({
      ...record([{ resourceType: 'Condition', code: { text: hostile } }]),
      patient: { name: [{ family: hostile }] },
    })
    assert.doesNotMatch(lines.join('\n'), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    assert.match(lines.join('\n'), /evil/)
  })
})
