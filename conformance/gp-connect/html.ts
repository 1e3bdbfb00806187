/** Reading a section of Access Record HTML as the published tests read it: by its literal markup. */
import assert from 'node:assert/strict'
import type { Answered } from './ask.ts'
import { firstOf } from './scenario.ts'

interface Section {
  readonly title: string
  readonly code: { readonly coding: readonly { readonly [member: string]: string }[]; readonly text: string }
  readonly text: { readonly status: string; readonly div: string }
}

export function sectionOf(answered: Answered): Section {
  const [section] = firstOf(answered, 'Composition')['section'] as Section[]
  assert.ok(section)
  return section
}

export const divOf = (answered: Answered): string => sectionOf(answered).text.div

/** A table: its headings, and its rows as the words of their cells; a group's row has one cell. */
export interface Table {
  readonly html: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function tableOf(div: string, id: string): Table {
  const html = new RegExp(`<table id="${id}">.*?</table>`).exec(div)?.[0]
  assert.ok(html, `the table ${id} is not there`)
  return {
    html,
    columns: [...html.matchAll(/<th>(.*?)<\/th>/g)].map(([, words = '']) => words),
    rows: [...html.matchAll(/<tr>((?:<td.*?)+)<\/tr>/g)].map(([, row = '']) =>
      [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, words = '']) => words),
    ),
  }
}

/** The words under one heading, over all rows; rows of groups are left out. */
export function columnOf({ columns, rows }: Table, heading: string): readonly string[] {
  const at = columns.indexOf(heading)
  assert.notEqual(at, -1, `there is no column ${heading}`)
  return rows.filter(({ length }) => length === columns.length).map((row) => row[at] ?? '')
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `04-Jan-2018` as 2018-01-04. */
export function dayOf(shown: string): string {
  const [, day, month = '', year] = /^(\d\d)-([A-Z][a-z]{2})-(\d{4})$/.exec(shown) ?? []
  assert.ok(months.includes(month), `${shown} is not dd-Mmm-yyyy`)
  return `${year}-${String(months.indexOf(month) + 1).padStart(2, '0')}-${day}`
}

/** 2018-01-04 as `04-Jan-2018`. */
export function shownDay(day: string): string {
  const [year, month, date] = day.split('-')
  return `${date}-${months[Number(month) - 1]}-${year}`
}

/** Latest first; cells without a date come last. */
export function isLatestFirst(shown: readonly string[]): void {
  const days = shown.map((words) => (words === '' ? '' : dayOf(words)))
  assert.deepEqual(days, days.toSorted().toReversed(), shown.join(', '))
}

/** The words of the banners of a class, in order. */
export const bannersOf = (div: string, kind: string): readonly string[] =>
  [...div.matchAll(new RegExp(`<div class="${kind}"><p>(.*?)</p></div>`, 'g'))].map(([, words = '']) => words)

/** What stands under one heading of a sub-section. */
export function subSection(div: string, title: string): string {
  const [, rest] = div.split(`<h2>${title}</h2>`)
  assert.ok(rest !== undefined, `the sub-section ${title} is not there`)
  return rest.split('<h2>')[0] ?? ''
}
