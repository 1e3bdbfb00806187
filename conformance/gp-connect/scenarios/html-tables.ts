/** §7.3 and §7.6: which tables a section has, with which columns and rows. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import { columnOf, dayOf, divOf, isLatestFirst, sectionOf, shownDay, subSection, type Table, tableOf } from '../html.ts'
import type { ObligationId } from '../obligations.ts'
import { extra } from '../people.ts'
import { careRecord, day, who } from '../requests.ts'
import type { Area, Scenario } from '../scenario.ts'

/** Code and title of the sections. */
export const titles = {
  ADM: 'Administrative Items',
  ALL: 'Allergies and Adverse Reactions',
  CLI: 'Clinical Items',
  ENC: 'Encounters',
  IMM: 'Immunisations',
  MED: 'Medications',
  OBS: 'Observations',
  PRB: 'Problems and Issues',
  REF: 'Referrals',
  SUM: 'Summary',
} as const

export type SectionCode = keyof typeof titles

interface TableRow {
  readonly shows: ObligationId
  readonly section: SectionCode
  readonly id: string
  readonly columns: string
  /** By which column it is sorted, latest first. */
  readonly sorted: string
  readonly grouped?: true
  /** A period, and how many rows of the worked patient are in it. */
  readonly period?: readonly [bounds: { readonly start?: string; readonly end?: string }, rows: number]
  /** Always whole: a period changes nothing. */
  readonly whole?: true
}

const medicine = 'Medication Item, Dosage Instruction, Quantity'
const until2016 = { start: '2014', end: '2016' } as const

const tables: readonly TableRow[] = [
  {
    shows: '7.3-adm-tab',
    section: 'ADM',
    id: 'adm-tab',
    columns: 'Date, Entry, Details',
    sorted: 'Date',
    period: [until2016, 1],
  },
  {
    shows: '7.3-all-tab-curr',
    section: 'ALL',
    id: 'all-tab-curr',
    columns: 'Start Date, Details',
    sorted: 'Start Date',
  },
  {
    shows: '7.3-all-tab-hist',
    section: 'ALL',
    id: 'all-tab-hist',
    columns: 'Start Date, End Date, Details',
    sorted: 'End Date',
  },
  {
    shows: '7.3-cli-tab',
    section: 'CLI',
    id: 'cli-tab',
    columns: 'Date, Entry, Details',
    sorted: 'Date',
    period: [until2016, 1],
  },
  {
    shows: '7.3-enc-tab',
    section: 'ENC',
    id: 'enc-tab',
    columns: 'Date, Title, Details',
    sorted: 'Date',
    period: [until2016, 1],
  },
  {
    shows: '7.3-imm-tab',
    section: 'IMM',
    id: 'imm-tab',
    columns: 'Date, Vaccination, Part, Contents, Details',
    sorted: 'Date',
  },
  {
    shows: '7.3-obs-tab',
    section: 'OBS',
    id: 'obs-tab',
    columns: 'Date, Entry, Value, Range, Details',
    sorted: 'Date',
    period: [until2016, 1],
  },
  {
    shows: '7.3-ref-tab',
    section: 'REF',
    id: 'ref-tab',
    columns: 'Date, From, To, Priority, Details',
    sorted: 'Date',
    period: [{ start: '2012', end: '2012-11' }, 1],
  },
  {
    shows: '7.3-prb-tab-act',
    section: 'PRB',
    id: 'prb-tab-act',
    columns: 'Start Date, Entry, Significance, Details',
    sorted: 'Start Date',
    whole: true,
  },
  {
    shows: '7.3-prb-tab-majinact',
    section: 'PRB',
    id: 'prb-tab-majinact',
    columns: 'Start Date, End Date, Entry, Significance, Details',
    sorted: 'End Date',
    period: [{ start: '2013', end: '2013-02' }, 1],
  },
  {
    shows: '7.3-prb-tab-othinact',
    section: 'PRB',
    id: 'prb-tab-othinact',
    columns: 'Start Date, End Date, Entry, Significance, Details',
    sorted: 'End Date',
    period: [{ start: '2019', end: '2019' }, 1],
  },
  {
    shows: '7.3-med-tab-acu-med',
    section: 'MED',
    id: 'med-tab-acu-med',
    columns: `Type, Start Date, ${medicine}, Scheduled End Date, Days Duration, Additional Information`,
    sorted: 'Start Date',
    whole: true,
  },
  {
    shows: '7.3-med-tab-curr-rep',
    section: 'MED',
    id: 'med-tab-curr-rep',
    columns: `Type, Start Date, ${medicine}, Last Issued Date, Number of Prescriptions Issued, Max Issues, Review Date, Additional Information`,
    sorted: 'Start Date',
    whole: true,
  },
  {
    shows: '7.3-med-tab-dis-rep',
    section: 'MED',
    id: 'med-tab-dis-rep',
    columns: `Type, Last Issued Date, ${medicine}, Discontinued Date, Discontinuation Reason, Additional Information`,
    sorted: 'Last Issued Date',
    whole: true,
  },
  {
    shows: '7.3-med-tab-all-sum',
    section: 'MED',
    id: 'med-tab-all-sum',
    columns: `Type, Start Date, ${medicine}, Last Issued Date, Number of Prescriptions Issued, Discontinuation Details, Additional Information`,
    sorted: 'Start Date',
    grouped: true,
    period: [until2016, 1],
  },
  {
    shows: '7.3-med-tab-all-iss',
    section: 'MED',
    id: 'med-tab-all-iss',
    columns: `Type, Issue Date, ${medicine}, Days Duration, Additional Information`,
    sorted: 'Issue Date',
    grouped: true,
    period: [until2016, 2],
  },
  {
    shows: '7.3-emergency-codes',
    section: 'SUM',
    id: 'cli-tab',
    columns: 'Date, Entry, Details, Location of further information',
    sorted: 'Date',
  },
  { shows: '7.3-last-encounters', section: 'SUM', id: 'enc-tab', columns: 'Date, Title, Details', sorted: 'Date' },
]

