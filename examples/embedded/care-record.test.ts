/**
 * A Spine inside your own test: free ports, a store in memory, a CA of its own. This is how a supplier
 * tests a consumer without waiting for an environment.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createClient, type SpineClient } from '@openspine/client'
import { loadSandbox, type Spine, startSpine } from 'openspine'

let spine: Spine
let client: SpineClient

before(async () => {
  spine = await startSpine()
  await loadSandbox(spine)
  const { trust } = spine.platform
  const consumer = await trust.identity('consumer.openspine.example')
  client = createClient({
    pdsUrl: `${spine.urls['api']}/personal-demographics/FHIR/R4`,
    directoryUrl: String(spine.urls['directory']),
    proxyUrl: String(spine.urls['proxy']),
    tls: {
      ca: readFileSync(trust.files.bundle, 'utf8'),
      cert: consumer.certificate + consumer.chain,
      key: consumer.key,
    },
    asid: '200000100000',
    organisation: { odsCode: 'X26', name: 'Invented Trust' },
    system: { url: 'https://consumer.openspine.example/', deviceId: 'd-1', model: 'My system', version: '1.0' },
  })
})

after(async () => {
  await client?.close()
  await spine?.stop()
})

test('my system shows the allergies of a traced patient', async () => {
  const session = client.session({ practitioner: { id: 'u-17', family: 'Jones', given: 'Claire' } })
  const { person } = await session.trace({ family: 'Testcase', birthDate: '1980-02-29' })
  const record = await session.careRecord({
    nhsNumber: person.nhsNumber,
    odsCode: person.practice ?? '',
    section: 'ALL',
  })
  assert.match(record.html, /<h1>Allergies and Adverse Reactions<\/h1>/)
})

test('a practice without a sharing agreement is refused, and the audit says why', async () => {
  const session = client.session({ practitioner: { id: 'u-17', family: 'Jones', given: 'Claire' } })
  const refusal = await session
    .careRecord({ nhsNumber: '9990548609', odsCode: 'B82617', section: 'SUM' })
    .catch((error: { code: string; outcome: { traceId: string } }) => error)
  assert.equal('code' in refusal && refusal.code, 'CLIENT_REFUSED')
  const [record] = await spine.platform.audit.find({
    trace: 'outcome' in refusal ? refusal.outcome.traceId : '',
    limit: 1,
  })
  assert.equal(record?.event, 'proxy.request')
})
