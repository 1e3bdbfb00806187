import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import { systemClock } from '@openspine/platform/clock'
import { silentLog, strictTests } from '@openspine/platform/testing'
import { openTrust } from '@openspine/platform/trust'
import { answering, ask, readAnswer, requestHead, testWorld, type World } from './testing.ts'

/** Runs a program; code and everything that it printed. */
function run(program: string, args: readonly string[], input = ''): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 10_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 127, out: stdout + stderr }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

async function has(t: TestContext, tool: string): Promise<boolean> {
  if ((await run(tool, tool === 'openssl' ? ['version'] : ['--version'])).code === 0) return true
  if (strictTests) throw new Error(`${tool} is missing`)
  t.skip(`${tool} is not installed`)
  return false
}

const withLeaf = async (world: World, fqdn: string, more: object = {}) => {
  const leaf = await world.trust.issue({ fqdn, ...more })
  return { leaf, options: { cert: `${leaf.certificate}\n${leaf.chain}`, key: leaf.key ?? '' } }
}

async function refused(world: World, options: object, status: number, check: string, says: RegExp) {
  const before = world.audit.records.length
  const answer = await ask(world, requestHead(world), options)
  assert.equal(answer.status, status)
  const outcome = JSON.parse(answer.body.toString())
  assert.equal(outcome.issue[0].details.coding[0].code, String(status))
  assert.equal(outcome.issue[0].code, 'forbidden')
  assert.equal(world.audit.records.length, before + 1, 'one record')
  assert.equal(world.audit.last()['check'], check)
  assert.match(String(world.audit.last()['explanation']), says)
}

describe('client certificates', () => {
  it('in every state, and the answer to each', async (t) => {
    const world = await testWorld(t, answering('fine'))
    assert.equal((await ask(world, requestHead(world))).status, 200)

    await refused(
      world,
      { cert: undefined, key: undefined },
      496,
      'certificate-present',
      /without a client certificate/,
    )

    const wrong = await withLeaf(world, 'other.example.test')
    await refused(world, wrong.options, 495, 'sender-certificate', /other\.example\.test/)

    const day = 86_400_000
    const expired = await withLeaf(world, 'consumer.example.test', { days: 1, notBefore: Date.now() - 3 * day })
    await refused(world, expired.options, 495, 'certificate-valid', /ended at/)

    const early = await withLeaf(world, 'consumer.example.test', { notBefore: Date.now() + day })
    await refused(world, early.options, 495, 'certificate-valid', /begins at/)

    const foreign = await openTrust({
      directory: `${world.folder}/foreign`,
      environment: 'foreign',
      clock: systemClock,
      log: silentLog(),
      authorityKeys: 'ec',
      keyType: 'ec',
    })
    t.after(() => foreign.close())
    const stranger = await foreign.issue({ fqdn: 'consumer.example.test' })
    await refused(
      world,
      { cert: `${stranger.certificate}\n${stranger.chain}`, key: stranger.key },
      495,
      'certificate-valid',
      /issued by this environment/,
    )

    const revoked = await withLeaf(world, 'consumer.example.test')
    assert.equal((await ask(world, requestHead(world), revoked.options)).status, 200)
    await world.trust.revoke(revoked.leaf.serial, 'keyCompromise')
    await refused(world, revoked.options, 495, 'certificate-valid', /revoked/)
    assert.equal((await ask(world, requestHead(world))).status, 200, 'others go on')
  })

  it('revoked while connected: the next request on the same connection is refused', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const mine = await withLeaf(world, 'consumer.example.test')
    const socket = await world.open(mine.options)
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 200)
    await world.trust.revoke(mine.leaf.serial)
    socket.write(requestHead(world))
    const answer = await readAnswer(socket)
    assert.equal(answer.status, 495)
    assert.match(String(world.audit.last()['explanation']), /revoked/)
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`revoked, then back with a resumed session (${version}): refused`, async (t) => {
      const world = await testWorld(t, answering('fine'))
      const mine = await withLeaf(world, 'consumer.example.test')
      const first = await world.open({ ...mine.options, maxVersion: version, minVersion: version })
      const ticket = version === 'TLSv1.3' ? once(first, 'session') : undefined
      first.write(requestHead(world))
      assert.equal((await readAnswer(first)).status, 200)
      const session = ticket === undefined ? first.getSession() : ((await ticket)[0] as Buffer)
      assert.ok(session)
      // before: it does resume, otherwise this test proves nothing
      const again = await world.open({ ...mine.options, session, maxVersion: version })
      assert.equal(again.isSessionReused(), true)
      again.write(requestHead(world))
      assert.equal((await readAnswer(again)).status, 200)
      await world.trust.revoke(mine.leaf.serial)
      const socket = await world.open({ ...mine.options, session, maxVersion: version })
      socket.write(requestHead(world))
      assert.equal((await readAnswer(socket)).status, 495)
    })

  it('a change in the directory counts for the next request', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const socket = await world.open()
    for (const [fqdn, status] of [
      ['consumer.example.test', 200],
      ['moved.example.test', 495],
      ['consumer.example.test', 200],
    ] as const) {
      const system = world.directory.systems.get('200000000001')
      assert.ok(system)
      world.directory.systems.set('200000000001', { ...system, fqdns: new Set([fqdn]) })
      socket.write(requestHead(world))
      assert.equal((await readAnswer(socket)).status, status)
    }
    world.agreements.agreed.splice(0)
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 403)
  })
})

