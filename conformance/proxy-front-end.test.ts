/** nginx before the proxy: as the front end of the guide, which passes TCP through, and as one that gets in the way. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { certificateStates, curl, writeCertificates } from './consumer-certificates.ts'
import { freePort, skipStream as skip, startNginx, streamModule, temporaryPaths } from './nginx.ts'
import { json, RawConnection } from './raw-http.ts'
import { type FakeProvider, fakeProvider, type RegisteredProvider, register, through } from './raw-provider.ts'
import { metadata, onlyRow, outcomeOf, rowsOf, serviceRootOf } from './raw-request.ts'
import { type Sandbox, sspHeaders, startSandbox } from './sandbox.ts'

const megabyte = 1 << 20
/** Where the consumer calls from: an address of its own on the loopback. */
const consumerAddress = '127.0.0.2'
/** From where the front end that ends TLS calls: it is not trusted, and sends no header. */
const trapAddress = '127.0.0.3'

let folder: string
let sandbox: Sandbox
/** One that accepts merged slashes. */
let lenient: Sandbox
let nginx: Awaited<ReturnType<typeof startNginx>> | undefined
let breaking: FakeProvider | undefined
let provider: RegisteredProvider
let broken: RegisteredProvider
let frontPort = 0
let trapPort = 0
let lenientTrapPort = 0

const portOf = ({ spine }: Sandbox) => Number(new URL(String(spine.urls['proxy'])).port)

/** The configuration that the guide recommends, with the addresses of this test. */
function guided(): string {
  const guide = readFileSync(new URL('../docs/guides/operate.md', import.meta.url), 'utf8')
  const [, block = ''] = /^```nginx\n(stream \{.*?)^```/ms.exec(guide) ?? []
  const changed = block
    .replace('listen 443;', `listen 127.0.0.1:${frontPort};`)
    .replace('proxy_pass 192.0.2.10:9444;', `proxy_pass 127.0.0.1:${portOf(sandbox)};`)
  assert.ok(!/443;|192\.0\.2|9444/.test(changed) && changed.includes('proxy_protocol on;'), changed)
  return changed
}

/** An nginx that ends TLS and hands HTTP on, with the consumer's certificate: everything right but the path. */
const trap = (port: number, behind: Sandbox, certificates: string) => `server {
    listen 127.0.0.1:${port} ssl; server_name localhost;
    ssl_certificate ${folder}/front.pem; ssl_certificate_key ${folder}/front.key;
    location / {
      proxy_pass https://127.0.0.1:${portOf(behind)}/; proxy_bind ${trapAddress}; proxy_http_version 1.1;
      proxy_set_header Host localhost; proxy_set_header Connection "";
      proxy_ssl_certificate ${certificates}/right.pem; proxy_ssl_certificate_key ${certificates}/right.key;
      proxy_ssl_trusted_certificate ${behind.spine.platform.trust.files.bundle}; proxy_ssl_verify on;
      proxy_ssl_verify_depth 3; proxy_ssl_name localhost; proxy_ssl_server_name on;
    }
  }`

