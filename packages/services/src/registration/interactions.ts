import { isInteractionId, splitInteractionId } from '@openspine/standards/nhs'
import { type GpConnectCapability, gpConnectInteractions } from '@openspine/standards/nhs/interactions'
import type { InteractionSet, MessageContract, NewEndpoint, NewMessageContract } from './contract.ts'
import { contractTemplates, usualTemplate } from './templates.ts'

export const interactionId = ({ service, interaction }: Pick<MessageContract, 'service' | 'interaction'>): string =>
  `${service}:${interaction}`

const gpConnectService = /^urn:nhs:names:services:gpconnect[.:]/

/** Whether an interaction belongs to GP Connect, whose systems are registered apart from those of the Spine (§10.1 rule 3). */
export const isGpConnect = (interaction: string): boolean => gpConnectService.test(interaction)

const capabilities = new Map<string, GpConnectCapability>(
  (Object.keys(gpConnectInteractions) as GpConnectCapability[]).flatMap((capability) =>
    gpConnectInteractions[capability].map((id): [string, GpConnectCapability] => [id, capability]),
  ),
)

/** The capability of GP Connect that an interaction belongs to; undefined for others, and for unknown ones. */
export const capabilityOf = (interaction: string): GpConnectCapability | undefined => capabilities.get(interaction)

/** How an interaction id is told apart into the names that nhsMhs carries. */
export function messageOf(id: string): { readonly service: string; readonly interaction: string } | undefined {
  return isInteractionId(id) ? splitInteractionId(id) : undefined
}

/** The contract of one interaction: its template, and what differs from it. Undefined when there is no such template. */
export function contractOf(given: NewMessageContract): MessageContract | undefined {
  const { service, interaction, template: name, properties = {} } = given
  const template =
    name === undefined ? usualTemplate(service, interaction) : contractTemplates.find((each) => each.name === name)
  return template === undefined
    ? undefined
    : { service, interaction, properties: { ...template.properties, ...properties } }
}

/** A message that an endpoint receives, and in which set of its product it stands. */
export interface ServedMessage extends MessageContract {
  readonly id: string
  readonly set: string
}

/** What an endpoint may be registered with. */
export interface Offer {
  /** Of its message sets: what a CMA or an MHS receives. */
  readonly messages: readonly ServedMessage[]
  /** Ids that its accredited system may bear, in order and each once. */
  readonly system: readonly string[]
}

/** What a product offers to an endpoint. `carried`: interactions of the message handling system of an AS. */
export function offerOf(
  kind: NewEndpoint['kind'],
  sets: readonly InteractionSet[],
  carried: readonly string[] = [],
): Offer {
  const messages =
    kind === 'AS'
      ? []
      : sets.flatMap((set) =>
          set.use === 'messages'
            ? set.messages.map((message) => ({ ...message, id: interactionId(message), set: set.name }))
            : [],
        )
  const additional = sets.flatMap((set) => (set.use === 'additional' ? set.interactions : []))
  const system =
    kind === 'MHS' ? [] : [...new Set([...(kind === 'AS' ? carried : messages.map(({ id }) => id)), ...additional])]
  return { messages, system }
}

/** What an endpoint asks for out of an offer. */
export function chosen(offer: Offer, asked: Pick<NewEndpoint, 'interactions'>): Offer {
  if (asked.interactions === undefined) return offer
  const wanted = new Set(asked.interactions)
  return {
    messages: offer.messages.filter(({ id }) => wanted.has(id)),
    system: offer.system.filter((id) => wanted.has(id)),
  }
}
