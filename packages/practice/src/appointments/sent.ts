/** An Appointment as a consumer sent it, read as far as it can be; what is missing or wrong is for the checks to say. */
import type { AnyResource, CodeableConcept, Extension, Identifier } from '@openspine/standards/fhir'
import { extensions } from './names.ts'

export interface SentParticipant {
  readonly reference: string | undefined
  readonly status: string | undefined
  readonly type?: readonly CodeableConcept[]
  readonly required?: string
}

export interface SentAppointment {
  readonly id?: string
  readonly status?: string
  readonly start?: string
  readonly end?: string
  readonly created?: string
  readonly description?: string
  readonly comment?: string
  readonly priority?: number
  readonly minutesDuration?: number
  readonly identifier: readonly Identifier[]
  readonly slots: readonly (string | undefined)[]
  readonly participants: readonly SentParticipant[]
  /** What the extension for the booking organisation points at. */
  readonly bookingReference: string | undefined
  /** The contained Organization. */
  readonly bookingOrganisation: AnyResource | undefined
  /** The cancellation reason's extension; its text is absent where it has none. */
  readonly cancellation?: { readonly reason?: string }
  readonly deliveryChannel?: unknown
  readonly practitionerRole?: unknown
  /** Paths of elements that the profile has no place for. */
  readonly foreign: readonly string[]
}

const places = new Set([
  ...['resourceType', 'id', 'meta', 'language', 'text', 'contained', 'extension', 'identifier', 'status'],
  ...['serviceCategory', 'serviceType', 'priority', 'description', 'start', 'end', 'minutesDuration', 'slot'],
  ...['created', 'comment', 'participant'],
])
const participantPlaces = new Set(['id', 'type', 'actor', 'required', 'status'])
const known: ReadonlySet<string> = new Set([
  extensions.bookingOrganisation,
  extensions.practitionerRole,
  extensions.deliveryChannel,
  extensions.cancellationReason,
])

interface SentElements {
  readonly id?: string
  readonly contained?: readonly AnyResource[]
  readonly extension?: readonly Extension[]
  readonly identifier?: readonly Identifier[]
  readonly status?: string
  readonly priority?: unknown
  readonly description?: string
  readonly start?: string
  readonly end?: string
  readonly minutesDuration?: unknown
  readonly slot?: readonly { readonly reference?: string }[]
  readonly created?: string
  readonly comment?: string
  readonly participant?: readonly {
    readonly type?: readonly CodeableConcept[]
    readonly actor?: { readonly reference?: string }
    readonly required?: string
    readonly status?: string
  }[]
}

/** `resource` has the form of an Appointment, empty and missing elements apart. */
export function readAppointment(resource: AnyResource): SentAppointment {
  // Decimals become numbers, and what is undefined goes.
  const plain = JSON.parse(JSON.stringify(resource)) as SentElements
  const { contained = [], extension = [], participant = [] } = plain
  const [bookingOrganisation] = contained
  const one = (url: string) => extension.find((each) => each.url === url)
  const reason = one(extensions.cancellationReason)
  const reasonText = reason?.['valueString']
  const channel = one(extensions.deliveryChannel)
  const role = one(extensions.practitionerRole)
  const reference = one(extensions.bookingOrganisation)?.['valueReference'] as { reference?: string } | undefined
  return {
    ...text(plain, 'id', 'status', 'start', 'end', 'created', 'description', 'comment'),
    ...(typeof plain.priority === 'number' ? { priority: plain.priority } : {}),
    ...(typeof plain.minutesDuration === 'number' ? { minutesDuration: plain.minutesDuration } : {}),
    identifier: plain.identifier ?? [],
    slots: (plain.slot ?? []).map((slot) => slot.reference),
    participants: participant.map(({ type, actor, required, status }) => ({
      reference: actor?.reference,
      status,
      ...(type === undefined ? {} : { type }),
      ...(required === undefined ? {} : { required }),
    })),
    bookingReference: reference?.reference,
    bookingOrganisation: bookingOrganisation?.resourceType === 'Organization' ? bookingOrganisation : undefined,
    ...(reason === undefined
      ? {}
      : { cancellation: typeof reasonText === 'string' && reasonText.trim() !== '' ? { reason: reasonText } : {} }),
    ...(channel === undefined ? {} : { deliveryChannel: channel['valueCode'] }),
    ...(role === undefined ? {} : { practitionerRole: role['valueCodeableConcept'] }),
    foreign: [
      ...Object.keys(plain).filter((name) => !places.has(name)),
      ...contained.flatMap(({ resourceType }, i) =>
        i === 0 && resourceType === 'Organization' ? [] : [`contained[${i}]`],
      ),
      ...extension.flatMap(({ url }, i) =>
        known.has(url) && extension.findIndex((each) => each.url === url) === i ? [] : [`extension[${i}]`],
      ),
      ...participant.flatMap((each, i) =>
        Object.keys(each)
          .filter((name) => !participantPlaces.has(name))
          .map((name) => `participant[${i}].${name}`),
      ),
    ],
  }
}

type TextName = 'id' | 'status' | 'start' | 'end' | 'created' | 'description' | 'comment'

function text(elements: SentElements, ...names: readonly TextName[]): { readonly [name in TextName]?: string } {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = elements[name]
      return typeof value === 'string' && value !== '' ? [[name, value]] : []
    }),
  )
}

/** The id behind a relative reference to a resource of that type; undefined for every other form. */
export function idIn(reference: string | undefined, type: string): string | undefined {
  const [, id] = new RegExp(`^${type}/([A-Za-z0-9\\-.]{1,64})$`).exec(reference ?? '') ?? []
  return id
}
