/** Parts of rows that a structured record needs beyond the line that a table shows. */
import { z } from 'zod'
import { codes, day, label, line, moment, opaqueId, prose } from './forms.ts'

/** Which row it is, and who wrote it when. */
export const recorded = {
  /** Lasting and unique within the patient's record; absent: nothing refers to the row. */
  id: opaqueId.optional(),
  /** When it was entered; absent: on the day that it is about. */
  recordedDate: z.union([day, moment]).optional(),
  /** `id` of the practitioner who entered it. */
  recordedBy: opaqueId.optional(),
}

/** A meaning in words, and in codes where it was coded. */
export const codedText = z.strictObject({ text: line, codes })

export const quantity = z.strictObject({
  value: z.number(),
  comparator: z.enum(['<', '<=', '>=', '>']).optional(),
  unit: label,
  /** The unit in UCUM, where it has one. */
  ucum: label.optional(),
})

/** Absent bounds are open; what bounds cannot say is `text`. */
export const range = z
  .strictObject({
    low: z.number().optional(),
    high: z.number().optional(),
    unit: label.optional(),
    text: line.optional(),
  })
  .refine((value) => value.low !== undefined || value.high !== undefined || value.text !== undefined, 'an empty range')

/** Somebody outside the rows: a practitioner of the practice, an organisation, or a service by its name. */
export const party = z.union([
  z.strictObject({ practitioner: opaqueId }),
  z.strictObject({ organisation: z.strictObject({ odsCode: label.optional(), name: label }) }),
  z.strictObject({ service: z.strictObject({ name: label }) }),
])

/** When, by whom and with what words a report was put into the record. */
const filing = z.strictObject({ moment, by: opaqueId.optional(), comment: prose.optional() })

const result = z.strictObject({
  id: opaqueId.optional(),
  entry: line,
  codes,
  moment: moment.optional(),
  quantity: quantity.optional(),
  /** A value that is no quantity. */
  value: line.optional(),
  referenceRange: range.optional(),
  interpretation: codedText.optional(),
  comment: prose.optional(),
  /** `id` of one of the report's specimens. */
  specimen: opaqueId.optional(),
  filing: filing.optional(),
  confidential: z.boolean().optional(),
})

/** A report of an investigation with what was asked for, looked at and found. */
export const investigation = z.strictObject({
  ...recorded,
  /** When the laboratory issued it. */
  issued: moment,
  entry: line,
  confidential: z.boolean().optional(),
  status: z.enum(['final', 'preliminary', 'unknown']).default('final'),
  category: codedText.optional(),
  /** The laboratory's own number of the report. */
  reportNumber: label.optional(),
  performer: party.optional(),
  request: z
    .strictObject({
      entry: line,
      codes,
      /** `id` of the practitioner who asked for it. */
      requester: opaqueId.optional(),
      reason: codedText.optional(),
      note: prose.optional(),
    })
    .optional(),
  specimens: z
    .array(
      z.strictObject({
        id: opaqueId,
        accession: label.optional(),
        type: codedText.optional(),
        collected: moment.optional(),
        received: moment.optional(),
        collector: opaqueId.optional(),
        note: prose.optional(),
      }),
    )
    .max(50)
    .default([]),
  groups: z
    .array(
      z.strictObject({
        id: opaqueId.optional(),
        entry: line,
        codes,
        comment: prose.optional(),
        specimen: opaqueId.optional(),
        filing: filing.optional(),
        results: z.array(result).max(200).default([]),
      }),
    )
    .max(100)
    .default([]),
  /** Those that stand in no group. */
  results: z.array(result).max(200).default([]),
  conclusion: prose.optional(),
  filing: filing.optional(),
})

export type CodedText = z.infer<typeof codedText>
export type Quantity = z.infer<typeof quantity>
export type Range = z.infer<typeof range>
export type Party = z.infer<typeof party>
export type Investigation = z.infer<typeof investigation>
export type InvestigationResult = z.infer<typeof result>
export type InvestigationGroup = Investigation['groups'][number]
export type Filing = z.infer<typeof filing>
