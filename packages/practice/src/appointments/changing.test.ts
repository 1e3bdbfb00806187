import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import {
  appointmentFor,
  appointmentPractice,
  cancellationOf,
  type Json,
  type Practice,
  resourcesIn,
} from '../testing/appointments.ts'
import { now } from '../testing/example-answers.ts'
import { extensions } from './names.ts'

let practice: Practice
let patient: string
let slots: Json[]
before(async () => {
  practice = await appointmentPractice()
  patient = await practice.patientId(people.everySection)
  slots = await practice.freeSlots()
})
after(() => practice.close())

/** A new appointment as it was answered. */
async function booked(of = patient, more: Json = {}): Promise<Json> {
  const told = await practice.book({ ...appointmentFor(of, slots.splice(0, 1)), comment: 'Wheelchair', ...more })
  assert.equal(told.status, 201, told.body)
  return told.resource
}

const startOf = (appointment: Json) => Date.parse(String(appointment['start']))
const absolute = 'https://test.example.test/A20047/STU3/1/gpconnect'

type Change = (appointment: Json) => Json
const put =
  (change: Json): Change =>
  (appointment) => ({ ...appointment, ...change })
const extension =
  (url: string, change: Json | undefined): Change =>
  (appointment) => ({
    ...appointment,
    extension: (appointment['extension'] as Json[]).flatMap((each) =>
      each['url'] === url ? (change === undefined ? [] : [{ ...each, ...change }]) : [each],
    ),
  })
const participants =
  (change: (all: Json[]) => readonly Json[]): Change =>
  (appointment) => ({ ...appointment, participant: change(appointment['participant'] as Json[]) })
const add = (reference: string) => participants((all) => [...all, { actor: { reference }, status: 'declined' }])

/** Differences that neither an amendment nor a cancellation may make. */
const forbidden: readonly [string, Change, string][] = [
  ['another resource', () => ({ resourceType: 'Bundle', type: 'collection' }), 'body is Appointment'],
  ['another id', put({ id: 'other' }), 'id of the appointment'],
  ['an unknown element', put({ invalidField: 'x' }), 'body is a resource'],
  ['a type text', put({ appointmentType: { text: 'Routine' } }), 'elements of the profile'],
  ['a reason', put({ reason: [{ text: 'Cough' }] }), 'elements of the profile'],
  ['a priority', put({ priority: 1 }), 'nothing else changed'],
  ['minutes', put({ minutesDuration: 20 }), 'nothing else changed'],
  ['an identifier', put({ identifier: [{ system: 'https://x.test/id', value: '1' }] }), 'nothing else changed'],
  ['another start', put({ start: '2026-12-01T09:00:00Z' }), 'nothing else changed'],
  ['no end', put({ end: undefined }), 'nothing else changed'],
  ['another created', put({ created: '2026-11-19T09:00:00Z' }), 'nothing else changed'],
  ['another slot', put({ slot: [{ reference: 'Slot/other' }] }), 'nothing else changed'],
  ['a location more', add('Location/2'), 'nothing else changed'],
  ['a patient more', add('Patient/2'), 'nothing else changed'],
  ['a practitioner more', add('Practitioner/gp-1'), 'nothing else changed'],
  ['a service more', add('HealthcareService/service-1'), 'nothing else changed'],
  ['a location in lower case', add('location/2'), 'relative references'],
  ['an absolute participant', add(`${absolute}/Location/2`), 'relative references'],
  ['a participant less', participants((all) => all.slice(1)), 'nothing else changed'],
  [
    'a participant with another status',
    participants((all) => all.map((each) => ({ ...each, status: 'declined' }))),
    'nothing else changed',
  ],
  [
    'another type of participant',
    participants((all) => all.map((each) => ({ ...each, type: [{ text: 'x' }] }))),
    'nothing else changed',
  ],
  ['no booking organisation', put({ contained: undefined }), 'nothing else changed'],
  [
    'another name of it',
    (it) => ({ ...it, contained: [{ ...(it['contained'] as Json[])[0], name: 'Other Trust' }] }),
    'nothing else changed',
  ],
  ['no reference to it', extension(extensions.bookingOrganisation, undefined), 'nothing else changed'],
  [
    'an absolute reference to it',
    extension(extensions.bookingOrganisation, { valueReference: { reference: `${absolute}/#1` } }),
    'relative references',
  ],
  ['another delivery channel', extension(extensions.deliveryChannel, { valueCode: 'Video' }), 'nothing else changed'],
  [
    'another role',
    extension(extensions.practitionerRole, { valueCodeableConcept: { coding: [{ code: 'R0270' }] } }),
    'nothing else changed',
  ],
]

