import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import type { FhirCodec } from './codec.ts'
import { dstu2 } from './dstu2.ts'
import { r4 } from './r4.ts'
import { stu3 } from './stu3.ts'
import type { Resource } from './types.ts'

/** `code path` of the error that the work throws. */
function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (!isSpineError(error)) throw error
    const { path } = error.outcome as { path?: string }
    return path === undefined ? error.code : `${error.code} ${path}`
  }
  return 'accepted'
}

/** JSON text and XML text say the same, each written from the other. */
function same(codec: FhirCodec, json: string, xml: string): void {
  assert.equal(codec.toXml(codec.fromJson(json)), xml)
  assert.equal(codec.toJson(codec.fromXml(xml)), json)
}

test('Patient in STU3: elements in order, repeats, primitive extensions, contained, narrative', () => {
  same(
    stu3,
    '{"resourceType":"Patient","id":"p1","meta":{"versionId":"7","profile":["https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1"]},' +
      '"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><p class=\\"n\\">A &amp; B<br/></p></div>"},' +
      '"contained":[{"resourceType":"Organization","id":"o1","name":"Invented Surgery"}],' +
      '"extension":[{"url":"urn:x","extension":[{"url":"y","valueBoolean":true}]}],' +
      '"identifier":[{"extension":[{"url":"urn:v","valueCodeableConcept":{"coding":[{"system":"urn:s","code":"01"}]}}],"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990548609"}],' +
      '"active":true,"name":[{"use":"official","family":"O\'Néill \\"X\\"","given":["Ann",null,"B"],"_given":[null,{"id":"g","extension":[{"url":"urn:n","valueCode":"u"}]},null]}],' +
      '"birthDate":"1980-01","_birthDate":{"extension":[{"url":"urn:t","valueDateTime":"1980-01-02T03:04:05+00:00"}]},"deceasedBoolean":false,"multipleBirthInteger":2,' +
      '"managingOrganization":{"reference":"#o1"}}',
    '<Patient xmlns="http://hl7.org/fhir"><id value="p1"/><meta><versionId value="7"/><profile value="https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Patient-1"/></meta>' +
      '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p class="n">A &amp; B<br/></p></div></text>' +
      '<contained><Organization><id value="o1"/><name value="Invented Surgery"/></Organization></contained>' +
      '<extension url="urn:x"><extension url="y"><valueBoolean value="true"/></extension></extension>' +
      '<identifier><extension url="urn:v"><valueCodeableConcept><coding><system value="urn:s"/><code value="01"/></coding></valueCodeableConcept></extension><system value="https://fhir.nhs.uk/Id/nhs-number"/><value value="9990548609"/></identifier>' +
      '<active value="true"/><name><use value="official"/><family value="O\'Néill &quot;X&quot;"/><given value="Ann"/><given id="g"><extension url="urn:n"><valueCode value="u"/></extension></given><given value="B"/></name>' +
      '<birthDate value="1980-01"><extension url="urn:t"><valueDateTime value="1980-01-02T03:04:05+00:00"/></extension></birthDate><deceasedBoolean value="false"/><multipleBirthInteger value="2"/>' +
      '<managingOrganization><reference value="#o1"/></managingOrganization></Patient>',
  )
})

test('Parameters in DSTU2, with parts', () => {
  same(
    dstu2,
    '{"resourceType":"Parameters","parameter":[{"name":"patientNHSNumber","valueIdentifier":{"system":"http://fhir.nhs.net/Id/nhs-number","value":"9990548609"}},' +
      '{"name":"timePeriod","valuePeriod":{"start":"2014-02-03","end":"2016"}},{"name":"x","part":[{"name":"y","resource":{"resourceType":"Binary","contentType":"text/plain","content":"eA=="}}]}]}',
    '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="patientNHSNumber"/><valueIdentifier><system value="http://fhir.nhs.net/Id/nhs-number"/><value value="9990548609"/></valueIdentifier></parameter>' +
      '<parameter><name value="timePeriod"/><valuePeriod><start value="2014-02-03"/><end value="2016"/></valuePeriod></parameter><parameter><name value="x"/><part><name value="y"/><resource><Binary><contentType value="text/plain"/><content value="eA=="/></Binary></resource></part></parameter></Parameters>',
  )
})

