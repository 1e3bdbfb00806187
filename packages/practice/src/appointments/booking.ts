/** Booking an appointment (§10.2). */
import type { AnyResource } from '@openspine/standards/fhir'
import type { Check } from '../checks/check.ts'
import { switchedOn } from '../checks/sharing.ts'
import type { Refused, Result } from '../endpoint.ts'
import { dateTimeAt } from '../record/dates.ts'
import { isFrom } from '../record/services.ts'
import { type Answering, found, type Surroundings } from '../sheet.ts'
import { definition, systems } from '../stu3/systems.ts'
import { type AppointmentSheet, bookingFormChecks } from './body-checks.ts'
import type { AppointmentFacts, Participant } from './facts.ts'
import { codeSystems } from './names.ts'
import { momentIn } from './parameters.ts'
import { patientFor } from './patient.ts'
import { written } from './reply.ts'
import { idIn, type SentAppointment } from './sent.ts'
import type { StoredSlot } from './store.ts'
import { type Asking, openTo } from './visibility.ts'

const participantId = ({ sent }: AppointmentSheet, type: string): string | undefined =>
  sent?.participants.flatMap(({ reference }) => idIn(reference, type) ?? [])[0]

/** The schedule of the (first) slot. */
const scheduleOf = ({ practice, slots }: AppointmentSheet) =>
  practice?.practice.schedules.find(({ id }) => id === slots?.[0]?.schedule)

type Facts = readonly [StoredSlot, ...StoredSlot[]]

function slotRule(
  name: string,
  explains: string,
  examine: (slots: Facts, sheet: AppointmentSheet, surroundings: Surroundings) => string | undefined,
  outcome: Check['outcome'] = 'INVALID_RESOURCE',
): Check {
  return {
    name,
    clause: '10.2',
    outcome,
    explains,
    examine(sheet: AppointmentSheet, surroundings) {
      const [first, ...others] = sheet.slots ?? []
      return first === undefined
        ? 'The slots of the appointment are not known.'
        : examine([first, ...others], sheet, surroundings)
    },
  }
}

const noLongerFree = 'A slot of the appointment is not free any more.'

export const bookingChecks: readonly Check[] = [
  ...bookingFormChecks,
  switchedOn,
  {
    name: 'patient of the appointment',
    clause: '10.2',
    outcome: 'INVALID_RESOURCE',
    explains: 'The participant Patient must be one that the practice finds: search for the patient first.',
    async examine(sheet: AppointmentSheet, surroundings) {
      const id = participantId(sheet, 'Patient')
      const record = sheet.practice && id ? await patientFor(sheet.practice, id, surroundings) : undefined
      if (record === undefined) return 'The patient of the appointment is not to be found at this practice.'
      sheet.record = record
      sheet.nhsNumber = record.patient.nhsNumber
      return undefined
    },
  },
  {
    name: 'slots known',
    clause: '10.2',
    outcome: 'INVALID_RESOURCE',
    explains: 'Every slot must be one that the search for free slots has given.',
    async examine(sheet: AppointmentSheet, { appointments }) {
      const ids = (sheet.sent?.slots ?? []).flatMap((reference) => idIn(reference, 'Slot') ?? [])
      const slots = await appointments.slots(sheet.practice?.practice.odsCode ?? '', ids)
      if (slots.length !== ids.length) return 'The appointment refers to a slot that the practice does not have.'
      sheet.slots = slots
      return scheduleOf(sheet) === undefined ? 'The slots of the appointment belong to no schedule.' : undefined
    },
  },
  slotRule(
    'slots adjacent',
    'Several slots must follow one another without a gap, in one schedule, with one delivery channel and service type.',
    (slots) => {
      const [first] = slots
      return slots.every(
        (slot, i) =>
          slot.schedule === first.schedule &&
          slot.traits.deliveryChannel === first.traits.deliveryChannel &&
          slot.traits.serviceType === first.traits.serviceType &&
          (i === 0 || slot.start === slots[i - 1]?.end),
      )
        ? undefined
        : 'The slots do not follow one another in one schedule with one delivery channel and service type.'
    },
  ),
  slotRule('times of the slots', 'start is that of the first slot, end that of the last.', (slots, { sent }) =>
    momentIn(sent?.start) === slots[0].start && momentIn(sent?.end) === slots.at(-1)?.end
      ? undefined
      : 'The start or the end of the appointment is not that of its slots.',
  ),
  slotRule('start in the future', 'Only what lies ahead can be booked.', ([first], { request }) =>
    first.start > request.at ? undefined : 'The start of the appointment is in the past.',
  ),
  slotRule(
    'place and practitioner of the schedule',
    'Location, and Practitioner where there is one, must be those of the schedule that the slots belong to.',
    (_, sheet) => {
      const schedule = scheduleOf(sheet)
      if (participantId(sheet, 'Location') !== schedule?.location)
        return 'The location of the appointment is not that of the schedule.'
      const practitioner = participantId(sheet, 'Practitioner')
      if (practitioner !== undefined && practitioner !== schedule?.practitioner)
        return 'The practitioner of the appointment is not that of the schedule.'
      const service = participantId(sheet, 'HealthcareService')
      return service !== undefined && service !== schedule?.healthcareService
        ? 'The healthcare service of the appointment is not that of the schedule.'
        : undefined
    },
  ),
  slotRule(
    'slots open to the organisation',
    'The practice keeps these slots for others, or for itself, or does not offer them at this time.',
    (slots, sheet) =>
      slots.every((slot) => openTo(slot, askingOf(sheet), sheet.request.at))
        ? undefined
        : 'A slot of the appointment is not open to the booking organisation.',
  ),
  slotRule(
    'slots free',
    'Somebody was quicker: search for free slots again.',
    (slots) => (slots.every(({ status }) => status === 'free') ? undefined : noLongerFree),
    'DUPLICATE_REJECTED',
  ),
]

