/** People and places of a practice: names, addresses, practitioners. */
import { z } from 'zod'
import { label, opaqueId } from './forms.ts'

export const personName = z.strictObject({
  family: label,
  given: z.array(label).max(10).default([]),
  prefix: z.array(label).max(5).default([]),
})

export const address = z.strictObject({
  lines: z.array(label).max(5).default([]),
  city: label.optional(),
  district: label.optional(),
  postcode: label.optional(),
})

export const telecom = z.strictObject({
  system: z.enum(['phone', 'fax', 'email']),
  value: label,
  use: z.enum(['home', 'work', 'temp', 'mobile']).default('home'),
})

export const practitioner = z.strictObject({
  id: opaqueId,
  name: personName,
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  sdsUserId: label.optional(),
  role: z.strictObject({ code: label, display: label }).optional(),
})

export type Practitioner = z.infer<typeof practitioner>
export type PersonName = z.infer<typeof personName>
export type Address = z.infer<typeof address>
export type Telecom = z.infer<typeof telecom>
