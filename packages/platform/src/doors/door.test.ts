import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { SpineError } from '@openspine/standards/error'
import type { FastifyPluginAsync } from 'fastify'
import { systemClock } from '../clock.ts'
import { makeLog } from '../log.ts'
import { makeMetrics } from '../metrics.ts'
import type { HealthReport } from '../service.ts'
import { run, temporaryFolder, testTrust, toolOrSkip } from '../trust/testing.ts'
import type { Trust } from '../trust/trust.ts'
import { operational } from './operational.ts'
import { pki } from './pki.ts'
import { agentFor, ask, testDoor } from './testing.ts'

/** A service's plugin with all that a door must bear. `release` lets the waiting requests go on. */
function exercises() {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let waiting = 0
  const counted: (() => void)[] = []
  const routes: FastifyPluginAsync = async (app) => {
    app.post('/echo', async (request, reply) => {
      assert.ok(Buffer.isBuffer(request.body))
      return reply.type(request.headers['content-type'] ?? 'application/octet-stream').send(request.body)
    })
    app.get('/wait/:what', async () => {
      waiting++
      for (const tell of counted.splice(0)) tell()
      await released
      return { waited: true }
    })
    app.get('/crash', async () => {
      throw new Error('the inside of the server, select * from person')
    })
    app.get('/known', async () => {
      throw new SpineError(
        'X_KNOWN',
        { status: 422 },
        { explanation: 'Plain words.', detail: 'the inside of the server' },
      )
    })
  }
  return {
    routes,
    release,
    async untilWaiting(count: number) {
      while (waiting < count) await new Promise<void>((resolve) => counted.push(resolve))
    },
  }
}

/** Sends octets over TLS and reads until the server ends. */
async function raw(trust: Trust, port: number, text: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: [...trust.material().ca] })
  await once(socket, 'secureConnect')
  socket.write(text)
  let answer = ''
  try {
    for await (const chunk of socket) answer += String(chunk)
  } catch {
    // Cut off after the answer: what has come has come.
  }
  return answer
}

test('bodies come as they are; errors are problems without insides; a plugin may speak its own dialect', async (t) => {
  const trust = await testTrust(t)
  const { routes } = exercises()
  const dialect: FastifyPluginAsync = async (app) => {
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
      done(null, JSON.parse(String(body))),
    )
    app.setErrorHandler((_error, _request, reply) => reply.code(418).type('text/plain').send('in my own words'))
    app.post('/json', async (request) => ({ got: request.body }))
    app.get('/dialect', async () => {
      throw new Error('hidden')
    })
  }
  const door = await testDoor(t, trust, { routes: [routes, dialect], limits: { bodyBytes: 1_000 } })
  const agent = agentFor(trust)
  t.after(() => agent.destroy())
  const to = (path: string, asking = {}) => ask(`${door.url}${path}`, { agent, ...asking })

  for (const type of ['application/json', 'application/fhir+json; charset=utf-8', 'text/xml', 'x/y']) {
    const body = '{"not": json, \u00e9'
    const answer = await to('/echo', { method: 'POST', body, headers: { 'content-type': type } })
    assert.equal(answer.status, 200, answer.body)
    assert.equal(answer.body, body)
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
  }
  assert.equal((await to('/echo', { method: 'POST', body: 'no type' })).body, 'no type')
  const json = await to('/json', { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } })
  assert.deepEqual(JSON.parse(json.body), { got: { a: 1 } })
  assert.equal((await to('/dialect')).body, 'in my own words')

  for (const [path, status, detail] of [
    ['/crash', 500, undefined],
    ['/known', 422, 'Plain words.'],
    ['/nowhere?nhs=9990000000', 404, 'Nothing is served at this address.'],
  ] as const) {
    const answer = await to(path)
    assert.equal(answer.status, status, path)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
    const { instance, ...rest } = JSON.parse(answer.body)
    assert.match(instance, /^urn:uuid:[0-9a-f-]{36}$/)
    assert.equal(rest.type, 'about:blank')
    assert.equal(rest.status, status)
    assert.equal(rest.detail, detail)
    assert.doesNotMatch(answer.body, /inside|FST|select|9990000000/)
  }
  const large = await to('/echo', { method: 'POST', body: 'x'.repeat(1_001) })
  assert.equal(large.status, 413)
  assert.equal(large.headers['content-type'], 'application/problem+json')
})