/** What a consumer that does not know the newer elements leaves out, or sends with a will of its own. */
const tolerated: readonly [string, Change][] = [
  ['without service category and type', put({ serviceCategory: undefined, serviceType: undefined })],
  ['with others', put({ serviceCategory: { text: 'x' }, serviceType: [{ text: 'y' }] })],
  ['without delivery channel', extension(extensions.deliveryChannel, undefined)],
  ['without role', extension(extensions.practitionerRole, undefined)],
  ['without types of participants', participants((all) => all.map(({ type: _type, ...each }) => each))],
  ['with participants in another order', participants((all) => all.toReversed())],
  ['with displays', (it) => ({ ...it, slot: (it['slot'] as Json[]).map((each) => ({ ...each, display: 'Slot 1' })) })],
  ['without id and meta', put({ meta: undefined })],
]

describe('reading an appointment', () => {
  it('knows what is there, of this practice, and ahead', async () => {
    const appointment = await booked()
    const id = String(appointment['id'])
    const read = await practice.read(id)
    assert.deepEqual(read.resource, appointment)
    assert.equal(read.headers['etag'], 'W/"1"')
    const xml = await practice.read(id, { accept: 'application/fhir+xml' })
    assert.equal(xml.headers['content-type'], 'application/fhir+xml;charset=utf-8')
    assert.equal(xml.resource.id, id)
    for (const unknown of ['z.as.dd', '40-95-3', 'a'.repeat(64), '']) {
      const told = await practice.read(unknown)
      assert.equal(`${told.status} ${told.code} ${told.failed}`, '404 NO_RECORD_FOUND appointment known')
    }
    const begun = await practice.read(id, {}, startOf(appointment))
    assert.equal(`${begun.status} ${begun.code} ${begun.failed}`, '422 INVALID_RESOURCE appointment in the future')
    assert.equal((await practice.read(id, { scope: 'patient/*.write' })).failed, 'scope')
  })

  it('finds none of a patient who is not shown any more', async () => {
    const appointment = await booked(await practice.patientId(people.deniedSection))
    const held = await practice.store.patient('A20047', people.deniedSection)
    assert.ok(held)
    for (const change of [{ active: false }, { sensitive: true }, { deceasedDate: '2026-11-19' }]) {
      await practice.store.writePatients('A20047', [{ ...held.patient, ...change }])
      const told = await practice.read(String(appointment['id']))
      assert.equal(`${told.status} ${told.code}`, '404 PATIENT_NOT_FOUND')
      const cancelled = await practice.cancel(cancellationOf(appointment))
      assert.equal(`${cancelled.status} ${cancelled.code}`, '404 PATIENT_NOT_FOUND')
    }
    await practice.store.writePatients('A20047', [held.patient])
    assert.equal((await practice.read(String(appointment['id']))).status, 200)
  })
})

