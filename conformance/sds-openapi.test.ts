import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { sdsOutcomes } from '@openspine/services/directory'
import { accreditedSystem, put, samples, structured } from '@openspine/services/directory/testing'
import { base, interaction, manufacturer, organization, partyKey, startApi, type TestApi } from './sds-api.ts'

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly enum?: readonly string[]
  readonly pattern?: string
}

interface Documented {
  readonly parameters: readonly { readonly $ref?: string; readonly name: string; readonly in: string }[]
  readonly responses: Readonly<
    Record<
      string,
      { readonly headers?: object; readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }
    >
  >
}

const document = JSON.parse(
  readFileSync(new URL('../packages/services/src/directory/fhir/openapi.yaml', import.meta.url), 'utf8').replace(
    /^#.*\n/,
    '',
  ),
) as {
  readonly servers: readonly [{ readonly url: string }]
  readonly paths: Readonly<Record<string, { readonly get: Documented }>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly parameters: Readonly<Record<string, { readonly name: string; readonly in: string }>>
  }
}

/** Where a value is not as the schema says; members that the schema does not name are faults too. */
function faults(value: unknown, schema: Schema, at = '$'): string[] {
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[schema.$ref.split('/').at(-1) ?? '']
    assert.ok(named !== undefined, schema.$ref)
    return faults(value, named, at)
  }
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: no object`]
      const members = Object.entries(value)
      const missing = (schema.required ?? []).filter((name) => !(name in value)).map((name) => `${at}.${name}: missing`)
      if (schema.properties === undefined) return missing
      return [
        ...missing,
        ...members.flatMap(([name, member]) => {
          const of = schema.properties?.[name]
          // Extensions carry their value under one of many names.
          if (of === undefined) return /extension/i.test(at) ? [] : [`${at}.${name}: not documented`]
          return faults(member, of, `${at}.${name}`)
        }),
      ]
    }
    case 'array':
      if (!Array.isArray(value) || schema.items === undefined) return [`${at}: no list`]
      return value.flatMap((member, index) => faults(member, schema.items as Schema, `${at}[${index}]`))
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at}: no integer`]
    default:
      if (typeof value !== 'string') return [`${at}: no string`]
      if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: ${value} is not listed`]
      return schema.pattern === undefined || new RegExp(schema.pattern).test(value) ? [] : [`${at}: ${value}`]
  }
}

const clock = manualClock('2026-11-25T12:00:00Z')
let sandbox: TestApi
let strict: TestApi

before(async () => {
  sandbox = await startApi({ platform: { clock }, directory: { staleSeconds: 3600 } })
  const { store, trust, audit } = sandbox.platform
  strict = await startApi({ platform: { profile: 'strict', store, trust, audit }, gateway: { spikePerSecond: 1 } })
  const twice = put(
    accreditedSystem({
      asid: '200000100909',
      odsCode: 'X26',
      partyKey: 'X26-850009',
      interactions: ['urn:nhs:names:services:twice:X'],
      more: { nhsAsClient: ['X26', 'A99968'] },
    }),
  )
  await sandbox.directory.contract.apply([...samples, twice], 'test')
})
after(async () => {
  await strict.close()
  await sandbox.close()
})

test('every documented path answers as documented, with every status that can be brought about', async () => {
  assert.equal(document.servers[0].url, base)
  const [ods, ia, pk] = [organization('A99968'), interaction(structured), partyKey('A99968-850000')]
  const { application, key } = await strict.gateway.contract.create('App', 'test')
  const status = await strict.gateway.contract.newKey(application.id, 'status', 'test')
  const asked: Record<string, readonly (readonly [TestApi, string, Parameters<TestApi['ask']>[1]?])[]> = {
    '/Device': [
      [sandbox, `?${ods}&${ia}&${pk}&${manufacturer('YY001')}`],
      [sandbox, `?${ods}&${ia}`, { headers: { accept: 'application/json' } }],
      [sandbox, `?${ods}`],
      [sandbox, `?${ods}&${ia}`, { headers: { accept: 'text/html' } }],
      [sandbox, '', { method: 'DELETE' }],
      [sandbox, '/x'],
      [sandbox, `?${organization('X26')}&${interaction('urn:nhs:names:services:twice:X')}`],
      [strict, ''],
      [strict, '', { headers: { apikey: key.secret } }],
      [strict, '', { headers: { apikey: key.secret } }],
    ],
    '/Endpoint': [
      [sandbox, `?${ods}&${ia}`],
      [sandbox, `?${ia}&${pk}`],
      [sandbox, `?${ods}&${interaction('none')}`],
      [sandbox, '?x=1'],
      [sandbox, `?${ods}&${ia}`, { headers: { accept: 'text/html' } }],
      [sandbox, '', { method: 'PUT' }],
      [sandbox, '/x'],
      [strict, ''],
    ],
    '/_ping': [[strict, '']],
    '/_status': [
      [strict, ''],
      [strict, '', { headers: { apikey: status.secret } }],
    ],
    '/healthcheck': [[strict, '']],
    '/healthcheck/deep': [[strict, '']],
  }
  assert.deepEqual(Object.keys(asked).sort(), Object.keys(document.paths).sort())
  const seen = new Set<string>()
  for (const [path, requests] of Object.entries(asked))
    for (const [api, more, options] of requests) {
      const answer = await api.ask(base + path + more, options)
      const documented = document.paths[path]?.get.responses[answer.status]
      assert.ok(documented !== undefined, `${path}${more}: ${answer.status} is not documented`)
      seen.add(`${path} ${answer.status}`)
      for (const name of Object.keys(documented.headers ?? {}))
        assert.ok(answer.headers[name.toLowerCase()] !== undefined, `${path}${more}: ${name}`)
      if (documented.content === undefined) {
        assert.equal(answer.text, '')
        continue
      }
      const type = String(answer.headers['content-type']).split(';')[0] ?? ''
      const content = documented.content[type]
      assert.ok(content !== undefined, `${path}${more}: ${type} is not documented`)
      assert.deepEqual(faults(answer.json(), content.schema), [], `${path}${more}`)
    }
  clock.advance(3_601_000)
  seen.add(`/Device ${(await sandbox.ask(`${base}/Device?${ods}&${ia}`)).status}`)
  for (const each of ['200', '400', '401', '404', '405', '406', '429', '500'])
    assert.ok(seen.has(`/Device ${each}`), each)
})

test('the documented parameters are those that are known, and the statuses those of the outcomes', () => {
  const names = (path: string, place: string) =>
    document.paths[path]?.get.parameters
      .map(({ $ref, ...own }) =>
        $ref === undefined ? own : document.components.parameters[$ref.split('/').at(-1) ?? ''],
      )
      .filter((each) => each?.in === place)
      .map((each) => each?.name)
  assert.deepEqual(names('/Device', 'query'), ['organization', 'identifier', 'manufacturing-organization'])
  assert.deepEqual(names('/Endpoint', 'query'), ['organization', 'identifier'])
  assert.deepEqual(names('/Device', 'header'), ['apikey', 'X-Correlation-ID', 'X-Request-ID', 'Accept'])
  const statuses = Object.values(sdsOutcomes).flatMap((each) =>
    typeof each === 'function' ? [] : [String(each.status)],
  )
  for (const path of ['/Device', '/Endpoint'])
    for (const status of statuses) assert.ok(status in (document.paths[path]?.get.responses ?? {}), `${path} ${status}`)
})
