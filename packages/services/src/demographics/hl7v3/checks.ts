import { asidOf, one, type StructureRule, structureRule, valueAt } from '@openspine/standards/hl7v3'
import { elementsOf } from '@openspine/standards/xml'
import { bears } from '../spine-party.ts'
import type { Call } from './call.ts'
import { registeredAs } from './interactions.ts'
import type { FaultNumber } from './outcomes.ts'

/** One step between the wire and the query. The order of the lists is the order of execution; the first failure is the answer. */
export interface SyncCheck {
  /** Name of the rule, as it goes over the wire where a name does. */
  readonly name: string
  readonly clause: string
  /** A fault of the transport, by number; `http`: refused without SOAP; `rejected`: an acknowledgement AR. */
  readonly outcome: FaultNumber | 'http' | 'rejected'
  /** What is looked at. */
  readonly path: string
  /** Plain words for whoever has to mend the request. */
  readonly explains: string
  holds(call: Call): boolean
}

const accredited = ({ interaction }: Call, system: Call['senderSystem']) =>
  interaction !== undefined && system?.interactions.has(registeredAs(interaction.request)) === true

/** From the connection to the SOAP header (messaging specification §4): failures of the transport. */
export const transportChecks: readonly SyncCheck[] = [
  {
    name: 'SOAP_ACTION_HEADER_MISSING',
    clause: 'messaging §2',
    outcome: 'http',
    path: 'HTTP Header - SOAPAction',
    explains: 'Every request needs the HTTP header SOAPAction.',
    holds: ({ soapAction }) => soapAction !== undefined,
  },
  {
    name: 'CERTIFICATE_INVALID',
    clause: 'messaging §4, §14',
    outcome: 300,
    path: 'client certificate',
    explains: 'The connection needs a client certificate of this environment that is in time and not revoked.',
    holds: ({ peer }) => peer.state === 'valid',
  },
  {
    name: 'INTERACTION_NOT_SUPPORTED',
    clause: 'messaging §7.1, §8.1',
    outcome: 101,
    path: 'HTTP Header - SOAPAction',
    explains: 'SOAPAction names no synchronous interaction that is served at this address.',
    holds: ({ interaction }) => interaction !== undefined,
  },
  {
    name: 'MESSAGE_NOT_WELL_FORMED',
    clause: 'demographics §19.2',
    outcome: 201,
    path: 'Envelope',
    explains: 'The request must be one SOAP 1.1 Envelope with one Header and one Body, and one message in it.',
    holds: ({ envelope, payload }) => envelope?.headers !== undefined && payload !== undefined,
  },
  {
    name: 'SENDER_CERTIFICATE',
    clause: 'messaging §14',
    outcome: 300,
    path: 'Header/communicationFunctionSnd/device/id/@extension',
    explains: 'The certificate must name an FQDN that is registered for the sending ASID.',
    // Without a readable ASID the check of the header below answers.
    holds: ({ peer, sender, senderSystem }) =>
      sender === undefined || (senderSystem !== undefined && bears(peer, senderSystem)),
  },
  {
    name: 'SENDER_INTERACTION',
    clause: 'messaging §14',
    outcome: 300,
    path: 'Header/communicationFunctionSnd/device/id/@extension',
    explains: 'The sending system must be accredited for the interaction (nhsAsSvcIA).',
    holds: (call) => call.sender === undefined || accredited(call, call.senderSystem),
  },
  {
    name: 'RECEIVER_INTERACTION',
    clause: 'messaging §14',
    outcome: 300,
    path: 'Header/communicationFunctionRcv/device/id/@extension',
    explains: 'The receiving ASID must be that of a system which has the interaction (nhsAsSvcIA): that of the Spine.',
    holds: (call) => call.receiver === undefined || accredited(call, call.receiverSystem),
  },
  {
    name: 'SOAP_MESSAGE_ID_ERROR',
    clause: 'demographics §19.2',
    outcome: 201,
    path: 'Header/MessageID',
    explains: 'wsa:MessageID is uuid: and a UUID, 41 characters.',
    holds: ({ addressing: { messageId } }) => messageId.length === 1 && messageId[0]?.length === 41,
  },
  {
    name: 'SOAP_ACTION_ERROR',
    clause: 'demographics §19.2, messaging §4',
    outcome: 201,
    path: 'Header/Action',
    explains: 'There is exactly one wsa:Action, and it is the same as SOAPAction.',
    holds: ({ addressing: { action }, soapAction }) => action.length === 1 && action[0] === soapAction,
  },
  {
    name: 'SOAP_TO_ERROR',
    clause: 'demographics §19.2',
    outcome: 201,
    path: 'Header/To',
    explains: 'There is exactly one wsa:To, and it is not empty.',
    holds: ({ addressing: { to } }) => to.length === 1 && to[0] !== '',
  },
  {
    name: 'SOAP_COMM_FUNC_RCV_ERROR',
    clause: 'messaging §4',
    outcome: 201,
    path: 'Header/communicationFunctionRcv/device/id',
    explains: 'The header needs one communicationFunctionRcv with the ASID of the receiver.',
    holds: ({ receiver }) => receiver !== undefined,
  },
  {
    name: 'SOAP_COMM_FUNC_SND_ERROR',
    clause: 'messaging §4',
    outcome: 201,
    path: 'Header/communicationFunctionSnd/device/id',
    explains: 'The header needs one communicationFunctionSnd with the ASID of the sender.',
    holds: ({ sender }) => sender !== undefined,
  },
]

