/** Checks of connection, path, headers and token, in the order of §4.2. */
import { scopeFault, type TokenVariant, tokenRules } from '@openspine/standards/audit-token'
import { bodyFormat, type FhirFormat, negotiate } from '@openspine/standards/fhir'
import { readBearer } from '@openspine/standards/jwt'
import { isAsid, isUuid } from '@openspine/standards/nhs'
import { endpointsAt, interactionsOf } from '../endpoint.ts'
import { isFrom, type Service, servicesOf } from '../record/services.ts'
import { type Sheet, serviceUrl } from '../sheet.ts'
import { type Check, header } from './check.ts'
import { queryValues } from './query.ts'

/** How the answer is to be written, in the line of the service; undefined where that line does not speak what is asked for. */
function wantedFormat(sheet: Sheet): FhirFormat | undefined {
  const [format] = queryValues(sheet.query, '_format')
  return negotiate({
    version: sheet.generation,
    format,
    accept: header(sheet, 'accept'),
    contentType: header(sheet, 'content-type'),
  })
}

/** The service roots that this path could stand below. */
function serviceRoots(path: string): string[] {
  const roots: string[] = []
  for (let i = path.indexOf('/', 1); i !== -1 && roots.length < 20; i = path.indexOf('/', i + 1))
    roots.push(path.slice(0, i))
  return roots
}

const connection: readonly Check[] = [
  {
    name: 'client certificate present',
    clause: '4.2',
    outcome: 'CERTIFICATE_MISSING',
    explains: 'Present the certificate of the secure proxy: this server speaks mutual TLS only.',
    examine: ({ request }) => (request.peer.state === 'none' ? 'No client certificate was presented.' : undefined),
  },
  {
    name: 'client certificate trusted',
    clause: '4.2',
    outcome: 'CERTIFICATE_INVALID',
    explains: 'The certificate must be issued under the trusted CA, be within its dates, and not be revoked.',
    examine: ({ request }) =>
      request.peer.state === 'invalid' ? `The client certificate is not accepted: ${request.peer.reason}.` : undefined,
  },
  {
    name: 'client certificate of the secure proxy',
    clause: '2.3',
    outcome: 'CERTIFICATE_INVALID',
    explains: 'A provider answers the secure proxy alone. Send the request through it.',
    examine: ({ request: { peer } }, { proxyFqdn }) =>
      peer.state === 'valid' && peer.names.includes(proxyFqdn)
        ? undefined
        : 'The client certificate is not that of the secure proxy.',
  },
]

const address: readonly Check[] = [
  {
    name: 'service root',
    clause: '1',
    outcome: 'NO_SUCH_PATH',
    explains:
      'The path must begin with the service root of a practice, as the directory has it. Paths are case-sensitive.',
    async examine(sheet, { store }) {
      const roots = serviceRoots(sheet.path)
      const practice = await store.practiceAt(roots)
      const service =
        practice &&
        servicesOf(practice.practice)
          .filter(({ serviceRoot }) => roots.includes(serviceRoot))
          .sort((one, other) => other.serviceRoot.length - one.serviceRoot.length)[0]
      if (practice === undefined || service === undefined) return 'No practice answers at this path.'
      sheet.practice = practice
      sheet.service = service
      if (sheet.generation !== service.generation) {
        sheet.generation = service.generation
        sheet.format = wantedFormat(sheet) ?? 'json'
      }
      return undefined
    },
  },
  {
    name: 'known path',
    clause: '4.2',
    outcome: 'NO_SUCH_PATH',
    explains:
      'Below the service root there are the resources and operations of its line of GP Connect. Paths are case-sensitive.',
    examine(sheet, { endpoints }) {
      const { service } = sheet
      if (service === undefined) return 'No practice answers at this path.'
      sheet.candidates = endpointsAt(endpoints, service, sheet.path.slice(service.serviceRoot.length))
      return sheet.candidates.length === 0 ? 'There is no such resource or operation at this service root.' : undefined
    },
  },
  {
    name: 'verb',
    clause: '4.2',
    outcome: 'WRONG_VERB',
    explains: 'Read and search with GET, create and call operations with POST, update with PUT.',
    examine(sheet) {
      const { candidates = [] } = sheet
      const fitting = candidates.filter(({ endpoint }) => endpoint.verb === sheet.request.method)
      if (fitting.length === 0)
        return `The method must be ${[...new Set(candidates.map(({ endpoint }) => endpoint.verb))].join(' or ')} here.`
      sheet.candidates = fitting
      return undefined
    },
  },
]

