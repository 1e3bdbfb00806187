import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

/** A free port that is ours already, so that addresses can name it before a door answers there. */
export interface ReservedPort {
  readonly port: number
  /** Listens, and answers nobody: the door takes it over. */
  readonly socket: Server
  /** For one that no door took. */
  release(): void
}

export async function reservePort(host: string): Promise<ReservedPort> {
  const socket = createServer((connection) => connection.destroy()).listen({ host, port: 0, backlog: 1024 })
  await once(socket, 'listening')
  return { port: (socket.address() as AddressInfo).port, socket, release: () => void socket.close() }
}
