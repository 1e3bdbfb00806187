/** A structured record as an order that can go to another thread: all that it is made of, and nothing that acts. */
import type { FhirFormat } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { rowKinds } from '../record/links.ts'
import type { PatientRecord } from '../record/model.ts'
import { areas, registry } from './areas.ts'
import { type RecordRequest, structuredRecord } from './bundle.ts'

/** Rows of a record above which it is written beside the thread that answers: below, the way there costs more. */
export const longRecordRows = 1000

export const isLong = (patient: PatientRecord): boolean =>
  rowKinds.reduce((sum, kind) => sum + patient[kind].length, 0) > longRecordRows

/** As JSON: a text goes to another thread in a fraction of the time that its values would take. */
export function recordOrder(request: RecordRequest, format: FhirFormat): string {
  const { queries, disabled, ...rest } = request
  return JSON.stringify({
    ...rest,
    format,
    disabled: [...disabled],
    queries: queries.map(({ area, query: { asked } }) => ({ area: area.name, asked })),
  })
}

type Order = Omit<RecordRequest, 'queries' | 'disabled'> & {
  readonly format: FhirFormat
  readonly disabled: readonly string[]
  readonly queries: readonly { readonly area: string; readonly asked: readonly Readonly<Record<string, never>>[] }[]
}

/** The octets of the record that was ordered. */
export function writtenRecord(order: string): Uint8Array<ArrayBuffer> {
  const { format, disabled, queries, ...rest } = JSON.parse(order) as Order
  const resource = structuredRecord(
    {
      ...rest,
      disabled: new Set(disabled) as RecordRequest['disabled'],
      queries: queries.map(({ area: name, asked }) => {
        const area = areas.find((one) => one.name === name)
        if (area === undefined) throw new Error('an area that is not known was ordered')
        return { area, query: { asked } }
      }),
    },
    registry,
  )
  return new TextEncoder().encode(stu3.write(format, resource))
}
