import { childElements, makeElement, textOf, type XmlElement } from '../xml/xml.ts'
import { blockTexts } from './envelope.ts'
import { type AddressingEdition, addressingNamespaces } from './names.ts'

/**
 * The WS-Addressing blocks of a message. Each is a list, because how many of each there must be is a rule of whoever
 * reads them (and each such rule has its own error).
 */
export interface Addressing {
  readonly messageId: readonly string[]
  readonly action: readonly string[]
  readonly to: readonly string[]
  /** The Address within. */
  readonly from: readonly string[]
  readonly replyTo: readonly string[]
  readonly faultTo: readonly string[]
  readonly relatesTo: readonly string[]
}

export const noAddressing: Addressing = {
  messageId: [],
  action: [],
  to: [],
  from: [],
  replyTo: [],
  faultTo: [],
  relatesTo: [],
}

/** Reads the blocks of one edition; those of the other are foreign to it and passed over. */
export function readAddressing(headers: readonly XmlElement[], edition: AddressingEdition): Addressing {
  const namespace = addressingNamespaces[edition]
  const texts = (name: string) => blockTexts(headers, namespace, name)
  const addresses = (name: string) =>
    headers
      .filter((block) => block.namespace === namespace && block.name === name)
      .map((block) => {
        const [address] = childElements(block, namespace, 'Address')
        return address === undefined ? '' : textOf(address).trim()
      })
  return {
    messageId: texts('MessageID'),
    action: texts('Action'),
    to: texts('To'),
    from: addresses('From'),
    replyTo: addresses('ReplyTo'),
    faultTo: addresses('FaultTo'),
    relatesTo: texts('RelatesTo'),
  }
}

/** The blocks as the Spine orders them; empty ones are written empty. */
export function writeAddressing(addressing: Addressing, edition: AddressingEdition, prefix = 'wsa'): XmlElement[] {
  const namespace = addressingNamespaces[edition]
  const block = (name: string) => (text: string) => makeElement(namespace, name, {}, [text], { prefix })
  const endpoint = (name: string) => (address: string) =>
    makeElement(namespace, name, {}, [block('Address')(address)], { prefix })
  return [
    ...addressing.messageId.map(block('MessageID')),
    ...addressing.action.map(block('Action')),
    ...addressing.to.map(block('To')),
    ...addressing.from.map(endpoint('From')),
    ...addressing.replyTo.map(endpoint('ReplyTo')),
    ...addressing.faultTo.map(endpoint('FaultTo')),
    ...addressing.relatesTo.map(block('RelatesTo')),
  ]
}
