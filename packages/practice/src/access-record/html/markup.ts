/**
 * The small XHTML vocabulary of an access record section (§7.4). Everything written here is well-formed XML
 * without carriage return, line feed or tab, and whatever the record holds arrives as text alone.
 */
import { type Day, displayDay } from '../../record/dates.ts'

/** A piece of finished markup; text becomes one only through `text`. */
export interface Markup {
  readonly html: string
}

/** Markup taken as it is: for constants of this service, never for what a record holds. */
function markup(html: string): Markup {
  return { html }
}

const outsideXml = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g

/** Stored text as XML text: escaped, on one line, characters that XML does not know shown as U+FFFD. */
function escaped(value: string): string {
  return value
    .toWellFormed()
    .replaceAll(outsideXml, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\t', ' ')
}

/** Stored text; its line breaks become `<br/>`. */
export function text(value: string | undefined): Markup {
  return markup(escaped(value ?? '').replaceAll(/\r\n|\r|\n/g, '<br/>'))
}

/** Stored text in bold. */
export function strong(value: string): Markup {
  return markup(`<strong>${text(value).html}</strong>`)
}

/** One below the other. */
export function stacked(parts: readonly Markup[]): Markup {
  return markup(parts.map((part) => part.html).join('<br/>'))
}

/** One after the other. */
export function together(parts: readonly Markup[]): Markup {
  return markup(parts.map((part) => part.html).join(''))
}

export function heading(level: 1 | 2, title: string): Markup {
  return markup(`<h${level}>${escaped(title)}</h${level}>`)
}

/** A division without attributes: a sub-section. */
export function division(parts: readonly Markup[]): Markup {
  return markup(`<div>${together(parts).html}</div>`)
}

/** The whole section. */
export function narrative(parts: readonly Markup[]): string {
  return `<div xmlns="http://www.w3.org/1999/xhtml">${together(parts).html}</div>`
}

export type BannerClass = 'gptransfer-banner' | 'content-banner' | 'date-banner' | 'exclusion-banner'

export function banner(kind: BannerClass, words: string): Markup {
  return markup(`<div class="${kind}"><p>${text(words).html}</p></div>`)
}

/** What stands in place of a table. */
export function notice(...sentences: readonly string[]): Markup {
  return markup(`<div>${sentences.map((sentence) => `<p>${text(sentence).html}</p>`).join('')}</div>`)
}

/** A cell: a day under a date heading (empty when unknown), or anything else. */
export type Cell =
  | { readonly kind: 'date'; readonly day: Day | undefined }
  | { readonly kind: 'text'; readonly content: Markup }

export function dateCell(day: Day | undefined): Cell {
  return { kind: 'date', day }
}

export function textCell(value: string | undefined): Cell {
  return { kind: 'text', content: text(value) }
}

export function markupCell(content: Markup): Cell {
  return { kind: 'text', content }
}

function cell(it: Cell): string {
  return it.kind === 'date'
    ? `<td class="date-column">${it.day === undefined ? '' : displayDay(it.day)}</td>`
    : `<td>${it.content.html}</td>`
}

/** Rows under a bold row of their own that names the group, or plain rows. */
export type TableRow = { readonly group: string } | { readonly cells: readonly Cell[] }

export function table(id: string, columns: readonly string[], rows: readonly TableRow[]): Markup {
  const head = columns.map((column) => `<th>${escaped(column)}</th>`).join('')
  const body = rows
    .map((row) =>
      'group' in row
        ? `<tr><td class="med-item-column" colspan="${columns.length}">${strong(row.group).html}</td></tr>`
        : `<tr>${row.cells.map(cell).join('')}</tr>`,
    )
    .join('')
  return markup(`<table id="${id}"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`)
}

/** Without the ids and classes that came with 0.7 (§7.9). What stands in tags was written here, never by a record. */
export function unmarked(html: string): string {
  return html.replaceAll(/<(table|td|div) (?:id|class)="[^"]*"/g, '<$1')
}
