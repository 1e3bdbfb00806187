import { BerReader, berError, boolean, integer, octetString, tags, tlv } from './ber.ts'
import { oids } from './codes.ts'
import type { Control } from './message.ts'

const maxControls = 32

/** Reads the optional `[0] Controls` of a message. */
export function readControls(reader: BerReader): Control[] {
  const controls: Control[] = []
  const list = reader.enter(0xa0)
  while (!reader.done) {
    if (controls.length === maxControls) throw berError('A message carries too many controls.')
    const outer = reader.enter(tags.sequence)
    const oid = reader.text()
    const critical = reader.peek() === tags.boolean ? reader.boolean() : false
    const value = reader.peek() === tags.octetString ? reader.octets() : undefined
    reader.leave(outer)
    controls.push({ oid, critical, ...(value === undefined ? {} : { value }) })
  }
  reader.leave(list)
  return controls
}

export function encodeControls(controls: readonly Control[]): Buffer {
  if (controls.length === 0) return Buffer.alloc(0)
  return tlv(
    0xa0,
    ...controls.map(({ oid, critical, value }) =>
      tlv(
        tags.sequence,
        octetString(oid),
        ...(critical ? [boolean(true)] : []),
        ...(value === undefined ? [] : [octetString(value)]),
      ),
    ),
  )
}

/** Value of the simple paged results control (RFC 2696): size asked for (or estimate), cookie. */
export interface Page {
  readonly size: number
  readonly cookie: Buffer
}

/** The control that asks for one page, or that answers with the next cookie. */
export function pagedResults(page: { readonly size: number; readonly cookie: Uint8Array }, critical = false): Control {
  const value = tlv(tags.sequence, integer(page.size), octetString(page.cookie))
  return { oid: oids.pagedResults, critical, value }
}

/** Reads the value of a paged results control; throws `LDAP_BER_INVALID`. */
export function readPage(value: Uint8Array | undefined): Page {
  const reader = new BerReader(value ?? Buffer.alloc(0))
  const outer = reader.enter(tags.sequence)
  const size = reader.integer()
  const cookie = reader.octets()
  reader.leave(outer)
  if (size < 0 || !reader.done) throw berError('The value of the paged results control is malformed.')
  return { size, cookie }
}