const headers: readonly Check[] = [
  {
    name: 'Ssp-TraceID',
    clause: '2.4',
    outcome: 'BAD_REQUEST',
    explains: 'Send one Ssp-TraceID header with a new GUID for every request.',
    examine: (sheet) =>
      isUuid(header(sheet, 'ssp-traceid')) ? undefined : 'The header Ssp-TraceID is missing or not a GUID.',
  },
  {
    name: 'Ssp-From',
    clause: '2.4',
    outcome: 'BAD_REQUEST',
    explains: 'Send one Ssp-From header with the ASID (12 digits) of the consumer system.',
    examine: (sheet) =>
      isAsid(header(sheet, 'ssp-from')) ? undefined : 'The header Ssp-From is missing or not an ASID.',
  },
  {
    name: 'Ssp-To present',
    clause: '2.4',
    outcome: 'BAD_REQUEST',
    explains: 'Send one Ssp-To header with the ASID (12 digits) of the practice system.',
    examine: (sheet) => (isAsid(header(sheet, 'ssp-to')) ? undefined : 'The header Ssp-To is missing or not an ASID.'),
  },
  {
    name: 'Ssp-To is this practice',
    clause: '4.2',
    outcome: 'BAD_REQUEST',
    explains: 'Ssp-To must be the ASID of the practice whose service root is called: look both up in the directory.',
    examine: (sheet) =>
      header(sheet, 'ssp-to') === sheet.service?.asid
        ? undefined
        : 'The header Ssp-To is not the ASID of this practice.',
  },
  {
    name: 'Ssp-InteractionID present',
    clause: '2.4',
    outcome: 'BAD_REQUEST',
    explains: 'Send one Ssp-InteractionID header.',
    examine: (sheet) =>
      header(sheet, 'ssp-interactionid') === undefined ? 'The header Ssp-InteractionID is missing.' : undefined,
  },
  {
    name: 'Ssp-InteractionID known',
    clause: '6',
    outcome: 'BAD_REQUEST',
    explains: 'Send the interaction id of GP Connect for the request, as the directory has it for this endpoint.',
    examine: (sheet, { endpoints }) =>
      sheet.service !== undefined &&
      interactionsOf(endpoints, sheet.service.base).has(header(sheet, 'ssp-interactionid') ?? '')
        ? undefined
        : 'The header Ssp-InteractionID is not an interaction of this service.',
  },
  {
    name: 'Ssp-InteractionID fits the request',
    clause: '4.2',
    outcome: 'BAD_REQUEST',
    explains: 'The interaction must be that of the verb and path that are called.',
    examine(sheet) {
      const interaction = header(sheet, 'ssp-interactionid')
      const meant = sheet.candidates?.find(({ endpoint }) => endpoint.interaction === interaction)
      if (meant === undefined) return 'The header Ssp-InteractionID does not belong to this verb and path.'
      sheet.endpoint = meant.endpoint
      if (meant.id !== undefined) sheet.id = meant.id
      if (meant.versionId !== undefined) sheet.versionId = meant.versionId
      return undefined
    },
  },
  {
    name: 'Authorization',
    clause: '3.1',
    outcome: 'BAD_REQUEST',
    explains: 'Send one Authorization header: Bearer, a space, and the token.',
    examine: (sheet) =>
      /^bearer +\S+$/i.test(header(sheet, 'authorization') ?? '')
        ? undefined
        : 'The header Authorization is missing or not Bearer with one token.',
  },
]

