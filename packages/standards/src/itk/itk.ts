/**
 * The distribution envelope of the Interoperability Toolkit (messaging specification §12.4), and the detail of its faults.
 *
 * @example
 * import { readDistributionEnvelope } from '@openspine/standards/itk'
 */
import { SpineError } from '../error.ts'
import {
  attributeOf,
  childElement,
  childElements,
  elementsOf,
  makeElement,
  textOf,
  type XmlElement,
} from '../xml/xml.ts'

export const itkNamespace = 'urn:nhs-itk:ns:201005'

/** An id or an address: a URI, and the OID of its kind where it has one. */
export interface ItkAddress {
  readonly uri: string
  readonly type?: string
}

export interface ManifestItem {
  readonly id: string
  readonly mimetype: string
  readonly profileid?: string
  readonly base64?: boolean
  readonly compressed?: boolean
  readonly encrypted?: boolean
}

export interface DistributionEnvelope {
  readonly service: string
  readonly trackingId: string
  readonly addresses: readonly ItkAddress[]
  readonly auditIdentities: readonly ItkAddress[]
  /** One entry for each payload, with the same id and in the same order. */
  readonly manifest: readonly ManifestItem[]
  readonly sender?: ItkAddress
  readonly handling: readonly { readonly key: string; readonly value: string }[]
  readonly payloads: readonly { readonly id: string; readonly content: readonly (XmlElement | string)[] }[]
}

/** Every code with which an envelope is refused. */
export type ItkCode =
  /** Not a distribution envelope, or one that lacks a part. */
  | 'ITK_STRUCTURE'
  /** The manifest counts or names other payloads than there are. */
  | 'ITK_MANIFEST'

const refuse = (code: ItkCode, explanation: string) => new SpineError(code, {}, { explanation })

const children = (parent: XmlElement | undefined, name: string) =>
  parent === undefined ? [] : childElements(parent, itkNamespace, name)

const address = (element: XmlElement): ItkAddress => {
  const type = attributeOf(element, 'type')
  return { uri: attributeOf(element, 'uri') ?? '', ...(type === undefined ? {} : { type }) }
}

function counted(element: XmlElement | undefined, found: readonly XmlElement[], name: string): void {
  const count = element && attributeOf(element, 'count')
  if (count !== undefined && count !== String(found.length))
    throw refuse('ITK_MANIFEST', `${name} says count ${count.slice(0, 10)} and holds ${found.length}.`)
}

/**
 * Reads an envelope and asks whether manifest and payloads fit together.
 *
 * @throws SpineError {@link ItkCode}
 */
export function readDistributionEnvelope(root: XmlElement): DistributionEnvelope {
  if (root.namespace !== itkNamespace || root.name !== 'DistributionEnvelope')
    throw refuse('ITK_STRUCTURE', 'The body of the message is no DistributionEnvelope.')
  const header = childElement(root, itkNamespace, 'header')
  const service = header && attributeOf(header, 'service')
  const trackingId = header && attributeOf(header, 'trackingid')
  if (header === undefined || service === undefined || service === '' || trackingId === undefined)
    throw refuse('ITK_STRUCTURE', 'The envelope needs a header with service and trackingid.')
  const [manifest] = children(header, 'manifest')
  const [holder] = children(root, 'payloads')
  if (manifest === undefined || holder === undefined)
    throw refuse('ITK_STRUCTURE', 'The envelope needs a manifest and payloads.')
  const items = children(manifest, 'manifestitem')
  const payloads = children(holder, 'payload')
  counted(manifest, items, 'manifest')
  counted(holder, payloads, 'payloads')
  const ids = (elements: readonly XmlElement[]) => elements.map((element) => attributeOf(element, 'id') ?? '').sort()
  if (items.length === 0 || JSON.stringify(ids(items)) !== JSON.stringify(ids(payloads)))
    throw refuse('ITK_MANIFEST', 'The ids of the manifest are not those of the payloads.')
  const flag = (element: XmlElement, name: string) => {
    const value = attributeOf(element, name)
    return value === undefined ? {} : { [name]: value === 'true' || value === '1' }
  }
  const [sender] = children(header, 'senderAddress')
  return {
    service,
    trackingId,
    addresses: children(children(header, 'addresslist')[0], 'address').map(address),
    auditIdentities: children(children(header, 'auditIdentity')[0], 'id').map(address),
    manifest: items.map((item): ManifestItem => {
      const profileid = attributeOf(item, 'profileid')
      return {
        id: attributeOf(item, 'id') ?? '',
        mimetype: attributeOf(item, 'mimetype') ?? '',
        ...(profileid === undefined ? {} : { profileid }),
        ...flag(item, 'base64'),
        ...flag(item, 'compressed'),
        ...flag(item, 'encrypted'),
      }
    }),
    ...(sender === undefined ? {} : { sender: address(sender) }),
    handling: children(children(header, 'handlingSpecification')[0], 'spec').map((spec) => ({
      key: attributeOf(spec, 'key') ?? '',
      value: attributeOf(spec, 'value') ?? '',
    })),
    payloads: payloads.map((payload) => {
      const elements = elementsOf(payload)
      const text = textOf(payload).trim()
      return {
        id: attributeOf(payload, 'id') ?? '',
        content: elements.length > 0 ? elements : text === '' ? [] : [text],
      }
    }),
  }
}

