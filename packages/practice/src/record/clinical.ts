/** The rows of the clinical areas of a record. */
import { z } from 'zod'
import { confidential, day, line, prose } from './forms.ts'

export const entry = z.strictObject({ date: day, entry: line, details: prose.optional(), confidential })

export const allergy = z.strictObject({
  startDate: day.optional(),
  /** Absent: current. Present: historical. */
  endDate: day.optional(),
  details: prose.min(1),
  confidential,
})

export const encounter = z.strictObject({ date: day, title: line, details: prose.optional(), confidential })

export const immunisation = z.strictObject({
  date: day.optional(),
  vaccination: line,
  part: line.optional(),
  contents: line.optional(),
  details: prose.optional(),
  confidential,
})

export const observation = z.strictObject({
  date: day,
  entry: line,
  value: line.optional(),
  range: line.optional(),
  details: prose.optional(),
  confidential,
})

export const referral = z.strictObject({
  date: day,
  from: line.optional(),
  to: line,
  priority: line.optional(),
  details: prose.optional(),
  confidential,
})

export const problem = z.strictObject({
  status: z.enum(['active', 'inactive']),
  startDate: day.optional(),
  endDate: day.optional(),
  entry: line,
  /** The system's own word, and where it stands: highest and middle are shown as major, lowest and none as other. */
  significance: z.strictObject({ text: line, level: z.enum(['highest', 'middle', 'lowest']) }).optional(),
  details: prose.optional(),
  confidential,
})

export const issue = z.strictObject({
  date: day,
  /** Absent: as the medication says. */
  dosage: line.optional(),
  quantity: line.optional(),
  daysDuration: z.int().min(0).max(3660).optional(),
  information: z.array(prose).max(20).default([]),
})

export const medication = z.strictObject({
  type: z.enum(['acute', 'repeat', 'repeat-dispense']),
  item: line,
  dosage: line,
  quantity: line.optional(),
  /** The day it was entered into the record. */
  recordedDate: day,
  startDate: day.optional(),
  /** Acute only: the later day from which the prescription may be dispensed. */
  postDate: day.optional(),
  /** Prescribed by another organisation; `startDate` is then the expected start. */
  elsewhere: z.strictObject({ agency: line.optional() }).optional(),
  scheduledEndDate: day.optional(),
  daysDuration: z.int().min(0).max(3660).optional(),
  reviewDate: day.optional(),
  maxIssues: z.int().min(0).max(1000).optional(),
  /** How it ended; `clinician` is an act of a clinician, `expiry` and `administrative` are not. */
  ended: z
    .strictObject({ date: day, by: z.enum(['clinician', 'expiry', 'administrative']), reason: line.optional() })
    .optional(),
  controlledDrug: z.boolean().default(false),
  information: z.array(prose).max(20).default([]),
  issues: z.array(issue).max(2000).default([]),
  confidential,
})

export const emergencyCode = z.strictObject({
  date: day,
  /** Looked up in the practice's list of emergency codes; not shown. */
  code: line,
  entry: line,
  details: prose.optional(),
  /** Where more is to be found: a section, a document, a person to telephone. */
  location: prose.optional(),
  confidential,
})

export type Medication = z.infer<typeof medication>
export type Issue = z.infer<typeof issue>
export type Problem = z.infer<typeof problem>
