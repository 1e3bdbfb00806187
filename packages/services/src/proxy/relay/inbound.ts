import type { TLSSocket } from 'node:tls'
import { BodyReader, HeadReader } from '@openspine/standards/http1'
import { Call, type ConnectionFacts } from '../call.ts'
import { proxyRecord } from '../record.ts'
import type { Expiring } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { forwardedLine } from './heads.ts'
import { framingRefusal, internalRefusal } from './problems.ts'
import { field, type Relay, requestNames } from './relay.ts'
import { readInto } from './shared-read.ts'

/** Waits for, or reads, the head of a request. */
const HEAD = 0
/** A request is being served; its body may still be arriving. */
const SERVE = 1
/** Answered; the rest of the request's body is thrown away. */
const DISCARD = 2
/** Answered and ended; what still arrives is thrown away, so that the answer is not lost to a reset. */
const LINGER = 3
const CLOSED = 4

/** Bytes of the next requests that are kept while one is being served. */
const laterBytes = 65_536
const lingerMs = 2_000
const nothing = Buffer.alloc(0)

/** One consumer connection: reads one request after the other, and gives each to an exchange. */
export class Inbound implements Expiring {
  readonly socket: TLSSocket
  readonly head: HeadReader
  readonly body = new BodyReader()
  readonly facts: ConnectionFacts
  /** The Forwarded line of this connection's requests (RFC 7239). */
  readonly forwarded: Buffer
  deadline: number
  /** The request that was admitted last. */
  admitted: Call | undefined = undefined
  readonly #relay: Relay
  readonly #gone: (inbound: Inbound) => void
  #state = HEAD
  #exchange: Exchange | undefined = undefined
  #later: Buffer = nothing
  #began = 0
  #held = false

