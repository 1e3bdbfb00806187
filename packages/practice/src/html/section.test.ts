import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseXml, textOf, xhtmlDivProblem } from '@openspine/standards/xml'
import fc from 'fast-check'
import type { DayRange } from '../record/dates.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PatientInput, PracticeFile, ReadPracticeFile } from '../record/model.ts'
import { type SectionCode, sectionCodes } from '../record/sections.ts'
import { workedExample, workedExamplePatients } from '../sandbox/worked-example.ts'
import { divisionsOf, tablesIn, titlesIn } from './reading.test-kit.ts'
import { renderSection } from './section.ts'

const today = '2026-11-20'
const example = workedExample({ asid: '200000100001', today })
const people = workedExamplePatients

type PracticeInput = PracticeFile['practices'][number]

function render(
  section: SectionCode,
  options: {
    readonly nhsNumber?: string
    readonly period?: DayRange
    readonly practice?: Partial<PracticeInput>
    readonly patient?: Partial<PatientInput>
    readonly quoteSingleDates?: boolean
  } = {},
): string {
  const [base] = example.practices
  assert.ok(base)
  const nhsNumber = options.nhsNumber ?? people.everySection
  const read: ReadPracticeFile = readPracticeFile({
    format: example.format,
    practices: [
      {
        ...base,
        ...options.practice,
        patients: base.patients
          ?.filter((patient) => patient.nhsNumber === nhsNumber)
          .map((patient) => ({ ...patient, ...options.patient })),
      },
    ],
  })
  const practice = read.practices[0]
  const patient = practice?.patients[0]
  assert.ok(practice && patient)
  return renderSection({
    practice,
    patient,
    section,
    period: options.period,
    today,
    quoteSingleDates: options.quoteSingleDates ?? true,
  })
}

/** Titles, table ids and columns as the specification's table (§7.3) gives them. */
const published: Record<SectionCode, { h1: string; tables: [title: string, id: string, columns: string][] }> = {
  ADM: { h1: 'Administrative Items', tables: [['', 'adm-tab', 'Date, Entry, Details']] },
  ALL: {
    h1: 'Allergies and Adverse Reactions',
    tables: [
      ['Current Allergies and Adverse Reactions', 'all-tab-curr', 'Start Date, Details'],
      ['Historical Allergies and Adverse Reactions', 'all-tab-hist', 'Start Date, End Date, Details'],
    ],
  },
  CLI: { h1: 'Clinical Items', tables: [['', 'cli-tab', 'Date, Entry, Details']] },
  ENC: { h1: 'Encounters', tables: [['', 'enc-tab', 'Date, Title, Details']] },
  IMM: { h1: 'Immunisations', tables: [['', 'imm-tab', 'Date, Vaccination, Part, Contents, Details']] },
  MED: {
    h1: 'Medications',
    tables: [
      [
        'Acute Medication (Last 12 Months)',
        'med-tab-acu-med',
        'Type, Start Date, Medication Item, Dosage Instruction, Quantity, Scheduled End Date, Days Duration, Additional Information',
      ],
      [
        'Current Repeat Medication',
        'med-tab-curr-rep',
        'Type, Start Date, Medication Item, Dosage Instruction, Quantity, Last Issued Date, Number of Prescriptions Issued, Max Issues, Review Date, Additional Information',
      ],
      [
        'Discontinued Repeat Medication',
        'med-tab-dis-rep',
        'Type, Last Issued Date, Medication Item, Dosage Instruction, Quantity, Discontinued Date, Discontinuation Reason, Additional Information',
      ],
      [
        'All Medication',
        'med-tab-all-sum',
        'Type, Start Date, Medication Item, Dosage Instruction, Quantity, Last Issued Date, Number of Prescriptions Issued, Discontinuation Details, Additional Information',
      ],
      [
        'All Medication Issues',
        'med-tab-all-iss',
        'Type, Issue Date, Medication Item, Dosage Instruction, Quantity, Days Duration, Additional Information',
      ],
    ],
  },
  OBS: { h1: 'Observations', tables: [['', 'obs-tab', 'Date, Entry, Value, Range, Details']] },
  PRB: {
    h1: 'Problems and Issues',
    tables: [
      ['Active Problems and Issues', 'prb-tab-act', 'Start Date, Entry, Significance, Details'],
      ['Major Inactive Problems and Issues', 'prb-tab-majinact', 'Start Date, End Date, Entry, Significance, Details'],
      ['Other Inactive Problems and Issues', 'prb-tab-othinact', 'Start Date, End Date, Entry, Significance, Details'],
    ],
  },
  REF: { h1: 'Referrals', tables: [['', 'ref-tab', 'Date, From, To, Priority, Details']] },
  SUM: {
    h1: 'Summary',
    tables: [
      ['Emergency Codes', 'cli-tab', 'Date, Entry, Details, Location of further information'],
      ['Last 3 Encounters', 'enc-tab', 'Date, Title, Details'],
      ['Active Problems and Issues', 'prb-tab-act', 'Start Date, Entry, Significance, Details'],
      ['Major Inactive Problems and Issues', 'prb-tab-majinact', 'Start Date, End Date, Entry, Significance, Details'],
      ['Current Allergies and Adverse Reactions', 'all-tab-curr', 'Start Date, Details'],
      [
        'Acute Medication (Last 12 Months)',
        'med-tab-acu-med',
        'Type, Start Date, Medication Item, Dosage Instruction, Quantity, Scheduled End Date, Days Duration, Additional Information',
      ],
      [
        'Current Repeat Medication',
        'med-tab-curr-rep',
        'Type, Start Date, Medication Item, Dosage Instruction, Quantity, Last Issued Date, Number of Prescriptions Issued, Max Issues, Review Date, Additional Information',
      ],
    ],
  },
}