interface Identified {
  readonly identifier?: readonly { readonly system?: string; readonly value?: string }[]
}

const odsCodesOf = (organisation: unknown): string[] =>
  ((organisation ?? {}) as Identified).identifier?.flatMap(({ system, value }) =>
    system === systems.odsOrganisation && value ? [value] : [],
  ) ?? []

/** Who books, as the body says, or as the token does where the body has no ODS code. */
function askingOf({ sent, token }: AppointmentSheet): Asking {
  const { bookingOrganisation } = sent ?? {}
  const { type = [] } = (bookingOrganisation ?? {}) as { type?: { coding?: { system?: string; code?: string }[] }[] }
  const own = odsCodesOf(bookingOrganisation)
  return {
    organisations: own.length > 0 ? own : odsCodesOf(token?.claims['requesting_organization']),
    organisationTypes: type.flatMap(({ coding = [] }) =>
      coding.flatMap(({ system, code }) => (system === codeSystems.organisationType && code ? [code] : [])),
    ),
  }
}

/** Takes the slots and answers with the appointment. */
export async function book(sheet: AppointmentSheet, { appointments, random }: Answering): Promise<Result | Refused> {
  const { practice } = found(sheet, 'practice')
  const slots = found(sheet, 'slots')
  const [first] = slots
  const last = slots.at(-1)
  if (first === undefined || last === undefined) throw new Error('an appointment without slots was let through')
  const stored = await appointments.book(
    practice.odsCode,
    { id: random.uuid(), start: first.start, end: last.end, facts: factsOf(sheet, first) },
    slots,
  )
  if (stored === undefined) return { outcome: 'DUPLICATE_REJECTED', diagnostics: noLongerFree, check: 'slots free' }
  sheet.audited = { appointment: stored.id, appointmentVersion: stored.version, slots: stored.facts.slots.length }
  return written(sheet, 201, stored)
}

function factsOf(sheet: AppointmentSheet, first: StoredSlot): AppointmentFacts {
  const sent = found(sheet, 'sent')
  const schedule = scheduleOf(sheet)
  const { serviceType, deliveryChannel } = first.traits
  const { practitioner: _p, healthcareService: _h, role, serviceCategory } = schedule ?? {}
  return {
    patient: found(sheet, 'record').id,
    schedule: first.schedule,
    slots: found(sheet, 'slots').map(({ id }) => id),
    participants: participantsOf(sheet, sent),
    bookingOrganisation: organisationOf(sent),
    created: createdOf(sent, sheet.request.at),
    description: sent.description ?? '',
    ...(sent.comment === undefined ? {} : { comment: sent.comment }),
    ...(sent.priority === undefined ? {} : { priority: sent.priority }),
    ...(sent.minutesDuration === undefined ? {} : { minutesDuration: sent.minutesDuration }),
    ...(sent.identifier.length === 0 ? {} : { identifier: sent.identifier }),
    ...(serviceCategory === undefined ? {} : { serviceCategory }),
    ...(serviceType === undefined ? {} : { serviceType }),
    ...(deliveryChannel === undefined ? {} : { deliveryChannel }),
    ...(role === undefined ? {} : { role }),
  }
}

/** A moment is written in the United Kingdom's offset, a whole date as it was sent; absent: now. */
function createdOf({ created }: SentAppointment, now: number): string {
  const moment = created === undefined ? now : momentIn(created)
  return moment === undefined ? (created ?? '') : dateTimeAt(moment)
}

/** Those that were sent, and the healthcare service of the schedule where services are told (1.2.8). */
function participantsOf(sheet: AppointmentSheet, { participants }: SentAppointment): readonly Participant[] {
  const { practice, service } = sheet
  const own = scheduleOf(sheet)?.healthcareService
  const told =
    practice?.practice.serviceFiltering === true &&
    service !== undefined &&
    isFrom(service.specificationVersion, '1.2.8') &&
    participantId(sheet, 'HealthcareService') === undefined
  return [
    ...participants.map(({ reference = '', status = '', ...more }) => ({ reference, status, ...more })),
    ...(told && own !== undefined ? [{ reference: `HealthcareService/${own}`, status: 'accepted' }] : []),
  ]
}

/** Without narrative, and with the profile that it has. */
function organisationOf({ bookingOrganisation }: SentAppointment): AnyResource {
  const { text: _text, meta: _meta, id, ...rest } = bookingOrganisation ?? { resourceType: 'Organization' }
  return {
    ...rest,
    resourceType: 'Organization',
    id: id?.replace(/^#/, ''),
    meta: { profile: [definition('CareConnect-GPC-Organization-1')] },
  }
}
