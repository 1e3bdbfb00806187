import { isSpineError, SpineError } from '@openspine/standards/error'
import { namingSystem } from '@openspine/standards/nhs'
import { type Appointment, appointmentOf, cancellationReason, type FreeSlot, freeSlots } from './appointment-parts.ts'
import { readBundle, type Shortcoming } from './bundle.ts'
import { gpConnect } from './foundations.ts'
import { list, object, present } from './json.ts'
import { type ClientLine, needed } from './line.ts'
import { askProvider, type Exchange, exchangeOf, type ProviderAnswer, type Resource, unexpected } from './provider.ts'
import { queryText, segment } from './query.ts'
import type { Refusal } from './refusal.ts'

const ids = namingSystem.fhirNhsUk
const profile = (name: string) => `https://fhir.nhs.uk/STU3/StructureDefinition/${name}`
const organisationType = 'https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-OrganisationType-1'
/** A practice refuses longer texts and never shortens them (§10.2). */
const longest = { description: 100, comment: 500 } as const

const included = {
  practitioner: 'Schedule:actor:Practitioner',
  location: 'Schedule:actor:Location',
  organisation: 'Location:managingOrganization',
  service: 'Schedule:actor:HealthcareService',
} as const

interface AtPractice {
  readonly odsCode: string
  readonly format?: 'json' | 'xml'
}

export interface SlotQuery extends AtPractice {
  /** A day, or a time with seconds and zone; at most 14 days between the two. */
  readonly start: string
  readonly end: string
  /** Who wants to book: practices may keep slots for a type of organisation, for one organisation, or for a service. */
  readonly filters?: {
    readonly organisationType?: string
    readonly organisation?: string
    readonly service?: string
  }
  /** What comes with the slots beside their schedules; practitioners and locations when nothing is said. */
  readonly includes?: readonly (keyof typeof included)[]
}

export interface FreeSlots extends Exchange {
  /** The earliest first. */
  readonly slots: readonly FreeSlot[]
  readonly incomplete: readonly Shortcoming[]
  readonly bundle: Readonly<Record<string, unknown>>
}

/** GP Connect 1.x: free slots that this consumer may book. */
export async function slots(line: ClientLine, query: SlotQuery): Promise<FreeSlots> {
  const { filters = {}, includes = ['practitioner', 'location'] } = query
  const filter = (system: string, code: string | undefined) => code && `${system}|${code}`
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('fhir:rest:search:slot-1'),
    odsCode: query.odsCode,
    method: 'GET',
    path: `/Slot${queryText([
      ['start', `ge${query.start}`],
      ['end', `le${query.end}`],
      ['status', 'free'],
      ['_include', 'Slot:schedule'],
      ...includes.map((name) => ['_include:recurse', included[name]] as const),
      ['searchFilter', filter(organisationType, filters.organisationType)],
      ['searchFilter', filter(ids.odsOrganisation, filters.organisation)],
      ['service.identifier', filter('https://fhir.nhs.uk/Id/uec-dos-service-id', filters.service)],
    ])}`,
    scope: 'organization/*.read',
    format: query.format ?? 'json',
  })
  const bundle = readBundle(answer.resource)
  return {
    slots: freeSlots(bundle),
    incomplete: bundle.incomplete,
    bundle: answer.resource,
    ...exchangeOf(answer),
  }
}

export interface BookingOrganisation {
  readonly odsCode: string
  readonly name: string
  readonly phone: string
}

export interface BookQuery extends AtPractice {
  /** The practice's own id of the patient, as `findPatient` gives it. */
  readonly patientId: string
  /** One, or several that follow each other in one schedule, as `slots` gives them. */
  readonly slots: readonly FreeSlot[]
  /** At most 100 characters. */
  readonly description: string
  /** At most 500 characters. */
  readonly comment?: string
  /** Default: the organisation of the settings. */
  readonly organisation?: BookingOrganisation
  /** Its type, for example `urgent-care`: only where the slots were searched with the same filter (§10.2). */
  readonly organisationType?: string
}

export interface AppointmentAnswer extends Exchange {
  readonly appointment: Appointment
}

/** What stands in the way of asking at all. */
function cannotBook(explanation: string): SpineError {
  return new SpineError('CLIENT_APPOINTMENT', {}, { explanation })
}

