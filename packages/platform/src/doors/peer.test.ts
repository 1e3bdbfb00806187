import assert from 'node:assert/strict'
import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls'
import { manualClock, systemClock } from '../clock.ts'
import type { OpenTrust } from '../trust/open.ts'
import { nextChange, quiet, run, temporaryFolder, testTrust, toolOrSkip } from '../trust/testing.ts'
import type { IssuedCertificate } from '../trust/trust.ts'
import { type Peer, peerNow, peerOf, stillValid } from './peer.ts'
import { agentFor, ask, tellsWho, testDoor } from './testing.ts'
import { followTrust, serverTls } from './tls.ts'

const day = 86_400_000

async function who(url: string, agent: ReturnType<typeof agentFor>): Promise<Peer> {
  const answer = await ask(`${url}/who`, { agent })
  assert.equal(answer.status, 200, answer.body)
  return JSON.parse(answer.body) as Peer
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`every kind of client certificate has its peer state over ${maxVersion}`, async (t) => {
    const trust = await testTrust(t)
    const foreign = await testTrust(t)
    const [good, revoked, expired, future, stranger, own] = await Promise.all([
      trust.issue({ fqdn: 'gp.example.test', names: ['alias.example.test'] }),
      trust.issue({ fqdn: 'revoked.example.test' }),
      trust.issue({ fqdn: 'expired.example.test', notBefore: Date.now() - 10 * day, days: 1 }),
      trust.issue({ fqdn: 'future.example.test', notBefore: Date.now() + 10 * day }),
      foreign.issue({ fqdn: 'gp.example.test' }),
      selfSigned(t),
    ])
    await trust.revoke(revoked.serial)
    const door = await testDoor(t, trust, { routes: [tellsWho], mutual: 'report', maxVersion })
    const state = async (client?: Pick<IssuedCertificate, 'certificate' | 'chain' | 'key'>) => {
      const agent = agentFor(trust, client)
      try {
        const fresh = await who(door.url, agent)
        agent.destroy()
        // The second connection resumes the session of the first.
        assert.deepEqual(await who(door.url, agent), fresh)
        return fresh
      } finally {
        agent.destroy()
      }
    }
    assert.deepEqual(await state(), { state: 'none' })
    const valid = await state(good)
    assert.ok(valid.state === 'valid')
    assert.equal(valid.fqdn, 'gp.example.test')
    assert.deepEqual(valid.names, ['gp.example.test', 'alias.example.test'])
    assert.equal(valid.serial, good.serial)
    assert.equal(valid.notAfter, good.notAfter)
    assert.equal(valid.issuer, 'C=GB, O=test, OU=CA, CN=OpenSpine Issuing Authority')
    for (const [client, reasons] of [
      [revoked, ['CERT_REVOKED']],
      [expired, ['CERT_HAS_EXPIRED']],
      [future, ['CERT_NOT_YET_VALID']],
      // The same names, other keys: either the signature or the chain fails.
      [
        stranger,
        [
          'CERT_SIGNATURE_FAILURE',
          'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
          'SELF_SIGNED_CERT_IN_CHAIN',
          'UNABLE_TO_GET_CRL',
        ],
      ],
      [own, ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_GET_CRL']],
    ] as const) {
      const peer = await state(client)
      assert.ok(peer.state === 'invalid', JSON.stringify(peer))
      assert.ok((reasons as readonly string[]).includes(peer.reason), peer.reason)
    }
    // A leaf alone, without its chain, is as good.
    assert.equal((await state({ ...good, chain: '' })).state, 'valid')
  })

  test(`revoked while connected, and on a resumed session: refused on the next request over ${maxVersion}`, async (t) => {
    const trust = await testTrust(t)
    const client = await trust.issue({ fqdn: 'gp.example.test' })
    // Equal ticket keys keep sessions alive across the new CRL, as between processes: the hard case.
    const ticketKeys = randomBytes(48)
    const door = await testDoor(t, trust, { routes: [tellsWho], mutual: 'report', maxVersion, ticketKeys })
    const connected = agentFor(trust, client, { maxSockets: 1 })
    t.after(() => connected.destroy())
    assert.equal((await who(door.url, connected)).state, 'valid')

    const options: ConnectionOptions = {
      host: '127.0.0.1',
      port: door.port,
      servername: 'localhost',
      ca: [...trust.material().ca],
      cert: client.certificate,
      key: client.key,
    }
    const first = await talk(options)
    assert.equal(first.peer.state, 'valid')
    assert.equal(first.reused, false)
    const resumed = await talk({ ...options, session: first.session })
    assert.equal(resumed.reused, true)
    assert.equal(resumed.peer.state, 'valid')

    await trust.revoke(client.serial)
    const after = await who(door.url, connected)
    assert.ok(after.state === 'invalid')
    assert.equal(after.reason, 'CERT_REVOKED')
    const late = await talk({ ...options, session: first.session })
    assert.equal(late.reused, true)
    assert.ok(late.peer.state === 'invalid')
    assert.equal(late.peer.reason, 'CERT_REVOKED')
    const anew = await talk(options)
    assert.ok(anew.peer.state === 'invalid')
    assert.equal(anew.peer.reason, 'CERT_REVOKED')
  })

  test(`a door that refuses does so in the handshake, and for connections made before, over ${maxVersion}`, async (t) => {
    const trust = await testTrust(t)
    const [client, other] = await Promise.all([trust.issue({ fqdn: 'a.test' }), trust.issue({ fqdn: 'b.test' })])
    const door = await testDoor(t, trust, { routes: [tellsWho], mutual: 'refuse', maxVersion })
    const [agent, bare, second] = [agentFor(trust, client), agentFor(trust), agentFor(trust, other)]
    t.after(() => [agent, bare, second].forEach((one) => void one.destroy()))
    assert.equal((await who(door.url, agent)).state, 'valid')
    await assert.rejects(ask(`${door.url}/who`, { agent: bare }))
    await trust.revoke('a.test')
    await trust.revoke('b.test')
    const answer = await ask(`${door.url}/who`, { agent })
    assert.equal(answer.status, 403)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.headers.connection, 'close')
    await assert.rejects(ask(`${door.url}/who`, { agent: second }))
  })
}

