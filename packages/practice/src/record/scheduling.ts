/** The appointment books of a practice: schedules, their slots, and who may book them (§10.1). */
import { isOdsCode } from '@openspine/standards/nhs'
import { z } from 'zod'
import { addDays, type Day, dateTimeAt, dayAt, daysBetween, wallClockAt } from './dates.ts'
import { label, moment, opaqueId } from './forms.ts'

/** How patient and clinician meet (Extension-GPConnect-DeliveryChannel-2). */
export const deliveryChannels = ['In-person', 'Telephone', 'Video'] as const

/** When a slot is open to other organisations, counted from its start; absent: always. */
const bookingWindow = z.strictObject({
  /** The embargo: no earlier than so many hours before. */
  opensHoursBefore: z.int().min(0).max(10_000).optional(),
  /** No later than so many minutes before. */
  closesMinutesBefore: z.int().min(0).max(100_000).optional(),
})

/** What may be said of one slot, of a session, or of a whole schedule: the narrowest place wins. */
const slotTraits = {
  deliveryChannel: z.enum(deliveryChannels).optional(),
  /** The practice's own name for this type of slot. */
  serviceType: label.optional(),
  /** False: the practice keeps it for itself. */
  bookable: z.boolean().optional(),
  /** ODS codes of the only organisations that may book; empty: all. */
  organisations: z.array(z.string().refine(isOdsCode, 'an ODS code')).max(1000).optional(),
  /** The only types of organisation that may book, as GPConnect-OrganisationType-1 has them; empty: all. */
  organisationTypes: z.array(label).max(100).optional(),
  window: bookingWindow.optional(),
}

const minutes = z.int().min(1).max(720)
const longestSession = 86_400_000

/** How a session comes again, at the same time of the wall clock. */
const repeats = z.enum(['daily', 'weekdays', 'weekly'])

/** Slots one behind the other; one that comes again is planned four weeks ahead, from day to day. */
const session = z
  .strictObject({ start: moment, end: moment, minutes, repeats: repeats.optional(), ...slotTraits })
  .refine(({ start, end }) => {
    const length = Date.parse(end) - Date.parse(start)
    return length > 0 && length <= longestSession
  }, 'a session that ends after it starts, within 24 hours')

export const schedule = z.strictObject({
  id: opaqueId,
  /** `id` of one of the practice's locations. */
  location: opaqueId,
  /** `id` of one of the practice's practitioners. */
  practitioner: opaqueId.optional(),
  /** `id` of one of the practice's healthcare services (1.2.8 and later). */
  healthcareService: opaqueId.optional(),
  /** Job role of whoever is seen, as CareConnect-SDSJobRoleName-1 has it. */
  role: z.strictObject({ code: label, display: label }).optional(),
  /** The practice's own name for this list. */
  serviceCategory: label.optional(),
  ...slotTraits,
  sessions: z.array(session).max(2000).default([]),
  slots: z
    .array(z.strictObject({ start: moment, minutes, ...slotTraits }))
    .max(20_000)
    .default([]),
})

export type Schedule = z.infer<typeof schedule>
export type DeliveryChannel = (typeof deliveryChannels)[number]

/** What a slot says of itself, beside its time. */
export interface SlotTraits {
  readonly deliveryChannel?: DeliveryChannel
  readonly serviceType?: string
  readonly organisations: readonly string[]
  readonly organisationTypes: readonly string[]
  readonly window?: z.infer<typeof bookingWindow>
}

/** A slot as a practice has planned it; times in milliseconds since the epoch. */
export interface PlannedSlot {
  readonly schedule: string
  readonly start: number
  readonly end: number
  readonly bookable: boolean
  readonly traits: SlotTraits
}

/** An appointment that another system made and hands over with its books. */
export interface HeldAppointment {
  readonly id: string
  readonly nhsNumber: string
  readonly status: 'booked' | 'cancelled'
  /** `id` of the schedule. */
  readonly schedule: string
  /** When its slots start, in order of time. */
  readonly starts: readonly number[]
  readonly description: string
  readonly comment?: string
  /** A FHIR dateTime. */
  readonly created?: string
  readonly minutesDuration?: number
  readonly cancellationReason?: string
  /** Absent: the practice itself. */
  readonly bookedBy:
    | {
        readonly name: string
        readonly odsCode?: string
        readonly telecom: readonly Readonly<Record<string, string>>[]
      }
    | undefined
}

/** Days that sessions which come again are planned ahead, and that their free slots are kept. */
const daysAhead = 28