const ofStructure = ({ row, name, path, explains, holds }: StructureRule): SyncCheck => ({
  name,
  clause: `messaging §3.1 row ${row}`,
  outcome: 'rejected',
  path,
  explains,
  holds: ({ payload }) => payload !== undefined && holds(payload),
})

const row = (number: number): SyncCheck => ofStructure(structureRule(number))

const queryIsThere: SyncCheck = {
  name: 'CONTROL_ACT_QUERY_INVALID',
  clause: 'messaging §4',
  outcome: 'rejected',
  path: 'ControlActEvent/query',
  explains: 'The control act needs exactly one query, and it is not empty.',
  holds: ({ query }) => query !== undefined && elementsOf(query).length > 0,
}

/** From the message to its content, in the order of synchronous messages (§4): rejected with an acknowledgement AR. */
const around = (content: SyncCheck): readonly SyncCheck[] => [
  ...[1, 2, 3, 7, 8, 9].map(row),
  content,
  {
    name: 'INCONSISTENT_HL7_INTERACTION_ID',
    clause: 'messaging §4',
    outcome: 'rejected',
    path: 'interactionId/@extension',
    explains: 'interactionId, the name of the message and the end of wsa:Action must be the same.',
    holds: ({ payload, interaction }) =>
      payload !== undefined && structureRule(4).holds(payload) && payload.name === interaction?.request,
  },
  {
    name: 'INCONSISTENT_COMM_FUNC_RCV',
    clause: 'messaging §4',
    outcome: 'rejected',
    path: 'communicationFunctionRcv/device/id/@extension',
    explains: 'The receiver of the message must be that of the SOAP header.',
    holds: ({ payload, receiver }) => asidOf(one(payload, 'communicationFunctionRcv')) === receiver,
  },
  {
    name: 'INCONSISTENT_COMM_FUNC_SND',
    clause: 'messaging §4',
    outcome: 'rejected',
    path: 'communicationFunctionSnd/device/id/@extension',
    explains: 'The sender of the message must be that of the SOAP header.',
    holds: ({ payload, sender }) => asidOf(one(payload, 'communicationFunctionSnd')) === sender,
  },
  ...[10, 11, 12].map(row),
]

/** The structure of a query. */
export const wrapperChecks: readonly SyncCheck[] = around(queryIsThere)

/** The structure of a message that changes something: the same, with its subject (row 13) where a query has its query. */
export const changeWrapperChecks: readonly SyncCheck[] = around({
  ...row(13),
  holds: ({ payload, subject }) => payload !== undefined && structureRule(13).holds(payload) && subject !== undefined,
})

/** The first check that does not hold. */
export const firstFailed = (checks: readonly SyncCheck[], call: Call): SyncCheck | undefined =>
  checks.find((check) => !check.holds(call))

/** For replies to a message whose id cannot be trusted. */
export const usableRef = (call: Call): string | undefined => {
  const ref = valueAt(one(call.payload, 'id'), 'root')
  return ref === undefined || ref === '' ? undefined : ref.slice(0, 64)
}
