import { isSpineError } from '@openspine/standards/error'
import {
  escapeAttribute,
  escapeText,
  parseXml,
  replaceIllegal,
  type XmlElement,
  xhtmlNamespace,
} from '@openspine/standards/xml'

/** HTML that a browser may show, and what had to go for it. */
export interface SafeHtml {
  /** One `div`; every element and attribute in it is on the list. */
  readonly html: string
  /** Names of what was left out, once each: `script`, `td@onclick`, `a@href`. Empty for a section that keeps the rules of §7.4. */
  readonly removed: readonly string[]
}

const allowed = new Set(
  (
    'a abbr b blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p ' +
    'pre q s samp small span strong sub sup table tbody td tfoot th thead tr u ul var'
  ).split(' '),
)

/** Written without an end tag, in HTML as in XML. */
const empty = new Set(['br', 'col', 'hr'])

/** What stands inside these is no text of the record: it goes with them. Of all others that are not on the list only the tags go. */
const dropped = new Set(
  (
    'applet area audio base basefont bgsound button canvas command datalist dialog embed frame frameset head iframe img ' +
    'input keygen link map math meta meter noembed noframes noscript object optgroup option param picture plaintext ' +
    'portal progress script select slot source style svg template textarea title track video xml xmp'
  ).split(' '),
)

const everywhere = new Set(['class', 'dir', 'id', 'lang', 'title'])
const cell = ['abbr', 'colspan', 'headers', 'rowspan', 'scope']
const attributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  col: ['span'],
  colgroup: ['span'],
  ol: ['start'],
  td: cell,
  th: cell,
}

/** What a link may lead to; anything else could run (`javascript:`, `data:`) or reach into the page (relative URLs). */
const harmlessLink = /^(?:https?:\/\/|mailto:|#)[^\s\u0000-\u001f\\]*$/i

/** Named entities are HTML and not XML (§7.4); providers write the commonest all the same. */
const entities: Readonly<Record<string, number>> = {
  nbsp: 160,
  pound: 163,
  copy: 169,
  reg: 174,
  deg: 176,
  plusmn: 177,
  sup2: 178,
  sup3: 179,
  micro: 181,
  middot: 183,
  frac14: 188,
  frac12: 189,
  frac34: 190,
  times: 215,
  eacute: 233,
  ndash: 8211,
  mdash: 8212,
  lsquo: 8216,
  rsquo: 8217,
  ldquo: 8220,
  rdquo: 8221,
  bull: 8226,
  hellip: 8230,
  euro: 8364,
  le: 8804,
  ge: 8805,
}

/**
 * HTML from a provider made safe to show (§14): a strict list of what may stay, over the XML reader of ours, so that no
 * browser's repair of broken markup is ever relied on. Texts and banners stay as they are. What is no well-formed XML
 * comes back as its own source text, escaped: nothing of a record is kept from the reader.
 *
 * @example
 * sanitiseHtml('<div><h1 onclick="x()">Summary</h1><script>x()</script></div>')
 * // { html: '<div><h1>Summary</h1></div>', removed: ['h1@onclick', 'script'] }
 */
export function sanitiseHtml(html: string): SafeHtml {
  const removed = new Set<string>()
  let root: XmlElement
  try {
    root = parseXml(
      html
        .trim()
        .replaceAll(/&([a-z]+[0-9]*);/g, (whole, name: string) =>
          Object.hasOwn(entities, name) ? `&#${entities[name]};` : whole,
        ),
    )
  } catch (error) {
    if (!isSpineError(error)) throw error
    return { html: `<div><pre>${escapeText(replaceIllegal(html))}</pre></div>`, removed: ['markup'] }
  }
  const written = write(root, removed)
  const isDiv = root.name.toLowerCase() === 'div' && written.startsWith('<div')
  return { html: isDiv ? written : `<div>${written}</div>`, removed: [...removed] }
}

function write(element: XmlElement, removed: Set<string>): string {
  // A browser does not tell `SCRIPT` from `script`.
  const name = element.name.toLowerCase()
  const isHtml = element.namespace === '' || element.namespace === xhtmlNamespace
  if (!isHtml || dropped.has(name)) {
    removed.add(name)
    return ''
  }
  const inside = () =>
    element.children.map((child) => (typeof child === 'string' ? escapeText(child) : write(child, removed))).join('')
  if (!allowed.has(name)) {
    removed.add(name)
    return inside()
  }
  let kept = ''
  for (const attribute of element.attributes) {
    const label = attribute.name.toLowerCase()
    // Ours is written in its place.
    if (name === 'a' && label === 'rel') continue
    if (attribute.namespace === '' && mayStay(name, label, attribute.value))
      kept += ` ${label}="${escapeAttribute(attribute.value)}"`
    else removed.add(`${name}@${label}`)
  }
  if (name === 'a' && kept.includes(' href=')) kept += ' rel="noopener noreferrer"'
  return empty.has(name) ? `<${name}${kept}/>` : `<${name}${kept}>${inside()}</${name}>`
}

function mayStay(element: string, attribute: string, value: string): boolean {
  if (everywhere.has(attribute)) return true
  if (!attributes[element]?.includes(attribute)) return false
  if (attribute === 'href') return harmlessLink.test(value)
  if (attribute === 'abbr' || attribute === 'headers' || attribute === 'scope') return true
  return /^[0-9]{1,4}$/.test(value)
}
