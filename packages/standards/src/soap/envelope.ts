import { SpineError } from '../error.ts'
import {
  childElements,
  elementsOf,
  makeElement,
  parseXml,
  textOf,
  writeXml,
  type XmlElement,
  type XmlLimits,
} from '../xml/xml.ts'
import { soapNamespace } from './names.ts'

/** Every code with which a document is refused as no SOAP message; those of XML (`XML_…`) come before them. */
export type SoapCode =
  /** The root is no Envelope of SOAP 1.1. */
  | 'SOAP_NOT_ENVELOPE'
  /** Not one Body, more than one Header, or something else beside them. */
  | 'SOAP_STRUCTURE'

/** A SOAP 1.1 message: header blocks and body entries, in order. */
export interface Envelope {
  /** Undefined where there is no Header element, which SOAP allows and the Spine does not. */
  readonly headers: readonly XmlElement[] | undefined
  readonly body: readonly XmlElement[]
}

/** What an envelope may hold: a message of the Spine has some hundred kilobytes; records with all their history have more. */
export const envelopeLimits: XmlLimits = {
  bytes: 8 * 1024 * 1024,
  depth: 256,
  attributes: 256,
  nodes: 500_000,
  text: 8 * 1024 * 1024,
}

const refuse = (code: SoapCode, explanation: string) => new SpineError(code, {}, { explanation })

/**
 * Reads a message, whatever its prefixes. No document type declaration, bounded.
 *
 * @throws SpineError {@link SoapCode}, or `XML_…` where it is not sound XML
 *
 * @example
 * readEnvelope('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/></s:Body></s:Envelope>').body.length // 1
 */
export function readEnvelope(input: Uint8Array | string, limits: XmlLimits = envelopeLimits): Envelope {
  const root = parseXml(input, limits)
  if (root.namespace !== soapNamespace || root.name !== 'Envelope')
    throw refuse('SOAP_NOT_ENVELOPE', 'The document is no Envelope of SOAP 1.1.')
  const headers = childElements(root, soapNamespace, 'Header')
  const bodies = childElements(root, soapNamespace, 'Body')
  const [header] = headers
  const [body] = bodies
  if (body === undefined || bodies.length > 1)
    throw refuse('SOAP_STRUCTURE', `The Envelope holds ${bodies.length} elements Body in place of one.`)
  if (headers.length > 1)
    throw refuse('SOAP_STRUCTURE', `The Envelope holds ${headers.length} elements Header in place of one.`)
  const known = elementsOf(root)
  if (known.length !== headers.length + 1 || (header !== undefined && known[0] !== header))
    throw refuse('SOAP_STRUCTURE', 'The Envelope holds something else than one Header and then one Body.')
  if ([root, header, body].some((element) => element !== undefined && hasText(element)))
    throw refuse('SOAP_STRUCTURE', 'The Envelope, its Header or its Body holds text between the elements.')
  return { headers: header && elementsOf(header), body: elementsOf(body) }
}

const hasText = ({ children }: XmlElement) => children.some((child) => typeof child === 'string' && child.trim() !== '')

/** How an envelope is written: its own prefix, and the namespaces that the root declares for everything within. */
export interface EnvelopeStyle {
  readonly prefix: string
  readonly declare?: Iterable<readonly [prefix: string, namespace: string]>
}

/** The message as a document, with its XML declaration. */
export function writeEnvelope({ headers, body }: Envelope, style: EnvelopeStyle = { prefix: 'SOAP' }): string {
  const { prefix } = style
  const own = (name: string, children: readonly XmlElement[]) =>
    makeElement(soapNamespace, name, {}, children, { prefix })
  const root = makeElement(soapNamespace, 'Envelope', {}, [headers && own('Header', headers), own('Body', body)], {
    prefix,
    declare: [[prefix, soapNamespace], ...(style.declare ?? [])],
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writeXml(root)}`
}

/** Text of every block with this name, trimmed, in order: how often a block stands there is for the caller to judge. */
export function blockTexts(headers: readonly XmlElement[], namespace: string, name: string): readonly string[] {
  return headers
    .filter((block) => block.namespace === namespace && block.name === name)
    .map((block) => textOf(block).trim())
}
