/** What is served below the service roots, as data: each room of the practice lists its endpoints (§6). */
import type { TokenScope } from '@openspine/standards/audit-token'
import type { FhirFormat, Resource } from '@openspine/standards/fhir'
import type { GpConnectCapability } from '@openspine/standards/nhs/interactions'
import type { Check } from './checks/check.ts'
import type { OutcomeName } from './outcome.ts'
import { type Base, isFrom, type Service } from './record/services.ts'
import type { Answering, Sheet } from './sheet.ts'

/** What an endpoint answers when every check has passed. */
export interface Result {
  readonly status: number
  /** Absent: the body is empty. */
  readonly resource?: Resource
  /** In place of the resource: its octets, in the format of the request. */
  readonly octets?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** Something that only the work itself could find out: the slot was taken a moment ago. */
export interface Refused {
  readonly outcome: OutcomeName
  readonly diagnostics: string
  /** What failed, as the audit names it. */
  readonly check: string
}

export interface Endpoint {
  /** As audit and metrics name it, for example `readPatient`. */
  readonly action: string
  readonly bases: readonly Base[]
  readonly capability: GpConnectCapability | 'metadata'
  readonly verb: 'GET' | 'POST' | 'PUT'
  /** Below the service root; `{id}` and `{version}` stand for one segment each, put on the sheet as `id` and `versionId`. */
  readonly path: string
  readonly interaction: string
  readonly scope: TokenScope
  /** First version of the specification that has it. */
  readonly since?: string
  /** First version that has it no more. */
  readonly until?: string
  /** Migration: other rules for the token (§9.6). */
  readonly migrate?: boolean
  /** Whether the request has a body, which is read before `checks` are made. */
  readonly body: boolean
  /** Made after those of the head, in order. */
  readonly checks: readonly Check[]
  respond(sheet: Sheet, answering: Answering): Result | Refused | Promise<Result | Refused>
}

export type { FhirFormat }

/** An endpoint whose path was asked for, with what stood for its placeholders. */
export interface Candidate {
  readonly endpoint: Endpoint
  readonly id?: string
  readonly versionId?: string
}

const placeholders = new Map([
  ['{id}', 'id'],
  ['{version}', 'versionId'],
] as const)

/** The endpoints whose path this is at this service; paths are compared raw but for `%24`. */
export function endpointsAt(endpoints: readonly Endpoint[], service: Service, below: string): readonly Candidate[] {
  const asked = below.replaceAll('%24', '$').split('/')
  return endpoints.flatMap((endpoint) => {
    if (!endpoint.bases.includes(service.base)) return []
    if (endpoint.since !== undefined && !isFrom(service.specificationVersion, endpoint.since)) return []
    if (endpoint.until !== undefined && isFrom(service.specificationVersion, endpoint.until)) return []
    const wanted = endpoint.path.split('/')
    if (wanted.length !== asked.length) return []
    const candidate: { endpoint: Endpoint; id?: string; versionId?: string } = { endpoint }
    for (const [i, part] of wanted.entries()) {
      const name = placeholders.get(part as '{id}')
      // What begins with a dollar sign is an operation and no id.
      if (name !== undefined && !asked[i]?.startsWith('$')) candidate[name] = asked[i] ?? ''
      else if (part !== asked[i]) return []
    }
    return [candidate]
  })
}

/** Every interaction of a base. */
export function interactionsOf(endpoints: readonly Endpoint[], base: Base): ReadonlySet<string> {
  return new Set(endpoints.filter(({ bases }) => bases.includes(base)).map(({ interaction }) => interaction))
}
