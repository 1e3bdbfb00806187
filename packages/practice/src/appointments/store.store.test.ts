import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { manualClock, systemRandom } from '@openspine/platform/clock'
import type { Store } from '@openspine/platform/store'
import { forEachStore } from '@openspine/platform/testing'
import { migrations } from '../migrations.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PracticeFile } from '../record/model.ts'
import { type PracticeStore, practiceStore } from '../store.ts'
import type { AppointmentFacts } from './facts.ts'
import { type AppointmentStore, appointmentStore, type StoredSlot } from './store.ts'

type Schedules = NonNullable<PracticeFile['practices'][number]['schedules']>
type Slots = NonNullable<Schedules[number]['slots']>

const from = Date.parse('2026-11-20T00:00:00Z')
const to = Date.parse('2026-11-30T00:00:00Z')
const half = { start: '2026-11-20T09:00:00Z', minutes: 30 }
const next = { start: '2026-11-20T09:30:00Z', minutes: 30 }
const later = { start: '2026-11-20T10:00:00Z', minutes: 30 }

function factsFor(slots: readonly StoredSlot[], patient = 'p-1'): AppointmentFacts {
  return {
    patient,
    schedule: 'list-1',
    slots: slots.map(({ id }) => id),
    participants: [{ reference: `Patient/${patient}`, status: 'accepted' }],
    bookingOrganisation: { resourceType: 'Organization', id: '1', name: 'Invented Trust' },
    created: '2026-11-19T10:00:00+00:00',
    description: 'Review',
  }
}

const began = '2026-11-20T08:00:00Z'
const clock = manualClock(began)

