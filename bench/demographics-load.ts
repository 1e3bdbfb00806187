/**
 * Load generator of the demographics benchmark, a process of its own: keep-alive connections over raw TLS,
 * one request at a time on each, a new X-Request-ID for every request. Rounds come as messages.
 */
import { randomUUID } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'

export interface LoadRound {
  readonly port: number
  readonly ca: string
  readonly connections: number
  readonly ms: number
  /** Each connection walks them from a place of its own, and those that change something stay in a stretch of its own. */
  readonly targets: readonly Target[]
}

export interface Target {
  /** With the leading slash. */
  readonly path: string
  /** What the answer must contain. */
  readonly holds: string
  /** Bodies of PATCH, one after the other, and the version before the first of them; nobody else changes the record. */
  readonly patches?: readonly string[]
  readonly version?: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly failed: number
  /** Octets of an answer, head and body, on average. */
  readonly octets: number
}

/** Versions of the records that were changed, by path, and how far each connection came: for all rounds. */
const versions = new Map<string, number>()
const places = new Map<number, number>()

const versionOf = ({ path, version }: Target) => versions.get(path) ?? version ?? 1

function requestOf(target: Target, id: string): string {
  const { path, patches } = target
  const head = `HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: ${id}\r\nAccept: application/fhir+json\r\n`
  if (!patches) return `GET ${path} ${head}\r\n`
  const version = versionOf(target)
  const body = patches[version % patches.length] ?? ''
  return `PATCH ${path} ${head}Content-Type: application/json-patch+json\r\nIf-Match: W/"${version}"\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

async function round(load: LoadRound): Promise<LoadResult> {
  const latencies: number[] = []
  let failed = 0
  let octets = 0
  let refusal: string | undefined
  const prefix = randomUUID().slice(0, 24)
  let number = 0
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load)))
  const began = performance.now()
  const end = began + load.ms
  await Promise.all(
    sockets.map(async (socket, index) => {
      const first = Math.floor((index * load.targets.length) / load.connections)
      const own = Math.floor(((index + 1) * load.targets.length) / load.connections) - first
      let at = places.get(index) ?? 0
      while (performance.now() < end) {
        const target =
          load.targets[load.targets[0]?.patches ? first + (at++ % own) : (first + at++) % load.targets.length]
        if (!target) throw new Error('nothing to ask for')
        const id = `${prefix}${(number++).toString(16).padStart(12, '0')}`
        const sent = performance.now()
        const answer = await ask(socket, requestOf(target, id))
        latencies.push(performance.now() - sent)
        octets += answer.text.length
        const good = answer.ok && answer.text.includes(id) && answer.text.includes(target.holds)
        if (good && target.patches) versions.set(target.path, versionOf(target) + 1)
        if (good) continue
        failed++
        refusal ??= answer.text
      }
      // The next round of changes goes on where this one ended: everybody is changed once before anybody is twice.
      if (load.targets[0]?.patches) places.set(index, at)
    }),
  )
  const seconds = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  if (refusal !== undefined) process.stderr.write(`${refusal}\n`)
  latencies.sort((a, b) => a - b)
  const rank = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  return {
    requests: latencies.length,
    seconds,
    p50: rank(0.5),
    p99: rank(0.99),
    failed,
    octets: Math.round(octets / Math.max(1, latencies.length)),
  }
}

function open({ port, ca }: LoadRound): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca }, () => resolve(socket))
    socket.once('error', reject)
    socket.setNoDelay(true)
  })
}

interface Reply {
  readonly ok: boolean
  /** Head and body; one character is one octet. */
  readonly text: string
}

function ask(socket: TLSSocket, request: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let received = ''
    let expected = -1
    const onData = (chunk: Buffer) => {
      // latin1: one character is one octet, so lengths can be counted on the text.
      received += chunk.toString('latin1')
      if (expected === -1) {
        const headEnd = received.indexOf('\r\n\r\n')
        if (headEnd === -1) return
        const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))
        if (!length) return done(() => reject(new Error('an answer without content-length')))
        expected = headEnd + 4 + Number(length[1])
      }
      if (received.length >= expected) done(() => resolve({ ok: received.startsWith('HTTP/1.1 200'), text: received }))
    }
    const onClose = () => done(() => reject(new Error('the connection was closed')))
    const done = (then: () => void) => {
      socket.off('data', onData)
      socket.off('close', onClose)
      then()
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(request)
  })
}

process.on('message', (load: LoadRound) => {
  round(load).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${error}\n`)
      process.exit(1)
    },
  )
})
