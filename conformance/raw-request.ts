import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { StoredAuditRecord } from '@openspine/platform/audit'
import { readToken, writeUnsecuredToken } from '@openspine/standards/jwt'
import { json, type RawAnswer } from './raw-http.ts'
import { careRecordInteraction, metadataInteraction, type Sandbox, sspHeaders } from './sandbox.ts'

/** The practice of the worked example that shares with the consumer, and its patient. */
export const practiceAsid = '200000100001'
export const odsCode = 'A20047'
export const nhsNumber = '9990548609'

/** A header: absent, once, or several times. */
export type HeaderChanges = Readonly<Record<string, string | readonly string[] | undefined>>
export type Claims = Record<string, unknown>

export interface RequestChanges {
  readonly trace?: string
  readonly method?: string
  /** The raw request target, in place of the good one. */
  readonly target?: string
  readonly headers?: HeaderChanges
  readonly body?: string | Buffer
  /** Spoils a copy of good claims. */
  readonly claims?: (claims: Claims) => Claims
}

export interface RawRequest {
  readonly trace: string
  readonly bytes: Buffer
}

/** Where a Spine is, be it in this process or another. */
export interface Addressed {
  readonly spine: { readonly urls: Readonly<Record<string, string>> }
}

/** The service root of the practice, as it is registered. */
export const serviceRootOf = (sandbox: Addressed) => `${sandbox.spine.urls['practice']}/${odsCode}/DSTU2/1`

const identifier = (system: string, value: string) => ({ system, value })

export function parameters(
  change: { readonly nhsNumber?: string; readonly section?: string; readonly period?: unknown } = {},
): string {
  return JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'patientNHSNumber',
        valueIdentifier: identifier('http://fhir.nhs.net/Id/nhs-number', change.nhsNumber ?? nhsNumber),
      },
      {
        name: 'recordSection',
        valueCodeableConcept: {
          coding: [
            { system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1', code: change.section ?? 'ALL' },
          ],
        },
      },
      ...(change.period === undefined ? [] : [{ name: 'timePeriod', valuePeriod: change.period }]),
    ],
  })
}

/** A good request for a care record, spoilt where `change` says so: the bytes for the proxy, or for the practice itself. */
export function careRecord(
  sandbox: Addressed,
  change: RequestChanges = {},
  door: 'proxy' | 'practice' = 'proxy',
): RawRequest {
  const base = door === 'proxy' ? `/${serviceRootOf(sandbox)}` : new URL(serviceRootOf(sandbox)).pathname
  return spoilt(sandbox, change, door, {
    method: 'POST',
    target: `${base}/Patient/$gpc.getcarerecord`,
    interaction: careRecordInteraction,
    body: parameters(),
  })
}

/** The same for the capabilities. */
export function metadata(
  sandbox: Addressed,
  change: RequestChanges = {},
  door: 'proxy' | 'practice' = 'proxy',
): RawRequest {
  const base = door === 'proxy' ? `/${serviceRootOf(sandbox)}` : new URL(serviceRootOf(sandbox)).pathname
  return spoilt(sandbox, change, door, {
    method: 'GET',
    target: `${base}/metadata`,
    interaction: metadataInteraction,
  })
}

function spoilt(
  sandbox: Addressed,
  change: RequestChanges,
  door: 'proxy' | 'practice',
  good: { readonly method: string; readonly target: string; readonly interaction: string; readonly body?: string },
): RawRequest {
  const { trace = randomUUID() } = change
  const ssp = sspHeaders({
    interaction: good.interaction,
    to: practiceAsid,
    traceId: trace,
    ...(good.body === undefined ? { organisation: odsCode } : { patient: nhsNumber }),
  })
  const body = Buffer.from(change.body ?? good.body ?? '')
  const { claims } = change
  const headers: HeaderChanges = {
    Host: new URL(String(sandbox.spine.urls[door])).host,
    Accept: 'application/json+fhir',
    ...ssp,
    ...(good.body === undefined && change.body === undefined
      ? {}
      : { 'Content-Type': 'application/json+fhir', 'Content-Length': String(body.length) }),
    ...(claims === undefined ? {} : { Authorization: `Bearer ${withClaims(String(ssp['Authorization']), claims)}` }),
    ...change.headers,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
  )
  const head = `${change.method ?? good.method} ${change.target ?? good.target} HTTP/1.1\r\n${lines.join('')}\r\n`
  return { trace, bytes: Buffer.concat([Buffer.from(head, 'latin1'), body]) }
}

function withClaims(authorization: string, change: (claims: Claims) => Claims): string {
  const reading = readToken(authorization.replace('Bearer ', ''))
  assert.ok(reading.ok)
  return writeUnsecuredToken(change(structuredClone(reading.claims) as Claims))
}

/** What an OperationOutcome says: code and display of its one coding, and its diagnostics. */
export function outcomeOf(answer: RawAnswer): {
  readonly severity: string | undefined
  readonly issue: string | undefined
  readonly system: string | undefined
  readonly code: string | undefined
  readonly display: string | undefined
  readonly diagnostics: string | undefined
} {
  const resource = json(answer) as {
    resourceType?: string
    issue?: {
      severity?: string
      code?: string
      details?: { coding?: { system?: string; code?: string; display?: string }[] }
      diagnostics?: string
    }[]
  }
  assert.equal(resource.resourceType, 'OperationOutcome')
  assert.equal(resource.issue?.length, 1)
  const [issue] = resource.issue ?? []
  assert.equal(issue?.details?.coding?.length, 1)
  const [coding] = issue?.details?.coding ?? []
  return {
    severity: issue?.severity,
    issue: issue?.code,
    system: coding?.system,
    code: coding?.code,
    display: coding?.display,
    diagnostics: issue?.diagnostics,
  }
}

/** The one audit row that an event of this request must have left. */
export async function onlyRow(
  sandbox: Pick<Sandbox, 'spine'>,
  trace: string,
  event: 'proxy.request' | 'practice.request' | 'pds.request',
): Promise<StoredAuditRecord> {
  const rows = await rowsOf(sandbox, trace, event)
  assert.equal(rows.length, 1, `${rows.length} rows of ${event} for ${trace}`)
  return rows[0] as StoredAuditRecord
}

export async function rowsOf(
  { spine }: Pick<Sandbox, 'spine'>,
  trace: string,
  event?: string,
): Promise<readonly StoredAuditRecord[]> {
  return spine.platform.audit.find({ trace, ...(event === undefined ? {} : { event }), limit: 10 })
}
