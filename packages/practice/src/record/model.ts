/**
 * What a practice system stores: a practice with its switches, and one document per patient with the rows of
 * every clinical area. The schemas are the file format too: every object refuses keys it does not know.
 */
import { isAsid, isNhsNumber, isOdsCode } from '@openspine/standards/nhs'
import { isXmlText } from '@openspine/standards/xml'
import { z } from 'zod'
import { isDay } from './dates.ts'
import { type SectionCode, sectionCodes } from './sections.ts'

const line = z.string().min(1).max(1000)
/** Goes into FHIR elements as it is. */
const label = line.refine((text) => isXmlText(text) && !/[\r\n\t]/.test(text), 'one line without control characters')
/** Free text; line breaks are kept and shown as such. */
const prose = z.string().max(100_000)
const day = z.string().refine(isDay, 'a day that exists, as yyyy-mm-dd')
const opaqueId = z.string().regex(/^[A-Za-z0-9\-.]{1,64}$/, '1 to 64 letters, digits, hyphens and points')
const sectionCode = z.enum(sectionCodes as readonly [SectionCode, ...SectionCode[]])
/** What keeps a single item back from other organisations. */
const confidential = z.boolean().optional()

const personName = z.strictObject({
  family: label,
  given: z.array(label).max(10).default([]),
  prefix: z.array(label).max(5).default([]),
})

const address = z.strictObject({
  lines: z.array(label).max(5).default([]),
  city: label.optional(),
  district: label.optional(),
  postcode: label.optional(),
})

const telecom = z.strictObject({
  system: z.enum(['phone', 'fax', 'email']),
  value: label,
  use: z.enum(['home', 'work', 'temp', 'mobile']).default('home'),
})

const practitioner = z.strictObject({
  id: opaqueId,
  name: personName,
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  sdsUserId: label.optional(),
  role: z.strictObject({ code: label, display: label }).optional(),
})

const entry = z.strictObject({ date: day, entry: line, details: prose.optional(), confidential })

const allergy = z.strictObject({
  startDate: day.optional(),
  /** Absent: current. Present: historical. */
  endDate: day.optional(),
  details: prose.min(1),
  confidential,
})

const encounter = z.strictObject({ date: day, title: line, details: prose.optional(), confidential })

const immunisation = z.strictObject({
  date: day.optional(),
  vaccination: line,
  part: line.optional(),
  contents: line.optional(),
  details: prose.optional(),
  confidential,
})

const observation = z.strictObject({
  date: day,
  entry: line,
  value: line.optional(),
  range: line.optional(),
  details: prose.optional(),
  confidential,
})

const referral = z.strictObject({
  date: day,
  from: line.optional(),
  to: line,
  priority: line.optional(),
  details: prose.optional(),
  confidential,
})

const problem = z.strictObject({
  status: z.enum(['active', 'inactive']),
  startDate: day.optional(),
  endDate: day.optional(),
  entry: line,
  /** The system's own word, and where it stands: highest and middle are shown as major, lowest and none as other. */
  significance: z.strictObject({ text: line, level: z.enum(['highest', 'middle', 'lowest']) }).optional(),
  details: prose.optional(),
  confidential,
})

const issue = z.strictObject({
  date: day,
  /** Absent: as the medication says. */
  dosage: line.optional(),
  quantity: line.optional(),
  daysDuration: z.int().min(0).max(3660).optional(),
  information: z.array(prose).max(20).default([]),
})

