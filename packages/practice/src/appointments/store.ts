/** All SQL of slots and appointments. A slot is taken and given back with its appointment, in one transaction. */
import type { Random } from '@openspine/platform/clock'
import type { Store } from '@openspine/platform/store'
import { SpineError } from '@openspine/standards/error'
import { type Kysely, sql } from 'kysely'
import type { PracticeRecord } from '../record/model.ts'
import { type HeldAppointment, type PlannedSlot, type SlotTraits, slotsOf } from '../record/scheduling.ts'
import { type AppointmentFacts, heldFacts } from './facts.ts'

export interface StoredSlot extends PlannedSlot {
  /** Opaque and lasting. */
  readonly id: string
  readonly status: 'free' | 'busy'
  /** Grows by one with every change. */
  readonly version: number
}

export interface StoredAppointment {
  readonly id: string
  readonly status: 'booked' | 'cancelled'
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
  readonly facts: AppointmentFacts
}

export interface AppointmentStore {
  /** Free and bookable slots that lie wholly between two moments, in order of time. */
  freeSlots(odsCode: string, from: number, to: number): Promise<readonly StoredSlot[]>
  /** Those of the ids that there are, in order of time. */
  slots(odsCode: string, ids: readonly string[]): Promise<readonly StoredSlot[]>
  /**
   * Takes the slots and writes the appointment, or does nothing: undefined when any of the slots is not free any more
   * or is not as it was read.
   */
  book(
    odsCode: string,
    appointment: Omit<StoredAppointment, 'status' | 'version'>,
    slots: readonly Pick<StoredSlot, 'id' | 'version'>[],
  ): Promise<StoredAppointment | undefined>
  appointment(odsCode: string, id: string): Promise<StoredAppointment | undefined>
  /** Booked and cancelled ones that start at or after `from` and before `to`, in order of time. */
  ofPatient(odsCode: string, patientId: string, from: number, to: number): Promise<readonly StoredAppointment[]>
  /** Writes a new version over the one that was read; undefined when there is a newer one. Cancelling frees the slots. */
  change(odsCode: string, read: StoredAppointment, to: Changed): Promise<StoredAppointment | undefined>
}

type Changed = Pick<StoredAppointment, 'status' | 'facts'>

interface SlotRow {
  id: string
  schedule_id: string
  starts_at: number
  ends_at: number
  status: string
  bookable: boolean
  traits: string
  version: number
}

interface AppointmentRow {
  id: string
  starts_at: number
  ends_at: number
  status: string
  document: string
  version: number
}

const slotOf = (row: SlotRow): StoredSlot => ({
  id: row.id,
  schedule: row.schedule_id,
  start: row.starts_at,
  end: row.ends_at,
  status: row.status === 'free' ? 'free' : 'busy',
  bookable: row.bookable,
  traits: JSON.parse(row.traits) as SlotTraits,
  version: row.version,
})

const appointmentOf = (row: AppointmentRow): StoredAppointment => ({
  id: row.id,
  status: row.status === 'cancelled' ? 'cancelled' : 'booked',
  version: row.version,
  start: row.starts_at,
  end: row.ends_at,
  facts: JSON.parse(row.document) as AppointmentFacts,
})

/**
 * Brings the slots of a practice to what its schedules say, inside the transaction that writes the practice. Slots that
 * are booked stay as they were booked; of those that are not planned any more the free ones go. A slot that would
 * overlap a booked one of its schedule is left out until that is cancelled. `at` decides what is planned of sessions that
 * come again.
 */
