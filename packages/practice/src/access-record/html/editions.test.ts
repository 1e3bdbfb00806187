import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { xhtmlDivProblem } from '@openspine/standards/xml'
import { type SectionCode, sectionCodes } from '../../record/sections.ts'
import { divisionsOf, tablesIn, titlesIn } from '../../testing/reading.ts'
import { render } from '../../testing/rendering.ts'
import { editionOf } from './editions.ts'

const first = { specificationVersion: '0.5.3' }

describe('the access record of 0.5 (§7.9)', () => {
  it('has its own tables for medication', () => {
    const html = render('MED', { practice: first })
    assert.deepEqual(
      divisionsOf(html).map(({ title }) => title),
      ['Current Medication Issues', 'Current Repeat Medications', 'Past Medications'],
    )
    assert.deepEqual(
      tablesIn(html).map(({ columns }) => columns.join(', ')),
      [
        'Start Date, Medication Item, Type, Scheduled End, Days Duration, Details',
        'Last Issued, Medication Item, Start Date, Review Date, Number Issued, Max Issues, Details',
        'Start Date, Medication Item, Type, Last Issued, Review Date, Number Issued, Max Issues, Details',
      ],
    )
  })

  it('shows every course of the record in exactly one of the three', () => {
    const items = (html: string): string[] =>
      tablesIn(html).flatMap(({ columns, rows }) =>
        rows.map(({ cells }) => cells[columns.indexOf('Medication Item')]?.text ?? ''),
      )
    const all = new Set(items(render('MED')).filter((item) => item !== ''))
    const shown = items(render('MED', { practice: first }))
    assert.deepEqual(new Set(shown), all)
    assert.equal(shown.length, tablesIn(render('MED'))[3]?.rows.filter(({ group }) => group === undefined).length)
  })

  it('has two tables of problems, observations without a range, and a summary in its own order', () => {
    assert.deepEqual(
      divisionsOf(render('PRB', { practice: first })).map(({ title }) => title),
      ['Active Problems and Issues', 'Inactive Problems and Issues'],
    )
    assert.deepEqual(tablesIn(render('OBS', { practice: first }))[0]?.columns, ['Date', 'Entry', 'Value', 'Details'])
    assert.deepEqual(
      divisionsOf(render('SUM', { practice: { specificationVersion: '0.5.2' } })).map(({ title }) => title),
      [
        'Active Problems and Issues',
        'Current Medication Issues',
        'Current Repeat Medications',
        'Current Allergies and Adverse Reactions',
        'Last 3 Encounters',
      ],
    )
  })

  it('has no ids and no classes, and is well-formed, whatever a record says', () => {
    const patient = { encounters: [{ date: '2026-01-02', title: '<td class="x">', details: 'table id="y"' }] }
    for (const section of sectionCodes) {
      const html = render(section, { practice: first, patient })
      assert.equal(xhtmlDivProblem(html), undefined)
      assert.doesNotMatch(html, /<[a-z0-9]+ (id|class)=/)
    }
    const html = render('ENC', { practice: first, patient })
    assert.match(html, /&lt;td class="x"&gt;/)
    assert.match(html, /table id="y"/)
  })

  it('heads a section as its version says, and answers in its kind of Bundle', () => {
    const headings = (specificationVersion: string, section: SectionCode) => {
      const html = render(section, { practice: { specificationVersion } })
      return { h1: titlesIn(html, 'h1'), h2: titlesIn(html, 'h2') }
    }
    assert.deepEqual(headings('0.5.2', 'ENC'), { h1: [], h2: ['Encounters'] })
    assert.deepEqual(headings('0.5.3', 'ENC'), { h1: ['Encounters'], h2: [] })
    assert.equal(editionOf('0.5.2').bundleType, 'document')
    assert.equal(editionOf('0.5.3').bundleType, 'searchset')
    assert.equal(editionOf('0.7.4').bundleType, 'searchset')
  })

  it('has emergency codes from 0.5.3, and from 0.7.4 again', () => {
    const titles = (specificationVersion: string): string[] =>
      titlesIn(render('SUM', { practice: { specificationVersion } }), 'h2')
    for (const [version, has] of [
      ['0.5.2', false],
      ['0.5.3', true],
      ['0.7.3', false],
      ['0.7.4', true],
    ] as const)
      assert.equal(titles(version).includes('Emergency Codes'), has, version)
  })
})