test('openssl s_client: a session saved before the revocation by another process is refused after it', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  const trust = await testTrust(t)
  const client = await trust.issue({ fqdn: 'gp.example.test' })
  const door = await testDoor(t, trust, { routes: [tellsWho], mutual: 'report', ticketKeys: randomBytes(48) })
  const folder = await temporaryFolder(t)
  const session = join(folder, 'session.pem')
  const s_client = (...more: string[]) =>
    run(
      'openssl',
      [
        ...['s_client', '-connect', `127.0.0.1:${door.port}`, '-servername', 'localhost', '-CAfile', trust.files.root],
        ...[
          '-verify_return_error',
          '-cert',
          client.files.certificate,
          '-key',
          client.files.key ?? '',
          '-ign_eof',
          ...more,
        ],
      ],
      'GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )
  const before = await s_client('-sess_out', session)
  assert.match(before.out, /"state":"valid"/, before.out)
  const directory = join(trust.files.root, '..')
  const changed = nextChange(trust)
  const cli = new URL('../trust/testing-process.ts', import.meta.url).pathname
  assert.equal((await run(process.execPath, [cli, directory, 'revoke', 'gp.example.test'])).code, 0)
  await changed
  const after = await s_client('-sess_in', session)
  assert.match(after.out, /Reused, TLSv1\.3/)
  assert.match(after.out, /"reason":"CERT_REVOKED"/)
})

test('curl with an issued certificate is known; without one it is not', async (t) => {
  if (!(await toolOrSkip(t, 'curl', ['--version']))) return
  const trust = await testTrust(t, { authorityKeys: 'rsa-2048', keyType: 'rsa' })
  const { files } = await trust.issue({ fqdn: 'gp.example.test' })
  const door = await testDoor(t, trust, { routes: [tellsWho], mutual: 'report' })
  const common = ['-sS', '--cacert', trust.files.bundle, '--crlfile', trust.files.crl, `${door.url}/who`]
  const known = await run('curl', ['--cert', files.fullChain, '--key', files.key ?? '', ...common])
  assert.equal(known.code, 0, known.out)
  assert.equal(JSON.parse(known.out).fqdn, 'gp.example.test')
  assert.equal(JSON.parse((await run('curl', common)).out).state, 'none')
  // Suites that the specification demands and those that it forbids, over TLS 1.2.
  for (const suite of [
    ...[
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-RSA-AES256-SHA384',
      'ECDHE-RSA-AES256-SHA',
    ],
    ...['DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-AES256-SHA256', 'DHE-RSA-AES256-SHA'],
  ]) {
    const answer = await run('curl', ['--tls-max', '1.2', '--ciphers', suite, ...common])
    assert.equal(answer.code, 0, `${suite}: ${answer.out}`)
  }
  for (const suite of ['AES128-SHA256', 'AES256-GCM-SHA384']) {
    assert.notEqual((await run('curl', ['--tls-max', '1.2', '--ciphers', suite, ...common])).code, 0, suite)
  }
  assert.notEqual((await run('curl', ['--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0', ...common])).code, 0)
})

test('a door takes over a renewed certificate and keeps its connections', async (t) => {
  const clock = manualClock(Date.now())
  const trust = await testTrust(t, { clock, leafDays: 90 })
  const door = await testDoor(t, trust, { routes: [tellsWho], clock })
  const kept = agentFor(trust, undefined, { maxSockets: 1 })
  t.after(() => kept.destroy())
  await who(door.url, kept)
  const options = { host: '127.0.0.1', port: door.port, servername: 'localhost', ca: [...trust.material().ca] }
  const before = (await talk(options)).serverSerial
  clock.advance(61 * day)
  await trust.refresh()
  const identity = await trust.identity('localhost')
  // The new certificate begins in the clock's future: its chain is looked at elsewhere, its serial here.
  let shown = before
  for (let tries = 0; shown === before && tries < 50; tries++) {
    shown = (await talk({ ...options, rejectUnauthorized: false })).serverSerial
  }
  assert.equal(shown, identity.serial)
  assert.notEqual(identity.serial, before)
  assert.equal((await who(door.url, kept)).state, 'none')
})