describe('amending an appointment', () => {
  it('changes description and comment, and the version', async () => {
    const appointment = await booked()
    const told = await practice.amend(
      { ...appointment, description: 'Another', comment: 'Hearing loop' },
      { headers: { 'If-Match': 'W/"1"' } },
    )
    assert.equal(told.status, 200, told.body)
    assert.equal(told.headers['etag'], 'W/"2"')
    assert.equal(told.headers['location'], undefined)
    assert.deepEqual(told.resource, {
      ...appointment,
      meta: { ...(appointment['meta'] as Json), versionId: '2' },
      description: 'Another',
      comment: 'Hearing loop',
    })
    assert.deepEqual((await practice.read(String(appointment['id']))).resource, told.resource)
    const { comment: _comment, ...silent } = told.resource
    assert.equal((await practice.amend(silent)).resource['comment'], undefined)
  })

  it('takes and answers XML, and leaves the body out where that is wished', async () => {
    const appointment = await booked()
    const body = stu3.toXml({ ...appointment, description: 'Another' } as never)
    const put = { method: 'PUT', interaction: 'fhir:rest:update:appointment-1', scope: 'patient/*.write' } as const
    const types = { contentType: 'application/fhir+xml', accept: 'application/fhir+xml' }
    const told = await practice.ask({ ...put, ...types, target: `/Appointment/${appointment['id']}`, body })
    assert.equal(told.status, 200, told.body)
    assert.equal(told.headers['content-type'], 'application/fhir+xml;charset=utf-8')
    assert.equal(told.resource['description'], 'Another')
    const minimal = await practice.amend(appointment, { headers: { Prefer: 'return=minimal' } })
    assert.equal(minimal.status, 200)
    assert.equal(minimal.body, '')
    assert.equal(minimal.headers['etag'], 'W/"3"')
  })

  for (const [name, change] of tolerated)
    it(`takes it ${name}`, async () => {
      const appointment = await booked()
      const told = await practice.amend(
        { ...change(appointment), description: 'Another' },
        { target: `/Appointment/${appointment['id']}` },
      )
      assert.equal(told.status, 200, told.body)
      assert.deepEqual(told.resource['participant'], appointment['participant'])
      assert.deepEqual(told.resource['serviceType'], appointment['serviceType'])
      assert.deepEqual(told.resource['extension'], appointment['extension'])
    })

  describe('refuses', () => {
    let appointment: Json
    before(async () => {
      appointment = await booked()
    })
    const more: readonly [string, Change, string][] = [
      ['another status', put({ status: 'noshow' }), 'nothing else changed'],
      ['a cancellation', (it) => cancellationOf(it), 'elements of the profile'],
      ['the status of a cancellation', put({ status: 'cancelled' }), 'nothing else changed'],
      ['no description', put({ description: undefined }), 'description'],
      ['101 characters of description', put({ description: 'd'.repeat(101) }), 'description'],
      ['501 characters of comment', put({ comment: 'c'.repeat(501) }), 'comment'],
      ['an empty appointment', () => ({ resourceType: 'Appointment' }), 'description'],
    ]
    for (const [name, change, check] of [...forbidden, ...more])
      it(`${name} → 422 INVALID_RESOURCE`, async () => {
        const told = await practice.amend(change(appointment), { target: `/Appointment/${appointment['id']}` })
        assert.equal(told.failed, check, told.body)
        assert.equal(`${told.status} ${told.code}`, '422 INVALID_RESOURCE')
        assert.deepEqual((await practice.read(String(appointment['id']))).resource, appointment)
      })

    it('another version → 409 FHIR_CONSTRAINT_VIOLATION', async () => {
      for (const wrong of ['W/"2"', 'invalidEtag', '1', 'W/"1', '"01"']) {
        const told = await practice.amend(appointment, { headers: { 'If-Match': wrong } })
        assert.equal(`${told.status} ${told.code} ${told.failed}`, '409 FHIR_CONSTRAINT_VIOLATION If-Match', wrong)
      }
      assert.equal((await practice.amend(appointment, { headers: { 'If-Match': '"1"' } })).status, 200)
      assert.equal((await practice.amend(appointment, { headers: { 'If-Match': '*' } })).status, 200)
    })

    it('what has begun, and what is not there', async () => {
      const begun = await practice.amend(appointment, {}, startOf(appointment))
      assert.equal(`${begun.status} ${begun.failed}`, '422 appointment in the future')
      const unknown = await practice.amend({ ...appointment, id: 'unknown' })
      assert.equal(`${unknown.status} ${unknown.code}`, '404 NO_RECORD_FOUND')
    })
  })

  it('lets one of several changes of the same version win', async () => {
    const appointment = await booked()
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        practice.amend({ ...appointment, description: `Change ${i}` }, { headers: { 'If-Match': 'W/"1"' } }),
      ),
    )
    assert.deepEqual(results.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409])
    assert.ok(results.every(({ status, code }) => status === 200 || code === 'FHIR_CONSTRAINT_VIOLATION'))
  })
})

