/** Elements that the resources of a structured record share. */

import type { CodeableConcept, Identifier } from '@openspine/standards/fhir'
import { isUuid } from '@openspine/standards/nhs'
import { replaceIllegal } from '@openspine/standards/xml'
import type { Coding } from '../record/forms.ts'
import { codeSystem, definition, systems } from '../stu3/systems.ts'
import type { Context } from './context.ts'

/** URL of an extension of the CareConnect GPC profiles. */
export const careConnect = (name: string): string => definition(`Extension-CareConnect-GPC-${name}-1`)

/** `meta` of a resource of a CareConnect GPC profile: a structured record has no versions (§9.2). */
export const profiled = (name: string) => ({ profile: [definition(`CareConnect-GPC-${name}-1`)] })

export function snomed(code: string, display: string): CodeableConcept {
  return { coding: [{ system: systems.snomed, code, display }] }
}

/** One code of a code system of the CareConnect and GP Connect profiles. */
export function coded(system: string, code: string, display: string): CodeableConcept {
  return { coding: [{ system: codeSystem(system), code, display }] }
}

/** What is known as text alone has a code that says so: the text was not understood when it was transferred. */
export const degraded = {
  drugAllergy: { code: '196461000000101', display: 'Transfer-degraded drug allergy' },
  otherAllergy: { code: '196471000000108', display: 'Transfer-degraded non-drug allergy' },
  medication: { code: '196421000000109', display: 'Transfer-degraded medication entry' },
  plan: { code: '196451000000104', display: 'Transfer-degraded plan' },
  referral: { code: '196431000000106', display: 'Transfer-degraded referral' },
  other: { code: '196411000000103', display: 'Transfer-degraded record entry' },
} as const

/** The codes of a row with its words; without codes, the one that says so. */
export function concept(codes: readonly Coding[], text: string, without: keyof typeof degraded): CodeableConcept {
  const words = legible(text)
  return { coding: codes.length > 0 ? codes : [{ system: systems.snomed, ...degraded[without] }], text: words }
}

/** Free text as FHIR can carry it. */
export const legible = (text: string): string => replaceIllegal(text)

/**
 * Identifiers in the namespace of this provider, the same in every answer. A given id is unique within its record only:
 * it becomes one that no other record has.
 */
export function identifier(id: string, context: Context): readonly Identifier[] {
  return [{ system: 'urn:openspine:record-item', value: isUuid(id) ? id : context.partOf(id, 'identifier') }]
}
