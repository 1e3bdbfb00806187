import { randomBytes, randomUUID } from 'node:crypto'

/** Where time comes from. Injected, so that five days of expiry are tested in milliseconds. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number
}

/** Where randomness comes from. */
export interface Random {
  /** A random (version 4) UUID in lower case. */
  uuid(): string
  bytes(length: number): Buffer
}

export const systemClock: Clock = { now: () => Date.now() }

export const systemRandom: Random = { uuid: () => randomUUID(), bytes: (length) => randomBytes(length) }

/** A clock that stands still until it is told to move: for tests. */
export function manualClock(
  start: number | string,
): Clock & { advance(ms: number): void; set(at: number | string): void } {
  const parse = (at: number | string) => (typeof at === 'number' ? at : Date.parse(at))
  let now = parse(start)
  return {
    now: () => now,
    advance(ms) {
      now += ms
    },
    set(at) {
      now = parse(at)
    },
  }
}
