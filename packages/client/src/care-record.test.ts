import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { nhsNumber, practiceServer } from './testing/practice.ts'
import { client, httpServer, json, ldapServer, refusal } from './testing/testing.ts'

const exclusion = 'Items excluded due to confidentiality and/or patient preferences'
const html =
  '<div xmlns="http://www.w3.org/1999/xhtml"><h1>Medications</h1>' +
  '<div class="gptransfer-banner"><p>Patient record transfer from previous GP practice not yet complete; information recorded before 04-Jan-2018 may be missing</p></div>' +
  '<div><h2>All Medication</h2><div class="date-banner"><p>All relevant items</p></div>' +
  `<div class="exclusion-banner"><p>${exclusion}</p></div><p onclick="x()">No data</p><script>x()</script></div></div>`

/** An answer of 0.x, whose patient has this number and was born on this day. */
const answer = (number: string, birthDate: string) =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'searchset',
    entry: [
      { resource: { resourceType: 'Composition', section: [{ title: 'Medications', text: { div: html } }] } },
      {
        fullUrl: 'Patient/2',
        resource: {
          resourceType: 'Patient',
          id: '2',
          identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: number }],
          name: [{ use: 'official', family: ['Testcase'], given: ['Arlo'] }],
          gender: 'male',
          birthDate,
          careProvider: [{ reference: 'Practitioner/1' }],
          managingOrganization: { reference: 'Organization/1' },
        },
      },
      {
        fullUrl: 'Organization/1',
        resource: {
          resourceType: 'Organization',
          identifier: [{ system: 'http://fhir.nhs.net/Id/ods-organization-code', value: 'A20047' }],
        },
      },
      {
        resource: {
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'warning', code: 'incomplete', diagnostics: 'two items could not be shown' }],
        },
      },
    ],
  })

async function session(t: TestContext, body: string) {
  const { settings } = await practiceServer(t)
  const directory = await ldapServer(t, {
    nhsMhs: { nhsMHSEndPoint: 'https://gp.example/A20047/DSTU2/1', nhsMHSPartyKey: 'k-1' },
    nhsAS: { uniqueIdentifier: '200000100001' },
  })
  const proxy = await httpServer(t, (_request, response) => json(response, 200, body))
  return client(t, { ...settings, directoryUrl: directory.url, proxyUrl: proxy.url }).session()
}

const ask = { nhsNumber, odsCode: 'A20047', section: 'MED' } as const

describe('the duties of a consumer of an HTML record', () => {
  it('keeps the HTML as it came beside a safe one, and hands on every banner unchanged', async (t) => {
    const record = await (await session(t, answer(nhsNumber, '1980-03-01'))).careRecord(ask)
    assert.equal(record.html, html)
    assert.deepEqual(record.safe.removed, ['p@onclick', 'script'])
    assert.match(record.safe.html, new RegExp(exclusion))
    assert.deepEqual(record.banners, [
      {
        kind: 'gptransfer',
        text: 'Patient record transfer from previous GP practice not yet complete; information recorded before 04-Jan-2018 may be missing',
      },
      { kind: 'date', text: 'All relevant items', heading: 'All Medication' },
      { kind: 'exclusion', text: exclusion, heading: 'All Medication' },
    ])
    assert.deepEqual(record.incomplete, [
      { code: 'incomplete', text: 'two items could not be shown', diagnostics: 'two items could not be shown' },
    ])
    assert.equal(record.comparison, undefined)
  })

  it('compares the patient with the traced person, the practice too', async (t) => {
    const same = await session(t, answer(nhsNumber, '1980-03-01'))
    await same.trace({ nhsNumber })
    assert.deepEqual((await same.careRecord(ask)).comparison, { differences: [], notCompared: [] })
    const other = await session(t, answer(nhsNumber, '1980-02-29'))
    await other.trace({ nhsNumber })
    assert.deepEqual((await other.careRecord(ask)).comparison?.differences, [
      { field: 'birthDate', local: '1980-03-01', returned: '1980-02-29' },
    ])
  })

  it('never hands on the record of another patient', async (t) => {
    const wrong = await session(t, answer('9990000018', '1980-03-01'))
    assert.equal((await refusal(wrong.careRecord(ask))).code, 'CLIENT_ANSWER')
  })
})
