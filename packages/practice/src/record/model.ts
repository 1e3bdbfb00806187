/**
 * What a practice system stores: a practice with its switches, and one document per patient with the rows of
 * every clinical area. The schemas are the file format too: every object refuses keys it does not know.
 */
import { isAsid, isNhsNumber, isOdsCode } from '@openspine/standards/nhs'
import { z } from 'zod'
import { switchableAreas } from './areas.ts'
import {
  allergy,
  diaryEntry,
  emergencyCode,
  encounter,
  entry,
  immunisation,
  medication,
  observation,
  problem,
  referral,
} from './clinical.ts'
import { document } from './documents.ts'
import { day, label, line, opaqueId, rows } from './forms.ts'
import {
  address,
  communication,
  contact,
  healthcareService,
  location,
  parentOrganisation,
  personName,
  practitioner,
  registration,
  telecom,
} from './people.ts'
import { schedule } from './scheduling.ts'
import { type SectionCode, sectionCodes } from './sections.ts'
import { practiceService, servicePath, specificationVersion } from './services.ts'
import { investigation } from './structure.ts'

export type { Allergy, Issue, Medication, Problem } from './clinical.ts'
export type { Document } from './documents.ts'
export type {
  Address,
  Communication,
  Contact,
  HealthcareService,
  Location,
  PersonName,
  Practitioner,
  Registration,
  Telecom,
} from './people.ts'

const sectionCode = z.enum(sectionCodes as readonly [SectionCode, ...SectionCode[]])

export const patientRecord = z.strictObject({
  nhsNumber: z.string().refine(isNhsNumber, 'an NHS number with a right check digit'),
  /** Whether the number was traced and verified with the demographics service. */
  nhsNumberVerified: z.boolean().default(true),
  name: personName,
  gender: z.enum(['male', 'female', 'other', 'unknown']),
  birthDate: day,
  address: address.optional(),
  /** Where the patient stays for a while. */
  temporaryAddress: address.optional(),
  telecom: z.array(telecom).max(10).default([]),
  contacts: z.array(contact).max(20).default([]),
  communications: z.array(communication).max(10).default([]),
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
  /** Absent: a regular patient since `registrationDate`. */
  registration: registration.optional(),
  /** `id` of one of the practice's locations. */
  preferredBranch: opaqueId.optional(),
  /** The record of the former practice has not arrived yet; needs `registrationDate`. */
  inTransit: z.boolean().default(false),
  /** Data from elsewhere waits to be reviewed before it becomes part of the record. */
  awaitingFiling: z.boolean().default(false),
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
  documents: rows(document),
  investigations: rows(investigation),
  diaryEntries: rows(diaryEntry),
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
  /** Of the 0.x service (Access Record HTML); the services of the 1.x line stand under `services`. */
  serviceRoot: servicePath,
  specificationVersion: specificationVersion.default('0.7.4'),
  services: z.array(practiceService).max(10).default([]),
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
  /** Clinical areas that structured records leave out; a reader is told so. */
  disabledAreas: z.array(z.enum(switchableAreas)).max(20).default([]),
  practitioners: z.array(practitioner).max(1000).default([]),
  locations: z.array(location).max(1000).default([]),
  /** `id` of one of the locations. */
  mainLocation: opaqueId.optional(),
  partOf: parentOrganisation.optional(),
  healthcareServices: z.array(healthcareService).max(1000).default([]),
  /** Whether searches for slots may be narrowed down to a service (1.2.8). */
  serviceFiltering: z.boolean().default(false),
  schedules: z.array(schedule).max(2000).default([]),
})

/** A practice and its switches, with every default filled in. */
export type PracticeRecord = z.infer<typeof practiceRecord>
/** One patient's record, with every default filled in. */
export type PatientRecord = z.infer<typeof patientRecord>

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
