/** Appointment books: a Schedule with its Slots. */
import type { Population } from '../population.ts'
import { codeOf, extension, fields, known, lineOf, list, momentOf, textOf, wordsOf } from './elements.ts'
import { isWithdrawn, type Mapping } from './mapping.ts'
import type { Held } from './resources.ts'

/** Schedules at a place of the practice, for the population; gives the resources that went into them. */
export function readSchedules(
  mapping: Mapping,
  population: Population,
  /** Slots that an appointment of the population takes. */
  heldByAppointments: ReadonlySet<object>,
): ReadonlySet<object> {
  const { resources } = mapping
  const used = new Set<object>()
  const slots = new Map<object, Held[]>()
  for (const held of resources.all) {
    const schedule = held.type === 'Slot' ? resources.follow(held.resource['schedule'], held) : undefined
    if (schedule === undefined || isWithdrawn(held)) continue
    slots.set(schedule.resource, [...(slots.get(schedule.resource) ?? []), held])
  }
  for (const held of resources.all) {
    const { type, id, resource } = held
    if (type !== 'Schedule' || id === undefined || isWithdrawn(held)) continue
    const actors = list(resource['actor'])
    const location = actors.flatMap((each) => mapping.location(each, held) ?? [])[0]
    // A schedule without a place cannot be shown to anybody.
    if (location === undefined) continue
    if (actors.some((each) => resources.follow(each, held)?.type === 'HealthcareService'))
      population.leaveOut('Schedule (link to HealthcareService)', held.place, 'services are settings of the practice')
    const role = extension(resource, 'PractitionerRole')['valueCodeableConcept']
    const roleCode = codeOf(role)
    const own = slots.get(resource) ?? []
    used.add(resource)
    for (const slot of own) used.add(slot.resource)
    population.schedule(
      {
        id,
        location,
        ...known({
          practitioner: actors.flatMap((each) => mapping.practitioner(each, held) ?? [])[0],
          role: roleCode === undefined ? undefined : { code: roleCode, display: wordsOf(role) ?? roleCode },
          serviceCategory: wordsOf(list(resource['serviceCategory'])[0]),
        }),
        slots: own.map((slot) => slotOf(slot, heldByAppointments.has(slot.resource))),
      },
      held.place,
    )
  }
  return used
}

/** What is not free is planned, and kept from being booked; what an appointment takes is free without it. */
function slotOf({ resource }: Held, isHeld: boolean) {
  const [start, end] = [momentOf(resource['start']), momentOf(resource['end'])]
  return known({
    start,
    minutes: start === undefined || end === undefined ? undefined : (Date.parse(end) - Date.parse(start)) / 60_000,
    deliveryChannel: textOf(extension(resource, 'DeliveryChannel')['valueCode']),
    serviceType: wordsOf(list(resource['serviceType'])[0]) ?? lineOf(fields(resource['type'])['text']),
    bookable: isHeld || textOf(resource['status'] ?? resource['freeBusyType']) === 'free' ? undefined : false,
  })
}
