import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '@openspine/platform/clock'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { WaitingEvent } from '../changes/change.ts'
import { asJson, extensionUrl, items, type Json } from '../person.ts'
import { eventMessage } from './message.ts'
import { raisedBy } from './raise.ts'

const before: Json = {
  name: [{ id: 'N1', use: 'usual', period: { start: '2020-01-01' }, given: ['Arlo'], family: 'Testcase' }],
  gender: 'male',
  birthDate: '1980-02-29',
  address: [
    { use: 'home', period: { start: '2020-01-01' }, line: ['1 Test Way', '', '', 'Testham'], postalCode: 'ZZ99 3CZ' },
  ],
  generalPractitioner: [{ identifier: { value: 'A20047' } }],
}
const after: Json = {
  ...before,
  address: [
    { use: 'home', period: { start: '2026-11-20' }, line: ['2 Test Way', '', '', 'Testham'], postalCode: 'ZZ99 4DA' },
  ],
  generalPractitioner: [{ identifier: { value: 'B82617' } }],
  deceasedDateTime: '2026-11-01T00:00:00+00:00',
  extension: [
    {
      url: extensionUrl.deathNotification,
      extension: [
        { url: 'deathNotificationStatus', valueCodeableConcept: { coding: [{ code: '1' }] } },
        { url: 'systemEffectiveDate', valueDateTime: '2026-11-20T12:00:00+00:00' },
      ],
    },
  ],
}

const waiting = (from: Json, to: Json): WaitingEvent[] =>
  raisedBy(from, to).map((event, ordinal) => ({
    ...event,
    nhsNumber: '9990548609',
    version: 3,
    ordinal,
    at: Date.parse('2026-11-20T12:00:00.000Z'),
  }))

const message = (event: WaitingEvent, sensitivity: 'U' | 'R' = 'U') =>
  eventMessage(event, {
    random: systemRandom,
    sensitivity,
    asid: '200000000001',
    organisationName: (code) => (code === 'B82617' ? 'Testham Surgery' : undefined),
  })

const resources = (bundle: Json, type: string) =>
  items(bundle['entry'])
    .map(({ resource }) => resource as Json)
    .filter(({ resourceType }) => resourceType === type)

test('each kind of change raises its event, and only then', () => {
  const codes = (from: Json, to: Json) => waiting(from, to).map(({ code }) => code)
  assert.deepEqual(codes(before, after), [
    'pds-record-change-1',
    'pds-change-of-address-1',
    'pds-change-of-gp-1',
    'pds-death-notification-1',
  ])
  assert.deepEqual(codes(before, { ...before, gender: 'female' }), ['pds-record-change-1'])
})

test('every message is an STU3 Bundle whose references resolve, the header first', () => {
  for (const event of waiting(before, after)) {
    const bundle = message(event)
    assert.deepEqual(stu3.check(bundle as never), [])
    const entries = items(bundle['entry'])
    const urls = new Set(entries.map(({ fullUrl }) => fullUrl))
    assert.equal(asJson(entries[0]?.['resource'])['resourceType'], 'MessageHeader')
    for (const [, url] of JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)) assert.ok(urls.has(url), url)
    const [patient] = resources(bundle, 'Patient')
    assert.equal(asJson(patient?.['meta'])['versionId'], '3')
    const [header] = resources(bundle, 'MessageHeader')
    assert.equal(asJson(header?.['meta'])['lastUpdated'], '2026-11-20T12:00:00+00:00')
  }
})

test('an address: the new one and the old one, in their lines without blanks', () => {
  const bundle = message(waiting(before, after)[1] as WaitingEvent)
  const [patient] = resources(bundle, 'Patient')
  assert.deepEqual(
    items(patient?.['address']).map(({ use, line, postalCode }) => [use, line, postalCode]),
    [
      ['home', ['2 Test Way', 'Testham'], 'ZZ99 4DA'],
      ['old', ['1 Test Way', 'Testham'], 'ZZ99 3CZ'],
    ],
  )
})

test('a practice: the new one with the patient, the former one with the finished episode', () => {
  const bundle = message(waiting(before, after)[2] as WaitingEvent)
  const [patient] = resources(bundle, 'Patient')
  const [episode] = resources(bundle, 'EpisodeOfCare')
  const organisation = (url: unknown) =>
    items(bundle['entry']).find(({ fullUrl }) => fullUrl === url)?.['resource'] as Json
  const now = organisation(items(patient?.['generalPractitioner'])[0]?.['reference'])
  assert.deepEqual([items(now['identifier'])[0]?.['value'], now['name']], ['B82617', 'Testham Surgery'])
  const then = organisation(asJson(episode?.['managingOrganization'])['reference'])
  assert.equal(items(then['identifier'])[0]?.['value'], 'A20047')
  const gone = message(waiting(before, { ...before, generalPractitioner: undefined })[1] as WaitingEvent)
  assert.equal(resources(gone, 'Patient')[0]?.['generalPractitioner'], undefined)
  assert.equal(resources(gone, 'EpisodeOfCare')[0]?.['status'], 'finished')
})

test('a death, and one that is taken back', () => {
  const [patient] = resources(message(waiting(before, after)[3] as WaitingEvent), 'Patient')
  assert.equal(patient?.['deceasedDateTime'], '2026-11-01T00:00:00+00:00')
  const back = waiting(after, { ...after, extension: undefined, deceasedDateTime: undefined }).at(-1) as WaitingEvent
  const [alive] = resources(message(back), 'Patient')
  assert.equal(alive?.['deceasedDateTime'], undefined)
  assert.ok(JSON.stringify(alive).includes('"code":"U"'))
})

test('nothing of a restricted person tells a place', () => {
  for (const event of waiting(before, after)) {
    const text = JSON.stringify(message(event, 'R'))
    for (const secret of ['Test Way', 'ZZ99', 'A20047', 'B82617'])
      assert.ok(!text.includes(secret), `${event.code}: ${secret}`)
  }
})