export async function planSlots<Tables>(
  transaction: Kysely<Tables>,
  practice: Pick<PracticeRecord, 'odsCode' | 'schedules'>,
  random: Random,
  at: number,
): Promise<void> {
  const { odsCode } = practice
  const planned = practice.schedules.flatMap((schedule) => slotsOf(schedule, at))
  const keys = sql`unnest(
    ${planned.map(({ schedule }) => schedule)}::text[],
    ${planned.map(({ start }) => start)}::bigint[],
    ${planned.map(({ end }) => end)}::bigint[],
    ${planned.map(({ bookable }) => bookable)}::boolean[],
    ${planned.map(({ traits }) => JSON.stringify(traits))}::text[],
    ${planned.map(() => random.uuid())}::text[]
  ) as given (schedule_id, starts_at, ends_at, bookable, traits, id)`
  const isGiven = sql`exists (
    select from ${keys} where given.schedule_id = held.schedule_id and given.starts_at = held.starts_at)`
  // Whoever locks several slots does so in order of schedule and time, so that nobody waits for one that waits for him.
  await sql`
    select count(*) from (
      select from practice.slot where ods_code = ${odsCode} order by schedule_id, starts_at for update
    ) as locked`.execute(transaction)
  await sql`
    delete from practice.slot as held
    where ods_code = ${odsCode} and status = 'free' and not ${isGiven}`.execute(transaction)
  await sql`
    update practice.slot as held set bookable = false, version = version + 1
    where ods_code = ${odsCode} and status = 'busy' and bookable and not ${isGiven}`.execute(transaction)
  if (planned.length === 0) return
  await sql`
    insert into practice.slot as held (ods_code, id, schedule_id, starts_at, ends_at, status, bookable, traits, version)
    select ${odsCode}, id, schedule_id, starts_at, ends_at, 'free', bookable, traits, 1
    from ${keys}
    where not exists (
      select from practice.slot as taken
      where taken.ods_code = ${odsCode} and taken.schedule_id = given.schedule_id and taken.status = 'busy'
        and taken.starts_at < given.ends_at and given.starts_at < taken.ends_at
        and taken.starts_at <> given.starts_at)
    order by schedule_id, starts_at
    on conflict (ods_code, schedule_id, starts_at) do update
      set ends_at = case held.status when 'free' then excluded.ends_at else held.ends_at end,
        traits = case held.status when 'free' then excluded.traits else held.traits end,
        bookable = excluded.bookable,
        version = held.version + 1
      where held.bookable <> excluded.bookable
        or held.status = 'free' and (held.ends_at, held.traits) is distinct from (excluded.ends_at, excluded.traits)
  `.execute(transaction)
}

/**
 * Writes appointments that come with the books of a practice, after its slots and patients and in the same transaction.
 * One whose id is there already was loaded before: it stays as it was made since.
 */
export async function putAppointments<Tables>(
  transaction: Kysely<Tables>,
  practice: PracticeRecord,
  appointments: readonly HeldAppointment[],
): Promise<void> {
  const { odsCode } = practice
  for (const held of appointments) {
    const { id, nhsNumber, status, schedule, starts } = held
    const { rows: known } = await sql`
      select from practice.appointment where ods_code = ${odsCode} and id = ${id}`.execute(transaction)
    const { rows: patients } = await sql<{ id: string }>`
      select id from practice.patient where ods_code = ${odsCode} and nhs_number = ${nhsNumber}`.execute(transaction)
    const patient = patients[0]?.id
    if (known.length > 0 || patient === undefined) continue
    const { rows } = await sql<SlotRow>`
      select id, schedule_id, starts_at, ends_at, status, bookable, traits, version from practice.slot
      where ods_code = ${odsCode} and schedule_id = ${schedule} and starts_at = any(${starts}::bigint[])
        and (status = 'free' or ${status === 'cancelled'})
      order by starts_at
      for update`.execute(transaction)
    const [first] = rows
    const last = rows.at(-1)
    if (first === undefined || last === undefined || rows.length !== starts.length)
      throw new SpineError(
        'PRACTICE_SLOT_TAKEN',
        { id, odsCode },
        { explanation: `A slot of the appointment ${id} is booked already at ${odsCode}.` },
      )
    if (status === 'booked')
      await sql`
        update practice.slot set status = 'busy', appointment_id = ${id}, version = version + 1
        where ods_code = ${odsCode} and id = any(${rows.map((row) => row.id)}::text[])`.execute(transaction)
    const facts = heldFacts(held, patient, practice, rows.map(slotOf))
    await sql`
      insert into practice.appointment (ods_code, id, patient_id, starts_at, ends_at, status, document, version)
      values (${odsCode}, ${id}, ${patient}, ${first.starts_at}, ${last.ends_at}, ${status}, ${JSON.stringify(facts)}, 1)
    `.execute(transaction)
  }
}

