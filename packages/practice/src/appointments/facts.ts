/** What is kept of an appointment: what the consumer said, and what the practice's own books said at that time. */
import type { AnyResource, CodeableConcept, Identifier } from '@openspine/standards/fhir'
import { dateTimeAt } from '../record/dates.ts'
import type { PracticeRecord } from '../record/model.ts'
import type { DeliveryChannel, HeldAppointment } from '../record/scheduling.ts'
import { definition, systems } from '../stu3/systems.ts'
import type { StoredSlot } from './store.ts'

/** Who or what takes part; `reference` is relative (`Patient/…`). */
export interface Participant {
  readonly reference: string
  readonly status: string
  readonly type?: readonly CodeableConcept[]
  readonly required?: string
}

export interface AppointmentFacts {
  /** Lasting id of the patient. */
  readonly patient: string
  readonly schedule: string
  /** Ids, in order of time. */
  readonly slots: readonly string[]
  readonly participants: readonly Participant[]
  /** The contained Organization, as those who booked sent it. */
  readonly bookingOrganisation: AnyResource
  /** A FHIR dateTime. */
  readonly created: string
  readonly description: string
  readonly comment?: string
  readonly priority?: number
  readonly minutesDuration?: number
  readonly identifier?: readonly Identifier[]
  readonly cancellationReason?: string
  readonly serviceCategory?: string
  readonly serviceType?: string
  readonly deliveryChannel?: DeliveryChannel
  readonly role?: { readonly code: string; readonly display: string }
}

/** The facts of an appointment that comes with the books of a practice. */
export function heldFacts(
  held: HeldAppointment,
  patient: string,
  practice: PracticeRecord,
  slots: readonly StoredSlot[],
): AppointmentFacts {
  const { comment, minutesDuration, cancellationReason, bookedBy } = held
  const schedule = practice.schedules.find(({ id }) => id === held.schedule)
  const { deliveryChannel, serviceType } = slots[0]?.traits ?? {}
  const { odsCode, name, telecom } = bookedBy ?? practice
  const accepted = (reference: string): Participant => ({ reference, status: 'accepted' })
  return {
    patient,
    schedule: held.schedule,
    slots: slots.map(({ id }) => id),
    participants: [
      accepted(`Patient/${patient}`),
      ...(schedule === undefined ? [] : [accepted(`Location/${schedule.location}`)]),
      ...(schedule?.practitioner === undefined ? [] : [accepted(`Practitioner/${schedule.practitioner}`)]),
    ],
    bookingOrganisation: {
      resourceType: 'Organization',
      id: '1',
      meta: { profile: [definition('CareConnect-GPC-Organization-1')] },
      ...(odsCode === undefined ? {} : { identifier: [{ system: systems.odsOrganisation, value: odsCode }] }),
      name,
      ...(telecom.length === 0 ? {} : { telecom }),
    },
    created: held.created ?? dateTimeAt(slots[0]?.start ?? 0),
    description: held.description,
    ...(comment === undefined ? {} : { comment }),
    ...(minutesDuration === undefined ? {} : { minutesDuration }),
    ...(cancellationReason === undefined ? {} : { cancellationReason }),
    ...(schedule?.serviceCategory === undefined ? {} : { serviceCategory: schedule.serviceCategory }),
    ...(serviceType === undefined ? {} : { serviceType }),
    ...(deliveryChannel === undefined ? {} : { deliveryChannel }),
    ...(schedule?.role === undefined ? {} : { role: schedule.role }),
  }
}
