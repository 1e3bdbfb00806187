import type { ClientLine } from './line.ts'
import { askProvider } from './provider.ts'

export interface CapabilitiesQuery {
  /** The practice. */
  readonly odsCode: string
  readonly format?: 'json' | 'xml'
}

export interface Capabilities {
  /** Version of the GP Connect specification that the provider implements. */
  readonly version: string
  readonly operations: readonly string[]
  /** The DSTU2 Conformance resource. */
  readonly conformance: Readonly<Record<string, unknown>>
  readonly traceId: string
  readonly ms: number
}

const interaction = 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata'

export async function capabilities(line: ClientLine, query: CapabilitiesQuery): Promise<Capabilities> {
  const answer = await askProvider(line, {
    interaction,
    odsCode: query.odsCode,
    method: 'GET',
    path: '/metadata',
    scope: 'organization/*.read',
    format: query.format ?? 'json',
  })
  const conformance = answer.resource as {
    readonly version?: string
    readonly rest?: readonly { readonly operation?: readonly { readonly name?: string }[] }[]
  }
  return {
    version: conformance.version ?? '',
    operations: conformance.rest?.flatMap(({ operation = [] }) => operation.map(({ name = '' }) => name)) ?? [],
    conformance: answer.resource,
    traceId: answer.traceId,
    ms: answer.ms,
  }
}
