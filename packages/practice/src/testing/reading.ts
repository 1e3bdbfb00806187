/** Reads a section back, as a consumer's test would: titles, tables, cells and banners. */
import { attributeOf, elementsOf, parseXml, textOf, type XmlElement } from '@openspine/standards/xml'

export interface ReadRow {
  readonly group: string | undefined
  readonly colspan: number | undefined
  readonly cells: readonly { readonly text: string; readonly kind: string | undefined }[]
}

export interface ReadTable {
  readonly id: string | undefined
  readonly columns: readonly string[]
  readonly rows: readonly ReadRow[]
}

function descendants(element: XmlElement, name: string): XmlElement[] {
  return elementsOf(element).flatMap((child) => [...(child.name === name ? [child] : []), ...descendants(child, name)])
}

export function titlesIn(html: string, level: 'h1' | 'h2'): string[] {
  return descendants(parseXml(html), level).map((title) => textOf(title))
}

export function tablesIn(html: string): ReadTable[] {
  return descendants(parseXml(html), 'table').map((table) => ({
    id: attributeOf(table, 'id'),
    columns: descendants(table, 'th').map((column) => textOf(column)),
    rows: descendants(table, 'tbody')
      .flatMap((body) => descendants(body, 'tr'))
      .map((row) => {
        const cells = descendants(row, 'td').map((cell) => ({
          text: textOf(cell),
          kind: attributeOf(cell, 'class'),
          colspan: attributeOf(cell, 'colspan'),
        }))
        const [first] = cells
        return first?.kind === 'med-item-column'
          ? { group: first.text, colspan: Number(first.colspan), cells: [] }
          : { group: undefined, colspan: undefined, cells: cells.map(({ text, kind }) => ({ text, kind })) }
      }),
  }))
}

/** The divisions that have a title, with the classes of their banners in order. */
export function divisionsOf(html: string): { readonly title: string; readonly banners: readonly string[] }[] {
  return elementsOf(parseXml(html)).flatMap((element) => {
    const [title] = elementsOf(element).filter((child) => child.name === 'h2')
    return title === undefined
      ? []
      : [
          {
            title: textOf(title),
            banners: elementsOf(element).flatMap((child) => attributeOf(child, 'class') ?? []),
          },
        ]
  })
}
