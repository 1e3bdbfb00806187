/**
 * Load generator of the proxy benchmark, a process of its own: connections over raw TLS, one request at a
 * time on each, kept alive or made anew for each request; a new trace id for every request. Commands come as JSON lines.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { cipher } from './nginx.ts'

export interface LoadRound {
  readonly port: number
  readonly connections: number
  /** Ends after so long, or after so many requests. */
  readonly ms: number
  readonly requests?: number
  /** Path, with the leading slash. */
  readonly target: string
  /** Bytes of the answer's body. */
  readonly bytes: number
  /** Bytes of a body to send: a POST. */
  readonly sends?: number
  /** A connection for every request, with a full handshake or a resumed one; otherwise they are kept. */
  readonly handshake?: 'full' | 'resumed'
  /** How many tokens the requests draw from in turn; 1,000 unless told. */
  readonly tokens?: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
  /** Handshakes that were resumed. */
  readonly resumed: number
}

const [certificate = '', key = '', ca = ''] = process.argv.slice(2)
const secureContext = createSecureContext({
  cert: readFileSync(certificate),
  key: readFileSync(key),
  ca: readFileSync(ca),
  ciphers: cipher,
  maxVersion: 'TLSv1.2',
})

/** Tokens differ; making one costs more than sending it, so a round draws from a pool. */
function tokens(count: number): string[] {
  const iat = Math.floor(Date.now() / 1000)
  return Array.from({ length: count }, (_, number) =>
    writeUnsecuredToken({
      iss: 'https://consumer.example.test/',
      sub: `u-${number}`,
      aud: 'https://gp.example.test/A20047/STU3/1/gpconnect',
      exp: iat + 300,
      iat,
      reason_for_request: 'directcare',
      requested_scope: 'organization/*.read',
      requesting_device: {
        resourceType: 'Device',
        identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
        model: 'Cons',
        version: '5.3.0',
      },
      requesting_organization: {
        resourceType: 'Organization',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
        name: 'Test Trust',
      },
      requesting_practitioner: {
        resourceType: 'Practitioner',
        id: `u-${number}`,
        identifier: [
          { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '111222333444' },
          { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '444555666777' },
        ],
        name: [{ family: 'Jones', given: ['Claire'], prefix: ['Dr'] }],
      },
    }),
  )
}

interface Kept {
  readonly socket: TLSSocket
  readonly exchange: Exchange
}

const kept = new Map<number, Kept[]>()
const sessions = new Map<number, Buffer>()

function opened(port: number, session?: Buffer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername: 'localhost', secureContext, ...(session ? { session } : {}) }
    const socket: TLSSocket = connect(options, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.setNoDelay(true)
    socket.once('error', reject)
    socket.on('session', (fresh) => sessions.set(port, fresh))
  })
}

/** Connections stay open from one round to the next: handshakes are not what is measured there. */
async function connected(port: number, count: number): Promise<Kept[]> {
  const there = (kept.get(port) ?? []).filter(({ socket }) => !socket.destroyed)
  while (there.length < count) {
    const socket = await opened(port)
    there.push({ socket, exchange: exchanging(socket) })
  }
  kept.set(port, there)
  return there.slice(0, count)
}

/** Sends a request and reads its answer; rejects when that is not 200 with as many bytes as were asked for. */
type Exchange = (request: string, bytes: number) => Promise<void>

/** Listens once for all exchanges of a connection. */
function exchanging(socket: TLSSocket): Exchange {
  let left = -1
  let wanted = 0
  let pending: { resolve(): void; reject(error: Error): void } | undefined
  const fail = (error: Error) => {
    pending?.reject(error)
    pending = undefined
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection was closed')))
  socket.on('data', (chunk: Buffer) => {
    let { length } = chunk
    if (left < 0) {
      const end = chunk.indexOf('\r\n\r\n')
      if (end < 0 || chunk.toString('latin1', 9, 12) !== '200') {
        fail(new Error(chunk.toString('latin1', 0, 300)))
        return
      }
      left = wanted
      length -= end + 4
    }
    left -= length
    if (left === 0) {
      const done = pending
      pending = undefined
      done?.resolve()
    }
  })
  return (request, bytes) => {
    left = -1
    wanted = bytes
    return new Promise((resolve, reject) => {
      pending = { resolve, reject }
      socket.write(request, 'latin1')
    })
  }
}

async function round(load: LoadRound): Promise<LoadResult> {
  const pool = tokens(load.tokens ?? 1000)
  const prefix = randomUUID().slice(0, 24)
  const body = load.sends === undefined ? '' : 'x'.repeat(load.sends)
  const start = load.sends === undefined ? 'GET' : 'POST'
  const framing =
    load.sends === undefined ? '' : `Content-Type: application/fhir+json\r\nContent-Length: ${load.sends}\r\n`
  let number = 0
  const next = () => {
    const id = (number++).toString(16).padStart(12, '0')
    return (
      `${start} ${load.target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/fhir+json\r\nSsp-TraceID: ${prefix}${id}\r\n` +
      'Ssp-From: 200000000001\r\nSsp-To: 200000000002\r\nSsp-InteractionID: urn:nhs:names:services:gpconnect:fhir:rest:search:patient-1\r\n' +
      `Authorization: Bearer ${pool[number % pool.length]}\r\nUser-Agent: bench\r\n${framing}\r\n${body}`
    )
  }
  const times: number[] = []
  let failed = 0
  let resumed = 0
  const { handshake, port, bytes, requests = Number.POSITIVE_INFINITY } = load
  // For a handshake to resume, there must have been one.
  if (handshake === 'resumed' && !sessions.has(port)) (await opened(port)).destroy()
  const sockets = handshake === undefined ? await connected(port, load.connections) : []
  let last = Number.POSITIVE_INFINITY
  const keepOn = async (kept: Kept | undefined) => {
    while (number < requests && performance.now() < last) {
      const sent = performance.now()
      try {
        if (kept === undefined) {
          const socket = await opened(port, handshake === 'resumed' ? sessions.get(port) : undefined)
          if (socket.isSessionReused()) resumed++
          await exchanging(socket)(next(), bytes)
          times.push(performance.now() - sent)
          socket.destroy()
        } else {
          await kept.exchange(next(), bytes)
          times.push(performance.now() - sent)
        }
      } catch (error) {
        if (failed++ === 0) process.stderr.write(`load: ${(error as Error).message}\n`)
        kept?.socket.destroy()
        return
      }
    }
  }
  const began = performance.now()
  last = began + load.ms
  await Promise.all(Array.from({ length: load.connections }, (_, index) => keepOn(sockets[index])))
  const seconds = (performance.now() - began) / 1000
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN
  return { requests: times.length, seconds, p50: at(0.5) * 1000, p99: at(0.99) * 1000, failed, resumed }
}

if (process.argv.length > 4) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await round(JSON.parse(line) as LoadRound))}\n`)
  }
}