const types: readonly Check[] = [
  {
    name: 'Content-Type',
    clause: '4.1',
    outcome: 'UNSUPPORTED_TYPE',
    explains:
      'The body must be application/json+fhir or application/xml+fhir (0.x), application/fhir+json or application/fhir+xml (1.x), and must say so.',
    examine(sheet) {
      const given = header(sheet, 'content-type')
      if (given === undefined) return sheet.endpoint?.body ? 'The header Content-Type is missing.' : undefined
      return bodyFormat(given, sheet.generation) === undefined ? 'The header Content-Type is not supported.' : undefined
    },
  },
  {
    name: 'Content-Encoding',
    clause: '4.1',
    outcome: 'UNSUPPORTED_TYPE',
    explains: 'Send the body without compression.',
    examine: (sheet) =>
      (header(sheet, 'content-encoding') ?? 'identity').toLowerCase() === 'identity'
        ? undefined
        : 'The header Content-Encoding is not supported.',
  },
  {
    name: 'Accept and _format',
    clause: '4.1',
    outcome: 'UNSUPPORTED_TYPE',
    explains:
      'Answers are application/json+fhir or application/xml+fhir (0.x), application/fhir+json or application/fhir+xml (1.x): ask for one of them by _format or Accept.',
    examine(sheet) {
      const wanted = wantedFormat(sheet)
      if (wanted === undefined)
        return `The ${queryValues(sheet.query, '_format').length === 0 ? 'header Accept' : 'parameter _format'} asks for a type that is not supported.`
      sheet.format = wanted
      return undefined
    },
  },
]

/** How far in the future `iat` may lie, as the reference provider has it (§3.2). */
const longestAheadSeconds = 600

const readable: Check = {
  name: 'token: readable',
  clause: '3.1',
  outcome: 'BAD_REQUEST',
  explains: 'The token is base64url(header).base64url(claims). with an empty third part.',
  examine(sheet) {
    const reading = readBearer(header(sheet, 'authorization') ?? '')
    if (!reading.ok) {
      sheet.tokenFault = reading.fault
      return reading.fault
    }
    sheet.token = reading
    return undefined
  },
}

function checksOf(variant: TokenVariant): readonly Check[] {
  return [
    ...tokenRules(variant).map(
      (rule): Check => ({
        name: rule.name,
        clause: rule.clause,
        outcome: rule.outcome,
        explains: rule.explains,
        examine: (sheet, { clock, exactAudience }) =>
          sheet.token !== undefined &&
          rule.passes({
            ...sheet.token,
            now: Math.floor(clock.now() / 1000),
            recordType: sheet.endpoint?.capability === 'metadata' ? 'Organization' : 'Patient',
            longestAheadSeconds,
            migrate: sheet.endpoint?.migrate === true,
            ...(exactAudience ? { expectedAudience: serviceUrl(sheet) } : {}),
          })
            ? undefined
            : rule.explains,
      }),
    ),
    {
      name: 'scope',
      clause: '6',
      outcome: 'BAD_REQUEST',
      explains: 'The claim requested_scope must be the scope of the interaction.',
      examine: (sheet) => scopeFault(variant, sheet.token?.claims ?? {}, sheet.endpoint?.scope),
    },
  ]
}

/** What the token must say, for each variant that a practice may be sent. */
export const tokenChecks: Readonly<Record<'gpconnect-0' | 'gpconnect-1.2' | 'gpconnect-1.6', readonly Check[]>> = {
  'gpconnect-0': checksOf('gpconnect-0'),
  'gpconnect-1.2': checksOf('gpconnect-1.2'),
  'gpconnect-1.6': checksOf('gpconnect-1.6'),
}

/** The token of a service: that of its line, with the additions of record migration from 1.6 on. */
export function tokenVariantOf({ generation, specificationVersion }: Service): keyof typeof tokenChecks {
  if (generation === 'dstu2') return 'gpconnect-0'
  return isFrom(specificationVersion, '1.6') ? 'gpconnect-1.6' : 'gpconnect-1.2'
}

/** Checks that need no body: whoever fails one of these has not been listened to any further. The token comes next. */
export const headChecks: readonly Check[] = [...connection, ...address, ...headers, ...types, readable]
