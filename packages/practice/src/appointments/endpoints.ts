/** Appointment Management: what is served of it (§6, §10). */
import type { Endpoint } from '../endpoint.ts'
import { found } from '../sheet.ts'
import { interaction } from '../stu3/systems.ts'
import type { AppointmentSheet } from './body-checks.ts'
import { book, bookingChecks } from './booking.ts'
import { amend, amendChecks, cancel, cancelChecks, readChecks, retrievalChecks, retrieve } from './changing.ts'
import { read } from './reply.ts'
import { searchSlots, slotChecks } from './search.ts'

const served = { bases: ['gpconnect'], capability: 'appointments' } as const

export const appointmentEndpoints: readonly Endpoint[] = [
  {
    ...served,
    action: 'searchSlots',
    verb: 'GET',
    path: '/Slot',
    interaction: interaction('fhir:rest:search:slot-1'),
    scope: 'organization/*.read',
    body: false,
    checks: slotChecks,
    respond: searchSlots,
  },
  {
    ...served,
    action: 'bookAppointment',
    verb: 'POST',
    path: '/Appointment',
    interaction: interaction('fhir:rest:create:appointment-1'),
    scope: 'patient/*.write',
    body: true,
    checks: bookingChecks,
    respond: book,
  },
  {
    ...served,
    action: 'searchPatientAppointments',
    verb: 'GET',
    path: '/Patient/{id}/Appointment',
    interaction: interaction('fhir:rest:search:patient_appointments-1'),
    scope: 'patient/*.read',
    body: false,
    checks: retrievalChecks,
    respond: retrieve,
  },
  {
    ...served,
    action: 'readAppointment',
    verb: 'GET',
    path: '/Appointment/{id}',
    interaction: interaction('fhir:rest:read:appointment-1'),
    scope: 'patient/*.read',
    body: false,
    checks: readChecks,
    respond: (sheet: AppointmentSheet) => read(found(sheet, 'stored')),
  },
  // The two that share verb and path are told apart by their interaction.
  {
    ...served,
    action: 'amendAppointment',
    verb: 'PUT',
    path: '/Appointment/{id}',
    interaction: interaction('fhir:rest:update:appointment-1'),
    scope: 'patient/*.write',
    body: true,
    checks: amendChecks,
    respond: amend,
  },
  {
    ...served,
    action: 'cancelAppointment',
    verb: 'PUT',
    path: '/Appointment/{id}',
    interaction: interaction('fhir:rest:cancel:appointment-1'),
    scope: 'patient/*.write',
    body: true,
    checks: cancelChecks,
    respond: cancel,
  },
]
