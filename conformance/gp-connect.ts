/** One GP Connect request in four ways: direct and through the proxy, in JSON and in XML. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:https'
import { gpConnectToken } from '@openspine/client'
import type { AnyResource } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { readToken, writeUnsecuredToken } from '@openspine/standards/jwt'
import { consumer, type Sandbox, type TlsMaterial } from './sandbox.ts'

export type Door = 'practice' | 'proxy'
export type Format = 'json' | 'xml'
export type Base = 'html' | 'gpconnect' | 'structured' | 'documents'

export interface Way {
  readonly door: Door
  readonly format: Format
}

export const ways: readonly Way[] = (['practice', 'proxy'] as const).flatMap((door) =>
  (['json', 'xml'] as const).map((format) => ({ door, format })),
)

const services: Readonly<Record<Base, { readonly path: string; readonly asid: string }>> = {
  html: { path: '/A20047/DSTU2/1', asid: '200000100001' },
  gpconnect: { path: '/A20047/STU3/1/gpconnect', asid: '200000100011' },
  structured: { path: '/A20047/STU3/1/gpconnect/structured', asid: '200000100012' },
  documents: { path: '/A20047/STU3/1/gpconnect/documents', asid: '200000100013' },
}

export interface Asked {
  readonly base: Base
  /** What follows `urn:nhs:names:services:gpconnect:`. */
  readonly interaction: string
  readonly method?: 'GET' | 'POST' | 'PUT'
  /** Below the service root. */
  readonly path: string
  readonly scope?: 'patient/*.read' | 'patient/*.write' | 'organization/*.read'
  readonly body?: object
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** 0.x: whose record. Absent: the organisation's. */
  readonly patient?: string
  /** Spoils a copy of good claims. */
  claims?(claims: Record<string, unknown>): unknown
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly resource: AnyResource
  readonly text: string
  readonly trace: string
  /** Code of the one coding of an OperationOutcome. */
  readonly code: string | undefined
}

/** Sends requests as the consumer (through the proxy) or as the proxy itself (direct). */
export async function asker(sandbox: Sandbox): Promise<{
  ask(way: Way, asked: Asked): Promise<Answered>
  close(): void
}> {
  const { trust } = sandbox.spine.platform
  const proxy = await trust.identity('proxy.spine.localhost')
  const direct: TlsMaterial = {
    ca: sandbox.material.ca,
    cert: proxy.certificate + proxy.chain,
    key: proxy.key,
  }
  const agents: Readonly<Record<Door, Agent>> = {
    practice: new Agent({ keepAlive: true, ...direct }),
    proxy: new Agent({ keepAlive: true, ...sandbox.material }),
  }
  const urls = sandbox.spine.urls
  return {
    ask({ door, format }, asked) {
      const { path, asid } = services[asked.base]
      const root = `${urls['practice']}${path}`
      const codec = asked.base === 'html' ? dstu2 : stu3
      const mime = asked.base === 'html' ? `application/${format}+fhir` : `application/fhir+${format}`
      const trace = randomUUID()
      const url = new URL(String(urls[door]))
      const body = asked.body === undefined ? undefined : codec.write(format, asked.body as AnyResource)
      const headers: Record<string, string | undefined> = {
        Accept: mime,
        'Ssp-TraceID': trace,
        'Ssp-From': consumer.asid,
        'Ssp-To': asid,
        'Ssp-InteractionID': `urn:nhs:names:services:gpconnect:${asked.interaction}`,
        Authorization: `Bearer ${tokenOf(asked, root)}`,
        'Content-Type': body === undefined ? undefined : mime,
        ...asked.headers,
      }
      return new Promise((resolve, reject) => {
        const sent = request(
          {
            agent: agents[door],
            host: url.hostname,
            port: url.port,
            method: asked.method ?? (body === undefined ? 'GET' : 'POST'),
            path: door === 'proxy' ? `/${root}${asked.path}` : `${path}${asked.path}`,
            headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
          },
          (response) => {
            const parts: Buffer[] = []
            response.on('data', (part: Buffer) => parts.push(part))
            response.on('error', reject)
            response.on('end', () => {
              const text = Buffer.concat(parts).toString()
              const xml = String(response.headers['content-type']).includes('xml')
              const resource = text === '' ? { resourceType: '' } : codec.read(xml ? 'xml' : 'json', text)
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                resource,
                text,
                trace,
                code: codeOf(resource),
              })
            })
          },
        )
        sent.on('error', reject)
        sent.end(body)
      })
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

function tokenOf(asked: Asked, audience: string): string {
  const old = asked.base === 'html'
  const token = gpConnectToken(consumer, {
    practitioner: consumer.practitioner,
    scope: asked.scope ?? 'patient/*.read',
    issuedAt: Math.floor(Date.now() / 1000),
    ...(old
      ? asked.patient === undefined
        ? { organisation: 'A20047' }
        : { patient: asked.patient }
      : { generation: 'stu3' as const, audience }),
  })
  if (asked.claims === undefined) return token
  const reading = readToken(token)
  if (!reading.ok) throw new Error(reading.fault)
  return writeUnsecuredToken(asked.claims(structuredClone(reading.claims)) as Record<string, unknown>)
}

function codeOf(resource: AnyResource): string | undefined {
  const [issue] = (resource['issue'] ?? []) as { details?: { coding?: { code?: string }[] } }[]
  return issue?.details?.coding?.[0]?.code
}

/** The resources of a Bundle. */
export function resourcesOf(bundle: AnyResource): readonly AnyResource[] {
  return ((bundle['entry'] ?? []) as { resource: AnyResource }[]).map(({ resource }) => resource)
}
