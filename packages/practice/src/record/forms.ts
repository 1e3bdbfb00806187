/** Forms of the single values of a record, as its schemas use them. */
import { isXmlText } from '@openspine/standards/xml'
import { z } from 'zod'
import { isDay } from './dates.ts'

export const line = z.string().min(1).max(1000)
/** Goes into FHIR elements as it is. */
export const label = line.refine(
  (text) => isXmlText(text) && !/[\r\n\t]/.test(text),
  'one line without control characters',
)
/** Free text; line breaks are kept and shown as such. */
export const prose = z.string().max(100_000)
export const day = z.string().refine(isDay, 'a day that exists, as yyyy-mm-dd')
export const opaqueId = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/, '1 to 64 letters, digits, hyphens and points')
/** What keeps a single item back from other organisations. */
export const confidential = z.boolean().optional()

/** One code of a terminology. */
export const coding = z.strictObject({
  system: z.string().regex(/^(https?:|urn:)\S{1,200}$/, 'a URI'),
  code: label,
  display: label,
})
/** The same meaning in one or more terminologies, the preferred one first; empty: the text alone is known. */
export const codes = z.array(coding).max(10).default([])

/** A moment with seconds and zone, as FHIR writes it. */
export const moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$/, 'a dateTime with seconds and zone')
  .refine((text) => isDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text)), 'a moment that exists')

/** A list of rows that may be left out. */
export const rows = <Row extends z.ZodType>(row: Row) => z.array(row).max(20_000).default([])

export type Coding = z.infer<typeof coding>
