/** The driver of the directory benchmark: connections in closed loop, every answer counted and checked. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { decodeResponse, encodeRequest, PduSplitter, parseFilter } from '@openspine/standards/ldap'
import { practiceOf, practicesOf } from './directory-entries.ts'

export interface DirectoryRound {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  readonly entries: number
  /** `asid`: one equality; `endpoint`: the look-up of a consumer, three equalities. */
  readonly search: 'asid' | 'endpoint'
  /** Mutual TLS of this version, with PEM files; absent: plain. */
  readonly tls?: {
    readonly version: 'TLSv1.2' | 'TLSv1.3'
    readonly ca: string
    readonly certificate: string
    readonly key: string
  }
}

export interface DirectoryLoad {
  readonly searches: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const sizeOfPool = 20_000

/** Requests for practices all over the directory, ready to be sent: the driver's own work stays small. */
function pool({ entries, search }: DirectoryRound): Buffer[] {
  const practices = practicesOf(entries)
  return Array.from({ length: sizeOfPool }, (_, i) => {
    const practice = practiceOf((i * 7919) % practices)
    const filter =
      search === 'asid'
        ? `(uniqueIdentifier=${practice.asid})`
        : `(&(nhsIDCode=${practice.odsCode})(objectClass=nhsMhs)(nhsMhsSvcIA=${practice.interactions[i % 9]}))`
    const attributes = search === 'asid' ? ['nhsIDCode', 'nhsMHSPartyKey'] : ['nhsMHSEndPoint', 'nhsMHSPartyKey']
    return encodeRequest({
      id: 2,
      operation: {
        op: 'search',
        base: 'ou=services,o=nhs',
        scope: 2,
        derefAliases: 0,
        sizeLimit: 0,
        timeLimit: 0,
        typesOnly: false,
        filter: parseFilter(filter),
        attributes,
      },
      controls: [],
    })
  })
}

const ciphers = {
  'TLSv1.2': 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384',
  'TLSv1.3': 'TLS_AES_256_GCM_SHA384',
}

/** A connection whose handshake is over, with the same version and cipher at every server. */
async function open({ port, tls }: DirectoryRound): Promise<Socket> {
  if (tls === undefined) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return socket
  }
  const { version, ca, certificate, key } = tls
  const socket: TLSSocket = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(ca),
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion: version,
    maxVersion: version,
    ciphers: ciphers[version],
  })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  socket.setNoDelay(true)
  if (!ciphers[version].includes(socket.getCipher().name)) throw new Error(`spoke ${socket.getCipher().name}`)
  return socket
}

/** One entry with two attributes, then success: anything else ends the measurement. */
function checkAnswer(bytes: Buffer): void {
  const splitter = new PduSplitter(1 << 20)
  splitter.push(bytes)
  const entry = splitter.next()
  const done = splitter.next()
  if (entry === undefined || done === undefined || splitter.buffered > 0)
    throw new Error('not one entry and one result')
  const { operation } = decodeResponse(entry)
  if (operation.op !== 'entry' || operation.attributes.length !== 2) throw new Error(`unexpected ${operation.op}`)
  const { operation: end } = decodeResponse(done)
  if (end.op !== 'done' || end.result.code !== 0) throw new Error('the search failed')
}

const doneTail = Buffer.from('300c02010265070a010004000400', 'hex')

async function load(round: DirectoryRound): Promise<DirectoryLoad> {
  const requests = pool(round)
  const sockets = await Promise.all(Array.from({ length: round.connections }, () => open(round)))
  const times: number[] = []
  let searches = 0
  const started = performance.now()
  const until = started + round.seconds * 1000
  await Promise.all(
    sockets.map(
      (socket, number) =>
        new Promise<void>((resolve, reject) => {
          let at = Math.floor((number * sizeOfPool) / round.connections)
          let held: Buffer | undefined
          let sent = 0
          const send = () => {
            sent = performance.now()
            socket.write(requests[at++ % sizeOfPool] as Buffer)
          }
          socket.on('error', reject)
          socket.on('data', (chunk: Buffer) => {
            const answer = held === undefined ? chunk : Buffer.concat([held, chunk])
            if (!answer.subarray(-doneTail.length).equals(doneTail)) {
              held = answer
              if (answer.length > 100_000) reject(new Error('no end of the answer'))
              return
            }
            held = undefined
            const now = performance.now()
            times.push(now - sent)
            // Every hundredth in full; the others by their end.
            if (searches++ % 100 === 0) {
              try {
                checkAnswer(answer)
              } catch (error) {
                socket.destroy()
                reject(error as Error)
                return
              }
            }
            if (now < until) send()
            else {
              socket.destroy()
              resolve()
            }
          })
          send()
        }),
    ),
  )
  const seconds = (performance.now() - started) / 1000
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0
  return { searches, seconds, p50: at(0.5), p99: at(0.99) }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await load(JSON.parse(line) as DirectoryRound))}\n`)
}
