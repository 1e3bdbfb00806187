/** What is kept of an appointment: what the consumer said, and what the practice's own books said at that time. */
import type { AnyResource, CodeableConcept, Identifier } from '@openspine/standards/fhir'
import type { DeliveryChannel } from '../record/scheduling.ts'

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
