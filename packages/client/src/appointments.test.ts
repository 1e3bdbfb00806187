import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClientSession, FreeSlot } from './client.ts'
import { practiceServer } from './testing/practice.ts'
import { client, httpServer, json, ldapServer, refusal } from './testing/testing.ts'

const organisation = { odsCode: 'X26', name: 'Invented Trust', phone: '0300 000 0000' }
const odsCode = 'A20047'
const search = { odsCode, start: '2099-12-01', end: '2099-12-02' }

async function booked(session: ClientSession, format: 'json' | 'xml' = 'json') {
  const { slots } = await session.slots({ ...search, format })
  const { appointment } = await session.bookAppointment({
    odsCode,
    patientId: 'p-1',
    slots: slots.slice(0, 2),
    description: 'Invented cough',
    comment: 'since Monday',
    format,
  })
  return appointment
}

for (const format of ['json', 'xml'] as const)
  describe(`appointments in ${format}`, () => {
    it('finds free slots, in order, each with who and where', async (t) => {
      const practice = await practiceServer(t)
      const found = await client(t, practice.settings)
        .session()
        .slots({
          ...search,
          start: '2099-12-01T09:00:00+00:00',
          format,
          filters: { organisationType: 'urgent-care', organisation: 'X26', service: '2000' },
          includes: ['practitioner', 'location', 'organisation'],
        })
      assert.deepEqual(
        found.slots.map(({ id }) => id),
        ['s-1', 's-2', 's-3'],
      )
      const { resource, ...first } = found.slots[0] as FreeSlot
      assert.equal(resource['resourceType'], 'Slot')
      assert.deepEqual(first, {
        id: 's-1',
        start: '2099-12-01T09:00:00+00:00',
        end: '2099-12-01T09:10:00+00:00',
        deliveryChannel: 'In-person',
        serviceType: 'General consultation',
        serviceCategory: 'General GP appointments',
        practitionerRole: 'General Medical Practitioner',
        schedule: 'Schedule/sch-1',
        location: { reference: 'Location/l-1', name: 'Building A' },
        practitioner: { reference: 'Practitioner/d-1', name: 'Dr Grace Invented' },
      })
      assert.deepEqual(practice.paths(), [
        'GET /Slot?start=ge2099-12-01T09:00:00%2B00:00&end=le2099-12-02&status=free&_include=Slot:schedule' +
          '&_include:recurse=Schedule:actor:Practitioner&_include:recurse=Schedule:actor:Location' +
          '&_include:recurse=Location:managingOrganization' +
          '&searchFilter=https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1%7Curgent-care' +
          '&searchFilter=https://fhir.nhs.uk/Id/ods-organization-code%7CX26' +
          '&service.identifier=https://fhir.nhs.uk/Id/uec-dos-service-id%7C2000',
      ])
    })

    it('books adjacent slots, amends with the version that was read, and cancels with a reason', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, { ...practice.settings, organisation }).session()
      const first = await booked(session, format)
      assert.deepEqual(
        [first.id, first.version, first.status, first.start, first.end, first.bookedBy, first.description],
        [
          'ap-1',
          '1',
          'booked',
          '2099-12-01T09:00:00+00:00',
          '2099-12-01T09:20:00+00:00',
          'Invented Trust',
          'Invented cough',
        ],
      )
      assert.deepEqual(
        first.participants.map(({ reference }) => reference),
        ['Patient/p-1', 'Location/l-1', 'Practitioner/d-1'],
      )
      const amended = await session.amendAppointment({ odsCode, appointment: first, comment: 'better', format })
      assert.deepEqual([amended.appointment.comment, amended.appointment.version], ['better', '2'])
      assert.equal(practice.seen.at(-1)?.headers['if-match'], 'W/"1"')
      const read = await session.readAppointment({ odsCode, id: 'ap-1', format })
      const cancelled = await session.cancelAppointment({
        odsCode,
        appointment: read.appointment,
        reason: 'moved',
        format,
      })
      assert.deepEqual([cancelled.appointment.status, cancelled.appointment.cancellationReason], ['cancelled', 'moved'])
      assert.equal(
        practice.seen.at(-1)?.headers['ssp-interactionid'],
        'urn:nhs:names:services:gpconnect:fhir:rest:cancel:appointment-1',
      )
      const listed = await session.appointments({
        odsCode,
        patientId: 'p-1',
        from: '2099-12-01',
        to: '2099-12-31',
        format,
      })
      assert.deepEqual(
        listed.appointments.map(({ status }) => status),
        ['cancelled'],
      )
      assert.equal(practice.paths().at(-1), 'GET /Patient/p-1/Appointment?start=ge2099-12-01&start=le2099-12-31')
    })

    it('reports that an appointment was changed since it was read, and changes nothing', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, { ...practice.settings, organisation }).session()
      const appointment = await booked(session, format)
      practice.touch('ap-1')
      for (const attempt of [
        session.amendAppointment({ odsCode, appointment, comment: 'x', format }),
        session.cancelAppointment({ odsCode, appointment, reason: 'x', format }),
      ]) {
        const error = await refusal(attempt)
        assert.equal(error.code, 'CLIENT_CONFLICT')
        assert.equal(error.outcome.code, 'FHIR_CONSTRAINT_VIOLATION')
        assert.match(error.message, /changed since version 1 was read/)
      }
      assert.equal((await session.readAppointment({ odsCode, id: 'ap-1', format })).appointment.comment, 'since Monday')
    })

    it('hands on that a slot was taken meanwhile', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, { ...practice.settings, organisation }).session()
      await booked(session, format)
      const error = await refusal(booked(session, format))
      assert.deepEqual(
        [error.code, error.outcome.status, error.outcome.code],
        ['CLIENT_REFUSED', 409, 'DUPLICATE_REJECTED'],
      )
    })
  })

