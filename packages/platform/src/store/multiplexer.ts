import { errorResponse, FrameReader, message, messageType, query, readAnswer, readStartup, uint32 } from './frames.ts'

/** What the multiplexer needs of the one PostgreSQL session and of the outside. */
export interface Session {
  /** Runs whole frontend messages to their end; the answer's bytes are the caller's to keep. */
  execute(bytes: Uint8Array): Uint8Array
  /** The recorded answer to a start-up packet, from AuthenticationOk to ReadyForQuery. */
  readonly hello: Uint8Array
  send(client: number, bytes: Uint8Array): void
  /** The client's connection is over; nothing more is sent to it. */
  end(client: number): void
  /** Milliseconds; only differences matter. */
  now(): number
  /** A transaction idle for longer is ended when others wait. */
  readonly idleTransactionMs: number
}

/** The engine cannot be trusted any more: nothing of its last answer may reach a client. */
export class EngineBroken extends Error {}

interface Client {
  readonly id: number
  readonly reader: FrameReader
  started: boolean
  /** Whole messages that wait for the one which makes them a unit (Sync, Query, …). */
  messages: Uint8Array[]
  bytes: number
  /** The messages are a COPY and its rows so far. */
  copying: boolean
  /** It has said goodbye; its last unit is the Terminate. */
  ending: boolean
  /** Runnable: groups of whole messages that end where an answer is due. */
  readonly units: Unit[]
}

interface Unit {
  readonly bytes: Uint8Array
  /** The client has had the CopyInResponse with which the answer begins. */
  readonly copy: boolean
}

/** A frontend message, or a group of them up to its Sync, may not be longer. */
const longest = 64 << 20

/** Input/output error: the state on the disk is unknown from here on. */
const ioError = '58030'

/** An answer is due after these. */
const unitEnds: ReadonlySet<number | undefined> = new Set([messageType.query, messageType.sync, messageType.flush])

/** What a client may send; an unknown type would end the engine. */
const known: ReadonlySet<number | undefined> = new Set([
  ...unitEnds,
  messageType.parse,
  messageType.bind,
  messageType.describe,
  messageType.execute,
  messageType.close,
])

/** The engine ends when it wants rows for a COPY and none are there; see `#copy`. */
const mayCopyIn = /\bcopy\b.*\bstdin\b/is
const isCopyIn = /^\s*copy\b[^;]*\bfrom\s+stdin\b[^;]*;?\s*$/i
const endOfCopy = message(messageType.copyFail, 'COPY FROM STDIN is possible only as a statement of its own')

/**
 * One PostgreSQL session, many clients that speak the wire protocol. A client has the session for one
 * unit, or, when a transaction is open after it (ReadyForQuery with `T` or `E`), until that ends.
 * Negative ids are clients of other processes: what they leave behind in the session is discarded.
 */
export class Multiplexer {
  readonly #session: Session
  readonly #clients = new Map<number, Client>()
  /** Clients with units to run, each once, in order of arrival. */
  readonly #waiting = new Set<Client>()
  #owner: Client | undefined
  #ownerIdleSince = 0
  #discard = false

  constructor(session: Session) {
    this.#session = session
  }

  receive(id: number, bytes: Uint8Array): void {
    let client = this.#clients.get(id)
    if (!client) {
      client = {
        id,
        reader: new FrameReader(longest),
        started: false,
        messages: [],
        bytes: 0,
        copying: false,
        ending: false,
        units: [],
      }
      this.#clients.set(id, client)
    }
    try {
      client.reader.push(bytes)
      while (this.#clients.has(id)) {
        const frame = client.reader.next()
        if (!frame) break
        if (client.started) this.#collect(client, frame)
        else this.#start(client, frame)
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#refuse(client, '08P01', 'The message is malformed or too long.')
    }
  }

  /** The client is gone, whatever it was doing; unless it said goodbye, what it had not begun is not done. */
  leave(id: number): void {
    const client = this.#clients.get(id)
    if (client && !(client.ending && client.units.length > 0)) this.#remove(client)
  }

  #remove(client: Client): void {
    const { id } = client
    this.#clients.delete(id)
    this.#waiting.delete(client)
    if (id < 0) this.#discard = true
    if (this.#owner === client) {
      this.#owner = undefined
      this.#execute(query('rollback'))
    }
  }