test('broken messages, large headers, slow headers and plain HTTP get a readable answer and the connection ends', async (t) => {
  const trust = await testTrust(t)
  const limits = { headersMs: 200, headerBytes: 2_000 }
  const door = await testDoor(t, trust, { routes: [], limits })
  const [broken, large, slow, smuggled] = await Promise.all([
    raw(trust, door.port, 'THIS IS NOT HTTP\r\n\r\n'),
    raw(trust, door.port, `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(3_000)}\r\n\r\n`),
    raw(trust, door.port, 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: '),
    raw(
      trust,
      door.port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ),
  ])
  for (const [answer, status] of [
    [broken, 400],
    [large, 431],
    [slow, 408],
    [smuggled, 400],
  ] as const) {
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(answer, /Content-Type: application\/problem\+json/)
    assert.match(answer, /Connection: close/)
  }
  for (const status of [400, 497] as const) {
    const one = await testDoor(t, trust, { routes: [], plainHttpStatus: status })
    const plain = connectPlain({ host: '127.0.0.1', port: one.port })
    plain.write('GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let text = ''
    for await (const chunk of plain) text += String(chunk)
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `))
    assert.match(text, /use https:\/\//)
  }
  // Rubbish that is neither TLS nor HTTP, and a connection that says nothing and leaves.
  for (const octets of [Buffer.from([0, 1, 2, 3]), Buffer.from([0x16, 3, 1, 0, 4, 9, 9, 9, 9])]) {
    const odd = connectPlain({ host: '127.0.0.1', port: door.port })
    odd.on('error', () => undefined)
    odd.end(octets)
    odd.resume()
    await once(odd, 'close')
  }
  const silent = connectPlain({ host: '127.0.0.1', port: door.port })
  silent.end()
  silent.resume()
  await once(silent, 'close')
  assert.match(await raw(trust, door.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 404/)
})

test('what cannot be read within a body, behind a whole request, or to its end is answered all the same', async (t) => {
  const trust = await testTrust(t)
  const echo: FastifyPluginAsync = async (app) => {
    app.post('/echo', async (request) => request.body)
    app.get('/slow', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return 'whole'
    })
  }
  const door = await testDoor(t, trust, { routes: [echo] })
  const post = 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n'
  const get = 'GET /slow HTTP/1.1\r\nHost: a\r\n'
  const cases: readonly [what: string, sent: string, answer: RegExp][] = [
    ['a bad chunk', `${post}\r\nnonsense\r\n`, /^HTTP\/1.1 400 [\s\S]*cannot be read/],
    ['chunked is not the last coding', `${post.replace('chunked', 'xchunked')}\r\n0\r\n\r\n`, /^HTTP\/1.1 400 /],
    ['a head of several TLS records', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(100_000)}`, /^HTTP\/1.1 431 /],
    ['two hosts', `${get}Host: b\r\n\r\n`, /^HTTP\/1.1 400 /],
    ['another version', 'GET /slow HTTP/2.0\r\nHost: a\r\n\r\nmore', /^HTTP\/1.1 505 /],
    ['garbage behind a whole request', `${get}\r\nGARBAGE\r\n\r\n`, /^HTTP\/1.1 200 [\s\S]*wholeHTTP\/1.1 400 /],
    ['bytes behind the last request', `${get}Connection: close\r\n\r\nGARBAGE`, /^HTTP\/1.1 200 [\s\S]*whole$/],
  ]
  for (const [what, sent, answer] of cases) assert.match(await raw(trust, door.port, sent), answer, what)
})

test('load beyond the limit is shed with 503 while probes are answered; logs and metrics tell patterns only', async (t) => {
  const trust = await testTrust(t)
  const metrics = makeMetrics()
  const { routes, release, untilWaiting } = exercises()
  const lines: string[] = []
  const log = makeLog({ level: 'info', environment: 'test' }, { write: (line: string) => void lines.push(line) })
  const probes = operational({ checks: async () => ({}), clock: systemClock, metrics })
  const door = await testDoor(t, trust, { routes: [probes, routes], limits: { concurrency: 3 }, metrics, log })
  const agent = agentFor(trust)
  t.after(() => agent.destroy())
  const waiting = Array.from({ length: 3 }, () => ask(`${door.url}/wait/9990000000?secret=9991111111`, { agent }))
  await untilWaiting(3)
  const shed = await ask(`${door.url}/known`, { agent })
  assert.equal(shed.status, 503)
  assert.equal(shed.headers['retry-after'], '1')
  assert.equal(shed.headers['content-type'], 'application/problem+json')
  assert.equal((await ask(`${door.url}/_ping`, { agent })).status, 200)
  release()
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200)
  assert.equal((await ask(`${door.url}/known`, { agent })).status, 422)

  const { body, headers } = await ask(`${door.url}/metrics`, { agent })
  assert.match(headers['content-type'] ?? '', /^text\/plain/)
  assert.match(body, /openspine_door_requests_total\{door="test",route="\/wait\/:what",method="GET",status="200"\} 3/)
  assert.match(body, /openspine_door_requests_total\{door="test",route="\/known",method="GET",status="503"\} 1/)
  assert.match(body, /openspine_door_shed_total\{door="test"\} 1/)
  assert.match(body, /openspine_door_request_seconds_count\{door="test",route="\/wait\/:what"\} 3/)
  assert.doesNotMatch(lines.join(''), /999\d{7}/)
  const answered = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'answered')
  assert.equal(answered.length, 5)
  const of = (route: string) => answered.filter((line) => line.route === route).map(({ status }) => status)
  assert.deepEqual(of('/wait/:what'), [200, 200, 200])
  assert.deepEqual(of('/known').sort(), [422, 503])
})

