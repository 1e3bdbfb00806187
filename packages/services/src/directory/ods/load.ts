import { readCsv } from '@openspine/standards/csv'
import { isSpineError } from '@openspine/standards/error'
import type { Directory, DirectoryEntry } from '../contract.ts'
import { inventedOrganisation } from './invented.ts'
import { type FileType, organisationOfRow } from './organisation-file.ts'

/** An organisation on its way into the directory. */
export interface Arriving {
  /** Row of the file, or number of the invented organisation, from 1. */
  readonly row: number
  readonly entry: DirectoryEntry
}

export interface RejectedRow {
  readonly row: number
  readonly reason: string
}

export interface LoadedOrganisations {
  /** Rows that are in the directory now, those that were there already among them. */
  readonly accepted: number
  /** Changes that the directory made of them: none for what was there already. */
  readonly changed: number
  readonly rejected: number
  /** The first thousand. */
  readonly rejections: readonly RejectedRow[]
}

const batchSize = 1_000
const mostRejections = 1_000

/** Rows of a public ODS file: those that can be organisations, and why the others cannot. */
export async function* organisationsOfCsv(
  pieces: Iterable<string> | AsyncIterable<string>,
  fileType: FileType,
): AsyncGenerator<Arriving | RejectedRow> {
  for await (const { line, fields } of readCsv(pieces)) {
    const reading = organisationOfRow(fields, fileType)
    yield 'entry' in reading ? { row: line, entry: reading.entry } : { row: line, reason: reading.rejected }
  }
}

/** Invented organisations, the same for the same seed. */
export function* inventedOrganisations(seed: number, count: number): Generator<Arriving> {
  for (let index = 0; index < count; index++) yield { row: index + 1, entry: inventedOrganisation(seed, index) }
}

/**
 * Brings organisations into the directory in batches, each committed as a whole. What is there already changes
 * nothing, so a load that was cut off is simply run again. A row that the directory refuses is left out and reported.
 */
export async function loadOrganisations(
  directory: Pick<Directory, 'apply' | 'snapshot'>,
  rows: Iterable<Arriving | RejectedRow> | AsyncIterable<Arriving | RejectedRow>,
  by: string,
  progress: (rows: number) => void = () => {},
): Promise<LoadedOrganisations> {
  const rejections: RejectedRow[] = []
  let rejected = 0
  let accepted = 0
  let seen = 0
  let changed = 0
  const reject = (row: RejectedRow) => {
    rejected++
    if (rejections.length < mostRejections) rejections.push(row)
  }
  const write = async (batch: readonly Arriving[]) => {
    for (let left = [...batch]; left.length > 0; ) {
      try {
        const before = directory.snapshot().version
        const changes = left.map(({ entry }) => ({ kind: 'put' as const, entry }))
        const { version } = await directory.apply(changes, by, { imported: true })
        changed += version - before
        accepted += left.length
        return
      } catch (error) {
        const at = refusedAt(error)
        const refused = at === undefined ? undefined : left[at]
        if (refused === undefined) throw error
        reject({ row: refused.row, reason: error instanceof Error ? error.message : String(error) })
        left = left.filter((each) => each !== refused)
      }
    }
  }
  let batch: Arriving[] = []
  for await (const row of rows) {
    seen++
    if ('reason' in row) reject(row)
    else batch.push(row)
    if (batch.length < batchSize) continue
    await write(batch)
    batch = []
    progress(seen)
  }
  await write(batch)
  progress(seen)
  return { accepted, changed, rejected, rejections }
}

/** Place of the change that the directory refused. */
function refusedAt(error: unknown): number | undefined {
  if (!isSpineError(error) || !error.code.startsWith('DIRECTORY_')) return undefined
  const { change } = error.outcome as { readonly change?: unknown }
  return typeof change === 'number' ? change : undefined
}