describe('structure of a section', () => {
  for (const code of sectionCodes) {
    it(`${code} has the published titles, tables and columns`, () => {
      const html = render(code)
      assert.equal(xhtmlDivProblem(html), undefined)
      assert.doesNotMatch(html, /[\r\n\t]/)
      assert.doesNotMatch(html, /<(head|body|script|form|iframe|object|base|link|style)\b/)
      assert.deepEqual(titlesIn(html, 'h1'), [published[code].h1])
      assert.deepEqual(
        titlesIn(html, 'h2'),
        published[code].tables.map(([title]) => title).filter((title) => title !== ''),
      )
      assert.deepEqual(
        tablesIn(html).map(({ id, columns }) => [id, columns.join(', ')]),
        published[code].tables.map(([, id, columns]) => [id, columns]),
      )
      for (const [, id, columns] of published[code].tables) {
        const head = columns.split(', ').map((column) => `<th>${column}</th>`)
        assert.ok(html.includes(`<table id="${id}"><thead><tr>${head.join('')}</tr></thead><tbody>`), id)
      }
    })

    it(`${code} marks the cells under date headings, and no others`, () => {
      const dates = new Set(['Date', 'Start Date', 'End Date', 'Scheduled End Date', 'Last Issued Date', 'Issue Date'])
      for (const name of ['Review Date', 'Discontinued Date']) dates.add(name)
      for (const { columns, rows } of tablesIn(render(code)))
        for (const row of rows) {
          if (row.group !== undefined) {
            assert.equal(row.colspan, columns.length)
            continue
          }
          assert.equal(row.cells.length, columns.length)
          row.cells.forEach(({ text, kind }, i) => {
            assert.equal(kind, dates.has(columns[i] ?? '') ? 'date-column' : undefined)
            if (kind === 'date-column')
              assert.match(text, /^(\d\d-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4})?$/)
          })
        }
    })

    it(`${code} says so where nothing is recorded, under its titles`, () => {
      const html = render(code, { nhsNumber: people.noData })
      assert.deepEqual(titlesIn(html, 'h1'), [published[code].h1])
      assert.deepEqual(tablesIn(html), [])
      for (const [title] of published[code].tables)
        assert.ok(
          html.includes(`<div><p>No '${title || published[code].h1}' data is recorded for this patient.</p></div>`),
        )
    })
  }

  it('puts title, transfer banner, content banner, date banner, exclusion banner and table in this order', () => {
    const html = render('ENC', {
      nhsNumber: people.confidentialItems,
      patient: { inTransit: true, registrationDate: '2026-10-31' },
      practice: { sections: { ENC: { contentBanner: 'Telephone contacts are recorded elsewhere' } } },
    })
    assert.ok(
      html.startsWith(
        '<div xmlns="http://www.w3.org/1999/xhtml"><h1>Encounters</h1>' +
          '<div class="gptransfer-banner"><p>Patient record transfer from previous GP practice not yet complete; information recorded before 31-Oct-2026 may be missing</p></div>' +
          '<div class="content-banner"><p>Telephone contacts are recorded elsewhere</p></div>' +
          '<div class="date-banner"><p>All relevant items</p></div>' +
          '<div class="exclusion-banner"><p>Items excluded due to confidentiality and/or patient preferences</p></div>' +
          '<table id="enc-tab">',
      ),
      html,
    )
    assert.doesNotMatch(html, /Confidential clinic|Kept back/)
  })

  it('puts each sub-section into a division of its own', () => {
    const html = render('PRB', {
      nhsNumber: people.confidentialItems,
      practice: { sections: { PRB: { contentBanner: 'Rule' } } },
    })
    assert.equal(html.split('<div class="content-banner"><p>Rule</p></div>').length, 2)
    assert.ok(
      html.includes(
        '<div><h2>Active Problems and Issues</h2><div class="date-banner"><p>All relevant items</p></div><div class="exclusion-banner"><p>Items excluded due to confidentiality and/or patient preferences</p></div><table id="prb-tab-act">',
      ),
    )
    assert.deepEqual(
      divisionsOf(html).map(({ title, banners }) => [title, banners]),
      [
        ['Active Problems and Issues', ['date-banner', 'exclusion-banner']],
        ['Major Inactive Problems and Issues', ['date-banner']],
        ['Other Inactive Problems and Issues', ['date-banner']],
      ],
    )
  })
})

