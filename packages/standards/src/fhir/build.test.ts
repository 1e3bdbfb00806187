import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bundle, type FhirOutcome, operationOutcome, outcomeResource, searchset } from './build.ts'
import { dstu2 } from './dstu2.ts'
import { r4 } from './r4.ts'
import { stu3 } from './stu3.ts'

const outcome: FhirOutcome = {
  status: 400,
  severity: 'error',
  issue: 'value',
  coding: { system: 'urn:codes', code: 'INVALID_NHS_NUMBER', display: 'Invalid NHS number' },
  diagnostics: 'the identifier \u0000 is wrong',
}

test('an OperationOutcome says what it was given, in every version and both formats', () => {
  const resource = outcomeResource(outcome, { profile: 'urn:profile', id: '1' })
  assert.deepEqual(resource, {
    resourceType: 'OperationOutcome',
    id: '1',
    meta: { profile: ['urn:profile'] },
    issue: [
      {
        severity: 'error',
        code: 'value',
        details: { coding: [{ system: 'urn:codes', code: 'INVALID_NHS_NUMBER', display: 'Invalid NHS number' }] },
        diagnostics: 'the identifier \ufffd is wrong',
      },
    ],
  })
  for (const codec of [dstu2, stu3, r4]) {
    assert.deepEqual(codec.check(resource), [])
    assert.deepEqual(codec.fromXml(codec.toXml(resource)), resource)
    assert.deepEqual(codec.fromJson(codec.toJson(resource)), resource)
  }
})

test('what is not given is not there', () => {
  const resource = operationOutcome({ severity: 'fatal', issue: 'processing', system: 'urn:s', code: 'X', text: 'why' })
  assert.equal(
    JSON.stringify(resource),
    '{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"processing","details":{"coding":[{"system":"urn:s","code":"X"}],"text":"why"}}]}',
  )
})

test('a searchset counts its matches and has no empty list', () => {
  assert.deepEqual(searchset([]), { resourceType: 'Bundle', type: 'searchset', total: 0 })
  const patient = { resourceType: 'Patient', id: 'p' }
  assert.deepEqual(searchset([patient], { id: 'b', links: [{ relation: 'self', url: 'urn:x' }] }), {
    resourceType: 'Bundle',
    id: 'b',
    type: 'searchset',
    total: 1,
    link: [{ relation: 'self', url: 'urn:x' }],
    entry: [{ resource: patient }],
  })
  const entries = [
    { resource: patient, search: { mode: 'match' } },
    { resource: patient, search: { mode: 'include' } },
  ]
  assert.equal(bundle({ type: 'searchset', entries }).total, 1)
  assert.equal(bundle({ type: 'searchset', entries, total: 40 }).total, 40)
  assert.equal('total' in bundle({ type: 'collection', entries }), false)
})