test('a document Bundle in DSTU2: Composition with a narrative in its section', () => {
  const div =
    '<div xmlns="http://www.w3.org/1999/xhtml"><h1>Summary</h1><table id="adm-tab"><tr><th>Date</th></tr></table></div>'
  same(
    dstu2,
    `{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"urn:c","resource":{"resourceType":"Composition","date":"2026-01-01","section":[{"title":"Summary","text":{"status":"generated","div":${JSON.stringify(div)}},"entry":[{"reference":"urn:p"}]}]}},{"resource":{"resourceType":"Patient","name":[{"family":["Jones"]}]}}]}`,
    `<Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/><entry><fullUrl value="urn:c"/><resource><Composition><date value="2026-01-01"/><section><title value="Summary"/><text><status value="generated"/>${div}</text><entry><reference value="urn:p"/></entry></section></Composition></resource></entry><entry><resource><Patient><name><family value="Jones"/></name></Patient></resource></entry></Bundle>`,
  )
})

test('Conformance in DSTU2 and OperationOutcome in R4', () => {
  same(
    dstu2,
    '{"resourceType":"Conformance","version":"0.7.4","fhirVersion":"1.0.2","format":["application/json+fhir","application/xml+fhir"],"rest":[{"mode":"server","resource":[{"type":"Patient","interaction":[{"code":"read"}],"readHistory":false}],"searchParam":[{"name":"_format","type":"token"}],"operation":[{"name":"gpc.getcarerecord","definition":{"reference":"urn:d"}}]}]}',
    '<Conformance xmlns="http://hl7.org/fhir"><version value="0.7.4"/><fhirVersion value="1.0.2"/><format value="application/json+fhir"/><format value="application/xml+fhir"/><rest><mode value="server"/><resource><type value="Patient"/><interaction><code value="read"/></interaction><readHistory value="false"/></resource><searchParam><name value="_format"/><type value="token"/></searchParam><operation><name value="gpc.getcarerecord"/><definition><reference value="urn:d"/></definition></operation></rest></Conformance>',
  )
  same(
    r4,
    '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","details":{"coding":[{"system":"urn:s","version":"1","code":"X"}]},"diagnostics":"a\\nb"}]}',
    '<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="value"/><details><coding><system value="urn:s"/><version value="1"/><code value="X"/></coding></details><diagnostics value="a&#10;b"/></issue></OperationOutcome>',
  )
})

test('decimals keep their text both ways', () => {
  for (const text of ['1.50', '0.00', '-1.0', '3', '1e3', '123456789012345678901234567890.5'])
    same(
      r4,
      `{"resourceType":"Observation","valueQuantity":{"value":${text}}}`,
      `<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="${text}"/></valueQuantity></Observation>`,
    )
})

test('XML is read with any prefix, order, comments, hints and white space', () => {
  const read = r4.fromXml(`\ufeff<?xml version="1.0" encoding="utf-8"?>
<!-- a comment --><?hint?>
<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">
  <f:birthDate value="1980-01-01"/><!-- out of order -->
  <f:name><f:given value="A"/><f:family value="F"></f:family><f:given value="B"/></f:name>
  <f:active value="true">
  </f:active>
</f:Patient>
`)
  assert.deepEqual(read, {
    resourceType: 'Patient',
    birthDate: '1980-01-01',
    name: [{ given: ['A', 'B'], family: 'F' }],
    active: true,
  })
  assert.equal(
    r4.toXml(read),
    '<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="F"/><given value="A"/><given value="B"/></name><birthDate value="1980-01-01"/></Patient>',
  )
})

test('a narrative stays as it was written, or is made to stand alone', () => {
  const divOf = (text: string): unknown =>
    (
      r4.fromXml(
        `<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:o="urn:o"><f:text><f:status value="generated"/>${text}</f:text></f:Patient>`,
      )['text'] as { div: string }
    ).div
  const own =
    '<div xmlns="http://www.w3.org/1999/xhtml" title=\'a"b\'  >x &#160;<!-- c --><![CDATA[<&]]>\n<p ></p></div>'
  assert.equal(divOf(own), own)
  assert.equal(divOf(own.replace('\n', '\r\n')), own)
  assert.equal(divOf(own.replace('<div ', '<div\r\n')), own.replace('<div ', '<div\n'))
  assert.equal(
    divOf('<h:div><h:p\r\nclass="a">x &lt;</h:p></h:div>'),
    '<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">x &lt;</p></div>',
  )
  assert.equal(
    divOf('<div xmlns="http://www.w3.org/1999/xhtml"><o:m h:k="1"/></div>'),
    '<div xmlns="http://www.w3.org/1999/xhtml"><o:m xmlns:o="urn:o" xmlns:h="http://www.w3.org/1999/xhtml" h:k="1"/></div>',
  )
  assert.equal(
    divOf('<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:b/></h:div>'),
    '<div xmlns="http://www.w3.org/1999/xhtml"><b/></div>',
  )
})