describe('what the practice would have to refuse', () => {
  it('is said before it is asked', async (t) => {
    const practice = await practiceServer(t)
    const session = client(t, { ...practice.settings, organisation }).session()
    const { slots } = await session.slots(search)
    const [one, two, three] = slots
    assert.ok(one && two && three)
    const book = (change: object) =>
      session.bookAppointment({ odsCode, patientId: 'p-1', slots: [one], description: 'x', ...change })
    const { location: _, ...nowhere } = one
    const before = practice.seen.length
    for (const [attempt, says] of [
      [book({ slots: [] }), /at least one slot/],
      [book({ slots: [one, three] }), /s-3 does not follow s-1/],
      [book({ slots: [one, { ...two, deliveryChannel: 'Video' }] }), /s-2 does not follow s-1/],
      [book({ slots: [nowhere] }), /location/],
      [book({ description: ' ' }), /needs a description/],
      [book({ description: 'x'.repeat(101) }), /101 characters; at most 100/],
      [book({ comment: 'x'.repeat(501) }), /501 characters; at most 500/],
      [
        client(t, practice.settings)
          .session()
          .bookAppointment({ odsCode, patientId: 'p-1', slots: [one], description: 'x' }),
        /telephone/,
      ],
    ] as const) {
      const error = await refusal(attempt)
      assert.equal(error.code, 'CLIENT_APPOINTMENT')
      assert.match(error.message, says)
    }
    assert.equal(practice.seen.length, before)
  })
})

describe('a request that books', () => {
  it('is never repeated, and its error says that the outcome is unknown; a search is repeated', async (t) => {
    const practice = await practiceServer(t)
    const { slots } = await client(t, practice.settings).session().slots(search)
    const directory = await ldapServer(t, {
      nhsMhs: { nhsMHSEndPoint: 'https://gp.example/x', nhsMHSPartyKey: 'k-1' },
      nhsAS: { uniqueIdentifier: '200000100001' },
    })
    const ask = (url: string) => {
      const { session, sleeps } = client(t, { directoryUrl: directory.url, proxyUrl: url, organisation })
      return {
        sleeps,
        session: session(),
        book: (from: ClientSession) =>
          from.bookAppointment({ odsCode, patientId: 'p-1', slots: slots.slice(0, 1), description: 'x' }),
      }
    }
    const gateway = await httpServer(t, (_request, response) =>
      json(response, 504, '{"resourceType":"OperationOutcome"}'),
    )
    const lost = ask(gateway.url)
    const error = await refusal(lost.book(lost.session))
    assert.equal(error.outcome.status, 504)
    assert.match(error.message, /Whether the change was made is not known/)
    assert.equal(gateway.seen.length, 1)
    await refusal(lost.session.slots(search))
    assert.equal(gateway.seen.length, 5)
    assert.equal(lost.sleeps.length, 3)

    const broken = await httpServer(t, (request) => request.socket.destroy())
    const cut = ask(broken.url)
    const failed = await refusal(cut.book(cut.session))
    assert.equal(failed.code, 'CLIENT_UNREACHABLE')
    assert.match(failed.message, /Whether the change was made is not known/)
    assert.equal(broken.seen.length, 1)

    const nobody = ask('http://127.0.0.1:1')
    const refused = await refusal(nobody.book(nobody.session))
    assert.equal(refused.code, 'CLIENT_UNREACHABLE')
    assert.doesNotMatch(refused.message, /not known/, 'nothing was ever sent')
  })
})
