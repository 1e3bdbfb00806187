import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { nhsNumber, practiceServer, serviceRoot } from './testing/practice.ts'
import { client, refusal } from './testing/testing.ts'

it('gives nothing to a proxy whose certificate it cannot trust, even where the process is told to trust all', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'openspine-client-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
  ])
  const ca = readFileSync(cert, 'utf8')
  let asked = 0
  const server = createServer({ key: readFileSync(key), cert: ca }, (_request, response) => {
    asked++
    response
      .writeHead(200, { 'content-type': 'application/fhir+json' })
      .end('{"resourceType":"Bundle","type":"searchset"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { settings } = await practiceServer(t)
  const find = (host: string, tls: { ca?: string }) =>
    refusal(
      client(t, { ...settings, tls, proxyUrl: `https://${host}:${port}` })
        .session()
        .findPatient({ nhsNumber, odsCode: 'A20047' }),
    )

  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'])
  const stranger = await find('localhost', {})
  assert.equal(stranger.code, 'CLIENT_UNREACHABLE')
  assert.match(stranger.message, /certificate is not trusted/)
  const misnamed = await find('127.0.0.1', { ca })
  assert.equal(misnamed.code, 'CLIENT_UNREACHABLE')
  assert.match(misnamed.message, /ALTNAME/)
  assert.equal(asked, 0, `nothing was sent to ${serviceRoot}`)
  const trusted = await find('localhost', { ca })
  assert.equal(trusted.code, 'CLIENT_NOT_FOUND')
  assert.equal(asked, 1)
})
