/** The proxy's door as strangers' tools see it: openssl and curl, every cipher of the specification, every state of a certificate. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { certificateStates, curl, run, writeCertificates } from './consumer-certificates.ts'
import { metadata, onlyRow, practiceAsid, serviceRootOf } from './raw-request.ts'
import { metadataInteraction, type Sandbox, sspHeaders, startSandbox } from './sandbox.ts'

let sandbox: Sandbox
let folder: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'openspine-tls-'))
  sandbox = await startSandbox({ 'proxy.tls13': false })
  await writeCertificates(sandbox, folder)
})
after(async () => {
  await sandbox?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const port = () => new URL(String(sandbox.spine.urls['proxy'])).port
const shown = (kind: string) =>
  kind === 'none' ? [] : ['-cert', join(folder, `${kind}.pem`), '-key', join(folder, `${kind}.key`)]

/** `openssl s_client` sends the request and prints what comes. */
function client(kind: string, request: string, ...more: readonly string[]) {
  return run(
    'openssl',
    [
      ...['s_client', '-ign_eof', '-connect', `127.0.0.1:${port()}`, '-servername', 'localhost'],
      ...['-CAfile', sandbox.spine.platform.trust.files.bundle, '-verify_return_error'],
      ...shown(kind),
      ...(kind === 'none' ? [] : ['-cert_chain', join(folder, `${kind}.pem`)]),
      ...more,
    ],
    request,
  )
}

const closing = () => metadata(sandbox, { headers: { Connection: 'close' } })
/** A cipher that a cautious build of openssl would not offer by itself. */
const cipher = (name: string) => ['-tls1_2', '-cipher', `${name}:@SECLEVEL=0`]

describe('ciphers and protocols, tried with openssl s_client', () => {
  for (const name of [
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-AES256-SHA',
    'DHE-RSA-AES128-GCM-SHA256',
    'DHE-RSA-AES256-GCM-SHA384',
    'DHE-RSA-AES256-SHA256',
    'DHE-RSA-AES256-SHA',
  ])
    it(`${name} connects, and a request is answered`, async () => {
      const { out } = await client('right', closing().bytes.toString('latin1'), ...cipher(name))
      assert.match(out, new RegExp(`Cipher is ${name}\\b`))
      assert.match(out, /\nHTTP\/1\.1 200 OK\r\n/)
    })

  for (const [name, ...options] of [
    ['AES128-SHA256', ...cipher('AES128-SHA256')],
    ['AES256-SHA', ...cipher('AES256-SHA')],
    ['AES256-GCM-SHA384 (without forward secrecy)', ...cipher('AES256-GCM-SHA384')],
    ['NULL-MD5', ...cipher('NULL-MD5')],
    ['NULL-SHA256', ...cipher('NULL-SHA256')],
    ['ADH-AES256-GCM-SHA384 (without a certificate)', ...cipher('ADH-AES256-GCM-SHA384')],
    ['ECDHE-RSA-AES128-SHA', ...cipher('ECDHE-RSA-AES128-SHA')],
    ['a name that nobody knows', ...cipher('NO-SUCH-CIPHER')],
    ['TLS 1.0', '-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['TLS 1.1', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['TLS 1.3, where it is switched off', '-tls1_3'],
  ] as const)
    it(`${name}: no connection`, async () => {
      const { code, out } = await client('right', closing().bytes.toString('latin1'), ...options)
      assert.notEqual(code, 0)
      assert.doesNotMatch(out, /HTTP\/1\.1/)
      assert.doesNotMatch(out, /Cipher is [A-Z]/)
    })

  it('the order is the server’s, not the client’s', async () => {
    const { out } = await client(
      'right',
      closing().bytes.toString('latin1'),
      ...cipher('DHE-RSA-AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384'),
    )
    assert.match(out, /Cipher is ECDHE-RSA-AES256-GCM-SHA384/)
  })
})

describe('every state of the consumer’s certificate', () => {
  const told = async (out: string, trace: string, status: number, check: string | undefined) => {
    assert.match(out, new RegExp(`HTTP/1\\.1 ${status} `))
    if (status !== 200) {
      assert.match(out, /Strict-Transport-Security: max-age=/)
      assert.match(out, new RegExp(`"resourceType":"OperationOutcome".*"code":"${status}"`))
    }
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.deepEqual([facts['status'], facts['check']], [status, check])
  }

  for (const [kind, status, check] of certificateStates) {
    it(`${kind}, shown by openssl s_client: ${status}`, async () => {
      const { trace, bytes } = closing()
      const { out } = await client(kind, bytes.toString('latin1'), '-tls1_2')
      await told(out, trace, status, check)
    })

    it(`${kind}, shown by curl: ${status}`, async () => {
      const { trace } = closing()
      const headers = sspHeaders({ interaction: metadataInteraction, to: practiceAsid, traceId: trace })
      const { code, out } = await curl(
        sandbox,
        folder,
        kind,
        `https://localhost:${port()}/${serviceRootOf(sandbox)}/metadata`,
        { ...headers, Accept: 'application/json+fhir' },
      )
      assert.equal(code, 0, out)
      await told(out, trace, status, check)
    })
  }
})
