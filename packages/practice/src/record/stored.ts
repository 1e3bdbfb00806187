/** Reads stored records. */
import { setImmediate as turn } from 'node:timers/promises'
import type { z } from 'zod'
import { type PatientRecord, patientRecord } from './model.ts'

/** Rows that are read at a stretch. */
const stretch = 500

/**
 * A stored record through the schema, because one of an earlier release gains the defaults of this one. Others get their
 * turn between the stretches of a long one.
 */
export async function storedRecord(document: string): Promise<PatientRecord> {
  const value = JSON.parse(document) as Readonly<Record<string, unknown>>
  const long = Object.entries(value).filter(
    (member): member is [string, unknown[]] => Array.isArray(member[1]) && member[1].length > stretch,
  )
  if (long.length === 0) return patientRecord.parse(value)
  const rest = Object.fromEntries(Object.entries(value).filter(([name]) => !long.some(([other]) => other === name)))
  const read: Record<string, unknown> = patientRecord.parse(rest)
  const { shape } = patientRecord as { readonly shape: Readonly<Record<string, z.ZodType | undefined>> }
  for (const [name, rows] of long) {
    const all: unknown[] = []
    for (let from = 0; from < rows.length; from += stretch) {
      await turn()
      for (const row of (shape[name]?.parse(rows.slice(from, from + stretch)) ?? []) as unknown[]) all.push(row)
    }
    read[name] = all
  }
  return read as PatientRecord
}