test('a client that leaves frees its place', async (t) => {
  const trust = await testTrust(t)
  const { routes, untilWaiting } = exercises()
  const door = await testDoor(t, trust, { routes: [routes], limits: { concurrency: 1 } })
  const first = agentFor(trust)
  const left = ask(`${door.url}/wait/a`, { agent: first })
  await untilWaiting(1)
  const agent = agentFor(trust)
  t.after(() => agent.destroy())
  assert.equal((await ask(`${door.url}/known`, { agent })).status, 503)
  first.destroy()
  await assert.rejects(left)
  let status = 503
  for (let tries = 0; status === 503 && tries < 200; tries++)
    status = (await ask(`${door.url}/known`, { agent })).status
  assert.equal(status, 422)
})

test('a graceful end: what is in flight is finished, the new is refused, idle connections are let go', async (t) => {
  const trust = await testTrust(t)
  const { routes, release, untilWaiting } = exercises()
  const door = await testDoor(t, trust, { routes: [routes] })
  const agent = agentFor(trust)
  const late = agentFor(trust, undefined, { maxSockets: 1 })
  t.after(() => [agent, late].forEach((one) => void one.destroy()))
  const waiting = Array.from({ length: 50 }, () => ask(`${door.url}/wait/a`, { agent }))
  // Two requests on one connection: the second is sent while the door is closing.
  const socket = connect({ host: '127.0.0.1', port: door.port, servername: 'localhost', ca: [...trust.material().ca] })
  await once(socket, 'secureConnect')
  socket.write('GET /wait/b HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await untilWaiting(51)
  assert.equal((await ask(`${door.url}/known`, { agent: late })).status, 422)

  const ended = door.close(5_000)
  await assert.rejects(ask(`${door.url}/known`, { agent: late }))
  socket.write('GET /known HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  setImmediate(release)
  for (const answer of await Promise.all(waiting)) {
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.connection, 'close')
  }
  const began = performance.now()
  await ended
  assert.ok(performance.now() - began < 4_500)
  assert.match(text, /^HTTP\/1.1 200 OK/)
  assert.doesNotMatch(text, /HTTP\/1.1 422/)
  await door.close(0)
})

test('an end under load: every answer that began arrives whole', async (t) => {
  const trust = await testTrust(t)
  const payload = 'x'.repeat(200_000)
  const door = await testDoor(t, trust, { routes: [async (app) => void app.get('/large', async () => payload)] })
  const agents = Array.from({ length: 16 }, () => agentFor(trust, undefined, { maxSockets: 1 }))
  t.after(() => agents.forEach((agent) => void agent.destroy()))
  const outcomes: string[] = []
  const { promise: warm, resolve: tellWarm } = Promise.withResolvers<void>()
  const clients = agents.map(async (agent) => {
    for (;;) {
      try {
        const answer = await ask(`${door.url}/large`, { agent })
        outcomes.push(
          answer.status === 200 ? (answer.body.length === payload.length ? 'whole' : 'torn') : String(answer.status),
        )
      } catch (error) {
        // Refused before an answer began, or torn after (`aborted`).
        return outcomes.push(/aborted/.test(String(error)) ? 'torn' : 'refused')
      }
      if (outcomes.length > 100) tellWarm()
    }
  })
  await warm
  await door.close(5_000)
  await Promise.all(clients)
  assert.equal(outcomes.filter((outcome) => outcome === 'torn').length, 0)
  assert.equal(outcomes.filter((outcome) => outcome === 'refused').length, 16)
})

test('an end that waits too long is cut at its deadline', async (t) => {
  const trust = await testTrust(t)
  const { routes, untilWaiting } = exercises()
  const door = await testDoor(t, trust, { routes: [routes] })
  const agent = agentFor(trust)
  t.after(() => agent.destroy())
  const cut = assert.rejects(ask(`${door.url}/wait/a`, { agent }))
  const silent = connectPlain({ host: '127.0.0.1', port: door.port })
  silent.on('error', () => undefined)
  await untilWaiting(1)
  const began = performance.now()
  await door.close(100)
  const took = performance.now() - began
  assert.ok(took >= 95 && took < 5_000, `${took} ms`)
  await cut
})

test('a thousand idle connections do not hinder a request', async (t) => {
  const trust = await testTrust(t)
  const { routes } = exercises()
  const door = await testDoor(t, trust, { routes: [routes] })
  const sockets = await Promise.all(
    Array.from({ length: 1_000 }, async () => {
      // Plain connections that have not begun TLS: the cheapest way to hold a place.
      const socket = connectPlain({ host: '127.0.0.1', port: door.port })
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return socket
    }),
  )
  const agent = agentFor(trust)
  t.after(() => {
    agent.destroy()
    for (const socket of sockets) socket.destroy()
  })
  const began = performance.now()
  assert.equal((await ask(`${door.url}/known`, { agent })).status, 422)
  assert.ok(performance.now() - began < 5_000)
})

test('status tells the worst, names what is wrong, and fails when checks do not answer', async (t) => {
  const trust = await testTrust(t)
  let checks: () => Promise<Record<string, HealthReport>> = async () => ({ trust: trust.health() })
  const probe = { checks: () => checks(), clock: systemClock, patienceMs: 50 }
  const open = await testDoor(t, trust, { routes: [operational(probe)] })
  const shut = await testDoor(t, trust, { routes: [operational({ ...probe, details: false })] })
  const agent = agentFor(trust)
  t.after(() => agent.destroy())
  const status = async (door = open) => {
    const answer = await ask(`${door.url}/_status`, { agent })
    const { time, ...rest } = JSON.parse(answer.body)
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000)
    return { code: answer.status, ...rest }
  }
  assert.deepEqual(await status(), { code: 200, status: 'pass', checks: { trust: { status: 'pass' } } })
  checks = async () => ({ a: { status: 'pass' }, b: { status: 'warn', note: 'soon' } })
  assert.deepEqual(await status(shut), { code: 200, status: 'warn' })
  checks = async () => ({ a: { status: 'fail', note: 'gone' }, b: { status: 'warn' } })
  const failed = await status()
  assert.equal(failed.code, 503)
  assert.equal(failed.checks.a.note, 'gone')
  checks = () => Promise.reject(new Error('inside'))
  assert.deepEqual((await status()).checks.checks.note, 'The checks themselves failed; see the log.')
  checks = () => new Promise(() => undefined)
  assert.deepEqual(await status(shut), { code: 503, status: 'fail' })
  assert.equal((await ask(`${open.url}/metrics`, { agent })).status, 404)
  assert.deepEqual(JSON.parse((await ask(`${open.url}/_ping`, { agent })).body), { status: 'pass' })
})

