/** What an area knows of the request and of the record when it builds its part of the bundle. */
import type { Reference } from '@openspine/standards/fhir'
import type { AreaName, SwitchableArea } from '../record/areas.ts'
import { type Day, dayAt } from '../record/dates.ts'
import type { PatientRecord } from '../record/model.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'
import type { AreaResult } from './area.ts'
import { type Identified, identified, uuidOf } from './identity.ts'
import type { Secondary } from './lists.ts'

export interface DocumentSource {
  /** Absolute root of the practice's service for documents, as the caller addresses it. */
  readonly url: string
  readonly limit: number
}

export interface Context {
  readonly held: StoredPractice
  readonly record: StoredPatient
  readonly patient: PatientRecord
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly today: Day
  /** Of the specification, as the service has it. */
  readonly version: string
  /** The patient, as resources refer to it. */
  readonly subject: { readonly reference: string }
  /** Who is named by that id; somebody unknown where nobody is: a record must not say of anyone what nobody wrote down. */
  practitioner(id: string | undefined): { readonly reference: string }
  readonly organization: Reference
  /** Where the content of documents is handed over, and up to how many octets; absent: this practice does not. */
  readonly documents?: DocumentSource | undefined
  disabled(area: SwitchableArea): boolean
  /** Every row of an area with its lasting id; see `identified`. */
  identified<Row extends { readonly id?: string | undefined }>(
    area: AreaName,
    rows: readonly Row[],
    key: (row: Row) => readonly (string | undefined)[],
  ): readonly Identified<Row>[]
  /** A lasting id of something that belongs to a row: its second resource, its n-th issue. */
  partOf(rowId: string, ...part: readonly string[]): string
  /** The rows that may be shared, and whether any may not. */
  shareable<Row extends { readonly confidential?: boolean | undefined }>(
    rows: readonly Identified<Row>[],
  ): { readonly shown: readonly Identified<Row>[]; readonly withheld: boolean }
  /**
   * The rows with these ids of all areas but the asking one, in secondary lists. Not for an area that is itself asked
   * for some rows `only`.
   */
  linked(ids: ReadonlySet<string>, within: Secondary, asking: AreaName): AreaResult
}

/** Stands for a person of whom a record only says that there was one. */
export const unknownPractitionerId = 'unknown-practitioner'

/** What is worked out of a whole record, and by several areas, is worked out once for each request. */
export function once<Value>(make: (context: Context) => Value): (context: Context) => Value {
  const made = new WeakMap<Context, { readonly value: Value }>()
  return (context) => {
    let known = made.get(context)
    if (known === undefined) {
      known = { value: make(context) }
      made.set(context, known)
    }
    return known.value
  }
}

export function contextOf(given: {
  readonly held: StoredPractice
  readonly record: StoredPatient
  readonly at: number
  readonly version: string
  /** Whether confidential items are part of the answer (§9.6). */
  readonly includeSensitive: boolean
  readonly documents?: DocumentSource | undefined
  readonly disabled: ReadonlySet<SwitchableArea>
  readonly linked: (context: Context, ...asked: Parameters<Context['linked']>) => AreaResult
}): Context {
  const { held, record, at, version, includeSensitive, documents, disabled, linked } = given
  const { practice } = held
  const { patient } = record
  const owner = [practice.odsCode, patient.nhsNumber]
  const parts = new Map<string, string>()
  const context: Context = {
    held,
    record,
    patient,
    at,
    today: dayAt(at),
    version,
    subject: { reference: `Patient/${record.id}` },
    organization: { reference: `Organization/${practice.odsCode}` },
    practitioner: (id) => ({ reference: `Practitioner/${id ?? unknownPractitionerId}` }),
    documents,
    disabled: (area) => disabled.has(area),
    identified: (area, rows, key) => identified(rows, [...owner, area], key),
    partOf(rowId, ...part) {
      const name = JSON.stringify([...owner, rowId, ...part])
      let id = parts.get(name)
      if (id === undefined) {
        id = uuidOf(name)
        parts.set(name, id)
      }
      return id
    },
    shareable(rows) {
      if (includeSensitive) return { shown: rows, withheld: false }
      const shown = rows.filter(({ row }) => row.confidential !== true)
      return { shown, withheld: shown.length < rows.length }
    },
    linked: (...asked) => linked(context, ...asked),
  }
  return context
}