describe('periods', () => {
  const period = { first: '2014-02-01', last: '2019-12-31' }
  const banners = (code: SectionCode, given?: DayRange, more: Parameters<typeof render>[1] = {}) =>
    [
      ...render(code, { ...more, ...(given ? { period: given } : {}) }).matchAll(
        /<div class="date-banner"><p>(.*?)<\/p>/g,
      ),
    ].map((match) => match[1])

  it('filters to both bounds inclusive', () => {
    const dates = (given: DayRange) =>
      tablesIn(render('ENC', { period: given })).flatMap(({ rows }) => rows.map((row) => row.cells[0]?.text))
    assert.deepEqual(dates(period), ['05-Mar-2019', '03-Feb-2014'])
    assert.deepEqual(dates({ first: '2014-02-03', last: '2014-02-03' }), ['03-Feb-2014'])
    assert.deepEqual(dates({ last: '2014-02-02' }), [])
    assert.deepEqual(dates({ last: '2019-03-05' }), ['05-Mar-2019', '03-Feb-2014'])
  })

  it('has the banner of the period', () => {
    assert.deepEqual(banners('ENC', period), ["For the period '01-Feb-2014' to '31-Dec-2019'"])
    assert.deepEqual(banners('ENC', { first: '2014-02-01' }), ["Data items from '01-Feb-2014'"])
    assert.deepEqual(banners('ENC', { last: '2014-02-28' }), ["Data items until '28-Feb-2014'"])
    assert.deepEqual(banners('ENC', { last: '2014-02-28' }, { quoteSingleDates: false }), [
      'Data items until 28-Feb-2014',
    ])
    assert.deepEqual(banners('ENC'), ['All relevant items'])
  })

  it('says where a period does not apply', () => {
    const both = "For the period '01-Feb-2014' to '31-Dec-2019'"
    assert.deepEqual(banners('PRB', period), ['Date filter not applied', both, both])
    assert.deepEqual(banners('MED', period), [
      'Date filter not applied',
      'Date filter not applied',
      'Date filter not applied',
      both,
      both,
    ])
    for (const code of ['ALL', 'IMM', 'SUM'] as const) assert.deepEqual(banners(code), [])
  })

  it('falls back on the period of the practice', () => {
    const practice = { sections: { ENC: { defaultPeriodMonths: 6 }, MED: { defaultPeriodMonths: 12 } } } as const
    assert.deepEqual(banners('ENC', undefined, { practice }), ['All data items from 20-May-2026'])
    assert.equal(tablesIn(render('ENC', { practice }))[0]?.rows.length, 2)
    assert.deepEqual(banners('ENC', period, { practice }), ["For the period '01-Feb-2014' to '31-Dec-2019'"])
    assert.deepEqual(banners('MED', undefined, { practice }), [
      'All relevant items',
      'All relevant items',
      'All relevant items',
      'All data items from 20-Nov-2025',
      'All data items from 20-Nov-2025',
    ])
    assert.equal(tablesIn(render('SUM', { practice }))[1]?.rows.length, 3)
  })
})

