import { rmSync } from 'node:fs'
import type { Store } from '../store/store.ts'
import type { AttestedHead, Notary } from './checkpoint.ts'
import { ingest } from './ingest.ts'
import { chainSeed } from './line.ts'
import { type FoundJournal, findJournals, openSegment, setAside } from './segment.ts'

/** What was found in the journal of a writer that is no more. */
export interface Recovery {
  readonly chain: string
  readonly records: number
  /** Lines that are no records. */
  readonly damaged: number
  readonly conflict: number | undefined
  readonly head: { readonly seq: number; readonly hash: string }
}

const groupBytes = 256 << 10

/**
 * Takes over the journals that dead writers left in the folder: their records go into the store, their chains are
 * closed by a checkpoint, their files removed (or kept as `*.damaged` where something was odd). `report` is
 * awaited before the files go. Safe when several processes do it at once, and when it is cut short.
 */
export async function recoverJournals(options: {
  readonly store: Store
  readonly notary: Notary
  readonly folder: string
  /** Not this one. */
  readonly own: string
  readonly now: number
  readonly report: (recovery: Recovery) => Promise<void>
}): Promise<void> {
  const { store, notary, folder, own, now, report } = options
  const { journals, empty } = await findJournals(folder, now)
  for (const path of empty) rmSync(path, { force: true })
  for (const journal of journals) {
    if (journal.alive || journal.chain === own) continue
    const recovery = await takeOver(store, notary, journal)
    await report(recovery)
    await notary.attest([{ chain: journal.chain, ...recovery.head, closed: true }])
    for (const { path } of journal.segments) {
      if (recovery.damaged > 0 || recovery.conflict !== undefined) setAside(path)
      else rmSync(path, { force: true })
    }
  }
}

async function takeOver(store: Store, notary: Notary, { chain, segments }: FoundJournal): Promise<Recovery> {
  let attested: AttestedHead | undefined = (await notary.openHeads()).get(chain)
  if (!attested) {
    attested = { chain, seq: 0, hash: chainSeed(chain) }
    await notary.attest([attested]) // a chain is announced before its first record enters the store
  }
  let head = { seq: attested.seq, hash: attested.hash }
  let records = 0
  let damaged = 0
  let conflict: number | undefined
  let group: Buffer[] = []
  let size = 0
  const send = async () => {
    if (group.length === 0) return
    const told = await ingest(store, chain, Buffer.concat(group.slice(1)))
    damaged += told.damaged
    conflict ??= told.conflict
    group = []
    size = 0
  }
  for (const segment of segments) {
    const open = await openSegment(segment)
    if (!open) continue // another process was faster
    try {
      if (!segment.header) damaged++
      else if (segment.header.after.seq > head.seq) head = segment.header.after
      for await (const { line, bytes, place } of open.lines()) {
        if (!line) {
          damaged++
          // It was acknowledged: the chain is closed at its place, so that verify misses it for ever.
          if (place > head.seq) head = { seq: place, hash: 'damaged' }
          continue
        }
        records++
        if (line.seq > head.seq) head = { seq: line.seq, hash: line.hash }
        group.push(newLine, bytes)
        size += bytes.length
        if (size >= groupBytes) await send()
      }
    } finally {
      await open.close()
    }
  }
  await send()
  return { chain, records, damaged, conflict, head: { seq: head.seq, hash: head.hash } }
}

const newLine = Buffer.of(10)
