/** nginx as a provider: what a web server of somebody else's makes of what the proxy sends, and the proxy of what it answers. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { freePort, skipNginx as skip, startNginx, temporaryPaths } from './nginx.ts'
import { header, RawConnection } from './raw-http.ts'
import { type RegisteredProvider, register, through } from './raw-provider.ts'
import { onlyRow } from './raw-request.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'

const fqdn = 'gp.nginx.example'
const megabyte = 1 << 20

let sandbox: Sandbox
let folder: string
let nginx: Awaited<ReturnType<typeof startNginx>> | undefined
let provider: RegisteredProvider
/** Text that shrinks, and bytes that do not. */
const text = Buffer.from(
  Array.from({ length: (10 * megabyte) / 32 }, (_, n) => `line ${String(n).padStart(26, '0')}\n`).join(''),
)
const noise = Buffer.alloc(10 * megabyte)
for (let i = 0, x = 1; i < noise.length; i += 4) {
  x = Math.imul(x, 1_664_525) + 1_013_904_223
  noise.writeInt32LE(x | 0, i)
}

before(async () => {
  if (skip) return
  sandbox = await startSandbox({ 'proxy.hosts': [`${fqdn}=127.0.0.1`] })
  const { trust } = sandbox.spine.platform
  folder = mkdtempSync(join(tmpdir(), 'openspine-nginx-'))
  const at = (name: string) => join(folder, name)
  const issued = await trust.issue({ fqdn })
  writeFileSync(at('server.pem'), issued.certificate + issued.chain)
  writeFileSync(at('server.key'), String(issued.key))
  const { crl } = trust.material()
  writeFileSync(at('crl.pem'), crl.join('\n'))
  mkdirSync(join(folder, 'www/A/DSTU2/1'), { recursive: true })
  writeFileSync(join(folder, 'www/A/DSTU2/1/text.txt'), text)
  writeFileSync(join(folder, 'www/A/DSTU2/1/noise.bin'), noise)
  const port = await freePort()
  nginx = await startNginx(
    folder,
    [port],
    `events { worker_connections 256; }
http {
  access_log off; merge_slashes off; client_max_body_size 0; default_type application/octet-stream; types { text/plain txt; }
  ${temporaryPaths(folder)}
  ssl_protocols TLSv1.2; gzip on; gzip_types text/plain; gzip_min_length 1;
  server {
    listen 127.0.0.1:${port} ssl; server_name ${fqdn}; root ${folder}/www; dav_methods PUT DELETE; create_full_put_path on;
    ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${trust.files.bundle}; ssl_crl ${folder}/crl.pem; ssl_verify_client on; ssl_verify_depth 3;
    location = /A/DSTU2/1/who { return 200 "$ssl_client_s_dn|$http_forwarded|$request_uri|$host"; }
  }
}
`,
  )
  provider = await register(sandbox, `https://${fqdn}:${port}/A/DSTU2/1`)
})
after(async () => {
  await nginx?.stop()
  await sandbox?.stop()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

const open = () => RawConnection.open(String(sandbox.spine.urls['proxy']), sandbox.material)

it('nginx sees the proxy’s certificate, the target byte for byte, and Forwarded', { skip }, async () => {
  const connection = await open()
  connection.send(through(provider, '/who?a=%7C|&b=//&c=$').bytes)
  const answer = await connection.answer()
  assert.equal(answer?.status, 200)
  const [subject, forwarded, uri, host] = answer.body.toString().split(/\|(?=CN|for=|\/A|gp\.)/)
  assert.match(String(subject), /CN=proxy\.spine\.localhost/)
  assert.equal(forwarded, 'for=127.0.0.1;proto=https;by=_localhost')
  assert.equal(uri, '/A/DSTU2/1/who?a=%7C|&b=//&c=$')
  assert.equal(host, fqdn)
  connection.destroy()
})

it('10 MB with a length come byte for byte', { skip }, async () => {
  const connection = await open()
  const { bytes, trace } = through(provider, '/noise.bin')
  connection.send(bytes)
  const answer = await connection.answer()
  assert.equal(answer?.status, 200)
  assert.equal(header(answer, 'content-length'), String(noise.length))
  assert.match(String(header(answer, 'server')), /nginx/)
  assert.match(String(header(answer, 'etag')), /^"/)
  assert.ok(answer.body.equals(noise))
  assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['bytesOut'], noise.length)
  // The same connection, and a conditional request.
  connection.send(through(provider, '/noise.bin', { headers: `If-None-Match: ${header(answer, 'etag')}\r\n` }).bytes)
  assert.equal((await connection.answer())?.status, 304)
  connection.destroy()
})

it('10 MB compressed and in chunks come as nginx made them', { skip }, async () => {
  const connection = await open()
  connection.send(through(provider, '/text.txt', { headers: 'Accept-Encoding: gzip\r\n' }).bytes)
  const answer = await connection.answer()
  assert.equal(answer?.status, 200)
  assert.deepEqual(
    [header(answer, 'content-encoding'), header(answer, 'transfer-encoding'), header(answer, 'content-length')],
    ['gzip', 'chunked', undefined],
  )
  assert.ok(answer.body.length < text.length / 2)
  assert.ok(gunzipSync(answer.body).equals(text))
  connection.destroy()
})

it('PUT of 10 MB, counted and in chunks, and DELETE arrive', { skip }, async () => {
  const connection = await open()
  const chunks: Buffer[] = []
  for (let at = 0; at < noise.length; at += 65_000) {
    const piece = noise.subarray(at, at + 65_000)
    chunks.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'))
  }
  chunks.push(Buffer.from('0\r\n\r\n'))
  for (const [path, framing, body] of [
    ['/counted.bin', `Content-Length: ${noise.length}\r\n`, noise],
    ['/chunked.bin', 'Transfer-Encoding: chunked\r\n', Buffer.concat(chunks)],
  ] as const) {
    connection.send(through(provider, path, { method: 'PUT', headers: framing }).bytes)
    connection.send(body)
    assert.equal((await connection.answer())?.status, 201, path)
    assert.ok(readFileSync(join(folder, 'www/A/DSTU2/1', path)).equals(noise), path)
    connection.send(through(provider, path, { method: 'DELETE' }).bytes)
    assert.equal((await connection.answer())?.status, 204, path)
  }
  connection.destroy()
})