  /** Runs what can be run. */
  run(): void {
    for (;;) {
      const client = this.#owner ?? this.#waiting.values().next().value
      const unit = client?.units.shift()
      if (!client || !unit) break
      this.#waiting.delete(client)
      if (client.units.length > 0) this.#waiting.add(client)
      if (unit.bytes[0] === messageType.terminate) {
        this.#close(client)
        continue
      }
      const answer = this.#execute(unit.bytes)
      this.#session.send(client.id, unit.copy ? withoutCopyInResponse(answer.bytes) : answer.bytes)
      this.#owner = answer.status === 0x49 ? undefined : client
      if (this.#owner) this.#ownerIdleSince = this.#session.now()
    }
    if (this.#discard && !this.#owner) {
      this.#discard = false
      this.#execute(query('discard all'))
    }
  }

  /** Called now and then: nobody may keep the house waiting with an open transaction and nothing to do. */
  guard(): void {
    const owner = this.#owner
    if (!owner || owner.units.length > 0 || this.#waiting.size === 0) return
    if (this.#session.now() - this.#ownerIdleSince <= this.#session.idleTransactionMs) return
    this.#refuse(owner, '25P03', 'The transaction was idle while others waited, and was rolled back.')
    this.run()
  }

  #start(client: Client, packet: Uint8Array): void {
    const startup = readStartup(packet)
    if (startup.kind === 'encryption') this.#session.send(client.id, Buffer.from('N'))
    else if (startup.kind === 'start') {
      // Not passed on: an unknown user or database would end the engine, and a start-up waits for nobody.
      client.started = true
      client.reader.begin()
      if (startup.minor > 0) this.#session.send(client.id, message(0x76, 0, 0))
      this.#session.send(client.id, this.#session.hello)
    } else this.#close(client)
  }

  #collect(client: Client, frame: Uint8Array): void {
    const type = frame[0]
    if (type === messageType.terminate) {
      // What it sent before still runs, and only then it leaves.
      client.ending = true
      client.units.push({ bytes: frame, copy: false })
      this.#waiting.add(client)
      return
    }
    if (client.ending) return
    if (client.copying) {
      this.#copy(client, frame)
      return
    }
    // PostgreSQL ignores these outside a COPY: what a client sent before it heard of an error.
    if (type === messageType.copyData || type === messageType.copyDone || type === messageType.copyFail) return
    if (!known.has(type)) throw new RangeError('an unknown type of message')
    if (type === messageType.query && isCopyIn.test(textOf(frame))) {
      client.copying = true
      this.#copy(client, frame)
      const binary = /\bbinary\b/i.test(textOf(frame)) ? 1 : 0
      this.#session.send(client.id, message(messageType.copyInResponse, Buffer.from([binary, 0, 0])))
      return
    }
    this.#add(client, frame)
    if (!unitEnds.has(type)) return
    // Whoever comes in from outside may have prepared a COPY earlier, under a name.
    const guard = client.id < 0 || client.messages.some((part) => mayCopyIn.test(statementOf(part)))
    if (guard) client.messages.splice(type === messageType.query ? 1 : -1, 0, endOfCopy)
    this.#enqueue(client, false)
  }

  /**
   * Rows of a COPY are kept until they are complete, because the engine takes statement and rows in
   * one piece only; the client is told at once to go on.
   */
  #copy(client: Client, frame: Uint8Array): void {
    const type = frame[0]
    if (type === messageType.sync || type === messageType.flush) return
    this.#add(client, frame)
    if (type === messageType.copyDone || type === messageType.copyFail) {
      client.copying = false
      this.#enqueue(client, true)
    } else if (type !== messageType.copyData && client.messages.length > 1)
      throw new RangeError('a message that does not belong into a COPY')
  }

  #add(client: Client, frame: Uint8Array): void {
    client.bytes += frame.length
    if (client.bytes > longest) throw new RangeError('too much in one piece')
    client.messages.push(frame)
  }

  #enqueue(client: Client, copy: boolean): void {
    const [only, ...more] = client.messages
    const bytes = only && more.length === 0 ? only : Buffer.concat(client.messages)
    client.units.push({ bytes, copy })
    client.messages = []
    client.bytes = 0
    this.#waiting.add(client)
  }

  #refuse(client: Client, sqlstate: string, text: string): void {
    this.#session.send(client.id, errorResponse('FATAL', sqlstate, text))
    this.#close(client)
  }

  #close(client: Client): void {
    this.#remove(client)
    this.#session.end(client.id)
  }

  #execute(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly status: number } {
    const answer = this.#session.execute(bytes)
    const { status, error } = readAnswer(answer)
    if (error && (error.sqlstate === ioError || error.severity === 'FATAL' || error.severity === 'PANIC'))
      throw new EngineBroken(`${error.severity} ${error.sqlstate}`)
    return { bytes: answer, status }
  }
}

function textOf(frame: Uint8Array): string {
  return Buffer.from(frame.buffer, frame.byteOffset + 5, frame.length - 5)
    .toString('latin1')
    .replace(/\0.*$/s, '')
}

/** The SQL of a Query or Parse message; nothing for others. */
function statementOf(frame: Uint8Array): string {
  if (frame[0] === messageType.query) return textOf(frame)
  if (frame[0] !== messageType.parse) return ''
  // After the statement's name.
  return textOf(frame.subarray(Math.max(frame.indexOf(0, 5) - 4, 0)))
}

function withoutCopyInResponse(answer: Uint8Array): Uint8Array {
  return answer[0] === messageType.copyInResponse ? answer.subarray(1 + uint32(answer, 1)) : answer
}
