import { SpineError } from '../error.ts'
import { elementsOf, type XmlElement } from '../xml/xml.ts'
import { type Cd, type Ii, readCd, readIi, writeCd, writeIi } from './datatypes.ts'
import { all, hl7, hl7Namespace, one, present, valueAt } from './element.ts'
import { oid } from './oids.ts'
import { asidOf, firstBroken, structureRules } from './structure.ts'

/** Whether and why a message was accepted: `AA` accepted, `AE` application error, `AR` rejected (§3.2). */
export interface Acknowledgement {
  readonly typeCode: string
  readonly details: readonly { readonly typeCode: string; readonly code: Cd }[]
  /** HL7 id of the message that is answered; absent where it had none. */
  readonly messageRef?: string
}

/** The signed-on person behind a message. */
export interface PersonAuthor {
  readonly roleProfile: string
  readonly user: string
  readonly jobRole: string
}

/** Who does what: authors, warnings or faults, and what it is about. */
export interface ControlAct {
  readonly author?: PersonAuthor
  /** author1: the accredited system, and behind it perhaps a workstation. */
  readonly systems: readonly Ii[]
  /** Codes of the issues that were detected. */
  readonly reasons: readonly Cd[]
  /** query, subject, or what stands in their place. */
  readonly content: readonly XmlElement[]
  /** queryResponseCode of a reply to a query: `OK`, `ID`, `NF`. */
  readonly queryResponse?: string
}

/** A message in its transmission wrapper (§3), whatever it carries: the same for synchronous SOAP and ebXML. */
export interface Transmission {
  /** Name of the root element and extension of interactionId. */
  readonly interaction: string
  readonly id: string
  /** `yyyyMMddHHmmss`. */
  readonly creationTime: string
  readonly versionCode: string
  readonly processingCode: string
  readonly processingModeCode: string
  readonly acceptAckCode: string
  readonly acknowledgement?: Acknowledgement
  /** ASIDs. */
  readonly receiver: string
  readonly sender: string
  readonly controlAct: ControlAct
}

/** Every code with which a payload is refused. */
export type Hl7V3Code = 'HL7V3_STRUCTURE'

/** `communicationFunctionRcv` or `…Snd`, as they stand in payloads and in SOAP headers. */
export function writeCommunicationFunction(which: 'Rcv' | 'Snd', asid: string): XmlElement {
  return hl7(
    `communicationFunction${which}`,
    { typeCode: which.toUpperCase() },
    hl7('device', { classCode: 'DEV', determinerCode: 'INSTANCE' }, writeIi('id', { root: oid.asid, extension: asid })),
  )
}

function writeAcknowledgement({ typeCode, details, messageRef }: Acknowledgement): XmlElement {
  return hl7(
    'acknowledgement',
    { typeCode },
    // The detail comes before the reference, although the reverse would be natural.
    ...details.map((detail) =>
      hl7('acknowledgementDetail', { typeCode: detail.typeCode }, writeCd('code', detail.code)),
    ),
    hl7('messageRef', {}, writeIi('id', messageRef === undefined ? { nullFlavor: 'NI' } : { root: messageRef })),
  )
}

function readAcknowledgement(element: XmlElement): Acknowledgement {
  return present<Acknowledgement>({
    typeCode: valueAt(element, 'typeCode') ?? '',
    details: all(element, 'acknowledgementDetail').map((detail) => {
      const code = one(detail, 'code')
      return { typeCode: valueAt(detail, 'typeCode') ?? '', code: code === undefined ? {} : readCd(code) }
    }),
    messageRef: valueAt(one(element, 'messageRef/id'), 'root'),
  })
}

function writeAuthor({ roleProfile, user, jobRole }: PersonAuthor): XmlElement {
  return hl7(
    'author',
    { typeCode: 'AUT' },
    hl7(
      'AgentPersonSDS',
      { classCode: 'AGNT' },
      writeIi('id', { root: oid.sdsRoleProfile, extension: roleProfile }),
      hl7(
        'agentPersonSDS',
        { classCode: 'PSN', determinerCode: 'INSTANCE' },
        writeIi('id', { root: oid.sdsUser, extension: user }),
      ),
      hl7(
        'part',
        { typeCode: 'PART' },
        hl7('partSDSRole', { classCode: 'ROL' }, writeIi('id', { root: oid.sdsJobRole, extension: jobRole })),
      ),
    ),
  )
}

