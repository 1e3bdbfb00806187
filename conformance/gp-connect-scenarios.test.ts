/**
 * Scenarios of GP Connect derived from its specification, for both generations: each is run direct and through the
 * secure proxy, in JSON and in XML, over mutual TLS.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { workedExamplePatients as people } from '@openspine/practice'
import type { AnyResource } from '@openspine/standards/fhir'
import { type Answered, type Asked, asker, resourcesOf, type Way, ways } from './gp-connect.ts'
import {
  about,
  allergies,
  careRecord,
  day,
  documentIncludes,
  enc,
  everything,
  finding,
  free,
  migration,
  nhsNumber,
  ods,
  organisation,
  type Part,
  patientById,
  reading,
  sdsUser,
  searchPatient,
  slots,
  structured,
  who,
} from './gp-connect-requests.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

let sandbox: Sandbox
let sender: Awaited<ReturnType<typeof asker>>
before(async () => {
  sandbox = await startSandbox()
  sender = await asker(sandbox)
})
after(async () => {
  sender?.close()
  await sandbox?.stop()
})

interface Scenario extends Asked {
  readonly clause: string
  readonly name: string
  readonly status: number
  readonly code?: string
  /** Where the proxy refuses what the practice itself would refuse in its own way. */
  readonly byProxy?: number
  holds?(answered: Answered): void
}

const ofType = (answered: Answered, type: string): readonly AnyResource[] =>
  resourcesOf(answered.resource).filter(({ resourceType }) => resourceType === type)
/** The first of a type, which must be there. */
function firstOf(answered: Answered, type: string): AnyResource {
  const [resource] = ofType(answered, type)
  assert.ok(resource, `there is no ${type} in the answer`)
  return resource
}
const isSearchset =
  (matches: number) =>
  ({ resource }: Answered): void => {
    assert.equal(resource.resourceType, 'Bundle')
    assert.equal(resource['type'], 'searchset')
    assert.equal(resourcesOf(resource).length, matches)
    for (const entry of (resource['entry'] ?? []) as { fullUrl?: string }[]) assert.equal(entry.fullUrl, undefined)
  }
const hasProfile =
  (type: string, profile: string) =>
  ({ resource, headers }: Answered): void => {
    assert.equal(resource.resourceType, type)
    assert.deepEqual(resource.meta?.profile, [`https://fhir.nhs.uk/STU3/StructureDefinition/${profile}`])
    assert.equal(headers['etag'], `W/"${resource.meta?.versionId}"`)
  }

