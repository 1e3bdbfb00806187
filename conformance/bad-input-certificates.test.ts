/** Certificates that must not open a door: at the proxy, the practice and the directory, new, kept and resumed. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type ConnectionOptions, connect, type SecureVersion } from 'node:tls'
import { promisify } from 'node:util'
import { openTrust } from '@openspine/platform/trust'
import { ask, header, RawConnection } from './raw-http.ts'
import { directoryConnection, LdapConnection, type LdapEnd } from './raw-ldap.ts'
import { careRecord, metadata, onlyRow, outcomeOf, rowsOf } from './raw-request.ts'
import { consumer, type Sandbox, startSandbox } from './sandbox.ts'

const run = promisify(execFile)
const day = 86_400_000

let sandbox: Sandbox
let folder: string
/** What each kind of stranger shows. */
const shown = new Map<string, ConnectionOptions>()

before(async () => {
  sandbox = await startSandbox()
  folder = mkdtempSync(join(tmpdir(), 'openspine-strangers-'))
  const { trust, clock, log } = sandbox.spine.platform
  const ca = readFileSync(trust.files.bundle, 'utf8')
  const give = (kind: string, issued: { certificate: string; chain: string; key?: string }) =>
    shown.set(kind, {
      ca,
      cert: issued.certificate + issued.chain,
      ...(issued.key === undefined ? {} : { key: issued.key }),
    })
  const now = Date.now()
  shown.set('none', { ca })
  shown.set('consumer', sandbox.material)
  give('expired', await trust.issue({ fqdn: consumer.fqdn, notBefore: now - 10 * day, days: 5 }))
  give('not yet valid', await trust.issue({ fqdn: consumer.fqdn, notBefore: now + 2 * day, days: 5 }))
  const revoked = await trust.issue({ fqdn: consumer.fqdn })
  await trust.revoke(revoked.serial, 'keyCompromise')
  give('revoked', revoked)
  give('of another system', await trust.issue({ fqdn: 'other.openspine.example' }))
  for (const [kind, environment] of [
    ['of another authority', 'elsewhere'],
    // The same names in every certificate, other keys.
    ['of an authority that calls itself ours', sandbox.spine.platform.environment],
  ] as const) {
    const foreign = await openTrust({ directory: join(folder, kind), environment, clock, log })
    give(kind, await foreign.issue({ fqdn: consumer.fqdn }))
    await foreign.close()
  }
  shown.set('issued by a leaf', await issuedByLeaf(ca))
})

