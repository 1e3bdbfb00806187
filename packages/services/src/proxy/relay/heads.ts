import type { BodyKind, HeadReader } from '@openspine/standards/http1'
import type { Call } from '../call.ts'

/** Start line, Host and framing of the request as the provider gets it: framing is always written anew. */
export function requestStart(call: Call, head: HeadReader): Buffer {
  const { way } = call
  const framing = framingOf(head)
  if (way.start === undefined || way.framing !== framing) {
    way.framing = framing
    way.start = Buffer.from(`${addressed(call)}${framing}`, 'latin1')
  }
  return way.start
}

function framingOf(head: HeadReader): string {
  if (head.body === 'chunked') return 'Transfer-Encoding: chunked\r\n'
  return head.contentLength >= 0 ? `Content-Length: ${head.contentLength}\r\n` : ''
}

function addressed({ method, target, endpoint }: Call): string {
  if (target === undefined || endpoint === undefined) throw new Error('An admitted call has a target and an endpoint')
  const { rest } = target
  const path = rest.charCodeAt(0) === 0x2f ? rest : `/${rest}`
  return `${method} ${path} HTTP/1.1\r\nHost: ${endpoint.authority}\r\n`
}

/**
 * Start lines and framing of a provider's answers as consumers get them: most are written as the one before. A 204 has
 * neither length nor chunks. A body that ends with the provider's connection goes on in chunks (`chunkOf`): many a client
 * takes whatever came before the end of a connection for the whole, and could not tell when the provider broke off.
 */
export class AnswerStarts {
  #status = 0
  #reason = ''
  #framing = ''
  #close = false
  #bytes: Buffer | undefined = undefined

  of(head: HeadReader, kind: BodyKind, close: boolean): Buffer {
    const { status, reason } = head
    const framing = status === 204 ? '' : kind === 'close' ? 'Transfer-Encoding: chunked\r\n' : framingOf(head)
    if (
      this.#bytes === undefined ||
      this.#status !== status ||
      this.#reason !== reason ||
      this.#framing !== framing ||
      this.#close !== close
    ) {
      this.#status = status
      this.#reason = reason
      this.#framing = framing
      this.#close = close
      this.#bytes = Buffer.from(
        `HTTP/1.1 ${status} ${reason}\r\n${framing}${close ? 'Connection: close\r\n' : ''}`,
        'latin1',
      )
    }
    return this.#bytes
  }
}

/** The end of a body in chunks. */
export const lastChunk = Buffer.from('0\r\n\r\n')

/** A copy of the bytes as one chunk; nothing for none, because an empty chunk ends the body. */
export function chunkOf(piece: Buffer): Buffer {
  if (piece.length === 0) return piece
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
}

/**
 * The proxy's own Forwarded line (RFC 7239); what the consumer sent of that name stands before it, untouched. A name
 * is no address: §6.3 wants it obfuscated, which takes no more than an underscore before it.
 */
export function forwardedLine(address: string, fqdn: string): Buffer {
  // The zone of a link-local address means something on this machine alone.
  const [bare = ''] = address.split('%')
  const node = bare === '' ? 'unknown' : bare.includes(':') ? `"[${bare}]"` : bare
  return Buffer.from(`Forwarded: for=${node};proto=https;by=_${fqdn}\r\n`, 'latin1')
}
