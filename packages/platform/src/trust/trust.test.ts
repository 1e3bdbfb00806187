import assert from 'node:assert/strict'
import { execFile, fork } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, copyFile, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { isSpineError } from '@openspine/standards/error'
import { manualClock, systemClock } from '../clock.ts'
import { makeKeyPair } from './keys.ts'
import type { OpenTrust } from './open.ts'
import { openTrust } from './open.ts'
import { nextChange, quiet, run, signingRequest, temporaryFolder, testTrust, toolOrSkip } from './testing.ts'

const day = 86_400_000
const code = (expected: string) => (error: unknown) => {
  assert.ok(isSpineError(error), String(error))
  assert.equal(error.code, expected)
  assert.ok(error.explanation)
  return true
}

function opensslVerify(trust: OpenTrust, certificate: string) {
  const { root, issuing, crl } = trust.files
  return run('openssl', [
    ...['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', root, '-untrusted', issuing],
    ...['-CRLfile', crl, '-crl_check_all', certificate],
  ])
}

test('openssl accepts what is issued and refuses it once it is revoked, for RSA and elliptic authorities', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  await Promise.all(
    (['rsa-2048', 'ec'] as const).map(async (authorityKeys) => {
      const trust = await testTrust(t, { authorityKeys, keyType: authorityKeys === 'ec' ? 'ec' : 'rsa' })
      const issued = await trust.issue({ fqdn: 'GP.example.test', names: ['alias.example.test', '192.0.2.7'] })
      assert.equal(issued.fqdn, 'gp.example.test')
      const before = await opensslVerify(trust, issued.files.certificate)
      assert.equal(before.code, 0, before.out)
      const server = await run('openssl', [
        ...['verify', '-CAfile', trust.files.root, '-untrusted', trust.files.issuing, '-purpose', 'sslserver'],
        ...['-verify_hostname', 'alias.example.test', issued.files.certificate],
      ])
      assert.equal(server.code, 0, server.out)
      assert.equal(trust.revoked(issued.serial), false)
      const [record] = await trust.revoke(issued.serial, 'keyCompromise')
      assert.equal(record?.reason, 'keyCompromise')
      assert.equal(trust.revoked(issued.serial), true)
      const after = await opensslVerify(trust, issued.files.certificate)
      assert.notEqual(after.code, 0)
      assert.match(after.out, /certificate revoked/)
      const crl = await run('openssl', ['crl', '-in', trust.files.crl, '-noout', '-text'])
      assert.match(crl.out, new RegExp(`Serial Number: ${issued.serial}`))
      assert.match(crl.out, /Key Compromise/)
      assert.match(crl.out, /CRL Number: \s*2\b/)
    }),
  )
})

test('subject, extensions and files have the shapes of the directory specification', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  const trust = await testTrust(t, {
    keyType: 'rsa',
    crlUrl: 'http://crl.example.test/issuing.crl',
    caIssuersUrl: 'http://crl.example.test/issuing.cer',
  })
  const { files, key, chain, certificate, ...issued } = await trust.issue({ fqdn: 'localhost', days: 400 })
  assert.deepEqual(issued.names, ['localhost', '127.0.0.1', '::1'])
  assert.equal(issued.notAfter - issued.notBefore, 400 * day)
  const text = (await run('openssl', ['x509', '-in', files.certificate, '-noout', '-text'])).out
  for (const shape of [
    /Issuer: C = GB, O = test, OU = CA, CN = OpenSpine Issuing Authority/,
    /Subject: O = test, OU = Devices, CN = localhost/,
    /Signature Algorithm: ecdsa-with-SHA256/,
    /Public-Key: \(2048 bit\)/,
    /Digital Signature, Key Encipherment/,
    /TLS Web Client Authentication, TLS Web Server Authentication/,
    /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/,
    /CA:FALSE/,
    /CRL Distribution Points:[\s\S]+URI:http:\/\/crl\.example\.test\/issuing\.crl/,
    /CA Issuers - URI:http:\/\/crl\.example\.test\/issuing\.cer/,
  ]) {
    assert.match(text, shape)
  }
  const issuingText = (await run('openssl', ['x509', '-in', trust.files.issuing, '-noout', '-text'])).out
  assert.match(issuingText, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
  assert.match(issuingText, /Issuer: C = GB, O = test, OU = CA, CN = OpenSpine Root Authority/)

  const [root, issuing, bundle, full, crl] = await Promise.all(
    [trust.files.root, trust.files.issuing, trust.files.bundle, files.fullChain, trust.files.crl].map((path) =>
      readFile(path, 'utf8'),
    ),
  )
  assert.equal(bundle, `${issuing}${root}`)
  assert.equal(full, `${certificate}${bundle}`)
  assert.equal(chain, bundle)
  assert.equal(crl?.match(/-----BEGIN X509 CRL-----/g)?.length, 2)
  assert.equal(trust.material().crl.length, 2)
  assert.equal(trust.material().crl.join(''), crl)
  assert.equal(new X509Certificate(certificate).serialNumber, issued.serial)
  assert.ok(files.key)
  assert.equal(await readFile(files.key, 'utf8'), key)
  const folder = join(trust.files.root, '..')
  for (const path of [files.key, join(folder, 'private/root.key'), join(folder, 'private/issuing.key')]) {
    assert.equal((await stat(path)).mode & 0o777, 0o600, path)
  }
  // A second one for the same name leaves the first, with its key, below its serial.
  await trust.issue({ fqdn: 'localhost' })
  const kept = join(folder, 'issued/localhost', issued.serial)
  assert.deepEqual((await readdir(kept)).sort(), ['certificate.pem', 'full-chain.pem', 'key.pem'])
  assert.equal(await readFile(join(kept, 'key.pem'), 'utf8'), key)
})