const plainRows = ({ rows, columns }: Table) => rows.filter(({ length }) => length === columns.length)

/** Groups from A to Z, each sorted by itself. */
function isGrouped(table: Table, sorted: string): void {
  const names = table.rows
    .filter(({ length }) => length === 1)
    .map(([name = '']) => name.replaceAll(/<\/?strong>/g, ''))
  assert.ok(names.length > 1)
  assert.deepEqual(
    names,
    names.toSorted((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1)),
  )
  const at = table.columns.indexOf(sorted)
  let group: string[] = []
  for (const row of [...table.rows, ['']]) {
    if (row.length > 1) group.push(row[at] ?? '')
    else {
      isLatestFirst(group)
      group = []
    }
  }
}

function tableScenarios(row: TableRow): readonly Scenario[] {
  const { shows, section, id, columns, sorted, grouped, period, whole } = row
  const patients = section === 'MED' ? [who, extra.medicated] : [who]
  return [
    ...patients.map(
      (patient): Scenario => ({
        ...careRecord(section, patient),
        shows: [shows],
        name: `columns and order of ${id} in ${section} of ${patient}`,
        status: 200,
        holds(answered) {
          const table = tableOf(divOf(answered), id)
          assert.deepEqual(table.columns.join(', '), columns)
          assert.ok(plainRows(table).length > 0)
          if (grouped) isGrouped(table, sorted)
          else isLatestFirst(columnOf(table, sorted))
          if (id === 'enc-tab' && section === 'SUM') assert.equal(table.rows.length, 3)
        },
      }),
    ),
    ...(period === undefined
      ? []
      : [
          {
            ...careRecord(section, who, period[0]),
            shows: [shows],
            name: `${id} of ${JSON.stringify(period[0])}`,
            status: 200,
            holds: (answered) => assert.equal(plainRows(tableOf(divOf(answered), id)).length, period[1]),
          } satisfies Scenario,
        ]),
    ...(whole === undefined
      ? []
      : [
          {
            ...careRecord(section, who, { start: '1990', end: '1990' }),
            shows: [shows],
            name: `${id} whatever the period`,
            status: 200,
            holds: (answered) => assert.ok(plainRows(tableOf(divOf(answered), id)).length > 0),
          } satisfies Scenario,
        ]),
  ]
}

