import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** The part of a socket that reads into a buffer of its user: what `onread` of `net.connect` sets up. */
interface Readers {
  _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null
  [key: symbol]: unknown
}

const symbols = Object.getOwnPropertySymbols(new Socket())
const named = (name: string) => symbols.find((one) => one.description === name)
const bufferKey = named('kBuffer')
const callbackKey = named('kBufferCb')

/**
 * Has a connected socket read into `buffer`, one for many sockets, and hand over each piece within the call: what
 * `onread` does for a socket that connects, and Node has no option for in one that a TLS server accepted. Without it each
 * piece comes in memory of its own, by way of a stream's queue and with a tick after it: 5 % of a request's time.
 * False where this Node keeps these things elsewhere, or something has been read already: then listen for `data`.
 */
export function readInto(socket: TLSSocket, buffer: Buffer, take: (piece: Buffer) => void): boolean {
  const inside = socket as unknown as Readers
  const handle = inside._handle
  if (bufferKey === undefined || callbackKey === undefined || typeof handle?.useUserBuffer !== 'function') return false
  if (socket.readableLength > 0 || !(bufferKey in inside)) return false
  inside[bufferKey] = buffer
  inside[callbackKey] = (length: number) => {
    take(buffer.subarray(0, length))
    return true
  }
  handle.useUserBuffer(buffer)
  return true
}
