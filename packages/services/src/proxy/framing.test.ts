import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answering, ask, type Handler, readAnswer, requestHead, testWorld } from './testing.ts'

/** Counts what reaches the provider: nothing refused may. */
function counting(): { handler: Handler; seen: string[] } {
  const seen: string[] = []
  return {
    seen,
    handler: (request, socket) => {
      seen.push(`${request.method} ${request.target} ${request.body.toString('latin1')}`)
      answering('fine')(request, socket)
    },
  }
}

describe('requests that two readers could understand differently', () => {
  it('are refused with 400 or 431, audited, and the connection is closed; the provider sees nothing of them', async (t) => {
    const provider = counting()
    const world = await testWorld(t, provider.handler)
    const good = requestHead(world)
    const open = good.slice(0, -2)
    const smuggled = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'
    const cases: [why: string, bytes: string, status: number][] = [
      ['CL and TE', `${open}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
      ['TE and CL', `${open}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`, 400],
      ['two lengths', `${open}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`, 400],
      ['TE with tab', `${open}Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
      ['TE obfuscated', `${open}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
      ['TE twice', `${open}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`, 400],
      ['bare LF', good.replace('\r\nSsp-To', '\nSsp-To'), 400],
      ['bare CR', good.replace('\r\nSsp-To', '\rSsp-To'), 400],
      ['folded', good.replace('\r\nSsp-To', '\r\n Ssp-To'), 400],
      ['two Hosts', `${open}Host: evil\r\n\r\n`, 400],
      ['two Ssp-From', `${open}Ssp-From: 200000000009\r\n\r\n`, 400],
      ['two Authorizations', `${open}authorization: Bearer x\r\n\r\n`, 400],
      ['space before the colon', `${open}Content-Length : 5\r\n\r\nabcde`, 400],
      ['Connection takes a checked field away', `${open}Connection: Ssp-From\r\n\r\n`, 400],
      ['chunk extension', `${open}Transfer-Encoding: chunked\r\n\r\n1;a="\r\n"\r\nx\r\n0\r\n\r\n`, 400],
      ['chunk size overflow', `${open}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n`, 400],
      ['chunk with bare LF', `${open}Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n`, 400],
      ['trailer', `${open}Transfer-Encoding: chunked\r\n\r\n0\r\nSsp-From: 200000000009\r\n\r\n`, 400],
      ['HTTP/1.0', good.replace('HTTP/1.1', 'HTTP/1.0'), 400],
      ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
      ['CONNECT', good.replace(/^GET \S+/, 'CONNECT gp.example.test:443'), 400],
      ['absolute form', good.replace(/^GET \//, 'GET '), 400],
      ['NUL', good.replace('application/fhir+json', 'a\0b'), 400],
      ['leading empty line', `\r\n${good}`, 400],
      ['large head', `${open}X: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
      ['many fields', `${open}${'X: 1\r\n'.repeat(120)}\r\n`, 431],
    ]
    for (const [why, bytes, status] of cases) {
      const before = world.audit.records.length
      const socket = await world.open()
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      const reading = readAnswer(socket)
      socket.write(Buffer.from(bytes, 'latin1'))
      const answer = await reading
      assert.equal(answer.status, status, why)
      assert.equal(answer.field('connection'), 'close', why)
      assert.equal(JSON.parse(answer.body.toString()).resourceType, 'OperationOutcome', why)
      socket.resume()
      await closed
      assert.equal(world.audit.records.length, before + 1, `${why}: one record`)
      assert.equal(world.audit.last()['check'], 'framing', why)
      assert.match(JSON.stringify(world.audit.last()['compared']), /HTTP1_/, why)
    }
    assert.deepEqual(provider.seen, [])
  })

  it('in a body that comes later: the exchange with the provider is broken off', async (t) => {
    const provider = counting()
    const world = await testWorld(t, provider.handler)
    const socket = await world.open()
    const reading = readAnswer(socket)
    socket.write(requestHead(world, { method: 'POST', fields: { 'Transfer-Encoding': 'chunked' } }))
    socket.write('3\r\nabc\r\n')
    await new Promise((resolve) => setImmediate(resolve))
    socket.write('3;x\r\nabc\r\n0\r\n\r\n')
    const answer = await reading
    assert.equal(answer.status, 400)
    assert.deepEqual(provider.seen, [])
    assert.equal(world.audit.records.length, 1)
  })

  it('every way of cutting a request into pieces gives the same answer', async (t) => {
    const world = await testWorld(t, (request, socket) => answering(request.body)(request, socket))
    const bytes = Buffer.from(
      `${requestHead(world, { method: 'POST', fields: { 'Content-Length': '11' } })}hello world`,
    )
    for (const size of [1, 7, 100, 599, bytes.length - 1]) {
      const socket = await world.open()
      const reading = readAnswer(socket)
      for (let at = 0; at < bytes.length; at += size) {
        socket.write(bytes.subarray(at, at + size))
        if (size > 50) await new Promise((resolve) => setImmediate(resolve))
      }
      const answer = await reading
      assert.equal(answer.status, 200)
      assert.equal(answer.body.toString(), 'hello world')
      socket.destroy()
    }
  })

  it('answers requests that are sent ahead, in order, one record each', async (t) => {
    const provider = counting()
    const world = await testWorld(t, provider.handler)
    const socket = await world.open()
    const refused = requestHead(world, { fields: { 'Ssp-From': '200000000009' } })
    socket.write(requestHead(world) + refused + requestHead(world))
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await readAnswer(socket)).status)
    assert.deepEqual(statuses, [200, 403, 200])
    assert.equal(provider.seen.length, 2)
    assert.equal(world.audit.records.length, 3)
  })
})

