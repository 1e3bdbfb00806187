/** Reading, amending and cancelling an appointment (§10.4), and finding those of a patient (§10.3). */
import { isDeepStrictEqual } from 'node:util'
import { searchset } from '@openspine/standards/fhir'
import { type Check, header } from '../checks/check.ts'
import { switchedOn } from '../checks/sharing.ts'
import type { Refused, Result } from '../endpoint.ts'
import { findPatientOfPath } from '../foundations/patients.ts'
import { addDays, type Day, dayAt } from '../record/dates.ts'
import { type Answering, found, type Sheet } from '../sheet.ts'
import { type AppointmentSheet, bodyRule, formChecks, textChecks } from './body-checks.ts'
import type { AppointmentFacts } from './facts.ts'
import { boundIn, momentIn, startOfDay, valuesOf } from './parameters.ts'
import { patientFor, patientNotFound } from './patient.ts'
import { written } from './reply.ts'
import { appointmentResource } from './resources.ts'
import { readAppointment, type SentAppointment } from './sent.ts'
import type { StoredAppointment } from './store.ts'

function storedRule(
  name: string,
  explains: string,
  outcome: Check['outcome'],
  examine: (stored: StoredAppointment, sheet: AppointmentSheet) => string | undefined,
): Check {
  return {
    name,
    clause: '10.4',
    outcome,
    explains,
    examine: (sheet: AppointmentSheet) =>
      sheet.stored === undefined ? 'The appointment is not known.' : examine(sheet.stored, sheet),
  }
}

const appointmentKnown: Check = {
  name: 'appointment known',
  clause: '10.4',
  outcome: 'NO_RECORD_FOUND',
  explains: 'The practice has no appointment with this id.',
  async examine(sheet: AppointmentSheet, { appointments }) {
    const stored = await appointments.appointment(sheet.practice?.practice.odsCode ?? '', sheet.id ?? '')
    if (stored === undefined) return 'There is no appointment with this id at this practice.'
    sheet.stored = stored
    sheet.audited = { appointment: stored.id, appointmentVersion: stored.version }
    return undefined
  },
}

const itsPatient: Check = {
  name: 'patient of the appointment',
  clause: '8.2',
  outcome: 'PATIENT_NOT_FOUND',
  explains: 'The patient is not (any more) one that the practice shows to others.',
  async examine(sheet: AppointmentSheet, surroundings) {
    const { practice, stored } = sheet
    const record = practice && stored && (await patientFor(practice, stored.facts.patient, surroundings))
    if (record === undefined) return patientNotFound
    sheet.record = record
    sheet.nhsNumber = record.patient.nhsNumber
    return undefined
  },
}

const inTheFuture = storedRule(
  'appointment in the future',
  'Appointments that have begun are no more to be read or changed.',
  'INVALID_RESOURCE',
  ({ start }, { request }) => (start > request.at ? undefined : 'The appointment is in the past.'),
)

export const readChecks: readonly Check[] = [switchedOn, appointmentKnown, itsPatient, inTheFuture]

const sameAppointment = bodyRule(
  'id of the appointment',
  'The id in the body must be that of the path.',
  ({ id }, sheet) => (id === undefined || id === sheet.id ? undefined : 'The id in the body is not that of the path.'),
  'INVALID_RESOURCE',
  '10.4',
)

const notCancelled = storedRule(
  'appointment not cancelled',
  'A cancelled appointment stays as it is: book another.',
  'INVALID_RESOURCE',
  ({ status }) => (status === 'cancelled' ? 'The appointment is cancelled.' : undefined),
)

const changedMeanwhile = 'The appointment has another version than If-Match names: read it again.'