/** Undoes the transaction of a booking whose slots could not all be had. */
class Taken extends Error {}

export function appointmentStore(store: Store): AppointmentStore {
  const db = store.db as Kysely<unknown>

  return {
    async freeSlots(odsCode, from, to) {
      const { rows } = await sql<SlotRow>`
        select id, schedule_id, starts_at, ends_at, status, bookable, traits, version from practice.slot
        where ods_code = ${odsCode} and starts_at >= ${from} and starts_at < ${to} and ends_at <= ${to}
          and status = 'free' and bookable
        order by starts_at, schedule_id`.execute(db)
      return rows.map(slotOf)
    },

    async slots(odsCode, ids) {
      const { rows } = await sql<SlotRow>`
        select id, schedule_id, starts_at, ends_at, status, bookable, traits, version from practice.slot
        where ods_code = ${odsCode} and id = any(${ids}::text[])
        order by starts_at, schedule_id`.execute(db)
      return rows.map(slotOf)
    },

    async book(odsCode, { id, start, end, facts }, slots) {
      try {
        await db.transaction().execute(async (transaction) => {
          const { rows } = await sql`
            update practice.slot as held set status = 'busy', appointment_id = ${id}, version = held.version + 1
            where held.ods_code = ${odsCode} and held.status = 'free' and held.id in (
              select slot.id
              from practice.slot
              join unnest(
                ${slots.map((slot) => slot.id)}::text[],
                ${slots.map((slot) => slot.version)}::integer[]
              ) as wanted (id, version) on slot.id = wanted.id and slot.version = wanted.version
              where slot.ods_code = ${odsCode} and slot.status = 'free'
              order by slot.schedule_id, slot.starts_at
              for update of slot)
            returning held.id`.execute(transaction)
          if (rows.length !== slots.length) throw new Taken()
          await sql`
            insert into practice.appointment (ods_code, id, patient_id, starts_at, ends_at, status, document, version)
            values (${odsCode}, ${id}, ${facts.patient}, ${start}, ${end}, 'booked', ${JSON.stringify(facts)}, 1)
          `.execute(transaction)
        })
      } catch (error) {
        if (error instanceof Taken) return undefined
        throw error
      }
      return { id, status: 'booked', version: 1, start, end, facts }
    },

    async appointment(odsCode, id) {
      const { rows } = await sql<AppointmentRow>`
        select id, starts_at, ends_at, status, document, version from practice.appointment
        where ods_code = ${odsCode} and id = ${id}`.execute(db)
      return rows[0] && appointmentOf(rows[0])
    },

    async ofPatient(odsCode, patientId, from, to) {
      const { rows } = await sql<AppointmentRow>`
        select id, starts_at, ends_at, status, document, version from practice.appointment
        where ods_code = ${odsCode} and patient_id = ${patientId} and starts_at >= ${from} and starts_at < ${to}
        order by starts_at, id`.execute(db)
      return rows.map(appointmentOf)
    },

    async change(odsCode, read, { status, facts }) {
      return db.transaction().execute(async (transaction) => {
        const { rows } = await sql<AppointmentRow>`
          update practice.appointment
          set status = ${status}, document = ${JSON.stringify(facts)}, version = version + 1
          where ods_code = ${odsCode} and id = ${read.id} and version = ${read.version}
          returning id, starts_at, ends_at, status, document, version`.execute(transaction)
        const [row] = rows
        if (row === undefined) return undefined
        if (status === 'cancelled')
          await sql`
            update practice.slot set status = 'free', appointment_id = null, version = version + 1
            where ods_code = ${odsCode} and appointment_id = ${read.id} and id in (
              select id from practice.slot
              where ods_code = ${odsCode} and id = any(${facts.slots}::text[])
              order by schedule_id, starts_at
              for update)
          `.execute(transaction)
        return appointmentOf(row)
      })
    },
  }
}