describe('providers', () => {
  const failing = async (world: World, code: RegExp) => {
    const answer = await ask(world, requestHead(world))
    assert.equal(answer.status, 502)
    const [issue] = JSON.parse(answer.body.toString()).issue
    assert.equal(issue.diagnostics, `ERROR_COMMUNICATING_TO_ENDPOINT_URL_${world.endpoint}/Patient?identifier=a%7Cb`)
    assert.equal(issue.code, 'transient')
    assert.match(String((world.audit.last()['compared'] as { code: string }).code), code)
    assert.equal(world.audit.last()['ending'], 'failed')
  }
  it('with a certificate for another name are not spoken to', async (t) => {
    const world = await testWorld(t, answering('never'), { provider: { fqdn: 'other.example.test' } })
    await failing(world, /ALTNAME/)
  })
  it('of another authority are not spoken to', async (t) => {
    const world = await testWorld(t, answering('never'))
    const foreign = await openTrust({
      directory: `${world.folder}/foreign`,
      environment: 'foreign',
      clock: systemClock,
      log: silentLog(),
      authorityKeys: 'ec',
      keyType: 'ec',
    })
    t.after(() => foreign.close())
    const leaf = await foreign.issue({ fqdn: 'gp.example.test' })
    world.provider.server.setSecureContext({ cert: `${leaf.certificate}\n${leaf.chain}`, key: leaf.key ?? '' })
    await failing(world, /SELF_SIGNED|UNABLE/)
  })
  it('that are revoked are not spoken to again, not even over a kept connection', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const socket = await world.open()
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 200)
    assert.equal(world.provider.sockets.size, 1)
    for (const one of world.trust.list()) if (one.fqdn === 'gp.example.test') await world.trust.revoke(one.serial)
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 502)
    assert.match(JSON.stringify(world.audit.last()['compared']), /CERT_REVOKED/)
  })
  it('see the proxy’s own certificate', async (t) => {
    let shown = ''
    const world = await testWorld(t, (_request, socket) => {
      shown = socket.getPeerX509Certificate()?.subject ?? ''
      answering('fine')(_request, socket)
    })
    await ask(world, requestHead(world))
    assert.match(shown, /CN=proxy\.spine\.localhost/)
  })
})

