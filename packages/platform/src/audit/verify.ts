import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import type { AuditVerdict } from './audit.ts'
import {
  type AttestedHead,
  keysInFolder,
  lastKnownCheckpoint,
  readCheckpoint,
  type TrustedKeys,
  trustedKeys,
} from './checkpoint.ts'
import { type AuditLine, chainSeed, lineText, recordHash } from './line.ts'
import { type OpenJournal, openJournals } from './segment.ts'
import { checkpointsAfter, hasTables, recordsAfter } from './store.ts'

/** In a verdict, the "chain" of the checkpoints themselves. */
export const checkpointChain = 'checkpoint'

/** Records and checkpoints are read in pages that hold up the event loop for some three milliseconds each. */
const recordPage = 500
const checkpointPage = 30

type Finding = Extract<AuditVerdict, { readonly ok: false }>

export interface VerifyOptions {
  readonly store: Store
  readonly journalDir: string
  readonly clock: Clock
  /** One or more PEM public keys; only these are trusted then, instead of those in the folder. */
  readonly publicKey?: string
  /** Told the number of records from time to time. */
  readonly progress?: (records: number) => void
}

/**
 * Recomputes every chain, in the store and on into the journals of this folder, and holds it against the signed
 * checkpoints. Needs no writer, and writes nothing. Names the first bad entry of the first bad chain: changed, removed,
 * reordered or added records, a chain that is gone or was never announced, a tail cut off, and checkpoints that were
 * changed or removed (as chain `checkpoint`).
 */
export async function verifyAudit(options: VerifyOptions): Promise<AuditVerdict> {
  const { store, journalDir, clock, progress } = options
  const keys = options.publicKey === undefined ? keysInFolder(journalDir) : trustedKeys(options.publicKey)
  const known = lastKnownCheckpoint(journalDir)
  // Held open first, so that nothing slips from the journal into the store unseen between the two readings.
  const journals = await openJournals(journalDir, clock.now())
  try {
    const there = await hasTables(store)
    const attested = new Attestations(store, keys, known?.seq)
    const badCheckpoint = there ? await attested.readOn() : undefined
    if (badCheckpoint) return badCheckpoint
    if (known && attested.hashOfWatched !== known.hash)
      return finding(
        checkpointChain,
        Math.min(attested.last + 1, known.seq),
        attested.last < known.seq
          ? `removed: this machine has seen checkpoint ${known.seq}, the store ends at ${attested.last}`
          : 'changed: this machine has seen another checkpoint of that number',
      )
    const walk = new Walk(attested, progress)
    const bad = (there ? await walk.stored(store) : undefined) ?? (await walk.finish(journals))
    if (bad) return bad
    const removed = attested.heads().find(({ chain, seq }) => seq > 0 && !walk.seen.has(chain))
    if (removed) return finding(removed.chain, 1, `removed: the whole chain of ${removed.seq} attested records is gone`)
    // A chain is announced before its first record, perhaps while we were reading.
    const late = there ? await attested.readOn() : undefined
    if (late) return late
    for (const chain of walk.inStore)
      if (!attested.head(chain)) return finding(chain, 1, 'added: no checkpoint announces this chain')
    progress?.(walk.records)
    return { ok: true, chains: walk.seen.size, records: walk.records }
  } finally {
    for (const { segments } of journals) for (const segment of segments) await segment.close()
  }
}

/** The heads of all checkpoints together, and the checks of the checkpoints' own chain. */
class Attestations {
  readonly #store: Store
  readonly #keys: TrustedKeys
  readonly #heads = new Map<string, AttestedHead>()
  readonly #watched: number | undefined
  #lastHash = ''
  last = 0
  /** Hash of the checkpoint that this machine has seen last. */
  hashOfWatched: string | undefined

  constructor(store: Store, keys: TrustedKeys, watched: number | undefined) {
    this.#store = store
    this.#watched = watched
    this.#keys = keys
  }