function insistOnLength(name: keyof typeof longest, value: string | undefined): void {
  if (value !== undefined && value.length > longest[name])
    throw cannotBook(`The ${name} has ${value.length} characters; at most ${longest[name]} are allowed.`)
}

/** Slots in order, of which each begins where the one before ends, in one schedule, in one way (§10.2). */
function insistOnAdjacent(given: readonly FreeSlot[]): readonly [FreeSlot, ...FreeSlot[]] {
  const [first, ...rest] = given.toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start))
  if (first === undefined) throw cannotBook('Give at least one slot.')
  let before = first
  for (const slot of rest) {
    const fits =
      Date.parse(before.end) === Date.parse(slot.start) &&
      before.schedule === slot.schedule &&
      before.deliveryChannel === slot.deliveryChannel &&
      before.serviceType === slot.serviceType
    if (!fits)
      throw cannotBook(
        `Slot ${slot.id} does not follow ${before.id}: several slots must be adjacent, of one schedule, delivery channel and service type.`,
      )
    before = slot
  }
  return [first, ...rest]
}

function bookingOrganisation(line: ClientLine, given: BookingOrganisation | undefined, type?: string): Resource {
  const { odsCode, name, phone } = given ?? needed(line.settings, 'organisation')
  if (!phone)
    throw cannotBook('The booking organisation needs a telephone number: settings organisation.phone, or organisation.')
  return present({
    resourceType: 'Organization',
    id: 'booking',
    meta: { profile: [profile('CareConnect-GPC-Organization-1')] },
    identifier: [{ system: ids.odsOrganisation, value: odsCode }],
    type: type === undefined ? undefined : [{ coding: [{ system: organisationType, code: type }] }],
    name,
    telecom: [{ system: 'phone', value: phone }],
  })
}

/** GP Connect 1.x: books. Never repeated by itself: an answer that is lost may have booked. */
export async function bookAppointment(line: ClientLine, query: BookQuery): Promise<AppointmentAnswer> {
  const chosen = insistOnAdjacent(query.slots)
  if (query.description.trim() === '') throw cannotBook('An appointment needs a description.')
  insistOnLength('description', query.description)
  insistOnLength('comment', query.comment)
  const [{ start, location, practitioner }] = chosen
  if (location === undefined)
    throw cannotBook('The location of these slots is not known: search for slots with locations included.')
  const participants = [`Patient/${query.patientId}`, location.reference, practitioner?.reference]
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('fhir:rest:create:appointment-1'),
    odsCode: query.odsCode,
    method: 'POST',
    path: '/Appointment',
    scope: 'patient/*.write',
    format: query.format ?? 'json',
    expected: [201, 200],
    body: present({
      resourceType: 'Appointment',
      meta: { profile: [profile('GPConnect-Appointment-1')] },
      contained: [bookingOrganisation(line, query.organisation, query.organisationType)],
      extension: [
        { url: profile('Extension-GPConnect-BookingOrganisation-1'), valueReference: { reference: '#booking' } },
      ],
      status: 'booked',
      description: query.description,
      start,
      end: chosen.at(-1)?.end ?? '',
      slot: chosen.map(({ id }) => ({ reference: `Slot/${id}` })),
      created: `${new Date(line.now()).toISOString().slice(0, 19)}+00:00`,
      comment: query.comment,
      participant: participants.flatMap((reference) =>
        reference === undefined ? [] : [{ actor: { reference }, status: 'accepted' }],
      ),
    }),
  })
  return appointmentIn(answer)
}

function appointmentIn(answer: ProviderAnswer): AppointmentAnswer {
  if (answer.resource['resourceType'] !== 'Appointment')
    throw unexpected(answer.traceId, 'something that is no appointment')
  const etag = answer.headers['etag']
  return {
    appointment: appointmentOf(answer.resource, typeof etag === 'string' ? etag : undefined),
    ...exchangeOf(answer),
  }
}

export interface AppointmentsQuery extends AtPractice {
  /** The practice's own id of the patient, as `findPatient` gives it. */
  readonly patientId: string
  /** Days, today or later. */
  readonly from: string
  readonly to: string
}

export interface Appointments extends Exchange {
  /** Booked and cancelled ones, the earliest first. */
  readonly appointments: readonly Appointment[]
  readonly incomplete: readonly Shortcoming[]
}