describe('what is not available', () => {
  it('is said in the published words', () => {
    const later = '<p>This data may still exist in the source system.</p></div>'
    assert.ok(
      render('REF', { practice: { sections: { REF: { availability: 'not-retrievable' } } } }).includes(
        `<div><p>This system does not support retrieval of 'Referrals' data.</p>${later}`,
      ),
    )
    assert.ok(
      render('REF', { practice: { sections: { REF: { availability: 'not-supported' } } } }).includes(
        `<div><p>'Referrals' data is not supported by this system.</p></div>`,
      ),
    )
    assert.ok(
      render('REF', { nhsNumber: people.deniedSection }).includes(
        `<div><p>Access is denied to 'Referrals' data for this patient.</p>${later}`,
      ),
    )
    const summary = render('SUM', { practice: { sections: { ENC: { availability: 'not-supported' } } } })
    assert.ok(summary.includes(`<div><p>'Last 3 Encounters' data is not supported by this system.</p></div>`))
  })
})

describe('summary', () => {
  it('leaves emergency codes out unless they are switched on', () => {
    const html = render('SUM', { practice: { emergencyCodes: { on: false } } })
    assert.deepEqual(titlesIn(html, 'h2'), published.SUM.tables.map(([title]) => title).slice(1))
  })

  it('shows the latest entry of every group of the list', () => {
    const [emergency, last] = tablesIn(render('SUM'))
    assert.deepEqual(
      emergency?.rows.map((row) => row.cells.map(({ text }) => text)),
      [
        [
          '16-Oct-2025',
          'For attempted cardiopulmonary resuscitation',
          'Discussed with patient',
          'Testham Surgery, care plan',
        ],
        ['06-Jun-2018', 'Advance statement made', '', 'Held by the patient'],
      ],
    )
    assert.equal(last?.rows.length, 3)
  })

  it('has the transfer banner directly under its title', () => {
    assert.match(render('SUM', { nhsNumber: people.inTransit }), /<h1>Summary<\/h1><div class="gptransfer-banner">/)
  })
})

