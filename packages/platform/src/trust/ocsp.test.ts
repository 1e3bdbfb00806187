import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import { certificateId, readOcspRequest, subjectAndKey, writeOcspRequest } from '@openspine/standards/ocsp'
import { manualClock, systemClock } from '../clock.ts'
import { ocsp, pki } from '../doors/doors.ts'
import { testDoor } from '../doors/testing.ts'
import { openTrust } from './open.ts'
import { renewCertificate } from './renew.ts'
import { quiet, run, signingRequest, temporaryFolder, testTrust, toolOrSkip } from './testing.ts'

const day = 86_400_000
const refused = (code: string) => (error: unknown) => isSpineError(error) && error.code === code && !!error.explanation

async function world(t: Parameters<typeof testTrust>[0], options: Parameters<typeof testTrust>[1] = {}) {
  const trust = await testTrust(t, options)
  const door = await testDoor(t, trust, { plain: true, routes: [pki(trust), ocsp(trust, systemClock)] })
  const folder = await temporaryFolder(t)
  const ask = (certificate: readonly string[], issuer = trust.files.issuing, more: readonly string[] = []) =>
    run('openssl', [
      ...['ocsp', '-issuer', issuer, ...certificate, '-url', `${door.url}/ocsp`, '-text', ...more],
      ...['-CAfile', trust.files.bundle],
    ])
  return { trust, door, folder, ask }
}

test('openssl gets good, revoked and unknown over plain http, with and without a nonce, from RSA and elliptic CAs', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  for (const authorityKeys of ['ec', 'rsa-2048'] as const) {
    const { trust, door, folder, ask } = await world(t, { authorityKeys })
    assert.match(door.url, /^http:/)
    const [a, b] = await Promise.all(['a.test', 'b.test'].map((fqdn) => trust.issue({ fqdn })))
    assert.ok(a && b)
    const certificate = ['-cert', a.files.certificate]
    for (const nonce of ['-nonce', '-no_nonce']) {
      const good = await ask(certificate, undefined, [nonce])
      assert.match(good.out, /Response verify OK/)
      assert.match(good.out, /certificate\.pem: good/)
      assert.equal(/OCSP Nonce:/.test(good.out.split('OCSP Response Data')[1] ?? ''), nonce === '-nonce')
    }
    await trust.revoke(a.serial, 'keyCompromise')
    const both = await ask([...certificate, '-cert', b.files.certificate])
    assert.match(both.out, /Response verify OK/)
    assert.match(both.out, /revoked[\s\S]+Reason: keyCompromise[\s\S]+Revocation Time: [\s\S]+certificate\.pem: good/)
    assert.match((await ask(certificate, undefined, ['-no_nonce'])).out, /: revoked/)
    assert.match((await ask(['-serial', '0x0123456789'])).out, /0x0123456789: unknown/)

    const stranger = await testTrust(t, { environment: 'other' })
    const foreign = await stranger.issue({ fqdn: 'c.test' })
    const other = await ask(['-cert', foreign.files.certificate], stranger.files.issuing)
    assert.match(other.out, /certificate\.pem: unknown/)
    assert.match((await ask(['-cert', foreign.files.certificate])).out, /certificate\.pem: unknown/)

    const ca = await ask(['-cert', trust.files.issuing], trust.files.root)
    assert.match(ca.out, /Response verify OK/)
    assert.match(ca.out, /issuing\.pem: good/)
    await rm(join(trust.files.root, '../private/root.key'))
    const reopened = await testTrust(t, { directory: join(trust.files.root, '..') })
    const question = join(folder, 'question.der')
    await run('openssl', ['ocsp', '-issuer', trust.files.root, '-cert', trust.files.issuing, '-reqout', question])
    assert.deepEqual((await reopened.ocsp(await readFile(question))).der, Buffer.from('30030a0106', 'hex'))
  }
})

