/** The rows of the clinical areas of a record. */
import { z } from 'zod'
import { codes, coding, confidential, day, label, line, moment, opaqueId, prose } from './forms.ts'
import { codedText, party, quantity, range, recorded } from './structure.ts'

/** What a measurement, a finding or a note may have beside its line in a table. */
const observed = {
  ...recorded,
  codes,
  /** More exactly than `date`; of the same day. */
  moment: moment.optional(),
  /** `id` of the practitioner who made the observation. */
  performer: opaqueId.optional(),
  quantity: quantity.optional(),
  referenceRange: range.optional(),
  interpretation: codedText.optional(),
  /** The parts of a reading that has several, such as a blood pressure. */
  components: z
    .array(
      z.strictObject({
        codes,
        entry: line,
        quantity: quantity.optional(),
        referenceRange: range.optional(),
        interpretation: codedText.optional(),
      }),
    )
    .max(20)
    .default([]),
  /** `id`s of the items that this one is the header of. */
  members: z.array(opaqueId).max(100).default([]),
  /** A decision about immunisation rather than an immunisation. */
  immunisationStatus: z.enum(['consent', 'dissent']).optional(),
}

export const entry = z.strictObject({ date: day, entry: line, details: prose.optional(), confidential, ...observed })

export const allergy = z.strictObject({
  ...recorded,
  codes,
  startDate: day.optional(),
  /** Absent: current. Present: historical. */
  endDate: day.optional(),
  reasonEnded: label.optional(),
  details: prose.min(1),
  /** `environment`: anything that is not a drug. */
  category: z.enum(['medication', 'environment']).default('medication'),
  /** `id` of the practitioner who says so. */
  assertedBy: opaqueId.optional(),
  reaction: z
    .strictObject({
      /** Absent: not known. */
      manifestation: coding.optional(),
      severity: z.enum(['mild', 'moderate', 'severe']).optional(),
      description: label.optional(),
      exposureRoute: coding.optional(),
    })
    .optional(),
  lifeThreatening: z.boolean().default(false),
  confidential,
})

/** One entry of a consultation: the `id` of another row of this record, or the words that were written. */
const consultationItem = z.union([z.strictObject({ item: opaqueId }), z.strictObject({ text: prose.min(1) })])
const consultationItems = z.array(consultationItem).max(1000).default([])

export const encounter = z.strictObject({
  date: day,
  title: line,
  details: prose.optional(),
  confidential,
  ...recorded,
  /** What kind of consultation it was. */
  codes,
  start: moment.optional(),
  end: moment.optional(),
  /** Saved, but not finished. */
  draft: z.boolean().optional(),
  /** `id` of the practitioner who consulted, where it is not `recordedBy`. */
  practitioner: opaqueId.optional(),
  /** `id`s of others who were there. */
  participants: z.array(opaqueId).max(20).default([]),
  /** `id` of one of the practice's locations. */
  location: opaqueId.optional(),
  /** What was dealt with; none: `details` are all that was written. */
  topics: z
    .array(
      z.strictObject({
        title: label.optional(),
        /** `id`s of the problems that it was about. */
        problems: z.array(opaqueId).max(50).default([]),
        /** Either headings with their items, or items alone. */
        headings: z
          .array(z.strictObject({ title: label.optional(), items: consultationItems }))
          .max(100)
          .default([]),
        items: consultationItems,
      }),
    )
    .max(100)
    .default([]),
})

export const immunisation = z.strictObject({
  date: day.optional(),
  vaccination: line,
  part: line.optional(),
  contents: line.optional(),
  details: prose.optional(),
  confidential,
  ...recorded,
  /** The procedure. */
  codes,
  /** The product; none: it is not known. */
  product: codes,
  /** Intended, and not done. */
  notGiven: z.boolean().default(false),
  /** Why it was given, or was not. */
  reason: codedText.optional(),
  /** False: told by somebody who did not give it. */
  primarySource: z.boolean().default(true),
  reportOrigin: codedText.optional(),
  /** `id` of the practitioner who gave it. */
  administeredBy: opaqueId.optional(),
  /** `id` of one of the practice's locations. */
  location: opaqueId.optional(),
  manufacturer: party.optional(),
  lot: label.optional(),
  expiry: day.optional(),
  site: codedText.optional(),
  route: codedText.optional(),
  dose: quantity.optional(),
  /** Which of the series it was, and against what. */
  protocol: z
    .strictObject({
      sequence: z.int().min(1).max(100),
      doses: z.int().min(1).max(100).optional(),
      description: label.optional(),
      targetDiseases: z.array(codedText).min(1).max(20),
    })
    .optional(),
  parentPresent: z.boolean().optional(),
})

