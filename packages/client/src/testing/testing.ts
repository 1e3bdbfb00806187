/** Small fake services for tests of consumers: a directory over plain LDAP, and a web server that stands for proxy and provider, or for PDS. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { SpineError } from '@openspine/standards/error'
import { decodeRequest, encodeResponse, filterText, PduSplitter } from '@openspine/standards/ldap'
import { type ClientSettings, createClient } from '../client.ts'
import type { Refusal } from '../refusal.ts'

export const practitioner = { id: 'u-17', family: 'Jones', given: 'Claire', prefix: 'Dr' }

export type Received = IncomingMessage & { text: string }

export type Answer = (request: Received, response: ServerResponse, count: number) => void

/** Answers every request by `answer`, and keeps what it received. */
export async function httpServer(t: TestContext, answer: Answer) {
  const seen: Received[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      const whole = Object.assign(request, { text })
      seen.push(whole)
      answer(whole, response, seen.length)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, connections: server }
}

/** A directory that gives an entry to every filter that has its key in it; keeps the filters. */
export async function ldapServer(t: TestContext, entries: Record<string, Record<string, string>>) {
  const filters: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createTcpServer((socket) => {
    sockets.add(socket)
    const splitter = new PduSplitter(65_536)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      splitter.push(chunk)
      for (let pdu = splitter.next(); pdu !== undefined; pdu = splitter.next()) {
        const { id, operation } = decodeRequest(pdu)
        if (operation.op !== 'search') continue
        const filter = filterText(operation.filter)
        filters.push(filter)
        for (const [part, attributes] of Object.entries(entries)) {
          if (!filter.includes(part)) continue
          socket.write(
            encodeResponse({
              id,
              operation: {
                op: 'entry',
                dn: 'uniqueIdentifier=1,ou=Services,o=nhs',
                attributes: Object.entries(attributes).map(([name, value]) => ({ name, values: [Buffer.from(value)] })),
              },
              controls: [],
            }),
          )
        }
        socket.write(
          encodeResponse({
            id,
            operation: { op: 'done', result: { code: 0, matchedDn: '', diagnostic: '' } },
            controls: [],
          }),
        )
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`, filters, sockets }
}

/** A client of the fakes, with a clock that stands still and pauses that are only written down. */
export function client(t: TestContext, settings: ClientSettings) {
  const sleeps: number[] = []
  const made = createClient({
    asid: '200000100000',
    organisation: { odsCode: 'X26', name: 'Invented Trust' },
    system: { url: 'https://consumer.example/', deviceId: 'd-1', model: 'M', version: '1' },
    clock: { now: () => 1_700_000_000_500 },
    sleep: async (ms) => void sleeps.push(ms),
    ...settings,
  })
  t.after(() => made.close())
  return { session: () => made.session({ practitioner }), sleeps }
}

export function json(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json+fhir', ...headers }).end(body)
}

/** The error of what must not succeed. */
export async function refusal(promise: Promise<unknown>): Promise<SpineError<Refusal>> {
  try {
    await promise
  } catch (error) {
    return error as SpineError<Refusal>
  }
  assert.fail('nothing was refused')
}
