/** Slot, Schedule and Appointment as GP Connect profiles them; times in the United Kingdom's offset (§10). */
import type { DomainResource, Extension } from '@openspine/standards/fhir'
import { dateTimeAt } from '../record/dates.ts'
import { type DeliveryChannel, type Schedule, slotsOf } from '../record/scheduling.ts'
import type { StoredPractice } from '../store.ts'
import { codeSystems, extensions, profiles } from './names.ts'
import type { StoredAppointment, StoredSlot } from './store.ts'

const channel = (deliveryChannel: DeliveryChannel | undefined): readonly Extension[] =>
  deliveryChannel === undefined ? [] : [{ url: extensions.deliveryChannel, valueCode: deliveryChannel }]

const practitionerRole = (role: Schedule['role']): readonly Extension[] =>
  role === undefined
    ? []
    : [
        {
          url: extensions.practitionerRole,
          valueCodeableConcept: { coding: [{ system: codeSystems.jobRole, ...role }] },
        },
      ]

const listed = (extension: readonly Extension[]) => (extension.length === 0 ? {} : { extension })

export function slotResource({ id, version, schedule, status, start, end, traits }: StoredSlot): DomainResource {
  const { deliveryChannel, serviceType } = traits
  const resource = {
    resourceType: 'Slot',
    id,
    meta: { versionId: String(version), profile: [profiles.slot] },
    ...listed(channel(deliveryChannel)),
    ...(serviceType === undefined ? {} : { serviceType: [{ text: serviceType }] }),
    schedule: { reference: `Schedule/${schedule}` },
    status,
    start: dateTimeAt(start),
    end: dateTimeAt(end),
  }
  return resource
}

/** `withService`: whether the healthcare service is told (its switch is on; 1.2.8). `at`: when it is asked for. */
export function scheduleResource(
  schedule: Schedule,
  held: StoredPractice,
  { withService, at }: { readonly withService: boolean; readonly at: number },
): DomainResource {
  const { id, location, practitioner, healthcareService, role, serviceCategory } = schedule
  const slots = slotsOf(schedule, at)
  const [first] = slots
  const end = slots.reduce((latest, slot) => Math.max(latest, slot.end), 0)
  const resource = {
    resourceType: 'Schedule',
    id,
    meta: { versionId: String(held.version), profile: [profiles.schedule] },
    ...listed(practitionerRole(role)),
    ...(serviceCategory === undefined ? {} : { serviceCategory: { text: serviceCategory } }),
    actor: [
      { reference: `Location/${location}` },
      ...(practitioner === undefined ? [] : [{ reference: `Practitioner/${practitioner}` }]),
      ...(withService && healthcareService !== undefined
        ? [{ reference: `HealthcareService/${healthcareService}` }]
        : []),
    ],
    ...(first === undefined ? {} : { planningHorizon: { start: dateTimeAt(first.start), end: dateTimeAt(end) } }),
  }
  return resource
}

export function appointmentResource({ id, version, status, start, end, facts }: StoredAppointment): DomainResource {
  const { bookingOrganisation, serviceCategory, serviceType, cancellationReason } = facts
  const kept = (name: 'identifier' | 'priority' | 'minutesDuration' | 'comment') =>
    facts[name] === undefined ? {} : { [name]: facts[name] }
  const resource = {
    resourceType: 'Appointment',
    id,
    meta: { versionId: String(version), profile: [profiles.appointment] },
    contained: [bookingOrganisation],
    extension: [
      { url: extensions.bookingOrganisation, valueReference: { reference: `#${bookingOrganisation.id}` } },
      ...practitionerRole(facts.role),
      ...channel(facts.deliveryChannel),
      ...(cancellationReason === undefined
        ? []
        : [{ url: extensions.cancellationReason, valueString: cancellationReason }]),
    ],
    ...kept('identifier'),
    status,
    ...(serviceCategory === undefined ? {} : { serviceCategory: { text: serviceCategory } }),
    ...(serviceType === undefined ? {} : { serviceType: [{ text: serviceType }] }),
    ...kept('priority'),
    description: facts.description,
    start: dateTimeAt(start),
    end: dateTimeAt(end),
    ...kept('minutesDuration'),
    slot: facts.slots.map((slot) => ({ reference: `Slot/${slot}` })),
    created: facts.created,
    ...kept('comment'),
    participant: facts.participants.map(({ reference, status, type, required }) => ({
      ...(type === undefined ? {} : { type }),
      actor: { reference },
      ...(required === undefined ? {} : { required }),
      status,
    })),
  }
  return resource
}