describe('what the provider gets', () => {
  it('is the request without what belongs to one hop, with Host and Forwarded of its own', async (t) => {
    let head: { target: string; fields: [string, string][] } | undefined
    const world = await testWorld(t, (request, socket) => {
      head = request
      answering('fine')(request, socket)
    })
    const path = 'Patient?a=%7C|$%24+;&empty=&a=2&x=//'
    const fields = {
      Connection: 'keep-alive, X-Mine',
      'Keep-Alive': 'timeout=5',
      TE: 'trailers',
      Trailer: 'X',
      Upgrade: 'h2c',
      'Proxy-Authorization': 'secret',
      'X-Mine': 'gone',
      Forwarded: 'for=evil',
      'If-Match': 'W/"1"',
      'X-Odd': '\u00e9',
    }
    const answer = await ask(
      world,
      Buffer.from(requestHead(world, { target: `/${world.endpoint}/${path}`, fields }), 'latin1'),
    )
    assert.equal(answer.status, 200)
    assert.equal(head?.target, `/A20047/STU3/1/gpconnect/${path}`)
    const names = head?.fields.map(([name]) => name)
    assert.deepEqual(names, [
      'Host',
      'Ssp-TraceID',
      'Ssp-From',
      'Ssp-To',
      'Ssp-InteractionID',
      'Authorization',
      'Accept',
      'Forwarded',
      'If-Match',
      'X-Odd',
      'Forwarded',
    ])
    const value = (index: number) => head?.fields[index]?.[1]
    assert.equal(value(0), `gp.example.test:${world.provider.port}`)
    assert.equal(value(7), 'for=evil')
    assert.equal(value(9), '\u00e9')
    assert.equal(value(10), 'for=127.0.0.1;proto=https;by=_localhost')
  })

  it('is a sound path when the target ends with the base, or goes on with a query', async (t) => {
    const seen: string[] = []
    const world = await testWorld(t, (request, socket) => {
      seen.push(request.target)
      answering('fine')(request, socket)
    })
    const [system] = world.directory.handlers
    assert.ok(system)
    const root = `https://gp.example.test:${world.provider.port}`
    world.directory.handlers.push({ ...system, endpoints: [root] })
    for (const target of [
      root,
      `${root}?a=b`,
      `${root}/`,
      `${world.endpoint}`,
      encodeURIComponent(`${world.endpoint}/Binary/1?x=%7C`),
    ])
      assert.equal((await ask(world, requestHead(world, { target: `/${target}` }))).status, 200, target)
    assert.deepEqual(seen, ['/', '/?a=b', '/', '/A20047/STU3/1/gpconnect', '/A20047/STU3/1/gpconnect/Binary/1?x=%7C'])
  })
})

