import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import {
  type Asked,
  appointmentFor,
  appointmentPractice,
  type Json,
  type Practice,
  resourcesIn,
  twoWeeks,
} from '../testing/appointments.ts'
import { now } from '../testing/example-answers.ts'
import { extensions } from './names.ts'

const filter = (system: string, value: string) => `&searchFilter=${encodeURIComponent(`${system}|${value}`)}`
const ods = (code: string) => filter('https://fhir.nhs.uk/Id/ods-organization-code', code)
const type = (code: string) => filter('https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1', code)
const service = (id: string) => `&service.identifier=https://fhir.nhs.uk/Id/uec-dos-service-id|${id}`
const recurse = (...names: string[]) => names.map((name) => `&_include:recurse=${name}`).join('')
const week = 'status=free&_include=Slot:schedule'

describe('search for free slots', () => {
  let practice: Practice
  before(async () => {
    practice = await appointmentPractice()
  })
  after(() => practice.close())

  const found = async (query: string, more: Partial<Asked> = {}, at = now) => {
    const told = await practice.searchSlots(query, more, at)
    assert.equal(told.status, 200, told.body)
    assert.equal(told.resource['type'], 'searchset')
    for (const entry of (told.resource['entry'] ?? []) as Json[]) assert.equal(entry['fullUrl'], undefined)
    return { told, slots: resourcesIn(told.resource, 'Slot'), all: resourcesIn(told.resource) }
  }
  const kinds = (all: readonly Json[]) => [...new Set(all.map((each) => each['resourceType']))]
  const schedulesOf = (slots: readonly Json[]) =>
    [...new Set(slots.map((slot) => (slot['schedule'] as Json)['reference']))].sort()

  it('answers slots and their schedules in the profiles, and nothing else', async () => {
    const { slots, all } = await found(twoWeeks)
    assert.deepEqual(kinds(all), ['Slot', 'Schedule'])
    const [slot] = slots
    assert.match(String(slot?.['id']), /^[0-9a-f-]{36}$/)
    assert.deepEqual(
      { ...slot, id: '' },
      {
        resourceType: 'Slot',
        id: '',
        meta: { versionId: '1', profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-Slot-1'] },
        extension: [{ url: extensions.deliveryChannel, valueCode: 'In-person' }],
        serviceType: [{ text: 'GP appointment' }],
        schedule: { reference: 'Schedule/surgery-1' },
        status: 'free',
        start: '2026-11-20T09:00:00+00:00',
        end: '2026-11-20T09:10:00+00:00',
      },
    )
    assert.deepEqual(
      all.find((each) => each['resourceType'] === 'Schedule'),
      {
        resourceType: 'Schedule',
        id: 'surgery-1',
        meta: { versionId: '1', profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/GPConnect-Schedule-1'] },
        extension: [
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
        ],
        serviceCategory: { text: 'General GP appointments' },
        actor: [{ reference: 'Location/site-1' }, { reference: 'Practitioner/gp-1' }],
        planningHorizon: { start: '2026-11-20T09:00:00+00:00', end: '2026-12-18T17:00:00+00:00' },
      },
    )
  })

  it('includes the rest when it is asked for, each once', async () => {
    const practitioner = 'Schedule:actor:Practitioner'
    const location = 'Schedule:actor:Location'
    const organisation = 'Location:managingOrganization'
    const withService = 'Schedule:actor:HealthcareService'
    assert.deepEqual(kinds((await found(twoWeeks + recurse(practitioner))).all), ['Slot', 'Schedule', 'Practitioner'])
    assert.deepEqual(kinds((await found(twoWeeks + recurse(location))).all), ['Slot', 'Schedule', 'Location'])
    assert.deepEqual(kinds((await found(twoWeeks + recurse(withService))).all), [
      'Slot',
      'Schedule',
      'HealthcareService',
    ])
    const { all } = await found(twoWeeks + type('urgent-care') + recurse(practitioner, location, organisation))
    const ids = (kind: string) => all.filter((each) => each['resourceType'] === kind).map((each) => each['id'])
    assert.deepEqual(ids('Practitioner'), ['gp-1', 'gp-2'])
    assert.deepEqual(ids('Location'), ['site-1', 'site-2'])
    assert.deepEqual(ids('Organization'), ['A20047'])
    for (const each of all) {
      const { versionId, profile } = each['meta'] as { versionId?: string; profile: string[] }
      assert.ok(versionId)
      assert.equal(profile.length, 1)
    }
  })

  it('shows each slot only to those whom the practice offers it to', async () => {
    const general = ['Schedule/extended-3', 'Schedule/surgery-1']
    const hours = (slots: readonly Json[]) => new Set(slots.map((slot) => String(slot['start']).slice(11, 13)))
    const nobody = await found(twoWeeks)
    assert.deepEqual(schedulesOf(nobody.slots), general)
    assert.equal(hours(nobody.slots).has('11'), false, 'not bookable')
    assert.equal(hours(nobody.slots).has('19'), false, 'kept for X26')
    assert.deepEqual(schedulesOf((await found(twoWeeks + type('urgent-care'))).slots), [
      ...general,
      'Schedule/urgent-2',
    ])
    assert.deepEqual(schedulesOf((await found(twoWeeks + type('gp-practice'))).slots), general)
    assert.equal(hours((await found(twoWeeks + type('urgent-care'))).slots).has('19'), false)
    const known = await found(twoWeeks + ods('X26'))
    assert.equal(hours(known.slots).has('19'), true)
    assert.deepEqual(schedulesOf(known.slots), general)
    assert.equal(hours((await found(twoWeeks + ods('X27'))).slots).has('19'), false)
    const both = await found(twoWeeks + ods('X26') + type('urgent-care'))
    assert.deepEqual(schedulesOf(both.slots), [...general, 'Schedule/urgent-2'])
    assert.equal(hours(both.slots).has('19'), true)
    const others =
      filter('https://fhir.nhs.uk/Id/disposition', 'Dx02') + '&searchFilter=nonsense&searchFilter=&_count=1'
    assert.equal((await found(twoWeeks + others)).slots.length, nobody.slots.length)
  })

  it('keeps embargo and closing time', async () => {
    const evenings = async (at: number) =>
      (await found(twoWeeks, {}, at)).slots
        .map((slot) => String(slot['start']))
        .filter((start) => start.slice(11, 13) === '20')
    assert.deepEqual(await evenings(now), [
      '2026-11-20T20:00:00+00:00',
      '2026-11-20T20:20:00+00:00',
      '2026-11-21T20:00:00+00:00',
      '2026-11-21T20:20:00+00:00',
      '2026-11-22T20:00:00+00:00',
      '2026-11-22T20:20:00+00:00',
    ])
    const evening = Date.parse('2026-11-20T19:10:00Z')
    assert.equal((await evenings(evening))[0], '2026-11-20T20:20:00+00:00')
  })

  it('gives what lies wholly between days or moments, the past too', async () => {
    const starts = async (query: string, at = now) =>
      (await found(`${query}&${week}`, {}, at)).slots.map((slot) => String(slot['start']).slice(0, 16))
    const morning = await starts('start=ge2026-11-21&end=le2026-11-21')
    assert.equal(morning[0], '2026-11-21T09:00')
    assert.ok(morning.every((each) => each.startsWith('2026-11-21')))
    assert.deepEqual(await starts('start=ge2026-11-21T09:05:00Z&end=le2026-11-21T09:35:00Z'), [
      '2026-11-21T09:10',
      '2026-11-21T09:20',
    ])
    assert.deepEqual(await starts('start=ge2026-11-21T10:10:00+01:00&end=le2026-11-21T10:20:00%2B01:00'), [
      '2026-11-21T09:10',
    ])
    assert.deepEqual(await starts('start=ge2026-11-21T10:10:00%2B01%3A00&end=le2026-11-21T09%3A20%3A00Z'), [
      '2026-11-21T09:10',
    ])
    assert.deepEqual(await starts('start=ge2027-01-01&end=le2027-01-14'), [])
    const later = Date.parse('2026-11-22T10:00:00Z')
    assert.equal((await starts('start=ge2026-11-20&end=le2026-11-20', later))[0], '2026-11-20T09:00')
    assert.equal(
      (await practice.searchSlots(`start=ge2020-01-01&end=le2020-01-02&${week}`)).resource['entry'],
      undefined,
    )
  })

  it('narrows down to a service where that is switched on', async () => {
    const { told, slots } = await found(twoWeeks + service('2000099901'))
    assert.deepEqual(schedulesOf(slots), ['Schedule/extended-3'])
    assert.deepEqual(told.resource.meta, {
      extension: [{ url: extensions.serviceFilteringStatus, valueCode: 'enabled' }],
    })
    const schedule = resourcesIn(told.resource, 'Schedule')[0]
    assert.deepEqual(schedule?.['actor'], [
      { reference: 'Location/site-1' },
      { reference: 'HealthcareService/service-1' },
    ])
    assert.deepEqual((await found(twoWeeks + service('2000099902'))).slots, [])
    const unknown = await practice.searchSlots(twoWeeks + service('2000099909'))
    assert.equal(`${unknown.status} ${unknown.code}`, '404 NO_RECORD_FOUND')
  })

  it('takes parameters percent-encoded, and answers in XML', async () => {
    const { slots } = await found(
      'start=ge2026-11-20&end=le2026-12-04&status=free&_include=Slot%3Aschedule&_include%3Arecurse=Schedule%3Aactor%3ALocation',
    )
    const xml = await practice.searchSlots(twoWeeks + recurse('Schedule:actor:Location'), {
      accept: 'application/fhir+xml',
    })
    assert.equal(xml.headers['content-type'], 'application/fhir+xml;charset=utf-8')
    assert.equal(resourcesIn(xml.resource, 'Slot').length, slots.length)
    assert.equal(resourcesIn(xml.resource, 'Location').length, 1)
    const format = await practice.searchSlots(`_format=application/fhir+xml&${twoWeeks}`)
    assert.equal(format.headers['content-type'], 'application/fhir+xml;charset=utf-8')
  })

  const good = { start: 'ge2026-11-20', end: 'le2026-11-23', status: 'free', _include: 'Slot:schedule' }
  const query = (change: Partial<Record<keyof typeof good, string | readonly string[] | undefined>>) =>
    Object.entries({ ...good, ...change })
      .flatMap(([name, value]) =>
        value === undefined
          ? []
          : typeof value === 'string'
            ? [`${name}=${value}`]
            : value.map((each) => `${name}=${each}`),
      )
      .join('&')

  const refusals: readonly [string, Parameters<typeof query>[0], string, string][] = [
    ['no start', { start: undefined }, '400 BAD_REQUEST', 'start sent'],
    ['start twice', { start: ['ge2026-11-20', 'ge2026-11-20'] }, '400 BAD_REQUEST', 'start sent'],
    ['no end', { end: undefined }, '400 BAD_REQUEST', 'end sent'],
    ['neither', { start: undefined, end: undefined }, '400 BAD_REQUEST', 'start sent'],
    ['no status', { status: undefined }, '400 BAD_REQUEST', 'status sent'],
    ['no _include', { _include: undefined }, '400 BAD_REQUEST', '_include sent'],
    ['another _include', { _include: 'Slot:other' }, '400 BAD_REQUEST', '_include sent'],
    ['busy', { status: 'busy' }, '422 INVALID_PARAMETER', 'status valid'],
    ['empty status', { status: '' }, '422 INVALID_PARAMETER', 'status valid'],
    ...(['lt', 'gt', 'eq', 'ne', 'le', 'sa', ''] as const).map(
      (prefix): [string, Parameters<typeof query>[0], string, string] => [
        `prefix ${prefix || 'none'} of start`,
        { start: `${prefix}2026-11-20` },
        '422 INVALID_PARAMETER',
        'start valid',
      ],
    ),
    ['prefix of end', { end: 'ge2026-11-23' }, '422 INVALID_PARAMETER', 'end valid'],
    ['no date', { start: 'invalidStartDate' }, '422 INVALID_PARAMETER', 'start valid'],
    ['empty start', { start: '' }, '422 INVALID_PARAMETER', 'start valid'],
    ['empty end', { end: '' }, '422 INVALID_PARAMETER', 'end valid'],
    ['a year', { start: 'ge2026' }, '422 INVALID_PARAMETER', 'start valid'],
    ['a month', { end: 'le2026-11' }, '422 INVALID_PARAMETER', 'end valid'],
    ['no zone', { start: 'ge2026-11-20T00:00:00' }, '422 INVALID_PARAMETER', 'start valid'],
    ['no seconds', { start: 'ge2026-11-20T00:00Z' }, '422 INVALID_PARAMETER', 'start valid'],
    ['a day that is none', { start: 'ge2026-02-30' }, '422 INVALID_PARAMETER', 'start valid'],
    ['not decodable', { start: 'ge2026-11-20%' }, '422 INVALID_PARAMETER', 'start valid'],
    ['end before start', { end: 'le2026-11-19' }, '422 INVALID_PARAMETER', 'range'],
    ['15 days', { end: 'le2026-12-05' }, '422 INVALID_PARAMETER', 'range'],
    ['31 days', { end: 'le2026-12-21' }, '422 INVALID_PARAMETER', 'range'],
    [
      '14 days and a second',
      { start: 'ge2026-11-20T00:00:00Z', end: 'le2026-12-04T00:00:01Z' },
      '422 INVALID_PARAMETER',
      'range',
    ],
  ]
  for (const [name, change, outcome, check] of refusals)
    it(`refuses ${name} → ${outcome}`, async () => {
      const told = await practice.searchSlots(query(change))
      assert.equal(told.failed, check)
      assert.equal(`${told.status} ${told.code}`, outcome)
    })

  it('takes ranges from nothing to two weeks, and over the change of the clocks', async () => {
    for (const change of [
      { end: 'le2026-11-20' },
      { end: 'le2026-12-04' },
      { start: 'ge2026-11-20T00:00:00Z', end: 'le2026-12-04T00:00:00Z' },
      { start: 'ge2026-11-20T00:00:00+00:00', end: 'le2026-12-04' },
      { start: 'ge2026-10-20T00:00:00+01:00', end: 'le2026-11-03T00:00:00+00:00' },
      { start: 'ge2026-03-20', end: 'le2026-04-03' },
    ])
      assert.equal((await practice.searchSlots(query(change))).status, 200, JSON.stringify(change))
  })

  it('is refused where the capability is off, with another scope, or another interaction', async () => {
    const scope = await practice.searchSlots(twoWeeks, { scope: 'patient/*.read' })
    assert.equal(`${scope.status} ${scope.failed}`, '400 scope')
    const wrong = await practice.searchSlots(twoWeeks, { interaction: 'fhir:rest:read:appointment-1' })
    assert.equal(wrong.status, 400)
    await practice.load({ gpConnect: false })
    const off = await practice.searchSlots(twoWeeks)
    assert.equal(`${off.status} ${off.code}`, '403 ACCESS_DENIED')
    await practice.load({ serviceFiltering: false })
    const { told, slots } = await found(twoWeeks + service('2000099909') + recurse('Schedule:actor:HealthcareService'))
    assert.deepEqual(schedulesOf(slots), ['Schedule/extended-3', 'Schedule/surgery-1'])
    assert.deepEqual(kinds(resourcesIn(told.resource)), ['Slot', 'Schedule'])
    assert.deepEqual(told.resource.meta, {
      extension: [{ url: extensions.serviceFilteringStatus, valueCode: 'organization-disabled' }],
    })
    await practice.load()
  })

  it('leaves out what is booked', async () => {
    const slots = await practice.freeSlots()
    const [first] = slots
    assert.ok(first)
    const booked = await practice.book(appointmentFor(await practice.patientId(people.everySection), [first]))
    assert.equal(booked.status, 201, booked.body)
    assert.deepEqual(
      (await practice.freeSlots()).map(({ id }) => id),
      slots.slice(1).map(({ id }) => id),
    )
  })
})
