/** §7.4: how a section is written, and its banners. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import { bannersOf, columnOf, dayOf, divOf, shownDay, subSection, tableOf } from '../html.ts'
import type { ObligationId } from '../obligations.ts'
import { extra } from '../people.ts'
import { careRecord, day, who } from '../requests.ts'
import type { Area, Scenario } from '../scenario.ts'
import { type SectionCode, titles } from './html-tables.ts'

const codes = Object.keys(titles) as SectionCode[]

/** Headings of tables that have dates below them. */
const dateHeading = /(^| )Date$/

const markup: readonly Scenario[] = codes.flatMap((code) =>
  [who, extra.medicated].map(
    (patient): Scenario => ({
      ...careRecord(code, patient),
      shows: [
        '7.4-div',
        '7.4-passive',
        '7.4-entities',
        '7.4-one-line',
        '7.4-headings',
        '7.4-table-head',
        '7.4-dates',
        '7.4-date-column',
        ...(code === 'MED' ? (['7.4-group-rows'] as const) : []),
        ...(['ALL', 'IMM', 'SUM'].includes(code) ? (['7.4-no-date-banner'] as const) : []),
      ],
      name: `the markup of ${code} of ${patient}`,
      status: 200,
      holds(answered) {
        const div = divOf(answered)
        assert.match(div, /^<div xmlns="http:\/\/www\.w3\.org\/1999\/xhtml">.*<\/div>$/)
        assert.doesNotMatch(
          div,
          /<(html|head|body|script|form|iframe|object|embed|base|link|style|img)\b|\son\w+=|style=/i,
        )
        assert.deepEqual([...div.matchAll(/&(?!(?:amp|lt|gt|quot|apos);|#)\w*/g)], [])
        assert.doesNotMatch(div, /[\r\n\t]/)
        const headings = [...div.matchAll(/<h[12][^>]*>.*?<\/h[12]>/g)].map(([heading]) => heading)
        assert.equal(new Set(headings).size, headings.length)
        for (const heading of headings) assert.match(heading, /^<h([12])>[^<]+<\/h\1>$/)
        if (['ALL', 'IMM', 'SUM'].includes(code)) assert.doesNotMatch(div, /date-banner/)
        for (const [, id = ''] of div.matchAll(/<table id="(.*?)">/g)) isWellMade(div, id)
        assert.equal(div.match(/<table/g)?.length, div.match(/<table id="[^"]+"><thead><tr><th>/g)?.length)
      },
    }),
  ),
)

function isWellMade(div: string, id: string): void {
  const { html, columns } = tableOf(div, id)
  assert.match(
    html,
    /^<table id="[^"]+"><thead><tr>(<th>[^<]*<\/th>)+<\/tr><\/thead><tbody>(<tr>.*<\/tr>)<\/tbody><\/table>$/,
  )
  for (const [, row = ''] of html.matchAll(/<tr>(<td.*?)<\/tr>/g)) {
    if (row.includes('colspan')) {
      assert.match(
        row,
        new RegExp(`^<td class="med-item-column" colspan="${columns.length}"><strong>[^<]+</strong></td>$`),
      )
      continue
    }
    const cells = [...row.matchAll(/<td( class="date-column")?>(.*?)<\/td>/g)]
    assert.equal(cells.length, columns.length)
    for (const [i, [, marked, words = '']] of cells.entries()) {
      assert.equal(marked !== undefined, dateHeading.test(columns[i] ?? ''), columns[i])
      if (marked !== undefined && words !== '') dayOf(words)
    }
  }
}

type Banner = readonly [
  shows: readonly ObligationId[],
  section: SectionCode,
  patient: string,
  period: object | undefined,
  kind: string,
  words: readonly string[],
]

const transfer = `Patient record transfer from previous GP practice not yet complete; information recorded before ${shownDay(day(-20))} may be missing`
const excluded = 'Items excluded due to confidentiality and/or patient preferences'
const notApplied = 'Date filter not applied'

const banners: readonly Banner[] = [
  [
    ['7.4-date-banner-both', '7.4-partial-start', '7.4-partial-end'],
    'ENC',
    who,
    { start: '2014-02', end: '2016-02' },
    'date-banner',
    ["For the period '01-Feb-2014' to '29-Feb-2016'"],
  ],
  [
    ['7.4-date-banner-both', '7.4-partial-start', '7.4-partial-end'],
    'ENC',
    who,
    { start: '2014', end: '2016' },
    'date-banner',
    ["For the period '01-Jan-2014' to '31-Dec-2016'"],
  ],
  [['7.4-date-banner-start'], 'OBS', who, { start: '2014-02-03' }, 'date-banner', ["Data items from '03-Feb-2014'"]],
  [['7.4-date-banner-end'], 'REF', who, { end: '2016-02' }, 'date-banner', ["Data items until '29-Feb-2016'"]],
  [['7.4-date-banner-none'], 'CLI', who, undefined, 'date-banner', ['All relevant items']],
  [['7.4-date-banner-none'], 'PRB', who, undefined, 'date-banner', Array(3).fill('All relevant items')],
  [
    ['7.4-date-banner-complete', '7.4-date-banner-start'],
    'PRB',
    who,
    { start: '2014' },
    'date-banner',
    [notApplied, "Data items from '01-Jan-2014'", "Data items from '01-Jan-2014'"],
  ],
  [
    ['7.4-date-banner-complete', '7.4-date-banner-end'],
    'MED',
    who,
    { end: '2014' },
    'date-banner',
    [notApplied, notApplied, notApplied, "Data items until '31-Dec-2014'", "Data items until '31-Dec-2014'"],
  ],
  ...(['ENC', 'MED', 'SUM', 'ALL'] as const).map(
    (code): Banner => [['7.4-transfer-banner'], code, people.inTransit, undefined, 'gptransfer-banner', [transfer]],
  ),
  [['7.4-exclusion-banner'], 'ENC', people.confidentialItems, undefined, 'exclusion-banner', [excluded]],
  [['7.4-exclusion-banner'], 'PRB', people.confidentialItems, undefined, 'exclusion-banner', [excluded]],
  [['7.4-exclusion-banner'], 'REF', people.confidentialItems, undefined, 'exclusion-banner', []],
]

const tableless = (shows: readonly ObligationId[], name: string, more: Partial<Scenario>, words: string): Scenario => ({
  ...careRecord('REF', who),
  shows,
  name,
  status: 200,
  holds(answered) {
    const div = divOf(answered)
    assert.ok(div.includes(words), div)
    assert.doesNotMatch(div, /<table/)
    assert.match(div, /<h1>Referrals<\/h1>/)
  },
  ...more,
})
const elsewhere = '<p>This data may still exist in the source system.</p></div>'

const replaced: readonly Scenario[] = [
  tableless(
    ['7.4-denied'],
    'a section to which access is denied',
    careRecord('REF', people.deniedSection),
    `<div><p>Access is denied to 'Referrals' data for this patient.</p>${elsewhere}`,
  ),
  tableless(
    ['7.4-not-retrievable'],
    'a section that cannot be given',
    { settings: { sections: { REF: { availability: 'not-retrievable' } } } },
    `<div><p>This system does not support retrieval of 'Referrals' data.</p>${elsewhere}`,
  ),
  tableless(
    ['7.4-not-supported'],
    'a section that there is not',
    { settings: { sections: { REF: { availability: 'not-supported' } } } },
    "<div><p>'Referrals' data is not supported by this system.</p></div>",
  ),
  ...codes.map(
    (code): Scenario => ({
      ...careRecord(code, people.noData),
      shows: ['7.4-empty'],
      name: `${code} of a patient without data`,
      status: 200,
      holds(answered) {
        const div = divOf(answered)
        assert.doesNotMatch(div, /<table/)
        const headings = [...div.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, words]) => words)
        for (const title of headings.length > 0 ? headings : [titles[code]])
          assert.ok(
            div.includes(`<div><p>No '${title}' data is recorded for this patient.</p></div>`),
            `${title}: ${div}`,
          )
        if (!['ALL', 'IMM', 'SUM'].includes(code)) assert.match(div, /date-banner/)
      },
    }),
  ),
]

const order = (shows: readonly ObligationId[], name: string, more: Scenario, pattern: RegExp): Scenario => ({
  ...more,
  shows,
  name,
  holds: (answered) => assert.match(divOf(answered), pattern),
})
const asked = (section: SectionCode, patient: string, more: Partial<Scenario> = {}): Scenario => ({
  ...careRecord(section, patient),
  shows: [],
  name: '',
  status: 200,
  ...more,
})

const ordered: readonly Scenario[] = [
  order(
    ['7.4-order', '7.4-transfer-banner'],
    'banners of a section with one table',
    asked('ENC', people.inTransit, { settings: { sections: { ENC: { contentBanner: 'A rule of business' } } } }),
    /<h1>Encounters<\/h1><div class="gptransfer-banner">.*?<\/div><div class="content-banner"><p>A rule of business<\/p><\/div><div class="date-banner">.*?<\/div><table/,
  ),
  order(
    ['7.4-order', '7.4-exclusion-banner'],
    'banners of a table from which something is left out',
    asked('ENC', people.confidentialItems),
    /<h1>Encounters<\/h1><div class="date-banner">[^/]*<\/p><\/div><div class="exclusion-banner">[^/]*\/[^/]*<\/p><\/div><table/,
  ),
  order(
    ['7.4-order', '7.4-content-banner'],
    'banners of a section with several tables',
    asked('PRB', people.inTransit, { settings: { sections: { PRB: { contentBanner: 'A rule of business' } } } }),
    /<h1>Problems and Issues<\/h1><div class="gptransfer-banner">[^/]*<\/p><\/div><div class="content-banner"><p>A rule of business<\/p><\/div><div><h2>Active Problems and Issues<\/h2><div class="date-banner">/,
  ),
  {
    ...asked('PRB', who, { settings: { sections: { PRB: { contentBanner: 'A rule of business' } } } }),
    shows: ['7.4-content-banner'],
    name: 'a content banner of a section with several tables, once',
    holds: (answered) => assert.deepEqual(bannersOf(divOf(answered), 'content-banner'), ['A rule of business']),
  },
  {
    ...asked('ENC', who, { settings: { sections: { ENC: { defaultPeriodMonths: 12 } } } }),
    shows: ['7.4-date-banner-default'],
    name: "the provider's own default period",
    holds(answered) {
      const [words = ''] = bannersOf(divOf(answered), 'date-banner')
      const [, first = ''] = /^All data items from (\d\d-[A-Z][a-z]{2}-\d{4})$/.exec(words) ?? []
      assert.ok(dayOf(first) > day(-370) && dayOf(first) <= day(-364), words)
      for (const shown of columnOf(tableOf(divOf(answered), 'enc-tab'), 'Date')) assert.ok(dayOf(shown) >= dayOf(first))
    },
  },
  {
    ...careRecord('ENC', extra.future, { start: '2014-02', end: '2016-02' }),
    shows: ['7.4-inclusive', '7.4-partial-start', '7.4-partial-end'],
    name: 'the first and the last day of a period of months',
    status: 200,
    holds: (answered) =>
      assert.deepEqual(columnOf(tableOf(divOf(answered), 'enc-tab'), 'Title'), ['Leap day', 'First']),
  },
  {
    ...careRecord('ENC', extra.future, { start: '2020' }),
    shows: ['7.4-future'],
    name: 'what is planned, without an end',
    status: 200,
    holds: (answered) => assert.deepEqual(columnOf(tableOf(divOf(answered), 'enc-tab'), 'Title'), ['Planned']),
  },
  {
    ...careRecord('MED', people.noData),
    shows: ['7.4-discontinued-banner'],
    name: 'the banner of discontinued repeats, though there are none',
    status: 200,
    holds: (answered) =>
      assert.deepEqual(bannersOf(subSection(divOf(answered), 'Discontinued Repeat Medication'), 'content-banner'), [
        'All repeat medication ended by a clinician action',
      ]),
  },
  {
    ...careRecord('MED', who),
    shows: ['7.4-calculated-banner', '7.4-review-banner'],
    name: 'the banners about calculated ends and reviews',
    status: 200,
    holds(answered) {
      const said = (title: string) => bannersOf(subSection(divOf(answered), title), 'content-banner').join()
      assert.match(
        said('Acute Medication (Last 12 Months)'),
        /^Scheduled End Date is not always captured in the source; where it was not recorded, the displayed date is calculated from start date and days duration$/,
      )
      assert.match(
        said('Current Repeat Medication'),
        /^The Review Date is that set for each Repeat Course\. Reviews may be conducted according to a diary event which differs from the dates shown$/,
      )
    },
  },
]

export const htmlMarkup: Area = {
  scenarios: [
    ...markup,
    ...banners.map(
      ([shows, section, patient, period, kind, words]): Scenario => ({
        ...careRecord(section, patient, period),
        shows,
        name: `${kind} of ${section} of ${patient} for ${JSON.stringify(period ?? {})}`,
        status: 200,
        holds: (answered) => assert.deepEqual(bannersOf(divOf(answered), kind), words),
      }),
    ),
    ...replaced,
    ...ordered,
  ],
  stories: [],
}
