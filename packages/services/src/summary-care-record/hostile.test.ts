import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Asked, isRefusal, numbers, patient, retrieving, searching, sent, startScr } from './testing.ts'

let scr: Awaited<ReturnType<typeof startScr>>
before(async () => {
  scr = await startScr({ config: { longestUploadBytes: 1 << 20 } })
})
after(() => scr.close())

const { one } = numbers
const writes = ['/Bundle', '/$setPermission', '/AuditEvent'] as const

/** Whatever came: refused with an OperationOutcome that tells nothing of the inside. */
async function refused(asked: Asked): Promise<void> {
  const { status, text, headers } = await scr.ask(asked)
  const about = `${asked.method ?? 'GET'} ${asked.url.slice(0, 120)}: ${status} ${text.slice(0, 400)}`
  assert.ok(status >= 400 && status < 500, about)
  assert.equal(headers['content-type'], 'application/fhir+json', about)
  const { resourceType, issue } = JSON.parse(text)
  assert.deepEqual([resourceType, issue.length], ['OperationOutcome', 1], about)
  assert.ok(text.length < 1500, 'what a stranger wrote is not sent back at length')
  assert.doesNotMatch(text, / at .*\.ts:|node_modules|select |insert /, about)
}

const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
const bodies: readonly (string | Buffer)[] = [
  '',
  ' ',
  'null',
  '1',
  '[]',
  '"x"',
  '\ufeff{}',
  '{"resourceType":null}',
  '{"resourceType":["Bundle"]}',
  '{"resourceType":"Bundle","type":"document","entry":[null]}',
  '{"resourceType":"Bundle","type":"document","entry":[{}]}',
  '{"resourceType":"Bundle","type":"document","entry":{"resource":{"resourceType":"Composition"}}}',
  '{"resourceType":"Bundle","resourceType":"Bundle"}',
  '{"resourceType":"Bundle","__proto__":{"type":"document"}}',
  '{"resourceType":"Bundle","type":"document","invented":1}',
  '{"resourceType":"Parameters","parameter":[{"name":"setPermissions","part":[{"name":"nhsNumber","valueString":"\\ud800"}]}]}',
  '{"resourceType":"Bundle",}',
  '<Bundle xmlns="http://hl7.org/fhir"/>',
  Buffer.from([0xff, 0xfe, 0x00]),
  deep,
]

test('bodies that are none', async () => {
  for (const body of bodies) for (const url of writes) await refused({ method: 'POST', url, body })
  for (const url of writes) await refused({ method: 'POST', url, headers: { 'content-type': 'application/fhir+json' } })
})

test('a document that is too long, and one that is just long', async () => {
  const long = sent.summary(one)
  const [entry] = long.entry
  Object.assign(entry?.resource ?? {}, { title: 'x'.repeat(1 << 20) })
  isRefusal(await scr.ask({ method: 'POST', url: '/Bundle', body: long }), 413, 'too-long', /1048576/)
  Object.assign(entry?.resource ?? {}, { title: '\u{1f9ea} ä '.repeat(60_000) })
  const id = String(entry?.resource.id)
  assert.equal((await scr.ask({ method: 'POST', url: '/Bundle', body: long })).status, 201)
  const shown = (await scr.ask({ url: retrieving(one, id) })).json()
  assert.equal(shown.entry[0].resource.title, '\u{1f9ea} ä '.repeat(60_000))
})

