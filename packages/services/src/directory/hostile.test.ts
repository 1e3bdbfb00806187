import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { IssuedCertificate } from '@openspine/platform/trust'
import { encodeRequest, parseFilter, resultCodes, type SearchRequest } from '@openspine/standards/ldap'
import { plainClient, WireClient } from './testing/wire.ts'
import { accreditedSystem, put, samples, startDirectory, structured, type TestDirectory } from './testing.ts'

const search = (change: Partial<SearchRequest> = {}, id = 1): Buffer =>
  encodeRequest({
    id,
    operation: {
      op: 'search',
      base: 'ou=services,o=nhs',
      scope: 2,
      derefAliases: 0,
      sizeLimit: 0,
      timeLimit: 0,
      typesOnly: false,
      filter: parseFilter('(nhsIDCode=YES)'),
      attributes: ['1.1'],
      ...change,
    },
    controls: [],
  })

const plain = (running: TestDirectory) => plainClient(running.plainPort ?? 0)

async function secure(
  running: TestDirectory,
  certificate: IssuedCertificate,
  session?: Buffer,
): Promise<WireClient & { socket: TLSSocket }> {
  const socket = connectTls({
    port: running.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: readFileSync(running.platform.trust.files.bundle),
    cert: certificate.certificate,
    key: certificate.key,
    ...(session === undefined ? {} : { session }),
  })
  const client = new WireClient(socket) as WireClient & { socket: TLSSocket }
  await once(socket, 'secureConnect')
  return client
}

/** What this thread, the server's too, has worked since then: ms of the processor. */
function worked(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since)
  return (user + system) / 1000
}

/** The server still answers. */
async function lives(running: TestDirectory): Promise<void> {
  const client = await plain(running)
  client.socket.write(search())
  await client.until(() => client.results.length === 1)
  client.socket.destroy()
}

test('hostile bytes cost the connection that sends them and nothing else', async (t) => {
  const running = await startDirectory({ plainPort: 0, partialSeconds: 0.2, idleSeconds: 30 })
  t.after(() => running.close())
  await running.service.contract.apply(samples, 'tester')

  await t.test('a message of a gigabyte', async () => {
    const client = await plain(running)
    client.socket.write(Buffer.from('3084400000000201', 'hex'))
    await client.closed
    assert.equal(client.notice, resultCodes.protocolError)
  })
  await t.test('another protocol', async () => {
    const client = await plain(running)
    client.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await client.closed
    assert.equal(client.notice, resultCodes.protocolError)
  })
  await t.test('half a message, then silence', async () => {
    const client = await plain(running)
    client.socket.write(search().subarray(0, 20))
    await client.closed
    assert.equal(client.notice, resultCodes.protocolError)
  })
  await t.test('a message a byte at a time', async () => {
    const client = await plain(running)
    for (const byte of search()) client.socket.write(Buffer.of(byte))
    await client.until(() => client.results.length === 1)
    client.socket.destroy()
  })
  await t.test('a filter nested 10 000 deep', async () => {
    const client = await plain(running)
    const header = (tag: number, length: number) => {
      const out = Buffer.alloc(6)
      out[0] = tag
      out[1] = 0x84
      out.writeUInt32BE(length, 2)
      return out
    }
    let filter = Buffer.concat([Buffer.from('87', 'hex'), Buffer.of(1), Buffer.from('o')])
    for (let i = 0; i < 10_000; i++) filter = Buffer.concat([header(0xa2, filter.length), filter])
    const body = Buffer.concat([
      Buffer.from('04056f3d6e68730a01020a01000201000201000101 00'.replace(' ', ''), 'hex'),
      filter,
      Buffer.from('3000', 'hex'),
    ])
    const operation = Buffer.concat([header(0x63, body.length), body])
    const message = Buffer.concat([Buffer.from('020107', 'hex'), operation])
    client.socket.write(Buffer.concat([header(0x30, message.length), message, search({}, 8)]))
    await client.until(() => client.results.length === 2)
    const codes = client.results.map(({ id, operation: done }) => [id, 'result' in done ? done.result.code : -1])
    assert.deepEqual(codes, [
      [7, resultCodes.adminLimitExceeded],
      [8, resultCodes.success],
    ])
    client.socket.destroy()
  })
  await t.test('an OR of 3000 terms, and an attribute that nobody knows', async () => {
    const client = await plain(running)
    const or = `(|${Array.from({ length: 3000 }, (_, i) => `(nhsIDCode=Z${i})`).join('')}(nhsIDCode=YES)(nosuch=1))`
    client.socket.write(search({ filter: parseFilter(or) }))
    await client.until(() => client.results.length === 1)
    assert.equal(client.messages.length, 3)
    client.socket.destroy()
  })
  await t.test('the largest message id, and a length of more bytes than it needs', async () => {
    const client = await plain(running)
    const pdu = search({}, 2 ** 31 - 1)
    assert.ok((pdu[1] ?? 0xff) < 0x80)
    client.socket.write(Buffer.concat([Buffer.from([0x30, 0x84, 0, 0, 0, pdu[1] ?? 0]), pdu.subarray(2)]))
    await client.until(() => client.results.length === 1)
    assert.deepEqual(new Set(client.messages.map(({ id }) => id)), new Set([2 ** 31 - 1]))
    client.socket.destroy()
  })
  await t.test('1000 requests in one write', async () => {
    const client = await plain(running)
    client.socket.write(Buffer.concat(Array.from({ length: 1000 }, (_, i) => search({}, i + 1))))
    await client.until(() => client.results.length === 1000)
    assert.deepEqual(
      client.results.map(({ id }) => id),
      Array.from({ length: 1000 }, (_, i) => i + 1),
    )
    client.socket.destroy()
  })
  await t.test('a client that vanishes in the middle of an answer', async () => {
    const client = await plain(running)
    client.socket.write(search({ filter: parseFilter('(objectClass=*)'), attributes: ['*'] }))
    client.socket.destroy()
    await lives(running)
  })
  await lives(running)
})