test('wrong XML is refused with the path of the element', () => {
  const patient = (inside: string, start = '<Patient xmlns="http://hl7.org/fhir">') => `${start}${inside}</Patient>`
  const cases: readonly (readonly [string, string])[] = [
    [patient('<foo value="1"/>'), 'FHIR_UNKNOWN_ELEMENT Patient.foo'],
    [patient('<name/><name><given value="A"/><nick value="B"/></name>'), 'FHIR_UNKNOWN_ELEMENT Patient.name[1].nick'],
    [
      patient('<name><given value="A"><given value="B"/></given></name>'),
      'FHIR_UNKNOWN_ELEMENT Patient.name[0].given[0].given',
    ],
    [patient('<name family="X"/>'), 'FHIR_UNKNOWN_ELEMENT Patient.name[0].@family'],
    [patient('<gender code="male"/>'), 'FHIR_UNKNOWN_ELEMENT Patient.gender.@code'],
    [patient('', '<Patient xmlns="http://hl7.org/fhir" id="1">'), 'FHIR_UNKNOWN_ELEMENT Patient.@id'],
    [patient('<id value="1"/><id value="2"/>'), 'FHIR_CARDINALITY Patient.id'],
    [
      patient('<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>'),
      'FHIR_CARDINALITY Patient.deceasedDateTime',
    ],
    [patient('<active value="1"/>'), 'FHIR_WRONG_TYPE Patient.active'],
    [patient('<multipleBirthInteger value="01"/>'), 'FHIR_WRONG_TYPE Patient.multipleBirthInteger'],
    [patient('<extension><url value="u"/></extension>'), 'FHIR_UNKNOWN_ELEMENT Patient.extension[0].url'],
    [patient('x'), 'FHIR_UNEXPECTED_TEXT Patient'],
    [patient('<name>x</name>'), 'FHIR_UNEXPECTED_TEXT Patient.name[0]'],
    [patient('<contained/>'), 'FHIR_CARDINALITY Patient.contained[0]'],
    [patient('<contained><Flag/><Flag/></contained>'), 'FHIR_CARDINALITY Patient.contained[0].Flag'],
    [patient('<contained><HumanName/></contained>'), 'FHIR_UNKNOWN_RESOURCE Patient.contained[0].HumanName'],
    [patient('<contained><Flag><x/></Flag></contained>'), 'FHIR_UNKNOWN_ELEMENT Patient.contained[0].x'],
    [patient('<contained x="1"/>'), 'FHIR_UNKNOWN_ELEMENT Patient.contained[0].@x'],
    [patient('<text><div>x</div></text>'), 'FHIR_WRONG_NAMESPACE Patient.text.div'],
    [
      patient('<text><div xmlns="http://www.w3.org/1999/xhtml"/><div xmlns="http://www.w3.org/1999/xhtml"/></text>'),
      'FHIR_CARDINALITY Patient.text.div',
    ],
    [patient('<name xmlns="urn:other"/>'), 'FHIR_WRONG_NAMESPACE Patient.name'],
    [patient('<resourceType value="Patient"/>'), 'FHIR_UNKNOWN_ELEMENT Patient.resourceType'],
    [patient('<__proto__/>'), 'FHIR_UNKNOWN_ELEMENT Patient.__proto__'],
    ['<Patient/>', 'FHIR_WRONG_NAMESPACE Patient'],
    ['<Patient xmlns="urn:hl7-org:v3"/>', 'FHIR_WRONG_NAMESPACE Patient'],
    ['<Patients xmlns="http://hl7.org/fhir"/>', 'FHIR_UNKNOWN_RESOURCE document'],
    ['<constructor xmlns="http://hl7.org/fhir"/>', 'FHIR_UNKNOWN_RESOURCE document'],
  ]
  for (const [xml, expected] of cases)
    assert.equal(
      refusal(() => r4.fromXml(xml)),
      expected,
      xml,
    )
})

