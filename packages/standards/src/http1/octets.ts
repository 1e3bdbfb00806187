/** Single bytes and short words of a message head. */
import { type Fault, faults } from './faults.ts'
import { CONTENT_LENGTH, HOST, type KnownField, TRANSFER_ENCODING } from './fields.ts'

export const TOKEN = 1
export const VALUE = 2
export const TARGET = 4
export const classes = Uint8Array.from({ length: 256 }, (_, c) => {
  const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(c)) && c < 0x80
  const value = c === 0x09 || (c >= 0x20 && c !== 0x7f)
  const target = c > 0x20 && c < 0x7f
  return (token ? TOKEN : 0) | (value ? VALUE : 0) | (target ? TARGET : 0)
})

export const versionCrlf = Buffer.from('HTTP/1.1\r', 'latin1')
export const maxMethod = 32
/** Names that belong to one hop by their beginning. */
const proxyPrefix = [0x70, 0x72, 0x6f, 0x78, 0x79, 0x2d]

export function duplicate(field: KnownField): Fault {
  if (field.id === HOST) return faults.HTTP1_HOST
  if (field.id === CONTENT_LENGTH) return faults.HTTP1_CONTENT_LENGTH
  return field.id === TRANSFER_ENCODING ? faults.HTTP1_TRANSFER_ENCODING : faults.HTTP1_DUPLICATE
}

export function startsWithProxy(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < proxyPrefix.length) return false
  for (let i = 0; i < proxyPrefix.length; i++)
    if (((bytes[start + i] as number) | 0x20) !== (proxyPrefix[i] as number | 0x20)) return false
  return true
}

/** A relay is asked with a path, or with `*`; the absolute form and the authority form (CONNECT) are for other servers. */
export function originForm(bytes: Buffer, start: number, end: number): boolean {
  return bytes[start] === 0x2f ? end > start : bytes[start] === 0x2a && end === start + 1
}

/** 1 to 15 digits as a number; -1 otherwise. */
export function digits(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > 15) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** The frequent methods without a new string. */
export function methodName(bytes: Buffer, end: number): string {
  const first = bytes[0]
  if (end === 3 && first === 0x47 && bytes[1] === 0x45 && bytes[2] === 0x54) return 'GET'
  if (end === 4 && first === 0x50 && bytes[1] === 0x4f && bytes[2] === 0x53 && bytes[3] === 0x54) return 'POST'
  return bytes.toString('latin1', 0, end)
}

const statusStart = Buffer.from('HTTP/1.1 ', 'latin1')

/** Byte `at` of a status line, up to what follows the three digits. */
export function statusByte(c: number, at: number): Fault | undefined {
  if (at < 9) {
    if (c === statusStart[at]) return undefined
    return at < 8 ? faults.HTTP1_VERSION : faults.HTTP1_STATUS
  }
  if (at === 9) return c >= 0x31 && c <= 0x35 ? undefined : faults.HTTP1_STATUS
  if (at < 12) return c >= 0x30 && c <= 0x39 ? undefined : faults.HTTP1_STATUS
  return c === 0x20 || c === 0x0d ? undefined : faults.HTTP1_STATUS
}