describe('medications', () => {
  const cells = (index: number, options: Parameters<typeof render>[1] = {}) =>
    tablesIn(render('MED', options))[index]?.rows.map((row) => row.group ?? row.cells.map(({ text }) => text))

  it('acute: of the last year, with what was prescribed elsewhere and what is post-dated', () => {
    assert.deepEqual(cells(0), [
      [
        'Acute Post-Dated',
        '02-Dec-2026',
        'Prednisolone 5mg tablets',
        'Six to be taken each morning for 5 days if asthma worsens',
        '30 tablets',
        '07-Dec-2026',
        '5',
        'Rescue course: telephone the surgery when started',
      ],
      [
        'Acute - Dentist',
        '23-Jul-2026',
        'Amoxicillin 500mg capsules',
        'One to be taken three times a day',
        '15 capsules',
        '',
        '',
        'CANCELLED: 24-Jul-2026 Allergy to penicillin',
      ],
      [
        'Acute',
        '26-Apr-2026',
        'Clarithromycin 500mg tablets',
        'One to be taken twice a day for 7 days',
        '14 tablets',
        '03-May-2026',
        '7',
        '',
      ],
    ])
    assert.match(render('MED'), /<p>Scheduled End Date is not always captured in the source; where it was not recorded/)
  })

  it('acute: the day 365 days ago is too early, the next is not', () => {
    const course = (startDate: string) => [
      { type: 'acute' as const, item: 'X', dosage: 'Y', recordedDate: startDate, startDate },
    ]
    const ids = (startDate: string) =>
      tablesIn(render('MED', { patient: { medications: course(startDate) } })).map(({ id }) => id)
    assert.deepEqual(ids('2025-11-20'), ['med-tab-all-sum'])
    assert.deepEqual(ids('2025-11-21'), ['med-tab-acu-med', 'med-tab-all-sum'])
  })

  it('repeat: current ones, with issues counted unless a repeat dispense', () => {
    assert.deepEqual(
      cells(1)?.map((row) =>
        typeof row === 'string' ? row : [row[0], row[2], row[5], row[6], row[7], row[8], row[9]],
      ),
      [
        [
          'Repeat Dispense',
          'Salbutamol 100micrograms/dose inhaler CFC free',
          '',
          '',
          '6',
          '09-May-2027',
          'Spacer device supplied',
        ],
        ['Repeat', 'Beclometasone 100micrograms/dose inhaler', '13-Oct-2026', '3', '12', '09-May-2027', ''],
      ],
    )
    assert.match(render('MED'), /<p>The Review Date is that set for each Repeat Course\. Reviews may/)
    assert.doesNotMatch(render('MED', { practice: { reviewsByDiary: false } }), /The Review Date is that set/)
  })

  it('repeat: one that was never issued has no date and a count of nought', () => {
    const medications = [{ type: 'repeat' as const, item: 'X', dosage: 'Y', recordedDate: '2020-01-01' }]
    const [row] = tablesIn(render('MED', { patient: { medications } }))[0]?.rows ?? []
    assert.deepEqual(
      row?.cells.map(({ text }) => text),
      ['Repeat', '', 'X', 'Y', '', '', '0', '', '', ''],
    )
  })

  it('discontinued: by a clinician alone, with its banner even when there is none', () => {
    assert.deepEqual(cells(2), [
      [
        'Repeat',
        '04-Jul-2016',
        'Omeprazole 20mg gastro-resistant capsules',
        'One to be taken each day',
        '28 capsules',
        '22-Aug-2016',
        'No longer needed',
        '',
      ],
    ])
    const medications = [
      {
        type: 'repeat' as const,
        item: 'X',
        dosage: 'Y',
        recordedDate: '2020-01-01',
        startDate: '2020-01-01',
        ended: { date: '2021-01-01', by: 'expiry' as const },
      },
    ]
    const html = render('MED', { patient: { medications } })
    assert.deepEqual(
      tablesIn(html).map(({ id }) => id),
      ['med-tab-all-sum'],
    )
    assert.ok(
      html.includes(
        '<h2>Discontinued Repeat Medication</h2><div class="content-banner"><p>All repeat medication ended by a clinician action</p></div><div class="date-banner"><p>All relevant items</p></div><div><p>No \'Discontinued Repeat Medication\' data',
      ),
    )
  })

  it('all: grouped by item from A to Z, controlled drugs marked', () => {
    assert.deepEqual(
      cells(3)?.filter((row) => typeof row === 'string'),
      [
        'Amoxicillin 500mg capsules',
        'Beclometasone 100micrograms/dose inhaler',
        'Clarithromycin 500mg tablets',
        'Co-codamol 30mg/500mg tablets',
        'Omeprazole 20mg gastro-resistant capsules',
        'Prednisolone 5mg tablets',
        'Salbutamol 100micrograms/dose inhaler CFC free',
      ],
    )
    const html = render('MED')
    assert.ok(
      html.includes(
        '<tr><td class="med-item-column" colspan="9"><strong>Omeprazole 20mg gastro-resistant capsules</strong></td></tr>',
      ),
    )
    assert.ok(html.includes('<td><strong>CONTROLLED DRUG</strong></td>'))
    assert.ok(html.includes('<td>DISCONTINUED: 22-Aug-2016 No longer needed</td>'))
  })

  it('issues: grouped, latest first, without repeat dispense and prescriptions from elsewhere', () => {
    assert.deepEqual(
      cells(4)?.map((row) => (typeof row === 'string' ? row : row[1])),
      [
        'Beclometasone 100micrograms/dose inhaler',
        '13-Oct-2026',
        '18-Aug-2026',
        '23-Jun-2026',
        'Clarithromycin 500mg tablets',
        '26-Apr-2026',
        'Co-codamol 30mg/500mg tablets',
        '05-Mar-2019',
        'Omeprazole 20mg gastro-resistant capsules',
        '04-Jul-2016',
        '01-Jun-2015',
      ],
    )
  })

  it('all: the rule of each kind decides what belongs to a period', () => {
    const course = (more: object) => ({ item: 'X', dosage: 'Y', recordedDate: '2015-01-01', ...more })
    const rows: [string, DayRange, number, object][] = [
      [
        'overlaps',
        { first: '2016-01-01', last: '2016-12-31' },
        1,
        { type: 'acute', startDate: '2015-12-20', scheduledEndDate: '2016-01-01' },
      ],
      [
        'ended before',
        { first: '2016-01-02' },
        0,
        { type: 'acute', startDate: '2015-12-20', scheduledEndDate: '2016-01-01' },
      ],
      [
        'repeat without end began before',
        { first: '2016-01-01', last: '2016-12-31' },
        1,
        { type: 'repeat', startDate: '2010-01-01' },
      ],
      ['repeat without end began after', { last: '2009-12-31' }, 0, { type: 'repeat', startDate: '2010-01-01' }],
      [
        'acute without end began inside',
        { first: '2010-01-01', last: '2010-01-01' },
        1,
        { type: 'acute', startDate: '2010-01-01' },
      ],
      ['acute without end began before', { first: '2010-01-02' }, 0, { type: 'acute', startDate: '2010-01-01' }],
      ['no start, entered inside', { first: '2015-01-01', last: '2015-01-01' }, 1, { type: 'repeat' }],
      ['no start, entered before', { first: '2015-01-02' }, 0, { type: 'repeat' }],
    ]
    for (const [name, period, expected, more] of rows) {
      const patient = { medications: [course(more)] } as Partial<PatientInput>
      const table = tablesIn(render('MED', { period, patient })).find(({ id }) => id === 'med-tab-all-sum')
      assert.equal(table?.rows.filter((row) => row.group === undefined).length ?? 0, expected, name)
    }
  })

  it('keeps confidential courses and their issues out of every table', () => {
    const html = render('MED', { nhsNumber: people.confidentialItems })
    assert.doesNotMatch(html, /Kept back/)
    assert.deepEqual(
      divisionsOf(html).map(({ title, banners }) => [title, banners.includes('exclusion-banner')]),
      [
        ['Acute Medication (Last 12 Months)', false],
        ['Current Repeat Medication', true],
        ['Discontinued Repeat Medication', false],
        ['All Medication', true],
        ['All Medication Issues', true],
      ],
    )
  })
})

