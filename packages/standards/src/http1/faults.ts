/** Why bytes were refused as an HTTP/1.1 message. Values, not exceptions: a hostile peer must not be able to make us pay for stack traces. */
export interface Fault {
  /** Stable, for logs and tests. */
  readonly code: FaultCode
  /** What a server answers; a client that reads a response treats every fault as 502. */
  readonly status: 400 | 431
  /** Plain words: what was wrong and what a correct message looks like. */
  readonly reason: string
}

const reasons = {
  HTTP1_METHOD: 'The request line does not begin with a method token of at most 32 characters followed by one space.',
  HTTP1_TARGET:
    'The request target does not begin with a slash, holds a character outside printable ASCII, or is not followed by one space.',
  HTTP1_VERSION: 'The protocol version is not exactly HTTP/1.1.',
  HTTP1_STATUS: 'The status line is not HTTP/1.1, a space and a status of three digits from 100 to 599.',
  HTTP1_REASON: 'The reason phrase holds a control character.',
  HTTP1_FIELD_NAME: 'A header line does not begin with a field name followed directly by a colon.',
  HTTP1_FIELD_VALUE: 'A header value holds a control character.',
  HTTP1_FOLDED: 'A header line begins with white space (folded header lines are obsolete and ambiguous).',
  HTTP1_BARE_CR: 'A carriage return is not followed by a line feed.',
  HTTP1_BARE_LF: 'A line feed is not preceded by a carriage return.',
  HTTP1_HEAD_TOO_LARGE: 'The message head is larger than the limit.',
  HTTP1_TOO_MANY_FIELDS: 'The message head has more header lines than the limit.',
  HTTP1_HOST: 'A request needs exactly one Host header.',
  HTTP1_CONTENT_LENGTH: 'Content-Length must stand once, as 1 to 15 digits.',
  HTTP1_TRANSFER_ENCODING: 'Transfer-Encoding must stand once and be exactly "chunked".',
  HTTP1_LENGTH_AND_ENCODING: 'Content-Length and Transfer-Encoding must not stand together.',
  HTTP1_DUPLICATE: 'A header that must stand once stands twice.',
  HTTP1_CONNECTION: 'The Connection header is not a list of tokens, or names a header that must not be removed.',
  HTTP1_CHUNK_SIZE:
    'A chunk does not begin with a size of 1 to 12 hexadecimal digits and CR LF (extensions are refused).',
  HTTP1_CHUNK_END: 'The data of a chunk are not followed by CR LF.',
  HTTP1_TRAILER: 'The chunked body has trailer fields, or does not end in an empty line.',
} as const

export type FaultCode = keyof typeof reasons

const tooLarge: ReadonlySet<string> = new Set<FaultCode>(['HTTP1_HEAD_TOO_LARGE', 'HTTP1_TOO_MANY_FIELDS'])

/** Every refusal that the framer knows. */
export const faults = Object.fromEntries(
  Object.entries(reasons).map(([code, reason]) => [code, { code, status: tooLarge.has(code) ? 431 : 400, reason }]),
) as { readonly [code in FaultCode]: Fault }
