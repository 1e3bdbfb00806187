/** A graceful end: what is in flight is finished, what is new is refused, and nobody can hold it up for ever. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { RawConnection } from './raw-http.ts'
import { directoryConnection } from './raw-ldap.ts'
import { fakeProvider, register, through } from './raw-provider.ts'
import { careRecord, nhsNumber } from './raw-request.ts'
import { startSandbox } from './sandbox.ts'

const refusedAt = async (url: string) => {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  return error.code
}

describe('stop()', () => {
  it('finishes requests in flight at every door, refuses new ones, and resolves', async (t) => {
    const sandbox = await startSandbox({ stopSeconds: 10 })
    const { urls } = sandbox.spine
    const url = (door: string) => String(urls[door])
    const asked = Promise.withResolvers<TLSSocket>()
    const fake = await fakeProvider(sandbox, 'localhost', (socket) => asked.resolve(socket))
    t.after(() => fake.close())
    const provider = await register(sandbox, `https://localhost:${fake.port}/Z/DSTU2/1`)
    const { certificate, chain, key } = await sandbox.spine.platform.trust.identity('proxy.spine.localhost')

    // At the proxy: a provider that has not answered yet.
    const relayed = await RawConnection.open(url('proxy'), sandbox.material)
    const { trace, bytes } = through(provider, '/slow')
    relayed.send(bytes)
    // At the practice and at PDS: a body of which the half has come.
    const practice = await RawConnection.open(url('practice'), {
      ca: sandbox.material.ca,
      cert: certificate + chain,
      key,
    })
    const record = careRecord(sandbox, {}, 'practice').bytes
    practice.send(record.subarray(0, -50))
    const pds = await RawConnection.open(url('api'), { ca: sandbox.material.ca })
    const head = `PATCH /personal-demographics/FHIR/R4/Patient/${nhsNumber} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: 60e0b220-8136-4ca5-ae46-1d97ef59d068\r\nContent-Length: 10\r\n\r\n`
    pds.send(`${head}12345`)
    // Connections that ask nothing: they are let go at once.
    const idle = await Promise.all([
      RawConnection.open(url('proxy'), sandbox.material),
      RawConnection.open(url('api'), { ca: sandbox.material.ca }),
      directoryConnection(sandbox),
    ])
    const [, apiAsked] = idle
    apiAsked.send('GET /_ping HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert.equal((await apiAsked.answer())?.status, 200)
    const socket = await asked.promise

    const order: string[] = []
    const audited = sandbox.spine.platform.audit
    const stopped = sandbox.stop().then(() => order.push('stopped'))
    const rows = audited.find({ trace, limit: 1 })
    const [proxyIdle, apiIdle, directoryIdle] = idle
    await Promise.all([proxyIdle.closed, apiIdle.closed])
    assert.equal((await directoryIdle.end()).notice, 52)
    for (const door of ['proxy', 'practice', 'api', 'directory'])
      assert.equal(await refusedAt(url(door)), 'ECONNREFUSED', door)

    assert.deepEqual(await rows, [], 'not answered, so not on record yet')
    assert.deepEqual(order, [])
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')
    const answer = await relayed.answer()
    assert.deepEqual([answer?.status, answer?.body.toString()], [200, 'good'])
    practice.send(record.subarray(-50))
    assert.equal((await practice.answer())?.status, 200)
    pds.send('67890')
    assert.equal((await pds.answer())?.status, 412)
    await Promise.all([relayed.closed, practice.closed, pds.closed])
    await stopped
  })

  it('does not wait longer than stopSeconds for those who never finish', async (t) => {
    const sandbox = await startSandbox({ stopSeconds: 0.3 })
    const { urls } = sandbox.spine
    const asked = Promise.withResolvers<void>()
    const fake = await fakeProvider(sandbox, 'localhost', () => asked.resolve())
    t.after(() => fake.close())
    const provider = await register(sandbox, `https://localhost:${fake.port}/Z/DSTU2/1`)
    const stuck = await RawConnection.open(String(urls['proxy']), sandbox.material)
    stuck.send(through(provider, '/never').bytes)
    const half = await RawConnection.open(String(urls['api']), { ca: sandbox.material.ca })
    half.send('GET / HTTP/1.1\r\nHost: a\r\n')
    const silent = connect({ host: '127.0.0.1', port: Number(new URL(String(urls['practice'])).port) })
    silent.on('error', () => {})
    const gone = once(silent, 'close')
    await asked.promise
    const began = performance.now()
    await sandbox.stop()
    assert.ok(performance.now() - began < 4000, `${performance.now() - began} ms`)
    assert.equal(await stuck.answer().catch(() => undefined), undefined)
    await Promise.all([stuck.closed, half.closed, gone])
  })

  it('may be called twice', async () => {
    const { spine } = await startSandbox()
    assert.equal(spine.stop(), spine.stop())
    await spine.stop()
  })
})
