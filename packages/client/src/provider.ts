import type { TokenScope } from '@openspine/standards/audit-token'
import { SpineError } from '@openspine/standards/error'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { type HttpAnswer, outcomeUnknown } from './http.ts'
import { type ClientLine, needed } from './line.ts'
import { refused, resourceOf } from './refusal.ts'
import { gpConnectToken } from './token.ts'

/** GP Connect 0.x speaks DSTU2, 1.x STU3. */
export type Generation = 'dstu2' | 'stu3'

export interface ProviderRequest {
  readonly generation: Generation
  readonly interaction: string
  readonly odsCode: string
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Appended to the service root, with its slash. Or made from the service root, for a URL that the provider gave. */
  readonly path: string | ((endpoint: string) => string)
  readonly scope: TokenScope
  /** 0.x: whose record is asked for goes into the token. */
  readonly patient?: string
  readonly format: 'json' | 'xml'
  /** Written in `format`. */
  readonly body?: Resource
  /** Asking twice does nothing twice: an operation that only reads. A GET is safe without saying. */
  readonly safe?: boolean
  /** `If-Match`: version of the resource that is to be replaced. */
  readonly version?: string
  /** Statuses that are no refusal; 200 when absent. */
  readonly expected?: readonly number[]
}

export type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string }

/** How a request went, in every result of an operation. */
export interface Exchange {
  /** Ssp-TraceID of the try that was answered: `openspine explain` takes it. */
  readonly traceId: string
  readonly ms: number
  readonly retries: number
  readonly endpoint: string
  readonly asid: string
}

export interface ProviderAnswer extends Exchange {
  readonly resource: Readonly<Record<string, unknown>>
  readonly status: number
  readonly headers: HttpAnswer['headers']
}

const lines = {
  dstu2: { codec: dstu2, mime: (format: 'json' | 'xml') => `application/${format}+fhir` },
  stu3: { codec: stu3, mime: (format: 'json' | 'xml') => `application/fhir+${format}` },
} as const

/** One GP Connect request: looked up, with the four Ssp headers and a fresh token, through the secure proxy. */
export async function askProvider(line: ClientLine, request: ProviderRequest): Promise<ProviderAnswer> {
  const { settings } = line
  const { generation, method, interaction, scope } = request
  const { codec, mime } = lines[generation]
  const own = { organisation: needed(settings, 'organisation'), system: needed(settings, 'system') }
  const { endpoint, asid } = await line.lookup(request)
  const root = endpoint.replace(/\/$/, '')
  const target = root + (typeof request.path === 'string' ? request.path : request.path(root))
  const proxy = settings.proxyUrl ? new URL(settings.proxyUrl) : undefined
  const direct = new URL(target)
  const type = mime(request.format)
  const body = request.body && codec.write(request.format, request.body)
  const safe = request.safe ?? method === 'GET'
  let traceId = ''
  const answer = await line.http.send(() => {
    traceId = line.uuid()
    const token = gpConnectToken(own, {
      generation,
      audience: endpoint,
      practitioner: line.practitioner,
      scope,
      issuedAt: Math.floor(line.now() / 1000),
      ...(request.patient === undefined ? { organisation: request.odsCode } : { patient: request.patient }),
    })
    return {
      method,
      safe,
      origin: (proxy ?? direct).origin,
      path: proxy ? `${proxy.pathname.replace(/\/$/, '')}/${target}` : target.slice(direct.origin.length),
      headers: {
        'ssp-traceid': traceId,
        'ssp-from': needed(settings, 'asid'),
        'ssp-to': asid,
        'ssp-interactionid': interaction,
        authorization: `Bearer ${token}`,
        accept: type,
        ...(request.version === undefined ? {} : { 'if-match': `W/"${request.version}"` }),
        ...(body === undefined ? {} : { 'content-type': `${type};charset=utf-8` }),
      },
      ...(body === undefined ? {} : { body }),
    }
  })
  const resource = resourceOf(answer, codec)
  const exchange = { traceId, ms: answer.ms, retries: answer.retries, endpoint, asid }
  if (!(request.expected ?? [200]).includes(answer.status)) {
    throw refused(
      proxy ? 'The provider, through the secure proxy,' : 'The provider',
      answer,
      traceId,
      resource,
      safe || answer.status < 500 ? '' : outcomeUnknown,
    )
  }
  if (!resource) throw unexpected(traceId, 'something that is no FHIR in JSON or XML', answer.status)
  return { resource, status: answer.status, headers: answer.headers, ...exchange }
}

/** What of an answer goes into every result. */
export function exchangeOf({ traceId, ms, retries, endpoint, asid }: Exchange): Exchange {
  return { traceId, ms, retries, endpoint, asid }
}

/** The answer is a yes, but not to what was asked. */
export function unexpected(traceId: string, what: string, status = 200): SpineError {
  return new SpineError(
    'CLIENT_ANSWER',
    { traceId },
    { explanation: `The provider answered ${status} with ${what} (trace ${traceId}).` },
  )
}