  constructor(relay: Relay, socket: TLSSocket, facts: ConnectionFacts, gone: (inbound: Inbound) => void) {
    this.#relay = relay
    this.socket = socket
    this.facts = facts
    this.#gone = gone
    this.head = new HeadReader('request', requestNames, relay.headLimits)
    this.forwarded = forwardedLine(facts.address, relay.config.fqdn)
    this.deadline = relay.deadlines.now + relay.times.head
    relay.deadlines.add(this)
    // The bytes are overwritten after the call: whatever is kept of them is copied.
    if (!readInto(socket, relay.consumerBytes, (piece) => this.#bytes(piece)))
      socket.on('data', (chunk: Buffer) => this.#bytes(chunk))
    else socket.resume()
    socket.on('drain', () => this.#exchange?.consumerDrained())
    socket.on('end', () => this.#left())
    // The reason is of no use: a consumer that has gone has gone. `close` follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#left()
      this.#state = CLOSED
      relay.deadlines.delete(this)
      this.#gone(this)
    })
  }

  /** Nothing has been asked, or nothing more: may be closed at once when the proxy stops. */
  get idle(): boolean {
    return this.#state === HEAD && this.head.received === 0
  }

  #left(): void {
    if (this.#state === SERVE) this.#exchange?.consumerLeft()
    else if (this.#state === HEAD && this.head.received > 0) {
      this.#closedUnanswered('The consumer closed its connection within the head of a request.')
      this.head.begin()
    }
  }

  #bytes(chunk: Buffer): void {
    if (this.#state === HEAD) this.#readHead(chunk)
    else if (this.#state === SERVE) {
      if (this.body.done) this.#keep(chunk)
      else this.#readBody(chunk)
    } else if (this.#state === DISCARD) {
      const end = this.body.read(chunk, 0)
      if (this.body.fault !== undefined) this.cut()
      else if (this.body.done) {
        if (end < chunk.length) this.#keep(chunk.subarray(end))
        this.#next()
      } else this.deadline = this.#relay.deadlines.now + this.#relay.times.body
    }
  }

  #readHead(chunk: Buffer): void {
    const relay = this.#relay
    const { head, body } = this
    if (head.received === 0) {
      // The first request of a connection is not what anyone has waited for.
      if (this.#began > 0) relay.vigils.request.came()
      this.#began = relay.clock.now()
      this.deadline = relay.deadlines.now + relay.times.head
    }
    const pieces = head.received > 0
    if (!head.read(chunk)) return
    const now = pieces ? relay.clock.now() : this.#began
    const { fault } = head
    const call = new Call(
      this.facts,
      fault === undefined
        ? {
            method: head.method,
            requestTarget: head.target,
            traceId: head.value(field.traceId),
            from: head.value(field.from),
            to: head.value(field.to),
            interaction: head.value(field.interaction),
            authorization: relay.readToken(head, field.authorization),
            contentType: head.value(field.contentType),
          }
        : { ...unsaid(head.method, head.target), traceId: head.value(field.traceId) },
    )
    const exchange = new Exchange(relay, this, call, this.#began)
    this.#exchange = exchange
    this.#state = SERVE
    if (fault !== undefined) {
      body.begin('none')
      exchange.refuse(framingRefusal(fault), true)
      return
    }
    const { rest } = head
    body.begin(head.body, head.contentLength)
    const end = body.read(rest, 0)
    if (body.fault !== undefined) {
      exchange.refuse(framingRefusal(body.fault), true)
      return
    }
    if (end < rest.length) this.#keep(rest.subarray(end))
    try {
      exchange.open(now, end === rest.length ? rest : rest.subarray(0, end))
    } catch (error) {
      // A fault of ours or of a service that was asked must cost one answer, not the process.
      relay.log.error({ err: error }, 'a request could not be admitted or refused')
      exchange.refuse(internalRefusal, true)
    }
  }

  #readBody(chunk: Buffer): void {
    const { body } = this
    const exchange = this.#exchange
    if (exchange === undefined || body.fault !== undefined) return
    const end = body.read(chunk, 0)
    if (body.fault !== undefined) {
      exchange.badBody(body.fault)
      return
    }
    if (end < chunk.length) this.#keep(chunk.subarray(end))
    exchange.forward(end === chunk.length ? chunk : chunk.subarray(0, end))
  }

  /** Bytes of a next request that came early. */
  #keep(chunk: Buffer): void {
    this.#later = Buffer.concat([this.#later, chunk])
    if (this.#later.length >= laterBytes) this.hold()
  }

  /** Stops reading from the consumer. */
  hold(): void {
    this.#held = true
    this.socket.pause()
  }

  flow(): void {
    if (!this.#held) return
    this.#held = false
    this.socket.resume()
  }

  /** The exchange is over and on record: its last bytes, then the next request or the end. `written` is called when they have gone. */
  answered(last: Buffer | undefined, close: boolean, written?: () => void): void {
    this.#exchange = undefined
    const { socket } = this
    if (this.#state !== SERVE || socket.destroyed) return
    if (close) {
      this.#state = LINGER
      this.deadline = this.#relay.deadlines.now + lingerMs
      if (last === undefined) socket.end()
      else {
        socket.write(last, written)
        socket.end()
      }
      this.flow()
      return
    }
    if (last !== undefined) socket.write(last, written)
    if (this.body.done) this.#next()
    else {
      this.#state = DISCARD
      this.deadline = this.#relay.deadlines.now + this.#relay.times.body
      this.flow()
    }
  }

  #next(): void {
    this.head.begin()
    this.#state = HEAD
    if (this.#relay.closing() && this.#later.length === 0) {
      this.#state = LINGER
      this.deadline = this.#relay.deadlines.now + lingerMs
      this.socket.end()
      return
    }
    this.deadline = this.#relay.deadlines.now + this.#relay.times.keepAlive
    this.flow()
    if (this.#later.length === 0) this.#relay.vigils.request.begin()
    else {
      const chunk = this.#later
      this.#later = nothing
      this.#readHead(chunk)
    }
  }

  expire(now: number): void {
    if (this.#state === SERVE) this.#exchange?.expire(now)
    else if (this.#state === HEAD && this.head.received > 0) {
      this.#closedUnanswered('The head of the request did not arrive within proxy.headSeconds.')
      this.head.begin()
      this.cut()
    } else this.cut()
  }

  /** Closes an unused connection in an orderly way. */
  end(): void {
    this.#state = LINGER
    this.deadline = this.#relay.deadlines.now + lingerMs
    this.socket.end()
  }

  /** Breaks the connection off: never an orderly end after which an answer could look complete. */
  cut(): void {
    this.#exchange?.consumerLeft()
    this.#state = CLOSED
    this.socket.destroy()
  }

  /** Audits a request that never became one (444). */
  #closedUnanswered(explanation: string): void {
    const relay = this.#relay
    const totalMs = relay.clock.now() - this.#began
    relay.tally.ended('closed', 444, totalMs, 0, 0)
    const call = new Call(this.facts, unsaid(this.head.method, this.head.target))
    const ended = { ending: 'closed', status: 444, bytesIn: 0, bytesOut: 0, totalMs } as const
    const refusal = {
      check: 'framing',
      clause: 'SSP §2.8, §2.9',
      status: 400,
      text: '',
      explanation,
      compared: { received: this.head.received },
    } as const
    relay.audit
      .append(
        proxyRecord(
          relay.node,
          this.#began,
          call,
          { ...ended, firstByteMs: undefined, providerMs: undefined },
          refusal,
        ),
      )
      .catch((error: unknown) => relay.log.error({ err: error }, 'a request could not be audited'))
  }
}

/** What is known of a request whose head is not sound: nothing that stands behind the fault is believed. */
function unsaid(method: string, requestTarget: string) {
  return {
    method,
    requestTarget,
    traceId: undefined,
    from: undefined,
    to: undefined,
    interaction: undefined,
    authorization: undefined,
    contentType: undefined,
  }
}
