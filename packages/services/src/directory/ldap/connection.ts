import type { Socket } from 'node:net'
import type { Clock } from '@openspine/platform/clock'
import { type LdapEngine, type LdapSession, type OperationReport, resultCodes } from '@openspine/standards/ldap'
import type { Caller, Trail } from './trail.ts'

export interface ConnectionNeeds {
  readonly engine: LdapEngine
  readonly trail: Trail
  readonly clock: Clock
  readonly caller: Caller
  /** Whether the client may still be served: asked before every batch of requests. */
  allowed(): boolean
  /** Whether one more search or compare is allowed now; absent when none is limited. */
  readonly mayAsk: (() => boolean) | undefined
  readonly onOperation: (report: OperationReport, caller: Caller, boundAs: string) => void
  readonly onClose: (connection: Connection) => void
  readonly onFault: (error: unknown) => void
}

/** How long a closed connection may take to read its last answer. */
const lingerMs = 2000

/**
 * One socket and its session: bytes in, one write per batch of answers out. Works in turns so that no connection
 * holds up another, and stops reading while the client does not read.
 */
export class Connection {
  readonly caller: Caller
  readonly session: LdapSession
  /** When something last went in or out. */
  activeAt: number
  /** Since when a message is incomplete; undefined when none is. */
  partialSince: number | undefined
  readonly #socket: Socket
  readonly #needs: ConnectionNeeds
  #scheduled = false
  #ending = false

  constructor(socket: Socket, needs: ConnectionNeeds) {
    this.#socket = socket
    this.#needs = needs
    this.caller = needs.caller
    this.session = needs.engine.session(
      (report) => needs.onOperation(report, this.caller, this.session.boundAs),
      needs.mayAsk,
    )
    this.activeAt = needs.clock.now()
    this.session.onReady = () => this.#work()
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => {
      this.activeAt = needs.clock.now()
      this.#work()
    })
    // The client may have closed its half while answers are under way.
    socket.on('end', () => {
      if (!this.session.busy) this.#socket.end()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.session.abort()
      needs.onClose(this)
    })
  }

  get closing(): boolean {
    return this.#ending
  }

  #receive(chunk: Buffer): void {
    if (this.#ending) return
    this.activeAt = this.#needs.clock.now()
    if (!this.#needs.allowed()) {
      this.disconnect(resultCodes.strongerAuthRequired, 'The client certificate is no longer valid.')
      return
    }
    this.session.feed(chunk)
    if (!this.#scheduled) this.#work()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#work()
    })
  }

  #work(): void {
    const { session } = this
    const socket = this.#socket
    if (this.#ending || socket.destroyed || this.#scheduled) return
    if (socket.writableNeedDrain) {
      socket.pause()
      return
    }
    if (this.#needs.trail.full) {
      socket.pause()
      this.#scheduled = true
      this.#needs.trail.onRoom(() => {
        this.#scheduled = false
        this.#work()
      })
      return
    }
    // A revocation while a long answer is under way ends it.
    if (session.busy && !this.#needs.allowed()) {
      this.disconnect(resultCodes.strongerAuthRequired, 'The client certificate is no longer valid.')
      return
    }
    let bytes: Buffer
    try {
      bytes = session.run()
    } catch (error) {
      this.#needs.onFault(error)
      this.disconnect(resultCodes.other, 'The directory failed.')
      return
    }
    if (bytes.length > 0) socket.write(bytes)
    if (session.ended) {
      this.#end()
      return
    }
    if (session.idle) this.partialSince = undefined
    else if (!session.busy) this.partialSince ??= this.#needs.clock.now()
    if (session.busy && !socket.writableNeedDrain) this.#schedule()
    if (session.full || socket.writableNeedDrain) socket.pause()
    else if (socket.isPaused()) socket.resume()
    if (!session.busy && socket.readableEnded) this.#end()
  }

  /** Says goodbye with a notice of disconnection (RFC 4511 §4.4.1). */
  disconnect(code: number, reason: string): void {
    if (this.#ending || this.#socket.destroyed) return
    this.#socket.write(this.session.disconnect(code, reason))
    this.#end()
  }

  #end(): void {
    this.#ending = true
    this.#socket.end()
    // What the client still sends is thrown away, so that its close is seen.
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), lingerMs).unref()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
