/** Search for free slots (§10.1). */
import { parseToken, type Resource, searchset } from '@openspine/standards/fhir'
import type { Check } from '../checks/check.ts'
import { switchedOn } from '../checks/sharing.ts'
import type { Result } from '../endpoint.ts'
import { addDays, dayAt, daysBetween } from '../record/dates.ts'
import { isFrom } from '../record/services.ts'
import { type Answering, found, type Sheet } from '../sheet.ts'
import type { StoredPractice } from '../store.ts'
import {
  healthcareServiceResource,
  locationResource,
  organizationResource,
  practitionerResource,
} from '../stu3/people.ts'
import { systems } from '../stu3/systems.ts'
import { codeSystems, extensions } from './names.ts'
import { type Bound, boundIn, startOfDay, valuesOf } from './parameters.ts'
import { scheduleResource, slotResource } from './resources.ts'
import { type Asking, openTo } from './visibility.ts'

interface SlotSheet extends Sheet {
  from?: Bound
  until?: Bound
  /** The healthcare service whose slots alone are wanted. */
  wantedService?: string
}

const longestDays = 14

const mandatory = (name: string, clause: string, explains: string): Check => ({
  name: `${name} sent`,
  clause,
  outcome: 'BAD_REQUEST',
  explains,
  examine({ query }) {
    const count = valuesOf(query, name).length
    return count === 1 ? undefined : `The parameter ${name} is ${count === 0 ? 'missing' : 'given more than once'}.`
  },
})

const bound = (name: 'start' | 'end', prefix: 'ge' | 'le'): Check => ({
  name: `${name} valid`,
  clause: '10.1',
  outcome: 'INVALID_PARAMETER',
  explains: `${name} is ${prefix} with a whole date, or with a dateTime that has seconds and zone.`,
  examine(sheet: SlotSheet) {
    const read = boundIn(valuesOf(sheet.query, name)[0] ?? '', prefix)
    if (read === undefined) return `The parameter ${name} is not ${prefix} with a date, or a dateTime with zone.`
    if (name === 'start') sheet.from = read
    else sheet.until = read
    return undefined
  },
})

/** A moment as the clock on the wall has it, so that two weeks are two weeks when the clocks change. */
function wallClock(moment: number): number {
  const day = dayAt(moment)
  return Date.parse(`${day}T00:00:00Z`) + (moment - startOfDay(day))
}

function tooLong(from: Bound, until: Bound): boolean {
  if ('moment' in from && 'moment' in until)
    return wallClock(until.moment) - wallClock(from.moment) > longestDays * 86_400_000
  return daysBetween(dayOf(from), dayOf(until)) > longestDays
}

const dayOf = (at: Bound) => ('day' in at ? at.day : dayAt(at.moment))
const firstOf = (at: Bound) => ('day' in at ? startOfDay(at.day) : at.moment)
/** A day that bounds from above counts until its end. */
const lastOf = (at: Bound) => ('day' in at ? startOfDay(addDays(at.day, 1)) : at.moment)

/** Values of the searchFilter parameters of one system; others are ignored. */
function filters(query: string, system: string): string[] {
  return valuesOf(query, 'searchFilter')
    .map(parseToken)
    .flatMap((token) => (token.system === system && token.value !== '' ? [token.value] : []))
}

const askingOf = (query: string): Asking => ({
  organisations: filters(query, systems.odsOrganisation),
  organisationTypes: filters(query, codeSystems.organisationType),
})

/** Whether this service knows `service.identifier` at all, and whether the practice has switched it on. */
function serviceFiltering({ practice, service }: Sheet): 'unknown' | 'off' | 'on' {
  if (service === undefined || !isFrom(service.specificationVersion, '1.2.8')) return 'unknown'
  return practice?.practice.serviceFiltering ? 'on' : 'off'
}

