import type { Peer } from '@openspine/platform/doors'
import {
  asidOf,
  controlActContent,
  hl7Namespace,
  noBirth,
  noParameters,
  noRegistration,
  noUpdate,
  one,
  type PdsBirth,
  type PdsRegistration,
  type PdsUpdate,
  type PersonAuthor,
  type QueryParameters,
  readAuthor,
  readPdsBirth,
  readPdsRegistration,
  readPdsUpdate,
  readQuery,
  valueAt,
} from '@openspine/standards/hl7v3'
import { type Addressing, type Envelope, noAddressing, readAddressing, readEnvelope } from '@openspine/standards/soap'
import type { XmlElement } from '@openspine/standards/xml'
import type { AccreditedSystem, DirectorySnapshot } from '../../directory/contract.ts'
import { type Interaction, interactionOf } from './interactions.ts'

/** What came over the wire. */
export interface Arrived {
  readonly peer: Peer
  /** SOAPAction, unwrapped; undefined where there was none. */
  readonly soapAction: string | undefined
  readonly body: Uint8Array
  readonly directory: Pick<DirectorySnapshot, 'accreditedSystem'>
}

/** One request as the checks see it: everything is read once, as far as it can be. */
export class Call {
  readonly peer: Peer
  readonly soapAction: string | undefined
  readonly interaction: Interaction | undefined
  /** Undefined where the message is no SOAP message; then `problem` says why not. */
  readonly envelope: Envelope | undefined
  readonly problem: string | undefined
  readonly addressing: Addressing
  readonly payload: XmlElement | undefined
  /** ASIDs of the SOAP header. */
  readonly receiver: string | undefined
  readonly sender: string | undefined
  readonly senderSystem: AccreditedSystem | undefined
  readonly receiverSystem: AccreditedSystem | undefined

  constructor({ peer, soapAction, body, directory }: Arrived) {
    this.peer = peer
    this.soapAction = soapAction
    this.interaction = soapAction === undefined ? undefined : interactionOf(soapAction)
    let envelope: Envelope | undefined
    let problem: string | undefined
    try {
      envelope = readEnvelope(body)
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
    this.envelope = envelope
    this.problem = problem
    const headers = envelope?.headers ?? []
    this.addressing = envelope === undefined ? noAddressing : readAddressing(headers, '2004/08')
    this.payload = envelope?.body.length === 1 ? envelope.body[0] : undefined
    const header = (name: string) => {
      const found = headers.filter((block) => block.namespace === hl7Namespace && block.name === name)
      return found.length === 1 ? asidOf(found[0]) : undefined
    }
    this.receiver = header('communicationFunctionRcv')
    this.sender = header('communicationFunctionSnd')
    this.senderSystem = this.sender === undefined ? undefined : directory.accreditedSystem(this.sender)
    this.receiverSystem = this.receiver === undefined ? undefined : directory.accreditedSystem(this.receiver)
  }

  /** UUID of the payload; undefined where it has none. */
  get messageRef(): string | undefined {
    return valueAt(one(this.payload, 'id'), 'root')
  }

  get author(): PersonAuthor | undefined {
    return this.payload && readAuthor(this.payload)
  }

  get query(): XmlElement | undefined {
    if (this.payload === undefined) return undefined
    const found = controlActContent(this.payload)
    return found.length === 1 && found[0]?.name === 'query' ? found[0] : undefined
  }

  /** What an update is about; undefined where there is not exactly one. */
  get subject(): XmlElement | undefined {
    if (this.payload === undefined) return undefined
    const found = controlActContent(this.payload)
    return found.length === 1 && found[0]?.name === 'subject' ? found[0] : undefined
  }

  /** What an update asks; nothing in other messages. */
  get update(): PdsUpdate {
    if (this.subject === undefined) return noUpdate
    return readPdsUpdate(
      this.subject,
      this.interaction?.kind === 'NHAIS update' ? 'PdsNhaisUpdateRequest' : 'PdsUpdateRequest',
    )
  }

  /** Who is to be registered; nobody in other messages. */
  get registration(): PdsRegistration {
    return this.subject === undefined ? noRegistration : readPdsRegistration(this.subject)
  }

  /** Which birth is notified; none in other messages. */
  get birth(): PdsBirth {
    return this.subject === undefined ? noBirth : readPdsBirth(this.subject)
  }

  get parameters(): QueryParameters {
    return this.query === undefined ? noParameters : readQuery(this.query)
  }
}
