import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { appointmentFor, appointmentPractice, type Json, type Practice, twoWeeks } from '../testing/appointments.ts'
import { now } from '../testing/example-answers.ts'
import { extensions } from './names.ts'

describe('booking an appointment', () => {
  let practice: Practice
  let patient: string
  let slots: Json[]
  before(async () => {
    practice = await appointmentPractice()
    patient = await practice.patientId(people.everySection)
    slots = await practice.freeSlots()
  })
  after(() => practice.close())

  /** Each test has slots of its own, one behind the other. */
  const take = (count = 1): Json[] => {
    // A group must not reach over a gap between two sessions.
    while (count > 1 && slots[0]?.['end'] !== slots[1]?.['start']) slots.shift()
    const taken = slots.splice(0, count)
    assert.equal(taken.length, count)
    return taken
  }

  it('answers 201 with address, version and the appointment as it is now held', async () => {
    const [slot] = take()
    assert.ok(slot)
    const sent = appointmentFor(patient, [slot])
    const told = await practice.book({ ...sent, comment: 'Wheelchair', serviceType: [{ text: 'ignored' }] })
    assert.equal(told.status, 201, told.body)
    const { id, ...appointment } = told.resource
    assert.match(String(id), /^[0-9a-f-]{36}$/)
    assert.equal(told.headers['location'], `https://gp.example.test/A20047/STU3/1/gpconnect/Appointment/${id}`)
    assert.equal(told.headers['etag'], 'W/"1"')
    assert.deepEqual(appointment, {
      resourceType: 'Appointment',
      meta: { versionId: '1', profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-Appointment-1'] },
      contained: sent['contained'],
      extension: [
        { url: extensions.bookingOrganisation, valueReference: { reference: '#1' } },
        {
          url: extensions.practitionerRole,
          valueCodeableConcept: {
            coding: [
              {
                system: 'https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-SDSJobRoleName-1',
                code: 'R0260',
                display: 'General Medical Practitioner',
              },
            ],
          },
        },
        { url: extensions.deliveryChannel, valueCode: 'In-person' },
      ],
      status: 'booked',
      serviceCategory: { text: 'General GP appointments' },
      serviceType: [{ text: 'GP appointment' }],
      description: 'Review of asthma',
      start: slot['start'],
      end: slot['end'],
      slot: sent['slot'],
      created: '2026-11-20T09:59:30+00:00',
      comment: 'Wheelchair',
      participant: sent['participant'],
    })
    assert.deepEqual(told.answer.sheet.audited, { appointment: id, appointmentVersion: 1, slots: 1 })
    assert.equal(told.answer.sheet.nhsNumber, people.everySection)
    const read = await practice.read(String(id))
    assert.equal(read.status, 200)
    assert.equal(read.headers['etag'], 'W/"1"')
    assert.deepEqual(read.resource, told.resource)
  })

  it('takes and answers XML, whatever the other is', async () => {
    for (const [contentType, accept] of [
      ['application/fhir+xml', 'application/fhir+xml'],
      ['application/fhir+xml', 'application/fhir+json'],
      ['application/fhir+json', 'application/fhir+xml'],
    ] as const) {
      const sent = { ...appointmentFor(patient, take()), priority: 1, minutesDuration: 10 }
      const body = contentType.endsWith('xml') ? stu3.toXml(sent as never) : sent
      const told = await practice.book(body, { contentType, accept })
      assert.equal(told.status, 201, told.body)
      assert.equal(told.headers['content-type'], `${accept};charset=utf-8`)
      assert.equal(told.resource['description'], 'Review of asthma')
      assert.equal(String(told.resource['priority']), '1')
    }
  })

  it('leaves the body out for Prefer: return=minimal, and only then', async () => {
    const minimal = await practice.book(appointmentFor(patient, take()), { headers: { Prefer: 'return=minimal' } })
    assert.equal(minimal.status, 201)
    assert.equal(minimal.body, '')
    assert.equal(minimal.headers['content-type'], undefined)
    assert.ok(minimal.headers['location'] && minimal.headers['etag'])
    const whole = await practice.book(appointmentFor(patient, take()), { headers: { Prefer: 'return=representation' } })
    assert.equal(whole.resource.resourceType, 'Appointment')
  })

  it('books adjacent slots as one appointment, in whatever order they stand', async () => {
    const pair = take(2)
    const sent = appointmentFor(patient, pair)
    const told = await practice.book({ ...sent, slot: (sent['slot'] as Json[]).toReversed() })
    assert.equal(told.status, 201, told.body)
    assert.deepEqual(told.resource['slot'], sent['slot'])
    assert.equal(told.resource['start'], pair[0]?.['start'])
    assert.equal(told.resource['end'], pair[1]?.['end'])
  })

  it('takes an absent practitioner or the right one, types, times in another zone, and a missing created', async () => {
    const [slot] = take()
    assert.ok(slot)
    const { created: _created, ...sent } = appointmentFor(patient, [slot])
    const inZone = (moment: unknown) =>
      new Date(Date.parse(String(moment)) + 5_400_000).toISOString().replace('.000Z', '+01:30')
    const told = await practice.book({
      ...sent,
      start: inZone(slot['start']),
      end: inZone(slot['end']),
      participant: [
        ...(sent['participant'] as Json[]),
        { actor: { reference: 'Practitioner/gp-1', display: 'Dr Mockingham' }, status: 'accepted' },
      ],
      extension: [...(sent['extension'] as Json[]), { url: extensions.deliveryChannel, valueCode: 'In-person' }],
    })
    assert.equal(told.status, 201, told.body)
    assert.equal(told.resource['start'], slot['start'])
    assert.equal(told.resource['created'], '2026-11-20T10:00:00+00:00')
    assert.deepEqual((told.resource['participant'] as Json[])[2], {
      actor: { reference: 'Practitioner/gp-1' },
      status: 'accepted',
    })
  })

  it('keeps a created that is a whole date', async () => {
    const told = await practice.book({ ...appointmentFor(patient, take()), created: '2026-11-19' })
    assert.equal(told.status, 201, told.body)
    assert.equal(told.resource['created'], '2026-11-19')
    const amended = await practice.amend({ ...told.resource, comment: 'Later' })
    assert.equal(amended.status, 200, amended.body)
    assert.equal((await practice.amend({ ...amended.resource, created: '2026-11-18' })).status, 422)
  })

  it('tells the healthcare service of the schedule', async () => {
    const [slot] = await practice.freeSlots('extended-3')
    assert.ok(slot)
    const told = await practice.book(appointmentFor(patient, [slot]))
    assert.equal(told.status, 201, told.body)
    assert.deepEqual((told.resource['participant'] as Json[]).at(-1), {
      actor: { reference: 'HealthcareService/service-1' },
      status: 'accepted',
    })
  })

  it('is for those whom the slots are open to, by body or token', async () => {
    const [urgent] = await practice.freeSlots(
      'urgent-2',
      '&searchFilter=https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1|urgent-care',
    )
    assert.ok(urgent)
    const sent = appointmentFor(patient, [urgent], 'site-2')
    const refused = await practice.book(sent)
    assert.equal(`${refused.status} ${refused.code}`, '422 INVALID_RESOURCE')
    assert.equal(refused.failed, 'slots open to the organisation')
    const [organisation] = sent['contained'] as Json[]
    const type = [
      {
        coding: [{ system: 'https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1', code: 'urgent-care' }],
      },
    ]
    const told = await practice.book({ ...sent, contained: [{ ...organisation, type }] })
    assert.equal(told.status, 201, told.body)
    const [evening] = (
      await practice.freeSlots('extended-3', '&searchFilter=https://fhir.nhs.uk/Id/ods-organization-code|X26')
    ).filter((slot) => String(slot['start']).includes('T19:'))
    assert.ok(evening)
    const kept = appointmentFor(patient, [evening])
    const [theirs] = kept['contained'] as Json[]
    assert.ok(theirs)
    const others = { ...theirs, identifier: [{ ...(theirs['identifier'] as Json[])[0], value: 'X27' }] }
    assert.equal((await practice.book({ ...kept, contained: [others] })).failed, 'slots open to the organisation')
    const { identifier: _identifier, ...unnamed } = theirs
    assert.equal((await practice.book({ ...kept, contained: [unnamed] })).status, 201, 'the token says X26')
  })

  it('answers 409 to the second of two bookings, and to all but one at once', async () => {
    const [first, second] = [take(), take()]
    assert.equal((await practice.book(appointmentFor(patient, first))).status, 201)
    const again = await practice.book(appointmentFor(await practice.patientId(people.noData), first))
    assert.equal(`${again.status} ${again.code}`, '409 DUPLICATE_REJECTED')
    assert.deepEqual((again.resource['issue'] as Json[])[0]?.['code'], 'duplicate')
    const bodies = Array.from({ length: 10 }, () => appointmentFor(patient, second))
    const results = await Promise.all(bodies.map((body) => practice.book(body)))
    assert.deepEqual(results.map(({ status }) => status).sort(), [201, ...Array.from({ length: 9 }, () => 409)])
    for (const { status, code, failed } of results)
      if (status === 409) assert.equal(`${code} ${failed}`, 'DUPLICATE_REJECTED slots free')
  })

  it('keeps 100 characters of description and 500 of comment', async () => {
    const told = await practice.book({
      ...appointmentFor(patient, take()),
      description: '𝒜'.repeat(100),
      comment: 'c'.repeat(500),
    })
    assert.equal(told.status, 201, told.body)
    assert.equal([...String(told.resource['description'])].length, 100)
    assert.equal(String(told.resource['comment']).length, 500)
  })

  type Change = (sent: Json) => Json | string | Promise<Json | string>
  const without =
    (name: string): Change =>
    ({ [name]: _gone, ...sent }) =>
      sent
  const put =
    (change: Json): Change =>
    (sent) => ({ ...sent, ...change })
  const participant =
    (change: (participants: Json[]) => readonly Json[]): Change =>
    (sent) => ({ ...sent, participant: change(sent['participant'] as Json[]) })
  const organisation =
    (change: Json): Change =>
    (sent) => ({ ...sent, contained: [{ ...(sent['contained'] as Json[])[0], ...change }] })
  const reference = (to: string): Change =>
    put({ extension: [{ url: extensions.bookingOrganisation, valueReference: { reference: to } }] })
  const actor = (to: string, place: number): Change =>
    participant((all) => all.map((each, i) => (i === place ? { ...each, actor: { reference: to } } : each)))
  const absolute = 'https://test.example.test/A20047/STU3/1/gpconnect'
  const forPatient =
    (nhsNumber: string): Change =>
    async (sent) =>
      actor(`Patient/${await practice.patientId(nhsNumber)}`, 0)(sent)

  const refusals: readonly [string, Change, string, string?][] = [
    ['no body', () => '', 'body present', '400 BAD_REQUEST'],
    ['no JSON', () => '{', 'body readable', '400 BAD_REQUEST'],
    ['an unknown element', put({ invalidField: 'x' }), 'body is a resource'],
    ['another resource', () => ({ resourceType: 'Bundle', type: 'collection' }), 'body is Appointment'],
    ['an empty appointment', () => ({ resourceType: 'Appointment' }), 'status is booked'],
    ['a reason', put({ reason: [{ text: 'Cough' }] }), 'elements of the profile'],
    ['a specialty', put({ specialty: [{ text: 'Surgery' }] }), 'elements of the profile'],
    ['a type', put({ appointmentType: { text: 'Routine' } }), 'elements of the profile'],
    ['an indication', put({ indication: [{ reference: 'Condition/1' }] }), 'elements of the profile'],
    ['another extension', put({ extension: [{ url: 'https://x.test', valueCode: 'x' }] }), 'elements of the profile'],
    [
      'another contained resource',
      (sent) => ({ ...sent, contained: [...(sent['contained'] as Json[]), { resourceType: 'Patient', id: '2' }] }),
      'elements of the profile',
    ],
    [
      'a cancellation reason',
      (sent) => ({
        ...sent,
        extension: [...(sent['extension'] as Json[]), { url: extensions.cancellationReason, valueString: 'x' }],
      }),
      'elements of the profile',
    ],
    ['no status', without('status'), 'status is booked'],
    ['another status', put({ status: 'pending' }), 'status is booked'],
    ['no start', without('start'), 'start and end'],
    ['no end', without('end'), 'start and end'],
    ['a start without zone', put({ start: '2026-11-21T09:00:00' }), 'start and end'],
    ['no slot', without('slot'), 'slots referenced'],
    ['a slot without reference', put({ slot: [{ display: 'Slot 1' }] }), 'slots referenced'],
    ['a slot of another type', put({ slot: [{ reference: 'Location/site-1' }] }), 'slots referenced'],
    [
      'a slot twice',
      (sent) => ({ ...sent, slot: [...(sent['slot'] as Json[]), ...(sent['slot'] as Json[])] }),
      'slots referenced',
    ],
    ...['Slot/45555g55555', 'Slot/hello'].map((to): [string, Change, string] => [
      to,
      put({ slot: [{ reference: to }] }),
      'slots known',
    ]),
    ...['Slot/45555555##', `${absolute}/Slot/#12345`, 'Slot/', 'slot/1'].map((to): [string, Change, string] => [
      `slot ${to}`,
      put({ slot: [{ reference: to }] }),
      'relative references',
    ]),
    ['half a created', put({ created: '2026-11' }), 'created'],
    ['created without zone', put({ created: '2026-11-20T09:00:00' }), 'created'],
    ['no description', without('description'), 'description'],
    ['a blank description', put({ description: ' ' }), 'description'],
    ['101 characters of description', put({ description: 'd'.repeat(101) }), 'description'],
    ['501 characters of comment', put({ comment: 'c'.repeat(501) }), 'comment'],
    ['an identifier without value', put({ identifier: [{ system: 'https://x.test/id' }] }), 'identifiers'],
    [
      'an organisation identifier without value',
      organisation({ identifier: [{ system: 'https://x.test/id' }] }),
      'identifiers',
    ],
    ['no participants', without('participant'), 'participants'],
    ['no patient', participant((all) => all.slice(1)), 'participants'],
    ['no location', participant((all) => all.slice(0, 1)), 'participants'],
    ['two patients', participant((all) => [...all, all[0] ?? {}]), 'participants'],
    ['a participant without status', participant((all) => all.map(({ status: _s, ...each }) => each)), 'participants'],
    ['a status that is none', participant((all) => all.map((each) => ({ ...each, status: 'maybe' }))), 'participants'],
    ['a participant without actor', participant((all) => [...all, { status: 'accepted' }]), 'participants'],
    [
      'a slot that takes part',
      participant((all) => [...all, { actor: { reference: 'Slot/1' }, status: 'accepted' }]),
      'participants',
    ],
    ['an absolute patient', actor(`${absolute}/Patient/2`, 0), 'relative references'],
    ['an absolute location', actor(`${absolute}/Location/2`, 1), 'relative references'],
    ['a device', actor('Device/2', 1), 'relative references'],
    ['no booking organisation', without('contained'), 'booking organisation'],
    ['no reference to it', put({ extension: [] }), 'booking organisation'],
    ['a reference to another', reference('#2'), 'booking organisation'],
    ['an absolute reference to it', reference(`${absolute}/#1`), 'relative references'],
    ['an organisation without name', organisation({ name: undefined }), 'booking organisation'],
    ['an organisation without telecom', organisation({ telecom: undefined }), 'booking organisation'],
    ['a telecom without value', organisation({ telecom: [{ system: 'phone' }] }), 'booking organisation'],
    ['an unknown patient', actor('Patient/dd', 0), 'patient of the appointment'],
    ['an inactive patient', forPatient(people.inactive), 'patient of the appointment'],
    ['a sensitive patient', forPatient(people.sensitive), 'patient of the appointment'],
    ['a patient who died', forPatient(people.deceasedRecently), 'patient of the appointment'],
    ['a patient not verified', forPatient(people.notVerified), 'patient of the appointment'],
    ['another location', actor('Location/site-2', 1), 'place and practitioner of the schedule'],
    [
      'another practitioner',
      participant((all) => [...all, { actor: { reference: 'Practitioner/gp-2' }, status: 'accepted' }]),
      'place and practitioner of the schedule',
    ],
    ['another start', put({ start: '2026-11-29T09:00:30Z' }), 'times of the slots'],
    ['another end', put({ end: '2026-12-03T16:50:00Z' }), 'times of the slots'],
  ]
  for (const [name, change, check, outcome = '422 INVALID_RESOURCE'] of refusals)
    it(`refuses ${name} → ${outcome}`, async () => {
      const slot = slots.at(-1)
      assert.ok(slot)
      const told = await practice.book(await change(appointmentFor(patient, [slot])))
      assert.equal(told.failed, check, told.body)
      assert.equal(`${told.status} ${told.code}`, outcome)
    })

  it('refuses slots with a gap, of two schedules, of two kinds, and in the past', async () => {
    const all = await practice.freeSlots()
    const [gap, , behind] = all
    assert.ok(gap && behind)
    const refused = async (wanted: readonly Json[], at = now) =>
      (await practice.book(appointmentFor(patient, wanted), {}, at)).failed
    assert.equal(await refused([gap, behind]), 'slots adjacent')
    const [other] = await practice.freeSlots('extended-3')
    assert.ok(other)
    assert.equal(await refused([gap, other]), 'slots adjacent')
    assert.equal(await refused([gap], Date.parse(String(gap['start']))), 'start in the future')
    // One schedule, end to end, but by telephone and in person.
    await practice.load({
      schedules: [
        {
          id: 'mixed',
          location: 'site-1',
          slots: [
            { start: '2026-11-25T09:00:00Z', minutes: 10, deliveryChannel: 'Telephone' },
            { start: '2026-11-25T09:10:00Z', minutes: 10, deliveryChannel: 'In-person' },
            { start: '2026-11-25T09:20:00Z', minutes: 10, deliveryChannel: 'In-person', serviceType: 'Other' },
          ],
        },
      ],
    })
    const mixed = await practice.freeSlots('mixed')
    assert.equal(mixed.length, 3)
    assert.equal(await refused(mixed.slice(0, 2)), 'slots adjacent')
    assert.equal(await refused(mixed.slice(1)), 'slots adjacent')
    await practice.load()
  })

  it('refuses slots that the practice keeps, or does not offer yet or any more', async () => {
    const from = Date.parse('2026-11-21T00:00:00Z')
    const evening = (await practice.appointments.freeSlots('A20047', from, from + 10 * 86_400_000)).filter(
      ({ traits }) => traits.window !== undefined,
    )
    const asSlot = ({ id, start, end }: { id: string; start: number; end: number }): Json => ({
      id,
      start: new Date(start).toISOString().replace('.000', ''),
      end: new Date(end).toISOString().replace('.000', ''),
    })
    const [soon] = evening
    const late = evening.at(-1)
    assert.ok(soon && late)
    const refused = async (slot: Json, at = now) =>
      (await practice.book(appointmentFor(patient, [slot]), {}, at)).failed
    assert.equal(await refused(asSlot(late)), 'slots open to the organisation')
    assert.equal(await refused(asSlot(soon), soon.start - 59 * 60_000), 'slots open to the organisation')
    assert.equal(await refused(asSlot(soon)), undefined)
  })

  it('is refused with the scope or the interaction of something else', async () => {
    const sent = appointmentFor(patient, slots.slice(-1))
    assert.equal((await practice.book(sent, { scope: 'patient/*.read' })).failed, 'scope')
    const interaction = 'fhir:rest:update:appointment-1'
    assert.equal((await practice.book(sent, { interaction })).failed, 'Ssp-InteractionID fits the request')
    assert.equal((await practice.book(sent, { contentType: 'application/json' })).status, 415)
    await practice.load({ gpConnect: false })
    const off = await practice.book(sent)
    assert.equal(`${off.status} ${off.code}`, '403 ACCESS_DENIED')
    await practice.load()
    assert.equal((await practice.searchSlots(twoWeeks)).status, 200)
  })
})
