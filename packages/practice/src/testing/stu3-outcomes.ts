/** Reads answers of the 1.x line back, and what they refuse with. */
import assert from 'node:assert/strict'
import type { AnyResource } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { Answer } from '../answer.ts'

/** The resource of an answer, which must be whole and never stored. */
export function resourceOf({ headers, body }: Answer): AnyResource {
  assert.equal(headers['cache-control'], 'no-store')
  const resource = stu3.read(headers['content-type']?.includes('xml') ? 'xml' : 'json', body)
  assert.deepEqual(stu3.check(resource), [])
  return resource
}

/** Resources of a searchset, which must be one of the 1.x line. */
export function matchesOf(answered: Answer): readonly AnyResource[] {
  const bundle = resourceOf(answered)
  assert.equal(answered.status, 200, answered.body)
  assert.equal(bundle.resourceType, 'Bundle')
  assert.equal(bundle['type'], 'searchset')
  const entries = (bundle['entry'] ?? []) as { fullUrl?: string; resource: AnyResource }[]
  return entries.map(({ fullUrl, resource }) => {
    assert.equal(fullUrl, undefined)
    return resource
  })
}

/** Status, issue code and code of a refusal, written as §5.1 has it. */
export function refusalOf(answered: Answer): string {
  const outcome = resourceOf(answered)
  assert.equal(outcome.resourceType, 'OperationOutcome')
  assert.deepEqual(outcome.meta, {
    profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-OperationOutcome-1'],
  })
  const [issue, ...more] = outcome['issue'] as {
    severity: string
    code: string
    diagnostics: string
    details: { coding: { system: string; code: string; display: string }[] }
  }[]
  assert.deepEqual(more, [])
  assert.equal(issue?.severity, 'error')
  assert.ok(issue.diagnostics)
  const [coding, ...others] = issue.details.coding
  assert.deepEqual(others, [])
  assert.equal(coding?.system, 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1')
  assert.ok(coding.display)
  return `${answered.status} ${coding.code} (${issue.code})`
}
