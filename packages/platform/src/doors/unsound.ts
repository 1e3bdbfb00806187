import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Time for an answer to leave before its connection is cut. */
const lingerMs = 500

/** Codes of node for messages that it could not read; every other fault of its parser (`HPE_…`) is 400. */
const statusOfCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/**
 * What node's parser lets pass and RFC 9112 does not: the status that it is refused with, or undefined.
 * Another major version is 505 (§2.3), a second Host is 400 (§3.2).
 */
export function unsoundHead({ httpVersionMajor, rawHeaders }: IncomingMessage): 400 | 505 | undefined {
  if (httpVersionMajor !== 1) return 505
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts > 1 ? 400 : undefined
}

/**
 * Answers messages that cannot be read, and ends their connections: for `clientError` of a server. What was asked
 * whole before is answered first. `otherwise` is told of faults that are not of a message (TLS, a broken connection).
 */
export function answerUnsound(about: {
  /** Responses under way on this connection, oldest first. */
  underWay(socket: Socket): readonly ServerResponse[]
  /** A whole HTTP response with this status. */
  answer(status: number): string
  otherwise?(error: NodeJS.ErrnoException): void
}): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const settled = new WeakSet<Socket>()
  const say = (status: number, socket: Socket) => {
    if (!socket.writable) return
    socket.end(about.answer(status))
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }
  return (error, socket) => {
    // The rest of a message that was refused. It is read and forgotten: to cut now would lose the answer.
    if (settled.has(socket)) return
    const responses = about.underWay(socket)
    const last = responses.at(-1)
    // Something behind the last request of this connection, which ends with its answer.
    if (error.code === 'HPE_CLOSED_CONNECTION' && last !== undefined) return
    const status = statusOfCode[error.code ?? ''] ?? (error.code?.startsWith('HPE_') ? 400 : undefined)
    if (status === undefined) {
      about.otherwise?.(error)
      socket.destroy()
    } else if (last?.req.complete) {
      settled.add(socket)
      last.once('close', () => say(status, socket))
    } else if (responses.length > 1 || last?.headersSent || !socket.writable) {
      // In the middle of a body whose answer has begun, or must wait for others: nothing can be said in between.
      socket.destroy()
    } else {
      settled.add(socket)
      say(status, socket)
    }
  }
}
