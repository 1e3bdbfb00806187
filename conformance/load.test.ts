/** Much at once: bodies far larger than the memory that relays them, and connections that only sit there. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { ask } from './raw-http.ts'
import { directoryConnection } from './raw-ldap.ts'
import { fakeProvider, register, through } from './raw-provider.ts'
import { careRecord, onlyRow } from './raw-request.ts'
import { metadataInteraction, type Sandbox, sspHeaders, startSandbox } from './sandbox.ts'

const megabyte = 1 << 20

let sandbox: Sandbox
before(async () => {
  // A connection that is only opened has so long as a head may take: beside other work, a thousand take longer.
  sandbox = await startSandbox({ 'proxy.headSeconds': 300 })
})
after(() => sandbox?.stop())

it('relays a body of 200 MB with flat memory', async (t) => {
  const size = 200 * megabyte
  const block = Buffer.alloc(megabyte, 'openspine')
  const fake = await fakeProvider(sandbox, 'localhost', (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`)
    let left = size
    const more = () => {
      while (left > 0) {
        left -= block.length
        if (!socket.write(block)) {
          socket.once('drain', more)
          return
        }
      }
    }
    more()
  })
  t.after(() => fake.close())
  const provider = await register(sandbox, `https://localhost:${fake.port}/Z/DSTU2/1`)

  // A consumer in a process of its own: its memory is not ours.
  const { dataDir, trust } = sandbox.spine.platform
  const at = (name: string) => join(dataDir, name)
  writeFileSync(at('client.pem'), sandbox.material.cert)
  writeFileSync(at('client.key'), sandbox.material.key)
  const { trace } = through(provider, '')
  const headers = sspHeaders({ interaction: metadataInteraction, to: provider.asid, traceId: trace })
  const began = process.memoryUsage().rss
  let most = began
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 20)
  const curl = spawn(
    'curl',
    [
      ...['--silent', '--show-error', '--fail', '--path-as-is', '-4', '--cacert', trust.files.bundle],
      ...['--cert', at('client.pem'), '--key', at('client.key'), '-o', '/dev/null', '-w', '%{size_download}'],
      ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      `${sandbox.spine.urls['proxy']}/${provider.endpoint}/big`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  curl.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const [code] = await once(curl, 'close')
  clearInterval(watch)
  assert.equal(code, 0)
  assert.equal(printed, String(size))
  const grown = (most - began) / megabyte
  assert.ok(grown < 80, `memory grew by ${grown.toFixed(0)} MB`)
  const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
  assert.deepEqual([facts['ending'], facts['bytesOut']], ['relayed', size])
})

it('a thousand idle connections at proxy and directory do not hinder a request', async () => {
  const { urls } = sandbox.spine
  const idle: TLSSocket[] = []
  const open = async (url: string, count: number) => {
    const tls: ConnectionOptions = {
      ...sandbox.material,
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      servername: 'localhost',
    }
    let session: Buffer | undefined
    const one = async () => {
      const socket = connect({ ...tls, ...(session === undefined ? {} : { session }) })
      socket.on('session', (given) => {
        session = given
      })
      socket.on('error', () => {})
      await once(socket, 'secureConnect')
      idle.push(socket)
    }
    // The first alone, so that the others can resume its session.
    await one()
    for (let i = 1; i < count; i += 50) await Promise.all(Array.from({ length: Math.min(50, count - i) }, one))
  }
  try {
    await open(String(urls['proxy']), 500)
    await open(String(urls['directory']), 500)
    assert.equal(idle.filter((socket) => !socket.destroyed).length, 1000)
    const { trace, bytes } = careRecord(sandbox)
    assert.equal((await ask(String(urls['proxy']), sandbox.material, bytes)).status, 200)
    await onlyRow(sandbox, trace, 'proxy.request')
    const directory = await directoryConnection(sandbox)
    directory.search({})
    assert.equal((await directory.result())?.entries, 1)
    directory.destroy()
    // They were really there all the time.
    assert.equal(idle.filter((socket) => !socket.destroyed && socket.readyState === 'open').length, 1000)
  } finally {
    for (const socket of idle) socket.destroy()
  }
})
