import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { type ClientLine, needed } from './line.ts'
import { refused, resourceOf } from './refusal.ts'
import { gpConnectToken } from './token.ts'

export interface ProviderRequest {
  readonly interaction: string
  readonly odsCode: string
  readonly method: 'GET' | 'POST'
  /** Appended to the service root, with its slash. */
  readonly path: string
  readonly scope: 'patient/*.read' | 'organization/*.read'
  readonly patient?: string
  readonly format: 'json' | 'xml'
  readonly body?: string
}

export interface ProviderAnswer {
  readonly resource: Readonly<Record<string, unknown>>
  readonly traceId: string
  readonly ms: number
  readonly retries: number
  readonly endpoint: string
  readonly asid: string
}

/** One GP Connect 0.x request: looked up, with the four Ssp headers and a fresh token, through the secure proxy. */
export async function askProvider(line: ClientLine, request: ProviderRequest): Promise<ProviderAnswer> {
  const { settings } = line
  const own = { organisation: needed(settings, 'organisation'), system: needed(settings, 'system') }
  const { endpoint, asid } = await line.lookup(request)
  const target = endpoint.replace(/\/$/, '') + request.path
  const proxy = settings.proxyUrl ? new URL(settings.proxyUrl) : undefined
  const direct = new URL(target)
  const mime = `application/${request.format}+fhir`
  let traceId = ''
  const answer = await line.http.send(() => {
    traceId = line.uuid()
    const token = gpConnectToken(own, {
      practitioner: line.practitioner,
      scope: request.scope,
      issuedAt: Math.floor(line.now() / 1000),
      ...(request.patient === undefined ? { organisation: request.odsCode } : { patient: request.patient }),
    })
    return {
      method: request.method,
      origin: (proxy ?? direct).origin,
      path: proxy ? `${proxy.pathname.replace(/\/$/, '')}/${target}` : target.slice(direct.origin.length),
      headers: {
        'ssp-traceid': traceId,
        'ssp-from': needed(settings, 'asid'),
        'ssp-to': asid,
        'ssp-interactionid': request.interaction,
        authorization: `Bearer ${token}`,
        accept: mime,
        ...(request.body === undefined ? {} : { 'content-type': `${mime};charset=utf-8` }),
      },
      ...(request.body === undefined ? {} : { body: request.body }),
    }
  })
  const resource = resourceOf(answer, dstu2)
  if (answer.status !== 200 || !resource)
    throw refused(proxy ? 'The provider, through the secure proxy,' : 'The provider', answer, traceId, resource)
  return { resource, traceId, ms: answer.ms, retries: answer.retries, endpoint, asid }
}