const headed: readonly Scenario[] = (Object.keys(titles) as SectionCode[]).map((code) => ({
  ...careRecord(code),
  shows: ['7.3-titles', '7.7-section'],
  name: `the title of ${code}`,
  status: 200,
  holds(answered) {
    const { title, code: coded, text } = sectionOf(answered)
    assert.deepEqual(
      [...text.div.matchAll(/<h1>(.*?)<\/h1>/g)].map(([, words]) => words),
      [titles[code]],
    )
    assert.equal(title, titles[code])
    assert.deepEqual(coded, {
      coding: [{ system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1', code, display: titles[code] }],
      text: titles[code],
    })
    assert.equal(text.status, 'generated')
  },
}))

const items = (answered: Parameters<typeof divOf>[0], id: string) =>
  columnOf(tableOf(divOf(answered), id), 'Medication Item')
/** One row of a table by its item, as words by column. */
function rowOf(answered: Parameters<typeof divOf>[0], id: string, item: string): Readonly<Record<string, string>> {
  const { columns, rows } = tableOf(divOf(answered), id)
  const row = rows.find((cells) => cells[columns.indexOf('Medication Item')] === item)
  assert.ok(row, `${item} is not in ${id}`)
  return Object.fromEntries(columns.map((column, i) => [column, row[i] ?? '']))
}

const medication = (
  shows: readonly ObligationId[],
  name: string,
  holds: NonNullable<Scenario['holds']>,
  patient = extra.medicated,
): Scenario => ({
  ...careRecord('MED', patient),
  shows,
  name,
  status: 200,
  holds,
})

const content: readonly Scenario[] = [
  medication(['7.6-acute'], 'acute medication of the last 365 days', (answered) =>
    assert.deepEqual(
      [...items(answered, 'med-tab-acu-med')].sort(),
      ['Acute of yesterday', 'Acute of 364 days ago', 'Acute elsewhere', 'Acute cancelled'].sort(),
    ),
  ),
  medication(
    ['7.6-post-dated'],
    'a post-dated prescription',
    (answered) => {
      const row = rowOf(answered, 'med-tab-acu-med', 'Prednisolone 5mg tablets')
      assert.deepEqual([row['Type'], row['Start Date']], ['Acute Post-Dated', shownDay(day(12))])
    },
    who,
  ),
  medication(['7.6-current-repeat'], 'current repeats, issued or not', (answered) =>
    assert.deepEqual([...items(answered, 'med-tab-curr-rep')].sort(), [
      'Repeat dispense',
      'Repeat never issued',
      'Repeat that ends later',
    ]),
  ),
  medication(['7.6-discontinued'], 'repeats that a clinician ended, however long ago', (answered) =>
    assert.deepEqual(items(answered, 'med-tab-dis-rep'), ['Repeat stopped long ago']),
  ),
  {
    ...careRecord('MED', extra.medicated, { start: '2003-01', end: '2003-01' }),
    shows: ['7.6-all-overlap'],
    name: 'all medication of a month in the course of one',
    status: 200,
    holds: (answered) => assert.deepEqual(items(answered, 'med-tab-all-sum'), ['Repeat stopped long ago']),
  },
  medication(['7.6-type'], 'an unknown prescriber', (answered) =>
    assert.equal(rowOf(answered, 'med-tab-acu-med', 'Acute elsewhere')['Type'], 'Acute - Unknown Prescriber'),
  ),
  medication(
    ['7.6-type'],
    'the agency of another prescriber',
    (answered) =>
      assert.equal(rowOf(answered, 'med-tab-acu-med', 'Amoxicillin 500mg capsules')['Type'], 'Acute - Dentist'),
    who,
  ),
  medication(['7.6-no-issues'], 'no issues of repeat dispense and of other prescribers', (answered) => {
    for (const item of ['Repeat dispense', 'Acute elsewhere']) {
      const row = rowOf(answered, 'med-tab-all-sum', item)
      assert.deepEqual([row['Last Issued Date'], row['Number of Prescriptions Issued']], ['', ''])
      assert.ok(!items(answered, 'med-tab-all-iss').includes(item))
    }
  }),
  medication(['7.6-discontinuation'], 'what was cancelled and discontinued', (answered) => {
    const details = (item: string) => rowOf(answered, 'med-tab-all-sum', item)['Discontinuation Details']
    assert.equal(details('Acute cancelled'), `CANCELLED: ${shownDay(day(-49))} Rash`)
    assert.equal(details('Repeat stopped long ago'), 'DISCONTINUED: 05-Feb-2003 No longer needed')
    assert.equal(details('Repeat that expired'), '')
  }),
  medication(['7.6-information'], 'a controlled drug with additional information', (answered) =>
    assert.equal(
      rowOf(answered, 'med-tab-acu-med', 'Acute of 364 days ago')['Additional Information'],
      '<strong>CONTROLLED DRUG</strong><br/>First line<br/>Second line',
    ),
  ),
  {
    ...careRecord('PRB', extra.varied),
    shows: ['7.6-significance'],
    name: 'levels of significance',
    status: 200,
    holds(answered) {
      const entries = (id: string) => columnOf(tableOf(divOf(answered), id), 'Entry')
      assert.deepEqual(entries('prb-tab-majinact'), ['Middle and inactive', 'Major and inactive'])
      assert.deepEqual(entries('prb-tab-othinact'), ['Unmarked and inactive', 'Minor and inactive'])
    },
  },
  {
    ...careRecord('ADM'),
    shows: ['7.6-adm-codes'],
    name: 'administrative items without codes',
    status: 200,
    holds: (answered) => assert.doesNotMatch(divOf(answered), /snomed|read ?code|\b\d{6,18}\b/i),
  },
  {
    ...careRecord('SUM'),
    shows: ['7.5-order', '7.4-no-date-banner'],
    name: 'the summary in order',
    status: 200,
    holds(answered) {
      const div = divOf(answered)
      assert.deepEqual(
        [...div.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, words]) => words),
        [
          'Emergency Codes',
          'Last 3 Encounters',
          'Active Problems and Issues',
          'Major Inactive Problems and Issues',
          'Current Allergies and Adverse Reactions',
          'Acute Medication (Last 12 Months)',
          'Current Repeat Medication',
        ],
      )
      assert.deepEqual(
        [...div.matchAll(/<table id="(.*?)"/g)].map(([, id]) => id),
        [
          'cli-tab',
          'enc-tab',
          'prb-tab-act',
          'prb-tab-majinact',
          'all-tab-curr',
          'med-tab-acu-med',
          'med-tab-curr-rep',
        ],
      )
      assert.doesNotMatch(div, /date-banner/)
    },
  },
  {
    ...careRecord('SUM'),
    shows: ['7.5-groups'],
    name: 'the latest emergency code of each group',
    status: 200,
    holds(answered) {
      const div = divOf(answered)
      assert.deepEqual(columnOf(tableOf(div, 'cli-tab'), 'Entry'), [
        'For attempted cardiopulmonary resuscitation',
        'Advance statement made',
      ])
      assert.match(
        subSection(div, 'Emergency Codes'),
        /^<div class="content-banner"><p>Latest entry of every group of emergency codes<\/p><\/div><table/,
      )
    },
  },
  {
    ...careRecord('SUM'),
    settings: { emergencyCodes: { on: false, codes: [] } },
    shows: ['7.5-no-emergency-codes'],
    name: 'the summary where emergency codes are not switched on',
    status: 200,
    holds(answered) {
      const div = divOf(answered)
      assert.doesNotMatch(div, /Emergency Codes|cli-tab/)
      assert.match(div, /^<div[^>]*><h1>Summary<\/h1><div><h2>Last 3 Encounters<\/h2>/)
    },
  },
  {
    ...careRecord('ENC', people.everySection, { start: '2014-02-03', end: '2014-02-03' }),
    shows: ['7.4-inclusive'],
    name: 'a period of one day',
    status: 200,
    holds: (answered) =>
      assert.deepEqual(columnOf(tableOf(divOf(answered), 'enc-tab'), 'Date').map(dayOf), ['2014-02-03']),
  },
]

export const htmlTables: Area = {
  scenarios: [...headed, ...tables.flatMap(tableScenarios), ...content],
  stories: [],
}
