/** Appointment books from rows: each is a slot of a schedule, and names the patient who has it. */
import type { HeldAppointment } from '../scheduling.ts'
import type { Place, Population } from './population.ts'

/** A row as its columns say it. */
export interface SlotRow {
  readonly schedule: { readonly id: string; readonly location: string } & Readonly<Record<string, unknown>>
  readonly slot: { readonly start: string; readonly minutes: number } & Readonly<Record<string, unknown>>
  readonly appointment?: { readonly id?: string; readonly description?: string; readonly comment?: string }
}

export interface Books {
  add(row: SlotRow, nhsNumber: string | undefined, place: Place): void
  /** Puts schedules and appointments into the population, when all its patients are known. */
  finish(): void
}

export function booksOf(population: Population): Books {
  const schedules = new Map<string, { readonly head: SlotRow['schedule']; readonly place: Place; slots: object[] }>()
  const appointments = new Map<string, { held: HeldAppointment; readonly place: Place }>()

  function book({ schedule, slot, appointment = {} }: SlotRow, nhsNumber: string, place: Place): void {
    const start = Date.parse(slot.start)
    const id = appointment.id ?? `${schedule.id}-${start / 60_000}`.slice(-64)
    const before = appointments.get(id)
    if (before === undefined) {
      const { comment, description = slot['serviceType'] ?? 'Appointment' } = appointment
      const held: HeldAppointment = {
        id,
        nhsNumber,
        status: 'booked',
        schedule: schedule.id,
        starts: [start],
        description: String(description),
        bookedBy: undefined,
        ...(comment === undefined ? {} : { comment }),
      }
      appointments.set(id, { held, place })
    } else if (before.held.nhsNumber !== nhsNumber || before.held.schedule !== schedule.id)
      population.fault({ ...place, path: 'appointment' }, 'another patient or schedule has an appointment of this id')
    else before.held = { ...before.held, starts: [...before.held.starts, start].sort((one, other) => one - other) }
  }

  return {
    add(row, nhsNumber, place) {
      const { id } = row.schedule
      const before = schedules.get(id)
      if (before === undefined) schedules.set(id, { head: row.schedule, place, slots: [row.slot] })
      else if (JSON.stringify(before.head) === JSON.stringify(row.schedule)) before.slots.push(row.slot)
      else population.fault({ ...place, path: 'schedule' }, 'another row says something else of this schedule')
      if (nhsNumber !== undefined) book(row, nhsNumber, place)
    },
    finish() {
      for (const { head, slots, place } of schedules.values()) population.schedule({ ...head, slots }, place)
      for (const { held, place } of appointments.values())
        if (population.has(held.nhsNumber)) population.appointment(held)
        else population.fault({ ...place, path: 'nhsNumber' }, 'no source has a patient of this NHS number')
    },
  }
}