forEachStore((open) => {
  let engine: Store | undefined
  let practices: PracticeStore
  let store: AppointmentStore

  before(async () => {
    engine = await open()
    await engine.migrate('practice', migrations)
    practices = practiceStore(engine, systemRandom, clock)
    store = appointmentStore(engine)
  })
  after(() => engine?.close())
  beforeEach(async () => {
    for (const table of ['practice', 'service', 'slot', 'appointment'])
      await engine?.pool.query(`delete from practice.${table}`)
  })

  async function plan(slots: Slots, more: Partial<Schedules[number]> = {}, odsCode = 'A20047') {
    const file: PracticeFile = {
      format: 'openspine-practice-1',
      practices: [
        {
          odsCode,
          asid: '200000100001',
          name: 'Testham Surgery',
          serviceRoot: `/${odsCode}/DSTU2/1`,
          locations: [{ id: 'site-1', name: 'Main site' }],
          schedules: [{ id: 'list-1', location: 'site-1', slots, ...more }],
        },
      ],
    }
    await practices.write(
      readPracticeFile(file).practices.map(({ patients, complete, ...practice }) => ({ practice, patients, complete })),
    )
  }

  const free = (odsCode = 'A20047') => store.freeSlots(odsCode, from, to)
  const times = async () => (await free()).map(({ start, end }) => [start, end])
  const moments = (...slots: { start: string; minutes: number }[]) =>
    slots.map(({ start, minutes }) => [Date.parse(start), Date.parse(start) + minutes * 60_000])
  const book = (slots: readonly StoredSlot[], id: string, patient = 'p-1') =>
    store.book(
      'A20047',
      { id, start: slots[0]?.start ?? 0, end: slots.at(-1)?.end ?? 0, facts: factsFor(slots, patient) },
      slots,
    )

  test('keeps the slots of a practice with their ids however often its file is loaded', async () => {
    await plan([half, next])
    const first = await free()
    assert.deepEqual(
      first.map(({ status, version, bookable, schedule }) => ({ status, version, bookable, schedule })),
      [half, next].map(() => ({ status: 'free', version: 1, bookable: true, schedule: 'list-1' })),
    )
    await plan([half, next])
    assert.deepEqual(await free(), first)
    await plan([next, later], { serviceType: 'Clinic' })
    const second = await free()
    assert.deepEqual(await times(), moments(next, later))
    assert.equal(second[0]?.id, first[1]?.id)
    assert.equal(second[0]?.version, 2)
    assert.equal(second[0]?.traits.serviceType, 'Clinic')
    await plan([half], {}, 'B82617')
    assert.equal((await free()).length, 2)
    assert.equal((await free('B82617')).length, 1)
  })

  test('plans sessions that come again ahead of every day, once, whoever does it and however many at a time', async () => {
    const session = { start: '2026-11-20T09:00:00+00:00', end: '2026-11-20T09:20:00+00:00', minutes: 10 }
    await plan([], { sessions: [{ ...session, repeats: 'daily' }] })
    const all = async () => store.freeSlots('A20047', 0, Date.parse('2027-12-31T00:00:00Z'))
    const first = await all()
    assert.equal(first.length, 2 * 29)
    const [booked] = first
    assert.ok(booked)
    assert.ok(await book([booked], 'appointment-1'))
    clock.set('2026-12-10T00:00:01Z')
    await Promise.all([practices.planAhead(), practices.planAhead(), practices.planAhead()])
    const later = await all()
    assert.equal(later.length, 2 * 49 - 1)
    assert.equal(later.at(-1)?.start, Date.parse('2027-01-07T09:10:00Z'))
    assert.deepEqual(later.slice(0, first.length - 1), first.slice(1))
    await practices.planAhead()
    assert.deepEqual(await all(), later)
    // A year later what nobody took is gone, and what was booked is still there.
    clock.set('2027-11-20T08:00:00Z')
    await practices.planAhead()
    assert.equal((await all()).length, 2 * 57)
    assert.equal((await store.slots('A20047', [booked.id]))[0]?.status, 'busy')
    clock.set(began)
  })

  test('finds what lies wholly in the range and may be booked', async () => {
    await plan([half, { ...next, bookable: false }, later])
    assert.deepEqual(await times(), moments(half, later))
    const [nine, ten] = [half, later].map(({ start }) => Date.parse(start))
    assert.ok(nine && ten)
    assert.equal((await store.freeSlots('A20047', nine + 1, to)).length, 1)
    assert.equal((await store.freeSlots('A20047', nine, ten + 30 * 60_000)).length, 2)
    assert.equal((await store.freeSlots('A20047', nine, ten + 30 * 60_000 - 1)).length, 1)
  })

  test('takes slots with the appointment, and gives them back with its end', async () => {
    await plan([half, next, later])
    const slots = (await free()).slice(0, 2)
    const booked = await book(slots, 'one')
    assert.ok(booked)
    assert.deepEqual(await store.appointment('A20047', 'one'), booked)
    assert.equal(await store.appointment('B82617', 'one'), undefined)
    assert.deepEqual(await times(), moments(later))
    assert.deepEqual(
      (await store.slots('A20047', booked.facts.slots)).map(({ status, version }) => [status, version]),
      [
        ['busy', 2],
        ['busy', 2],
      ],
    )
    const amended = await store.change('A20047', booked, {
      status: 'booked',
      facts: { ...booked.facts, comment: 'Wheelchair' },
    })
    assert.equal(amended?.version, 2)
    assert.equal(amended?.facts.comment, 'Wheelchair')
    assert.equal(await store.change('A20047', booked, { status: 'cancelled', facts: booked.facts }), undefined)
    assert.deepEqual(await times(), moments(later))
    assert.ok(amended)
    const cancelled = await store.change('A20047', amended, { status: 'cancelled', facts: amended.facts })
    assert.equal(cancelled?.status, 'cancelled')
    assert.equal(cancelled?.version, 3)
    assert.deepEqual(await times(), moments(half, next, later))
    assert.ok(await book((await free()).slice(0, 1), 'two'))
  })

  test('changes nothing when one of the slots is not to be had', async () => {
    await plan([half, next, later])
    const [first, second, third] = await free()
    assert.ok(first && second && third)
    assert.ok(await book([second], 'one'))
    assert.equal(await book([first, second, third], 'two'), undefined)
    assert.equal(await store.appointment('A20047', 'two'), undefined)
    assert.deepEqual(await times(), moments(half, later))
    assert.equal(await book([first, { ...third, id: 'unknown' }], 'three'), undefined)
    assert.deepEqual(await times(), moments(half, later))
    // Re-planned since it was read: not the slot that the consumer saw.
    await plan([{ ...half, minutes: 20 }, next, later])
    assert.equal(await book([first], 'four'), undefined)
  })

  test('keeps bookings when the file is loaded again, whatever it says', async () => {
    await plan([half, next])
    const slots = await free()
    assert.ok(await book(slots.slice(0, 1), 'one'))
    await plan([half, next])
    assert.deepEqual(await times(), moments(next))
    // Not planned any more, or planned over it.
    await plan([{ start: '2026-11-20T09:15:00Z', minutes: 30 }, later])
    assert.deepEqual(await times(), moments(later))
    const booked = await store.appointment('A20047', 'one')
    assert.ok(booked)
    assert.deepEqual((await store.slots('A20047', booked.facts.slots)).length, 1)
    await store.change('A20047', booked, { status: 'cancelled', facts: booked.facts })
    // Freed, but the practice does not offer it any more.
    assert.deepEqual(await times(), moments(later))
    await plan([{ start: '2026-11-20T09:15:00Z', minutes: 30 }, later])
    assert.deepEqual(await times(), moments({ start: '2026-11-20T09:15:00Z', minutes: 30 }, later))
  })

  test('lists the appointments of a patient that start in a range, cancelled ones too', async () => {
    await plan([half, next, later])
    const [first, second, third] = await free()
    assert.ok(first && second && third)
    await book([third], 'late')
    await book([first], 'early')
    await book([second], 'other', 'p-2')
    const early = await store.appointment('A20047', 'early')
    assert.ok(early)
    await store.change('A20047', early, { status: 'cancelled', facts: early.facts })
    const ids = async (start: number, end: number) =>
      (await store.ofPatient('A20047', 'p-1', start, end)).map(({ id, status }) => `${id} ${status}`)
    assert.deepEqual(await ids(from, to), ['early cancelled', 'late booked'])
    assert.deepEqual(await ids(first.start, third.start), ['early cancelled'])
    assert.deepEqual(await ids(third.start, to), ['late booked'])
  })

  test('lets one of sixty bookings of the same slot win, over several connections', async () => {
    await plan([half])
    const slots = await free()
    const results = await Promise.all(Array.from({ length: 60 }, (_, i) => book(slots, `a-${i}`, `p-${i}`)))
    const won = results.filter((each) => each !== undefined)
    assert.equal(won.length, 1)
    const held = await engine?.pool.query<{ id: string; appointment_id: string; n: number }>(
      `select appointment_id, (select count(*) from practice.appointment) as n from practice.slot`,
    )
    assert.deepEqual(held?.rows, [{ appointment_id: won[0]?.id, n: 1 }])
  })

  test('never deadlocks, nor books a slot twice, when bookings of several slots cross', async () => {
    await plan([half, next, later])
    const slots = await free()
    const [first, second, third] = slots
    assert.ok(first && second && third)
    const wanted = [
      [first, second],
      [third, second],
      [second, first],
      [second, third],
      [third, second, first],
    ]
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, i) => book(wanted[i % wanted.length] ?? [], `a-${i}`)),
    )
    const won = results.filter((each) => each !== undefined)
    const taken = won.flatMap(({ facts }) => facts.slots)
    assert.equal(won.length, 1)
    assert.equal(new Set(taken).size, taken.length)
    assert.equal((await free()).length, 3 - taken.length)
  })

  test('never lets a reload take away what is being booked', async () => {
    await plan([half, next])
    const slots = await free()
    const [booked] = await Promise.all([book(slots, 'one'), plan([later]), plan([half, next, later]), plan([later])])
    const stored = await store.appointment('A20047', 'one')
    assert.deepEqual(stored, booked)
    const held = await store.slots('A20047', booked?.facts.slots ?? [])
    assert.deepEqual(
      held.map(({ status }) => status),
      booked === undefined ? [] : ['busy', 'busy'],
    )
  })

  test('never deadlocks when bookings, cancellations and reloads meet', async () => {
    await plan([half, next, later])
    for (let round = 0; round < 6; round++) {
      const slots = await free()
      const pairs = [slots.slice(0, 2), slots.slice(1).toReversed(), slots.toReversed()]
      const work = async (i: number) => {
        const booked = await book(pairs[i % pairs.length] ?? [], `r-${round}-${i}`)
        return booked && store.change('A20047', booked, { status: 'cancelled', facts: booked.facts })
      }
      const reload = (i: number) => plan([half, next, later], { serviceType: `Clinic ${round}.${i}` })
      await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 3 === 2 ? reload(i) : work(i))))
      assert.deepEqual(await times(), moments(half, next, later))
    }
  })

  test('lets one of two changes of the same version win', async () => {
    await plan([half])
    const booked = await book(await free(), 'one')
    assert.ok(booked)
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.change('A20047', booked, {
          status: i % 2 === 0 ? 'cancelled' : 'booked',
          facts: { ...booked.facts, comment: String(i) },
        }),
      ),
    )
    const won = results.filter((each) => each !== undefined)
    assert.equal(won.length, 1)
    assert.deepEqual(await store.appointment('A20047', 'one'), won[0])
    assert.equal((await free()).length, won[0]?.status === 'cancelled' ? 1 : 0)
  })
})
