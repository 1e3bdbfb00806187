/** Ids of the rows of a record: those that the record gives, otherwise made of what a row says (§9.3, §9.4). */
import { hash } from 'node:crypto'

/** Of this provider: names are made within it (RFC 9562 §5.5). */
const namespace = Buffer.from('6f5c0d1be3a94b6f8d0a4c1f2e7b9a35', 'hex')

/** A UUID of version 5: the same name always gives the same one. */
export const namedUuid = (...name: readonly string[]): string => uuidOf(JSON.stringify(name))

/** As `namedUuid`, of the name as JSON. */
export function uuidOf(name: string): string {
  const digest = hash('sha1', Buffer.concat([namespace, Buffer.from(name)]), 'buffer')
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80
  const hex = digest.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export interface Identified<Row> {
  readonly row: Row
  readonly id: string
}

/**
 * Every row with its id. `key` is what makes a row itself, whatever else about it changes later; rows with the same key
 * are told apart by their order. All rows of an area must be given, also those that are not shown.
 */
export function identified<Row extends { readonly id?: string | undefined }>(
  rows: readonly Row[],
  owner: readonly string[],
  key: (row: Row) => readonly (string | undefined)[],
): readonly Identified<Row>[] {
  const seen = new Map<string, number>()
  return rows.map((row) => {
    if (row.id !== undefined) return { row, id: row.id }
    const content = JSON.stringify(key(row).map((part) => part ?? ''))
    const nth = seen.get(content) ?? 0
    seen.set(content, nth + 1)
    return { row, id: namedUuid(...owner, content, String(nth)) }
  })
}
