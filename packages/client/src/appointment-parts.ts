import type { ReadBundle } from './bundle.ts'
import { conceptText, extension, first, type Json, list, object, present, text } from './json.ts'

/** How the patient and the clinician meet. */
export type DeliveryChannel = 'In-person' | 'Telephone' | 'Video' | (string & {})

/** Somebody or something that a resource refers to; the name only where the resource came with it. */
export interface Named {
  readonly reference: string
  readonly name?: string
}

export interface FreeSlot {
  readonly id: string
  readonly start: string
  readonly end: string
  readonly deliveryChannel?: DeliveryChannel
  readonly serviceType?: string
  readonly serviceCategory?: string
  /** Job role of the practitioner, for example "General Medical Practitioner". */
  readonly practitionerRole?: string
  readonly schedule?: string
  readonly location?: Named
  readonly practitioner?: Named
  /** The Slot resource. */
  readonly resource: Json
}

export interface Appointment {
  readonly id: string
  /** What `If-Match` must say to change it. */
  readonly version?: string
  /** `booked` or `cancelled`. */
  readonly status: string
  readonly start: string
  readonly end: string
  readonly description?: string
  readonly comment?: string
  readonly deliveryChannel?: DeliveryChannel
  readonly serviceType?: string
  readonly serviceCategory?: string
  readonly practitionerRole?: string
  readonly cancellationReason?: string
  readonly bookedBy?: string
  readonly participants: readonly Named[]
  /** The Appointment resource. */
  readonly resource: Json
}

/** Free slots of an answer, the earliest first, each with what its schedule says. */
export function freeSlots(bundle: ReadBundle): readonly FreeSlot[] {
  return bundle
    .ofType('Slot')
    .map((slot) => {
      const scheduleReference = text(object(slot['schedule'])['reference'])
      const schedule = bundle.resolve(scheduleReference)
      const actors = list(schedule?.['actor']).flatMap((actor) => named(bundle, actor) ?? [])
      return present({
        id: text(slot['id']) ?? '',
        start: text(slot['start']) ?? '',
        end: text(slot['end']) ?? '',
        deliveryChannel: channelOf(slot),
        serviceType: conceptText(first(slot['serviceType'])),
        serviceCategory: conceptText(schedule?.['serviceCategory']),
        practitionerRole: conceptText(
          extension(schedule, 'Extension-GPConnect-PractitionerRole-1')?.['valueCodeableConcept'],
        ),
        schedule: scheduleReference,
        location: actors.find(({ reference }) => typeOf(reference) === 'Location'),
        practitioner: actors.find(({ reference }) => typeOf(reference) === 'Practitioner'),
        resource: slot,
      })
    })
    .sort((a, b) => Date.parse(a.start) - Date.parse(b.start))
}

/** An Appointment resource as a user reads it. `etag` stands in for a version that the resource does not say. */
export function appointmentOf(resource: Json, etag?: string): Appointment {
  const booking = text(
    object(extension(resource, 'Extension-GPConnect-BookingOrganisation-1')?.['valueReference'])['reference'],
  )
  const organisation = list(resource['contained'])
    .map(object)
    .find(({ id }) => booking === `#${id}`)
  return present({
    id: text(resource['id']) ?? '',
    version: text(object(resource['meta'])['versionId']) ?? /^(?:W\/)?"(.*)"$/.exec(etag ?? '')?.[1],
    status: text(resource['status']) ?? '',
    start: text(resource['start']) ?? '',
    end: text(resource['end']) ?? '',
    description: text(resource['description']),
    comment: text(resource['comment']),
    deliveryChannel: channelOf(resource),
    serviceType: conceptText(first(resource['serviceType'])),
    serviceCategory: conceptText(resource['serviceCategory']),
    practitionerRole: conceptText(
      extension(resource, 'Extension-GPConnect-PractitionerRole-1')?.['valueCodeableConcept'],
    ),
    cancellationReason: text(extension(resource, cancellationReason)?.['valueString']),
    bookedBy: text(organisation?.['name']),
    participants: list(resource['participant']).flatMap((participant) => {
      const actor = object(object(participant)['actor'])
      const reference = text(actor['reference'])
      return reference === undefined ? [] : [present({ reference, name: text(actor['display']) })]
    }),
    resource,
  })
}

export const cancellationReason = 'Extension-GPConnect-AppointmentCancellationReason-1'

function channelOf(resource: Json): string | undefined {
  return text(extension(resource, 'Extension-GPConnect-DeliveryChannel-2')?.['valueCode'])
}

const typeOf = (reference: string) => reference.split('/').at(-2)

function named(bundle: ReadBundle, actor: unknown): Named | undefined {
  const reference = text(object(actor)['reference'])
  if (reference === undefined) return undefined
  const found = bundle.resolve(reference)
  const name = Array.isArray(found?.['name']) ? personName(first(found['name'])) : text(found?.['name'])
  return present({ reference, name: name ?? text(object(actor)['display']) })
}

function personName(name: Json): string | undefined {
  const parts = [...list(name['prefix']), ...list(name['given']), ...list(name['family'])].flatMap(
    (one) => text(one) ?? [],
  )
  return text(name['text']) ?? (parts.length === 0 ? undefined : parts.join(' '))
}
