import type { Appointment, FreeSlot, Named } from '@openspine/client'
import { bold, dim, shown, table } from './terminal.ts'

/** `2026-12-01 09:00`: the practice's own clock, as it gave it. */
const at = (time: string) => time.slice(0, 16).replace('T', ' ')
const until = (start: string, end: string) =>
  `${at(start)}–${end.slice(start.slice(0, 10) === end.slice(0, 10) ? 11 : 0, 16)}`
const who = (someone: Named | undefined) => someone?.name ?? someone?.reference ?? ''

/** Free slots as a table whose first column is what `book --slot` takes. */
export function readableSlots(slots: readonly FreeSlot[]): string[] {
  if (slots.length === 0) return ['No free slots.']
  return table(
    [
      ['slot', 'time', 'kind', 'how', 'who', 'where'],
      ...slots.map((slot) => [
        slot.id,
        until(slot.start, slot.end),
        slot.serviceType ?? slot.serviceCategory ?? '',
        slot.deliveryChannel ?? '',
        who(slot.practitioner) || (slot.practitionerRole ?? ''),
        who(slot.location),
      ]),
    ].map((row) => row.map(shown)),
  ).map((line, i) => (i === 0 ? bold(line) : line.trimEnd()))
}

/** Appointments as a table whose first column is what `show`, `amend` and `cancel` take. */
export function readableAppointments(appointments: readonly Appointment[]): string[] {
  if (appointments.length === 0) return ['No appointments.']
  return table(
    [
      ['appointment', 'time', 'status', 'how', 'description'],
      ...appointments.map((one) => [
        one.id,
        until(one.start, one.end),
        one.status,
        one.deliveryChannel ?? '',
        one.description ?? '',
      ]),
    ].map((row) => row.map(shown)),
  ).map((line, i) => (i === 0 ? bold(line) : line.trimEnd()))
}

/** One appointment, a line for each thing that it says. */
export function readableAppointment(one: Appointment): string[] {
  const said: readonly (readonly [string, string | undefined])[] = [
    ['time', until(one.start, one.end)],
    ['status', one.status],
    ['how', one.deliveryChannel],
    ['kind', [one.serviceCategory, one.serviceType].filter(Boolean).join(', ') || undefined],
    ['with', one.practitionerRole],
    ['description', one.description],
    ['comment', one.comment],
    ['booked by', one.bookedBy],
    ['cancelled', one.cancellationReason],
    ['concerns', one.participants.map(who).join(', ')],
  ]
  return [
    `${bold(shown(one.id))}${one.version === undefined ? '' : dim(shown(`  version ${one.version}`))}`,
    ...said.flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [`  ${name.padEnd(12)}${shown(value)}`],
    ),
  ]
}