test('curl asks by GET, escaped or not, and may keep the answer as RFC 5019 says; what is malformed is said in OCSP', async (t) => {
  if (!(await toolOrSkip(t, 'curl', ['--version']))) return
  const { trust, door, folder } = await world(t)
  const issued = await trust.issue({ fqdn: 'a.test' })
  const file = join(folder, 'question.der')
  await run('openssl', [
    ...['ocsp', '-issuer', trust.files.issuing, '-cert', issued.files.certificate, '-no_nonce', '-reqout', file],
  ])
  const text = (await readFile(file)).toString('base64')
  const answer = join(folder, 'answer.der')
  const get = (path: string) => run('curl', ['-sS', '-D', '-', '-o', answer, '--path-as-is', door.url + path])
  for (const path of [
    text,
    encodeURIComponent(text),
    encodeURIComponent(text).replace(/%../g, (e) => e.toLowerCase()),
  ]) {
    const heads = await get(`/ocsp/${path}`)
    assert.match(heads.out, /^HTTP\/1\.1 200/)
    assert.match(heads.out, /content-type: application\/ocsp-response\r/i)
    assert.match(heads.out, /cache-control: max-age=3[56]\d\d, public, no-transform, must-revalidate/i)
    for (const name of ['etag', 'expires', 'last-modified']) assert.match(heads.out, new RegExp(`^${name}: `, 'im'))
    assert.doesNotMatch(heads.out, /strict-transport/i)
    const read = await run('openssl', [
      'ocsp',
      '-respin',
      answer,
      '-text',
      '-CAfile',
      trust.files.bundle,
      '-issuer',
      trust.files.issuing,
    ])
    assert.match(read.out, /Cert Status: good/)
  }
  const malformed = Buffer.from('30030a0101', 'hex')
  for (const path of ['/ocsp/AAAA', '/ocsp/*', '/ocsp/', '/ocsp/%00']) {
    assert.match((await get(path)).out, /^HTTP\/1\.1 200/)
    assert.deepEqual(await readFile(answer), malformed)
  }
  const post = (type: string) =>
    run('curl', ['-sS', '-o', answer, '-H', `content-type: ${type}`, '--data-binary', `@${file}`, `${door.url}/ocsp`])
  await post('text/plain')
  assert.deepEqual(await readFile(answer), malformed)
  await post('application/ocsp-request')
  assert.notDeepEqual(await readFile(answer), malformed)
  const huge = await fetch(`${door.url}/ocsp`, { method: 'POST', body: Buffer.alloc(20_000) })
  assert.equal(huge.status, 413)
})

test('an answer is kept until half of its life is gone or its certificate is revoked, and then costs no signature', async (t) => {
  const clock = manualClock(Date.now())
  const trust = await testTrust(t, { clock })
  const issued = await trust.issue({ fqdn: 'a.test' })
  const id = idOf(await readFile(trust.files.issuing, 'utf8'), issued.serial)
  const question = writeOcspRequest({ certificates: [id] })
  assert.equal(readOcspRequest(question).certificates[0]?.serial, issued.serial)
  const first = await trust.ocsp(question)
  assert.equal(await trust.ocsp(question), first)
  const began = performance.now()
  for (let i = 0; i < 1_000; i++) await trust.ocsp(question)
  t.diagnostic(`${(performance.now() - began).toFixed(0)} µs an answer that is kept`)
  clock.advance(31 * 60_000)
  const second = await trust.ocsp(question)
  assert.notEqual(second, first)
  await trust.revoke(issued.serial)
  assert.notEqual(await trust.ocsp(question), second)
  const signed = performance.now()
  for (let i = 0; i < 100; i++) await trust.ocsp(writeOcspRequest({ certificates: [id], nonce: Buffer.of(i) }))
  t.diagnostic(`${((performance.now() - signed) * 10).toFixed(0)} µs an answer with a nonce`)
  const many = await Promise.all(
    Array.from({ length: 200 }, (_, i) => trust.ocsp(writeOcspRequest({ certificates: [id], nonce: Buffer.of(i) }))),
  )
  assert.ok(many.some(({ der }) => der.equals(Buffer.from('30030a0103', 'hex'))))
})

function idOf(issuer: string, serial: string) {
  const { subject, key } = subjectAndKey(new X509Certificate(issuer).raw)
  const hash = (bytes: Buffer) => createHash('sha1').update(bytes).digest()
  return certificateId({
    digest: 'sha1',
    issuerNameHash: hash(subject),
    issuerKeyHash: hash(key),
    serial,
  })
}

test('a door staples the OCSP answer about its own certificate, which curl demands', async (t) => {
  if (!(await toolOrSkip(t, 'curl', ['--version']))) return
  const trust = await testTrust(t)
  const door = await testDoor(t, trust, { routes: [pki(trust)] })
  const got = await run('curl', [
    '-sSf',
    '--cacert',
    trust.files.bundle,
    '--cert-status',
    `https://localhost:${door.port}/pki/crl.pem`,
  ])
  assert.equal(got.code, 0, got.out)
})

test('leaves point to CRL, issuer and responder; a CRL keeps a revoked certificate until one after its end', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  const clock = manualClock(Date.now())
  const url = 'http://spine.test:8088'
  const trust = await testTrust(t, {
    clock,
    crlUrl: `${url}/pki/issuing.crl`,
    caIssuersUrl: `${url}/pki/issuing.cer`,
    ocspUrl: `${url}/ocsp`,
  })
  const issued = await trust.issue({ fqdn: 'a.test', days: 1 })
  const { out } = await run('openssl', ['x509', '-in', issued.files.certificate, '-noout', '-text'])
  assert.match(out, /OCSP - URI:http:\/\/spine\.test:8088\/ocsp/)
  assert.match(out, /CA Issuers - URI:http:\/\/spine\.test:8088\/pki\/issuing\.cer/)
  await trust.revoke(issued.serial, 'SUPERSEDED')
  assert.equal(trust.list()[0]?.reason, 'superseded')
  clock.advance(3 * day)
  await trust.publishCrls()
  assert.deepEqual((await trust.crls())[0]?.serials, [issued.serial])
  clock.advance(6 * day)
  await trust.publishCrls()
  const [issuing, root] = await trust.crls()
  assert.deepEqual(issuing?.serials, [])
  assert.ok(Number(issuing?.number) >= 4)
  assert.equal(root?.number, issuing?.number)
  for (const reason of ['stolen', 'certificateHold', 'removeFromCRL']) {
    await assert.rejects(trust.revoke(issued.serial, reason), refused('TRUST_REASON_INVALID'))
  }
})

