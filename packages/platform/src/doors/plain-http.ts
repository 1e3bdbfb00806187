import type { Socket } from 'node:net'
import type { Server } from 'node:tls'

/** First octet of a TLS record that begins a handshake (RFC 8446 §5.1). */
const handshake = 0x16
const patienceMs = 10_000
const lingerMs = 1_000

/**
 * Looks at the first octet of every connection before TLS does. Whoever speaks plain HTTP gets
 * `answer` (a whole HTTP response that closes) in place of an unreadable TLS alert; everyone else is
 * handed to TLS untouched. Answers the raw sockets that are open, for whoever closes the server.
 */
export function answerPlainHttp(server: Server, answer: () => string): { readonly sockets: ReadonlySet<Socket> } {
  const sockets = new Set<Socket>()
  const accept = server.listeners('connection')
  server.removeAllListeners('connection')

  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const drop = () => socket.destroy()
    socket.on('error', drop)
    socket.setTimeout(patienceMs, drop)
    socket.once('readable', () => {
      const head: Buffer | null = socket.read()
      if (head === null) return void socket.destroy()
      const first = head[0] ?? 0
      if (first !== handshake && isLetter(first)) {
        socket.end(answer())
        // Read what still comes: to close upon unread octets would reset the connection and lose the answer.
        socket.resume()
        socket.setTimeout(lingerMs, drop)
        return
      }
      socket.setTimeout(0)
      socket.removeListener('timeout', drop)
      socket.removeListener('error', drop)
      socket.unshift(head)
      for (const listener of accept) listener.call(server, socket)
    })
  })
  return { sockets }
}

function isLetter(octet: number): boolean {
  return (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x61 && octet <= 0x7a)
}
