import { attributeOf, elementsOf, type XmlElement } from '../xml/xml.ts'
import { all, hl7Namespace, one, valueAt } from './element.ts'
import { oid } from './oids.ts'

/** A rule that the wrapper of a message must keep (messaging specification §3.1). */
export interface StructureRule {
  /** Row of the table in §3.1; the order of the rows is that of asynchronous messages. */
  readonly row: number
  /** Name on failure, as it goes over the wire. */
  readonly name: string
  /** What is looked at, from the payload. */
  readonly path: string
  /** Plain words for whoever has to mend the message. */
  readonly explains: string
  holds(payload: XmlElement): boolean
}

const filled = (element: XmlElement | undefined, attribute: string) => (valueAt(element, attribute) ?? '') !== ''

const only = (payload: XmlElement, path: string): XmlElement | undefined => {
  const found = all(payload, path)
  return found.length === 1 ? found[0] : undefined
}

/** Exactly one identifier with this root at the path, and it is not empty. */
function identified(elements: readonly XmlElement[], root: string): boolean {
  const found = elements.filter((element) => valueAt(element, 'root') === root)
  return found.length === 1 && filled(found[0], 'extension')
}

const crsNamespace = 'http://national.carerecords.nhs.uk/schema/crs/'
const contents: ReadonlySet<string> = new Set(['query', 'subject', 'CreateRequest', 'SCRequest'])

/** What a control act is about: its query, its subject, or one of the three requests that stand in their place. */
export function controlActContent(payload: XmlElement): readonly XmlElement[] {
  const act = one(payload, 'ControlActEvent')
  if (act === undefined) return []
  return elementsOf(act).filter(({ namespace, name }) =>
    namespace === crsNamespace
      ? name === 'setResourcePermissionsRequest'
      : namespace === hl7Namespace && contents.has(name),
  )
}

/** The thirteen rules in the order of asynchronous messages. */
export const structureRules: readonly StructureRule[] = [
  {
    row: 1,
    name: 'INVALID_ID',
    path: 'id/@root',
    explains: 'The message needs exactly one id, with its UUID in root.',
    holds: (payload) => filled(only(payload, 'id'), 'root'),
  },
  {
    row: 2,
    name: 'INVALID_CREATION_TIME',
    path: 'creationTime/@value',
    explains: 'The message needs exactly one creationTime with a value.',
    holds: (payload) => filled(only(payload, 'creationTime'), 'value'),
  },
  {
    row: 3,
    name: 'INVALID_VERSION_CODE',
    path: 'versionCode/@code',
    explains: 'The message needs exactly one versionCode with a code.',
    holds: (payload) => filled(only(payload, 'versionCode'), 'code'),
  },
  {
    row: 4,
    name: 'INCONSISTENT_HL7_INTERACTION_ID',
    path: 'interactionId/@extension',
    explains: 'interactionId must have its root and the name of the message as extension.',
    holds(payload) {
      const id = only(payload, 'interactionId')
      return valueAt(id, 'root') === oid.interaction && valueAt(id, 'extension') === payload.name
    },
  },
  {
    row: 5,
    name: 'INVALID_COMM_FUNC_RCV',
    path: 'communicationFunctionRcv/device/id',
    explains: 'The receiver needs one ASID.',
    holds: (payload) => identified(all(payload, 'communicationFunctionRcv/device/id'), oid.asid),
  },
  {
    row: 6,
    name: 'INVALID_COMM_FUNC_SND',
    path: 'communicationFunctionSnd/device/id',
    explains: 'The sender needs one ASID.',
    holds: (payload) => identified(all(payload, 'communicationFunctionSnd/device/id'), oid.asid),
  },
  {
    row: 7,
    name: 'INVALID_CONTROL_ACT',
    path: 'ControlActEvent',
    explains: 'The message needs exactly one ControlActEvent.',
    holds: (payload) => only(payload, 'ControlActEvent') !== undefined,
  },
  {
    row: 8,
    name: 'CONTROL_ACT_AUTHOR_INVALID',
    path: 'ControlActEvent/author',
    explains: 'A control act has one person as author, or none.',
    holds: (payload) => all(payload, 'ControlActEvent/author').length <= 1,
  },
  {
    row: 9,
    name: 'CONTROL_ACT_AUTHOR_INVALID_CARDINALITY',
    path: 'ControlActEvent/author1',
    explains: 'A control act has one system as author1, or two.',
    holds: (payload) => [1, 2].includes(all(payload, 'ControlActEvent/author1').length),
  },
  {
    row: 10,
    name: 'CONTROL_ACT_AUTHOR_AGENT_INVALID',
    path: 'ControlActEvent/author1[1]/AgentSystemSDS/agentSystemSDS/id',
    explains: 'The first author1 needs the ASID of the system.',
    holds: (payload) =>
      identified(all(one(payload, 'ControlActEvent/author1'), 'AgentSystemSDS/agentSystemSDS/id'), oid.asid),
  },
  {
    row: 11,
    name: 'CONTROL_ACT_AUTHOR_INVALID',
    path: 'ControlActEvent/author/AgentPersonSDS',
    explains: 'A person as author needs role profile, user id and job role, each once.',
    holds(payload) {
      const author = one(payload, 'ControlActEvent/author')
      if (author === undefined) return true
      return (
        identified(all(author, 'AgentPersonSDS/id'), oid.sdsRoleProfile) &&
        identified(all(author, 'AgentPersonSDS/agentPersonSDS/id'), oid.sdsUser) &&
        identified(all(author, 'AgentPersonSDS/part/partSDSRole/id'), oid.sdsJobRole)
      )
    },
  },
  {
    row: 12,
    name: 'CONTROL_ACT_AUTHOR_AGENT2_INVALID',
    path: 'ControlActEvent/author1[2]/AgentSystemSDS/agentSystemSDS/id',
    explains: 'The second author1 needs one id, with root and extension.',
    holds(payload) {
      const [, second] = all(payload, 'ControlActEvent/author1')
      if (second === undefined) return true
      const ids = all(second, 'AgentSystemSDS/agentSystemSDS/id')
      return ids.length === 1 && filled(ids[0], 'root') && filled(ids[0], 'extension')
    },
  },
  {
    row: 13,
    name: 'CONTROL_ACT_MANDATORY_ELEMENT_MISSING',
    path: 'ControlActEvent/(query | subject | another request)',
    explains: 'A control act needs exactly one query, subject or request, and a subject is not empty.',
    holds(payload) {
      const found = controlActContent(payload)
      const [content] = found
      if (content === undefined || found.length > 1) return false
      return content.name !== 'subject' || elementsOf(content).length > 0
    },
  },
]

/** The rule of a row of §3.1. */
export function structureRule(row: number): StructureRule {
  const rule = structureRules[row - 1]
  if (rule === undefined) throw new RangeError(`there is no row ${row}`)
  return rule
}

/** The first rule that the payload breaks, in the order given; undefined when it keeps them all. */
export const firstBroken = (
  payload: XmlElement,
  rules: readonly StructureRule[] = structureRules,
): StructureRule | undefined => rules.find((rule) => !rule.holds(payload))

/** The ASID of a communication function, wherever it stands (payload or SOAP header); undefined unless there is exactly one. */
export function asidOf(parent: XmlElement | undefined, device = 'device/id'): string | undefined {
  const found = all(parent, device).filter((id) => attributeOf(id, 'root') === oid.asid)
  const [id] = found
  const asid = found.length === 1 && id !== undefined ? attributeOf(id, 'extension') : undefined
  return asid === '' ? undefined : asid
}
