import { elementsOf, parseXml, type XmlElement } from '@openspine/standards/xml'
import { bold, dim, shown, table } from './terminal.ts'

/** A record section as text: headings, banners as they stand, tables in columns. */
export function readableHtml(html: string): string[] {
  const lines: string[] = []
  block(parseXml(html), lines)
  return lines
}

/** Rows of data in all tables of a section; the rows that only name a group of medication are not data. */
export function rowCount(html: string): number {
  const rows = (node: XmlElement): number =>
    elementsOf(node).reduce(
      (sum, child) =>
        sum + (child.name === 'tr' && node.name === 'tbody' && elementsOf(child).length > 1 ? 1 : rows(child)),
      0,
    )
  return rows(parseXml(html))
}

function text(node: XmlElement | string): string {
  if (typeof node === 'string') return shown(node)
  return node.name === 'br' ? '; ' : node.children.map(text).join('')
}

function block(node: XmlElement, lines: string[]): void {
  for (const child of elementsOf(node)) {
    if (child.name === 'h1' || child.name === 'h2') lines.push('', bold(text(child)))
    else if (child.name === 'p') lines.push(child.children.length === 0 ? '' : dim(text(child)))
    else if (child.name === 'table') {
      const rows = elementsOf(child)
        .flatMap(elementsOf)
        .map((row) => elementsOf(row).map((cell) => text(cell).trim()))
      lines.push(...table(rows).map((line, i) => (i === 0 ? bold(line) : line)))
    } else block(child, lines)
  }
}