describe('verbs', () => {
  it('other than those of the specification are answered 405, OPTIONS by the proxy itself', async (t) => {
    const provider = counting()
    const world = await testWorld(t, provider.handler, { config: { verbs: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] } })
    for (const method of ['TRACE', 'PROPFIND', 'get', 'M-SEARCH']) {
      const answer = await ask(world, requestHead(world, { method }))
      assert.equal(answer.status, 405, method)
      assert.equal(answer.field('allow'), 'GET, POST, PUT, DELETE, PATCH, OPTIONS')
    }
    const head = await ask(world, requestHead(world, { method: 'HEAD' }), {}, 'HEAD')
    assert.equal(head.status, 405)
    assert.equal(head.body.length, 0)
    const options = await ask(
      world,
      requestHead(world, {
        method: 'OPTIONS',
        target: `/${world.endpoint}/Appointment/1`,
        fields: { Authorization: undefined },
      }),
    )
    assert.equal(options.status, 200)
    assert.equal(options.field('access-control-allow-methods'), 'GET, PUT')
    assert.equal(world.audit.last()['ending'], 'answered')
    assert.equal(
      (await ask(world, requestHead(world, { method: 'OPTIONS' }), { cert: undefined, key: undefined })).status,
      496,
    )
    assert.deepEqual(provider.seen, [])
    assert.equal(world.audit.records.length, 7)
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      assert.equal((await ask(world, requestHead(world, { method }))).status, 200, method)
  })
})

describe('refusals', () => {
  it('come in XML where XML is preferred, and keep the connection', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const socket = await world.open()
    socket.write(requestHead(world, { fields: { 'Ssp-From': '200000000009', Accept: 'application/fhir+xml' } }))
    const answer = await readAnswer(socket)
    assert.equal(answer.status, 403)
    assert.equal(answer.field('content-type'), 'application/fhir+xml; charset=utf-8')
    assert.match(answer.body.toString(), /<diagnostics value="ASID_CHECK_FAILED_MESSAGESENDER_200000000009"\/>/)
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 200)
  })
  it('read and drop a small body, so that the connection goes on; close on a large one', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const socket = await world.open()
    const fields = { 'Ssp-From': '200000000009', 'Content-Length': '5' }
    const reading = readAnswer(socket)
    socket.write(`${requestHead(world, { method: 'POST', fields })}he`)
    assert.equal((await reading).status, 403)
    socket.write(`llo${requestHead(world)}`)
    assert.equal((await readAnswer(socket)).status, 200)
    const large = readAnswer(socket)
    socket.write(requestHead(world, { method: 'POST', fields: { ...fields, 'Content-Length': '50000000' } }))
    const answer = await large
    assert.equal(answer.status, 403)
    assert.equal(answer.field('connection'), 'close')
  })
  for (const [limit, status, code] of [
    ['limitPerSender', 429, 'throttled'],
    ['limitPerPair', 429, 'throttled'],
    ['limitPerProvider', 503, 'transient'],
  ] as const)
    it(`show the limits in headers when limits are on: ${limit}`, async (t) => {
      const world = await testWorld(t, answering('fine'), { config: { [limit]: 2, limitWindowSeconds: 86_400 } })
      const socket = await world.open()
      const seen = []
      for (let i = 0; i < 3; i++) {
        socket.write(requestHead(world))
        const answer = await readAnswer(socket)
        seen.push([answer.status, answer.field('x-rate-limit-limit'), answer.field('x-rate-limit-remaining')])
        const reset = Number(answer.field('x-rate-limit-reset'))
        assert.ok(Number.isInteger(reset) && reset > 0 && reset <= 86_400, `${reset} seconds`)
        if (answer.status === 200) continue
        assert.equal(answer.field('retry-after'), answer.field('x-rate-limit-reset'))
        assert.equal(JSON.parse(answer.body.toString()).issue[0].code, code)
      }
      assert.deepEqual(seen, [
        [200, '2', '1'],
        [200, '2', '0'],
        [status, '2', '0'],
      ])
    })
})