test('a client that does not read holds up nobody and is let go', async (t) => {
  const running = await startDirectory({ plainPort: 0, idleSeconds: 2, sizeLimit: 100_000, organisations: 'never' })
  t.after(() => running.close())
  const systems = Array.from({ length: 3000 }, (_, i) =>
    put(
      accreditedSystem({
        asid: String(200_000_500_000 + i),
        odsCode: 'YES',
        partyKey: 'YES-0000806',
        interactions: [structured],
        more: { description: ['x'.repeat(2000)] },
      }),
    ),
  )
  await running.service.contract.apply(systems, 'tester')
  const stuck = await plain(running)
  stuck.socket.pause()
  for (let i = 0; i < 5; i++) stuck.socket.write(search({ attributes: ['*'] }, i + 1))
  const other = await plain(running)
  const started = process.threadCpuUsage()
  other.socket.write(search({ filter: parseFilter('(uniqueIdentifier=200000500007)') }))
  await other.until(() => other.results.length === 1)
  assert.ok(worked(started) < 2000)
  // All of it goes to someone who reads, in order and complete.
  const reader = await plain(running)
  reader.socket.write(search({ attributes: ['*'] }))
  await reader.until(() => reader.results.length === 1)
  assert.equal(reader.messages.length, 3001)
  await other.closed
  assert.equal(other.notice, resultCodes.unavailable)
  stuck.socket.resume()
  await stuck.closed
  assert.ok(stuck.results.length < 5)
})

test('a hundred long searches on one connection leave room for a look-up on another', async (t) => {
  const running = await startDirectory({ plainPort: 0, organisations: 'never' })
  t.after(() => running.close())
  const systems = Array.from({ length: 1000 }, (_, i) =>
    put(
      accreditedSystem({
        asid: String(200_000_500_000 + i),
        odsCode: 'YES',
        partyKey: 'YES-0000806',
        interactions: [structured],
      }),
    ),
  )
  await running.service.contract.apply(systems, 'tester')
  const greedy = await plain(running)
  const scan = parseFilter('(nhsAsSvcIA=*nowhere*)')
  greedy.socket.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => search({ filter: scan }, i + 1))))
  await greedy.until(() => greedy.results.length >= 1)
  const quick = await plain(running)
  quick.socket.write(search({ filter: parseFilter('(uniqueIdentifier=200000500008)') }))
  await quick.until(() => quick.results.length === 1)
  assert.ok(greedy.results.length < 100, 'the look-up did not wait for the hundred')
  for (const { socket } of [greedy, quick]) socket.destroy()
})

test('1000 idle connections are held, and more than allowed are refused', async (t) => {
  const running = await startDirectory({ plainPort: 0, maxConnections: 1002 })
  t.after(() => running.close())
  await running.service.contract.apply(samples, 'tester')
  const idle: WireClient[] = []
  for (let i = 0; i < 10; i++) idle.push(...(await Promise.all(Array.from({ length: 100 }, () => plain(running)))))
  t.after(() => {
    for (const { socket } of idle) socket.destroy()
  })
  const started = process.threadCpuUsage()
  await lives(running)
  assert.ok(worked(started) < 2000)
  const extra = [await plain(running), await plain(running), await plain(running)]
  await extra[2]?.closed
  const last = idle.at(-1)
  last?.socket.write(search())
  await last?.until(() => last.results.length === 1)
  for (const { socket } of extra) socket.destroy()
})

test('a revoked client is cut off while connected, and when it comes back with its old session', async (t) => {
  const running = await startDirectory()
  t.after(() => running.close())
  const { trust } = running.platform
  await running.service.contract.apply(samples, 'tester')
  for (const [fqdn, maxVersion] of [
    ['one.example.nhs.uk', 'TLSv1.2'],
    ['two.example.nhs.uk', 'TLSv1.3'],
  ] as const) {
    const certificate = await trust.issue({ fqdn })
    const connected = await secure(running, certificate)
    let session: Buffer | undefined = connected.socket.getSession()
    connected.socket.on('session', (fresh: Buffer) => {
      session = fresh
    })
    connected.socket.write(search())
    await connected.until(() => connected.results.length === 1)
    const resumed = await secure(running, certificate, session)
    resumed.socket.write(search())
    await resumed.until(() => resumed.results.length === 1)
    assert.equal(resumed.socket.isSessionReused(), true, maxVersion)

    await trust.revoke(fqdn)
    await Promise.all([connected.closed, resumed.closed])
    assert.equal(connected.notice, resultCodes.strongerAuthRequired)
    assert.equal(resumed.notice, resultCodes.strongerAuthRequired)

    const back = await secure(running, certificate, session).catch(() => undefined)
    if (back !== undefined) {
      back.socket.write(search())
      await back.closed
      assert.equal(back.results.length, 0, 'no answer for a revoked client')
    }
  }
})

test('a shutdown lets answers finish and says goodbye to the others', async () => {
  const running = await startDirectory({ plainPort: 0 })
  await running.service.contract.apply(samples, 'tester')
  const idle = await plain(running)
  idle.socket.write(search())
  await idle.until(() => idle.results.length === 1)
  await running.close()
  await idle.closed
  assert.equal(idle.notice, resultCodes.unavailable)
})
