import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { parseXml, writeXml, type XmlElement } from '../xml/xml.ts'
import {
  type Ad,
  type Cd,
  daysOf,
  firstBroken,
  hl7,
  type Ii,
  type Ivl,
  oid,
  one,
  type PdsFormName,
  type PdsPerson,
  type PdsRelated,
  type Pn,
  pdsForms,
  type QueryParameters,
  readAd,
  readCd,
  readIi,
  readIvl,
  readMoment,
  readPdsSubject,
  readPn,
  readQuery,
  readTel,
  readTransmission,
  shownBy,
  structureRules,
  type Tel,
  type Transmission,
  writeAd,
  writeCd,
  writeIi,
  writeIvl,
  writeMoment,
  writePdsSubject,
  writePn,
  writeQuery,
  writeTel,
  writeTransmission,
} from './hl7v3.ts'

/** A record with the prototype that readers give. */
function record<Model extends object, Key extends keyof Model = keyof Model>(
  model: { [Member in keyof Model]: fc.Arbitrary<Model[Member]> },
  { requiredKeys }: { readonly requiredKeys?: readonly Key[] } = {},
) {
  return fc.record<Model, Key>(model, {
    noNullPrototype: true,
    ...(requiredKeys === undefined ? {} : { requiredKeys: [...requiredKeys] }),
  } as never)
}

