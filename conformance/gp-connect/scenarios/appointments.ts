/** §6, §10 and §11: each interaction with its scope, appointments, and documents. */
import assert from 'node:assert/strict'
import type { AnyResource } from '@openspine/standards/fhir'
import type { Asked } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import {
  about,
  allergies,
  careRecord,
  day,
  documentIncludes,
  enc,
  finding,
  free,
  metadataOf0x,
  migration,
  nhsNumber,
  ods,
  organisation,
  patientById,
  reading,
  sdsUser,
  searchPatient,
  slots,
  structured,
  who,
} from '../requests.ts'
import { type Area, firstOf, hasProfile, ofType, type Scenario, type Story, type Telling } from '../scenario.ts'
import { firstResource } from './foundations-reading.ts'
import { person, registration } from './register.ts'

const metadata = (base: 'gpconnect' | 'structured' | 'documents', interaction: string): Asked => ({
  base,
  interaction,
  path: '/metadata',
  scope: organisation,
})
const binary = (interaction: string, id = 'doc-1'): Asked => ({
  base: 'documents',
  interaction,
  path: `/Binary/${id}`,
})
const search = searchPatient(`?identifier=${enc(`${nhsNumber}|${who}`)}`)

/** One right request of each interaction that needs nothing before it, and a status. */
const single: readonly (readonly [ObligationId, Asked])[] = [
  ['6-fhir:rest:read:metadata', metadataOf0x],
  ['6-fhir:operation:gpc.getcarerecord', careRecord('ENC')],
  ['6-fhir:rest:read:metadata-1', metadata('gpconnect', 'fhir:rest:read:metadata-1')],
  ['6-fhir:rest:search:patient-1', search],
  ['6-fhir:rest:search:practitioner-1', finding('Practitioner', enc(`${sdsUser}|555000000101`))],
  ['6-fhir:rest:read:practitioner-1', reading('Practitioner', 'gp-1')],
  ['6-fhir:rest:search:organization-1', finding('Organization', enc(`${ods}|A20047`))],
  ['6-fhir:rest:read:organization-1', reading('Organization', 'A20047')],
  ['6-fhir:rest:read:location-1', reading('Location', 'site-1')],
  ['6-fhir:rest:search:healthcareservice-1', { ...finding('HealthcareService', ''), path: '/HealthcareService' }],
  ['6-fhir:rest:read:healthcareservice-1', reading('HealthcareService', 'service-1')],
  ['6-fhir:rest:search:slot-1', slots(free)],
  ['6-fhir:operation:gpc.getstructuredrecord-1', structured(about(who), allergies)],
  ['6-structured:fhir:rest:read:metadata-1', metadata('structured', 'structured:fhir:rest:read:metadata-1')],
  ['6-documents:fhir:rest:read:metadata-1', metadata('documents', 'documents:fhir:rest:read:metadata-1')],
  [
    '6-documents:fhir:rest:search:patient-1',
    { ...search, base: 'documents', interaction: 'documents:fhir:rest:search:patient-1' },
  ],
  ['6-documents:fhir:rest:read:binary-1', binary('documents:fhir:rest:read:binary-1')],
]
/** A known scope that is that of no read. */
const otherScope = { claims: (claims: Record<string, unknown>) => ({ ...claims, requested_scope: 'patient/*.write' }) }
const refusal = { status: 400, code: 'BAD_REQUEST' } as const

