/** Names of the appointment profiles (§10). */
import { codeSystem, definition } from '../stu3/systems.ts'

export const profiles = {
  slot: definition('GPConnect-Slot-1'),
  schedule: definition('GPConnect-Schedule-1'),
  appointment: definition('GPConnect-Appointment-1'),
} as const

export const extensions = {
  bookingOrganisation: definition('Extension-GPConnect-BookingOrganisation-1'),
  practitionerRole: definition('Extension-GPConnect-PractitionerRole-1'),
  deliveryChannel: definition('Extension-GPConnect-DeliveryChannel-2'),
  cancellationReason: definition('Extension-GPConnect-AppointmentCancellationReason-1'),
  serviceFilteringStatus: definition('Extension-GPConnect-ServiceFilteringStatus-1'),
} as const

export const codeSystems = {
  jobRole: codeSystem('CareConnect-SDSJobRoleName-1'),
  organisationType: codeSystem('GPConnect-OrganisationType-1'),
} as const
