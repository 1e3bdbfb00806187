import { isIP } from 'node:net'
import { isOdsCode, isPartyKey } from '@openspine/standards/nhs'
import type { GpConnectCapability } from '@openspine/standards/nhs/interactions'
import type { DirectorySnapshot } from '../../directory/contract.ts'
import type { EndpointKind, NewEndpoint, Product } from '../contract.ts'
import { urlsOf } from '../entries.ts'
import { capabilityOf, isGpConnect, type Offer, type ServedMessage } from '../interactions.ts'

/** What registration knows of other endpoints that are approved or suspended. */
export interface Rivals {
  /** An endpoint that serves GP Connect for the organisation. */
  readonly provider?: string
  /** Manufacturer of a message handling system with the same FQDN. */
  readonly fqdnHolder?: string
  /** ASID of the same product at the same organisation. */
  readonly sameSystem?: string
  /** Whether the party key carries interactions of the other family: GP Connect, or what is not GP Connect. */
  readonly otherFamily: boolean
}

/** The message handling system behind a party key. */
export interface Handler {
  /** `elsewhere`: the directory has it, but it was not registered here. */
  readonly state: 'approved' | 'suspended' | 'elsewhere'
  readonly fqdn?: string
}

/** One endpoint, and all that its rules ask about. */
export interface EndpointGround {
  readonly asked: NewEndpoint
  readonly environment: string
  readonly fqdnSuffixes: readonly string[]
  readonly product: Product | undefined
  readonly messageSets: readonly string[]
  /** All that the product offers for this kind. */
  readonly offer: Offer
  /** What is asked for out of it. */
  readonly interactions: Offer
  readonly directory: Pick<DirectorySnapshot, 'acceptsOrganisation' | 'messageHandlingSystems' | 'accreditedSystems'>
  readonly rivals: Rivals
  /** Of the party key that is asked for, or that is set aside for the product. */
  readonly handler: Handler | undefined
  /** Party key that the endpoint has already. */
  readonly ownPartyKey: string | undefined
}

/** One rule on an endpoint (directory specification §10). */
export interface EndpointCheck {
  readonly code: string
  readonly clause: string
  readonly asks: string
  /** What is wrong, in plain words. */
  run(ground: EndpointGround): string | undefined
}

const hostName = /^(?=.{1,64}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
const fhirVersions = ['DSTU2', 'STU3', 'R4']
const hasHost = (kind: EndpointKind) => kind !== 'AS'
const short = (text: string) => text.slice(0, 200)

/** The first answer that is not undefined. */
function first<Item>(items: Iterable<Item>, of: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const answer = of(item)
    if (answer !== undefined) return answer
  }
  return undefined
}

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}

const allUrls = ({ asked }: EndpointGround) => (asked.urls ?? []).map(({ url }) => url)

/** URLs at which GP Connect is served, with what is served there. */
function gpConnectRoots({
  asked,
  interactions,
}: EndpointGround): { url: string; messages: readonly ServedMessage[] }[] {
  const served = new Map<string, ServedMessage[]>()
  for (const message of interactions.messages) {
    if (!isGpConnect(message.id)) continue
    for (const url of urlsOf(asked, message.set)) served.set(url, [...(served.get(url) ?? []), message])
  }
  return [...served].map(([url, messages]) => ({ url, messages }))
}