describe('the port', () => {
  it('answers 497 to plain HTTP, and audits it', async (t) => {
    const world = await testWorld(t, answering('never'))
    const socket = connectPlain(world.port, '127.0.0.1')
    socket.write('GET /https://gp.example.test/x HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    assert.match(text, /^HTTP\/1\.1 497 HTTP Request Sent to HTTPS Port\r\n/)
    assert.match(text, /Strict-Transport-Security/)
    assert.match(text, /"code":"497"/)
    assert.equal(world.audit.records.length, 1)
    assert.equal(world.audit.last()['check'], 'plain-http')
  })
  it('redirects plain HTTP where the operator wants it', async (t) => {
    const world = await testWorld(t, answering('never'), { config: { plainHttp: 'redirect' } })
    const socket = connectPlain(world.port, '127.0.0.1')
    socket.write('GET /https://gp.example.test/x HTTP/1.1\r\nHost: localhost\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    assert.match(
      text,
      new RegExp(
        `^HTTP/1\\.1 308 .*\\r\\nLocation: https://localhost:${world.port}/https://gp\\.example\\.test/x\\r\\n`,
      ),
    )
    assert.match(text, /\r\nStrict-Transport-Security: max-age=\d+/)
  })
  it('closes on anything else', async (t) => {
    const world = await testWorld(t, answering('never'))
    const socket = connectPlain(world.port, '127.0.0.1')
    socket.write(Buffer.from([0, 1, 2, 3]))
    socket.on('error', () => {})
    await once(socket, 'close')
  })
})

describe('protocols and ciphers', () => {
  it('are those of the specification', async (t) => {
    const world = await testWorld(t, answering('fine'), { keyType: 'rsa', config: { tls13: false } })
    const attempt = (ciphers: string, version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.2') =>
      new Promise<string>((resolve) => {
        const socket = connect(
          {
            ...world.client,
            ciphers: version === 'TLSv1.3' ? ciphers : `${ciphers}:@SECLEVEL=0`,
            minVersion: version,
            maxVersion: version,
          },
          () => {
            resolve(socket.getCipher().standardName ?? '')
            socket.destroy()
          },
        )
        socket.on('error', () => resolve('refused'))
      })
    for (const cipher of [
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-SHA384',
      'ECDHE-RSA-AES256-SHA',
      'DHE-RSA-AES128-GCM-SHA256',
      'DHE-RSA-AES256-GCM-SHA384',
      'DHE-RSA-AES256-SHA256',
      'DHE-RSA-AES256-SHA',
    ])
      assert.notEqual(await attempt(cipher), 'refused', cipher)
    for (const cipher of ['AES128-SHA256', 'AES256-GCM-SHA384', 'ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-CHACHA20-POLY1305'])
      assert.equal(await attempt(cipher), 'refused', cipher)
    assert.equal(await attempt('ECDHE-RSA-AES256-SHA', 'TLSv1.1'), 'refused')
    assert.equal(await attempt('TLS_AES_256_GCM_SHA384', 'TLSv1.3'), 'refused')
  })
  it('offer TLS 1.3 where it is on', async (t) => {
    const world = await testWorld(t, answering('fine'))
    const socket = await world.open({ minVersion: 'TLSv1.3' })
    assert.equal(socket.getProtocol(), 'TLSv1.3')
    socket.write(requestHead(world))
    assert.equal((await readAnswer(socket)).status, 200)
  })
})

describe('unmodified clients', () => {
  it('curl gets through, and is told no', async (t) => {
    if (!(await has(t, 'curl'))) return
    const world = await testWorld(t, answering('{"resourceType":"Bundle"}'))
    const { certificate, key, ca } = world.clientFiles
    const common = [
      '--silent',
      '--show-error',
      '--include',
      '--path-as-is',
      '--globoff',
      '--resolve',
      `localhost:${world.port}:127.0.0.1`,
      '--cacert',
      ca,
    ]
    const lines = requestHead(world)
      .split('\r\n')
      .filter((line) => /^(?:Ssp-|Authorization|Accept)/.test(line))
      .flatMap((line) => ['-H', line])
    const url = `https://localhost:${world.port}/${world.endpoint}/Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018`
    const fine = await run('curl', [...common, '--cert', certificate, '--key', key, ...lines, url])
    assert.equal(fine.code, 0, fine.out)
    assert.match(fine.out, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\{"resourceType":"Bundle"\}$/)
    assert.equal(
      world.audit.last()['target'],
      `${world.endpoint}/Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018`,
    )
    const bare = await run('curl', [...common, ...lines, url])
    assert.match(bare.out, /^HTTP\/1\.1 496 SSL Certificate Required\r\n/)
    const dots = await run('curl', [
      ...common,
      '--cert',
      certificate,
      '--key',
      key,
      ...lines,
      `https://localhost:${world.port}/${world.endpoint}/../x`,
    ])
    assert.match(dots.out, /^HTTP\/1\.1 400 Bad Request\r\n/)
  })
  it('openssl s_client gets through', async (t) => {
    if (!(await has(t, 'openssl'))) return
    const world = await testWorld(t, answering('hello'))
    const { certificate, key, ca } = world.clientFiles
    const head = requestHead(world, { fields: { Connection: 'close' } })
    const { out } = await run(
      'openssl',
      [
        's_client',
        '-quiet',
        '-connect',
        `127.0.0.1:${world.port}`,
        '-servername',
        'localhost',
        '-CAfile',
        ca,
        '-verify_return_error',
        '-cert',
        certificate,
        '-cert_chain',
        certificate,
        '-key',
        key,
      ],
      head,
    )
    assert.match(out, /HTTP\/1\.1 200 OK\r\n[\s\S]*hello/)
  })
})
