import { SpineError } from '../error.ts'
import { BerReader, berError, boolean, integer, isBerError, type LdapOutcome, octetString, tags, tlv } from './ber.ts'
import { encodeControls, readControls } from './controls.ts'
import { defaultFilterLimits, encodeFilter, type FilterLimits, readFilter } from './filter.ts'
import { type LdapMessage, type LdapRequest, requestTags, type Scope, type SearchRequest } from './message.ts'

const maxId = 2 ** 31 - 1
const maxAttributes = 2000

/** Names the request that a decoder could not accept, so that it can be answered and not only cut off. */
export interface RequestOutcome extends LdapOutcome {
  readonly id: number
  readonly operation: LdapRequest['op']
}

function refusal(
  id: number,
  operation: LdapRequest['op'],
  resultCode: number,
  explanation: string,
): SpineError<RequestOutcome> {
  return new SpineError('LDAP_REQUEST_REFUSED', { resultCode, id, operation }, { explanation })
}

/**
 * Decodes one whole message from a client. Throws
 * - `LDAP_REQUEST_REFUSED` (outcome names message id, operation and result code) when the request is understood but out of bounds;
 * - `LDAP_BER_INVALID` when nothing but a notice of disconnection can be answered.
 */
export function decodeRequest(pdu: Uint8Array, limits: FilterLimits = defaultFilterLimits): LdapMessage<LdapRequest> {
  const reader = new BerReader(pdu)
  reader.enter(tags.sequence)
  const id = reader.integer()
  // 0 marks unsolicited notifications (RFC 4511 §4.1.1.1): a request with it could not be answered.
  if (id < 1 || id > maxId) throw berError('The message id is out of range.')
  const operation = readOperation(reader, id, limits)
  // What follows the controls is stepped over (RFC 4511 §4).
  const controls = reader.peek() === 0xa0 ? readControls(reader) : none
  return { id, operation, controls }
}

const none: readonly never[] = []

function readOperation(reader: BerReader, id: number, limits: FilterLimits): LdapRequest {
  const tag = reader.peek()
  switch (tag) {
    case requestTags.search:
      return readSearch(reader, id, limits)
    case requestTags.bind: {
      const outer = reader.enter(tag)
      const version = reader.integer()
      const name = reader.text()
      const authentication = readAuthentication(reader)
      reader.leave(outer)
      return { op: 'bind', version, name, authentication }
    }
    case requestTags.unbind:
      reader.skip()
      return { op: 'unbind' }
    case requestTags.compare: {
      const outer = reader.enter(tag)
      const entry = reader.text()
      const assertion = reader.enter(tags.sequence)
      const attribute = reader.text()
      const value = reader.octets()
      reader.leave(assertion)
      reader.leave(outer)
      return { op: 'compare', entry, attribute, value }
    }
    case requestTags.abandon:
      return { op: 'abandon', target: reader.integer(tag) }
    case requestTags.extended: {
      const outer = reader.enter(tag)
      const oid = reader.text(0x80)
      const value = reader.peek() === 0x81 ? reader.octets(0x81) : undefined
      reader.leave(outer)
      return { op: 'extended', oid, ...(value === undefined ? {} : { value }) }
    }
    case requestTags.delete:
      return { op: 'delete', target: reader.text(tag) }
    case requestTags.modify:
    case requestTags.add:
    case requestTags.modifyDn: {
      const outer = reader.enter(tag)
      const target = reader.text()
      reader.leave(outer)
      return { op: tag === requestTags.add ? 'add' : tag === requestTags.modify ? 'modify' : 'modifyDn', target }
    }
    default:
      throw berError('The message holds no request that LDAP version 3 knows.')
  }
}

function readAuthentication(reader: BerReader): (LdapRequest & { op: 'bind' })['authentication'] {
  const tag = reader.peek()
  if (tag === 0x80) return { kind: 'simple', password: reader.octets(tag) }
  if (tag === 0xa3) {
    const outer = reader.enter(tag)
    const mechanism = reader.text()
    const credentials = reader.peek() === tags.octetString ? reader.octets() : undefined
    reader.leave(outer)
    return { kind: 'sasl', mechanism, ...(credentials === undefined ? {} : { credentials }) }
  }
  reader.skip()
  return { kind: 'unknown' }
}

