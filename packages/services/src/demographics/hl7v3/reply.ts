import {
  type ControlAct,
  hl7,
  hl7Namespace,
  oid,
  type PdsPerson,
  type Transmission,
  writeCommunicationFunction,
  writeMoment,
  writePdsRegistered,
  writePdsSubject,
  writePdsUpdated,
  writeTransmission,
} from '@openspine/standards/hl7v3'
import { noAddressing, soapNamespace, writeAddressing, writeEnvelope } from '@openspine/standards/soap'
import type { StoredPerson } from '../person.ts'
import type { SyncCheck } from './checks.ts'
import { actionOf, type Interaction, type QueryInteraction } from './interactions.ts'
import { changeWarning, type Issue, issueCode, rejectionCode } from './outcomes.ts'

/** What every reply to a request needs. */
export interface ReplyTo<Of extends Interaction = Interaction> {
  readonly interaction: Of
  /** wsa:MessageID of the request. */
  readonly relatesTo: string
  /** Address to which the request asked to be answered; empty where it named none. */
  readonly replyTo: string
  /** HL7 id of the request. */
  readonly messageRef: string | undefined
  /** ASID of who asked, and that under which the Spine was asked. */
  readonly requester: string
  readonly spine: string
  /** Upper-case UUID of the reply: of the SOAP message and of the payload. */
  readonly id: string
  readonly now: number
  /** wsa:From of replies. */
  readonly from: string
}

/** Interactions of replies that report a failure. */
const failure = { query: 'QUQI_IN010000UK14', acknowledgement: 'MCCI_IN010000UK13' } as const

const style = {
  prefix: 'SOAP-ENV',
  declare: [
    ['crs', 'http://national.carerecords.nhs.uk/schema/crs/'],
    ['SOAP-ENV', soapNamespace],
    ['wsa', 'http://schemas.xmlsoap.org/ws/2004/08/addressing'],
    ['', hl7Namespace],
    ['hl7', hl7Namespace],
  ] as const,
}

function write(
  to: ReplyTo,
  interaction: string,
  acknowledgement: Transmission['acknowledgement'],
  controlAct: Omit<ControlAct, 'systems'>,
  versionCode = 'V3NPfIT3.0',
): string {
  const addressing = writeAddressing(
    {
      ...noAddressing,
      messageId: [`uuid:${to.id}`],
      action: [actionOf(to.interaction.request, interaction)],
      to: [to.replyTo],
      from: [to.from],
    },
    '2004/08',
  )
  const relates = writeAddressing({ ...noAddressing, relatesTo: [to.relatesTo] }, '2004/08')
  const payload = writeTransmission({
    interaction,
    id: to.id,
    creationTime: writeMoment(to.now),
    versionCode,
    processingCode: 'P',
    processingModeCode: 'T',
    acceptAckCode: 'NE',
    ...(acknowledgement && { acknowledgement }),
    receiver: to.requester,
    sender: to.spine,
    controlAct: { ...controlAct, systems: [{ root: oid.asid, extension: to.spine }] },
  })
  return writeEnvelope(
    {
      headers: [
        ...addressing,
        writeCommunicationFunction('Rcv', to.requester),
        writeCommunicationFunction('Snd', to.spine),
        ...relates,
      ],
      body: [to.interaction.wrapper === undefined ? payload : hl7(to.interaction.wrapper, {}, payload)],
    },
    style,
  )
}

const ref = ({ messageRef }: ReplyTo) => (messageRef === undefined ? {} : { messageRef })

/** AA: people, and warnings. */
export function answerWith(
  to: ReplyTo<QueryInteraction>,
  people: readonly PdsPerson[],
  warnings: readonly Issue[],
): string {
  return write(
    to,
    to.interaction.response,
    { typeCode: 'AA', details: [], ...ref(to) },
    {
      reasons: warnings.map(issueCode),
      content: [writePdsSubject(to.interaction.form, people)],
      queryResponse: 'OK',
    },
  )
}

/** AA: the record was changed, or made, and has this version now. */
export function changedWith(to: ReplyTo, { nhsNumber, version }: StoredPerson, warnings: readonly Issue[]): string {
  const { kind } = to.interaction
  const serialChangeNumber = String(version)
  const registered = kind === 'allocation' || kind === 'birth notification'
  return write(
    to,
    to.interaction.response,
    { typeCode: 'AA', details: [], ...ref(to) },
    {
      reasons: warnings.map(changeWarning),
      content: [
        registered ? writePdsRegistered({ nhsNumber, serialChangeNumber }) : writePdsUpdated(serialChangeNumber),
      ],
    },
    // What the Spine says in such replies, in place of the usual one (messaging §1).
    'V3NPfIT4.2.00',
  )
}

/** AE: what is wrong with the message, or why it finds nobody. */
export function failWith(to: ReplyTo, issues: readonly Issue[]): string {
  const change = to.interaction.wrapper === undefined
  return write(
    to,
    change ? failure.acknowledgement : failure.query,
    { typeCode: 'AE', details: [], ...ref(to) },
    { reasons: issues.map(issueCode), content: [], ...(change ? {} : { queryResponse: 'ID' }) },
  )
}

/** AR: the message breaks a rule of structure. */
export function rejectWith(to: ReplyTo, { name, explains }: SyncCheck): string {
  return write(
    to,
    failure.acknowledgement,
    { typeCode: 'AR', details: [{ typeCode: 'ER', code: rejectionCode(name, explains) }], ...ref(to) },
    { reasons: [], content: [] },
  )
}