const interactions: readonly Scenario[] = [
  ...single.flatMap(([id, asked]): readonly Scenario[] => [
    { ...asked, shows: [id], name: `${asked.interaction} on ${asked.base}`, status: 200 },
    { ...asked, ...otherScope, shows: [id], name: `${asked.interaction} on ${asked.base}, another scope`, ...refusal },
  ]),
  {
    ...migration(false, 'patient/*.read conf/N'),
    shows: ['6-fhir:operation:gpc.migratestructuredrecord-1'],
    name: 'a migration with its scope',
    status: 200,
  },
  {
    ...migration(false, 'organization/*.read'),
    shows: ['6-fhir:operation:gpc.migratestructuredrecord-1'],
    name: 'a migration with another scope',
    ...refusal,
  },
  {
    ...binary('documents:fhir:rest:migrate:binary-1'),
    claims: (claims) => migration(false, 'patient/*.read conf/R').claims?.(claims),
    shows: ['6-documents:fhir:rest:migrate:binary-1'],
    name: 'the migration of a document with its scope',
    status: 200,
  },
  {
    ...binary('documents:fhir:rest:migrate:binary-1'),
    ...otherScope,
    shows: ['6-documents:fhir:rest:migrate:binary-1'],
    name: 'the migration of a document with another scope',
    ...refusal,
  },
  {
    ...registration(person('9990100144')),
    scope: organisation,
    shows: ['6-fhir:operation:gpc.registerpatient-1'],
    name: 'a registration with another scope',
    ...refusal,
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
      shows: [],
      name: `searches slots with ${query}`,
      status,
      code,
    }),
  ),
  {
    ...reading('Appointment', 'none'),
    scope: 'patient/*.read',
    shows: [],
    name: 'reads no appointment',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
  {
    ...binary('documents:fhir:rest:read:binary-1', 'doc-9'),
    shows: [],
    name: 'reads no document',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
]

async function patientId({ ask }: Telling): Promise<string> {
  return String(firstResource(await ask(search)).id)
}

/** A booking of the first free slot, ready to be sent. */
async function booking(telling: Telling): Promise<Asked> {
  const found = await telling.ask(slots(free))
  const slot = firstOf(found, 'Slot')
  const wanted = (slot['schedule'] as { reference: string }).reference
  const schedule = ofType(found, 'Schedule').find(({ id }) => `Schedule/${id}` === wanted)
  const actors = (schedule?.['actor'] ?? []) as { reference: string }[]
  const location = actors.find(({ reference }) => reference.startsWith('Location/'))
  const body = {
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
    participant: [`Patient/${await patientId(telling)}`, location?.reference].map((reference) => ({
      actor: { reference },
      status: 'accepted',
    })),
  }
  const interaction = 'fhir:rest:create:appointment-1'
  return { base: 'gpconnect', interaction, path: '/Appointment', scope: 'patient/*.write', body }
}

const stories: readonly Story[] = [
  {
    generation: '1.x',
    shows: [
      '6-fhir:rest:read:patient-1',
      '6-fhir:rest:search:patient_appointments-1',
      '6-documents:fhir:rest:search:documentreference-1',
    ],
    name: 'asks below a patient, with the scope and with another',
    async tell(telling) {
      const { ask, refused } = telling
      const id = await patientId(telling)
      const documents: Asked = {
        base: 'documents',
        interaction: 'documents:fhir:rest:search:documentreference-1',
        path: `/Patient/${id}/DocumentReference?${documentIncludes}`,
      }
      const appointments: Asked = {
        base: 'gpconnect',
        interaction: 'fhir:rest:search:patient_appointments-1',
        path: `/Patient/${id}/Appointment?start=ge${day(0)}&start=le${day(13)}`,
      }
      for (const asked of [patientById(id), documents, appointments]) {
        assert.equal((await ask(asked)).status, 200)
        await refused({ ...asked, ...otherScope }, 400, 'BAD_REQUEST')
      }
      assert.equal(ofType(await ask(documents), 'DocumentReference').length, 3)
      const fewer = { ...documents, path: documents.path.replace('_include=DocumentReference:subject:Patient&', '') }
      await refused(fewer, 422, 'INVALID_PARAMETER')
    },
  },
  {
    generation: '1.x',
    shows: [
      '6-fhir:rest:create:appointment-1',
      '6-fhir:rest:read:appointment-1',
      '6-fhir:rest:update:appointment-1',
      '6-fhir:rest:cancel:appointment-1',
      '6-header-tells-apart',
      '4.1-if-match',
      '4.1-representation',
      '4.1-minimal',
      '4.1-location',
      '4.1-etag',
      '4.1-version-id',
      '4.1-external-references',
      '5.2-DUPLICATE_REJECTED',
      '5.2-FHIR_CONSTRAINT_VIOLATION',
    ],
    name: 'books, reads, amends and cancels an appointment, and books no slot twice',
    async tell(telling) {
      const { ask, refused } = telling
      const asked = await booking(telling)
      await refused({ ...asked, scope: organisation }, 400, 'BAD_REQUEST')
      const body = asked.body as AnyResource
      const slot = [{ reference: `https://elsewhere.example/Slot/1` }]
      await refused({ ...asked, body: { ...body, slot } }, 422, 'INVALID_RESOURCE')
      const [first, second] = await Promise.all([ask(asked), ask(asked)])
      assert.deepEqual([first.status, second.status].sort(), [201, 409], `${first.text}\n${second.text}`)
      const [booked, twice] = first.status === 201 ? [first, second] : [second, first]
      assert.equal(twice.code, 'DUPLICATE_REJECTED')
      hasProfile('Appointment', 'GPConnect-Appointment-1')(booked)
      const id = String(booked.resource.id)
      assert.match(String(booked.headers['location']), new RegExp(`/A20047/STU3/1/gpconnect/Appointment/${id}$`))

      const one: Asked = { ...reading('Appointment', id), scope: 'patient/*.read' }
      const read = await ask(one)
      assert.equal(read.status, 200)
      await refused({ ...one, scope: organisation }, 400, 'BAD_REQUEST')
      const etag = String(read.headers['etag'])
      const put = (action: 'update' | 'cancel', changed: object, match: string, more: object = {}): Asked => ({
        ...one,
        interaction: `fhir:rest:${action}:appointment-1`,
        method: 'PUT',
        scope: 'patient/*.write',
        headers: { 'If-Match': match, ...more },
        body: changed,
      })
      const amendment = { ...read.resource, comment: 'Bring the inhaler' }
      await refused({ ...put('update', amendment, etag), scope: organisation }, 400, 'BAD_REQUEST')
      const amended = await ask(put('update', amendment, etag, { Prefer: 'return=minimal' }))
      assert.deepEqual([amended.status, amended.text], [200, ''])
      const now = await ask(one)
      assert.notEqual(now.headers['etag'], etag)
      assert.equal(now.resource['comment'], 'Bring the inhaler')
      const reason = {
        url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-AppointmentCancellationReason-1',
        valueString: 'Better again',
      }
      const extension = [...((now.resource['extension'] ?? []) as object[]), reason]
      const cancelled = { ...now.resource, status: 'cancelled', extension }
      const match = String(now.headers['etag'])
      await refused(put('cancel', cancelled, etag), 409, 'FHIR_CONSTRAINT_VIOLATION')
      await refused(put('cancel', { ...cancelled, description: 'Other' }, match), 422, 'INVALID_RESOURCE')
      await refused(put('update', cancelled, match), 422, 'INVALID_RESOURCE')
      await refused({ ...put('cancel', cancelled, match), scope: organisation }, 400, 'BAD_REQUEST')
      const gone = await ask(put('cancel', cancelled, match))
      assert.equal(gone.status, 200, gone.text.slice(0, 600))
      assert.equal(gone.resource['status'], 'cancelled')
      assert.equal((await ask(asked)).status, 201, 'the slot of a cancelled appointment is free again')
    },
  },
]

export const appointments: Area = { scenarios: interactions, stories }