test('a signing request is refused for each thing that is wrong with it, and signed when nothing is', async (t) => {
  if (!(await toolOrSkip(t, 'openssl', ['version']))) return
  const trust = await testTrust(t, { fqdnSuffixes: ['.example.test'] })
  const folder = await temporaryFolder(t)
  const good = await signingRequest(folder, '/CN=gp.example.test', ['-newkey', 'rsa:2048'])
  const der = Buffer.from(good.replace(/-----[^-]+-----/g, ''), 'base64')
  // The last octet of the signature: still well-formed, and no longer true.
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
  const curve = (name: string) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${name}`]
  const refusals: readonly (readonly [string, string])[] = [
    ['not a request', 'TRUST_REQUEST_UNREADABLE'],
    [good.replace(/[A-Za-z0-9]{40}/, ''), 'TRUST_REQUEST_UNREADABLE'],
    [good + good, 'TRUST_REQUEST_UNREADABLE'],
    [forged, 'TRUST_REQUEST_SIGNATURE'],
    [await signingRequest(folder, '/CN=gp.example.test', ['-newkey', 'rsa:1024']), 'TRUST_REQUEST_KEY'],
    [await signingRequest(folder, '/CN=gp.example.test', curve('secp384r1')), 'TRUST_REQUEST_KEY'],
    [await signingRequest(folder, '/CN=gp.example.test', ['-newkey', 'ed25519']), 'TRUST_REQUEST_KEY'],
    [await signingRequest(folder, '/CN=gp.example.test', undefined, ['-sha1']), 'TRUST_REQUEST_DIGEST'],
    [await signingRequest(folder, '/C=GB/CN=gp.example.test'), 'TRUST_REQUEST_SUBJECT'],
    [await signingRequest(folder, '/CN=gp.example.test/emailAddress=someone@example.test'), 'TRUST_REQUEST_SUBJECT'],
    [await signingRequest(folder, '/CN=gp.example.test/CN=other.example.test'), 'TRUST_REQUEST_SUBJECT'],
    [await signingRequest(folder, '/O=only'), 'TRUST_REQUEST_SUBJECT'],
    [await signingRequest(folder, '/CN=gp.example.org'), 'TRUST_REQUEST_SUFFIX'],
    [await signingRequest(folder, '/CN=gpexample.test'), 'TRUST_REQUEST_SUFFIX'],
    [await signingRequest(folder, '/CN=not a name.example.test'), 'TRUST_NAME_INVALID'],
    [await signingRequest(folder, '/CN=*.example.test'), 'TRUST_NAME_INVALID'],
  ]
  for (const [request, expected] of refusals) await assert.rejects(trust.signRequest(request), code(expected))
  assert.deepEqual(trust.list(), [])

  const signed = await trust.signRequest(good, { days: 30 })
  assert.equal(signed.key, undefined)
  assert.equal(signed.files.key, undefined)
  assert.deepEqual(signed.names, ['gp.example.test'])
  assert.equal((await opensslVerify(trust, signed.files.certificate)).code, 0)
  await trust.signRequest(await signingRequest(folder, '/CN=ec.example.test', curve('prime256v1')))
  const asked = ['-addext', 'subjectAltName=DNS:somebody-else.example.test']
  const bold = await trust.signRequest(await signingRequest(folder, '/CN=gp.example.test', undefined, asked))
  assert.equal(new X509Certificate(bold.certificate).subjectAltName, 'DNS:gp.example.test')
  assert.equal(trust.list().length, 3)
})

test('keys have the size that was asked for', async () => {
  const [large, elliptic] = await Promise.all([makeKeyPair('rsa-4096'), makeKeyPair('ec')])
  assert.equal(large.publicKey.asymmetricKeyDetails?.modulusLength, 4096)
  assert.equal(elliptic.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
})

test('names and lives outside the rules are refused', async (t) => {
  const trust = await testTrust(t)
  for (const fqdn of ['', 'a b', '-a.test', 'a..test', '10.0.0.1', 'ü.test', '../../etc', `${'a'.repeat(60)}.test`]) {
    await assert.rejects(trust.issue({ fqdn }), code('TRUST_NAME_INVALID'), fqdn)
  }
  for (const days of [0, -1, 1.5, 5_000]) {
    await assert.rejects(trust.issue({ fqdn: 'a.test', days }), code('TRUST_LIFE_INVALID'))
  }
  await assert.rejects(trust.revoke('nobody.test'), code('TRUST_CERTIFICATE_UNKNOWN'))
})

test('revoking by name takes every certificate in force, and again changes nothing', async (t) => {
  const trust = await testTrust(t)
  const old = await trust.issue({ fqdn: 'a.test', notBefore: Date.now() - 30 * day, days: 1 })
  const both = await Promise.all([trust.issue({ fqdn: 'a.test' }), trust.issue({ fqdn: 'a.test' })])
  const other = await trust.issue({ fqdn: 'b.test' })
  const revoked = await trust.revoke('A.test', 'superseded')
  assert.deepEqual(revoked.map(({ serial }) => serial).sort(), both.map(({ serial }) => serial).sort())
  assert.equal(trust.revoked(other.serial), false)
  assert.equal(trust.revoked(old.serial), false)
  const crl = trust.material().crl[0]
  const [again] = await trust.revoke(both[0].serial.toLowerCase(), 'keyCompromise')
  assert.equal(again?.reason, 'superseded')
  assert.equal(trust.material().crl[0], crl)
  await assert.rejects(trust.revoke('a.test'), code('TRUST_CERTIFICATE_UNKNOWN'))
})

test('a restart finds everything again; another environment or a missing register is refused', async (t) => {
  const directory = await temporaryFolder(t)
  const first = await testTrust(t, { directory, passphrase: 'open sesame' })
  const issued = await first.issue({ fqdn: 'a.test' })
  await first.revoke('a.test')
  const identity = await first.identity('localhost')
  await first.close()

  const key = await readFile(join(directory, 'private/issuing.key'), 'utf8')
  assert.match(key, /ENCRYPTED PRIVATE KEY/)
  const second = await testTrust(t, { directory, passphrase: 'open sesame' })
  assert.equal(second.revoked(issued.serial), true)
  assert.equal((await second.identity('localhost')).certificate, identity.certificate)
  assert.deepEqual(second.material().crl, first.material().crl)
  assert.deepEqual(second.list(), first.list())
  await second.close()

  const locked = await testTrust(t, { directory })
  assert.equal(locked.revoked(issued.serial), true)
  await assert.rejects(locked.issue({ fqdn: 'b.test' }), code('TRUST_KEY_LOCKED'))
  await locked.close()

  await assert.rejects(testTrust(t, { directory, environment: 'other' }), code('TRUST_WRONG_ENVIRONMENT'))
  await appendFile(join(directory, 'register.jsonl'), 'rubbish\n')
  await assert.rejects(testTrust(t, { directory }), code('TRUST_FOLDER_BROKEN'))
  await unlink(join(directory, 'register.jsonl'))
  await assert.rejects(testTrust(t, { directory }), code('TRUST_FOLDER_BROKEN'))
})

test('a line that a crash cut short is written over, and a CRL that it lost is made again', async (t) => {
  const directory = await temporaryFolder(t)
  const first = await testTrust(t, { directory })
  const issued = await first.issue({ fqdn: 'a.test' })
  await first.close()
  const register = join(directory, 'register.jsonl')
  // The revocation is on the disk; the process died before it could publish, and in the middle of its next line.
  await appendFile(
    register,
    `${JSON.stringify({ type: 'revoked', at: Date.now(), serials: [issued.serial] })}\n{"type":"iss`,
  )
  const second = await testTrust(t, { directory })
  assert.equal(second.revoked(issued.serial), true)
  assert.notDeepEqual(second.material().crl[0], first.material().crl[0])
  await second.issue({ fqdn: 'b.test' })
  for (const line of (await readFile(register, 'utf8')).trimEnd().split('\n')) JSON.parse(line)
  if (await toolOrSkip(t, 'openssl', ['version'])) {
    assert.match((await opensslVerify(second, issued.files.certificate)).out, /certificate revoked/)
  }
  // Somebody spoils crl.pem: the register knows better.
  await writeFile(second.files.crl, (await readFile(second.files.crl, 'utf8')).slice(0, 300))
  await second.close()
  const third = await testTrust(t, { directory })
  assert.equal(third.material().crl.length, 2)
})