const itk = (
  name: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
  content: readonly (XmlElement | string | undefined)[] = [],
) => makeElement(itkNamespace, name, attributes, content, { prefix: 'itk' })

const writeAddress = (name: string) => (value: ItkAddress) => itk(name, { type: value.type, uri: value.uri })

/** The envelope as an element, under the prefix `itk`. */
export function writeDistributionEnvelope(envelope: DistributionEnvelope): XmlElement {
  const { addresses, auditIdentities, manifest, sender, handling, payloads } = envelope
  const word = (value: boolean | undefined) => (value === undefined ? undefined : String(value))
  return itk('DistributionEnvelope', {}, [
    itk('header', { service: envelope.service, trackingid: envelope.trackingId }, [
      addresses.length === 0 ? undefined : itk('addresslist', {}, addresses.map(writeAddress('address'))),
      auditIdentities.length === 0 ? undefined : itk('auditIdentity', {}, auditIdentities.map(writeAddress('id'))),
      itk(
        'manifest',
        { count: String(manifest.length) },
        manifest.map(({ id, mimetype, profileid, base64, compressed, encrypted }) =>
          itk('manifestitem', {
            id,
            mimetype,
            profileid,
            base64: word(base64),
            compressed: word(compressed),
            encrypted: word(encrypted),
          }),
        ),
      ),
      sender && writeAddress('senderAddress')(sender),
      handling.length === 0
        ? undefined
        : itk(
            'handlingSpecification',
            {},
            handling.map(({ key, value }) => itk('spec', { key, value })),
          ),
    ]),
    itk(
      'payloads',
      { count: String(payloads.length) },
      payloads.map(({ id, content }) => itk('payload', { id }, content)),
    ),
  ])
}

const toolkitErrorSystem = '2.16.840.1.113883.2.1.3.2.4.17.268'

/** The faults of the toolkit, by code. */
export const toolkitErrors = {
  '1000': 'Invalid Message - the message structure or content is unrecognised or incorrect',
  '2100': 'Processing Error (retryable) - a recoverable processing error has been encountered',
  '2200': 'Processing Error (not retryable) - a non-recoverable processing error has been encountered',
  '3000': 'Access Denied',
} as const

export interface ToolkitError {
  /** Of this one failure, as it stands in the log of whoever answers. */
  readonly id: string
  readonly code: string
  readonly text: string
  readonly diagnostic?: string
}

/** `itk:ToolkitErrorInfo` for the detail of a fault. */
export function writeToolkitError({ id, code, text, diagnostic }: ToolkitError): XmlElement {
  return itk('ToolkitErrorInfo', {}, [
    itk('ErrorID', {}, [id]),
    itk('ErrorCode', { codeSystem: toolkitErrorSystem }, [code]),
    itk('ErrorText', {}, [text]),
    diagnostic === undefined ? undefined : itk('ErrorDiagnosticText', {}, [diagnostic]),
  ])
}

export function readToolkitError(detail: readonly XmlElement[]): ToolkitError | undefined {
  const info = detail.find(({ namespace, name }) => namespace === itkNamespace && name === 'ToolkitErrorInfo')
  if (info === undefined) return undefined
  const text = (name: string) => {
    const found = childElement(info, itkNamespace, name)
    return found === undefined ? undefined : textOf(found).trim()
  }
  const diagnostic = text('ErrorDiagnosticText')
  return {
    id: text('ErrorID') ?? '',
    code: text('ErrorCode') ?? '',
    text: text('ErrorText') ?? '',
    ...(diagnostic === undefined ? {} : { diagnostic }),
  }
}
