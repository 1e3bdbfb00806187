import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Peer } from '@openspine/platform/doors'
import { all, oid, one, readAd, readPn, valueAt } from '@openspine/standards/hl7v3'
import { readToolkitError } from '@openspine/standards/itk'
import { readEnvelope, readFault } from '@openspine/standards/soap'
import { writeXml } from '@openspine/standards/xml'
import { validPeer } from '../worked.test-kit.ts'
import { faultChecks, requestChecks } from './checks.ts'
import { actionOf, type Operation, operations, replyName } from './operations.ts'

import { asid, request, type Said, service, taken } from './smsp.test-kit.ts'

const arlo: Said = { DateOfBirth: '19800229', NHSNumber: '9990548609' }
const arloBySearch: Said = { DateOfBirth: '19800229', Gender: '1', Family: 'Testcase' }

describe('the operations', () => {
  const asked: Readonly<Record<Operation, Said>> = {
    verifyNHSNumber: arlo,
    getNHSNumber: arloBySearch,
    getPatientDetailsByNHSNumber: arlo,
    getPatientDetailsBySearch: arloBySearch,
    getPatientDetails: arlo,
  }
  for (const operation of operations)
    it(`${operation} is answered in the form of the toolkit`, async () => {
      const { status, headers, body } = await service().ask(operation, asked[operation])
      assert.deepEqual([status, headers['content-type']], [200, 'text/xml'])
      const { addressing, distribution, payload, code } = taken(body)
      assert.equal(code, 'SMSP-0000')
      assert.deepEqual(addressing.action, [`${actionOf(operation)}Response`])
      assert.equal(distribution.service, `${actionOf(operation)}Response`)
      assert.equal(payload.name, replyName(operation))
      assert.equal(distribution.manifest[0]?.profileid, `urn:nhs-en:profile:${replyName(operation)}`)
      assert.equal(valueAt(one(payload, 'code'), 'code'), replyName(operation))
      assert.equal(valueAt(one(payload, 'value'), 'codeSystem'), '2.16.840.1.113883.2.1.3.2.4.17.285')
      assert.equal(`uuid_${valueAt(one(payload, 'id'), 'root')}`, distribution.payloads[0]?.id)
      const number =
        operation === 'verifyNHSNumber' ? 'component/validIdentifier/subject/patient/id' : 'subject/patient/id'
      assert.equal(valueAt(one(payload, number), 'extension'), '9990548609')
    })

  it('verifies with an identifier that is valid', async () => {
    const { payload } = taken((await service().ask('verifyNHSNumber', arlo)).body)
    const valid = one(payload, 'component/validIdentifier')
    assert.equal(valueAt(one(valid, 'value'), 'value'), 'true')
    assert.deepEqual(
      [valueAt(one(valid, 'code'), 'code'), valueAt(one(valid, 'code'), 'codeSystem')],
      ['VI', '2.16.840.1.113883.2.1.3.2.4.17.287'],
    )
  })

  it('details have name, five lines for each address, telecoms, sex, dates and the practice by name', async () => {
    const { body } = await service().ask('getPatientDetailsByNHSNumber', {
      DateOfBirth: '19510403',
      NHSNumber: '9990548625',
    })
    const patient = one(taken(body).payload, 'subject/patient')
    assert.ok(patient)
    assert.deepEqual(
      patient.children.map((child) => (typeof child === 'string' ? child : child.name)),
      ['id', 'name', 'addr', 'addr', 'addr', 'telecom', 'telecom', 'telecom', 'patientPerson'],
    )
    assert.deepEqual(all(patient, 'name').map(readPn)[0]?.given, ['Philomena', 'Joy'])
    const addresses = all(patient, 'addr').map(readAd)
    assert.deepEqual(
      addresses.map(({ use, lines, postalCode }) => [use, lines.length, postalCode]),
      [
        ['H', 5, 'ZZ99 4DA'],
        ['TMP', 5, 'ZZ99 8FF'],
        ['PST', 5, 'ZZ99 1BX'],
      ],
    )
    assert.match(
      writeXml(patient),
      /<addr use="TMP"><postalCode>ZZ99 8FF<\/postalCode><streetAddressLine>2 Seaview<\/streetAddressLine><streetAddressLine>Sandton<\/streetAddressLine><streetAddressLine\/><streetAddressLine\/><streetAddressLine\/><\/addr>/,
    )
    assert.equal(valueAt(one(patient, 'patientPerson/administrativeGenderCode'), 'code'), '2')
    const practice = one(patient, 'patientPerson/gPPractice/locationOrganization')
    assert.equal(valueAt(one(practice, 'id'), 'extension'), 'A20047')
    assert.match(writeXml(patient), /<name>TESTHAM SURGERY<\/name>/)
  })

  it('each way of failing has its code, and then neither subject nor component', async () => {
    const cases: readonly (readonly [Operation, Said, string])[] = [
      ['verifyNHSNumber', { ...arlo, DateOfBirth: '19800228' }, 'DEMOG-0040'],
      ['verifyNHSNumber', { ...arlo, Family: 'Other' }, 'DEMOG-0040'],
      ['verifyNHSNumber', { DateOfBirth: '19990909', NHSNumber: '9990548854' }, 'DEMOG-0017'],
      ['verifyNHSNumber', { DateOfBirth: '19990909', NHSNumber: '9990548889' }, 'DEMOG-0022'],
      ['verifyNHSNumber', { DateOfBirth: '19990909', NHSNumber: '9999999999' }, 'DEMOG-0001'],
      ['verifyNHSNumber', { DateOfBirth: '19800229', OldNumber: 'ABC 12' }, 'DEMOG-0042'],
      ['getNHSNumber', { ...arloBySearch, Family: 'Nobody' }, 'DEMOG-0001'],
      ['getNHSNumber', { DateOfBirth: '19700124', Gender: '2', Family: 'Mockley' }, 'DEMOG-0007'],
      ['getNHSNumber', { ...arloBySearch, Family: 'Test*' }, 'DEMOG-0001'],
      ['getPatientDetailsBySearch', { ...arloBySearch, Family: 'Test*' }, 'SMSP-0000'],
      ['getPatientDetailsBySearch', { ...arloBySearch, Postcode: 'ZZ99 3CZ' }, 'SMSP-0000'],
      ['getPatientDetailsBySearch', { ...arloBySearch, Postcode: 'ZZ99 9ZZ' }, 'DEMOG-0001'],
      ['getPatientDetails', arloBySearch, 'SMSP-0000'],
      ['getPatientDetailsByNHSNumber', { DateOfBirth: '19850525', NHSNumber: '9990548846' }, 'DEMOG-0040'],
    ]
    for (const [operation, said, wanted] of cases) {
      const { status, body } = await service().ask(operation, said)
      const { code, payload } = taken(body)
      assert.deepEqual([status, code], [200, wanted], `${operation} ${JSON.stringify(said)}`)
      if (wanted !== 'SMSP-0000')
        assert.deepEqual([one(payload, 'subject'), one(payload, 'component')], [undefined, undefined])
    }
    const away = await service({ broken: true }).ask('verifyNHSNumber', arlo)
    assert.deepEqual([away.status, taken(away.body).code], [200, 'SMSP-9999'])
  })

  it('shows of restricted people no address, telephone or practice, by number and by search', async () => {
    for (const [operation, said] of [
      ['getPatientDetailsByNHSNumber', { DateOfBirth: '19850525', NHSNumber: '9990548838' }],
      ['getPatientDetailsBySearch', { DateOfBirth: '19850525', Gender: '2', Family: 'Restricted' }],
    ] as const) {
      const { body } = await service().ask(operation, said)
      assert.equal(taken(body).number, '9990548838')
      assert.doesNotMatch(body, /<addr|<telecom|gPPractice|Safe House|ZZ99|07700900838|A20047/)
    }
  })
})