describe('cancelling an appointment', () => {
  it('keeps everything, adds the reason, and frees the slot', async () => {
    const appointment = await booked()
    const told = await practice.cancel(cancellationOf(appointment), { headers: { 'If-Match': 'W/"1"' } })
    assert.equal(told.status, 200, told.body)
    assert.equal(told.headers['etag'], 'W/"2"')
    assert.deepEqual(told.resource, {
      ...cancellationOf(appointment),
      meta: { ...(appointment['meta'] as Json), versionId: '2' },
    })
    assert.deepEqual((await practice.read(String(appointment['id']))).resource, told.resource)
    const again = await practice.book(
      appointmentFor(
        patient,
        (await practice.freeSlots()).filter(({ start }) => start === appointment['start']),
      ),
    )
    assert.equal(again.status, 201, again.body)
    assert.deepEqual(again.resource['slot'], appointment['slot'])
    for (const body of [appointment, told.resource]) {
      const amended = await practice.amend(body)
      assert.equal(`${amended.status} ${amended.code}`, '422 INVALID_RESOURCE')
    }
    const twice = await practice.cancel(cancellationOf(appointment))
    assert.equal(`${twice.status} ${twice.code} ${twice.failed}`, '422 INVALID_RESOURCE appointment not cancelled')
  })

  it('takes XML, and leaves the body out where that is wished', async () => {
    const appointment = await booked()
    const told = await practice.ask({
      method: 'PUT',
      interaction: 'fhir:rest:cancel:appointment-1',
      target: `/Appointment/${appointment['id']}`,
      scope: 'patient/*.write',
      body: stu3.toXml(cancellationOf(appointment) as never),
      contentType: 'application/fhir+xml',
      headers: { Prefer: 'return=minimal' },
    })
    assert.equal(told.status, 200, told.body)
    assert.equal(told.body, '')
    assert.equal((await practice.read(String(appointment['id']))).resource['status'], 'cancelled')
  })

  for (const [name, change] of tolerated)
    it(`takes it ${name}`, async () => {
      const appointment = await booked()
      const target = `/Appointment/${appointment['id']}`
      const told = await practice.cancel(change(cancellationOf(appointment)), { target })
      assert.equal(told.status, 200, told.body)
      assert.deepEqual(told.resource['serviceCategory'], appointment['serviceCategory'])
    })

  describe('refuses', () => {
    let appointment: Json
    before(async () => {
      appointment = await booked()
    })
    const reason = (change: Json): Change => extension(extensions.cancellationReason, change)
    const more: readonly [string, Change, string, string?][] = [
      ['another comment', put({ comment: 'Other' }), 'nothing else changed'],
      ['no comment', put({ comment: undefined }), 'nothing else changed'],
      ['another description', put({ description: 'Other' }), 'nothing else changed'],
      ['the status booked', put({ status: 'booked' }), 'status is cancelled'],
      ['no status', put({ status: undefined }), 'status is cancelled'],
      ['another extension URL', reason({ url: 'http://fhir.nhs.uk/other' }), 'elements of the profile'],
      ['an empty extension URL', reason({ url: '' }), 'elements of the profile'],
      ['no extension URL', reason({ url: undefined }), 'elements of the profile'],
      [
        'no reason',
        extension(extensions.cancellationReason, undefined),
        'cancellation reason',
        '422 INVALID_PARAMETER',
      ],
      ['an empty reason', reason({ valueString: '' }), 'cancellation reason', '422 INVALID_PARAMETER'],
      ['a reason without value', reason({ valueString: undefined }), 'cancellation reason', '422 INVALID_PARAMETER'],
      ['a blank reason', reason({ valueString: ' ' }), 'cancellation reason', '422 INVALID_PARAMETER'],
    ]
    for (const [name, change, check, outcome = '422 INVALID_RESOURCE'] of [...forbidden, ...more])
      it(`${name} → ${outcome}`, async () => {
        const target = `/Appointment/${appointment['id']}`
        const told = await practice.cancel(change(cancellationOf(appointment)), { target })
        assert.equal(told.failed, check, told.body)
        assert.equal(`${told.status} ${told.code}`, outcome)
        assert.deepEqual((await practice.read(String(appointment['id']))).resource, appointment)
      })

    it('another version, what has begun, what is not there', async () => {
      const body = cancellationOf(appointment)
      const stale = await practice.cancel(body, { headers: { 'If-Match': 'invalidEtag' } })
      assert.equal(`${stale.status} ${stale.code}`, '409 FHIR_CONSTRAINT_VIOLATION')
      const begun = await practice.cancel(body, {}, startOf(appointment))
      assert.equal(`${begun.status} ${begun.code}`, '422 INVALID_RESOURCE')
      const unknown = await practice.cancel({ ...body, id: 'unknown' })
      assert.equal(`${unknown.status} ${unknown.code}`, '404 NO_RECORD_FOUND')
      assert.equal((await practice.cancel(body, { scope: 'patient/*.read' })).failed, 'scope')
    })
  })
})

