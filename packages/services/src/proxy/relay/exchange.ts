import type { BodyKind, Fault } from '@openspine/standards/http1'
import { admit, admitConnection } from '../admission.ts'
import type { Call } from '../call.ts'
import { preflightAnswer } from '../preflight.ts'
import type { Ending } from '../record.ts'
import type { Refusal, RefusalStatus } from '../refusal.ts'
import { rateHeaders } from '../throttle.ts'
import { chunkOf, lastChunk, requestStart } from './heads.ts'
import type { Inbound } from './inbound.ts'
import { Ledger } from './ledger.ts'
import {
  advice,
  bodyRefusal,
  capacityRefusal,
  closedExplanation,
  consumerRefusal,
  framingRefusal,
  ownAnswer,
  providerRefusal,
  queueExplanation,
} from './problems.ts'
import { around, field, type Relay } from './relay.ts'
import type { Origin, UpstreamConnection, UpstreamProblem, UpstreamUser } from './upstream.ts'

/** Waits for a connection to the provider. */
const WAIT = 0
/** The request is on its way. */
const SEND = 1
/** The request is with the provider, whose answer has not begun. */
const ANSWER = 2
/** The answer's body is on its way. */
const BODY = 3
/** Decided; the last bytes wait for the audit. */
const END = 4

/** Request bytes that are kept while a connection to the provider is being made. */
const holdBytes = 65_536
/** A refused request's body up to this size is read and thrown away, so that the connection can go on. */
export const discardBytes = 65_536
const nothing = Buffer.alloc(0)
/** Answer bytes that a consumer may have before it; a provider that would send more waits until all of them are taken. */
const aheadBytes = 131_072
/** Interim answers (1xx) of one exchange at most. */
const maxInterim = 20

/**
 * One request and its answer: joins a consumer's connection with a provider's, and owns what belongs to
 * both: admission, back-pressure, aborts, deadlines and the one audit record. The last bytes of every
 * answer go out after its record is safe.
 */
export class Exchange implements UpstreamUser {
  readonly #inbound: Inbound
  readonly #relay: Relay
  readonly #call: Call
  readonly #ledger: Ledger
  readonly #totalAt: number
  #origin: Origin | undefined = undefined
  #upstream: UpstreamConnection | undefined = undefined
  #phase = WAIT
  #held: Buffer[] = []
  #heldBytes = 0
  #kind: BodyKind | undefined = undefined
  #interim = 0
  #status = 0
  #close = false
  /** The provider stopped reading, or the consumer did. */
  #stalled = false
  #repeated = false
  /** Is told when this turn of the event loop ends. */
  #gathers = false

  constructor(relay: Relay, inbound: Inbound, call: Call, began: number) {
    this.#relay = relay
    this.#inbound = inbound
    this.#call = call
    this.#ledger = new Ledger(relay, call, began)
    this.#totalAt = began + relay.times.total
  }

  /** Admits the request and sends it on its way; `first` is what of its body came with the head. */
  open(now: number, first: Buffer): void {
    const relay = this.#relay
    const call = this.#call
    const rules = around(relay, now)
    if (call.method === 'OPTIONS' && relay.config.cors) {
      const refusal = admitConnection(call, rules)
      if (refusal !== undefined) {
        this.refuse(refusal)
        return
      }
      const close = this.#mustClose()
      const answer = preflightAnswer(call.requestTarget, relay.config, close, now)
      this.#conclude('answered', 200, answer, undefined, close)
      return
    }
    const refusal = admit(call, rules, this.#inbound.admitted)
    if (refusal !== undefined) {
      this.refuse(refusal)
      return
    }
    if (call.endpoint === undefined) throw new Error('An admitted call has an endpoint')
    this.#inbound.admitted = call
    this.#take(relay.upstreams.of(call.endpoint, call.to ?? ''), first)
  }

  #take(origin: Origin, first: Buffer): void {
    this.#origin = origin
    const connection = origin.take(this)
    if (connection === 'full') {
      this.#busy(`More than ${origin.limits.waiting} requests wait for this provider.`)
    } else if (connection === 'waiting') {
      // Connection attempts have a deadline of their own; this one is for the wait on top of it.
      this.#await(this.#relay.times.connect + this.#relay.times.queue)
      if (first.length > 0) this.#hold(first)
    } else {
      this.#send(connection, first)
    }
  }

