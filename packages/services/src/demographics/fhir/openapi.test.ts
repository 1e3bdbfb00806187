import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeResource } from '@openspine/standards/fhir'
import { operationOf, searchChecks } from '../checks.ts'
import { demographicsConfig } from '../config.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { conforms, description, type Parameter, type Response, resolved } from './openapi.test-kit.ts'

const methods = ['get', 'post', 'put', 'patch', 'delete']
const operations = Object.entries(description.paths).flatMap(([path, of]) =>
  Object.entries(of).map(([method, operation]) => ({ path, method, operation })),
)

test('what is described is what is served, under the base path', () => {
  assert.equal(description.servers[0].url, demographicsConfig.parse({}).basePath)
  for (const [path, of] of Object.entries(description.paths)) {
    if (path === '/_ping' || path === '/_status') continue
    for (const method of methods) {
      const served = operationOf(method.toUpperCase(), path.replace('{id}', '9990548609'))
      assert.equal(method in of, served !== undefined && served.operation !== 'none', `${method} ${path}`)
    }
  }
  for (const path of ['/Patient', '/Patient/1', '/Patient/1/RelatedPerson', '/Coverage', '/_poll/1'])
    assert.ok(path.replace('1', '{id}') in description.paths, path)
})

test('every parameter of the search is described, and no other', () => {
  const names = (description.paths['/Patient']?.['get']?.parameters ?? [])
    .map((parameter) => resolved<Parameter>(parameter))
    .filter((parameter) => parameter.in === 'query')
    .map(({ name }) => name)
  const known = searchChecks.find(({ name }) => name === 'Parameters are known')
  assert.equal(known?.refusal(names.map((name) => [name, 'x'] as const)), undefined)
  assert.equal(names.length, 14)
})

/** One outcome for each entry of the catalogue. */
const catalogue: readonly PdsOutcome[] = Object.values(outcomes).map((entry) =>
  typeof entry === 'function' ? (entry as (...values: unknown[]) => PdsOutcome)(['x'], 'x') : entry,
)
const kind = ({ status, coding, issue, severity }: PdsOutcome) =>
  [status, coding.code, coding.display, issue, severity].join(' | ')

test('the catalogue has an example of every outcome, each as it goes over the wire', () => {
  const examples = Object.values(description.components.examples)
  const seen = new Set<string>()
  for (const { summary, value } of examples) {
    conforms({ $ref: '#/components/schemas/OperationOutcome' }, value)
    const [status, code] = summary.split(' ')
    const [issue] = (value as { issue: readonly [Record<string, never>] }).issue
    const { details } = issue as unknown as { details: { coding: readonly [{ code: string; display: string }] } }
    assert.equal(details.coding[0].code, code)
    seen.add([status, code, details.coding[0].display, issue['code'], issue['severity']].join(' | '))
  }
  for (const outcome of catalogue) {
    // These two name the method and the mode in their display.
    const told = kind(outcome).replace(/Cannot (x|create|update)/, 'Cannot $1')
    const found = [...seen].some(
      (one) => one === told || one.replace(/Cannot .* access token/, '') === told.replace(/Cannot .* access token/, ''),
    )
    assert.ok(found, told)
  }
  const fixed = Object.entries(outcomes).flatMap(([name, entry]) =>
    typeof entry === 'function' ? [] : [[name, entry] as const],
  )
  for (const [name, outcome] of fixed)
    assert.deepEqual(
      description.components.examples[name]?.value,
      JSON.parse(JSON.stringify(outcomeResource(outcome))),
      name,
    )
})

test('examples of bodies are as their schemas say, and every refusal has its example', () => {
  for (const { path, method, operation } of operations) {
    for (const { schema, examples = {} } of Object.values(operation.requestBody?.content ?? {}))
      for (const { value } of Object.values(examples)) conforms(schema, value, `${method} ${path}`)
    for (const [status, response] of Object.entries(operation.responses))
      for (const { examples = {} } of Object.values(resolved<Response>(response).content ?? {}))
        for (const example of Object.values(examples))
          assert.ok(
            resolved<{ summary: string }>(example as { summary: string }).summary.startsWith(status),
            `${method} ${path} ${status}`,
          )
  }
})
