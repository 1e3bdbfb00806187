/** What the body of a booking, an amendment or a cancellation must be in itself (§10.2, §10.4). */
import { bodyChecks, bodyOf } from '../checks/body.ts'
import type { Check } from '../checks/check.ts'
import { isDay } from '../record/dates.ts'
import type { Sheet } from '../sheet.ts'
import type { StoredPatient } from '../store.ts'
import { momentIn } from './parameters.ts'
import { idIn, readAppointment, type SentAppointment } from './sent.ts'
import type { StoredAppointment, StoredSlot } from './store.ts'

/** What the checks learn of one appointment. */
export interface AppointmentSheet extends Sheet {
  sent?: SentAppointment
  slots?: readonly StoredSlot[]
  patientOf?: StoredPatient
  stored?: StoredAppointment
}

export const longestDescription = 100
export const longestComment = 500

/** A rule of the body alone. */
export function bodyRule(
  name: string,
  explains: string,
  examine: (sent: SentAppointment, sheet: AppointmentSheet) => string | undefined,
  outcome: Check['outcome'] = 'INVALID_RESOURCE',
  clause = '10.2',
): Check {
  return {
    name,
    clause,
    outcome,
    explains,
    examine: (sheet: AppointmentSheet) =>
      sheet.sent === undefined ? 'The appointment was not read.' : examine(sheet.sent, sheet),
  }
}

/** Characters as a reader counts them. */
const lengthOf = (text: string) => [...text].length

/** A reference of one of these types to something here, or the one to what is contained. */
const relative =
  /^(#[A-Za-z0-9\-.]{1,64}|(Patient|Location|Practitioner|HealthcareService|Slot)\/[A-Za-z0-9\-.]{1,64})$/

/** Made of every Appointment that is sent; `cancelling`: it may have a cancellation reason. */
export const formChecks = (cancelling: boolean): readonly Check[] => [
  ...bodyChecks('Appointment'),
  {
    name: 'elements of the profile',
    clause: '10.2',
    outcome: 'INVALID_RESOURCE',
    explains:
      'Send only what the profile of the appointment has: no reason, no specialty, no other extensions and contained resources.',
    examine(sheet: AppointmentSheet) {
      const sent = readAppointment(bodyOf(sheet))
      sheet.sent = sent
      if (sent.foreign.length > 0)
        return `The appointment has elements that it must not have here: ${sent.foreign.slice(0, 10).join(', ')}.`
      if (!cancelling && sent.cancellation !== undefined) return 'The appointment must not have a cancellation reason.'
      return undefined
    },
  },
  bodyRule(
    'relative references',
    'References are relative (Slot/…, Patient/…), that to the booking organisation is # with the id of the contained resource.',
    ({ slots, participants, bookingReference }) =>
      [...slots, ...participants.map(({ reference }) => reference), bookingReference].some(
        (reference) => reference !== undefined && !relative.test(reference),
      )
        ? 'The appointment has a reference that is not relative, or of a type that does not belong there.'
        : undefined,
  ),
]

/** The texts that an appointment has for people. */
export const textChecks: readonly Check[] = [
  bodyRule(
    'description',
    `An appointment has a description of at most ${longestDescription} characters. Nothing is cut off.`,
    ({ description }) =>
      description === undefined || description.trim() === ''
        ? 'The appointment has no description.'
        : lengthOf(description) > longestDescription
          ? `The description is longer than ${longestDescription} characters.`
          : undefined,
  ),
  bodyRule('comment', `A comment has at most ${longestComment} characters. Nothing is cut off.`, ({ comment }) =>
    comment !== undefined && lengthOf(comment) > longestComment
      ? `The comment is longer than ${longestComment} characters.`
      : undefined,
  ),
]

const statuses = new Set(['accepted', 'declined', 'tentative', 'needs-action'])
const types = ['Patient', 'Location', 'Practitioner', 'HealthcareService'] as const

/** Of a new appointment. */
export const bookingFormChecks: readonly Check[] = [
  ...formChecks(false),
  bodyRule('status is booked', 'A new appointment has the status booked.', ({ status }) =>
    status === 'booked' ? undefined : 'The status of the appointment is not booked.',
  ),
  bodyRule('start and end', 'Send start and end with seconds and zone.', ({ start, end }) =>
    momentIn(start) === undefined || momentIn(end) === undefined
      ? 'The start or the end of the appointment is missing, or not a moment with seconds and zone.'
      : undefined,
  ),
  bodyRule(
    'slots referenced',
    'Send a reference (Slot/…) to each slot that is to be booked, as the search gave it.',
    ({ slots }) => {
      const ids = slots.map((reference) => idIn(reference, 'Slot'))
      if (slots.length === 0) return 'The appointment refers to no slot.'
      if (ids.includes(undefined)) return 'The appointment has a slot reference that is not Slot/ with an id.'
      return new Set(ids).size === ids.length ? undefined : 'The appointment refers to a slot twice.'
    },
  ),
  bodyRule(
    'created',
    'created is when the appointment was made: a whole date, or a dateTime with seconds and zone.',
    ({ created }) =>
      created === undefined || isDay(created) || momentIn(created) !== undefined
        ? undefined
        : 'The element created is neither a whole date nor a dateTime with seconds and zone.',
  ),
  ...textChecks,
  bodyRule('identifiers', 'Every identifier has a value.', ({ identifier, bookingOrganisation }) => {
    const { identifier: theirs = [] } = (bookingOrganisation ?? {}) as { identifier?: { value?: string }[] }
    return [...identifier, ...theirs].some(({ value }) => value === undefined || value === '')
      ? 'An identifier has no value.'
      : undefined
  }),
  bodyRule(
    'participants',
    'Send one Patient and one Location, at most one Practitioner, each with actor.reference and a status.',
    ({ participants }) => {
      if (participants.some(({ reference }) => reference === undefined)) return 'A participant has no actor.reference.'
      if (participants.some(({ status }) => !statuses.has(status ?? '')))
        return 'A participant has no status, or one that there is not.'
      const count = (type: string) => participants.filter(({ reference }) => idIn(reference, type) !== undefined).length
      if (count('Patient') !== 1 || count('Location') !== 1)
        return 'The appointment must have one Patient and one Location among its participants.'
      if (types.some((type) => count(type) > 1)) return 'The appointment has several participants of one kind.'
      return types.reduce((sum, type) => sum + count(type), 0) === participants.length
        ? undefined
        : 'The appointment has a participant of a kind that does not take part.'
    },
  ),
  bodyRule(
    'booking organisation',
    'Send who books as a contained Organization with name and telecom, referred to by the extension for it.',
    ({ bookingReference, bookingOrganisation }) => {
      const { id, name, telecom } = (bookingOrganisation ?? {}) as {
        id?: string
        name?: string
        telecom?: { value?: string }[]
      }
      if (bookingOrganisation === undefined || bookingReference === undefined)
        return 'The booking organisation is missing: a contained Organization, and the extension that refers to it.'
      if (bookingReference !== `#${id?.replace(/^#/, '')}`)
        return 'The extension for the booking organisation does not refer to the contained Organization.'
      if (!name?.trim()) return 'The booking organisation has no name.'
      return telecom?.some(({ value }) => value?.trim()) ? undefined : 'The booking organisation has no telecom.'
    },
  ),
]