  /** Reads the checkpoints that have come since. */
  async readOn(): Promise<Finding | undefined> {
    for (;;) {
      const rows = await checkpointsAfter(this.#store, this.last, checkpointPage)
      for (const row of rows) {
        if (row.seq !== this.last + 1)
          return finding(checkpointChain, this.last + 1, 'removed: the checkpoint is missing')
        const body = readCheckpoint(row, this.#keys)
        if (typeof body === 'string') return finding(checkpointChain, row.seq, `changed: ${body}`)
        if (body.previous !== this.#lastHash)
          return finding(checkpointChain, row.seq, 'changed: the checkpoint does not follow from the one before')
        for (const head of body.heads) {
          const earlier = this.#heads.get(head.chain)
          if (!earlier || head.seq >= earlier.seq)
            this.#heads.set(head.chain, earlier?.closed ? { ...head, closed: true } : head)
        }
        this.last = row.seq
        this.#lastHash = row.hash
        if (row.seq === this.#watched) this.hashOfWatched = row.hash
      }
      if (rows.length < checkpointPage) return undefined
    }
  }

  head(chain: string): AttestedHead | undefined {
    return this.#heads.get(chain)
  }

  heads(): readonly AttestedHead[] {
    return [...this.#heads.values()]
  }

  /** Every attested place of one chain: needed only to narrow down where a consistently rewritten chain departs. */
  async placesOf(chain: string): Promise<ReadonlyMap<number, string>> {
    const places = new Map<number, string>()
    for (let after = 0; after < this.last; ) {
      const rows = await checkpointsAfter(this.#store, after, checkpointPage)
      if (rows.length === 0) break
      for (const row of rows) {
        after = row.seq
        const body = readCheckpoint(row, this.#keys)
        if (typeof body === 'string') continue
        for (const head of body.heads) if (head.chain === chain) places.set(head.seq, head.hash)
      }
    }
    return places
  }
}

/** Follows chains record by record. */
class Walk {
  readonly #attested: Attestations
  readonly #progress: ((records: number) => void) | undefined
  /** How far each chain is good. */
  readonly seen = new Map<string, { seq: number; hash: string }>()
  readonly inStore = new Set<string>()
  records = 0
  #store: Store | undefined

  constructor(attested: Attestations, progress: ((records: number) => void) | undefined) {
    this.#attested = attested
    this.#progress = progress
  }

  async stored(store: Store): Promise<Finding | undefined> {
    this.#store = store
    let after = { chain: '', seq: 0 }
    for (;;) {
      const page = await recordsAfter(store, after, recordPage)
      for (const line of page) {
        const bad = await this.#step(line.chain, line)
        if (bad) return bad
        this.inStore.add(line.chain)
      }
      this.#progress?.(this.records)
      const last = page.at(-1)
      if (!last || page.length < recordPage) return undefined
      after = { chain: last.chain, seq: last.seq }
    }
  }

  /** Goes on into the journals, then looks for cut tails. */
  async finish(journals: readonly OpenJournal[]): Promise<Finding | undefined> {
    for (const { chain, segments } of journals)
      for (const segment of segments)
        for await (const { line, place } of segment.lines()) {
          if (place <= (this.seen.get(chain)?.seq ?? 0)) continue // in the store already, and good there
          const bad = line
            ? await this.#step(chain, line)
            : finding(chain, place, 'damaged: the journal holds no readable record in this place')
          if (bad) return bad
        }
    for (const [chain, { seq }] of this.seen) {
      const head = this.#attested.head(chain)
      if (head && seq < head.seq)
        return finding(chain, seq + 1, `removed: the chain ends at ${seq}, a checkpoint attests ${head.seq}`)
    }
    return undefined
  }

  async #step(chain: string, line: AuditLine): Promise<Finding | undefined> {
    const before = this.seen.get(chain) ?? { seq: 0, hash: chainSeed(chain) }
    const expected = before.seq + 1
    if (line.seq !== expected) return finding(chain, expected, `removed or damaged: record ${line.seq} comes next`)
    if (recordHash(before.hash, lineText(line)) !== line.hash)
      return finding(chain, line.seq, 'changed: its hash does not follow from its content and the record before')
    const head = this.#attested.head(chain)
    if (head?.closed && line.seq > head.seq)
      return finding(chain, line.seq, `added: the chain was closed at ${head.seq}`)
    if (head?.seq === line.seq && head.hash !== line.hash) return this.#departure(chain, head)
    this.seen.set(chain, { seq: line.seq, hash: line.hash })
    this.records++
    return undefined
  }

  /** The chain is consistent in itself, but not the one that was attested. */
  async #departure(chain: string, head: AttestedHead): Promise<Finding> {
    const places = await this.#attested.placesOf(chain)
    let good = 0
    for (let after = { chain, seq: 0 }; this.#store && after.seq < head.seq; ) {
      const page = await recordsAfter(this.#store, after, recordPage)
      for (const line of page) {
        const hash = line.chain === chain ? places.get(line.seq) : undefined
        if (hash === undefined) continue
        if (hash !== line.hash)
          return finding(
            chain,
            good + 1,
            `changed: rewritten between ${good + 1} and ${line.seq}, against a checkpoint`,
          )
        good = line.seq
      }
      const last = page.at(-1)
      if (!last) break
      after = { chain: last.chain, seq: last.seq }
    }
    return finding(chain, good + 1, `changed: rewritten between ${good + 1} and ${head.seq}, against a checkpoint`)
  }
}

function finding(chain: string, seq: number, reason: string): Finding {
  return { ok: false, chain, seq, reason }
}
