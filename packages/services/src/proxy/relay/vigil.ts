/** Most occasions that are let go after one that brought nothing. */
const mostLetGo = 1024

/**
 * Waits awake for what mostly comes within microseconds: the answer of a provider near by, the next request of a busy
 * consumer. Going to sleep and being woken takes longer than that, most of all in a virtual machine, and the consumer
 * waits for it. A short watch is kept and then given up. When a watch has brought nothing, the next ones are let go, twice
 * as many each time: providers that take milliseconds, as most do, cost one watch in a thousand requests.
 */
export class Vigil {
  readonly #ms: number
  readonly #now: () => number
  readonly #later: (look: () => void) => void
  #until = 0
  #watching = false
  #came = false
  #letGo = 0
  #afterMiss = 1
  readonly #look = (): void => {
    if (this.#now() < this.#until) {
      this.#later(this.#look)
      return
    }
    this.#watching = false
    if (this.#came) this.#afterMiss = 1
    else {
      this.#letGo = this.#afterMiss
      this.#afterMiss = Math.min(2 * this.#afterMiss, mostLetGo)
    }
  }

  /** `ms` is how long a watch lasts, in milliseconds; 0 for none. */
  constructor(
    ms: number,
    now: () => number = () => performance.now(),
    later: (look: () => void) => void = (look) => void setImmediate(look),
  ) {
    this.#ms = ms
    this.#now = now
    this.#later = later
  }

  /** From now on something is waited for. */
  begin(): void {
    if (this.#ms === 0) return
    if (this.#letGo > 0) {
      this.#letGo--
      return
    }
    this.#until = this.#now() + this.#ms
    if (this.#watching) return
    this.#watching = true
    this.#came = false
    this.#later(this.#look)
  }

  /** Something has come. */
  came(): void {
    this.#came = true
  }
}