test('per request: the end of a certificate, its authority revoked, and an authority withdrawn', async (t) => {
  const clock = manualClock(Date.now())
  const trust = await testTrust(t)
  const client = await trust.issue({ fqdn: 'gp.example.test', days: 1 })
  const server = createServer(serverTls(trust, await trust.identity('localhost'), { mutual: 'report' }))
  const stop = followTrust(server, trust, { fqdn: 'localhost' }, { mutual: 'report' }, quiet)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const mine = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: [...trust.material().ca],
    cert: client.certificate,
    key: client.key,
  })
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket]
  t.after(() => {
    stop()
    mine.destroy()
    server.close()
  })
  const peer = peerOf(socket, trust, clock)
  assert.ok(peer.state === 'valid')
  assert.equal(stillValid(peer, trust, clock), true)
  assert.equal(peerNow(peer, trust, clock), peer)
  // A certificate that has been read before is judged by what is in force now.
  assert.deepEqual(peerOf(socket, trust, clock), peer)
  const without = peerOf(socket, { ...trust, material: () => ({ ca: [], crl: [], revision: 2 }) }, clock)
  assert.equal(without.state === 'invalid' && without.reason, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  const revoked = peerOf(socket, { ...trust, revoked: (serial) => serial === peer.serial }, clock)
  assert.equal(revoked.state === 'invalid' && revoked.reason, 'CERT_REVOKED')
  assert.deepEqual(peerOf(socket, trust, clock), peer)
  const reasonWith = (other: Partial<OpenTrust>) => {
    const now = peerNow(peer, { ...trust, ...other }, clock)
    return now.state === 'invalid' ? now.reason : now.state
  }
  assert.equal(reasonWith({ revoked: (serial) => serial === peer.authoritySerial }), 'CERT_REVOKED')
  assert.equal(reasonWith({ material: () => ({ ca: [], crl: [], revision: 2 }) }), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
  clock.set(client.notAfter - 1)
  assert.equal(stillValid(peer, trust, clock), true)
  clock.set(client.notAfter)
  assert.equal(reasonWith({}), 'CERT_HAS_EXPIRED')
  clock.set(client.notBefore - 1)
  assert.equal(reasonWith({}), 'CERT_NOT_YET_VALID')
})

test('names in odd places are not taken for names of the endpoint', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  const trust = await testTrust(t)
  const peer = async (subject: string, alternatives: string) => {
    const folder = await temporaryFolder(t)
    const config = join(folder, 'openssl.cnf')
    await writeFile(
      config,
      `[req]\ndistinguished_name=d\nx509_extensions=e\n[d]\n[e]\nsubjectAltName=@a\n[a]\n${alternatives}\n`,
    )
    const { certificate } = await selfSigned(t, subject, ['-config', config])
    const socket = {
      authorized: false,
      authorizationError: new Error('not looked at'),
      getPeerX509Certificate: () => new X509Certificate(certificate),
    }
    const found = peerOf(socket, trust, systemClock)
    assert.ok(found.state === 'invalid')
    return { fqdn: found.fqdn, names: found.names }
  }
  assert.deepEqual(
    await peer(
      '/O=x\\/CN=evil.test/CN=GP.example.test',
      'DNS.1 = B.example.test\nemail.1 = DNS:evil.test\nIP.1 = 192.0.2.1',
    ),
    { fqdn: 'gp.example.test', names: ['gp.example.test', 'b.example.test'] },
  )
  assert.deepEqual(await peer('/CN=a.test/CN=b.test', 'DNS.1 = "c.test, DNS:evil.test, x"\nDNS.2 = d.test'), {
    fqdn: '',
    names: ['d.test'],
  })
})

/** A client that no authority knows, as `openssl req -x509` makes it. */
async function selfSigned(t: TestContext, subject = '/CN=gp.example.test', more: readonly string[] = []) {
  const folder = await temporaryFolder(t)
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '10'],
    ...['-subj', subject, '-keyout', key, '-out', certificate, ...more],
  ])
  assert.equal(made.code, 0, made.out)
  return { certificate: await readFile(certificate, 'utf8'), chain: '', key: await readFile(key, 'utf8') }
}

/** One request over a connection of its own; with the session that a later connection may resume. */
async function talk(options: ConnectionOptions) {
  const socket = connect(options)
  const sessions: Buffer[] = []
  socket.on('session', (session) => sessions.push(session))
  await once(socket, 'secureConnect')
  const reused = socket.isSessionReused()
  const serverSerial = socket.getPeerX509Certificate()?.serialNumber
  socket.write('GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return {
    peer: JSON.parse(body) as Peer,
    reused,
    session: sessions.at(-1),
    serverSerial,
  }
}
