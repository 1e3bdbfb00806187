/** Which GP Connect services a practice runs: each has a base of its own, an ASID, and a version (§1, §13). */
import { isAsid } from '@openspine/standards/nhs'
import type { GpConnectCapability } from '@openspine/standards/nhs/interactions'
import { z } from 'zod'

/** Path of a service root; case-sensitive, no slash at its end. */
export const servicePath = z
  .string()
  .max(200)
  .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path such as /A20047/STU3/1/gpconnect, without a slash at its end')
  .refine((root) => !root.split('/').some((part) => part === '.' || part === '..'), 'a path without dot segments')

export const specificationVersion = z.string().regex(/^\d{1,3}(\.\d{1,3}){1,2}$/, 'a version such as 1.2.7')

/** The bases of the 1.x line: Foundations and Appointments share one (with Structured until 1.2); two have their own. */
export const bases = ['gpconnect', 'structured', 'documents'] as const

const capability = z.enum(['foundations', 'appointments', 'structuredRecord', 'documents'])

export const practiceService = z.strictObject({
  base: z.enum(bases),
  /** Each base is an endpoint of its own in the directory. */
  asid: z.string().refine(isAsid, 'an ASID: 12 digits'),
  serviceRoot: servicePath,
  specificationVersion: specificationVersion,
  /** Capabilities that are switched on; the others of the base answer 403. */
  on: z.array(capability).default([]),
})

/** Where a service answers: `html` is the one base of the 0.x line. */
export type Base = (typeof bases)[number] | 'html'
/** The line of the specification, which decides version of FHIR, token and error list. */
export type Generation = 'dstu2' | 'stu3'

/** One service of a practice. */
export interface Service {
  readonly base: Base
  readonly generation: Generation
  readonly asid: string
  readonly serviceRoot: string
  readonly specificationVersion: string
  readonly on: readonly GpConnectCapability[]
}

/** Every service of a practice, that of the 0.x line first. */
export function servicesOf(practice: {
  readonly asid: string
  readonly serviceRoot: string
  readonly specificationVersion: string
  readonly accessRecordHtml: boolean
  readonly services: readonly z.infer<typeof practiceService>[]
}): readonly Service[] {
  const { asid, serviceRoot, specificationVersion: version, accessRecordHtml, services } = practice
  return [
    {
      base: 'html',
      generation: 'dstu2',
      asid,
      serviceRoot,
      specificationVersion: version,
      on: accessRecordHtml ? ['accessRecordHtml'] : [],
    },
    ...services.map((service) => ({ ...service, generation: 'stu3' as const })),
  ]
}

/** Whether `version` is `least` or later, part by part: 1.2.10 is later than 1.2.8, and 1.2 is 1.2.0. */
export function isFrom(version: string, least: string): boolean {
  const [mine, theirs] = [version, least].map((text) => text.split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (mine?.[i] ?? 0) - (theirs?.[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
