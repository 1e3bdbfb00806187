import type { Clock } from '@openspine/platform/clock'

/** Something that must not wait for ever. */
export interface Expiring {
  /** Milliseconds since the epoch; Infinity while nothing is awaited. */
  deadline: number
  expire(now: number): void
}

/**
 * A coarse clock: one timer for all deadlines of the proxy, instead of one timer for each request.
 * `now` is as old as one tick at most; deadlines fire up to one tick late.
 */
export class Deadlines {
  now: number
  readonly tickMs: number
  readonly #clock: Clock
  readonly #all = new Set<Expiring>()
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock
    this.tickMs = tickMs
    this.now = clock.now()
  }

  start(onTick: () => void): void {
    this.#timer ??= setInterval(() => {
      this.tick()
      onTick()
    }, this.tickMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  tick(): void {
    const now = this.#clock.now()
    this.now = now
    for (const one of this.#all) if (one.deadline <= now) one.expire(now)
  }

  add(one: Expiring): void {
    this.#all.add(one)
  }

  delete(one: Expiring): void {
    this.#all.delete(one)
  }
}
