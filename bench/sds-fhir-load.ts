/**
 * Load generator of the SDS FHIR benchmark, a process of its own: keep-alive connections over raw TLS, one request at a
 * time on each, a correlation id of its own for every request, and every answer read as JSON and compared with what is
 * registered. Rounds come as messages.
 */
import { connect, type TLSSocket } from 'node:tls'

export interface SdsTarget {
  readonly path: string
  readonly status: number
  /** Values that stand in the first resource, and none other of their kind. */
  readonly holds: readonly string[]
  readonly total: number
}

export interface SdsRound {
  readonly port: number
  readonly ca: string
  readonly connections: number
  readonly ms: number
  readonly targets: readonly SdsTarget[]
}

export interface SdsLoad {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly wrong: number
  readonly octets: number
}

async function round({ port, ca, connections, ms, targets }: SdsRound): Promise<SdsLoad> {
  const latencies: number[] = []
  let wrong = 0
  let octets = 0
  let number = 0
  const sockets = await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<TLSSocket>((resolve, reject) => {
          const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca }, () => resolve(socket))
          socket.setNoDelay(true)
          socket.once('error', reject)
        }),
    ),
  )
  const began = performance.now()
  await Promise.all(
    sockets.map(async (socket, index) => {
      let at = Math.floor((index * targets.length) / connections)
      while (performance.now() < began + ms) {
        const target = targets[at++ % targets.length] as SdsTarget
        const id = `00000000-0000-4000-8000-${(number++).toString(16).toUpperCase().padStart(12, '0')}`
        const sent = performance.now()
        const { head, body } = await ask(
          socket,
          `GET ${target.path} HTTP/1.1\r\nHost: localhost\r\napikey: any\r\nX-Correlation-ID: ${id}\r\nAccept: application/fhir+json\r\n\r\n`,
        )
        latencies.push(performance.now() - sent)
        octets += head.length + body.length
        if (!right(target, id, head, body)) wrong++
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  for (const socket of sockets) socket.destroy()
  latencies.sort((a, b) => a - b)
  const rank = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN
  const requests = latencies.length
  return { requests, seconds, p50: rank(0.5), p99: rank(0.99), wrong, octets: Math.round(octets / requests) }
}

function right(target: SdsTarget, id: string, head: string, body: string): boolean {
  if (!head.startsWith(`HTTP/1.1 ${target.status} `) || !head.includes(id)) return false
  const read = JSON.parse(body) as { total?: number; id: string; entry?: unknown[] }
  if (target.status !== 200) return read.id === id
  if (read.total !== target.total) return false
  const first = JSON.stringify(read.entry?.[0] ?? '')
  return target.holds.every((value) => first.includes(`"${value}"`))
}

function ask(socket: TLSSocket, request: string): Promise<{ head: string; body: string }> {
  return new Promise((resolve, reject) => {
    let received = ''
    let headEnd = -1
    let expected = 0
    const onData = (chunk: Buffer) => {
      // latin1: one character is one octet, so lengths can be counted on the text; everything asked for is ASCII.
      received += chunk.toString('latin1')
      if (headEnd === -1) {
        headEnd = received.indexOf('\r\n\r\n')
        if (headEnd === -1) return
        const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))
        if (!length) return done(() => reject(new Error('an answer without content-length')))
        expected = headEnd + 4 + Number(length[1])
      }
      if (received.length >= expected)
        done(() => resolve({ head: received.slice(0, headEnd), body: received.slice(headEnd + 4) }))
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

process.on('message', (load: SdsRound) => {
  round(load).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${error}\n`)
      process.exit(1)
    },
  )
})