const scenarios: readonly Scenario[] = [
  // Headers and types (§2.4, §4.1, §4.2)
  ...(['Ssp-TraceID', 'Ssp-From', 'Ssp-To', 'Ssp-InteractionID', 'Authorization'] as const).map(
    (name): Scenario => ({
      ...reading('Location', 'site-1'),
      clause: '4.2',
      name: `without ${name}`,
      headers: { [name]: undefined },
      status: 400,
    }),
  ),
  {
    ...reading('Location', 'site-1'),
    clause: '4.2',
    name: 'with the ASID of another system as receiver',
    headers: { 'Ssp-To': '200000100012' },
    status: 400,
    byProxy: 403,
  },
  {
    ...patientById('any'),
    interaction: 'fhir:rest:read:location-1',
    clause: '4.2',
    name: 'with the interaction of another resource',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...reading('Location', 'site-1'),
    clause: '4.1',
    name: 'asking for a type that is not spoken',
    headers: { Accept: 'text/html' },
    status: 415,
    code: 'BAD_REQUEST',
  },
  ...['application/fhir+json', 'application/fhir%2Bxml'].map(
    (format): Scenario => ({
      ...reading('Location', `site-1?_format=${format}`),
      clause: '4.1',
      name: `with _format=${format}`,
      status: 200,
      holds: ({ headers }) =>
        assert.match(String(headers['content-type']), format.includes('xml') ? /fhir\+xml/ : /fhir\+json/),
    }),
  ),
  { ...reading('location', 'site-1'), clause: '4.1', name: 'a resource in the wrong case', status: 404 },
  {
    ...reading('Location', 'site-1'),
    method: 'PUT',
    clause: '4.2',
    name: 'a verb that does not fit',
    status: 405,
  },
  // Token (§3.2)
  ...(
    [
      ['that lives longer than five minutes', (claims) => ({ ...claims, exp: Number(claims['iat']) + 301 }), 400],
      ['that is over', (claims) => ({ ...claims, iat: 1, exp: 301 }), 400],
      ['for another reason', (claims) => ({ ...claims, reason_for_request: 'secondaryuses' }), 400],
      ['with the wrong scope', (claims) => ({ ...claims, requested_scope: 'patient/*.write' }), 400],
      ['with a requested_record', (claims) => ({ ...claims, requested_record: { resourceType: 'Patient' } }), 400],
      ['without an issuer', ({ iss: _, ...claims }) => claims, 400],
      ['whose subject is somebody else', (claims) => ({ ...claims, sub: 'another' }), 400],
      [
        'whose device is another resource',
        (claims) => ({
          ...claims,
          requesting_device: { ...(claims['requesting_device'] as object), resourceType: 'Patient' },
        }),
        422,
      ],
      [
        'whose organisation has an unknown member',
        (claims) => ({
          ...claims,
          requesting_organization: { ...(claims['requesting_organization'] as object), colour: 'red' },
        }),
        422,
      ],
    ] as readonly [string, NonNullable<Asked['claims']>, 400 | 422][]
  ).map(
    ([name, claims, status]): Scenario => ({
      ...reading('Location', 'site-1'),
      clause: '3.2',
      name: `with a token ${name}`,
      claims,
      status,
      code: status === 400 ? 'BAD_REQUEST' : 'INVALID_RESOURCE',
    }),
  ),
  // Foundations (§4.3, §8)
  ...(['gpconnect', 'structured', 'documents'] as const).map(
    (base): Scenario => ({
      base,
      clause: '8.1',
      name: `the capabilities of ${base}`,
      interaction: `${base === 'gpconnect' ? '' : `${base}:`}fhir:rest:read:metadata-1`,
      path: '/metadata',
      scope: organisation,
      status: 200,
      holds({ resource }) {
        assert.equal(resource.resourceType, 'CapabilityStatement')
        assert.equal(resource['fhirVersion'], '3.0.1')
        assert.equal(resource['kind'], 'capability')
        assert.equal(resource['acceptUnknown'], 'both')
      },
    }),
  ),
  {
    ...searchPatient(`?identifier=${enc(`${nhsNumber}|${who}`)}`),
    clause: '8.2',
    name: 'finds a patient by NHS number',
    status: 200,
    holds(answered) {
      isSearchset(1)(answered)
      const [identifier] = firstOf(answered, 'Patient')['identifier'] as {
        system: string
        value: string
        extension: { url: string }[]
      }[]
      assert.deepEqual([identifier?.system, identifier?.value], [nhsNumber, who])
      assert.match(String(identifier?.extension[0]?.url), /NHSNumberVerificationStatus-1$/)
    },
  },
  {
    ...searchPatient(`?_format=application/fhir%2Bjson&identifier=${enc(`${nhsNumber}|${people.dissent}`)}`),
    clause: '8.2',
    name: 'finds a patient who does not share the record',
    status: 200,
    holds: isSearchset(1),
  },
  ...([people.inactive, people.sensitive, people.deceasedRecently, '9990100144'] as const).map(
    (number): Scenario => ({
      ...searchPatient(`?identifier=${enc(`${nhsNumber}|${number}`)}`),
      clause: '8.2',
      name: `finds nobody for ${number}`,
      status: 200,
      holds: isSearchset(0),
    }),
  ),
  ...(
    [
      ['', 400, 'BAD_REQUEST'],
      [`?Identifier=${enc(`${nhsNumber}|${who}`)}`, 400, 'BAD_REQUEST'],
      [`?identifier=${enc(`${nhsNumber}|${who}`)}&identifier=${enc(`${nhsNumber}|${who}`)}`, 400, 'BAD_REQUEST'],
      [`?identifier=${who}`, 422, 'INVALID_PARAMETER'],
      [`?identifier=${enc(`|${who}`)}`, 422, 'INVALID_PARAMETER'],
      [`?identifier=${enc(`${nhsNumber}|`)}`, 422, 'INVALID_PARAMETER'],
      [`?identifier=${enc(`${nhsNumber}|${who}|1`)}`, 422, 'INVALID_PARAMETER'],
      [`?identifier=${enc(`${sdsUser}|${who}`)}`, 400, 'INVALID_IDENTIFIER_SYSTEM'],
      [`?identifier=${enc(`${nhsNumber}|9990548600`)}`, 400, 'INVALID_NHS_NUMBER'],
    ] as const
  ).map(
    ([query, status, code]): Scenario => ({
      ...searchPatient(query),
      clause: '4.3',
      name: `searches with ${query === '' ? 'no identifier' : decodeURIComponent(query)}`,
      status,
      code,
    }),
  ),
  ...['z.as.dd', '40-95-3', 'x'.repeat(64)].map(
    (id): Scenario => ({
      ...patientById(id),
      clause: '8.2',
      name: `reads patient ${id}`,
      status: 404,
      code: 'PATIENT_NOT_FOUND',
    }),
  ),
  {
    ...finding('Practitioner', enc(`${sdsUser}|555000000101`)),
    clause: '8.2',
    name: 'finds a practitioner',
    status: 200,
    holds: isSearchset(1),
  },
  {
    ...reading('Practitioner', 'gp-1'),
    clause: '8.2',
    name: 'reads a practitioner',
    status: 200,
    holds: hasProfile('Practitioner', 'CareConnect-GPC-Practitioner-1'),
  },
  {
    ...reading('Practitioner', 'gp-9'),
    clause: '8.2',
    name: 'reads no practitioner',
    status: 404,
    code: 'PRACTITIONER_NOT_FOUND',
  },
  {
    ...finding('Organization', enc(`${ods}|A20047`)),
    clause: '8.2',
    name: 'finds the organisation',
    status: 200,
    holds: isSearchset(1),
  },
  {
    ...reading('Organization', 'A20047'),
    clause: '8.2',
    name: 'reads the organisation',
    status: 200,
    holds: hasProfile('Organization', 'CareConnect-GPC-Organization-1'),
  },
  {
    ...reading('Organization', 'Z9'),
    clause: '8.2',
    name: 'reads no organisation',
    status: 404,
    code: 'ORGANISATION_NOT_FOUND',
  },
  {
    ...reading('Location', 'site-1'),
    clause: '8.2',
    name: 'reads a location',
    status: 200,
    holds: hasProfile('Location', 'CareConnect-GPC-Location-1'),
  },
  { ...reading('Location', 'site-9'), clause: '8.2', name: 'reads no location', status: 404, code: 'NO_RECORD_FOUND' },
  // Structured record (§9)
  {
    ...structured(about(who), ...everything),
    clause: '9.2',
    name: 'gets every area, closed in itself',
    status: 200,
    holds(answered) {
      const { resource, trace } = answered
      assert.equal(resource['type'], 'collection')
      assert.equal(resource.id, trace)
      const held = new Set(resourcesOf(resource).map(({ resourceType, id }) => `${resourceType}/${id}`))
      for (const [, reference = ''] of answered.text.matchAll(/"reference":"((?!#)[^"]+)"/g))
        assert.ok(held.has(reference), `${reference} leads nowhere`)
      const codes = ofType(answered, 'List').map(({ code }) => (code as { coding: { code: string }[] }).coding[0]?.code)
      for (const area of [
        '886921000000105',
        '1103671000000101',
        '933361000000108',
        '1149501000000101',
        '717711000000103',
        '1102181000000102',
        '826501000000100',
        '887191000000108',
        '792931000000107',
        '714311000000108',
      ])
        assert.ok(codes.includes(area), `the list ${area} is not there`)
      for (const list of ofType(answered, 'List').filter(
        ({ code }) => !/Topic|heading|Consultation$/i.test(JSON.stringify(code)),
      ))
        assert.equal(list.meta?.versionId, undefined)
    },
  },
  {
    ...structured(about(people.noData), allergies),
    clause: '9.2',
    name: 'says of an empty list why it is empty',
    status: 200,
    holds(answered) {
      for (const list of ofType(answered, 'List')) {
        assert.equal(list['entry'], undefined)
        assert.match(JSON.stringify(list['emptyReason']), /no-content-recorded/)
      }
    },
  },
  {
    ...structured(about(who), { name: 'includeSomethingElse' }),
    clause: '9.1',
    name: 'warns of a parameter that it does not know',
    status: 200,
    holds(answered) {
      const [issue] = firstOf(answered, 'OperationOutcome')['issue'] as { severity: string; diagnostics: string }[]
      assert.deepEqual([issue?.severity, issue?.diagnostics], ['warning', 'includeSomethingElse'])
    },
  },
  ...(
    [
      ['without a patient', [allergies], 422, 'INVALID_PARAMETER'],
      ['with an invalid NHS number', [about('9990548600')], 400, 'INVALID_NHS_NUMBER'],
      ['with another identifier system', [about(who, sdsUser)], 400, 'INVALID_IDENTIFIER_SYSTEM'],
      ['for allergies without saying which', [about(who), { name: 'includeAllergies' }], 422, 'INVALID_PARAMETER'],
      [
        'from a part of a date',
        [about(who), { name: 'includeMedication', part: [{ name: 'medicationSearchFromDate', valueDate: '2020-01' }] }],
        422,
        'INVALID_PARAMETER',
      ],
      [
        'from a day to come',
        [
          about(who),
          { name: 'includeMedication', part: [{ name: 'medicationSearchFromDate', valueDate: '2999-01-01' }] },
        ],
        422,
        'INVALID_PARAMETER',
      ],
      [
        'for problems of an unknown status',
        [about(who), { name: 'includeProblems', part: [{ name: 'filterStatus', valueCode: 'gone' }] }],
        422,
        'INVALID_PARAMETER',
      ],
      [
        'for consultations and a filter of problems',
        [
          about(who),
          { name: 'includeConsultations' },
          { name: 'includeProblems', part: [{ name: 'filterStatus', valueCode: 'active' }] },
        ],
        422,
        'INVALID_PARAMETER',
      ],
      ['of a patient unknown here', [about('9990100144')], 404, 'PATIENT_NOT_FOUND'],
      ['of a sensitive patient', [about(people.sensitive)], 404, 'PATIENT_NOT_FOUND'],
      ['of a patient who died', [about(people.deceasedRecently)], 404, 'PATIENT_NOT_FOUND'],
      ['of a patient who does not share', [about(people.dissent)], 403, 'NO_PATIENT_CONSENT'],
    ] as readonly [string, readonly Part[], number, string][]
  ).map(
    ([name, parts, status, code]): Scenario => ({
      ...structured(...parts),
      clause: '9.1',
      name: `asks for a structured record ${name}`,
      status,
      code,
    }),
  ),
  { ...migration(true, 'patient/*.read conf/R'), clause: '9.6', name: 'migrates a record', status: 200 },
  {
    ...migration(true, 'patient/*.read conf/N'),
    clause: '9.6',
    name: 'does not migrate what is sensitive without leave',
    status: 403,
    code: 'NOT_AUTHORISED',
  },
  // Slots (§10.1)
  {
    ...slots(free),
    clause: '10.1',
    name: 'finds free slots with their schedules',
    status: 200,
    holds(answered) {
      const found = ofType(answered, 'Slot')
      assert.ok(found.length > 0)
      for (const slot of found) assert.equal(slot['status'], 'free')
      const schedules = new Set(ofType(answered, 'Schedule').map(({ id }) => `Schedule/${id}`))
      for (const slot of found) assert.ok(schedules.has((slot['schedule'] as { reference: string }).reference))
      assert.equal(ofType(answered, 'Practitioner').length, 0)
    },
  },
  ...(
    [
      [free.replace('&status=free', ''), 400, 'BAD_REQUEST'],
      [free.replace('&_include=Slot:schedule', ''), 400, 'BAD_REQUEST'],
      [free.replace('start=ge', 'start=gt'), 422, 'INVALID_PARAMETER'],
      [free.replace('status=free', 'status=busy'), 422, 'INVALID_PARAMETER'],
      [free.replace(day(7), day(16)), 422, 'INVALID_PARAMETER'],
      [free.replace(day(7), day(-1)), 422, 'INVALID_PARAMETER'],
      [free.replace(day(7), '2027-01'), 422, 'INVALID_PARAMETER'],
    ] as const
  ).map(
    ([query, status, code]): Scenario => ({
      ...slots(query),
      clause: '10.1',
      name: `searches slots with ${query}`,
      status,
      code,
    }),
  ),
  {
    base: 'gpconnect',
    interaction: 'fhir:rest:read:appointment-1',
    path: '/Appointment/none',
    clause: '10.4',
    name: 'reads no appointment',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
  // Documents (§11)
  {
    base: 'documents',
    interaction: 'documents:fhir:rest:read:binary-1',
    path: '/Binary/doc-1',
    clause: '11',
    name: 'reads a document',
    status: 200,
    holds: ({ resource }) => assert.equal(resource['contentType'], 'text/plain'),
  },
  {
    base: 'documents',
    interaction: 'documents:fhir:rest:read:binary-1',
    path: '/Binary/doc-9',
    clause: '11',
    name: 'reads no document',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
  // Access Record HTML (§7)
  ...['SUM', 'ENC', 'CLI', 'PRB', 'ALL', 'MED', 'REF', 'OBS', 'IMM', 'ADM'].map(
    (section): Scenario => ({
      ...careRecord(section),
      clause: '7.7',
      name: `gets section ${section}`,
      status: 200,
      holds(answered) {
        assert.equal(ofType(answered, 'Composition').length, 1)
        const [{ code }] = firstOf(answered, 'Composition')['section'] as [
          { code: { coding: { code: string; display: string }[] } },
        ]
        assert.equal(code.coding[0]?.code, section)
        assert.ok(code.coding[0]?.display)
        const [first] = answered.resource['entry'] as { resource: AnyResource }[]
        assert.equal(first?.resource.resourceType, 'Composition')
      },
    }),
  ),
  ...(
    [
      ['INV', who, undefined, 422, 'INVALID_PARAMETER'],
      ['enc', who, undefined, 422, 'INVALID_PARAMETER'],
      ['SUM', who, { start: '2014' }, 400, 'BAD_REQUEST'],
      ['ENC', who, { start: '2016', end: '2014' }, 422, 'INVALID_PARAMETER'],
      ['ENC', people.sensitive, undefined, 404, 'PATIENT_NOT_FOUND'],
      ['ENC', people.deceasedLongAgo, undefined, 404, 'PATIENT_NOT_FOUND'],
      ['ENC', people.dissent, undefined, 403, 'NO_PATIENT_CONSENT'],
      ['ENC', people.organisationDissent, undefined, 403, 'NO_ORGANISATION_CONSENT'],
      ['ENC', people.registeredElsewhere, undefined, 403, 'NON_AUTHORITATIVE'],
    ] as const
  ).map(
    ([section, patient, period, status, code]): Scenario => ({
      ...careRecord(section, patient, period),
      clause: '7.2',
      name: `asks for ${section} of ${patient}${period === undefined ? '' : ` in ${JSON.stringify(period)}`}`,
      status,
      code,
    }),
  ),
  {
    base: 'html',
    interaction: 'fhir:rest:read:metadata',
    path: '/metadata',
    scope: organisation,
    clause: '7.8',
    name: 'the conformance statement of 0.x',
    status: 200,
    holds({ resource }) {
      assert.equal(resource.resourceType, 'Conformance')
      assert.equal(resource['fhirVersion'], '1.0.2')
    },
  },
]

function check({ door }: Way, scenario: Scenario, answered: Answered): void {
  const byProxy = door === 'proxy' && scenario.byProxy !== undefined
  assert.equal(answered.status, byProxy ? scenario.byProxy : scenario.status, answered.text.slice(0, 600))
  assert.equal(answered.headers['cache-control'], 'no-store')
  if (byProxy || answered.status === 200) return
  assert.equal(answered.resource.resourceType, 'OperationOutcome')
  if (scenario.code !== undefined) assert.equal(answered.code, scenario.code, answered.text.slice(0, 600))
}

for (const way of ways)
  describe(`${way.door === 'proxy' ? 'through the proxy' : 'direct'}, in ${way.format}`, () => {
    for (const scenario of scenarios)
      it(`§${scenario.clause} ${scenario.name}: ${scenario.status}${scenario.code ? ` ${scenario.code}` : ''}`, async () => {
        const answered = await sender.ask(way, scenario)
        check(way, scenario, answered)
        scenario.holds?.(answered)
      })

    it('§8.2, §11 reads the patient that a search found, and the documents', async () => {
      const found = await sender.ask(way, searchPatient(`?identifier=${enc(`${nhsNumber}|${who}`)}`))
      const id = resourcesOf(found.resource)[0]?.id ?? ''
      const read = await sender.ask(way, patientById(id))
      assert.equal(read.status, 200)
      hasProfile('Patient', 'CareConnect-GPC-Patient-1')(read)
      const search = (query: string): Asked => ({
        base: 'documents',
        interaction: 'documents:fhir:rest:search:documentreference-1',
        path: `/Patient/${id}/DocumentReference?${query}`,
      })
      const documents = await sender.ask(way, search(documentIncludes))
      assert.equal(documents.status, 200, documents.text.slice(0, 400))
      assert.equal(ofType(documents, 'DocumentReference').length, 3)
      const refused = await sender.ask(way, search(documentIncludes.split('&').slice(1).join('&')))
      assert.deepEqual([refused.status, refused.code], [422, 'INVALID_PARAMETER'])
    })

    it('§10 books, reads, amends and cancels an appointment, and books no slot twice', async () => {
      const patients = await sender.ask(way, searchPatient(`?identifier=${enc(`${nhsNumber}|${who}`)}`))
      const patient = `Patient/${resourcesOf(patients.resource)[0]?.id}`
      const found = await sender.ask(way, slots(free))
      const slot = firstOf(found, 'Slot')
      const wanted = (slot['schedule'] as { reference: string }).reference
      const schedule = ofType(found, 'Schedule').find(({ id }) => `Schedule/${id}` === wanted)
      assert.ok(schedule)
      const location = (schedule['actor'] as { reference: string }[]).find(({ reference }) =>
        reference.startsWith('Location/'),
      )
      const participant = [patient, location?.reference].map((reference) => ({
        actor: { reference },
        status: 'accepted',
      }))
      const appointment = {
        resourceType: 'Appointment',
        meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-Appointment-1'] },
        contained: [
          {
            resourceType: 'Organization',
            id: '1',
            meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Organization-1'] },
            identifier: [{ system: ods, value: 'X26' }],
            name: 'Invented Trust',
            telecom: [{ system: 'phone', value: '01632 960099', use: 'work' }],
          },
        ],
        extension: [
          {
            url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-BookingOrganisation-1',
            valueReference: { reference: '#1' },
          },
        ],
        status: 'booked',
        description: 'Scenario',
        start: slot['start'],
        end: slot['end'],
        slot: [{ reference: `Slot/${slot.id}` }],
        created: new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
        participant,
      }
      const booking: Asked = {
        base: 'gpconnect',
        interaction: 'fhir:rest:create:appointment-1',
        path: '/Appointment',
        scope: 'patient/*.write',
        body: appointment,
      }
      const [first, second] = await Promise.all([sender.ask(way, booking), sender.ask(way, booking)])
      assert.deepEqual([first.status, second.status].sort(), [201, 409], `${first.text}\n${second.text}`)
      const booked = first.status === 201 ? first : second
      assert.equal((first.status === 201 ? second : first).code, 'DUPLICATE_REJECTED')
      const id = String(booked.resource.id)
      assert.match(String(booked.headers['location']), new RegExp(`/A20047/STU3/1/gpconnect/Appointment/${id}$`))

      const one: Asked = { base: 'gpconnect', interaction: 'fhir:rest:read:appointment-1', path: `/Appointment/${id}` }
      const read = await sender.ask(way, one)
      assert.equal(read.status, 200)
      const etag = String(read.headers['etag'])
      const put = (action: 'update' | 'cancel', body: object, match: string): Asked => ({
        ...one,
        interaction: `fhir:rest:${action}:appointment-1`,
        method: 'PUT',
        scope: 'patient/*.write',
        headers: { 'If-Match': match },
        body,
      })
      const amended = await sender.ask(way, put('update', { ...read.resource, comment: 'Bring the inhaler' }, etag))
      assert.equal(amended.status, 200, amended.text.slice(0, 600))
      assert.notEqual(amended.headers['etag'], etag)
      const reason = {
        url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-AppointmentCancellationReason-1',
        valueString: 'Better again',
      }
      const cancelled = {
        ...amended.resource,
        status: 'cancelled',
        extension: [...((amended.resource['extension'] ?? []) as object[]), reason],
      }
      const stale = await sender.ask(way, put('cancel', cancelled, etag))
      assert.deepEqual([stale.status, stale.code], [409, 'FHIR_CONSTRAINT_VIOLATION'])
      const wrong = await sender.ask(
        way,
        put('cancel', { ...cancelled, description: 'Something else' }, String(amended.headers['etag'])),
      )
      assert.deepEqual([wrong.status, wrong.code], [422, 'INVALID_RESOURCE'])
      const gone = await sender.ask(way, put('cancel', cancelled, String(amended.headers['etag'])))
      assert.equal(gone.status, 200, gone.text.slice(0, 600))
      assert.equal(gone.resource['status'], 'cancelled')
      const again = await sender.ask(way, booking)
      assert.equal(again.status, 201, 'the slot of a cancelled appointment is free again')
    })
  })

it('leaves an audit that verifies', async () => {
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
})