test('renewing gives the same names; the old one stays or is superseded; the ending are told until they have a successor', async (t) => {
  const trust = await testTrust(t)
  const first = await trust.issue({ fqdn: 'a.test', names: ['alias.test'], days: 20 })
  assert.equal(trust.health().status, 'warn')
  assert.match(trust.health().note ?? '', /a\.test on \d{4}-/)
  const kept = await renewCertificate(trust, 'A.test')
  assert.deepEqual(kept.issued.names, ['a.test', 'alias.test'])
  assert.equal(kept.old.serial, first.serial)
  assert.equal(trust.revoked(first.serial), false)
  assert.equal(trust.health().status, 'pass')
  const folder = await temporaryFolder(t)
  const csr = await signingRequest(folder, '/CN=a.test')
  const { issued, old } = await renewCertificate(trust, first.serial, { csr, revokeOld: true })
  assert.equal(old.reason, 'superseded')
  assert.equal(issued.key, undefined)
  await assert.rejects(renewCertificate(trust, first.serial), refused('TRUST_CERTIFICATE_REVOKED'))
  const wrong = await signingRequest(folder, '/CN=b.test')
  await assert.rejects(renewCertificate(trust, 'a.test', { csr: wrong }), refused('TRUST_REQUEST_NAME'))
  const stranger = await testTrust(t, { environment: 'other' })
  for (const attempt of [renewCertificate(stranger, issued.serial), stranger.revoke(issued.serial)]) {
    await assert.rejects(attempt, refused('TRUST_CERTIFICATE_UNKNOWN'))
  }
})

test('keys of the authority are encrypted once there is a passphrase, closed to others, and strict demands one', async (t) => {
  const directory = await temporaryFolder(t)
  await (await testTrust(t, { directory })).close()
  const key = join(directory, 'private/issuing.key')
  assert.match(await readFile(key, 'utf8'), /BEGIN PRIVATE KEY/)
  await chmod(key, 0o644)
  await chmod(join(directory, 'private'), 0o755)
  await assert.rejects(testTrust(t, { directory, passphraseNeeded: true }), refused('TRUST_PASSPHRASE_NEEDED'))
  const trust = await testTrust(t, { directory, passphrase: 'correct horse', passphraseNeeded: true })
  for (const name of ['issuing.key', 'root.key']) {
    assert.match(await readFile(join(directory, 'private', name), 'utf8'), /BEGIN ENCRYPTED PRIVATE KEY/)
    assert.equal((await stat(join(directory, 'private', name))).mode & 0o777, 0o600)
  }
  assert.equal((await stat(join(directory, 'private'))).mode & 0o777, 0o700)
  await trust.issue({ fqdn: 'a.test' })
  await trust.close()
  const locked = await openTrust({
    directory,
    environment: 'test',
    clock: systemClock,
    log: quiet,
    passphrase: 'wrong',
  })
  t.after(() => locked.close())
  await assert.rejects(locked.issue({ fqdn: 'b.test' }), (error) => {
    assert.ok(refused('TRUST_KEY_LOCKED')(error))
    assert.doesNotMatch(JSON.stringify(error) + String((error as Error).cause), /PRIVATE KEY|wrong|horse/)
    return true
  })
})

test('hostile and exotic signing requests are refused in time, each with its name', async (t) => {
  const trust = await testTrust(t)
  const folder = await temporaryFolder(t)
  const nested = Buffer.concat([Buffer.from('3080'.repeat(20_000), 'hex'), Buffer.alloc(4_000)])
  const pem = (der: Buffer) =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
  const began = performance.now()
  for (const der of [nested, Buffer.alloc(40_000, 0x30), Buffer.alloc(60_000), Buffer.from('3084ffffffff', 'hex')]) {
    await assert.rejects(trust.signRequest(pem(der)), refused('TRUST_REQUEST_UNREADABLE'))
  }
  assert.ok(performance.now() - began < 5_000)
  const address = await signingRequest(folder, '/CN=192.0.2.7')
  await assert.rejects(trust.signRequest(address), refused('TRUST_NAME_INVALID'))
  const config = join(folder, 'san.cnf')
  await writeFile(config, '[req]\ndistinguished_name=dn\n[dn]\n')
  const more = ['-config', config, '-addext', 'subjectAltName=DNS:other.test', '-addext', 'basicConstraints=CA:TRUE']
  const signed = await trust.signRequest(await signingRequest(folder, '/CN=a.test', undefined, more))
  const read = new X509Certificate(signed.certificate)
  assert.equal(read.subjectAltName, 'DNS:a.test')
  assert.equal(read.ca, false)
})
