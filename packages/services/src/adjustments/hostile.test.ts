import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import {
  type Asked,
  bases,
  directHeaders,
  type Headers,
  numbers,
  query,
  roleId,
  sent,
  startAdjustments,
} from './testing.ts'

let service: Awaited<ReturnType<typeof startAdjustments>>
before(async () => {
  service = await startAdjustments()
  const made = await service.ask(to('gateway', 'POST', '/Consent', sent.consent(numbers.one)))
  assert.equal(made.status, 201, made.text)
})
after(() => service.close())

type Face = keyof typeof bases

function to(face: Face, method: Asked['method'], path: string, body?: unknown, more: Headers = {}): Asked {
  const now = Math.floor(service.clock.now() / 1000)
  const type = path.includes('Consent') ? 'Consent' : 'Flag'
  const how = method === 'GET' ? 'read' : 'write'
  const headers =
    face === 'direct'
      ? directHeaders(`${type}.${how}`, `user/${type}.${how}`, now)
      : { 'x-request-id': randomUUID(), 'nhsd-session-urid': roleId }
  const url = `${bases[face]}${path}`
  return {
    ...(method === undefined ? {} : { method }),
    url,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }), ...more },
    ...(body === undefined ? {} : { body }),
  }
}

/** Whatever came: refused with an OperationOutcome that tells nothing of the inside. */
async function refused(asked: Asked): Promise<void> {
  const { status, text } = await service.ask(asked)
  const about = `${asked.method} ${asked.url.slice(0, 120)} ${text.slice(0, 400)}`
  assert.ok((status >= 400 && status < 500) || status === 501, `${status} ${about}`)
  const { resourceType, issue } = JSON.parse(text)
  assert.deepEqual([resourceType, issue.length], ['OperationOutcome', 1], about)
  assert.doesNotMatch(text, / at .*\.ts:|node_modules|select |insert /, about)
}

const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
const bodies: readonly string[] = [
  '',
  ' ',
  'null',
  '1',
  '[]',
  '"x"',
  '{"resourceType":null}',
  '{"resourceType":["Flag"]}',
  '{"resourceType":"Flag","extension":{"url":"x"}}',
  '{"resourceType":"Flag","extension":[null]}',
  '{"resourceType":"Flag","contained":[{"resourceType":"Flag"}],"code":{"coding":[null]}}',
  '{"__proto__":{"resourceType":"Flag"}}',
  '{"resourceType":"Flag","constructor":{"x":1}}',
  '{"resourceType":"List","contained":[{"resourceType":"Condition","id":"a"},{"resourceType":"Condition","id":"a"}]}',
  '{"resourceType":"Bundle","type":"transaction","entry":[{}]}',
  '{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Bundle","type":"transaction"}}]}',
  '\ufeff{}',
  '{"resourceType":"Flag","status":"\\ud800"}',
  '{"resourceType":"Flag",}',
  deep,
  `{"resourceType":"Flag","status":"${'x'.repeat(2 << 20)}"}`,
]

test('bodies that are none', async () => {
  for (const body of bodies) {
    for (const path of ['/Consent', '/Flag', '/List', '/UnderlyingConditionList'])
      await refused(to('gateway', 'POST', path, body))
    await refused(to('gateway', 'POST', '/$removerarecord', body, { 'if-match': 'W/"1"' }))
    await refused(to('direct', 'POST', '/Flag', body))
    for (const path of ['', '/', '/Flag', '/Condition']) await refused(to('flags', 'POST', path, body))
  }
  const xml = { 'content-type': 'application/fhir+xml', accept: 'application/fhir+json' }
  const dtd =
    '<!DOCTYPE Flag [<!ENTITY x SYSTEM "file:///etc/passwd">]><Flag xmlns="http://hl7.org/fhir"><id value="&x;"/></Flag>'
  for (const body of [dtd, '<Flag/>', '<Flag xmlns="http://hl7.org/fhir">', '<a:Flag xmlns:a="x"/>', '{}', deep])
    await refused(to('direct', 'POST', '/Flag', body, xml))
})

test('addresses and headers that are none', async () => {
  const odd = [
    '/Flag/%00',
    '/Flag/..%2fConsent',
    '//Flag',
    '/flag',
    '/Flag/',
    `/Flag/${'x'.repeat(3000)}`,
    '/%',
    '/Flag/%ff',
    '/_poll/x',
    '/$removerarecord/1',
  ]
  for (const path of odd)
    for (const face of ['gateway', 'direct'] as const)
      if (!(face === 'direct' && path === '/_poll/x')) await refused(to(face, 'GET', path))
  for (const path of odd) await refused(to('flags', 'GET', path))
  const queries = [
    `patient=${numbers.one}&patient=x&status=active`,
    `${query(numbers.one)}`.replace('active', '%00'),
    'patient=%ff&status=active&category=x',
    'patient[]=1',
    '=&=&=',
  ]
  for (const each of queries) await refused(to('gateway', 'GET', `/Flag?${each}`))
  for (const each of ['patient=%ff', 'patient=', `patient=${'9'.repeat(4000)}`, 'patient=9990548609%00'])
    await refused(to('flags', 'GET', `/Flag?${each}`))
  for (const version of ['W/"0x1"', '"-1"', 'W/"99999999999"', '*', "W/'1'", 'W/"1", W/"2"'])
    await refused(
      to('gateway', 'PUT', `/Flag/${numbers.one}.${randomUUID()}`, sent.flag(numbers.one), { 'if-match': version }),
    )
})

test('nothing of it was kept', async () => {
  const { rows } = await service.platform.store.pool.query('select kind from adjustments.item')
  assert.deepEqual(rows, [{ kind: 'record' }])
})
