/** Appointment books of the worked example: every day from today on, with every rule about who may book. */
import { type Day, dateTimeAt } from '../record/dates.ts'
import type { PracticeFile } from '../record/model.ts'

/** A wall clock's time in the United Kingdom. */
function at(day: Day, time: string): string {
  // No clock is changed between 09:00 and midnight, so that noon's offset is the right one.
  return `${day}T${time}:00${dateTimeAt(Date.parse(`${day}T12:00:00Z`)).slice(-6)}`
}

/** Sessions on every day from `today` on. */
export function schedules(today: Day): NonNullable<PracticeFile['practices'][number]['schedules']> {
  const daily = <More extends object>(from: string, to: string, minutes: number, more: More) => ({
    start: at(today, from),
    end: at(today, to),
    minutes,
    repeats: 'daily' as const,
    ...more,
  })
  return [
    {
      id: 'surgery-1',
      location: 'site-1',
      practitioner: 'gp-1',
      role: { code: 'R0260', display: 'General Medical Practitioner' },
      serviceCategory: 'General GP appointments',
      deliveryChannel: 'In-person',
      serviceType: 'GP appointment',
      sessions: [
        daily('09:00', '11:00', 10, {}),
        daily('11:00', '12:00', 10, { serviceType: 'Kept for the practice', bookable: false }),
        daily('16:00', '17:00', 15, { deliveryChannel: 'Telephone' as const, serviceType: 'GP call back' }),
      ],
    },
    {
      id: 'urgent-2',
      location: 'site-2',
      practitioner: 'gp-2',
      role: { code: 'R0260', display: 'General Medical Practitioner' },
      serviceCategory: 'Urgent appointments',
      deliveryChannel: 'In-person',
      serviceType: 'Urgent GP appointment',
      organisationTypes: ['urgent-care'],
      sessions: [daily('14:00', '15:00', 15, {})],
    },
    {
      id: 'extended-3',
      location: 'site-1',
      healthcareService: 'service-1',
      serviceCategory: 'Extended hours',
      deliveryChannel: 'Video',
      serviceType: 'Evening appointment',
      sessions: [
        daily('18:00', '19:00', 20, {}),
        daily('19:00', '20:00', 20, { organisations: ['X26'] }),
        daily('20:00', '20:40', 20, { window: { opensHoursBefore: 72, closesMinutesBefore: 60 } }),
      ],
    },
  ]
}