test('wrong JSON is refused with the path of the element, reading and writing', () => {
  const cases: readonly (readonly [object | null, string])[] = [
    [null, 'FHIR_WRONG_TYPE resource'],
    [[], 'FHIR_WRONG_TYPE resource'],
    [{}, 'FHIR_UNKNOWN_RESOURCE resource'],
    [{ resourceType: 5 }, 'FHIR_UNKNOWN_RESOURCE resource'],
    [{ resourceType: 'toString' }, 'FHIR_UNKNOWN_RESOURCE resource'],
    [{ resourceType: 'Patient', foo: 1 }, 'FHIR_UNKNOWN_ELEMENT Patient.foo'],
    [{ resourceType: 'Patient', toString: 1 }, 'FHIR_UNKNOWN_ELEMENT Patient.toString'],
    [{ resourceType: 'Patient', name: { family: 'X' } }, 'FHIR_CARDINALITY Patient.name'],
    [{ resourceType: 'Patient', name: [{ family: ['X'] }] }, 'FHIR_CARDINALITY Patient.name[0].family'],
    [{ resourceType: 'Patient', name: ['X'] }, 'FHIR_WRONG_TYPE Patient.name[0]'],
    [{ resourceType: 'Patient', name: [null] }, 'FHIR_WRONG_TYPE Patient.name[0]'],
    [{ resourceType: 'Patient', birthDate: 1980 }, 'FHIR_WRONG_TYPE Patient.birthDate'],
    [{ resourceType: 'Patient', birthDate: null }, 'FHIR_WRONG_TYPE Patient.birthDate'],
    [{ resourceType: 'Patient', active: 'true' }, 'FHIR_WRONG_TYPE Patient.active'],
    [{ resourceType: 'Patient', multipleBirthInteger: '2' }, 'FHIR_WRONG_TYPE Patient.multipleBirthInteger'],
    [
      { resourceType: 'Patient', deceasedBoolean: true, deceasedDateTime: '2020' },
      'FHIR_CARDINALITY Patient.deceasedDateTime',
    ],
    [
      { resourceType: 'Patient', deceasedBoolean: true, _deceasedDateTime: { id: 'x' } },
      'FHIR_CARDINALITY Patient._deceasedDateTime',
    ],
    [{ resourceType: 'Patient', _name: [{ id: 'x' }] }, 'FHIR_UNKNOWN_ELEMENT Patient._name'],
    [{ resourceType: 'Patient', _birthDate: 'x' }, 'FHIR_WRONG_TYPE Patient._birthDate'],
    [{ resourceType: 'Patient', _birthDate: { value: 'x' } }, 'FHIR_UNKNOWN_ELEMENT Patient._birthDate.value'],
    [{ resourceType: 'Patient', gender: 'a\u0000b' }, 'FHIR_NOT_WRITABLE Patient.gender'],
    [{ resourceType: 'Patient', gender: '\ud800' }, 'FHIR_NOT_WRITABLE Patient.gender'],
    [
      { resourceType: 'Patient', text: { status: 'generated', div: '<p>x</p>' } },
      'FHIR_NARRATIVE_INVALID Patient.text.div',
    ],
    [
      { resourceType: 'Patient', contained: [{ resourceType: 'Flag', x: 1 }] },
      'FHIR_UNKNOWN_ELEMENT Patient.contained[0].x',
    ],
    [{ resourceType: 'Bundle', entry: [{ resource: [] }] }, 'FHIR_CARDINALITY Bundle.entry[0].resource'],
  ]
  for (const [value, expected] of cases) {
    const json = JSON.stringify(value)
    assert.equal(
      refusal(() => r4.fromJson(json)),
      expected,
      json,
    )
    assert.equal(
      refusal(() => r4.toXml(value as unknown as Resource)),
      expected,
      json,
    )
  }
})