describe("a patient's appointments", () => {
  let other: string
  before(async () => {
    other = await practice.patientId(people.noData)
  })

  it('are the booked and the cancelled ones of the days asked for, in order', async () => {
    const [first, second] = [await booked(other), await booked(other)]
    const cancelled = await practice.cancel(cancellationOf(second))
    const told = await practice.retrieve(other, 'start=ge2026-11-20&start=le2026-12-04')
    assert.equal(told.status, 200, told.body)
    assert.equal(told.resource['type'], 'searchset')
    assert.deepEqual(resourcesIn(told.resource), [first, cancelled.resource])
    assert.ok(((told.resource['entry'] ?? []) as Json[]).every(({ fullUrl }) => fullUrl === undefined))
    const day = String(first['start']).slice(0, 10)
    const only = await practice.retrieve(
      other,
      `_sort=date&start=le${day}&start=ge${day}&_format=application/fhir%2Bxml`,
    )
    assert.equal(only.headers['content-type'], 'application/fhir+xml;charset=utf-8')
    assert.ok(resourcesIn(only.resource).length >= 1)
    assert.deepEqual(
      resourcesIn((await practice.retrieve(other, 'start=ge2026-11-20&start=le2026-11-20')).resource),
      [],
    )
    // Today is shown wholly, what is over too.
    const evening = startOf(first) + 3_600_000
    const today = await practice.retrieve(other, `start=ge${day}&start=le${day}`, {}, evening)
    assert.equal(resourcesIn(today.resource)[0]?.['id'], first['id'])
  })

  it('are none where none are booked', async () => {
    const nobody = await practice.patientId(people.dissent)
    const told = await practice.retrieve(nobody, 'start=ge2026-11-20&start=le2026-11-21')
    assert.equal(told.status, 200)
    assert.equal(told.resource['total'], 0)
    assert.equal(told.resource['entry'], undefined)
  })

  const refusals: readonly [string, string][] = [
    ['nothing', ''],
    ['one bound', 'start=ge2030-03-03'],
    ['the other', 'start=le2030-03-03'],
    ['three', 'start=ge2030-03-03&start=le2030-03-04&start=le2030-03-05'],
    ...['lt', 'gt', 'eq', 'ge', ''].map((prefix): [string, string] => [
      `ge and ${prefix || 'no prefix'}`,
      `start=ge2030-03-03&start=${prefix}2030-03-04`,
    ]),
    ...['lt', 'gt', 'eqs', 'le'].map((prefix): [string, string] => [
      `${prefix} and le`,
      `start=${prefix}2030-03-03&start=le2030-03-04`,
    ]),
    ['other words', 'start=random1232030-03-03&start=random1232030-03-04'],
    ['a year', 'start=ge2030-03-03&start=le2030'],
    ['a month', 'start=ge2030-03&start=le2030-03-04'],
    ['a time', 'start=ge2030-03-03&start=le2030-03-04T10:00:00'],
    ['a time with zone', 'start=ge2030-03-03T10:00:00Z&start=le2030-03-04'],
    ['a day that is none', 'start=ge2030-02-30&start=le2030-03-04'],
    ['the past', 'start=ge2010-02-03&start=le2010-03-03'],
    ['a past start', 'start=ge2026-11-19&start=le2030-03-30'],
    ['no prefixes', 'start=2010-03-03&start=2030-03-30'],
    ['the last before the first', 'start=ge2030-03-03&start=le2030-01-01'],
  ]
  for (const [name, query] of refusals)
    it(`refuse ${name} → 422 INVALID_PARAMETER`, async () => {
      const told = await practice.retrieve(other, query)
      assert.equal(`${told.status} ${told.code} ${told.failed}`, '422 INVALID_PARAMETER days')
    })

  it('are not to be had of a patient who is not found', async () => {
    const query = 'start=ge2030-03-30&start=le2030-04-30'
    const hidden = [people.inactive, people.sensitive, people.notVerified, people.deceasedRecently]
    const ids = await Promise.all(hidden.map((nhsNumber) => practice.patientId(nhsNumber)))
    const bodies = new Set<string>()
    for (const id of ['null', 'dd', '', ...ids]) {
      const told = await practice.retrieve(id, query)
      assert.equal(`${told.status} ${told.code}`, '404 PATIENT_NOT_FOUND', id)
      bodies.add(told.body)
    }
    assert.equal(bodies.size, 1)
    assert.equal((await practice.retrieve(other, query, { scope: 'patient/*.write' })).failed, 'scope')
  })
})

describe('bookings', () => {
  it('outlast a reload of the practice file', async () => {
    const appointment = await booked()
    const free = (await practice.freeSlots()).length
    await practice.load()
    await practice.load({ name: 'Testham Group Practice' })
    assert.equal((await practice.freeSlots()).length, free)
    assert.deepEqual((await practice.read(String(appointment['id']))).resource, appointment)
    assert.ok(startOf(appointment) > now)
  })
})