after(async () => {
  await sandbox?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A good leaf of ours signs a certificate in the consumer's name. */
async function issuedByLeaf(ca: string): Promise<ConnectionOptions> {
  const leaf = await sandbox.spine.platform.trust.issue({ fqdn: 'leaf.openspine.example' })
  const at = (name: string) => join(folder, name)
  writeFileSync(at('leaf.pem'), leaf.certificate)
  writeFileSync(at('leaf.key'), String(leaf.key))
  await run('openssl', [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${consumer.fqdn}`],
    ...['-keyout', at('forged.key'), '-out', at('forged.csr')],
  ])
  await run('openssl', [
    ...['x509', '-req', '-in', at('forged.csr'), '-CA', at('leaf.pem'), '-CAkey', at('leaf.key'), '-days', '5'],
    ...['-set_serial', '7', '-out', at('forged.pem')],
  ])
  const forged = readFileSync(at('forged.pem'), 'utf8')
  return { ca, cert: forged + leaf.certificate + leaf.chain, key: readFileSync(at('forged.key')) }
}

const tlsOf = (kind: string): ConnectionOptions => {
  const found = shown.get(kind)
  assert.ok(found, kind)
  return found
}
const url = (door: string) => String(sandbox.spine.urls[door])

const strangers: readonly [kind: string, status: number, reason: RegExp][] = [
  ['none', 496, /^$/],
  ['expired', 495, /^CERT_HAS_EXPIRED$/],
  ['not yet valid', 495, /^CERT_NOT_YET_VALID$/],
  ['revoked', 495, /^CERT_REVOKED$/],
  ['of another authority', 495, /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_/],
  ['of an authority that calls itself ours', 495, /SIGNATURE_FAILURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_/],
  ['issued by a leaf', 495, /INVALID_CA|INVALID_PURPOSE|UNABLE_TO_|UNSPECIFIED/],
]

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  describe(`at the proxy, ${version}`, () => {
    for (const [kind, status, reason] of strangers)
      it(`a certificate ${kind}: ${status}, audited once, and the provider sees nothing`, async () => {
        const { trace, bytes } = careRecord(sandbox)
        const answer = await ask(url('proxy'), { ...tlsOf(kind), minVersion: version, maxVersion: version }, bytes)
        assert.equal(answer.status, status)
        assert.equal(outcomeOf(answer).code, String(status))
        assert.match(String(header(answer, 'content-type')), /^application\/json\+fhir/)
        assert.equal(header(answer, 'cache-control'), 'no-store')
        assert.match(String(header(answer, 'strict-transport-security')), /max-age=/)
        const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
        assert.equal(facts['status'], status)
        assert.equal(facts['check'], status === 496 ? 'certificate-present' : 'certificate-valid')
        assert.match(String((facts['compared'] as { reason?: string }).reason ?? ''), reason)
        assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
      })
  })

it('the proxy refuses the certificate of one system with the ASID of another', async () => {
  for (const [kind, from] of [
    ['of another system', consumer.asid],
    ['consumer', '200000100002'],
  ] as const) {
    const { trace, bytes } = careRecord(sandbox, { headers: { 'Ssp-From': from } })
    const answer = await ask(url('proxy'), tlsOf(kind), bytes)
    assert.equal(answer.status, 495)
    assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['check'], 'sender-certificate')
    assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
  }
})

describe('at the practice', () => {
  for (const [kind, status] of [...strangers, ['consumer', 495], ['of another system', 495]] as const)
    it(`a certificate ${kind}: ${status}, as an OperationOutcome in JSON, audited once`, async () => {
      const { trace, bytes } = metadata(sandbox, {}, 'practice')
      const answer = await ask(url('practice'), tlsOf(kind), bytes)
      assert.equal(answer.status, status)
      assert.equal(outcomeOf(answer).issue, 'forbidden')
      assert.match(String(header(answer, 'content-type')), /^application\/json\+fhir/)
      const { facts } = await onlyRow(sandbox, trace, 'practice.request')
      assert.equal(facts['status'], status)
    })
})

/** Searches as soon as TLS lets it: what the other side says until it closes. */
async function searched(tls: ConnectionOptions): Promise<LdapEnd> {
  try {
    const connection = await LdapConnection.open(url('directory'), tls)
    connection.search({})
    return await connection.end()
  } catch (error) {
    return { refused: (error as NodeJS.ErrnoException).code ?? 'unknown', messages: [] }
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  describe(`at the directory, ${version}`, () => {
    for (const [kind] of strangers)
      it(`a certificate ${kind} gets no LDAP answer`, async () => {
        const { messages } = await searched({ ...tlsOf(kind), minVersion: version, maxVersion: version })
        assert.deepEqual(messages, [])
      })
  })

it('ldapsearch is told nothing either, and a good certificate is served afterwards', async () => {
  const ldapsearch = async (kind: string) => {
    const { cert, key } = tlsOf(kind)
    const at = (name: string) => join(folder, `ldapsearch-${name}`)
    writeFileSync(at('cert'), String(cert ?? ''))
    writeFileSync(at('key'), String(key ?? ''))
    const env = {
      ...process.env,
      LDAPTLS_CACERT: sandbox.spine.platform.trust.files.bundle,
      ...(cert === undefined ? {} : { LDAPTLS_CERT: at('cert'), LDAPTLS_KEY: at('key') }),
    }
    const args = ['-H', url('directory'), '-x', '-LLL', '-b', 'ou=services,o=nhs']
    return run('ldapsearch', [...args, `(uniqueIdentifier=${consumer.asid})`, 'nhsIDCode'], { env }).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: '' }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        stdout: error.stdout,
        stderr: error.stderr,
      }),
    )
  }
  for (const kind of ['none', 'expired', 'revoked', 'of another authority']) {
    const refused = await ldapsearch(kind)
    assert.notEqual(refused.code, 0, kind)
    assert.match(refused.stderr, /Can't contact LDAP server/)
    assert.equal(refused.stdout, '')
  }
  const served = await ldapsearch('consumer')
  assert.equal(served.code, 0, served.stderr)
  assert.match(served.stdout, /nhsIDCode: X26/)
})

/** A certificate of the consumer's name that a test may spend. */
async function spendable(fqdn: string = consumer.fqdn) {
  const issued = await sandbox.spine.platform.trust.issue({ fqdn })
  const tls = { ca: sandbox.material.ca, cert: issued.certificate + issued.chain, key: String(issued.key) }
  return { tls, revoke: () => sandbox.spine.platform.trust.revoke(issued.serial, 'keyCompromise') }
}

describe('a certificate that is revoked while it is in use', () => {
  it('serves no further request on a kept connection to the proxy', async () => {
    const { tls, revoke } = await spendable()
    const kept = await RawConnection.open(url('proxy'), tls)
    kept.send(careRecord(sandbox).bytes)
    assert.equal((await kept.answer())?.status, 200)
    await revoke()
    const { trace, bytes } = careRecord(sandbox)
    kept.send(bytes)
    assert.equal((await kept.answer())?.status, 495)
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.equal((facts['compared'] as { reason: string }).reason, 'CERT_REVOKED')
    assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
    kept.destroy()
  })

  it('serves no further request on a kept connection to the practice', async () => {
    const { tls, revoke } = await spendable('proxy.spine.localhost')
    const kept = await RawConnection.open(url('practice'), tls)
    kept.send(metadata(sandbox, {}, 'practice').bytes)
    assert.equal((await kept.answer())?.status, 200)
    await revoke()
    kept.send(metadata(sandbox, {}, 'practice').bytes)
    assert.equal((await kept.answer())?.status, 495)
    kept.destroy()
  })

  it('ends a kept connection to the directory, without waiting for its next request', async () => {
    const { tls, revoke } = await spendable()
    const kept = await directoryConnection(sandbox, tls)
    kept.search({})
    assert.equal((await kept.result())?.code, 0)
    await revoke()
    const { notice } = await kept.end()
    assert.equal(notice, 8)
  })

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    for (const door of ['proxy', 'directory', 'practice'] as const)
      it(`is not carried past the revocation by a resumed ${version} session at the ${door}`, async () => {
        const { tls, revoke } = await spendable(door === 'practice' ? 'proxy.spine.localhost' : consumer.fqdn)
        const session = await sessionOf(url(door), { ...tls, minVersion: version, maxVersion: version })
        // The session is good until then: otherwise this test would prove nothing.
        assert.equal(await resumes(url(door), { ...tls, minVersion: version, maxVersion: version, session }), true)
        await revoke()
        const resuming = { ...tls, minVersion: version as SecureVersion, maxVersion: version as SecureVersion, session }
        if (door === 'directory') {
          const { messages, notice } = await searched(resuming)
          assert.ok(messages.length === 0 || (messages.length === 1 && notice === 8), JSON.stringify(messages))
        } else {
          const { trace, bytes } = door === 'proxy' ? careRecord(sandbox) : metadata(sandbox, {}, 'practice')
          assert.equal((await ask(url(door), resuming, bytes)).status, 495)
          await onlyRow(sandbox, trace, `${door}.request`)
        }
      })
})

/** A session that this door gave for a whole handshake. */
async function sessionOf(door: string, tls: ConnectionOptions): Promise<Buffer> {
  const { port } = new URL(door)
  const socket = connect({ host: '127.0.0.1', port: Number(port), servername: 'localhost', ...tls })
  socket.on('error', () => {})
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  return session
}

async function resumes(door: string, tls: ConnectionOptions): Promise<boolean> {
  const connection = await RawConnection.open(door, tls)
  const reused = connection.socket.isSessionReused()
  connection.destroy()
  return reused
}

it('every door still serves a good certificate', async () => {
  const { trace, bytes } = careRecord(sandbox)
  assert.equal((await ask(url('proxy'), sandbox.material, bytes)).status, 200)
  assert.equal((await rowsOf(sandbox, trace)).length, 2)
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
})
