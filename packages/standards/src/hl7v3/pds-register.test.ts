import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { elementsOf, parseXml, writeXml, type XmlElement } from '../xml/xml.ts'
import {
  noBirth,
  noChanges,
  noRegistration,
  oid,
  type PdsBirth,
  type PdsRegistration,
  readPdsBirth,
  readPdsRegistered,
  readPdsRegistration,
  writePdsBirth,
  writePdsRegistered,
  writePdsRegistration,
} from './hl7v3.ts'

const wire = (element: XmlElement) => parseXml(writeXml(element))
const added = <Value extends object>(value: Value) => ({ ...value, updateMode: 'added' })
const item = <Value extends object>(value: Value, periods = 0) => ({ value: added(value), periods })

const name = { use: 'L', prefix: ['Ms'], given: ['Ottilie', 'Fern'], family: ['Testcase'], suffix: [] }
const home = {
  use: 'H',
  lines: ['', '31 Sample Street', '', 'Testham', ''],
  postalCode: 'ZZ99 3CZ',
  useablePeriod: { bounds: [{ bound: 'low' as const, value: '20200101' }] },
}
const authorities = [
  { code: { code: 'x', codeSystem: oid.registeringAuthority }, ids: [{ root: oid.organisation, extension: 'A20047' }] },
]
const practice = { root: oid.organisation, extension: 'A20047' }

const registration: PdsRegistration = {
  requests: 1,
  patients: 1,
  authorities,
  person: {
    ...noChanges,
    ids: [{ root: oid.nhsNumber, extension: '9990548609' }],
    names: [item(name)],
    addresses: [item(home, 1)],
    telecoms: [item({ use: 'MC', value: 'tel:07700900001' })],
    provisions: [added({ code: '1', effectiveTimes: [], organisations: [practice] })],
    gender: added({ code: '2' }),
    birthTime: added({ value: '19840701' }),
    deceasedTime: added({ value: '20260101' }),
    multipleBirth: added({ value: '1' }),
    language: added({ code: 'cy', interpreter: '1' }),
    contactMethod: added({ code: '3', times: 'after six' }),
    writtenFormat: added({ code: '12' }),
  },
  previousContacts: [{ code: '0', codeSystem: oid.previousContact }],
  others: [],
}

const birth: PdsBirth = {
  events: 1,
  babies: 1,
  authorities,
  ignoreDuplicates: ['false'],
  baby: {
    ...noChanges,
    names: [item(name)],
    addresses: [item(home, 1)],
    telecoms: [item({ use: 'HP', value: 'tel:01632960001' })],
    gender: added({ code: '2' }),
    birthTime: added({ value: '202611160411' }),
    deceasedTime: added({ value: '20261116' }),
    deathNotification: added({ code: '2', authored: false }),
    multipleBirth: added({ value: '1' }),
  },
  ethnicGroups: [{ code: 'A', codeSystem: oid.ethnicCategory }],
  weights: ['3405'],
  abnormalities: [{ code: 'N', codeSystem: oid.congenitalAbnormality }],
  stillbirths: [{ code: '2', codeSystem: oid.stillbirth }],
  foetuses: ['1'],
  gestations: ['39'],
  deliveries: 1,
  notifiers: [{ ...name, given: ['Joan'] }],
  places: [
    {
      code: { code: '0', codeSystem: oid.placeOfBirth },
      id: { root: oid.sdsOrganisation, extension: 'RR8G5' },
      addr: { lines: ['1 High Road'], city: 'Testham' },
      name: 'Testham Infirmary',
    },
    { addr: { lines: ['Home'] } },
  ],
  partners: [{ root: oid.sdsOrganisation, extension: 'RR801' }],
  responsible: [{ root: oid.sdsOrganisation, extension: 'Y98765' }],
  mothers: [
    {
      ids: [{ root: oid.nhsNumber, extension: '9990548617' }],
      birthTime: { value: '19831107' },
      names: [name],
      practices: [practice],
    },
  ],
}

describe('a request for a new number', () => {
  it('reads what it writes', () => {
    assert.deepEqual(readPdsRegistration(wire(writePdsRegistration(registration))), registration)
    const twice = { ...noRegistration, requests: 2 }
    assert.deepEqual(readPdsRegistration(wire(writePdsRegistration(twice))), twice)
  })

  it('is read with its parts in elements of their own, as senders of another edition write it', () => {
    const [request] = elementsOf(
      parseXml(
        `<x xmlns="urn:hl7-org:v3"><subject><PdsRegistrationRequest><subject><patientRole><patientPerson><COCT_MT000209UK01.PartAdminGenderCode><partPerson><administrativeGenderCode code="1"/></partPerson></COCT_MT000209UK01.PartAdminGenderCode><COCT_MT000203UK03.PartOfWhole><partPerson><name use="L"><family>Testcase</family></name></partPerson></COCT_MT000203UK03.PartOfWhole><militaryMembership/></patientPerson></patientRole></subject></PdsRegistrationRequest></subject></x>`,
      ),
    )
    assert.ok(request)
    const { person, others } = readPdsRegistration(request)
    assert.deepEqual([person.gender?.code, person.names[0]?.value.family], ['1', ['Testcase']])
    assert.deepEqual(others, ['militaryMembership'])
  })

  it('is answered with number and version, the version first', () => {
    const registered = { nhsNumber: '9990548609', serialChangeNumber: '1' }
    const subject = writePdsRegistered(registered)
    assert.deepEqual(readPdsRegistered(wire(subject)), registered)
    assert.match(
      writeXml(subject),
      /contextConductionInd="false"><PdsRegistrationResponse classCode="REG" moodCode="EVN"><pertinentInformation .*<subject typeCode="SBJ"><patientRole classCode="PAT"><id root="2\.16\.840\.1\.113883\.2\.1\.4\.1" extension="9990548609"/,
    )
    assert.equal(readPdsRegistered(parseXml('<subject xmlns="urn:hl7-org:v3"/>')), undefined)
  })
})

describe('a notification of a birth', () => {
  it('reads what it writes', () => {
    assert.deepEqual(readPdsBirth(wire(writePdsBirth(birth))), birth)
    assert.deepEqual(readPdsBirth(parseXml('<subject xmlns="urn:hl7-org:v3"/>')), noBirth)
  })

  it('takes a name that is not taken apart for a family name', () => {
    const read = readPdsBirth(
      parseXml(
        `<subject xmlns="urn:hl7-org:v3"><PdsRegistrationEvent><subject><patient><babyOf><obstetricCareProvision><author><notifier><assignedNotifierPerson><name>Midwife Attends</name></assignedNotifierPerson></notifier></author></obstetricCareProvision></babyOf></patient></subject></PdsRegistrationEvent></subject>`,
      ),
    )
    assert.deepEqual(read.notifiers[0]?.family, ['Midwife Attends'])
  })
})