describe('the rules for what a request says', () => {
  const spoilt: Readonly<Record<string, readonly [Operation, Said]>> = {
    'date-of-birth': ['verifyNHSNumber', { ...arlo, DateOfBirth: '1980' }],
    'nhs-number-given': ['verifyNHSNumber', { DateOfBirth: '19800229' }],
    'new-style-number': ['getPatientDetails', { DateOfBirth: '19800229', OldNumber: 'ABC' }],
    'check-digit': ['getPatientDetailsByNHSNumber', { ...arlo, NHSNumber: '9990548600' }],
    gender: ['getNHSNumber', { DateOfBirth: '19800229', Family: 'Testcase' }],
    name: ['getPatientDetailsBySearch', { ...arloBySearch, Family: 'T*' }],
  }
  for (const { name, outcome } of requestChecks)
    it(`${name} is answered ${outcome}`, async () => {
      const [operation, said] = spoilt[name] ?? assert.fail(`${name} has no case`)
      const { status, body, headers } = await service().ask(operation, said)
      assert.deepEqual([status, taken(body).code, headers['x-openspine-rule']], [200, outcome, name])
    })
})

describe('faults', () => {
  const invalid: Peer = { ...validPeer, state: 'invalid', reason: 'CERT_REVOKED' } as Peer
  const spoilt: Readonly<Record<string, () => Promise<{ status: number; body: string; headers: object }>>> = {
    certificate: () => service({ peer: invalid }).ask('verifyNHSNumber', arlo),
    operation: () => service().post(request('verifyNHSNumber', arlo), undefined),
    envelope: () => service().ask('verifyNHSNumber', arlo, { spoil: (document) => document.slice(0, -20) }),
    addressing: () => service().post(request('getNHSNumber', arloBySearch), actionOf('verifyNHSNumber')),
    security: () =>
      service().ask('verifyNHSNumber', arlo, {
        spoil: (document) => document.replace(/<wsse:UsernameToken.*<\/wsse:UsernameToken>/, ''),
      }),
    timestamp: () => service().ask('verifyNHSNumber', arlo, { expires: '2026-11-26T00:50:00Z' }),
    'distribution-envelope': () =>
      service().ask('verifyNHSNumber', arlo, {
        spoil: (document) => document.replace('<itk:manifest count="1">', '<itk:manifest count="2">'),
      }),
    sender: () => service().ask('verifyNHSNumber', arlo, { asid: '200000100888' }),
    payload: () =>
      service().ask('verifyNHSNumber', arlo, { spoil: (document) => document.replaceAll('queryEvent', 'otherEvent') }),
  }
  for (const { name, outcome, path, explains } of faultChecks)
    it(`${name} is a fault ${outcome} of the toolkit`, async () => {
      const { status, body, headers } = await (spoilt[name] ?? assert.fail(`${name} has no case`))()
      const fault = readFault(readEnvelope(body))
      assert.ok(fault, body)
      const error = readToolkitError(fault.detail)
      assert.deepEqual([status, fault.code, error?.code, error?.diagnostic], [500, 'Client', outcome, explains])
      assert.equal(Reflect.get(headers, 'x-openspine-rule'), `${name}; path=${path}`)
    })

  it('asks for the interaction, and for nothing of a sender without an ASID but the certificate', async () => {
    const unregistered = await service().ask('verifyNHSNumber', arlo, { asid: '200000100777' })
    assert.equal(readToolkitError(readFault(readEnvelope(unregistered.body))?.detail ?? [])?.code, '3000')
    const local = await service().ask('verifyNHSNumber', arlo, {
      spoil: (document) =>
        document.replace(
          `type="${oid.asid}" uri="${asid}"`,
          'type="2.16.840.1.113883.2.1.3.2.4.18.27" uri="urn:nhs-uk:identity:ods:X26"',
        ),
    })
    assert.equal(taken(local.body).code, 'SMSP-0000')
  })

  it('bears an expired time stamp where the environment says so', async () => {
    const { body } = await service({ timestamps: 'ignored' }).ask('verifyNHSNumber', arlo, {
      expires: '2020-07-27T11:20:23Z',
    })
    assert.equal(taken(body).code, 'SMSP-0000')
  })

  it('tells the audit who asked and who was shown', async () => {
    const mini = service()
    await mini.ask('verifyNHSNumber', arlo)
    const [event] = mini.events
    assert.deepEqual(
      [event?.operation, event?.sender, event?.odsCode, event?.user, event?.asked, event?.shown, event?.code],
      ['verifyNHSNumber', asid, 'X26', 'Invented client', '9990548609', ['9990548609'], 'SMSP-0000'],
    )
  })
})