const medication = z.strictObject({
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

const emergencyCode = z.strictObject({
  date: day,
  /** Looked up in the practice's list of emergency codes; not shown. */
  code: line,
  entry: line,
  details: prose.optional(),
  /** Where more is to be found: a section, a document, a person to telephone. */
  location: prose.optional(),
  confidential,
})

const rows = <Row extends z.ZodType>(row: Row) => z.array(row).max(20_000).default([])

export const patientRecord = z.strictObject({
  nhsNumber: z.string().refine(isNhsNumber, 'an NHS number with a right check digit'),
  /** Whether the number was traced and verified with the demographics service. */
  nhsNumberVerified: z.boolean().default(true),
  name: personName,
  gender: z.enum(['male', 'female', 'other', 'unknown']),
  birthDate: day,
  address: address.optional(),
  telecom: z.array(telecom).max(10).default([]),
  active: z.boolean().default(true),
  sensitive: z.boolean().default(false),
  deceasedDate: day.optional(),
  /** The patient's own leave to share the record. */
  consent: z.boolean().default(true),
  /** The practice does not share this record. */
  organisationDissent: z.boolean().default(false),
  /** ODS code of the nominated practice; absent: this one. */
  registeredAt: z.string().refine(isOdsCode, 'an ODS code').optional(),
  registrationDate: day.optional(),
  /** The record of the former practice has not arrived yet; needs `registrationDate`. */
  inTransit: z.boolean().default(false),
  /** `id` of one of the practice's practitioners. */
  usualGp: opaqueId.optional(),
  /** Sections to which access is denied for this patient. */
  deniedSections: z.array(sectionCode).max(10).default([]),
  encounters: rows(encounter),
  clinicalItems: rows(entry),
  adminItems: rows(entry),
  allergies: rows(allergy),
  immunisations: rows(immunisation),
  observations: rows(observation),
  referrals: rows(referral),
  problems: rows(problem),
  medications: rows(medication),
  emergencyCodes: rows(emergencyCode),
})

const sectionSettings = z.strictObject({
  /** `not-retrievable`: held, but not to be had this way; `not-supported`: the system has no such data. */
  availability: z.enum(['supported', 'not-retrievable', 'not-supported']).default('supported'),
  /** Months shown when no period is asked for; absent: everything. */
  defaultPeriodMonths: z.int().min(1).max(1200).optional(),
  /** A business rule that the reader must know. */
  contentBanner: line.optional(),
})

export const practiceRecord = z.strictObject({
  odsCode: z.string().refine(isOdsCode, 'an ODS code'),
  asid: z.string().refine(isAsid, 'an ASID: 12 digits'),
  name: label,
  address: address.default({ lines: [] }),
  telecom: z.array(telecom).max(10).default([]),
  /** Path of the service root; case-sensitive, no slash at its end. */
  serviceRoot: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path such as /A20047/DSTU2/1, without a slash at its end')
    .refine((root) => !root.split('/').some((part) => part === '.' || part === '..'), 'a path without dot segments'),
  specificationVersion: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3}){1,2}$/, 'a version such as 0.7.4')
    .default('0.7.4'),
  /** GP Connect as a whole; off until somebody switches it on. */
  gpConnect: z.boolean().default(false),
  /** The capability Access Record HTML. */
  accessRecordHtml: z.boolean().default(true),
  /** False: the organisation has not agreed to share. */
  shareRecords: z.boolean().default(true),
  /** Days after a death in which the record may still be read. */
  deceasedAccessDays: z.int().min(0).max(36_500).default(28),
  emergencyCodes: z
    .strictObject({
      on: z.boolean().default(false),
      banner: line.optional(),
      /** Of the codes that share a group only the latest entry is shown; without a group a code stands alone. */
      codes: z
        .array(z.strictObject({ code: line, group: line.optional() }))
        .max(5000)
        .default([]),
    })
    .default({ on: false, codes: [] }),
  /** Whether reviews may follow a diary entry other than the course's own review date. */
  reviewsByDiary: z.boolean().default(true),
  sections: z.partialRecord(sectionCode, sectionSettings).default({}),
  practitioners: z.array(practitioner).max(1000).default([]),
})

/** A practice and its switches, with every default filled in. */
export type PracticeRecord = z.infer<typeof practiceRecord>
/** One patient's record, with every default filled in. */
export type PatientRecord = z.infer<typeof patientRecord>
export type Practitioner = z.infer<typeof practitioner>
export type PersonName = z.infer<typeof personName>
export type Address = z.infer<typeof address>
export type Telecom = z.infer<typeof telecom>
export type Medication = z.infer<typeof medication>
export type Issue = z.infer<typeof issue>
export type Problem = z.infer<typeof problem>

export const practiceFile = z.strictObject({
  format: z.literal('openspine-practice-1'),
  practices: z
    .array(
      z.strictObject({
        ...practiceRecord.shape,
        /** True: patients of this practice that the file does not name are removed. */
        complete: z.boolean().default(false),
        patients: z.array(patientRecord).default([]),
      }),
    )
    .min(1)
    .max(10_000),
})

/** A practice file as one writes it: what has a default may be left out. */
export type PracticeFile = z.input<typeof practiceFile>
/** A practice file as it was read. */
export type ReadPracticeFile = z.infer<typeof practiceFile>
/** A patient as one writes it into a file. */
export type PatientInput = z.input<typeof patientRecord>