describe('whatever text is stored', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1 }),
    fc
      .array(
        fc.constantFrom(
          '<script>',
          ']]>',
          '&nbsp;',
          '&',
          '"',
          "'",
          '\r\n',
          '\t',
          '\u0000',
          '\uD800',
          '\uFFFF',
          '</div>',
          'x',
        ),
        { minLength: 1 },
      )
      .map((parts) => parts.join('')),
  )

  it('the section is one well-formed division on one line, and shows the text', () => {
    fc.assert(
      fc.property(nasty, nasty, (entry, details) => {
        const patient: Partial<PatientInput> = {
          encounters: [{ date: '2020-01-01', title: entry, details }],
          adminItems: [{ date: '2020-01-01', entry, details }],
          medications: [
            {
              type: 'repeat',
              item: entry,
              dosage: details,
              quantity: entry,
              recordedDate: '2020-01-01',
              information: [details],
              ended: { date: '2020-01-01', by: 'clinician', reason: entry },
              issues: [{ date: '2020-01-01', information: [details] }],
            },
          ],
        }
        for (const code of ['ADM', 'ENC', 'MED', 'SUM'] as const) {
          const html = render(code, { patient, practice: { sections: { [code]: { contentBanner: entry } } } })
          assert.equal(xhtmlDivProblem(html), undefined)
          assert.doesNotMatch(html, /[\r\n\t]/)
          assert.doesNotMatch(html, /<(?!\/?(div|p|h1|h2|table|thead|tbody|tr|th|td|strong|br)\b)/)
        }
        const shown = tablesIn(render('ADM', { patient }))[0]?.rows[0]?.cells[1]?.text
        assert.equal(
          shown,
          entry
            .toWellFormed()
            .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
            .replaceAll('\t', ' ')
            .replaceAll(/\r\n|\r|\n/g, ''),
        )
      }),
      { numRuns: 150 },
    )
  })

  it('keeps line breaks, and never shortens', () => {
    const details = `${'long '.repeat(5000)}\nend`
    const html = render('ENC', { patient: { encounters: [{ date: '2020-01-01', title: 'x', details }] } })
    assert.ok(html.includes(`${'long '.repeat(5000)}<br/>end`))
    assert.equal(textOf(parseXml(html)).includes('end'), true)
  })
})