before(async () => {
  if (skip) return
  folder = mkdtempSync(join(tmpdir(), 'openspine-front-'))
  ;[sandbox, lenient] = await Promise.all([
    startSandbox({
      'proxy.trustedFrontEnds': ['127.0.0.1'],
      'proxy.hosts': ['gp.front.example=127.0.0.1', 'gp.broken.example=127.0.0.1'],
    }),
    startSandbox({ 'proxy.mergedSlashes': true }),
  ])
  const lenientFolder = join(folder, 'lenient')
  for (const one of ['lenient', 'www/A/DSTU2/1']) mkdirSync(join(folder, one), { recursive: true })
  await Promise.all([writeCertificates(sandbox, folder), writeCertificates(lenient, lenientFolder)])
  const { trust } = sandbox.spine.platform
  for (const [name, fqdn] of [
    ['front', 'localhost'],
    ['server', 'gp.front.example'],
  ] as const) {
    const issued = await trust.issue({ fqdn })
    writeFileSync(join(folder, `${name}.pem`), issued.certificate + issued.chain)
    writeFileSync(join(folder, `${name}.key`), String(issued.key))
  }
  const providerPort = await freePort()
  frontPort = await freePort()
  trapPort = await freePort()
  lenientTrapPort = await freePort()
  nginx = await startNginx(
    folder,
    [frontPort, providerPort, trapPort, lenientTrapPort],
    `load_module ${streamModule};
events { worker_connections 256; }
${guided()}
http {
  access_log off; client_max_body_size 0; ${temporaryPaths(folder)}
  server {
    listen 127.0.0.1:${providerPort} ssl; server_name gp.front.example; root ${folder}/www; dav_methods PUT DELETE; merge_slashes off;
    ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${trust.files.bundle}; ssl_verify_client on; ssl_verify_depth 3;
    location = /A/DSTU2/1/who { return 200 "$http_forwarded $request_uri"; }
  }
  ${trap(trapPort, sandbox, folder)}
  ${trap(lenientTrapPort, lenient, lenientFolder)}
}`,
  )
  provider = await register(sandbox, `https://gp.front.example:${providerPort}/A/DSTU2/1`)
  breaking = await fakeProvider(sandbox, 'gp.broken.example', (socket, path) => {
    if (path !== '/cut') return
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf', () => setTimeout(() => socket.destroy(), 50))
  })
  broken = await register(sandbox, `https://gp.broken.example:${breaking.port}/A/DSTU2/1`)
})
after(async () => {
  await nginx?.stop()
  breaking?.close()
  await Promise.all([sandbox?.stop(), lenient?.stop()])
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/** One request by curl, from an address of its own, through the front end. */
async function called(to: RegisteredProvider, path: string, kind = 'right', more: readonly string[] = []) {
  const trace = randomUUID()
  const headers = sspHeaders({ interaction: to.interaction, to: to.asid, traceId: trace })
  const { code, out } = await curl(
    sandbox,
    folder,
    kind,
    `https://localhost:${frontPort}/${to.endpoint}${path}`,
    headers,
    ['--interface', consumerAddress, ...more],
  )
  return { code, out, trace, headers }
}

describe('nginx that passes TCP through, as in the guide', () => {
  it('leaves mutual TLS and the target as they are, and the client’s address in audit and Forwarded', {
    skip,
  }, async () => {
    const { code, out, trace } = await called(provider, '/who?a=%7C|&b=//')
    assert.equal(code, 0, out)
    assert.match(out, /^HTTP\/1\.1 200 OK\r\n/)
    assert.ok(out.endsWith(`for=${consumerAddress};proto=https;by=_localhost /A/DSTU2/1/who?a=%7C|&b=//`), out)
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.deepEqual([facts['status'], facts['address']], [200, consumerAddress])
  })

  for (const [kind, status, check] of certificateStates)
    it(`a certificate that is ${kind}: ${status}`, { skip }, async () => {
      const { code, out, trace } = await called(provider, '/who', kind)
      assert.equal(code, 0, out)
      assert.match(out, new RegExp(`^HTTP/1\\.1 ${status} `))
      const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
      assert.deepEqual([facts['status'], facts['check'], facts['address']], [status, check, consumerAddress])
    })

  it('10 MB go and come byte for byte', { skip }, async () => {
    const body = Buffer.alloc(10 * megabyte)
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
    const sent = join(folder, 'sent.bin')
    const got = join(folder, 'got.bin')
    writeFileSync(sent, body)
    const put = await called(provider, '/large.bin', 'right', ['--upload-file', sent])
    assert.match(put.out, /HTTP\/1\.1 201 Created\r\n/)
    assert.ok(readFileSync(join(folder, 'www/A/DSTU2/1/large.bin')).equals(body))
    const get = await called(provider, '/large.bin', 'right', ['--no-include', '--output', got])
    assert.equal(get.code, 0, get.out)
    assert.ok(readFileSync(got).equals(body))
  })

  it('an answer that the provider breaks off is broken off for the consumer', { skip }, async () => {
    const { code, out, trace } = await called(broken, '/cut')
    // 18: partial file, 56: failure in receiving; never 0.
    assert.ok(code === 18 || code === 56, `${code}: ${out}`)
    assert.match(out, /half/)
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.deepEqual([facts['ending'], facts['check']], ['failed', 'provider'])
  })

  it('a request that the consumer breaks off is broken off for the provider', { skip }, async () => {
    const connection = await RawConnection.open(`https://localhost:${frontPort}`, {
      ...sandbox.material,
      localAddress: consumerAddress,
    })
    const { trace, bytes } = through(broken, '/hold', { method: 'PUT', headers: 'Content-Length: 1000000\r\n' })
    connection.send(bytes + 'x'.repeat(1000))
    while (!breaking?.seen.requests.some((path) => path.endsWith('/hold'))) await wait(10)
    connection.destroy()
    let rows = await rowsOf(sandbox, trace, 'proxy.request')
    for (let tries = 0; rows.length === 0 && tries < 200; tries++) {
      await wait(25)
      rows = await rowsOf(sandbox, trace, 'proxy.request')
    }
    assert.deepEqual(
      rows.map(({ facts }) => [facts['ending'], facts['status'], facts['address'], facts['bytesIn']]),
      [['consumer-left', 499, consumerAddress, 1000]],
    )
  })

  it('connections are kept through it', { skip }, async () => {
    const connection = await RawConnection.open(`https://localhost:${frontPort}`, {
      ...sandbox.material,
      localAddress: consumerAddress,
    })
    for (let i = 0; i < 3; i++) {
      const { trace, bytes } = through(provider, '/who')
      connection.send(bytes)
      assert.match(String((await connection.answer())?.body), new RegExp(`^for=${consumerAddress};`))
      assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['address'], consumerAddress)
    }
    connection.destroy()
  })

  it('whoever comes from its address without its header is closed', { skip }, async () => {
    const url = `https://localhost:${portOf(sandbox)}`
    await assert.rejects(RawConnection.open(url, sandbox.material))
    const other = await RawConnection.open(url, { ...sandbox.material, localAddress: consumerAddress })
    other.send(through(provider, '/who').bytes)
    assert.match(String((await other.answer())?.body), new RegExp(`^for=${consumerAddress};`))
    other.destroy()
    await once(other.socket, 'close')
  })
})

describe('nginx that ends TLS and merges slashes', () => {
  const ask = async (behind: Sandbox, port: number) => {
    const { ca } = sandbox.material
    const connection = await RawConnection.open(`https://localhost:${port}`, { ca })
    const { trace, bytes } = metadata(behind)
    connection.send(bytes)
    const answer = await connection.answer()
    connection.destroy()
    assert.ok(answer)
    return { answer, trace }
  }

  it('is answered 400, and the explanation names it', { skip }, async () => {
    const { answer, trace } = await ask(sandbox, trapPort)
    const text = 'The target URL is missing or malformed'
    assert.equal(answer.status, 400)
    assert.deepEqual(outcomeOf(answer), {
      severity: 'error',
      issue: 'invalid',
      system: 'http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0',
      code: '400',
      display: text,
      diagnostics: text,
    })
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.deepEqual([facts['check'], facts['address']], ['target', trapAddress])
    assert.match(String(facts['target']), /^\/?https:\/localhost/)
    assert.match(String(facts['explanation']), /likely cause is a front end that normalises paths \(nginx/)
    assert.match(String(facts['explanation']), /pass TCP through, or accept merged slashes with proxy\.mergedSlashes/)
  })

  it('is served where merged slashes are accepted', { skip }, async () => {
    const { answer, trace } = await ask(lenient, lenientTrapPort)
    assert.equal(answer.status, 200)
    assert.equal((json(answer) as { resourceType?: string }).resourceType, 'Conformance')
    const { facts } = await onlyRow(lenient, trace, 'proxy.request')
    assert.equal(facts['target'], `${serviceRootOf(lenient)}/metadata`)
  })
})
