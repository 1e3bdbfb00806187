/** What a structured record knows of the worked example's rows beyond their tables: codes, values, and how they belong together. */
import { addDays, type Day } from '../record/dates.ts'
import type { PatientInput } from '../record/model.ts'

const snomed = (code: string, display: string) => [{ system: 'http://snomed.info/sct', code, display }]
const millimetresOfMercury = { unit: 'mmHg', ucum: 'mm[Hg]' }

type Rows = 'encounters' | 'clinicalItems' | 'observations' | 'immunisations' | 'referrals' | 'problems'
type Row<Name extends Rows> = NonNullable<PatientInput[Name]>[number]

/** Adds what is known of each row, found by the words that the row has in its table. */
function enriched<Name extends Rows>(
  rows: readonly Row<Name>[] | undefined,
  wordsOf: (row: Row<Name>) => string,
  known: Readonly<Record<string, Partial<Row<Name>>>>,
): Row<Name>[] {
  return (rows ?? []).map((row) => ({ ...row, ...known[wordsOf(row)] }))
}

/** The patient with something in every clinical area, linked by consultations and problems. */
export function withStructure(patient: PatientInput, today: Day): PatientInput {
  const ago = (days: number): Day => addDays(today, -days)
  const at = (day: Day, time: string) => `${day}T${time}:00Z`
  return {
    ...patient,
    encounters: enriched<'encounters'>(patient.encounters, ({ date }) => date, {
      [ago(9)]: {
        id: 'consultation-asthma-review',
        codes: snomed('325861000000105', 'Face to face consultation'),
        start: at(ago(9), '09:20'),
        end: at(ago(9), '09:35'),
        practitioner: 'gp-1',
        recordedBy: 'gp-1',
        location: 'site-1',
        topics: [
          {
            title: 'Asthma',
            problems: ['problem-asthma'],
            headings: [
              { title: 'History', items: [{ text: 'Few symptoms since the last review; sleeps well.' }] },
              {
                title: 'Examination',
                items: [{ item: 'observation-peak-flow' }, { text: 'Inhaler technique good.' }],
              },
              {
                title: 'Plan',
                items: [
                  { item: 'item-asthma-review' },
                  { item: 'medication-beclometasone' },
                  { item: 'diary-asthma-review' },
                ],
              },
            ],
          },
          { items: [{ item: 'investigation-blood-count' }, { item: 'allergy-penicillin' }, { item: 'doc-1' }] },
        ],
      },
      [ago(75)]: {
        id: 'consultation-immunisation',
        recordedBy: 'gp-1',
        location: 'site-2',
        topics: [{ title: 'Immunisation', items: [{ item: 'immunisation-influenza' }] }],
      },
      [ago(210)]: {
        id: 'consultation-sore-throat',
        codes: snomed('386472008', 'Telephone consultation'),
        start: at(ago(210), '11:05'),
        practitioner: 'gp-2',
        recordedBy: 'gp-2',
        topics: [
          {
            title: 'Sore throat',
            headings: [{ title: 'History', items: [{ text: 'Sore throat for 4 days' }] }],
          },
          { items: [{ item: 'observation-blood-pressure' }] },
        ],
      },
      '2019-03-05': {
        id: 'consultation-back-pain',
        practitioner: 'gp-1',
        recordedBy: 'gp-1',
        topics: [
          {
            title: 'Low back pain',
            problems: ['problem-back-pain'],
            items: [
              { text: 'Low back pain after lifting' },
              { item: 'item-back-pain' },
              { item: 'observation-body-mass-index' },
              { item: 'problem-back-pain' },
            ],
          },
        ],
      },
    }),
    clinicalItems: enriched<'clinicalItems'>(patient.clinicalItems, ({ entry }) => entry, {
      'Asthma annual review': {
        id: 'item-asthma-review',
        codes: snomed('394700004', 'Asthma annual review'),
        recordedBy: 'gp-1',
      },
      'Low back pain': { id: 'item-back-pain', codes: snomed('279039007', 'Low back pain'), recordedBy: 'gp-1' },
    }),
    observations: enriched<'observations'>(patient.observations, ({ entry }) => entry, {
      'Peak expiratory flow rate': {
        id: 'observation-peak-flow',
        codes: snomed('18491006', 'Peak expiratory flow rate'),
        moment: at(ago(9), '09:25'),
        quantity: { value: 480, unit: 'L/min', ucum: 'L/min' },
        referenceRange: { text: '>450' },
        performer: 'gp-1',
        recordedBy: 'gp-1',
      },
      'Blood pressure': {
        id: 'observation-blood-pressure',
        recordedBy: 'gp-2',
        components: [
          {
            entry: 'Systolic blood pressure',
            codes: snomed('271649006', 'Systolic blood pressure'),
            quantity: { value: 138, ...millimetresOfMercury },
          },
          {
            entry: 'Diastolic blood pressure',
            codes: snomed('271650006', 'Diastolic blood pressure'),
            quantity: { value: 84, ...millimetresOfMercury },
          },
        ],
      },
      'Body mass index': {
        id: 'observation-body-mass-index',
        codes: snomed('60621009', 'Body mass index'),
        quantity: { value: 27.1, unit: 'kg/m2', ucum: 'kg/m2' },
        referenceRange: { low: 18.5, high: 25, unit: 'kg/m2' },
      },
    }),
    immunisations: [
      ...enriched<'immunisations'>(patient.immunisations, ({ vaccination }) => vaccination, {
        'Seasonal influenza vaccination': {
          id: 'immunisation-influenza',
          codes: snomed('86198006', 'Influenza vaccination'),
          recordedDate: ago(75),
          recordedBy: 'gp-1',
          administeredBy: 'gp-2',
          location: 'site-2',
          lot: 'INV-0423',
          expiry: addDays(today, 90),
          site: { text: 'Left deltoid' },
          route: { text: 'Intramuscular route', codes: snomed('78421000', 'Intramuscular route') },
          dose: { value: 0.5, unit: 'ml', ucum: 'mL' },
          protocol: {
            sequence: 1,
            targetDiseases: [{ text: 'Influenza', codes: snomed('6142004', 'Influenza') }],
          },
        },
      }),
      {
        date: ago(440),
        vaccination: 'Seasonal influenza vaccination',
        notGiven: true,
        reason: { text: 'Did not attend' },
        recordedBy: 'gp-2',
      },
    ],
    referrals: enriched<'referrals'>(patient.referrals, ({ to }) => to, {
      'Musculoskeletal physiotherapy, Testham Community Hospital': {
        id: 'referral-physiotherapy',
        codes: snomed('306170007', 'Referral to physiotherapy service'),
        requester: 'gp-1',
        recordedBy: 'gp-1',
        urgency: 'routine',
        recipients: [
          { organisation: { odsCode: 'RZZ99', name: 'Testham Community Hospital' } },
          { service: { name: 'Musculoskeletal physiotherapy' } },
        ],
        bookingReference: '000000012345',
      },
    }),
    problems: enriched<'problems'>(patient.problems, ({ entry }) => entry, {
      Asthma: {
        id: 'problem-asthma',
        codes: snomed('195967001', 'Asthma'),
        recordedDate: '2009-06-15',
        recordedBy: 'gp-1',
        related: ['medication-beclometasone', 'immunisation-influenza', 'investigation-blood-count', 'doc-1'],
        relatedProblems: [{ problem: 'problem-pneumonia', is: 'parent' }],
      },
      'Community-acquired pneumonia': {
        id: 'problem-pneumonia',
        codes: snomed('385093006', 'Community acquired pneumonia'),
        recordedDate: '2012-11-20',
        recordedBy: 'gp-2',
      },
      'Low back pain': {
        id: 'problem-back-pain',
        codes: snomed('279039007', 'Low back pain'),
        recordedDate: '2019-03-05',
        recordedBy: 'gp-1',
        actualProblem: 'item-back-pain',
        related: ['referral-physiotherapy'],
      },
    }),
    investigations: [
      {
        id: 'investigation-blood-count',
        issued: at(ago(7), '16:40'),
        entry: 'Full blood count',
        recordedDate: ago(6),
        recordedBy: 'gp-1',
        reportNumber: 'INV-2291',
        performer: { organisation: { odsCode: 'RZZ98', name: 'Testham Pathology' } },
        request: {
          entry: 'Full blood count',
          codes: snomed('26604007', 'Full blood count'),
          requester: 'gp-1',
          reason: { text: 'Tired since the winter' },
        },
        specimens: [
          {
            id: 'specimen-1',
            accession: 'INV-2291-A',
            type: { text: 'Venous blood', codes: snomed('122555007', 'Venous blood specimen') },
            collected: at(ago(9), '09:30'),
            received: at(ago(8), '08:15'),
            collector: 'gp-1',
          },
        ],
        groups: [
          {
            entry: 'Full blood count',
            codes: snomed('26604007', 'Full blood count'),
            specimen: 'specimen-1',
            results: [
              {
                entry: 'Haemoglobin estimation',
                codes: snomed('1022431000000105', 'Haemoglobin estimation'),
                quantity: { value: 141, unit: 'g/L', ucum: 'g/L' },
                referenceRange: { low: 130, high: 180, unit: 'g/L' },
                specimen: 'specimen-1',
              },
              {
                entry: 'Total white cell count',
                quantity: { value: 11.9, unit: '10*9/L', ucum: '10*9/L' },
                referenceRange: { low: 4, high: 11, unit: '10*9/L' },
                interpretation: { text: 'Above reference range' },
                specimen: 'specimen-1',
                filing: { moment: at(ago(6), '10:02'), by: 'gp-1', comment: 'Recent cold; repeat if unwell' },
              },
            ],
          },
        ],
        conclusion: 'Slightly raised white cell count',
        filing: { moment: at(ago(6), '10:00'), by: 'gp-1', comment: 'Normal apart from white cells' },
      },
      {
        issued: '2012-11-22T12:00:00Z',
        entry: 'Sputum culture',
        performer: { organisation: { odsCode: 'RZZ98', name: 'Testham Pathology' } },
        specimens: [{ id: 'specimen-2', type: { text: 'Sputum' } }],
        results: [{ entry: 'Sputum culture', value: 'Mixed growth', specimen: 'specimen-2' }],
      },
    ],
    diaryEntries: [
      {
        id: 'diary-asthma-review',
        date: addDays(today, 170),
        entry: 'Asthma annual review',
        codes: snomed('394700004', 'Asthma annual review'),
        recordedDate: ago(9),
        recordedBy: 'gp-1',
      },
      { date: addDays(today, 40), entry: 'Blood pressure check', recordedDate: ago(210), recordedBy: 'gp-2' },
      { date: ago(20), entry: 'Telephone about smoking', recordedDate: ago(75), completed: true },
    ],
  }
}