/** Whether the slots of a schedule depend on the day. */
export const isRolling = ({ sessions }: Schedule): boolean => sessions.some(({ repeats }) => repeats !== undefined)

/** Every slot of a schedule as planned at that moment, in order of time. */
export function slotsOf(schedule: Schedule, at: number): readonly PlannedSlot[] {
  const slots: PlannedSlot[] = []
  for (const each of schedule.slots) {
    const start = Date.parse(each.start)
    slots.push(planned(schedule, each, start, start + each.minutes * 60_000))
  }
  for (const each of schedule.sessions) {
    const length = each.minutes * 60_000
    for (const first of startsOf(each, dayAt(at))) {
      const last = first + Date.parse(each.end) - Date.parse(each.start) - length
      for (let start = first; start <= last; start += length) slots.push(planned(schedule, each, start, start + length))
    }
  }
  return slots.sort((one, other) => one.start - other.start)
}

/** When a session starts, each time that it is planned on that day. */
function startsOf({ start, repeats }: z.infer<typeof session>, today: Day): readonly number[] {
  const first = Date.parse(start)
  if (repeats === undefined) return [first]
  const day = dayAt(first)
  const time = dateTimeAt(first).slice(11, 19)
  const starts: number[] = []
  for (let i = Math.max(0, daysBetween(day, today) - daysAhead); i <= daysBetween(day, today) + daysAhead; i++) {
    const at = wallClockAt(addDays(day, i), time)
    const weekday = new Date(`${addDays(day, i)}T12:00:00Z`).getUTCDay()
    if (repeats === 'daily' || (repeats === 'weekly' ? i % 7 === 0 : weekday >= 1 && weekday <= 5)) starts.push(at)
  }
  return starts
}

type Traits = Pick<Schedule, keyof typeof slotTraits>

function planned(schedule: Schedule, own: Traits, start: number, end: number): PlannedSlot {
  const deliveryChannel = own.deliveryChannel ?? schedule.deliveryChannel
  const serviceType = own.serviceType ?? schedule.serviceType
  const window = own.window ?? schedule.window
  return {
    schedule: schedule.id,
    start,
    end,
    bookable: own.bookable ?? schedule.bookable ?? true,
    traits: {
      ...(deliveryChannel === undefined ? {} : { deliveryChannel }),
      ...(serviceType === undefined ? {} : { serviceType }),
      organisations: own.organisations ?? schedule.organisations ?? [],
      organisationTypes: own.organisationTypes ?? schedule.organisationTypes ?? [],
      ...(window === undefined ? {} : { window }),
    },
  }
}

interface Relatives {
  readonly schedules: readonly Schedule[]
  readonly practitioners: readonly { readonly id: string }[]
  readonly locations: readonly { readonly id: string }[]
  readonly healthcareServices: readonly { readonly id: string }[]
}

/** What is wrong between the schedules and the rest of their practice. */
export function scheduleProblems(practice: Relatives): string[] {
  const missing = (things: readonly { readonly id: string }[], id: string | undefined) =>
    id !== undefined && !things.some((each) => each.id === id)
  return practice.schedules.flatMap((each, i) => {
    const problems: string[] = []
    if (missing(practice.locations, each.location))
      problems.push(`schedules[${i}].location is not the id of a location of this practice`)
    if (missing(practice.practitioners, each.practitioner))
      problems.push(`schedules[${i}].practitioner is not the id of a practitioner of this practice`)
    if (missing(practice.healthcareServices, each.healthcareService))
      problems.push(`schedules[${i}].healthcareService is not the id of a healthcare service of this practice`)
    // What comes again is laid out where the last of them begins: from there on every week is the same.
    const starts = each.sessions.flatMap(({ start, repeats }) => (repeats === undefined ? [] : [Date.parse(start)]))
    const slots = slotsOf(
      each,
      starts.reduce((latest, start) => Math.max(latest, start), 0),
    )
    if (slots.some(({ start }, j) => start < (slots[j - 1]?.end ?? Number.NEGATIVE_INFINITY)))
      problems.push(`schedules[${i}] has slots that overlap`)
    return problems
  })
}

/** When the last slot ends that is planned at that moment; undefined where there is none. */
export function plannedUntil(schedules: readonly Schedule[], at: number): number | undefined {
  const ends = schedules.flatMap((schedule) => slotsOf(schedule, at).map(({ end }) => end))
  return ends.length === 0 ? undefined : ends.reduce((latest, end) => Math.max(latest, end))
}