const version = storedRule(
  'If-Match',
  'Send If-Match with the ETag of the version that was read.',
  'FHIR_CONSTRAINT_VIOLATION',
  ({ version: held }, sheet) => {
    const wanted = header(sheet, 'if-match')
    return wanted === undefined || wanted === '*' || wanted.replace(/^W\//, '') === `"${held}"`
      ? undefined
      : changedMeanwhile
  },
)

/** What differs between what is held and what was sent; what the provider itself adds may be left out. */
function differences(stored: StoredAppointment, sent: SentAppointment): string[] {
  const held = readAppointment({ ...appointmentResource(stored) })
  const moment = (text: string | undefined) => momentIn(text) ?? text
  const set = (values: readonly unknown[]) => values.map(String).sort()
  const who = ({ participants }: SentAppointment) =>
    set(
      participants
        .filter(({ reference }) => !reference?.startsWith('HealthcareService/'))
        .map(({ reference, status }) => `${reference} ${status}`),
    )
  const equal: Readonly<Record<string, boolean>> = {
    status: held.status === sent.status,
    start: moment(held.start) === moment(sent.start),
    end: moment(held.end) === moment(sent.end),
    created: moment(held.created) === moment(sent.created),
    slot: isDeepStrictEqual(set(held.slots), set(sent.slots)),
    identifier: isDeepStrictEqual(held.identifier, sent.identifier),
    priority: held.priority === sent.priority,
    minutesDuration: held.minutesDuration === sent.minutesDuration,
    description: held.description === sent.description,
    comment: held.comment === sent.comment,
    participant:
      isDeepStrictEqual(who(held), who(sent)) &&
      sent.participants.every((theirs) => {
        const ours = held.participants.find(({ reference }) => reference === theirs.reference)
        return ours !== undefined && (theirs.type === undefined || isDeepStrictEqual(ours.type, theirs.type))
      }),
    'booking organisation':
      sent.bookingReference?.replace(/^#/, '') === sent.bookingOrganisation?.id?.replace(/^#/, '') &&
      isDeepStrictEqual(said(held), said(sent)),
    'delivery channel': sent.deliveryChannel === undefined || held.deliveryChannel === sent.deliveryChannel,
    'practitioner role':
      sent.practitionerRole === undefined || isDeepStrictEqual(held.practitionerRole, sent.practitionerRole),
  }
  return Object.keys(equal).filter((name) => !equal[name])
}

/** The booking organisation but for its id and what is not its own. */
function said({ bookingOrganisation }: SentAppointment): unknown {
  const { id: _id, meta: _meta, text: _text, ...rest } = bookingOrganisation ?? { resourceType: '' }
  return rest
}

const nothingElse = (...mayDiffer: readonly string[]): Check =>
  storedRule(
    'nothing else changed',
    `Send the appointment as it was read; only ${mayDiffer.join(' and ')} may differ.`,
    'INVALID_RESOURCE',
    (stored, { sent }) => {
      const others = (sent === undefined ? ['everything'] : differences(stored, sent)).filter(
        (name) => !mayDiffer.includes(name),
      )
      return others.length === 0 ? undefined : `These may not be changed: ${others.join(', ')}.`
    },
  )

const changeChecks = [switchedOn, appointmentKnown, itsPatient, notCancelled, inTheFuture, version]

export const amendChecks: readonly Check[] = [
  ...formChecks(false),
  sameAppointment,
  ...textChecks,
  ...changeChecks,
  nothingElse('description', 'comment'),
]

export const cancelChecks: readonly Check[] = [
  ...formChecks(true),
  sameAppointment,
  bodyRule(
    'status is cancelled',
    'A cancellation sets the status to cancelled.',
    ({ status }) => (status === 'cancelled' ? undefined : 'The status of the appointment is not cancelled.'),
    'INVALID_RESOURCE',
    '10.4',
  ),
  bodyRule(
    'cancellation reason',
    'Send the reason as the valueString of the extension for it.',
    ({ cancellation }) =>
      cancellation?.reason === undefined ? 'The cancellation reason is missing or empty.' : undefined,
    'INVALID_PARAMETER',
    '10.4',
  ),
  ...changeChecks,
  nothingElse('status'),
]

export function amend(sheet: AppointmentSheet, answering: Answering): Promise<Result | Refused> {
  const { description = '', comment } = found(sheet, 'sent')
  const { comment: _old, ...facts } = found(sheet, 'stored').facts
  return change(sheet, answering, 'booked', { ...facts, description, ...(comment === undefined ? {} : { comment }) })
}

export function cancel(sheet: AppointmentSheet, answering: Answering): Promise<Result | Refused> {
  const { reason = '' } = found(sheet, 'sent').cancellation ?? {}
  return change(sheet, answering, 'cancelled', { ...found(sheet, 'stored').facts, cancellationReason: reason })
}

async function change(
  sheet: AppointmentSheet,
  { appointments }: Answering,
  status: StoredAppointment['status'],
  facts: AppointmentFacts,
): Promise<Result | Refused> {
  const stored = found(sheet, 'stored')
  const changed = await appointments.change(found(sheet, 'practice').practice.odsCode, stored, { status, facts })
  if (changed === undefined)
    return { outcome: 'FHIR_CONSTRAINT_VIOLATION', diagnostics: changedMeanwhile, check: version.name }
  sheet.audited = { appointment: changed.id, appointmentVersion: changed.version }
  return written(sheet, 200, changed)
}

interface RetrievalSheet extends Sheet {
  days?: { readonly first: Day; readonly last: Day }
}

export const retrievalChecks: readonly Check[] = [
  {
    name: 'days',
    clause: '10.3',
    outcome: 'INVALID_PARAMETER',
    explains: 'Send start twice: ge with the first whole day, and le with the last, today or later.',
    examine(sheet: RetrievalSheet) {
      const values = valuesOf(sheet.query, 'start')
      const days = (prefix: 'ge' | 'le') =>
        values.flatMap((value) => {
          const read = boundIn(value, prefix)
          return read !== undefined && 'day' in read ? [read.day] : []
        })
      const [[first], [last]] = [days('ge'), days('le')]
      if (values.length !== 2 || first === undefined || last === undefined)
        return 'The parameter start must be given twice: ge with a whole date, and le with a whole date.'
      if (last < first) return 'The last day (le) is before the first (ge).'
      if (first < dayAt(sheet.request.at)) return 'The parameter start names a day in the past.'
      sheet.days = { first, last }
      return undefined
    },
  },
  switchedOn,
  {
    name: 'patient found',
    clause: '10.3',
    outcome: 'PATIENT_NOT_FOUND',
    explains: 'The practice has no such patient: search for the patient first.',
    examine: async (sheet, surroundings) =>
      (await findPatientOfPath(sheet, surroundings)) === undefined ? patientNotFound : undefined,
  },
]

/** All of the days asked for, what is over today too. */
export async function retrieve(sheet: RetrievalSheet, { appointments }: Answering): Promise<Result> {
  const { first, last } = found(sheet, 'days')
  const stored = await appointments.ofPatient(
    found(sheet, 'practice').practice.odsCode,
    found(sheet, 'record').id,
    startOfDay(first),
    startOfDay(addDays(last, 1)),
  )
  return { status: 200, resource: searchset(stored.map(appointmentResource)) }
}