const text = fc.stringMatching(/^[!-~éß€]([ -~éß€]{0,12}[!-~éß€])?$/)
const line = fc.oneof(text, fc.constant(''))
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`))
const day = digits(8)
const any = { updateMode: fc.constantFrom('added', 'altered', 'removed'), nullFlavor: fc.constantFrom('NI', 'UNK') }

const ii: fc.Arbitrary<Ii> = record(
  { root: text, extension: text, assigningAuthorityName: text, ...any },
  { requiredKeys: [] },
)
const cd: fc.Arbitrary<Cd> = record(
  {
    code: text,
    codeSystem: text,
    displayName: text,
    ...any,
    qualifiers: fc.array(
      fc.oneof(record({ code: text }), record({ value: record({ code: text, codeSystem: text }) })),
      { minLength: 1, maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)
const ivl: fc.Arbitrary<Ivl> = record(
  {
    value: day,
    bounds: fc.array(record({ bound: fc.constantFrom('low', 'high', 'center', 'width'), value: day }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: ['bounds'] },
)
const list = fc.array(text, { maxLength: 3 })
const pn: fc.Arbitrary<Pn> = record(
  { use: text, prefix: list, given: list, family: list, suffix: list, validTime: ivl, id: ii, ...any },
  { requiredKeys: ['prefix', 'given', 'family', 'suffix'] },
)
const ad: fc.Arbitrary<Ad> = record(
  {
    use: text,
    lines: fc.array(line, { maxLength: 5 }),
    postalCode: text,
    addressKey: text,
    city: text,
    county: text,
    country: text,
    description: text,
    useablePeriod: ivl,
    id: ii,
    ...any,
  },
  { requiredKeys: ['lines'] },
)
const tel: fc.Arbitrary<Tel> = record(
  { use: text, value: text, useablePeriod: ivl, id: ii, ...any },
  { requiredKeys: [] },
)

/** Through text, as over the wire. */
const wire = (element: XmlElement): XmlElement => parseXml(writeXml(element))

function roundTrip<Value>(
  values: fc.Arbitrary<Value>,
  write: (value: Value) => XmlElement,
  read: (element: XmlElement) => Value,
) {
  fc.assert(fc.property(values, (value) => assert.deepEqual(read(wire(write(value))), value)))
}

describe('data types', () => {
  it('read what they write', () => {
    roundTrip(ii, (value) => writeIi('id', value), readIi)
    roundTrip(cd, (value) => writeCd('code', value), readCd)
    roundTrip(ivl, (value) => writeIvl('value', value), readIvl)
    roundTrip(pn, (value) => writePn('name', value), readPn)
    roundTrip(ad, (value) => writeAd('addr', value), readAd)
    roundTrip(ad, (value) => writeAd('addr', value, { codeFirst: true }), readAd)
    roundTrip(tel, (value) => writeTel('telecom', value), readTel)
  })

  it('keep the empty lines of an address, whose places mean something', () => {
    const written = writeXml(
      writeAd('addr', { use: 'H', lines: ['', '1 Test Street', '', 'Testham', ''], postalCode: 'ZZ99 3CZ' }),
    )
    assert.equal(
      written,
      '<addr xmlns="urn:hl7-org:v3" use="H"><streetAddressLine/><streetAddressLine>1 Test Street</streetAddressLine><streetAddressLine/><streetAddressLine>Testham</streetAddressLine><streetAddressLine/><postalCode>ZZ99 3CZ</postalCode></addr>',
    )
  })
})

describe('time', () => {
  it('is read as precisely as it is written, and no day is invented', () => {
    assert.deepEqual(readMoment('1980'), { year: 1980 })
    assert.deepEqual(readMoment('198002'), { year: 1980, month: 2 })
    assert.deepEqual(readMoment('19800229'), { year: 1980, month: 2, day: 29 })
    assert.deepEqual(readMoment('20240201093000+0100'), { year: 2024, month: 2, day: 1, rest: '093000+0100' })
    for (const wrong of [
      '',
      '19',
      '198013',
      '19810229',
      '1980-02-29',
      '1980022',
      '1980022925',
      '0000',
      '19800229+01',
      'x',
    ])
      assert.equal(readMoment(wrong), undefined, wrong)
  })

  it('gives the days that a moment may mean', () => {
    assert.deepEqual(daysOf('198002'), { from: 19800201, to: 19800229 })
    assert.deepEqual(daysOf('1981'), { from: 19810101, to: 19811231 })
    assert.deepEqual(daysOf('198002291200'), { from: 19800229, to: 19800229 })
    assert.equal(daysOf('19810229'), undefined)
  })

  it('is written in UTC', () => {
    assert.equal(writeMoment(Date.parse('2026-11-26T01:02:03.999Z')), '20261126010203')
  })
})

const transmission: fc.Arbitrary<Transmission> = record(
  {
    interaction: fc.constantFrom('QUPA_IN000008UK05', 'MCCI_IN010000UK13'),
    id: fc.uuid(),
    creationTime: digits(14),
    versionCode: text,
    processingCode: fc.constant('P'),
    processingModeCode: fc.constant('T'),
    acceptAckCode: fc.constant('NE'),
    acknowledgement: record(
      {
        typeCode: fc.constantFrom('AA', 'AE', 'AR'),
        details: fc.array(record({ typeCode: text, code: cd }), { maxLength: 2 }),
        messageRef: fc.uuid(),
      },
      { requiredKeys: ['typeCode', 'details'] },
    ),
    receiver: digits(12),
    sender: digits(12),
    controlAct: record(
      {
        author: record({ roleProfile: digits(12), user: digits(12), jobRole: text }),
        systems: fc.array(record({ root: text, extension: text }), { minLength: 1, maxLength: 2 }),
        reasons: fc.array(cd, { maxLength: 3 }),
        content: fc.constant([]),
        queryResponse: fc.constantFrom('OK', 'ID'),
      },
      { requiredKeys: ['systems', 'reasons', 'content'] },
    ),
  },
  {
    requiredKeys: [
      'interaction',
      'id',
      'creationTime',
      'versionCode',
      'processingCode',
      'processingModeCode',
      'acceptAckCode',
      'receiver',
      'sender',
      'controlAct',
    ],
  },
)

/** A message that keeps every rule; each case spoils one thing. */
const sound = (query = '<query><person.id><value root="r" extension="e"/></person.id></query>') =>
  writeXml(
    writeTransmission({
      interaction: 'QUPA_IN000008UK05',
      id: '0A1B2C3D-0000-4000-8000-000000000001',
      creationTime: '20240201093000',
      versionCode: 'V3NPfIT4.2.00',
      processingCode: 'P',
      processingModeCode: 'T',
      acceptAckCode: 'NE',
      receiver: '200000000001',
      sender: '200000000002',
      controlAct: {
        author: { roleProfile: '555000000001', user: '555000000002', jobRole: 'S0030:G0100:R0570' },
        systems: [
          { root: oid.asid, extension: '200000000002' },
          { root: '1.2.826.0.1285.0.2.0.109', extension: 'desk-7' },
        ],
        reasons: [],
        content: [parseXml(query.replace('<query', '<query xmlns="urn:hl7-org:v3"'))],
      },
    }),
  )

describe('the transmission wrapper', () => {
  it('reads what it writes', () => roundTrip(transmission, writeTransmission, readTransmission))

  it('carries its content through', () => {
    const { controlAct } = readTransmission(parseXml(sound()))
    assert.deepEqual(
      controlAct.content.map(({ name }) => name),
      ['query'],
    )
  })

  it('keeps all thirteen rules, and each is broken by one fault', () => {
    assert.equal(firstBroken(parseXml(sound())), undefined)
    const spoilt: Readonly<Record<number, readonly [RegExp, string][]>> = {
      1: [
        [/<id root="0A1B2C3D[^>]*>/, ''],
        [/root="0A1B2C3D[^"]*"/, 'root=""'],
      ],
      2: [
        [/<creationTime[^>]*>/, '<creationTime value="20240201093000"/><creationTime value="20240201093000"/>'],
        [/<creationTime[^>]*>/, '<creationTime/>'],
      ],
      3: [[/<versionCode[^>]*>/, '<versionCode code=""/>']],
      4: [
        [/extension="QUPA_IN000008UK05"/, 'extension="QUPA_IN000005UK03"'],
        [/2\.16\.840\.1\.113883\.2\.1\.3\.2\.4\.12/, '1.2.3'],
      ],
      5: [
        [/extension="200000000001"/, 'extension=""'],
        [/<communicationFunctionRcv.*<\/communicationFunctionRcv>/, ''],
      ],
      6: [[/(<communicationFunctionSnd.*?)root="[^"]*"/, '$1root="1.2.3"']],
      7: [[/<ControlActEvent.*<\/ControlActEvent>/, '']],
      8: [[/(<author typeCode="AUT">.*<\/author>)/, '$1$1']],
      9: [[/<author1.*<\/author1>/, '']],
      10: [[/(<author1.*?)extension="200000000002"/, '$1extension=""']],
      11: [
        [/extension="555000000001"/, 'extension=""'],
        [/root="1.2.826.0.1285.0.2.0.65"/, 'root="1.2.3"'],
        [/<part .*<\/part>/, ''],
      ],
      12: [
        [/extension="desk-7"/, 'extension=""'],
        [/root="1.2.826.0.1285.0.2.0.109"/, ''],
      ],
      13: [
        [/<query>.*<\/query>/, ''],
        [/<\/query>/, '</query><subject><a/></subject>'],
        [/<query>.*<\/query>/, '<subject/>'],
      ],
    }
    for (const { row, name } of structureRules)
      for (const [pattern, by] of spoilt[row] ?? assert.fail(`row ${row} has no case`)) {
        const document = sound().replace(pattern, by)
        assert.notEqual(document, sound(), `row ${row}: ${pattern} met nothing`)
        const broken = firstBroken(parseXml(document))
        assert.deepEqual([broken?.row, broken?.name], [row, name], String(pattern))
      }
  })

  it('refuses to read a message without a wrapper, and says which rule', () => {
    for (const [document, rule] of [
      ['<a xmlns="urn:x"/>', 'INVALID_ID'],
      [sound().replace(/<versionCode[^>]*>/, ''), 'INVALID_VERSION_CODE'],
    ] as const)
      assert.throws(
        () => readTransmission(parseXml(document)),
        (error) =>
          isSpineError(error) && error.code === 'HL7V3_STRUCTURE' && (error.outcome as { rule: string }).rule === rule,
      )
  })
})

describe('queries', () => {
  const many = <Value>(values: fc.Arbitrary<Value>) => fc.array(values, { maxLength: 2 })
  const parameters: fc.Arbitrary<QueryParameters> = record({
    historicDataIndicator: many(cd),
    ignoreHistoryIndicator: many(cd),
    personAddress: many(ad),
    gender: many(cd),
    birthTime: many(ivl),
    deceasedTime: many(ivl),
    personId: many(ii),
    personName: many(pn),
    postcode: many(ad),
    primaryCareId: many(ii),
    searchParameter: many(cd),
    retrievalItem: many(text),
  })

  it('are read in both styles of senders', () => {
    for (const style of ['schema', 'live'] as const)
      roundTrip(parameters, (value) => writeQuery(value, style), readQuery)
  })

  it('are written as the schema has them, and as systems in use send them', () => {
    const value: QueryParameters = {
      ...readQuery(hl7('query')),
      personId: [{ root: oid.nhsNumber, extension: '9990548609' }],
    }
    assert.equal(
      writeXml(writeQuery(value, 'schema')),
      '<query xmlns="urn:hl7-org:v3"><person.id><semanticsText>Person.id</semanticsText><value root="2.16.840.1.113883.2.1.4.1" extension="9990548609"/></person.id></query>',
    )
    assert.equal(
      writeXml(writeQuery(value, 'live')),
      '<query xmlns="urn:hl7-org:v3"><person.id><value root="2.16.840.1.113883.2.1.4.1" extension="9990548609"/><semanticsText>person.id</semanticsText></person.id></query>',
    )
  })
})

describe('people in replies', () => {
  const plain = { root: text, extension: text }
  const related: fc.Arbitrary<PdsRelated> = record(
    {
      classCode: fc.constantFrom('PRS', 'GUARD', 'AGNT'),
      code: digits(2),
      effectiveTime: ivl,
      id: record(plain),
      position: digits(1),
      nextOfKin: fc.boolean(),
      correspondence: fc.boolean(),
      numbers: fc.array(record(plain), { maxLength: 1 }),
      names: fc.array(pn, { maxLength: 1 }),
      addresses: fc.array(ad, { maxLength: 1 }),
      telecoms: fc.array(tel, { maxLength: 2 }),
      language: record({ code: text, interpreter: fc.constantFrom('0', '1') }),
      contact: record({ method: digits(1), times: text }),
      writtenFormat: digits(2),
    },
    { requiredKeys: ['classCode', 'nextOfKin', 'correspondence', 'numbers', 'names', 'addresses', 'telecoms'] },
  )
  const person: fc.Arbitrary<PdsPerson> = record(
    {
      id: record(plain),
      serialChangeNumber: digits(2),
      confidentiality: fc.constant('Y'),
      gender: record({ code: fc.constantFrom('0', '1', '2', '9') }),
      birthTime: record({ value: day }),
      deceasedTime: record({ value: day }),
      multipleBirth: digits(1),
      birthplace: record({ lines: fc.constant([]), city: text, country: text }),
      language: record({ code: text, interpreter: fc.constantFrom('0', '1') }),
      provisions: fc.array(
        record(
          {
            code: fc.constantFrom('1', 'P1', 'P2'),
            effectiveTime: ivl,
            id: record(plain),
            organisation: record(plain),
          },
          { requiredKeys: ['code', 'organisation'] },
        ),
        { maxLength: 3 },
      ),
      addresses: fc.array(ad, { maxLength: 2 }),
      telecoms: fc.array(tel, { maxLength: 2 }),
      names: fc.array(pn, { maxLength: 2 }),
      deathNotification: fc.constantFrom('1', '2', 'U'),
      deathNotified: day,
      related: fc.array(related, { maxLength: 2 }),
      consents: fc.array(record({ type: text, value: text }), { maxLength: 2 }),
      contact: record({ method: digits(1), times: text }),
      writtenFormat: digits(2),
      removal: record({ reason: text, effectiveTime: ivl }, { requiredKeys: ['reason'] }),
      matchingLevel: digits(2),
    },
    { requiredKeys: ['id', 'provisions', 'addresses', 'telecoms', 'names', 'related', 'consents'] },
  )

  for (const name of Object.keys(pdsForms) as PdsFormName[])
    it(`${name}: what is read is what the form shows`, () => {
      fc.assert(
        fc.property(person, (it) => {
          assert.deepEqual(readPdsSubject(wire(writePdsSubject(name, [it]))), [shownBy(name, it)])
        }),
        { numRuns: 60 },
      )
    })

  it('names the parts of each edition by its own common types', () => {
    const it: PdsPerson = {
      id: { root: oid.nhsNumber, extension: '9990548609' },
      gender: { code: '2' },
      birthTime: { value: '19661111' },
      provisions: [],
      addresses: [],
      telecoms: [],
      names: [{ use: 'L', prefix: [], given: ['Sadia'], family: ['Testpatient'], suffix: [] }],
      related: [],
      consents: [],
    }
    const six = writeXml(writePdsSubject('retrieval-6', [it]))
    assert.match(
      six,
      /<patientPerson [^>]*><administrativeGenderCode code="2"\/><birthTime value="19661111"\/><COCT_MT000203UK02\.PartOfWhole/,
    )
    const seven = writeXml(writePdsSubject('retrieval-7', [it]))
    assert.match(
      seven,
      /<COCT_MT000203UK03\.PartOfWhole .*<COCT_MT000209UK01\.PartAdminGenderCode .*<COCT_MT000210UK01\.PartBirthTime /,
    )
    assert.match(writeXml(writePdsSubject('retrieval-3', [it])), /<PdsSuccessfulRetrieval /)
  })

  it('shows several people in an advanced trace alone', () => {
    const people = ['9990548609', '9990548617'].map(
      (extension): PdsPerson => ({
        id: { root: oid.nhsNumber, extension },
        provisions: [],
        addresses: [],
        telecoms: [],
        names: [],
        related: [],
        consents: [],
        matchingLevel: '91',
      }),
    )
    const subject = wire(writePdsSubject('advanced-trace', people))
    assert.deepEqual(
      readPdsSubject(subject).map(({ id, matchingLevel }) => [id.extension, matchingLevel]),
      [
        ['9990548609', '91'],
        ['9990548617', '91'],
      ],
    )
    assert.ok(one(subject, 'PdsTraceMatch'))
  })
})
