import { chmod, lstat, mkdir, rmdir, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Logger } from '../log.ts'
import { type Announcer, channel, decodeTopic, encodeTopic, readAnnouncements } from './announce.ts'
import { errorResponse, FrameReader, message, messageType, readStartup, startup } from './frames.ts'
import type { Engine } from './wire.ts'

/** `pg` and `psql` make it of a folder and port 5432. */
const socketName = '.s.PGSQL.5432'
/** Bytes of a socket's path, with its final zero, on the strictest system (macOS). */
const longestPath = 103
const mostConnections = 64
const startupMs = 10_000

/** A connection to this database is about wake-ups only. */
export const announcementsDatabase = 'openspine_announcements'

/** Where the holder of that directory listens: inside it, or, where the path would be too long, below the system's temporary folder. */
export async function socketPath(directory: string): Promise<string> {
  const inside = join(directory, socketName)
  if (Buffer.byteLength(inside) <= longestPath) return inside
  const { dev, ino } = await lstat(directory, { bigint: true })
  return join(tmpdir(), `openspine-${dev.toString(36)}-${ino.toString(36)}`, socketName)
}

/** Lets other processes of this user speak the PostgreSQL protocol with the engine of this one. */
export async function serveAttached(options: {
  readonly path: string
  readonly engine: Engine
  readonly announcer: Announcer
  readonly log: Logger
}): Promise<{ readonly tell: (topic: string) => void; close(): Promise<void> }> {
  const { path, engine, announcer, log } = options
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(folder)
  if ((process.getuid && uid !== process.getuid()) || (mode & 0o077) !== 0)
    throw new Error(`the folder of the socket is not ours alone: ${folder}`)
  // Whoever left it is gone: we have the lock.
  await unlink(path).catch(() => {})

  const sockets = new Set<Socket>()
  const heralds = new Map<number, Socket>()
  let lastHerald = 0
  const tell = (encoded: string, from = 0) => {
    const news = message(messageType.notificationResponse, from, channel, encoded)
    for (const [id, socket] of heralds) if (id !== from) socket.write(news)
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    if (sockets.size > mostConnections) {
      socket.end(errorResponse('FATAL', '53300', 'There are too many connections to the store.'))
      return
    }
    greet(socket, (parameters, rest) => {
      if (parameters.get('database') === announcementsDatabase) {
        lastHerald += 1
        const id = lastHerald
        heralds.set(id, socket)
        socket.once('close', () => heralds.delete(id))
        herald(socket, id, rest, (encoded) => {
          const topic = decodeTopic(encoded)
          if (topic !== undefined) announcer.wake(topic)
          tell(encoded, id)
        })
      } else bridge(socket, engine, rest)
    })
  })
  await listen(server, path)
  await chmod(path, 0o600)
  server.unref()
  log.debug({ path }, 'the store can be reached by other processes')

  return {
    tell: (topic) => tell(encodeTopic(topic)),
    async close() {
      const over = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await over
      // Empty now, when it was made for the socket alone; the store's own folder is not, and stays.
      await rmdir(folder).catch(() => {})
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** The start of a connection, up to and with its start-up packet. Encryption is declined: this is no network. */
function greet(socket: Socket, started: (parameters: ReadonlyMap<string, string>, rest: Uint8Array) => void): void {
  const reader = new FrameReader(0)
  const late = setTimeout(() => socket.destroy(), startupMs)
  late.unref()
  socket.once('close', () => clearTimeout(late))
  const read = (chunk: Buffer) => {
    try {
      reader.push(chunk)
      for (let packet = reader.next(); packet; packet = reader.next()) {
        const asked = readStartup(packet)
        if (asked.kind === 'encryption') socket.write('N')
        else if (asked.kind === 'start') {
          clearTimeout(late)
          socket.off('data', read)
          started(asked.parameters, reader.rest)
          return
        } else {
          // A cancel request too: the engine cannot interrupt what it does.
          socket.destroy()
          return
        }
      }
    } catch {
      socket.destroy()
    }
  }
  socket.on('data', read)
}

/** Bytes to and fro; the start-up packet is ours, whatever user or database was asked for. */
function bridge(socket: Socket, engine: Engine, rest: Uint8Array): void {
  const wire = engine.connect(true)
  wire.write(startup())
  if (rest.length > 0) wire.write(rest)
  wire.on('error', () => {
    socket.end(errorResponse('FATAL', '57P02', 'The embedded store failed and is being opened again.'))
  })
  wire.pipe(socket)
  socket.pipe(wire)
  socket.once('close', () => wire.destroy())
}

/** A connection that only announces and listens, in the words of `LISTEN` and `NOTIFY`. */
function herald(socket: Socket, id: number, rest: Uint8Array, announced: (encoded: string) => void): void {
  const ready = message(messageType.readyForQuery, Buffer.from('I'))
  socket.write(Buffer.concat([message(0x52, 0), message(messageType.backendKeyData, id, 0), ready]))
  const reader = new FrameReader(1 << 20)
  reader.begin()
  const read = (chunk: Uint8Array) => {
    try {
      reader.push(chunk)
      for (let frame = reader.next(); frame; frame = reader.next()) {
        if (frame[0] === messageType.terminate) {
          socket.end()
          return
        }
        const said = frame[0] === messageType.query ? Buffer.from(frame.subarray(5, -1)).toString() : ''
        const topics = readAnnouncements(said)
        for (const topic of topics ?? []) announced(topic)
        const done = (topics ?? [said]).map(() => message(messageType.commandComplete, topics ? 'NOTIFY' : 'LISTEN'))
        const answer =
          topics || said === `listen ${channel}`
            ? Buffer.concat(done)
            : errorResponse('ERROR', '0A000', 'This connection only announces and listens.')
        socket.write(Buffer.concat([answer, ready]))
      }
    } catch {
      socket.destroy()
    }
  }
  socket.on('data', read)
  if (rest.length > 0) read(rest)
}
