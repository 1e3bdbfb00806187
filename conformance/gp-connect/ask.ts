/** One GP Connect request in four ways: direct and through the proxy, in JSON and in XML. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:https'
import { gunzipSync } from 'node:zlib'
import { gpConnectToken } from '@openspine/client'
import type { AnyResource } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { readToken, writeUnsecuredToken } from '@openspine/standards/jwt'
import { consumer, type Sandbox, type TlsMaterial } from '../sandbox.ts'

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

const paths: Readonly<Record<Base, string>> = {
  html: '/DSTU2/1',
  gpconnect: '/STU3/1/gpconnect',
  structured: '/STU3/1/gpconnect/structured',
  documents: '/STU3/1/gpconnect/documents',
}

/** The second practice is there to have its settings changed. */
export type PracticeCode = 'A20047' | 'B82617'

export const asids: Readonly<Record<PracticeCode, Readonly<Record<Base, string>>>> = {
  A20047: {
    html: '200000100001',
    gpconnect: '200000100011',
    structured: '200000100012',
    documents: '200000100013',
  },
  B82617: {
    html: '200000100002',
    gpconnect: '200000100021',
    structured: '200000100022',
    documents: '200000100023',
  },
}

export interface Asked {
  readonly base: Base
  /** Absent: A20047. */
  readonly practice?: PracticeCode
  /** What follows `urn:nhs:names:services:gpconnect:`. */
  readonly interaction: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS'
  /** Below the service root. */
  readonly path: string
  readonly scope?: 'patient/*.read' | 'patient/*.write' | 'organization/*.read'
  readonly body?: object
  /** In place of a body: these very words, under the usual type. */
  readonly words?: string | Buffer
  /** Spoils the words of a good body. */
  spoiled?(words: string): string
  /** The format of the body; absent: that of the answer. */
  readonly written?: Format
  /** Sends the body in chunks, in place of a length. */
  readonly chunked?: boolean
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** 0.x: whose record. Absent: the organisation's. */
  readonly patient?: string
  /** Spoils a copy of good claims. */
  claims?(claims: Record<string, unknown>): unknown
  /** Spoils a good token. */
  token?(token: string): string
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
      const practice = asked.practice ?? 'A20047'
      const path = `/${practice}${paths[asked.base]}`
      const root = `${urls['practice']}${path}`
      const codec = asked.base === 'html' ? dstu2 : stu3
      const mime = mimeOf(asked.base, format)
      const written = asked.written ?? format
      const trace = randomUUID()
      const url = new URL(String(urls[door]))
      const body = wordsOf(asked, written)
      const headers: Record<string, string | undefined> = {
        Accept: mime,
        'Ssp-TraceID': trace,
        'Ssp-From': consumer.asid,
        'Ssp-To': asids[practice][asked.base],
        'Ssp-InteractionID': `urn:nhs:names:services:gpconnect:${asked.interaction}`,
        Authorization: `Bearer ${tokenOf(asked, practice, root)}`,
        'Content-Type': body === undefined ? undefined : mimeOf(asked.base, written),
        'Content-Length': body === undefined || asked.chunked ? undefined : String(Buffer.byteLength(body)),
        'Transfer-Encoding': asked.chunked ? 'chunked' : undefined,
        ...asked.headers,
      }
      return new Promise((resolve, reject) => {
        const sent = request(
          {
            agent: agents[door],
            host: url.hostname,
            port: url.port,
            method: methodOf(asked),
            path: door === 'proxy' ? `/${root}${asked.path}` : `${path}${asked.path}`,
            headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
          },
          (response) => {
            const parts: Buffer[] = []
            response.on('data', (part: Buffer) => parts.push(part))
            response.on('error', reject)
            response.on('end', () => {
              const bytes = Buffer.concat(parts)
              const gzip = response.headers['content-encoding'] === 'gzip'
              const text = (gzip ? gunzipSync(bytes) : bytes).toString()
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

export const methodOf = ({ method, body, words }: Asked) =>
  method ?? (body === undefined && words === undefined ? 'GET' : 'POST')

function wordsOf({ base, words, body, spoiled }: Asked, format: Format): string | Buffer | undefined {
  if (body === undefined || words !== undefined) return words
  const good = (base === 'html' ? dstu2 : stu3).write(format, body as AnyResource)
  return spoiled === undefined ? good : spoiled(good)
}

export const mimeOf = (base: Base, format: Format): string =>
  base === 'html' ? `application/${format}+fhir` : `application/fhir+${format}`

function tokenOf(asked: Asked, practice: PracticeCode, audience: string): string {
  const token = rightToken(asked, practice, audience)
  return asked.token === undefined ? token : asked.token(token)
}

function rightToken(asked: Asked, practice: PracticeCode, audience: string): string {
  const old = asked.base === 'html'
  const token = gpConnectToken(consumer, {
    practitioner: consumer.practitioner,
    scope: asked.scope ?? 'patient/*.read',
    issuedAt: Math.floor(Date.now() / 1000),
    ...(old
      ? asked.patient === undefined
        ? { organisation: practice }
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
