import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseXml, textOf, xhtmlDivProblem } from '@openspine/standards/xml'
import fc from 'fast-check'
import type { DayRange } from '../../record/dates.ts'
import type { PatientInput } from '../../record/model.ts'
import { type SectionCode, sectionCodes } from '../../record/sections.ts'
import { workedExamplePatients as people } from '../../sandbox/worked-example.ts'
import { divisionsOf, tablesIn, titlesIn } from '../../testing/reading.ts'
import { render } from '../../testing/rendering.ts'

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

  it('shows a consultation that has topics alone by what stands in them', () => {
    const patient: Partial<PatientInput> = {
      observations: [{ id: 'o', date: '2020-01-01', entry: 'Peak flow', value: '480 L/min' }],
      clinicalItems: [{ id: 'secret', date: '2020-01-01', entry: 'Kept back', confidential: true }],
      medications: [{ id: 'm', type: 'acute', item: 'Amoxicillin', dosage: 'One', recordedDate: '2020-01-01' }],
      encounters: [
        {
          date: '2020-01-01',
          title: 'x',
          topics: [
            {
              title: 'Chest',
              headings: [
                { title: 'History', items: [{ text: 'Cough' }] },
                { title: 'Plan', items: [{ item: 'm' }, { item: 'secret' }] },
              ],
            },
            { items: [{ item: 'o' }] },
          ],
        },
        { date: '2019-01-01', title: 'y', details: 'As written', topics: [{ title: 'Chest', items: [{ text: 'z' }] }] },
      ],
    }
    const cells = (more: Partial<PatientInput> = {}) => {
      const html = render('ENC', { patient: { ...patient, ...more } })
      return { html, shown: tablesIn(html)[0]?.rows.map((row) => row.cells[2]?.text) }
    }
    const { html, shown } = cells()
    assert.deepEqual(shown, ['ChestHistory: CoughPlan: AmoxicillinPeak flow 480 L/min', 'As written'])
    assert.ok(html.includes('Chest<br/>History: Cough<br/>Plan: Amoxicillin<br/>Peak flow 480 L/min'))
    assert.doesNotMatch(cells({ deniedSections: ['MED'] }).html, /Amoxicillin/)
  })

  it('keeps line breaks, and never shortens', () => {
    const details = `${'long '.repeat(5000)}\nend`
    const html = render('ENC', { patient: { encounters: [{ date: '2020-01-01', title: 'x', details }] } })
    assert.ok(html.includes(`${'long '.repeat(5000)}<br/>end`))
    assert.equal(textOf(parseXml(html)).includes('end'), true)
  })
})