test('a check finds all faults, also those that the formats can carry', () => {
  assert.deepEqual(
    stu3
      .check({
        resourceType: 'Appointment',
        status: '',
        start: 5,
        participant: [{}],
        slot: [],
        foo: 1,
        comment: undefined,
      })
      .map(({ code, path }) => `${code} ${path}`),
    [
      'FHIR_EMPTY Appointment.status',
      'FHIR_WRONG_TYPE Appointment.start',
      'FHIR_EMPTY Appointment.participant[0]',
      'FHIR_MISSING_ELEMENT Appointment.participant[0].status',
      'FHIR_EMPTY Appointment.slot',
      'FHIR_UNKNOWN_ELEMENT Appointment.foo',
    ],
  )
  assert.deepEqual(stu3.check({ resourceType: 'Parameters' }), [])
  assert.equal(stu3.check({ resourceType: 'Patient', name: Array.from({ length: 500 }, () => 'x') }).length, 100)
  // A hundred of one code hide no other, wherever it stands.
  const hidden = {
    resourceType: 'Patient',
    identifier: Array.from({ length: 300 }, () => ({ system: '', value: '' })),
    name: [{ text: '<script>', foo: 1 }],
    active: 'yes',
  }
  const found = stu3.check(hidden)
  assert.deepEqual(
    found.filter(({ code }) => code !== 'FHIR_EMPTY').map(({ code, path }) => `${code} ${path}`),
    ['FHIR_UNKNOWN_ELEMENT Patient.name[0].foo', 'FHIR_WRONG_TYPE Patient.active'],
  )
  assert.equal(found.length, 102)
  const empty = '{"resourceType":"Patient","identifier":[{"system":"","value":""}]}'
  assert.equal(stu3.toJson(stu3.fromXml(stu3.toXml(stu3.fromJson(empty)))), empty)
})

test('lenient reading mends lists of one, single values and nulls, and nothing else', () => {
  const lenient = (json: object) => stu3.fromJson(JSON.stringify(json), { lenient: true })
  assert.deepEqual(
    lenient({
      resourceType: 'Parameters',
      parameter: {
        name: ['a'],
        valueString: null,
        resource: {
          resourceType: 'Patient',
          gender: null,
          name: [
            { given: ['A', null], _given: [null, { id: 'g' }], family: ['F'], prefix: 'Dr', suffix: [null] },
            null,
          ],
          contact: [],
          managingOrganization: { identifier: [{ system: 'urn:s', value: 'XX1' }] },
          contained: { resourceType: 'Flag', status: ['active'] },
        },
      },
    }),
    {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'a',
          resource: {
            resourceType: 'Patient',
            name: [{ given: ['A', null], _given: [null, { id: 'g' }], family: 'F', prefix: ['Dr'] }],
            managingOrganization: { identifier: { system: 'urn:s', value: 'XX1' } },
            contained: [{ resourceType: 'Flag', status: 'active' }],
          },
        },
      ],
    },
  )
  assert.equal(
    refusal(() => lenient({ resourceType: 'Patient', gender: ['male', 'female'] })),
    'FHIR_CARDINALITY Patient.gender',
  )
  assert.equal(
    refusal(() => lenient({ resourceType: 'Patient', sex: 'male' })),
    'FHIR_UNKNOWN_ELEMENT Patient.sex',
  )
  assert.equal(
    refusal(() => lenient({ resourceType: 'Patient', active: 'true' })),
    'FHIR_WRONG_TYPE Patient.active',
  )
  assert.equal(
    refusal(() => stu3.fromJson('{"resourceType":"Patient","name":{}}')),
    'FHIR_CARDINALITY Patient.name',
  )
})

test('lenient reading leaves sound resources as they are', () => {
  const sound =
    '{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"g"}]}],"_birthDate":{"id":"b"},"active":true}'
  assert.equal(stu3.toJson(stu3.fromJson(sound, { lenient: true })), sound)
})

test('comments that DSTU2 allowed in JSON are passed over', () => {
  const xml = dstu2.toXml(
    dstu2.fromJson(
      '{"resourceType":"Patient","fhir_comments":["x"],"gender":"male","_gender":{"fhir_comments":["y"],"id":"g"}}',
    ),
  )
  assert.equal(xml, '<Patient xmlns="http://hl7.org/fhir"><gender id="g" value="male"/></Patient>')
})

