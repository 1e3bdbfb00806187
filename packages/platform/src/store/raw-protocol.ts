import type { PGlite } from '@electric-sql/pglite'

/** Room for answers that is kept between them. */
const kept = 1 << 20

/**
 * Runs whole frontend messages on the engine and answers its bytes, as they are; they are the caller's to keep.
 * PGlite's own `execProtocolRawSync` does so too, but without a listener it also parses each answer and keeps every
 * row of it for as long as the engine lives. Throws what the engine throws, and when this version of PGlite does not
 * run the messages within the call.
 */
export function rawProtocol(db: PGlite): (messages: Uint8Array) => Uint8Array {
  let room = Buffer.allocUnsafeSlow(kept)
  let at = 0
  let ran = false
  const failures: unknown[] = []
  const run = db.execProtocolRawSync.bind(db)
  // The streaming call reports failures in a promise, too late for its caller here: they are noted on their way.
  db.execProtocolRawSync = (messages) => {
    ran = true
    try {
      return run(messages)
    } catch (error) {
      failures.push(error)
      return none
    }
  }
  const collect = { syncToFs: false, onRawData: take }

  /** A view of the engine's memory: copied. */
  function take(bytes: Uint8Array): void {
    if (at + bytes.length > room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(room.length * 2, at + bytes.length))
      room.copy(larger, 0, 0, at)
      room = larger
    }
    room.set(bytes, at)
    at += bytes.length
  }

  return (messages) => {
    at = 0
    ran = false
    failures.length = 0
    void db.execProtocolRawStream(messages, collect)
    if (!ran) throw new Error('the engine did not run the messages at once')
    if (failures.length > 0) throw failures[0]
    const answer = Uint8Array.from(room.subarray(0, at))
    if (room.length > kept) room = Buffer.allocUnsafeSlow(kept)
    return answer
  }
}

const none = new Uint8Array(0)
