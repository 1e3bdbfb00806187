import type { Call } from '../call.ts'
import { type Ending, proxyRecord } from '../record.ts'
import type { Refusal } from '../refusal.ts'
import type { Relay } from './relay.ts'

/** Times and counts of one exchange, and the one audit record that is made of them. Milliseconds since the epoch; 0 is "not yet". */
export class Ledger {
  readonly #relay: Relay
  readonly #call: Call
  readonly #began: number
  #sentAt = 0
  #firstByteAt = 0
  #endedAt = 0
  /** Body bytes to the consumer. */
  bytesOut = 0

  constructor(relay: Relay, call: Call, began: number) {
    this.#relay = relay
    this.#call = call
    this.#began = began
  }

  /** The request has left for the provider, whole. */
  sent(): void {
    this.#sentAt = this.#relay.clock.now()
  }

  /** The first byte of the provider's answer came. */
  answering(): void {
    if (this.#firstByteAt === 0) this.#firstByteAt = this.#relay.clock.now()
  }

  /** The provider has not said a byte. */
  get silent(): boolean {
    return this.#firstByteAt === 0
  }

  /** The answer has been read to its end. */
  answered(): void {
    this.#endedAt = this.#relay.clock.now()
  }

  /** For endings after which nothing is said: nobody waits for the record. */
  recordAlone(ending: Ending, status: number, bytesIn: number, refusal: Refusal | undefined): void {
    this.record(ending, status, bytesIn, refusal).catch((error: unknown) =>
      this.#relay.log.error({ err: error }, 'a request could not be audited'),
    )
  }

  /** Resolves when the record is safe. */
  record(ending: Ending, status: number, bytesIn: number, refusal: Refusal | undefined): Promise<void> {
    const relay = this.#relay
    const now = this.#endedAt === 0 ? relay.clock.now() : this.#endedAt
    const departed = this.#sentAt === 0 ? this.#began : this.#sentAt
    const totalMs = now - this.#began
    relay.tally.ended(ending, status, totalMs, bytesIn, this.bytesOut)
    const exchange = {
      ending,
      status,
      bytesIn,
      bytesOut: this.bytesOut,
      totalMs,
      firstByteMs: this.#firstByteAt === 0 ? undefined : this.#firstByteAt - departed,
      providerMs: this.#firstByteAt === 0 ? undefined : now - departed,
    }
    try {
      return relay.audit.append(proxyRecord(relay.node, this.#began, this.#call, exchange, refusal))
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
