import { gpConnect } from './foundations.ts'
import { type Json, list, object, text } from './json.ts'
import type { ClientLine } from './line.ts'
import { askProvider } from './provider.ts'

/** The services of a practice, each at a service root of its own. */
export type GpConnectService = 'accessRecordHtml' | 'foundations' | 'structured' | 'documents'

export interface CapabilitiesQuery {
  /** The practice. */
  readonly odsCode: string
  /** Foundations and appointments share one root. Default: the HTML record of 0.x. */
  readonly service?: GpConnectService
  readonly format?: 'json' | 'xml'
}

export interface Capabilities {
  /** Version of the GP Connect specification that the provider implements. */
  readonly version: string
  readonly operations: readonly string[]
  /** Resource type → what may be done with it (`read`, `search-type`, …). Empty in 0.x, which has an operation alone. */
  readonly resources: Readonly<Record<string, readonly string[]>>
  /** The DSTU2 Conformance resource, or the STU3 CapabilityStatement. */
  readonly conformance: Json
  readonly traceId: string
  readonly ms: number
}

const interactions: Readonly<Record<GpConnectService, string>> = {
  accessRecordHtml: gpConnect('fhir:rest:read:metadata'),
  foundations: gpConnect('fhir:rest:read:metadata-1'),
  structured: gpConnect('structured:fhir:rest:read:metadata-1'),
  documents: gpConnect('documents:fhir:rest:read:metadata-1'),
}

/** GP Connect `metadata` of one of the practice's services. */
export async function capabilities(line: ClientLine, query: CapabilitiesQuery): Promise<Capabilities> {
  const service = query.service ?? 'accessRecordHtml'
  const answer = await askProvider(line, {
    generation: service === 'accessRecordHtml' ? 'dstu2' : 'stu3',
    interaction: interactions[service],
    odsCode: query.odsCode,
    method: 'GET',
    path: '/metadata',
    scope: 'organization/*.read',
    format: query.format ?? 'json',
  })
  const rest = list(answer.resource['rest']).map(object)
  const resources = rest.flatMap(({ resource }) => list(resource).map(object))
  return {
    version: said(answer.resource['version']) ?? '',
    operations: rest.flatMap(({ operation }) => list(operation).map((one) => said(object(one)['name']) ?? '')),
    resources: Object.fromEntries(
      resources.map(({ type, interaction }) => [
        said(type) ?? '',
        list(interaction).map((one) => said(object(one)['code']) ?? ''),
      ]),
    ),
    conformance: answer.resource,
    traceId: answer.traceId,
    ms: answer.ms,
  }
}

/** The published sample of 0.x wraps its texts in `{"value": …}`, and providers that copied it are in the field (§7.8). */
function said(value: unknown): string | undefined {
  return text(value) ?? text(object(value)['value'])
}