/** Path after the host: ODS code, FHIR version, major version, routing. */
function segments(url: string): readonly string[] {
  return (parsed(url)?.pathname ?? '').replace(/^\//, '').split('/')
}

const isHtml = ({ messages }: { messages: readonly ServedMessage[] }) =>
  messages.every(({ id }) => capabilityOf(id) === 'accessRecordHtml')

/** In order; the first that fails decides. Asked when an endpoint is requested, approved, and taken up again. */
export const endpointChecks: readonly EndpointCheck[] = [
  {
    code: 'REGISTRATION_ENVIRONMENT',
    clause: 'directory §14',
    asks: 'Does whoever asks mean this environment?',
    run: ({ asked, environment }) =>
      asked.environment === undefined || asked.environment === environment
        ? undefined
        : `This is the environment ${environment}: nothing of ${short(asked.environment)} is registered here.`,
  },
  {
    code: 'REGISTRATION_ODS_CODE',
    clause: 'directory §1',
    asks: 'Are the ODS codes 1 to 9 letters and digits?',
    run: ({ asked }) =>
      first([asked.odsCode, ...(asked.clients ?? [])], (code) =>
        isOdsCode(code) ? undefined : `${short(code)} is no ODS code.`,
      ),
  },
  {
    code: 'REGISTRATION_ORGANISATION',
    clause: 'directory §6.3',
    asks: 'Does the organisation exist, and is it open?',
    run: ({ asked, directory }) =>
      first([asked.odsCode, ...(asked.clients ?? [])], (code) =>
        directory.acceptsOrganisation(code)
          ? undefined
          : `The directory holds no open organisation ${code}. Put the organisation first, or correct the code.`,
      ),
  },
  {
    code: 'REGISTRATION_PRODUCT_UNKNOWN',
    clause: 'directory §10.3, §14',
    asks: 'Is the product registered in this environment?',
    run: ({ asked, product }) =>
      product === undefined || product.deletedAt !== undefined
        ? `This environment has no product ${short(asked.productId)}.`
        : undefined,
  },
  {
    code: 'REGISTRATION_MANUFACTURER',
    clause: 'directory §10.3',
    asks: 'Is the product of the manufacturer that is named?',
    run: ({ asked, product }) =>
      asked.manufacturer === undefined || asked.manufacturer === product?.manufacturer
        ? undefined
        : `Product ${asked.productId} is of ${product?.manufacturer}, not of ${short(asked.manufacturer)}.`,
  },
  {
    code: 'REGISTRATION_PRODUCT_KIND',
    clause: 'directory §10.3',
    asks: 'Is the product typed for this kind of endpoint?',
    run: ({ asked, product }) =>
      product?.kinds.includes(asked.kind)
        ? undefined
        : `Product ${asked.productId} is registered as ${product?.kinds.join(' and ')}, not as ${asked.kind}.`,
  },
  {
    code: 'REGISTRATION_PARTY_KEY',
    clause: 'directory §10.3, §14',
    asks: 'Does an AS, and it alone, name a party key, whose message handling system is approved in this environment?',
    run({ asked, handler }) {
      if (asked.kind !== 'AS') {
        return asked.partyKey === undefined ? undefined : `The party key of a ${asked.kind} is allocated: name none.`
      }
      if (!isPartyKey(asked.partyKey))
        return 'An AS needs the party key of the message handling system that carries it.'
      if (handler === undefined) return `This environment has no message handling system ${asked.partyKey}.`
      return handler.state === 'suspended' ? `The message handling system ${asked.partyKey} is suspended.` : undefined
    },
  },
  {
    code: 'REGISTRATION_PARTY_KEY_TAKEN',
    clause: 'directory §10.3, §11',
    asks: 'Has the party key that is set aside for the product no message handling system yet?',
    run: ({ asked, product, handler, ownPartyKey }) =>
      hasHost(asked.kind) && product?.partyKey !== undefined && handler !== undefined && ownPartyKey === undefined
        ? `Party key ${product.partyKey} of product ${product.id} has a message handling system already.`
        : undefined,
  },
  {
    code: 'REGISTRATION_NOT_IN_PRODUCT',
    clause: 'directory §6.3, §10.3',
    asks: "Does every interaction stand in the product's sets (or, for an AS, on its message handling system)?",
    run: ({ asked, offer }) =>
      first(asked.interactions ?? [], (id) =>
        offer.system.includes(id) || offer.messages.some((message) => message.id === id)
          ? undefined
          : `${short(id)} stands in no set of product ${asked.productId}${asked.kind === 'AS' ? `, nor on ${asked.partyKey}` : ''}.`,
      ),
  },
  {
    code: 'REGISTRATION_NO_INTERACTIONS',
    clause: 'directory §3.1, §10.1 rule 5',
    asks: 'Has a CMA messages that it receives, and an AS interactions that it may use?',
    run({ asked, interactions }) {
      if (asked.kind === 'CMA' && interactions.messages.length === 0) {
        return 'A CMA endpoint receives messages: give the product a message set, or register a consumer as MHS and AS.'
      }
      return asked.kind === 'AS' && interactions.system.length === 0
        ? 'An accredited system without an interaction could do nothing: give the product a set of additional interactions.'
        : undefined
    },
  },
  {
    code: 'REGISTRATION_PROVIDER_KIND',
    clause: 'directory §10.1 rules 5, 6',
    asks: 'Does a GP Connect provider register as CMA, and a consumer with its interactions on the AS alone?',
    run({ asked, interactions }) {
      const served = asked.kind === 'MHS' && interactions.messages.find(({ id }) => isGpConnect(id))
      return served
        ? `${served.id} would be served by an MHS: register a provider as CMA; a consumer has its interactions on the AS alone.`
        : undefined
    },
  },
  {
    code: 'REGISTRATION_FAMILIES',
    clause: 'directory §10.1 rule 3',
    asks: 'Are GP Connect and the central Spine services kept apart, by party key and by ASID?',
    run({ asked, interactions, rivals }) {
      const ids = [...interactions.messages.map(({ id }) => id), ...interactions.system]
      const ours = ids.find(isGpConnect)
      const theirs = ids.find((id) => !isGpConnect(id))
      if (ours !== undefined && theirs !== undefined) {
        return `${ours} is GP Connect and ${theirs} is not: they need separate party keys and ASIDs.`
      }
      return rivals.otherFamily
        ? `Party key ${asked.partyKey} carries ${ours === undefined ? 'GP Connect' : 'Spine services'}: use another.`
        : undefined
    },
  },
  {
    code: 'REGISTRATION_ONE_PROVIDER',
    clause: 'directory §10.1 rule 4',
    asks: 'Has the organisation no other GP Connect provider?',
    run({ asked, interactions, rivals, directory, ownPartyKey }) {
      if (!interactions.messages.some(({ id }) => isGpConnect(id))) return undefined
      const other =
        rivals.provider ??
        directory
          .messageHandlingSystems({ odsCode: asked.odsCode })
          .find(({ interaction, partyKey }) => isGpConnect(interaction) && partyKey !== ownPartyKey)?.partyKey
      return other === undefined
        ? undefined
        : `${asked.odsCode} has a GP Connect provider already (${other}): withdraw that one first.`
    },
  },
  {
    code: 'REGISTRATION_SYSTEM_TWICE',
    clause: 'directory §10.1 rule 1',
    asks: 'Has this product no other ASID at this organisation?',
    run: ({ asked, rivals }) =>
      rivals.sameSystem === undefined
        ? undefined
        : `Product ${asked.productId} has ASID ${rivals.sameSystem} at ${asked.odsCode}: one system has one ASID.`,
  },
  {
    code: 'REGISTRATION_FQDN',
    clause: 'directory §10.3, §13.2',
    asks: 'Has a CMA or an MHS, and it alone, a fully qualified domain name?',
    run({ asked }) {
      if (!hasHost(asked.kind)) {
        return asked.fqdn === undefined && asked.urls === undefined && asked.signingRequest === undefined
          ? undefined
          : 'FQDN, URLs and certificate are those of the message handling system: an AS names none.'
      }
      const name = asked.fqdn?.toLowerCase() ?? ''
      return hostName.test(name) && isIP(name) === 0
        ? undefined
        : 'The FQDN must be a whole host name of at most 64 characters, as its certificate will carry it.'
    },
  },
  {
    code: 'REGISTRATION_FQDN_SUFFIX',
    clause: 'directory §10.3, §13.2',
    asks: 'Does the FQDN lie under a domain of this environment?',
    run({ asked, fqdnSuffixes }) {
      const name = asked.fqdn?.toLowerCase()
      if (name === undefined || fqdnSuffixes.length === 0) return undefined
      const below = fqdnSuffixes.map((suffix) => suffix.toLowerCase().replace(/^\.?/, '.'))
      return below.some((suffix) => name.endsWith(suffix) && name.length > suffix.length)
        ? undefined
        : `${name} does not lie under ${below.join(' or ')}.`
    },
  },
  {
    code: 'REGISTRATION_FQDN_TAKEN',
    clause: 'directory §6.4, §10.4, §10.5',
    asks: 'Does no other manufacturer have message handling systems with this FQDN?',
    run({ asked, product, rivals, directory }) {
      if (asked.fqdn === undefined) return undefined
      // Whoever holds the certificate of an FQDN acts for all party keys behind it: they must be of one house.
      const other =
        rivals.fqdnHolder ??
        directory
          .messageHandlingSystems({ fqdn: asked.fqdn.toLowerCase() })
          .find(({ manufacturer }) => manufacturer !== undefined && manufacturer !== product?.manufacturer)
          ?.manufacturer
      return other === undefined || other === product?.manufacturer
        ? undefined
        : `${asked.fqdn} is the host of a system of ${other}.`
    },
  },
  {
    code: 'REGISTRATION_SOURCE_ADDRESS',
    clause: 'directory §10.3',
    asks: 'Is the source address an IP address?',
    run: ({ asked }) =>
      asked.sourceAddress === undefined || isIP(asked.sourceAddress) !== 0
        ? undefined
        : `${short(asked.sourceAddress)} is no IP address.`,
  },
  {
    code: 'REGISTRATION_URL_MISSING',
    clause: 'directory §6.2, §10.2',
    asks: 'Has every message set that is asked for a URL, and does every URL name a message set that there is?',
    run({ asked, interactions, messageSets }) {
      const stray = (asked.urls ?? []).find(({ set }) => set !== undefined && !messageSets.includes(set))
      if (stray !== undefined) return `Product ${asked.productId} has no message set ${short(stray.set ?? '')}.`
      return first(interactions.messages, ({ set }) =>
        urlsOf(asked, set).length > 0 ? undefined : `No URL serves the message set ${set}.`,
      )
    },
  },
  {
    code: 'REGISTRATION_URL_SCHEME',
    clause: 'directory §10.2',
    asks: 'Are all URLs https, without user, query or fragment?',
    run: (ground) =>
      first(allUrls(ground), (url) => {
        const whole = parsed(url)
        return whole?.protocol === 'https:' && whole.username === '' && whole.password === '' && !/[?#\s]/.test(url)
          ? undefined
          : `${short(url)} is no https URL of a service root.`
      }),
  },
  {
    code: 'REGISTRATION_URL_HOST',
    clause: 'directory §6.3, §10.2',
    asks: 'Is the host of every URL the FQDN, which the certificate names?',
    run: (ground) =>
      first(allUrls(ground), (url) =>
        parsed(url)?.hostname === ground.asked.fqdn?.toLowerCase()
          ? undefined
          : `The host of ${short(url)} is not ${ground.asked.fqdn}.`,
      ),
  },
  {
    code: 'REGISTRATION_URL_SLASH',
    clause: 'directory §10.2',
    asks: 'Does no URL end with a slash?',
    run: (ground) =>
      first(allUrls(ground), (url) =>
        url.endsWith('/') ? `${short(url)} ends with a slash: consumers append one themselves.` : undefined,
      ),
  },
  {
    code: 'REGISTRATION_URL_OPERATION',
    clause: 'directory §10.2',
    asks: 'Is every URL a service root, not the path of an operation?',
    run: (ground) =>
      first(allUrls(ground), (url) => {
        const gpConnect = gpConnectRoots(ground).some((root) => root.url === url)
        const operation = segments(url)
          .slice(gpConnect ? 3 : 0)
          .find((part) => part.includes('$') || /^(metadata|_search)$/.test(part) || (gpConnect && /^[A-Z]/.test(part)))
        return operation === undefined ? undefined : `${short(url)} goes on to ${operation}: give the root alone.`
      }),
  },
  {
    code: 'REGISTRATION_URL_FORM',
    clause: 'directory §10.2',
    asks: 'Is a GP Connect URL https://<FQDN>/<ODS code>/<FHIR version>/<major version>/<routing>? (Access Record HTML 0.x: also without routing, as its specification had it.)',
    run: (ground) =>
      first(gpConnectRoots(ground), (root) => {
        const parts = segments(root.url)
        const whole = parts.length >= (isHtml(root) ? 3 : 4) && parts.every((part) => part !== '')
        return whole
          ? undefined
          : `${short(root.url)} must go on after the host with ODS code, FHIR version, major version and routing, such as /A99968/STU3/1/gpconnect.`
      }),
  },
  {
    code: 'REGISTRATION_URL_ODS_CODE',
    clause: 'directory §10.2',
    asks: 'Is the ODS code in a GP Connect URL that of the organisation?',
    run: (ground) =>
      first(gpConnectRoots(ground), ({ url }) =>
        segments(url)[0] === ground.asked.odsCode
          ? undefined
          : `The first part of the path of ${short(url)} must be ${ground.asked.odsCode}.`,
      ),
  },
  {
    code: 'REGISTRATION_URL_FHIR_VERSION',
    clause: 'directory §10.2',
    asks: 'Is the FHIR version in a GP Connect URL DSTU2, STU3 or R4, in upper case?',
    run: (ground) =>
      first(gpConnectRoots(ground), ({ url }) =>
        fhirVersions.includes(segments(url)[1] ?? '')
          ? undefined
          : `The second part of the path of ${short(url)} must be ${fhirVersions.join(', ')}.`,
      ),
  },
  {
    code: 'REGISTRATION_URL_MAJOR',
    clause: 'directory §10.2',
    asks: 'Is the major version in a GP Connect URL a whole number?',
    run: (ground) =>
      first(gpConnectRoots(ground), ({ url }) =>
        /^(0|[1-9]\d{0,3})$/.test(segments(url)[2] ?? '')
          ? undefined
          : `The third part of the path of ${short(url)} must be the major version, a whole number.`,
      ),
  },
  {
    code: 'REGISTRATION_URL_VERSIONS',
    clause: 'directory §10.2',
    asks: 'Have all interactions of a message set one FHIR version?',
    run(ground) {
      const versions = new Map<string, string>()
      return first(gpConnectRoots(ground), ({ url, messages }) =>
        first(messages, ({ set }) => {
          const version = segments(url)[1] ?? ''
          const other = versions.get(set) ?? version
          versions.set(set, other)
          return other === version ? undefined : `The message set ${set} is served as ${other} and as ${version}.`
        }),
      )
    },
  },
  {
    code: 'REGISTRATION_URL_SHARED',
    clause: 'directory §10.2',
    asks: 'Do Foundations and Appointments share one root, and all other capabilities have roots of their own?',
    run(ground) {
      const roots = new Map<GpConnectCapability, Set<string>>()
      for (const { url, messages } of gpConnectRoots(ground)) {
        for (const { id } of messages) {
          const capability = capabilityOf(id)
          if (capability !== undefined) roots.set(capability, (roots.get(capability) ?? new Set()).add(url))
        }
      }
      const [foundations, appointments] = [roots.get('foundations'), roots.get('appointments')]
      if (foundations && appointments && [...foundations].toSorted().join() !== [...appointments].toSorted().join()) {
        return 'Foundations and Appointments must be served at the same root.'
      }
      const owners = new Map<string, GpConnectCapability>()
      return first(roots, ([capability, urls]) =>
        first(urls, (url) => {
          const owner = capability === 'appointments' ? 'foundations' : capability
          const other = owners.get(url) ?? owner
          owners.set(url, other)
          return other === owner
            ? undefined
            : `${short(url)} serves both ${other} and ${owner}: each needs its own root.`
        }),
      )
    },
  },
]