test('values that no store would take', async () => {
  const { other } = numbers
  const long = 'x'.repeat(100_000)
  for (const id of [long, 'a\u0000b', randomUUID().slice(1), 'é'])
    isRefusal(await scr.ask({ method: 'POST', url: '/Bundle', body: sent.summary(other, { id }) }), 400, 'value')
  const alert = structuredClone(sent.alert(other))
  for (const value of [long, 'X\u000026', '\ud83e', "'; drop table x"]) {
    for (const agent of alert.agent.slice(1)) agent.who.identifier.value = value
    const { status, text } = await scr.ask({ method: 'POST', url: '/AuditEvent', body: alert })
    assert.ok(status === 201 || status === 400, `${status} ${text}`)
  }
  const replacing = await scr.ask({ method: 'POST', url: '/Bundle', body: sent.summary(other, { replaces: long }) })
  assert.equal(replacing.status, 201, replacing.text)
  const [{ replaces = '' } = {}] = await scr.contract.history(other)
  assert.ok(replaces.length < 200)
  const recorded = { recorded: `1 (${long})` }
  isRefusal(await scr.ask({ method: 'POST', url: '/AuditEvent', body: sent.alert(other, recorded) }), 400, 'value')
})

test('media types that are none', async () => {
  const body = sent.summary(one)
  const types = [
    'application/fhir+xml',
    'application/json',
    'application/fhir+jsonx',
    'text/plain;charset=utf-8',
    'x',
    '',
  ]
  for (const type of types)
    isRefusal(
      await scr.ask({ method: 'POST', url: '/Bundle', body, headers: { 'content-type': type } }),
      415,
      'not-supported',
      `Content type '${type}' not supported`,
    )
  const charset = { 'content-type': 'application/fhir+json; charset=utf-8' }
  assert.equal((await scr.ask({ method: 'POST', url: '/Bundle', body, headers: charset })).status, 201)
  for (const accept of ['application/fhir+xml', 'text/html, image/*', 'application/json'])
    isRefusal(await scr.ask({ url: searching(one), headers: { accept } }), 406, 'not-supported')
  for (const accept of ['*/*', 'text/html, */*;q=0.1', 'application/fhir+json;q=1', ''])
    assert.equal((await scr.ask({ url: searching(one), headers: { accept } })).status, 200)
})

test('addresses, queries and headers that are none', async () => {
  for (const url of [
    '/',
    '',
    '//Bundle',
    '/bundle',
    '/Bundle/',
    '/Bundle/1',
    '/DocumentReference/$x',
    `/${'x'.repeat(3000)}`,
  ])
    for (const method of ['GET', 'POST', 'DELETE'] as const) await refused({ method, url })
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) {
    await refused({ method, url: '/Bundle' })
    await refused({ method, url: '/$setPermission', body: sent.permission(one, 'No') })
  }
  await refused({ url: '/AuditEvent' })
  assert.equal((await scr.ask({ method: 'HEAD', url: searching(one) })).status, 405)
  const queries = [
    '',
    'patient=',
    'patient=%ff',
    'patient[]=1',
    `patient=${'9'.repeat(5000)}`,
    `patient=${patient(one)}%00`,
    `patient=${patient('९९९०५४८६०९')}`,
    `patient=${patient(`${one} `)}&type=x`,
    `patient=http://fhir.nhs.net/Id/nhs-number|${one}`,
    `patient=${patient(one)}&_count=01`,
    `patient=${patient(one)}&_sort=Date`,
    '=&=&=',
  ]
  for (const query of queries) await refused({ url: `/DocumentReference?${query}` })
  await refused({ url: `/Bundle?composition.identifier=x&composition.subject:Patient.identifier=${one}` })
  // Not one that there is, however it is spelt.
  for (const id of ['%ff', '%00', "'", 'x'.repeat(3000), '*'])
    assert.equal((await scr.ask({ url: retrieving(one, id) })).json().total, 0)
  for (const value of ['x', ' 1', `${randomUUID()}\u00a0`, `{${randomUUID()}}`, randomUUID().replaceAll('-', '')])
    await refused({ url: searching(one), headers: { 'x-request-id': value } })
})

test('of all that was refused nothing was kept', async () => {
  const { pool } = scr.platform.store
  assert.equal((await pool.query('select 1 from "summary-care-record".document')).rowCount, 3)
  assert.equal((await pool.query('select 1 from "summary-care-record".permission')).rowCount, 0)
})
