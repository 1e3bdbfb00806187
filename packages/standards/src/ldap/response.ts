import { BerReader, berError, integer, octetString, tags, tlv } from './ber.ts'
import { oids, resultCodes } from './codes.ts'
import { encodeControls, readControls } from './controls.ts'
import { type LdapMessage, type LdapResponse, type LdapResult, type PartialAttribute, responseTags } from './message.ts'

/** A result with nothing to say beside its code. */
export function plainResult(code: number, diagnostic = '', matchedDn = ''): LdapResult {
  return { code, matchedDn, diagnostic }
}

function encodeResult(result: LdapResult): Buffer[] {
  return [
    integer(result.code, tags.enumerated),
    octetString(result.matchedDn),
    octetString(result.diagnostic),
    ...(result.referrals === undefined ? [] : [tlv(0xa3, ...result.referrals.map((url) => octetString(url)))]),
  ]
}

/** The bytes of a response. */
export function encodeResponse(message: LdapMessage<LdapResponse>): Buffer {
  return tlv(tags.sequence, integer(message.id), encodeOperation(message.operation), encodeControls(message.controls))
}

function encodeOperation(operation: LdapResponse): Buffer {
  switch (operation.op) {
    case 'entry':
      return tlv(
        responseTags.entry,
        octetString(operation.dn),
        tlv(
          tags.sequence,
          ...operation.attributes.map(({ name, values }) =>
            tlv(tags.sequence, octetString(name), tlv(tags.set, ...values.map((value) => octetString(value)))),
          ),
        ),
      )
    case 'reference':
      return tlv(responseTags.reference, ...operation.urls.map((url) => octetString(url)))
    case 'extended':
      return tlv(
        responseTags.extended,
        ...encodeResult(operation.result),
        ...(operation.oid === undefined ? [] : [octetString(operation.oid, 0x8a)]),
        ...(operation.value === undefined ? [] : [octetString(operation.value, 0x8b)]),
      )
    case 'intermediate':
      return tlv(
        responseTags.intermediate,
        ...(operation.oid === undefined ? [] : [octetString(operation.oid, 0x80)]),
        ...(operation.value === undefined ? [] : [octetString(operation.value, 0x81)]),
      )
    default:
      return tlv(responseTags[operation.op], ...encodeResult(operation.result))
  }
}

/** Notice of Disconnection (RFC 4511 §4.4.1): the last thing a client hears before the connection closes. */
export function noticeOfDisconnection(code: number, diagnostic: string): Buffer {
  return encodeResponse({
    id: 0,
    operation: { op: 'extended', result: plainResult(code, diagnostic), oid: oids.noticeOfDisconnection },
    controls: [],
  })
}

const resultOperations = new Map<number, 'bind' | 'done' | 'modify' | 'add' | 'delete' | 'modifyDn' | 'compare'>(
  (['bind', 'done', 'modify', 'add', 'delete', 'modifyDn', 'compare'] as const).map((op) => [responseTags[op], op]),
)

/** Decodes one whole message from a server. Throws `LDAP_BER_INVALID`. */
export function decodeResponse(pdu: Uint8Array): LdapMessage<LdapResponse> {
  const reader = new BerReader(pdu)
  reader.enter(tags.sequence)
  const id = reader.integer()
  if (id < 0) throw berError('The message id is out of range.')
  const operation = readOperation(reader)
  const controls = reader.peek() === 0xa0 ? readControls(reader) : []
  return { id, operation, controls }
}

function readOperation(reader: BerReader): LdapResponse {
  const tag = reader.peek()
  if (tag < 0) throw berError('The message holds no response.')
  const outer = reader.enter(tag)
  const operation = readBody(reader, tag)
  reader.leave(outer)
  return operation
}

function readBody(reader: BerReader, tag: number): LdapResponse {
  const op = resultOperations.get(tag)
  if (op !== undefined) return { op, result: readResult(reader) }
  switch (tag) {
    case responseTags.entry: {
      const dn = reader.text()
      const attributes: PartialAttribute[] = []
      const list = reader.enter(tags.sequence)
      while (!reader.done) {
        const one = reader.enter(tags.sequence)
        const name = reader.text()
        const values = readAll(reader, tags.set, () => reader.octets())
        reader.leave(one)
        attributes.push({ name, values })
      }
      reader.leave(list)
      return { op: 'entry', dn, attributes }
    }
    case responseTags.reference: {
      const urls: string[] = []
      while (!reader.done) urls.push(reader.text())
      return { op: 'reference', urls }
    }
    case responseTags.extended: {
      const result = readResult(reader)
      const oid = reader.peek() === 0x8a ? reader.text(0x8a) : undefined
      const value = reader.peek() === 0x8b ? reader.octets(0x8b) : undefined
      return {
        op: 'extended',
        result,
        ...(oid === undefined ? {} : { oid }),
        ...(value === undefined ? {} : { value }),
      }
    }
    case responseTags.intermediate: {
      const oid = reader.peek() === 0x80 ? reader.text(0x80) : undefined
      const value = reader.peek() === 0x81 ? reader.octets(0x81) : undefined
      return { op: 'intermediate', ...(oid === undefined ? {} : { oid }), ...(value === undefined ? {} : { value }) }
    }
    default:
      throw berError('The message holds no response that LDAP version 3 knows.')
  }
}

function readAll<T>(reader: BerReader, tag: number, one: () => T): T[] {
  const all: T[] = []
  const outer = reader.enter(tag)
  while (!reader.done) all.push(one())
  reader.leave(outer)
  return all
}

function readResult(reader: BerReader): LdapResult {
  const code = reader.integer(tags.enumerated)
  const matchedDn = reader.text()
  const diagnostic = reader.text()
  const referrals = reader.peek() === 0xa3 ? readAll(reader, 0xa3, () => reader.text()) : undefined
  return { code, matchedDn, diagnostic, ...(referrals === undefined ? {} : { referrals }) }
}

/** True for the codes that are no failure: success, compareFalse, compareTrue. */
export function succeeded(result: LdapResult): boolean {
  return (
    result.code === resultCodes.success ||
    result.code === resultCodes.compareTrue ||
    result.code === resultCodes.compareFalse
  )
}