test('the public parts of the PKI can be fetched, and the CRL follows a revocation', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  const trust = await testTrust(t)
  const door = await testDoor(t, trust, { routes: [pki(trust)], identity: { fqdn: '127.0.0.1', names: ['localhost'] } })
  assert.equal(door.url, `https://127.0.0.1:${door.port}`)
  const folder = await temporaryFolder(t)
  const fetched = join(folder, 'fetched')
  const fetch = async (path: string) => {
    const got = await run('curl', ['-sSf', '--cacert', trust.files.bundle, '-o', fetched, `${door.url}${path}`])
    assert.equal(got.code, 0, got.out)
    return fetched
  }
  const issued = await trust.issue({ fqdn: 'gp.example.test' })
  const crl = async (name: string) =>
    (await run('openssl', ['crl', '-inform', 'DER', '-in', await fetch(`/pki/${name}.crl`), '-noout', '-text'])).out
  assert.match(await crl('issuing'), /Issuer: .*OpenSpine Issuing Authority[\s\S]*No Revoked Certificates/)
  assert.match(await crl('root'), /Issuer: .*OpenSpine Root Authority/)
  await trust.revoke(issued.serial)
  assert.match(await crl('issuing'), new RegExp(issued.serial))
  for (const name of ['issuing', 'root']) {
    const read = await run('openssl', [
      'x509',
      '-inform',
      'DER',
      '-in',
      await fetch(`/pki/${name}.cer`),
      '-noout',
      '-subject',
    ])
    assert.match(read.out, new RegExp(`OpenSpine ${name} Authority`, 'i'))
  }
  assert.equal(await readFile(await fetch('/pki/ca-bundle.pem'), 'utf8'), await readFile(trust.files.bundle, 'utf8'))
  assert.equal(await readFile(await fetch('/pki/crl.pem'), 'utf8'), await readFile(trust.files.crl, 'utf8'))
})

test('a port that is taken is said in plain words', async (t) => {
  const trust = await testTrust(t)
  const door = await testDoor(t, trust, { routes: [] })
  await assert.rejects(testDoor(t, trust, { routes: [], port: door.port }), {
    code: 'DOOR_PORT_UNAVAILABLE',
    explanation: `Port ${door.port} of the door "test" is in use by another program. Stop it, or configure another port.`,
  })
})