function readSearch(reader: BerReader, id: number, limits: FilterLimits): SearchRequest {
  const outer = reader.enter(requestTags.search)
  const base = reader.text()
  const scope = reader.integer(tags.enumerated)
  const derefAliases = reader.integer(tags.enumerated)
  const sizeLimit = reader.integer()
  const timeLimit = reader.integer()
  const typesOnly = reader.boolean()
  if (scope < 0 || scope > 3) throw refusal(id, 'search', 2, 'The scope of the search is unknown.')
  if (derefAliases < 0 || derefAliases > 3) throw refusal(id, 'search', 2, 'The alias option of the search is unknown.')
  if (sizeLimit < 0 || sizeLimit > maxId || timeLimit < 0 || timeLimit > maxId) {
    throw refusal(id, 'search', 2, 'A limit of the search is out of range.')
  }
  let filter: SearchRequest['filter']
  try {
    filter = readFilter(reader, limits)
  } catch (error) {
    // A filter too large is well-formed: the connection lives on.
    if (isBerError(error, 'LDAP_FILTER_TOO_LARGE')) {
      throw refusal(id, 'search', error.outcome.resultCode, error.explanation ?? 'The filter is too large.')
    }
    throw error
  }
  const list = reader.enter(tags.sequence)
  const attributes: string[] = []
  while (!reader.done) {
    if (attributes.length === maxAttributes) throw refusal(id, 'search', 11, 'Too many attributes are asked for.')
    attributes.push(reader.text())
  }
  reader.leave(list)
  reader.leave(outer)
  return {
    op: 'search',
    base,
    scope: scope as Scope,
    derefAliases,
    sizeLimit,
    timeLimit,
    typesOnly,
    filter,
    attributes,
  }
}

/** The bytes of a request, for clients. Write requests are not encoded: this directory has none. */
export function encodeRequest(
  message: LdapMessage<Exclude<LdapRequest, { op: 'modify' | 'add' | 'delete' | 'modifyDn' }>>,
): Buffer {
  return tlv(tags.sequence, integer(message.id), encodeOperation(message.operation), encodeControls(message.controls))
}

function encodeOperation(operation: Exclude<LdapRequest, { op: 'modify' | 'add' | 'delete' | 'modifyDn' }>): Buffer {
  switch (operation.op) {
    case 'bind': {
      const { authentication } = operation
      if (authentication.kind === 'unknown') throw berError('An unknown authentication has no encoding.')
      return tlv(
        requestTags.bind,
        integer(operation.version),
        octetString(operation.name),
        authentication.kind === 'simple'
          ? octetString(authentication.password, 0x80)
          : tlv(
              0xa3,
              octetString(authentication.mechanism),
              ...(authentication.credentials === undefined ? [] : [octetString(authentication.credentials)]),
            ),
      )
    }
    case 'unbind':
      return tlv(requestTags.unbind)
    case 'search':
      return tlv(
        requestTags.search,
        octetString(operation.base),
        integer(operation.scope, tags.enumerated),
        integer(operation.derefAliases, tags.enumerated),
        integer(operation.sizeLimit),
        integer(operation.timeLimit),
        boolean(operation.typesOnly),
        encodeFilter(operation.filter),
        tlv(tags.sequence, ...operation.attributes.map((name) => octetString(name))),
      )
    case 'compare':
      return tlv(
        requestTags.compare,
        octetString(operation.entry),
        tlv(tags.sequence, octetString(operation.attribute), octetString(operation.value)),
      )
    case 'abandon':
      return integer(operation.target, requestTags.abandon)
    case 'extended':
      return tlv(
        requestTags.extended,
        octetString(operation.oid, 0x80),
        ...(operation.value === undefined ? [] : [octetString(operation.value, 0x81)]),
      )
  }
}