/** GP Connect 1.x: the appointments of a patient at this practice that are still to come. */
export async function appointments(line: ClientLine, query: AppointmentsQuery): Promise<Appointments> {
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('fhir:rest:search:patient_appointments-1'),
    odsCode: query.odsCode,
    method: 'GET',
    path: `/Patient/${segment(query.patientId)}/Appointment${queryText([
      ['start', `ge${query.from}`],
      ['start', `le${query.to}`],
    ])}`,
    scope: 'patient/*.read',
    format: query.format ?? 'json',
  })
  const bundle = readBundle(answer.resource)
  return {
    appointments: bundle
      .ofType('Appointment')
      .map((resource) => appointmentOf(resource))
      .sort((a, b) => Date.parse(a.start) - Date.parse(b.start)),
    incomplete: bundle.incomplete,
    ...exchangeOf(answer),
  }
}

export interface AppointmentQuery extends AtPractice {
  readonly id: string
}

/** GP Connect 1.x: one appointment, with the version that a change needs. */
export async function readAppointment(line: ClientLine, query: AppointmentQuery): Promise<AppointmentAnswer> {
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('fhir:rest:read:appointment-1'),
    odsCode: query.odsCode,
    method: 'GET',
    path: `/Appointment/${segment(query.id)}`,
    scope: 'patient/*.read',
    format: query.format ?? 'json',
  })
  return appointmentIn(answer)
}

export interface AmendQuery extends AtPractice {
  /** As it was read: its version goes along, so that nobody's change is overwritten. */
  readonly appointment: Appointment
  readonly description?: string
  readonly comment?: string
}

/** GP Connect 1.x: another description or comment. CLIENT_CONFLICT when it was changed since it was read. */
export async function amendAppointment(line: ClientLine, query: AmendQuery): Promise<AppointmentAnswer> {
  const { appointment, description, comment } = query
  if (description === undefined && comment === undefined) throw cannotBook('Give a description or a comment.')
  insistOnLength('description', description)
  insistOnLength('comment', comment)
  return change(line, query, 'update', {
    ...appointment.resource,
    ...(description === undefined ? {} : { description }),
    ...(comment === undefined ? {} : { comment }),
  })
}

export interface CancelQuery extends AtPractice {
  /** As it was read. */
  readonly appointment: Appointment
  readonly reason: string
}

/** GP Connect 1.x: cancels, with a reason. CLIENT_CONFLICT when it was changed since it was read. */
export async function cancelAppointment(line: ClientLine, query: CancelQuery): Promise<AppointmentAnswer> {
  if (query.reason.trim() === '') throw cannotBook('A cancellation needs a reason.')
  const { resource } = query.appointment
  const extensions = list(resource['extension']).filter(
    (one) => !String(object(one)['url']).endsWith(`/${cancellationReason}`),
  )
  return change(line, query, 'cancel', {
    ...resource,
    extension: [...extensions, { url: profile(cancellationReason), valueString: query.reason }],
    status: 'cancelled',
  })
}

/** Verb and path of amending and cancelling are the same: only the interaction tells them apart (§6). */
async function change(
  line: ClientLine,
  { odsCode, appointment, format = 'json' }: AtPractice & { readonly appointment: Appointment },
  what: 'update' | 'cancel',
  body: Readonly<Record<string, unknown>>,
): Promise<AppointmentAnswer> {
  const { id, version } = appointment
  if (version === undefined) throw cannotBook('The appointment has no version: read it by its id first.')
  try {
    return appointmentIn(
      await askProvider(line, {
        generation: 'stu3',
        interaction: gpConnect(`fhir:rest:${what}:appointment-1`),
        odsCode,
        method: 'PUT',
        path: `/Appointment/${segment(id)}`,
        scope: 'patient/*.write',
        format,
        version,
        body: { ...body, resourceType: 'Appointment' },
      }),
    )
  } catch (error) {
    const refusal = isSpineError(error) ? (error.outcome as Partial<Refusal>) : undefined
    if (refusal?.status !== 409 && refusal?.status !== 412) throw error
    throw new SpineError('CLIENT_CONFLICT', refusal, {
      cause: error,
      explanation: `The appointment was changed since version ${version} was read: read it again, and decide again (trace ${refusal.traceId}).`,
    })
  }
}
