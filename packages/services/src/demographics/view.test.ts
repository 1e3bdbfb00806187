import assert from 'node:assert/strict'
import { test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Access } from './access.ts'
import { extensionUrl, items, type Json, storedPerson } from './person.ts'
import { syntheticPeople } from './population.ts'
import { retrieveView, searchView } from './view.ts'
import { workedPeople } from './worked-people.ts'

const stored = (nhsNumber: string) => {
  const record = workedPeople().find((person) => person.nhsNumber === nhsNumber)
  assert.ok(record)
  return storedPerson(record)
}
const worker: Access = { mode: 'user-restricted' }
const privileged: Access = { mode: 'privileged-application-restricted' }
const retrieved = (nhsNumber: string, access = worker) => JSON.parse(retrieveView(stored(nhsNumber), access)) as Json
const urls = (patient: Json) => items(patient['extension']).map(({ url }) => url)

test('an ordinary record is passed on as it is stored', () => {
  assert.equal(retrieveView(stored('9990548609'), worker), stored('9990548609').document)
})

test('restricted: places, contacts and pharmacies are withheld; privileged apps see them', () => {
  const shown = retrieved('9990548838')
  for (const member of ['address', 'telecom', 'contact', 'generalPractitioner', 'managingOrganization'])
    assert.ok(!(member in shown), member)
  assert.deepEqual(urls(shown), [extensionUrl.deathNotification])
  assert.equal(items(shown['name'])[0]?.['family'], 'Restricted')
  const whole = retrieved('9990548838', privileged)
  assert.ok('address' in whole && urls(whole).includes(extensionUrl.birthPlace))
})

test('very restricted: hardly anything, for everyone', () => {
  for (const access of [worker, privileged])
    assert.deepEqual(Object.keys(retrieved('9990548846', access)).sort(), [
      'deceasedDateTime',
      'extension',
      'gender',
      'id',
      'identifier',
      'meta',
      'resourceType',
    ])
})

test('confidential reasons, consent and blank lines only for apps that have the attribute', () => {
  const reason = (patient: Json) =>
    JSON.stringify(items(patient['extension']).find(({ url }) => url === extensionUrl.removal))
  const plain = retrieved('9990548668')
  assert.match(reason(plain), /"ORR".*"Other Reason"/)
  assert.ok(!reason(plain).includes('Armed'))
  assert.deepEqual(urls(plain), [extensionUrl.removal])
  assert.deepEqual(items(plain['address'])[0]?.['line'], ['9 Barrack Row', 'Testham'])

  const all = retrieved('9990548668', {
    mode: 'user-restricted',
    app: {
      id: 'a',
      attributes: { emptyAddressLines: true, confidentialRemovalReason: true, recordSharingConsent: true },
    },
  })
  assert.match(reason(all), /"AFN"/)
  assert.deepEqual(urls(all), [extensionUrl.removal, extensionUrl.consent])
  const [address] = items(all['address'])
  assert.deepEqual(address?.['line'], [null, '9 Barrack Row', null, 'Testham', null])
  const companions = address?.['_line'] as (Json | null)[]
  assert.deepEqual(
    companions.map((one) => one !== null && items(one['extension']).length > 0),
    [true, false, true, false, true],
  )
})

test('logical deletion is shown as another reason even to apps that see confidential ones', () => {
  const person = storedPerson({
    nhsNumber: '9990548609',
    patient: {
      extension: [
        {
          url: extensionUrl.removal,
          extension: [
            { url: 'removalFromRegistrationCode', valueCodeableConcept: { coding: [{ code: 'LDN', display: 'x' }] } },
          ],
        },
      ],
    },
  })
  const shown = retrieveView(person, {
    mode: 'user-restricted',
    app: { id: 'a', attributes: { confidentialRemovalReason: true } },
  })
  assert.ok(shown.includes('"ORR"') && !shown.includes('LDN'))
})

test('a search result is the projection of §9.4', () => {
  const document = (nhsNumber: string) => JSON.parse(stored(nhsNumber).document) as Json
  const shown = searchView('U', document('9990548625'), worker)
  assert.deepEqual(Object.keys(shown), [
    'resourceType',
    'id',
    'meta',
    'identifier',
    'name',
    'gender',
    'birthDate',
    'address',
    'telecom',
    'generalPractitioner',
  ])
  assert.deepEqual(
    items(shown['address']).map(({ use }) => use),
    ['home'],
  )
  assert.deepEqual(
    items(shown['name']).map(({ use }) => use),
    ['usual', 'nickname'],
  )
  const died = searchView('U', document('9990548641'), worker)
  assert.deepEqual(urls(died), [extensionUrl.deathNotification])
  const restricted = searchView('R', document('9990548838'), privileged)
  for (const member of ['address', 'telecom', 'contact', 'generalPractitioner']) assert.ok(!(member in restricted))
})

test('whoever asks, what is shown is a Patient of R4', () => {
  const all: Access = {
    mode: 'privileged-application-restricted',
    app: {
      id: 'a',
      attributes: { emptyAddressLines: true, confidentialRemovalReason: true, recordSharingConsent: true },
    },
  }
  for (const record of [...workedPeople(), ...syntheticPeople({ seed: 2, from: 0, count: 300 })]) {
    const person = storedPerson(record)
    for (const access of [worker, all]) {
      assert.deepEqual(r4.check(JSON.parse(retrieveView(person, access))), [], record.nhsNumber)
      const found = searchView(person.sensitivity, JSON.parse(person.document) as Json, access)
      assert.deepEqual(r4.check(found), [], record.nhsNumber)
    }
  }
})