/** The person behind a control act; undefined where there is none, or not all of the three ids. */
export function readAuthor(payload: XmlElement): PersonAuthor | undefined {
  const agent = one(payload, 'ControlActEvent/author/AgentPersonSDS')
  const roleProfile = valueAt(one(agent, 'id'), 'extension')
  const user = valueAt(one(agent, 'agentPersonSDS/id'), 'extension')
  const jobRole = valueAt(one(agent, 'part/partSDSRole/id'), 'extension')
  return roleProfile === undefined || user === undefined || jobRole === undefined
    ? undefined
    : { roleProfile, user, jobRole }
}

const writeSystem = (id: Ii) =>
  hl7(
    'author1',
    { typeCode: 'AUT' },
    hl7(
      'AgentSystemSDS',
      { classCode: 'AGNT' },
      hl7('agentSystemSDS', { classCode: 'DEV', determinerCode: 'INSTANCE' }, writeIi('id', id)),
    ),
  )

const writeReason = (code: Cd) =>
  hl7(
    'reason',
    { typeCode: 'RSON' },
    hl7('justifyingDetectedIssueEvent', { classCode: 'ALRT', moodCode: 'EVN' }, writeCd('code', code)),
  )

/** Writes the message; the parts stand in the order of §3. */
export function writeTransmission(transmission: Transmission): XmlElement {
  const { interaction, acknowledgement, controlAct } = transmission
  const { author, systems, reasons, content, queryResponse } = controlAct
  return hl7(
    interaction,
    {},
    writeIi('id', { root: transmission.id }),
    hl7('creationTime', { value: transmission.creationTime }),
    hl7('versionCode', { code: transmission.versionCode }),
    writeIi('interactionId', { root: oid.interaction, extension: interaction }),
    hl7('processingCode', { code: transmission.processingCode }),
    hl7('processingModeCode', { code: transmission.processingModeCode }),
    hl7('acceptAckCode', { code: transmission.acceptAckCode }),
    acknowledgement && writeAcknowledgement(acknowledgement),
    writeCommunicationFunction('Rcv', transmission.receiver),
    writeCommunicationFunction('Snd', transmission.sender),
    hl7(
      'ControlActEvent',
      { classCode: 'CACT', moodCode: 'EVN' },
      author && writeAuthor(author),
      ...systems.map(writeSystem),
      ...reasons.map(writeReason),
      ...content,
      queryResponse === undefined
        ? undefined
        : hl7('queryAck', { type: 'QueryAck' }, hl7('queryResponseCode', { code: queryResponse })),
    ),
  )
}

/** What stands in a control act beside its content. */
const aroundContent: ReadonlySet<string> = new Set(['author', 'author1', 'reason', 'queryAck'])

/**
 * Reads a message of any kind, request or reply.
 *
 * @throws SpineError `HL7V3_STRUCTURE` naming the first of rows 1 to 7 of §3.1 that it breaks
 */
export function readTransmission(payload: XmlElement): Transmission {
  const broken =
    payload.namespace === hl7Namespace ? firstBroken(payload, structureRules.slice(0, 7)) : structureRules[0]
  if (broken !== undefined)
    throw new SpineError('HL7V3_STRUCTURE', { rule: broken.name, path: broken.path }, { explanation: broken.explains })
  const act = one(payload, 'ControlActEvent')
  const acknowledgement = one(payload, 'acknowledgement')
  return present<Transmission>({
    interaction: payload.name,
    id: valueAt(one(payload, 'id'), 'root') ?? '',
    creationTime: valueAt(one(payload, 'creationTime'), 'value') ?? '',
    versionCode: valueAt(one(payload, 'versionCode'), 'code') ?? '',
    processingCode: valueAt(one(payload, 'processingCode'), 'code') ?? '',
    processingModeCode: valueAt(one(payload, 'processingModeCode'), 'code') ?? '',
    acceptAckCode: valueAt(one(payload, 'acceptAckCode'), 'code') ?? '',
    acknowledgement: acknowledgement && readAcknowledgement(acknowledgement),
    receiver: asidOf(one(payload, 'communicationFunctionRcv')) ?? '',
    sender: asidOf(one(payload, 'communicationFunctionSnd')) ?? '',
    controlAct: present<ControlAct>({
      author: readAuthor(payload),
      systems: all(act, 'author1/AgentSystemSDS/agentSystemSDS/id').map(readIi),
      reasons: all(act, 'reason/justifyingDetectedIssueEvent/code').map(readCd),
      content: act === undefined ? [] : elementsOf(act).filter(({ name }) => !aroundContent.has(name)),
      queryResponse: valueAt(one(act, 'queryAck/queryResponseCode'), 'code'),
    }),
  })
}