export const observation = z.strictObject({
  date: day,
  entry: line,
  value: line.optional(),
  range: line.optional(),
  details: prose.optional(),
  confidential,
  ...observed,
})

export const referral = z.strictObject({
  date: day,
  from: line.optional(),
  to: line,
  priority: line.optional(),
  details: prose.optional(),
  confidential,
  ...recorded,
  /** Why the patient was referred. */
  codes,
  /** `id` of the practitioner who decided it. */
  requester: opaqueId.optional(),
  /** `priority` as the e-Referral Service has it; `asap` is its two week wait. */
  urgency: z.enum(['routine', 'urgent', 'asap']).optional(),
  /** Those of whom more is known than `to`. */
  recipients: z.array(party).max(10).default([]),
  specialty: codedText.optional(),
  /** Booking reference number of the e-Referral Service. */
  bookingReference: label.optional(),
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
  ...recorded,
  codes,
  /** `id` of the item that was made a problem. */
  actualProblem: opaqueId.optional(),
  /** `id`s of items and consultations that tell more about it. */
  related: z.array(opaqueId).max(2000).default([]),
  /** What this problem is to others. The other side may be left out: it follows. */
  relatedProblems: z
    .array(z.strictObject({ problem: opaqueId, is: z.enum(['parent', 'child', 'sibling']) }))
    .max(100)
    .default([]),
})

/** Something to be done about the patient on a later day. */
export const diaryEntry = z.strictObject({
  /** The day it is planned for; absent: none was set. */
  date: day.optional(),
  entry: line,
  details: prose.optional(),
  confidential,
  ...recorded,
  /** The day it was written. */
  recordedDate: z.union([day, moment]),
  codes,
  reason: codedText.optional(),
  /** Done or given up: no longer shown. */
  completed: z.boolean().default(false),
})

/** A quantity as a number, beside the words for it. */
const supply = z.strictObject({ value: z.number().min(0).max(1_000_000), unit: label }).optional()

export const issue = z.strictObject({
  id: opaqueId.optional(),
  date: day,
  /** Absent: as the medication says. */
  dosage: line.optional(),
  quantity: line.optional(),
  supply,
  daysDuration: z.int().min(0).max(3660).optional(),
  /** `id` of the practitioner who issued it; absent: as the medication says. */
  prescriber: opaqueId.optional(),
  information: z.array(prose).max(20).default([]),
})

export const medication = z.strictObject({
  ...recorded,
  codes,
  type: z.enum(['acute', 'repeat', 'repeat-dispense']),
  /** Acute only: what kind of prescription, where it is not the usual one. */
  acuteKind: z.enum(['delayed-prescribing', 'acute-handwritten']).optional(),
  item: line,
  dosage: line,
  /** For the patient, beyond the dosage. */
  patientInstruction: label.optional(),
  quantity: line.optional(),
  supply,
  /** `id` of the practitioner who prescribes it. */
  prescriber: opaqueId.optional(),
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
  /** Repeats only: the day on which the authorisation runs out. */
  expiryDate: day.optional(),
  /** How it ended; `clinician` is an act of a clinician, `expiry` and `administrative` are not. */
  ended: z
    .strictObject({
      date: day,
      by: z.enum(['clinician', 'expiry', 'administrative']),
      reason: line.optional(),
      codes,
    })
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

export type Allergy = z.infer<typeof allergy>
export type Medication = z.infer<typeof medication>
export type Issue = z.infer<typeof issue>
export type Problem = z.infer<typeof problem>
export type Encounter = z.infer<typeof encounter>
export type ConsultationItem = z.infer<typeof consultationItem>
/** A row of uncategorised data: an entry, or one with a value. */
export type Observed = z.infer<typeof entry> & Pick<z.infer<typeof observation>, 'value' | 'range'>
export type Immunisation = z.infer<typeof immunisation>
export type Referral = z.infer<typeof referral>
export type DiaryEntry = z.infer<typeof diaryEntry>
