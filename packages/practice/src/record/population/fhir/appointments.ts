/** Appointments that are in the books already: of a patient of the population, for slots of a schedule of it (§10). */
import type { HeldAppointment } from '../../scheduling.ts'
import { count, type Population } from '../population.ts'
import { codeOf, extension, fields, known, lineOf, list, momentOf, numberOf, textOf, wordsOf } from './elements.ts'
import { isWithdrawn, type Mapping } from './mapping.ts'
import type { Held, Resources } from './resources.ts'

/** What each status means for the books; the others mean nothing that is kept. */
const statuses: Readonly<Record<string, HeldAppointment['status']>> = {
  booked: 'booked',
  arrived: 'booked',
  fulfilled: 'booked',
  noshow: 'booked',
  cancelled: 'cancelled',
}

const longestDescription = 100
const longestComment = 500

/** The slots that appointments of the sources hold: they are free once more when these are cancelled. */
export function heldSlots({ resources }: Mapping): ReadonlySet<object> {
  return new Set(
    resources.all
      .filter((held) => held.type === 'Appointment' && !isWithdrawn(held) && statusOf(held) === 'booked')
      .flatMap((held) => slotsOf(held, resources).map(({ resource }) => resource)),
  )
}

const statusOf = ({ resource }: Held) => statuses[textOf(resource['status']) ?? '']

const slotsOf = (held: Held, resources: Resources): readonly Held[] =>
  list(held.resource['slot']).flatMap((reference) => {
    const slot = resources.follow(reference, held)
    return slot?.type === 'Slot' ? [slot] : []
  })

/**
 * Puts the appointments into the population; gives the resources that were used. `planned`: the resources of schedules
 * and slots that are in its books; `numbers`: NHS numbers by patient.
 */
export function readAppointments(
  { resources }: Mapping,
  population: Population,
  planned: ReadonlySet<object>,
  numbers: ReadonlyMap<object, string>,
): ReadonlySet<object> {
  const used = new Set<object>()
  const seen = new Map<string, string>()
  const takenBy = new Map<object, string>()
  for (const held of resources.all) {
    if (held.type !== 'Appointment' || isWithdrawn(held)) continue
    const { id, resource, place } = held
    const status = statusOf(held)
    const slots = slotsOf(held, resources)
    const schedule = slots[0] === undefined ? undefined : resources.follow(slots[0].resource['schedule'], slots[0])
    // Without a place in the books there is nothing that could be shown, changed or cancelled.
    if (
      id === undefined ||
      status === undefined ||
      schedule?.id === undefined ||
      slots.length < list(resource['slot']).length ||
      slots.some((slot) => !planned.has(slot.resource)) ||
      slots.some((slot) => resources.follow(slot.resource['schedule'], slot) !== schedule)
    )
      continue
    const at = (path: string) => ({ ...place, path: `${place.path ?? held.type}.${path}` })
    used.add(resource)
    const written = JSON.stringify(resource)
    if (seen.has(id)) {
      if (seen.get(id) !== written) population.fault(place, 'another appointment has the same id')
      continue
    }
    seen.set(id, written)
    count(population.used, held.type)
    const participants = list(resource['participant']).flatMap(({ actor }) => resources.follow(actor, held) ?? [])
    const nhsNumber = participants.flatMap((each) => numbers.get(each.resource) ?? [])[0]
    if (nhsNumber === undefined) {
      population.fault(at('participant'), 'names no patient of the population')
      continue
    }
    const description = lineOf(resource['description']) ?? wordsOf(list(resource['serviceType'])[0]) ?? 'Appointment'
    const comment = textOf(resource['comment'])
    if (description.length > longestDescription)
      population.fault(at('description'), `is longer than ${longestDescription} characters`)
    if ((comment ?? '').length > longestComment)
      population.fault(at('comment'), `is longer than ${longestComment} characters`)
    if (status === 'booked')
      for (const slot of slots) {
        const other = takenBy.get(slot.resource)
        if (other !== undefined && other !== id) population.fault(at('slot'), 'another appointment has the same slot')
        takenBy.set(slot.resource, id)
      }
    const reason = extension(resource, 'AppointmentCancellationReason')['valueString']
    population.appointment({
      id,
      nhsNumber,
      status,
      schedule: schedule.id,
      starts: slots.flatMap((slot) => momentOf(slot.resource['start']) ?? []).map((start) => Date.parse(start)),
      description,
      bookedBy: bookedBy(held, resources),
      ...known({
        comment,
        created: momentOf(resource['created']),
        minutesDuration: numberOf(resource['minutesDuration']),
        cancellationReason:
          status === 'cancelled'
            ? (lineOf(reason) ?? wordsOf(resource['cancelationReason']) ?? codeOf(resource['cancelationReason']))
            : undefined,
      }),
    })
  }
  return used
}

/** The organisation that booked, where the source says which. */
function bookedBy(held: Held, resources: Resources): HeldAppointment['bookedBy'] {
  const found = resources.follow(extension(held.resource, 'BookingOrganisation')['valueReference'], held)
  const name = lineOf(found?.resource['name'])
  if (found?.type !== 'Organization' || name === undefined) return undefined
  const odsCode = list(found.resource['identifier']).find(({ system }) =>
    textOf(system)?.includes('ods-organization-code'),
  )
  const telecom = list(fields(found.resource)['telecom']).flatMap(({ system, value, use }) => {
    const [one, other] = [textOf(system), textOf(value)]
    return one === undefined || other === undefined ? [] : [known({ system: one, value: other, use: textOf(use) })]
  })
  return { name, telecom, ...known({ odsCode: textOf(odsCode?.['value']) }) }
}
