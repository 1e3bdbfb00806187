/**
 * Load generator of the proxy benchmark, a process of its own: keep-alive connections over raw TLS, one
 * request at a time on each, a new trace id and token for every request. Commands come as JSON lines.
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
  readonly ms: number
  /** Path, with the leading slash. */
  readonly target: string
  readonly bytes: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
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

const kept = new Map<number, TLSSocket[]>()

/** Connections stay open from one round to the next: handshakes are not what is measured. */
async function connected(port: number, count: number): Promise<TLSSocket[]> {
  const there = (kept.get(port) ?? []).filter((socket) => !socket.destroyed)
  while (there.length < count) {
    there.push(
      await new Promise<TLSSocket>((resolve, reject) => {
        const options = { port, host: '127.0.0.1', servername: 'localhost', secureContext }
        const socket: TLSSocket = connect(options, () => {
          socket.off('error', reject)
          resolve(socket)
        })
        socket.setNoDelay(true)
        socket.once('error', reject)
      }),
    )
  }
  kept.set(port, there)
  return there.slice(0, count)
}

async function round(load: LoadRound): Promise<LoadResult> {
  const pool = tokens(1000)
  const prefix = randomUUID().slice(0, 24)
  let number = 0
  const next = () => {
    const id = (number++).toString(16).padStart(12, '0')
    return (
      `GET ${load.target} HTTP/1.1\r\nHost: localhost\r\nAccept: application/fhir+json\r\nSsp-TraceID: ${prefix}${id}\r\n` +
      'Ssp-From: 200000000001\r\nSsp-To: 200000000002\r\nSsp-InteractionID: urn:nhs:names:services:gpconnect:fhir:rest:search:patient-1\r\n' +
      `Authorization: Bearer ${pool[number % pool.length]}\r\nUser-Agent: bench\r\n\r\n`
    )
  }
  const times: number[] = []
  let failed = 0
  let running = true
  const sockets = await connected(load.port, load.connections)
  const began = performance.now()
  setTimeout(() => {
    running = false
  }, load.ms)
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          let left = -1
          let sent = 0
          const finish = () => {
            socket.off('data', data)
            socket.off('error', broken)
            resolve()
          }
          const broken = () => {
            failed++
            socket.destroy()
            finish()
          }
          const send = () => {
            if (!running) {
              finish()
              return
            }
            left = -1
            sent = performance.now()
            socket.write(next(), 'latin1')
          }
          const data = (chunk: Buffer) => {
            let { length } = chunk
            if (left < 0) {
              const end = chunk.indexOf('\r\n\r\n')
              if (end < 0 || chunk.toString('latin1', 9, 12) !== '200') {
                broken()
                return
              }
              left = load.bytes
              length -= end + 4
            }
            left -= length
            if (left === 0) {
              times.push(performance.now() - sent)
              send()
            }
          }
          socket.on('data', data)
          socket.on('error', broken)
          send()
        }),
    ),
  )
  const seconds = (performance.now() - began) / 1000
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN
  return { requests: times.length, seconds, p50: at(0.5) * 1000, p99: at(0.99) * 1000, failed }
}

if (process.argv.length > 4) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await round(JSON.parse(line) as LoadRound))}\n`)
  }
}