test('hostile documents are refused quickly, and never with anything but an error of the family', () => {
  const started = process.threadCpuUsage()
  const open = '<Patient xmlns="http://hl7.org/fhir">'
  assert.equal(
    refusal(() => r4.fromXml(`<!DOCTYPE x [<!ENTITY a "b">]>${open}</Patient>`)),
    'XML_DTD_FORBIDDEN',
  )
  assert.equal(
    refusal(() => r4.fromXml(open + '<extension url="x">'.repeat(200_000))),
    'XML_TOO_DEEP',
  )
  assert.equal(
    refusal(() => r4.fromXml(`${open}<text><div xmlns="http://www.w3.org/1999/xhtml">${'<b>'.repeat(200_000)}`)),
    'XML_TOO_DEEP',
  )
  assert.equal(
    refusal(() => r4.fromXml(`${open}<id value="${'x'.repeat(2_000_000)}"/></Patient>`, { text: 1_000_000 })),
    'XML_TOO_MUCH_TEXT',
  )
  assert.equal(
    refusal(() => r4.fromXml(`${open}</Patient>`, { bytes: 10 })),
    'XML_TOO_LARGE',
  )
  assert.equal(
    refusal(() => r4.fromXml(Buffer.from([0x3c, 0x61, 0xff]))),
    'XML_ENCODING',
  )
  const nested = `${'{"extension":['.repeat(100_000)}`
  assert.equal(
    refusal(() => r4.fromJson(`{"resourceType":"Patient","extension":[${nested}`)).split(' ')[0],
    'FHIR_TOO_DEEP',
  )
  let deep: Record<string, unknown> = { url: 'x' }
  for (let i = 0; i < 10_000; i++) deep = { url: 'x', extension: [deep] }
  assert.match(
    refusal(() => r4.toXml({ resourceType: 'Patient', extension: [deep] } as Resource)),
    /^FHIR_TOO_DEEP/,
  )
  const { user, system } = process.threadCpuUsage(started)
  assert.ok(user + system < 5_000_000, `${user + system} µs`)
})

test('a truncated or changed document is read or refused, nothing else', () => {
  const bytes = Buffer.from(
    '<Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/><entry><resource><Patient><text><status value="empty"/><div xmlns="http://www.w3.org/1999/xhtml"><p>é</p></div></text><active value="true"/></Patient></resource></entry></Bundle>',
  )
  for (let length = 0; length < bytes.length; length++)
    assert.match(
      refusal(() => r4.fromXml(bytes.subarray(0, length))),
      /^(XML|FHIR)_/,
      `${length} bytes`,
    )
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 32, max: 126 }), (at, value) => {
      const changed = Buffer.from(bytes)
      changed[at] = value
      const outcome = refusal(() => {
        const read = r4.fromXml(changed)
        assert.deepEqual(r4.fromXml(r4.toXml(read)), read)
      })
      assert.match(outcome, /^(accepted|(XML|FHIR)_\w+)/)
    }),
    { numRuns: 1500 },
  )
})

test('a lenient reader passes over what this version does not know, and still judges what it knows', () => {
  const xml = (inside: string) =>
    `<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>${inside}<entry><resource><Patient future="1"><id value="p1"><novelty>text <b/></novelty></id><novelty value="x"><deeper><id value="no"/></deeper></novelty><o:other xmlns:o="urn:o">text</o:other><active value="true"/></Patient></resource></entry></Bundle>`
  const novel = '<entry><resource><Novelty><id value="n1"/></Novelty></resource></entry>'
  assert.deepEqual(stu3.fromXml(xml(novel), { lenient: true }), {
    resourceType: 'Bundle',
    type: 'collection',
    entry: [{}, { resource: { resourceType: 'Patient', id: 'p1', active: true } }],
  })
  assert.equal(
    refusal(() => stu3.fromXml(xml(novel))),
    'FHIR_UNKNOWN_RESOURCE Bundle.entry[0].resource.Novelty',
  )
  assert.equal(
    refusal(() => stu3.fromXml(xml('<total value="many"/>'), { lenient: true })),
    'FHIR_WRONG_TYPE Bundle.total',
  )
  assert.equal(
    refusal(() => stu3.fromXml('<Novelty xmlns="http://hl7.org/fhir"/>', { lenient: true })),
    'FHIR_UNKNOWN_RESOURCE document',
  )
})
