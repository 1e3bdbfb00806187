import { childElement, elementsOf, makeElement, textOf, type XmlElement } from '../xml/xml.ts'
import { type Envelope, type EnvelopeStyle, writeEnvelope } from './envelope.ts'
import { errorListNamespace, soapNamespace } from './names.ts'

/** A SOAP 1.1 fault. `code` is the local part: `Client`, `Server`, `VersionMismatch` or `MustUnderstand`. */
export interface Fault {
  readonly code: string
  readonly string: string
  readonly actor?: string
  readonly detail: readonly XmlElement[]
}

/** One entry of the error list in the detail of the Spine's faults (messaging specification §7.1). */
export interface ErrorListEntry {
  readonly codeContext: string
  readonly errorCode: string
  readonly severity: string
  readonly location: string
  readonly description: string
}

/** The fault of a message; undefined when its body is something else. */
export function readFault({ body }: Envelope): Fault | undefined {
  const [fault] = body
  if (fault === undefined || fault.namespace !== soapNamespace || fault.name !== 'Fault') return undefined
  // The parts of a fault have no namespace, unlike the fault itself.
  const text = (name: string) => {
    const found = childElement(fault, '', name)
    return found === undefined ? undefined : textOf(found).trim()
  }
  const code = text('faultcode') ?? ''
  const actor = text('faultactor')
  const detail = childElement(fault, '', 'detail')
  return {
    code: code.slice(code.indexOf(':') + 1),
    string: text('faultstring') ?? '',
    ...(actor === undefined ? {} : { actor }),
    detail: detail === undefined ? [] : elementsOf(detail),
  }
}

/** The fault as a whole message; `headers` where the protocol answers faults with some. */
export function writeFault(
  fault: Fault,
  style: EnvelopeStyle = { prefix: 'SOAP' },
  headers?: readonly XmlElement[],
): string {
  const part = (name: string, children: readonly (XmlElement | string)[]) => makeElement('', name, {}, children)
  const element = makeElement(
    soapNamespace,
    'Fault',
    {},
    [
      part('faultcode', [`${style.prefix}:${fault.code}`]),
      part('faultstring', [fault.string]),
      fault.actor === undefined ? undefined : part('faultactor', [fault.actor]),
      fault.detail.length === 0 ? undefined : part('detail', fault.detail),
    ],
    { prefix: style.prefix },
  )
  return writeEnvelope({ headers, body: [element] }, style)
}

const members = ['codeContext', 'errorCode', 'severity', 'location', 'description'] as const

/** `nasp:errorList` for the detail of a fault. */
export function writeErrorList(entries: readonly ErrorListEntry[]): XmlElement {
  const nasp = (name: string, children: readonly (XmlElement | string)[]) =>
    makeElement(errorListNamespace, name, {}, children, { prefix: 'nasp' })
  return nasp(
    'errorList',
    entries.map((entry) =>
      nasp(
        'error',
        members.map((member) => nasp(member, [entry[member]])),
      ),
    ),
  )
}

/** The entries of every error list in the detail of a fault. */
export function readErrorList({ detail }: Pick<Fault, 'detail'>): readonly ErrorListEntry[] {
  return detail
    .filter(({ namespace, name }) => namespace === errorListNamespace && name === 'errorList')
    .flatMap(elementsOf)
    .filter(({ namespace, name }) => namespace === errorListNamespace && name === 'error')
    .map((error) => {
      const text = (member: (typeof members)[number]) => {
        const found = childElement(error, errorListNamespace, member)
        return found === undefined ? '' : textOf(found).trim()
      }
      return {
        codeContext: text('codeContext'),
        errorCode: text('errorCode'),
        severity: text('severity'),
        location: text('location'),
        description: text('description'),
      }
    })
}
