/** People and places of a practice: names, addresses, practitioners. */
import { isOdsCode } from '@openspine/standards/nhs'
import { z } from 'zod'
import { coding, day, label, moment, opaqueId } from './forms.ts'

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

/** A code and what it means, in the one code system that the element has. */
const coded = z.strictObject({ code: label, display: label })

/** How somebody wishes to be spoken with (§8.2, NHSCommunication). */
export const communication = z.strictObject({
  /** Of CareConnect-HumanLanguage, for example `en`. */
  language: coded,
  preferred: z.boolean().optional(),
  mode: coded.optional(),
  proficiency: coded.optional(),
  interpreterRequired: z.boolean().optional(),
})

/** Somebody to turn to for a patient. */
export const contact = z.strictObject({
  relationship: label,
  name: personName.optional(),
  telecom: z.array(telecom).max(10).default([]),
  address: address.optional(),
})

/** How a patient is registered: the words for the codes of CareConnect-RegistrationType. */
export const registrationTypes = [
  'regular',
  'temporary',
  'emergency',
  'immediately-necessary',
  'private',
  'other',
  'synthetic',
] as const

export const registration = z.strictObject({
  type: z.enum(registrationTypes).default('regular'),
  period: z.strictObject({ start: z.union([day, moment]).optional(), end: z.union([day, moment]).optional() }),
})

/** One site of a practice. */
export const location = z.strictObject({
  id: opaqueId,
  odsSiteCode: label.optional(),
  name: label,
  address: address.optional(),
  telecom: z.array(telecom).max(10).default([]),
  type: coding.optional(),
  physicalType: coding.optional(),
  /** `id` of the location that this one is a part of. */
  partOf: opaqueId.optional(),
})

/** A service that a practice offers appointments for (1.2.8 and later). */
export const healthcareService = z.strictObject({
  id: opaqueId,
  /** As the Directory of Services has it. */
  dosServiceId: label.optional(),
  name: label,
  comment: label.optional(),
  type: coding.optional(),
  telecom: z.array(telecom).max(10).default([]),
  /** `id`s of the locations where it is given. */
  locations: z.array(opaqueId).max(100).default([]),
})

/** An organisation that a practice belongs to. */
export const parentOrganisation = z.strictObject({
  odsCode: z.string().refine(isOdsCode, 'an ODS code'),
  name: label,
  address: address.optional(),
  telecom: z.array(telecom).max(10).default([]),
})

export const practitioner = z.strictObject({
  id: opaqueId,
  name: personName,
  gender: z.enum(['male', 'female', 'other', 'unknown']).optional(),
  sdsUserId: label.optional(),
  /** One for each role that the practitioner has in the national directory. */
  roleProfileIds: z.array(label).max(20).default([]),
  gmpNumber: label.optional(),
  role: coded.optional(),
  communications: z.array(communication).max(10).default([]),
})

export type Practitioner = z.infer<typeof practitioner>
export type PersonName = z.infer<typeof personName>
export type Address = z.infer<typeof address>
export type Telecom = z.infer<typeof telecom>
export type Communication = z.infer<typeof communication>
export type Contact = z.infer<typeof contact>
export type Registration = z.infer<typeof registration>
export type Location = z.infer<typeof location>
export type HealthcareService = z.infer<typeof healthcareService>
