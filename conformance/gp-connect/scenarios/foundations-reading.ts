/** Reading answers without trust in their shape. */
import assert from 'node:assert/strict'
import type { AnyResource } from '@openspine/standards/fhir'
import { type Answered, resourcesOf } from '../ask.ts'

export type Json = Readonly<Record<string, unknown>>

/** The objects of a list; none where there is no list. */
export const objectsIn = (value: unknown): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [])

export function firstResource(answered: Answered): AnyResource {
  const [resource] = resourcesOf(answered.resource)
  assert.ok(resource, answered.text.slice(0, 300))
  return resource
}
