import assert from 'node:assert/strict'
import { createServer, request as httpRequest, type IncomingMessage, METHODS } from 'node:http'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BodyReader, fieldNames, HeadReader } from './http1.ts'
import { readRequests } from './reading.ts'
import { message, mutated } from './samples.test-kit.ts'

const names = fieldNames({ single: ['authorization'] })

/** Both ends in memory: what is pushed is read by node:http's parser, what it answers is thrown away. */
function wire(): Duplex {
  return new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done()
    },
  })
}

interface Seen {
  method: string
  target: string
  fields: [string, string][]
  body: string
}

/** The requests that node:http reads from these bytes, in order. */
async function nodeReads(bytes: Buffer, expected: number): Promise<Seen[]> {
  const seen: Seen[] = []
  const server = createServer({ joinDuplicateHeaders: false, requireHostHeader: false })
  return new Promise((resolve) => {
    const duplex = wire()
    const finish = () => {
      duplex.destroy()
      server.close()
      resolve(seen)
    }
    const take = (request: IncomingMessage, answer: { end(): void }) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const raw = request.rawHeaders
        seen.push({
          method: request.method ?? '',
          target: request.url ?? '',
          fields: Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] ?? '', raw[2 * i + 1] ?? '']),
          body: Buffer.concat(chunks).toString('latin1'),
        })
        answer.end()
        if (seen.length === expected) setImmediate(finish)
      })
    }
    server.on('request', take)
    server.on('checkContinue', take)
    server.on('checkExpectation', take)
    server.on('clientError', finish)
    server.emit('connection', duplex)
    duplex.push(bytes)
    if (expected === 0) setImmediate(finish)
  })
}

/** A chunked body as walked, without its framing. */
function payload(body: string): string {
  let out = ''
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.slice(at, line), 16)
    if (size === 0) return out
    out += body.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

describe('what the framer accepts, node:http reads with the same boundaries', () => {
  it('requests, well-formed and disturbed, one and several on a connection', async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(message(), mutated()), { minLength: 1, maxLength: 3 }), async (messages) => {
        const bytes = Buffer.concat(messages)
        const complete = readRequests([bytes], names).filter((one) => one.complete)
        // node:http knows a fixed list of methods; the framer leaves the verb to its user, who refuses the others.
        const strange = complete.findIndex((one) => !METHODS.includes(one.method))
        const ours = strange < 0 ? complete : complete.slice(0, strange)
        accepted += ours.length
        const length = ours.reduce((sum, one) => sum + one.length, 0)
        const theirs = await nodeReads(bytes.subarray(0, length), ours.length)
        const chunkedField = ([name]: [string, string]) => name.toLowerCase() === 'transfer-encoding'
        assert.deepEqual(
          theirs,
          ours.map(({ method, target, fields, body }) => ({
            method,
            target,
            fields,
            body: fields.some(chunkedField) ? payload(body) : body,
          })),
        )
      }),
      { numRuns: 3500 },
    )
    assert.ok(accepted > 2000, `only ${accepted} messages were accepted: the generator is too wild to prove anything`)
  })

  it('responses', async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(
        message(['PUT']),
        fc.constantFrom(200, 201, 204, 304, 404, 500),
        fc.constantFrom('GET', 'HEAD'),
        fc.constantFrom('', 'x', '\r\n', '\n'),
        async (made, status, method, inserted) => {
          // the same fields and body under a status line
          const text = made.toString('latin1')
          const bytes = Buffer.from(
            `HTTP/1.1 ${status} Fine\r\n${inserted}${text.slice(text.indexOf('\r\n') + 2)}`,
            'latin1',
          )
          const head = new HeadReader('response', names)
          if (!head.read(bytes) || head.fault !== undefined) return
          const kind = head.responseBody(method)
          const reader = new BodyReader()
          reader.begin(kind, head.contentLength)
          const end = reader.read(head.rest, 0)
          if (reader.fault !== undefined || (kind !== 'close' && !reader.done)) return
          accepted++
          const walked = head.rest.subarray(0, end).toString('latin1')
          const duplex = wire()
          const [theirs, body] = await new Promise<[IncomingMessage, string]>((resolve, reject) => {
            const call = httpRequest({ method, createConnection: () => duplex, host: 'x' }, (answer) => {
              const chunks: Buffer[] = []
              answer.on('data', (chunk: Buffer) => chunks.push(chunk))
              answer.on('end', () => resolve([answer, Buffer.concat(chunks).toString('latin1')]))
              if (kind === 'close') duplex.push(null)
            })
            call.on('error', reject)
            call.end(() => duplex.push(bytes.subarray(0, head.length + end)))
          })
          assert.equal(theirs.statusCode, status)
          assert.equal(theirs.rawHeaders.length, 2 * head.count)
          assert.equal(body, kind === 'chunked' ? payload(walked) : walked)
          duplex.destroy()
        },
      ),
      { numRuns: 1000 },
    )
    assert.ok(accepted > 500, `only ${accepted} responses were accepted`)
  })
})
