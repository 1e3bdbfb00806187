import { attributeOf, childElement, childElements, makeElement, textOf, type XmlElement } from '../xml/xml.ts'
import { securityNamespace, utilityNamespace } from './names.ts'

/** What the Interoperability Toolkit asks of a `wsse:Security` block: a time stamp and a user name. Times as they are written. */
export interface Security {
  readonly created?: string
  readonly expires?: string
  readonly username?: string
  readonly timestampId?: string
}

/** The first Security block; undefined where there is none. */
export function readSecurity(headers: readonly XmlElement[]): Security | undefined {
  const block = headers.find(({ namespace, name }) => namespace === securityNamespace && name === 'Security')
  if (block === undefined) return undefined
  const timestamp = childElement(block, utilityNamespace, 'Timestamp')
  const token = childElement(block, securityNamespace, 'UsernameToken')
  const text = (parent: XmlElement | undefined, namespace: string, name: string) => {
    const [found] = parent === undefined ? [] : childElements(parent, namespace, name)
    return found === undefined ? undefined : textOf(found).trim()
  }
  const created = text(timestamp, utilityNamespace, 'Created')
  const expires = text(timestamp, utilityNamespace, 'Expires')
  const username = text(token, securityNamespace, 'Username')
  const timestampId = timestamp && attributeOf(timestamp, 'Id', utilityNamespace)
  return {
    ...(created === undefined ? {} : { created }),
    ...(expires === undefined ? {} : { expires }),
    ...(username === undefined ? {} : { username }),
    ...(timestampId === undefined ? {} : { timestampId }),
  }
}

export function writeSecurity({ created, expires, username, timestampId }: Security): XmlElement {
  const wsu = (name: string, children: readonly (XmlElement | string | undefined)[]) =>
    makeElement(utilityNamespace, name, {}, children, { prefix: 'wsu' })
  const wsse = (name: string, children: readonly (XmlElement | string | undefined)[]) =>
    makeElement(securityNamespace, name, {}, children, { prefix: 'wsse' })
  const stamped = created !== undefined || expires !== undefined || timestampId !== undefined
  const timestamp = wsu('Timestamp', [
    created === undefined ? undefined : wsu('Created', [created]),
    expires === undefined ? undefined : wsu('Expires', [expires]),
  ])
  const id = { namespace: utilityNamespace, prefix: 'wsu', name: 'Id', value: timestampId ?? '' }
  return wsse('Security', [
    stamped ? { ...timestamp, attributes: timestampId === undefined ? [] : [id] } : undefined,
    username === undefined ? undefined : wsse('UsernameToken', [wsse('Username', [username])]),
  ])
}

/** Milliseconds of an `xsd:dateTime` in UTC or with an offset; undefined for any other text. */
export function securityTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (match?.[1] === undefined) return undefined
  const wall = Date.parse(`${match[1]}Z`)
  // A day that there is not, such as the 30th of February, comes out as another one.
  if (Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 19) !== match[1]) return undefined
  const at = Date.parse(`${match[1]}${match[3]}`)
  return Number.isNaN(at) ? undefined : at
}