export const slotChecks: readonly Check[] = [
  mandatory('start', '10.1', 'Send start once: ge and the first day, or the first moment.'),
  mandatory('end', '10.1', 'Send end once: le and the last day, or the last moment.'),
  mandatory('status', '10.1', 'Send status once: free.'),
  {
    name: '_include sent',
    clause: '10.1',
    outcome: 'BAD_REQUEST',
    explains: 'Send _include=Slot:schedule: schedules always come with their slots.',
    examine: ({ query }) =>
      valuesOf(query, '_include').includes('Slot:schedule')
        ? undefined
        : 'The parameter _include=Slot:schedule is missing.',
  },
  bound('start', 'ge'),
  bound('end', 'le'),
  {
    name: 'status valid',
    clause: '10.1',
    outcome: 'INVALID_PARAMETER',
    explains: 'The one status that can be searched for is free.',
    examine: ({ query }) =>
      valuesOf(query, 'status')[0] === 'free' ? undefined : 'The parameter status must be free.',
  },
  {
    name: 'range',
    clause: '10.1',
    outcome: 'INVALID_PARAMETER',
    explains: 'The end must not be before the start, nor more than 14 days after it.',
    examine({ from, until }: SlotSheet) {
      if (from === undefined || until === undefined) return 'The parameters start and end name no range.'
      if (dayOf(until) < dayOf(from) || lastOf(until) < firstOf(from))
        return 'The parameter end is before the parameter start.'
      return tooLong(from, until) ? `The parameters start and end are more than ${longestDays} days apart.` : undefined
    },
  },
  switchedOn,
  {
    name: 'service known',
    clause: '10.1',
    outcome: 'NO_RECORD_FOUND',
    explains: 'The practice offers no service with this service.identifier: look the service up again.',
    examine(sheet: SlotSheet) {
      const [asked] = valuesOf(sheet.query, 'service.identifier')
      if (asked === undefined || serviceFiltering(sheet) !== 'on') return undefined
      const token = parseToken(asked)
      const service = sheet.practice?.practice.healthcareServices.find(
        ({ dosServiceId }) => token.system === systems.dosServiceId && token.value === dosServiceId,
      )
      if (service === undefined) return 'The parameter service.identifier names no service of this practice.'
      sheet.wantedService = service.id
      return undefined
    },
  },
]

/** The slots, their schedules, and of the rest what was asked for. */
export async function searchSlots(sheet: SlotSheet, { appointments }: Answering): Promise<Result> {
  const held = found(sheet, 'practice')
  const { query, wantedService } = sheet
  const filtering = serviceFiltering(sheet)
  const schedules = new Map(held.practice.schedules.map((schedule) => [schedule.id, schedule]))
  const asking = askingOf(query)
  const { at } = sheet.request
  const slots = (
    await appointments.freeSlots(held.practice.odsCode, firstOf(found(sheet, 'from')), lastOf(found(sheet, 'until')))
  ).filter((slot) => {
    const schedule = schedules.get(slot.schedule)
    return (
      schedule !== undefined &&
      (wantedService === undefined || schedule.healthcareService === wantedService) &&
      openTo(slot, asking, at)
    )
  })
  const used = [...new Set(slots.map(({ schedule }) => schedule))].flatMap((id) => schedules.get(id) ?? [])
  const resources: Resource[] = [
    ...slots.map(slotResource),
    ...used.map((schedule) =>
      scheduleResource(schedule, held, { withService: filtering === 'on', at: sheet.request.at }),
    ),
    ...included(query, used, held, filtering === 'on'),
  ]
  const status = filtering === 'on' ? 'enabled' : 'organization-disabled'
  return {
    status: 200,
    resource: searchset(
      resources,
      filtering !== 'unknown' && valuesOf(query, 'service.identifier').length > 0
        ? { meta: { extension: [{ url: extensions.serviceFilteringStatus, valueCode: status }] } }
        : {},
    ),
  }
}

type Schedules = StoredPractice['practice']['schedules']

/** Each once, and only if a schedule of the answer points at it. */
function included(query: string, used: Schedules, held: StoredPractice, withServices: boolean): readonly Resource[] {
  const asked = new Set(valuesOf(query, '_include:recurse'))
  const { practice } = held
  const writing = { versioned: true }
  const those = <Thing extends { readonly id: string }>(
    include: string,
    things: readonly Thing[],
    idIn: (schedule: Schedules[number]) => string | undefined,
    write: (thing: Thing) => Resource,
  ): Resource[] => {
    if (!asked.has(include)) return []
    const ids = new Set(used.map(idIn))
    return things.filter(({ id }) => ids.has(id)).map(write)
  }
  return [
    ...those(
      'Schedule:actor:Practitioner',
      practice.practitioners,
      ({ practitioner }) => practitioner,
      (each) => practitionerResource(each, held, writing),
    ),
    ...those(
      'Schedule:actor:Location',
      practice.locations,
      ({ location }) => location,
      (each) => locationResource(each, held, writing),
    ),
    ...(withServices
      ? those(
          'Schedule:actor:HealthcareService',
          practice.healthcareServices,
          ({ healthcareService }) => healthcareService,
          (each) => healthcareServiceResource(each, held, writing),
        )
      : []),
    ...(asked.has('Location:managingOrganization') && used.length > 0 ? [organizationResource(held, writing)] : []),
  ]
}