test('CRLs are re-issued ahead of their end, identities renewed, without a restart', async (t) => {
  const clock = manualClock(Date.now())
  const trust = await testTrust(t, { clock, crlDays: 7, rootCrlDays: 90, leafDays: 90 })
  const identity = await trust.identity('localhost')
  const start = trust.material()
  assert.deepEqual(trust.health(), { status: 'pass' })

  clock.advance(3 * day)
  await trust.refresh()
  assert.equal(trust.material().revision, start.revision)

  clock.advance(day)
  const changed = nextChange(trust)
  await changed
  const later = trust.material()
  assert.notEqual(later.crl[0], start.crl[0])
  assert.equal(later.crl[1], start.crl[1])
  assert.ok(later.revision > start.revision)
  assert.equal((await trust.identity('localhost')).serial, identity.serial)

  clock.advance(77 * day)
  await trust.refresh()
  assert.notEqual(trust.material().crl[1], start.crl[1])
  // 81 of 90 days: in its last third.
  const renewed = await trust.identity('localhost')
  assert.notEqual(renewed.serial, identity.serial)
  assert.deepEqual(trust.health(), { status: 'pass' })
})

test('health warns before an end that nobody averts, and fails after it', async (t) => {
  const directory = await temporaryFolder(t)
  const made = await testTrust(t, { directory })
  await made.close()
  // The root's key is in a safe: its CRL cannot be renewed here.
  await rm(join(directory, 'private/root.key'))
  const clock = manualClock(Date.now())
  const trust = await testTrust(t, { directory, clock })
  assert.equal(trust.health().status, 'pass')
  clock.advance(62 * day)
  await trust.refresh()
  assert.equal(trust.health().status, 'warn')
  assert.match(trust.health().note ?? '', /root's CRL ends on .+ less than 30 days/)
  clock.advance(22 * day)
  await trust.refresh()
  assert.match(trust.health().note ?? '', /less than 7 days/)
  clock.advance(7 * day)
  await trust.refresh()
  assert.equal(trust.health().status, 'fail')
})

test('an identity is kept, gains names, and is replaced once it is revoked or does not fit its key', async (t) => {
  const directory = await temporaryFolder(t)
  const trust = await testTrust(t, { directory })
  const [one, same] = await Promise.all([trust.identity('spine.test'), trust.identity('spine.test')])
  assert.equal(one.serial, same.serial)
  const more = await trust.identity('spine.test', ['proxy.test'])
  assert.deepEqual(more.names, ['spine.test', 'proxy.test'])
  assert.equal((await trust.identity('spine.test')).serial, more.serial)
  assert.deepEqual((await trust.identity('2001:DB8::1')).names, ['2001:db8::1'])
  const changed = nextChange(trust)
  await trust.revoke(more.serial)
  await changed
  const third = await trust.identity('spine.test')
  assert.notEqual(third.serial, more.serial)
  await trust.close()
  await copyFile(join(directory, 'private/root.key'), third.files.key ?? '')
  const again = await testTrust(t, { directory })
  const fourth = await again.identity('spine.test')
  assert.notEqual(fourth.serial, third.serial)
})

test('several processes open one fresh folder at once, and all their certificates stand in one register', async (t) => {
  const directory = await temporaryFolder(t)
  const children = Array.from({ length: 4 }, (_, index) => otherProcess(directory, ['issue', `p${index}.test`]))
  const outs = await Promise.all(children)
  const roots = new Set(outs.map(({ root }) => root))
  assert.equal(roots.size, 1)
  const trust = await testTrust(t, { directory })
  assert.deepEqual(
    trust
      .list()
      .map(({ fqdn }) => fqdn)
      .sort(),
    Array.from({ length: 4 }, (_, index) => Array<string>(3).fill(`p${index}.test`)).flat(),
  )
  assert.deepEqual((await readdir(join(directory, '.lock'))).length, 0)
})

test('a revocation by another process is seen within a second', async (t) => {
  const trust = await testTrust(t)
  const issued = await trust.issue({ fqdn: 'a.test' })
  const directory = join(trust.files.root, '..')
  let seen = 0
  trust.onChange(() => {
    if (trust.revoked(issued.serial)) seen ||= Date.now()
  })
  const { at } = await otherProcess(directory, ['revoke', 'a.test'])
  t.diagnostic(`${seen - at} ms`)
  if (seen === 0) await nextChange(trust)
  assert.equal(trust.revoked(issued.serial), true)
  assert.ok(seen - at < 3_000, `${seen - at} ms`)
  await trust.refresh()
  assert.equal(trust.list()[0]?.revokedAt !== undefined, true)
  assert.match(trust.material().crl.join(''), /X509 CRL/)
})

test('the claim of a process that died does not hold up others', async (t) => {
  const directory = await temporaryFolder(t)
  const first = await testTrust(t, { directory })
  await first.close()
  const child = fork(new URL('./testing-process.ts', import.meta.url), [directory, 'hang'], { stdio: 'ignore' })
  await once(child, 'message')
  assert.equal((await readdir(join(directory, '.lock'))).length, 1)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const began = performance.now()
  const trust = await testTrust(t, { directory })
  await trust.issue({ fqdn: 'a.test' })
  assert.ok(performance.now() - began < 10_000)
})

test('an external PKI: its anchors, CRLs and identities are used, reloaded, and nothing is issued', async (t) => {
  const theirs = await testTrust(t, { environment: 'theirs' })
  const directory = await temporaryFolder(t)
  const server = await theirs.issue({ fqdn: 'spine.example.test' })
  const client = await theirs.issue({ fqdn: 'gp.example.test' })
  const { root, issuing, crl } = theirs.files
  const identities = { 'spine.example.test': { certificate: server.files.fullChain, key: server.files.key ?? '' } }
  const trust = await testTrust(t, { directory, trustFiles: { root, issuing, crl, identities } })
  assert.deepEqual(trust.material().ca, theirs.material().ca)
  assert.deepEqual(trust.material().crl, theirs.material().crl)
  assert.equal((await trust.identity('spine.example.test')).serial, server.serial)
  for (const attempt of [
    trust.issue({ fqdn: 'a.test' }),
    trust.signRequest(''),
    trust.revoke('a.test'),
    trust.identity('another.example.test'),
  ]) {
    await assert.rejects(attempt, code('TRUST_NO_CA'))
  }
  assert.equal(trust.revoked(client.serial), false)
  const changed = nextChange(trust)
  await theirs.revoke(client.serial)
  await changed
  assert.equal(trust.revoked(client.serial), true)
  assert.deepEqual(trust.health(), { status: 'pass' })

  // A CRL that none of the authorities has signed is not taken over, and at the start refuses to start.
  const stranger = await testTrust(t, { environment: 'stranger' })
  const foreign = { root, issuing, crl: stranger.files.crl }
  await assert.rejects(testTrust(t, { trustFiles: foreign }), code('TRUST_FILES_UNREADABLE'))
  await assert.rejects(
    testTrust(t, { trustFiles: { root, issuing, crl: join(directory, 'missing.pem') } }),
    code('TRUST_FILES_UNREADABLE'),
  )
})

test('a first start with five identities, all RSA, is quick', async (t) => {
  const directory = await temporaryFolder(t)
  const began = performance.now()
  const trust = await openTrust({ directory, environment: 'test', clock: systemClock, log: quiet })
  t.after(() => trust.close())
  await Promise.all(['localhost', 'a.test', 'b.test', 'c.test', 'd.test'].map((fqdn) => trust.identity(fqdn)))
  const took = performance.now() - began
  t.diagnostic(`${took.toFixed(0)} ms`)
  assert.ok(took < 5_000, `${took} ms`)
})

async function otherProcess(
  directory: string,
  args: readonly string[],
): Promise<{ readonly root: string; readonly at: number }> {
  const script = new URL('./testing-process.ts', import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [script, directory, ...args], { timeout: 15_000 })
  return JSON.parse(stdout) as { root: string; at: number }
}
