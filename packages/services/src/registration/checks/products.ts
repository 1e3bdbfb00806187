import { isIP } from 'node:net'
import { isOdsCode } from '@openspine/standards/nhs'
import type { ContractProperties, MessageContract, NewProduct } from '../contract.ts'
import { interactionId, messageOf } from '../interactions.ts'

/** A rule on a product, or on a set of its interactions. */
export interface ProductCheck<Subject> {
  readonly code: string
  readonly clause: string
  readonly asks: string
  /** What is wrong, in plain words. */
  run(subject: Subject): string | undefined
}

/** Text that the directory can show: not empty, on one line, of bearable length. */
export const isName = (text: string): boolean => /^[^\p{Cc}]{1,255}$/u.test(text) && text.trim() !== ''

/** In order; the first that fails decides. */
export const productChecks: readonly ProductCheck<NewProduct & { readonly manufacturer: string }>[] = [
  {
    code: 'REGISTRATION_ODS_CODE',
    clause: 'directory §1',
    asks: 'Is the manufacturer named by its ODS code?',
    run: ({ manufacturer }) =>
      isOdsCode(manufacturer) ? undefined : `The manufacturer ${manufacturer.slice(0, 100)} is no ODS code.`,
  },
  {
    code: 'REGISTRATION_NAME',
    clause: 'directory §1',
    asks: 'Are name and version one line of text, of at most 255 characters?',
    run: ({ name, version }) =>
      isName(name) && (version === undefined || isName(version))
        ? undefined
        : 'Name and version of a product are one line of text each, of at most 255 characters.',
  },
  {
    code: 'REGISTRATION_KIND',
    clause: 'directory §10.3',
    asks: 'Is the product typed as CMA, MHS or AS?',
    run: ({ kinds }) =>
      kinds.length > 0 && kinds.every((kind) => kind === 'CMA' || kind === 'MHS' || kind === 'AS')
        ? undefined
        : 'A product is registered as CMA, as MHS or as AS, or as several of them.',
  },
]

/** Values of nhsMhs that are coded (§6.2), compared without case. */
const enumerations: Readonly<Partial<Record<keyof ContractProperties, readonly string[]>>> = {
  interactionType: ['FHIR', 'HL7', 'EBXML', 'N/A'],
  authentication: ['none', 'transient', 'persistent'],
  syncReplyMode: ['None', 'MSHSignalsOnly', 'SignalsAndResponse', 'Never'],
  ackRequested: ['always', 'never'],
  duplicateElimination: ['always', 'never'],
  actor: ['urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH', 'urn:oasis:names:tc:ebxml-msg:actor:nextMSH', 'IGNORED'],
}
const numbers = ['retries', 'templateKey'] as const
const durations = ['retryInterval', 'persistDuration'] as const
const duration = /^P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/

function badProperty({ properties }: MessageContract): string | undefined {
  for (const [name, allowed] of Object.entries(enumerations)) {
    const value = properties[name as keyof ContractProperties]
    if (value !== undefined && !allowed.some((each) => each.toLowerCase() === value.toLowerCase())) {
      return `${name} cannot be ${value.slice(0, 100)}: it is one of ${allowed.join(', ')}.`
    }
  }
  const number = numbers.find((name) => !/^\d{1,4}$/.test(properties[name]))
  if (number !== undefined) return `${number} is a whole number, not ${properties[number].slice(0, 100)}.`
  const time = durations.find((name) => !duration.test(properties[name]))
  if (time !== undefined) return `${time} is an ISO 8601 duration such as PT1M, not ${properties[time].slice(0, 100)}.`
  const { sourceAddress, productKey } = properties
  if (sourceAddress !== undefined && isIP(sourceAddress) === 0)
    return `${sourceAddress.slice(0, 100)} is no IP address.`
  return productKey === undefined || isName(productKey) ? undefined : 'A product key is one line of text.'
}

/** A set that is about to be added, and the interactions that the product's sets hold already. */
export interface SetGround {
  readonly name: string
  readonly messages: readonly MessageContract[]
  /** Ids of a set of additional interactions. */
  readonly additional: readonly string[]
  readonly present: {
    readonly names: readonly string[]
    readonly messages: readonly string[]
    readonly additional: readonly string[]
  }
}

const mostInteractions = 1000

/** In order; the first that fails decides. */
export const setChecks: readonly ProductCheck<SetGround>[] = [
  {
    code: 'REGISTRATION_NAME',
    clause: 'directory §11',
    asks: 'Has the set a name, one line of text?',
    run: ({ name }) => (isName(name) ? undefined : 'The name of a set is one line of text, of at most 255 characters.'),
  },
  {
    code: 'REGISTRATION_SET_TWICE',
    clause: 'directory §11',
    asks: 'Has the product no other set of this name?',
    run: ({ name, present }) => (present.names.includes(name) ? `The product has a set ${name} already.` : undefined),
  },
  {
    code: 'REGISTRATION_SET_SIZE',
    clause: 'directory §10.3',
    asks: `Do all sets of the product hold at most ${mostInteractions} interactions?`,
    // A set may be empty: over the API that is how somebody says that there are none (§11).
    run({ messages, additional, present }) {
      const size = messages.length + additional.length + present.messages.length + present.additional.length
      return size <= mostInteractions
        ? undefined
        : `All sets of a product hold at most ${mostInteractions} interactions together.`
    },
  },
  {
    code: 'REGISTRATION_INTERACTION_ID',
    clause: 'directory §12',
    asks: 'Is every interaction a service name and an interaction?',
    run({ messages, additional }) {
      const message = messages.find(({ service, interaction }) => {
        const parts = messageOf(`${service}:${interaction}`)
        return parts?.service !== service || parts.interaction !== interaction
      })
      const bad = message === undefined ? additional.find((id) => messageOf(id) === undefined) : interactionId(message)
      return bad === undefined
        ? undefined
        : `${bad.slice(0, 300)} is no interaction id: write urn:nhs:names:services:<service>:<interaction>.`
    },
  },
  {
    code: 'REGISTRATION_INTERACTION_TWICE',
    clause: 'directory §6.3, §11',
    asks: 'Does no interaction stand in two sets of one use?',
    run({ messages, additional, present }) {
      const twice = (ids: readonly string[], others: readonly string[]) =>
        ids.find((id, place) => others.includes(id) || ids.indexOf(id) !== place)
      const bad = twice(messages.map(interactionId), present.messages) ?? twice(additional, present.additional)
      return bad === undefined ? undefined : `${bad} stands in the product's sets already.`
    },
  },
  {
    code: 'REGISTRATION_CONTRACT_PROPERTY',
    clause: 'directory §6.2',
    asks: 'Are the contract properties among those that the specification lists?',
    run({ messages }) {
      for (const message of messages) {
        const bad = badProperty(message)
        if (bad !== undefined) return `${interactionId(message)}: ${bad}`
      }
      return undefined
    },
  },
]
