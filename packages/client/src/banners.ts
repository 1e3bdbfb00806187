import { isSpineError } from '@openspine/standards/error'
import { attributeOf, elementsOf, parseXml, textOf, type XmlElement } from '@openspine/standards/xml'

/** What a practice says about a section of the HTML record, by the classes of §7.4. */
export interface Banner {
  readonly kind: 'gptransfer' | 'content' | 'date' | 'exclusion'
  /** Unchanged. */
  readonly text: string
  /** The sub-section that it belongs to; absent for the whole section. */
  readonly heading?: string
}

const kinds = /^(gptransfer|content|date|exclusion)-banner$/

/** The banners of a section in order. None where the HTML cannot be read: it is then shown as its source. */
export function bannersIn(html: string): readonly Banner[] {
  const banners: Banner[] = []
  let heading: string | undefined
  const visit = (element: XmlElement): void => {
    if (element.name === 'h2') heading = textOf(element)
    const kind = (attributeOf(element, 'class') ?? '')
      .split(/\s+/)
      .flatMap((name) => kinds.exec(name)?.[1] ?? [])
      .at(0) as Banner['kind'] | undefined
    if (kind !== undefined)
      banners.push({ kind, text: textOf(element).trim(), ...(heading === undefined ? {} : { heading }) })
    else elementsOf(element).forEach(visit)
  }
  try {
    visit(parseXml(html))
  } catch (error) {
    if (!isSpineError(error)) throw error
    return []
  }
  return banners
}