  /** Keeps a copy of request bytes until they can be sent. */
  #hold(piece: Buffer): void {
    this.#held.push(Buffer.from(piece))
    this.#heldBytes += piece.length
  }

  #await(ms: number): void {
    this.#inbound.deadline = Math.min(this.#totalAt, this.#relay.deadlines.now + ms)
  }

  ready(connection: UpstreamConnection): void {
    const [first = nothing, ...more] = this.#held
    this.#held = []
    this.#heldBytes = 0
    this.#send(connection, first, more)
  }

  /** Sends the head with what of the body is here; `first` goes with the head in one piece, which copies it. */
  #send(connection: UpstreamConnection, first: Buffer, more: readonly Buffer[] = []): void {
    const { head, body } = this.#inbound
    this.#upstream = connection
    this.#phase = SEND
    const { drafts } = this.#relay
    const draft = drafts.take()
    let flows = connection.socket.write(
      head.rebuild(requestStart(this.#call, head), this.#inbound.forwarded, first, draft),
      () => drafts.give(draft),
    )
    for (const piece of more) flows = connection.socket.write(piece)
    if (body.done) this.#sent()
    else {
      this.#await(this.#relay.times.body)
      if (flows) this.#inbound.flow()
      else this.#stall()
    }
  }

  #sent(): void {
    this.#ledger.sent()
    if (this.#phase === SEND) {
      this.#phase = ANSWER
      this.#relay.vigils.answer.begin()
      this.#await(this.#relay.times.answer)
    }
  }

  #stall(): void {
    this.#stalled = true
    this.#inbound.hold()
  }

  /** More of the request's body; the consumer's body reader has walked over it. */
  forward(piece: Buffer): void {
    if (this.#phase === END) return
    const { body } = this.#inbound
    if (this.#phase === WAIT) {
      this.#hold(piece)
      if (this.#heldBytes >= holdBytes) this.#inbound.hold()
      return
    }
    const { drafts } = this.#relay
    const draft = drafts.take()
    // The socket may keep what it is given for a while, and what was read is gone after this call.
    const copied = piece.copy(draft)
    const kept = copied === piece.length ? draft.subarray(0, copied) : Buffer.from(piece)
    const flows = this.#upstream?.socket.write(kept, () => drafts.give(draft)) === true
    if (body.done) this.#sent()
    else {
      if (this.#phase === SEND) this.#await(this.#relay.times.body)
      if (!flows) this.#stall()
    }
  }

  drained(): void {
    if (!this.#stalled || this.#phase === END) return
    this.#stalled = false
    if (this.#phase === SEND) this.#await(this.#relay.times.body)
    this.#inbound.flow()
  }

  /** The consumer takes bytes again. */
  consumerDrained(): void {
    if (this.#phase !== BODY) return
    this.#await(this.#relay.times.idle)
    this.#upstream?.socket.resume()
  }

  /** The body of the request cannot be read: what follows it cannot be trusted either. */
  badBody(fault: Fault): void {
    if (this.#phase === END) return
    this.#abandon()
    const refusal = framingRefusal(fault)
    if (this.#status === 0) this.refuse(refusal, true)
    else this.#cut('failed', refusal)
  }

  bytes(chunk: Buffer): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    const { head } = upstream
    let rest = chunk
    if (this.#phase === ANSWER) this.#relay.vigils.answer.came()
    while (this.#phase !== BODY) {
      this.#ledger.answering()
      if (!head.read(rest)) return
      if (head.fault !== undefined) {
        this.#unsound(head.fault)
        return
      }
      rest = head.rest
      if (head.status >= 200) {
        this.#begin(upstream, rest)
        return
      }
      if (head.status === 101 || ++this.#interim > maxInterim) {
        const explanation = `The provider sent an interim answer that nobody asked for (${head.status}).`
        this.#providerFault(502, 'INTERIM', explanation)
        return
      }
      if (head.status !== 100 || this.#inbound.head.has(field.expect))
        this.#inbound.socket.write(head.rebuild(`HTTP/1.1 ${head.status} ${head.reason}\r\n`, ''))
      head.begin()
      if (rest.length === 0) return
    }
    this.#answerPiece(upstream, rest)
  }

  /** The head of the answer is there, with the beginning of its body. */
  #begin(upstream: UpstreamConnection, rest: Buffer): void {
    const { head, body } = upstream
    const { method, allowance } = this.#call
    const kind = head.responseBody(method)
    this.#kind = kind
    body.begin(kind, head.contentLength)
    const end = body.read(rest, 0)
    if (body.fault !== undefined) {
      this.#unsound(body.fault)
      return
    }
    this.#status = head.status
    // A request whose body is still on its way leaves a connection on which nothing can follow.
    this.#close = this.#mustClose() || !this.#inbound.body.done
    const piece = end === rest.length ? rest : rest.subarray(0, end)
    const after = allowance === undefined ? '' : rateHeaders(allowance)
    this.#phase = BODY
    const clean = end === rest.length
    const start = upstream.starts.of(head, kind, this.#close)
    if (!body.done && kind !== 'close') {
      // What follows within this turn of the event loop leaves with it in one write.
      const gathering = upstream.gather()
      this.#gathered(upstream, gathering.add(head.rebuild(start, after, piece, gathering.room()).length))
      this.#await(this.#relay.times.idle)
      return
    }
    const { drafts } = this.#relay
    const draft = drafts.take()
    const first = head.rebuild(start, after, kind === 'close' ? chunkOf(piece) : piece, draft)
    const written = () => drafts.give(draft)
    if (body.done) {
      this.#written = written
      this.#whole(upstream, first, clean)
    } else this.#progress(upstream, this.#inbound.socket.write(first, written))
  }

  #answerPiece(upstream: UpstreamConnection, chunk: Buffer): void {
    const { body } = upstream
    const end = body.read(chunk, 0)
    if (body.fault !== undefined) {
      this.#unsound(body.fault)
      return
    }
    if (this.#kind === 'close') {
      this.#progress(upstream, this.#inbound.socket.write(chunkOf(chunk)))
      return
    }
    const { gathering } = upstream
    if (gathering === undefined) throw new Error('A long answer is gathered')
    const room = gathering.add(end)
    if (body.done) {
      const last = gathering.take()
      this.#written = gathering.leave()
      upstream.gathering = undefined
      this.#whole(upstream, last, end === chunk.length)
    } else this.#gathered(upstream, room)
  }

  /** More has been gathered; it leaves at once when another record might find no `room`. */
  #gathered(upstream: UpstreamConnection, room: boolean): void {
    if (room) {
      if (!this.#gathers) {
        this.#gathers = true
        this.#relay.turn.add(this)
      }
      return
    }
    const { gathering } = upstream
    const piece = gathering?.take()
    if (piece !== undefined) this.#progress(upstream, this.#inbound.socket.write(piece, gathering?.leave()))
  }

  /** What has been gathered goes on its way, though there would be room for more. */
  turnEnded(): void {
    this.#gathers = false
    const upstream = this.#upstream
    const gathering = upstream?.gathering
    if (this.#phase !== BODY || upstream === undefined || gathering === undefined || gathering.waiting === 0) return
    this.#progress(upstream, this.#inbound.socket.write(gathering.take() as Buffer))
  }

  #progress(upstream: UpstreamConnection, flows: boolean): void {
    if (flows || this.#inbound.socket.writableLength < aheadBytes) this.#await(this.#relay.times.idle)
    else {
      upstream.socket.pause()
      this.#await(this.#relay.times.body)
    }
  }

  /** The answer has been read to its end: `last` is held back until the record is safe. */
  #whole(upstream: UpstreamConnection, last: Buffer | undefined, clean: boolean): void {
    const { body } = this.#inbound
    this.#ledger.answered()
    this.#ledger.bytesOut = upstream.body.bytes
    this.#upstream = undefined
    const reusable = clean && body.done && this.#kind !== 'close' && !upstream.head.close
    // The state of this exchange first: the released connection may serve the next one at once.
    this.#conclude('relayed', this.#status, last, undefined, this.#close || !body.done)
    upstream.release(reusable)
  }

  /** Gives back the buffer of the answer's last bytes, which wait for the audit. */
  #written: (() => void) | undefined = undefined

  ended(error: Error | undefined): void {
    const upstream = this.#upstream
    if (upstream === undefined || this.#phase === END) return
    if (this.#phase === BODY && error === undefined && upstream.body.close()) {
      this.#whole(upstream, lastChunk, false)
      return
    }
    const { silent } = this.#ledger
    if (
      silent &&
      upstream.used &&
      !this.#repeated &&
      this.#relay.config.repeatStale &&
      this.#call.method === 'GET' &&
      this.#inbound.head.body === 'none' &&
      this.#origin !== undefined
    ) {
      this.#repeated = true
      this.#upstream = undefined
      this.#phase = WAIT
      upstream.release(false)
      this.#take(this.#origin, nothing)
      return
    }
    const code = (error as (Error & { code?: string }) | undefined)?.code ?? 'CLOSED'
    const stage = this.#phase === BODY ? 'body' : silent ? 'silent' : 'head'
    this.#providerFault(502, code, closedExplanation(stage, error))
  }

  unreachable(problem: UpstreamProblem): void {
    this.#providerFault(
      problem.timeout ? 504 : 502,
      problem.code,
      `No connection to the provider (${problem.code}): ${problem.message} ${advice(problem.code)}`,
    )
  }

  #busy(why: string): void {
    this.#abandon()
    this.refuse(capacityRefusal(this.#call, why))
  }

  /** The provider failed: an error of our own while nothing has been said yet, a cut connection afterwards. */
  #providerFault(status: RefusalStatus, code: string, explanation: string): void {
    if (this.#phase === END) return
    const refusal = providerRefusal(this.#call, status, code, explanation, this.#status)
    if (this.#status === 0) {
      this.#abandon()
      this.#refuse('failed', refusal, false)
    } else this.#cut('failed', refusal)
  }

  #unsound(fault: Fault): void {
    this.#providerFault(502, 'HTTP', `The provider’s answer is not sound HTTP/1.1: ${fault.reason}`)
  }

  /** Answers with an error of our own. */
  refuse(refusal: Refusal, close = false): void {
    this.#refuse('refused', refusal, close)
  }

  #refuse(ending: Ending, refusal: Refusal, mustClose: boolean): void {
    const inbound = this.#inbound
    const call = this.#call
    const { head, body } = inbound
    const unread =
      !body.done &&
      (head.has(field.expect) || head.body === 'chunked' || body.left > discardBytes || ending === 'failed')
    const close = mustClose || this.#mustClose() || unread
    this.#conclude(ending, refusal.status, ownAnswer(this.#relay, call, head, refusal, close), refusal, close)
  }

  /** The answer has begun and cannot be finished: never let it look complete. */
  #cut(ending: Ending, refusal: Refusal): void {
    // What came before belongs to the consumer, who sees by it that the rest is missing.
    this.turnEnded()
    this.#ledger.bytesOut = this.#upstream?.body.bytes ?? 0
    this.#abandon()
    this.#phase = END
    this.#inbound.cut()
    this.#ledger.recordAlone(ending, refusal.status, this.#inbound.body.bytes, refusal)
  }

  /** The consumer has gone. */
  consumerLeft(why?: string): void {
    if (this.#phase === END) return
    this.#ledger.bytesOut = this.#upstream?.body.bytes ?? 0
    this.#abandon()
    this.#phase = END
    const refusal = why === undefined ? undefined : consumerRefusal(why)
    this.#ledger.recordAlone('consumer-left', 499, this.#inbound.body.bytes, refusal)
  }

  /** Leaves the provider's side: out of the queue, or off a connection that must not be used again. */
  #abandon(): void {
    this.#origin?.leave(this)
    const upstream = this.#upstream
    this.#upstream = undefined
    upstream?.release(false)
  }

  #mustClose(): boolean {
    return this.#inbound.head.close || this.#relay.closing()
  }

  /** A deadline of this exchange has passed. */
  expire(now: number): void {
    if (this.#phase === END) {
      // The audit does not answer: nothing may be said that is not on record.
      this.#inbound.cut()
      return
    }
    // While the request's body is still coming, the time is the consumer's: it is told below.
    if (now >= this.#totalAt && (this.#phase !== SEND || this.#stalled)) {
      this.#providerFault(504, 'TOTAL_TIMEOUT', 'The whole exchange took longer than proxy.totalSeconds.')
      return
    }
    if (this.#phase === WAIT) {
      this.#busy(queueExplanation(this.#origin?.limits.connections))
      return
    }
    if (this.#phase === SEND) {
      if (this.#stalled) {
        this.#providerFault(504, 'SEND_TIMEOUT', 'The provider stopped reading the request.')
        return
      }
      this.#abandon()
      this.refuse(bodyRefusal(this.#inbound.body.bytes), true)
      return
    }
    if (this.#phase === ANSWER) {
      this.#providerFault(504, 'ANSWER_TIMEOUT', 'The provider did not begin its answer within proxy.answerSeconds.')
      return
    }
    if (this.#upstream?.socket.isPaused() === true) {
      this.consumerLeft('The consumer stopped taking the answer for longer than proxy.bodySeconds.')
      this.#inbound.cut()
      return
    }
    this.#providerFault(
      504,
      'IDLE_TIMEOUT',
      'The provider paused within the body of its answer for longer than proxy.idleSeconds.',
    )
  }

  #conclude(
    ending: Ending,
    status: number,
    last: Buffer | undefined,
    refusal: Refusal | undefined,
    close: boolean,
  ): void {
    this.#phase = END
    const inbound = this.#inbound
    inbound.deadline = this.#relay.deadlines.now + this.#relay.times.body
    this.#ledger.record(ending, status, inbound.body.bytes, refusal).then(
      () => inbound.answered(last, close, this.#written),
      (error: unknown) => {
        this.#relay.log.error({ err: error }, 'a request could not be audited, so it is not answered')
        inbound.cut()
      },
    )
  }
}
