/** kill -9 in the middle of load: the audit verifies, and nothing that was acknowledged is missing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { createClient } from '@openspine/client'
import { Environment } from './openspine-process.ts'
import { RawConnection } from './raw-http.ts'
import { metadata } from './raw-request.ts'
import { consumer } from './sandbox.ts'

let environment: Environment
before(async () => {
  environment = await Environment.create()
})
after(() => environment?.remove())

// Five processes one after the other: on a machine that is busy with other things that takes its time.
it('loses no acknowledged request', { timeout: 300_000 }, async () => {
  const server = await environment.start('start', '--demo')
  const { settings, dataDir } = environment
  const issued = JSON.parse((await environment.run('cert', 'show', consumer.fqdn, '--json')).stdout)
  assert.equal(issued.length, 1)
  const folder = join(dataDir, 'trust', 'identities', consumer.fqdn)
  const tls = {
    ca: readFileSync(join(dataDir, 'trust', 'ca-bundle.pem'), 'utf8'),
    cert: readFileSync(join(folder, 'full-chain.pem'), 'utf8'),
    key: readFileSync(join(folder, 'key.pem'), 'utf8'),
  }
  const proxyUrl = `https://localhost:${settings['OPENSPINE_PROXY_PORT']}`
  const client = createClient({
    pdsUrl: `https://localhost:${settings['OPENSPINE_API_PORT']}/personal-demographics/FHIR/R4`,
    directoryUrl: `ldaps://localhost:${settings['OPENSPINE_DIRECTORY_PORT']}`,
    proxyUrl,
    tls,
    asid: consumer.asid,
    organisation: consumer.organisation,
    system: consumer.system,
    retries: 0,
  })
  const session = client.session(consumer)
  const acknowledged: string[] = []
  let down = false
  const worker = async () => {
    while (!down) {
      try {
        const record = await session.careRecord({ nhsNumber: '9990548609', odsCode: 'A20047', section: 'ALL' })
        acknowledged.push(record.traceId)
        const traced = await session.trace({ nhsNumber: '9990548609' })
        acknowledged.push(traced.requestId)
      } catch {
        return
      }
    }
  }
  // On kept connections, four ahead: answers of the provider, refusals and pre-flights, in turn.
  const where = {
    spine: { urls: { proxy: proxyUrl, practice: `https://localhost:${settings['OPENSPINE_PRACTICE_PORT']}` } },
  }
  const statuses = new Set<number>()
  const pipeline = async () => {
    try {
      const connection = await RawConnection.open(proxyUrl, tls)
      while (!down) {
        const asked = [{}, { headers: { 'Ssp-To': '200000999999' } }, { method: 'OPTIONS' }, {}].map((change) =>
          metadata(where, change),
        )
        connection.send(Buffer.concat(asked.map(({ bytes }) => bytes)))
        for (const { trace } of asked) {
          const answer = await connection.answer()
          if (answer === undefined) return
          acknowledged.push(trace)
          statuses.add(answer.status)
        }
      }
    } catch {
      return
    }
  }
  const workers = [...Array.from({ length: 8 }, worker), ...Array.from({ length: 4 }, pipeline)]
  while (acknowledged.length < 1000) await new Promise((resolve) => setImmediate(resolve))
  server.process.kill('SIGKILL')
  await once(server.process, 'exit')
  down = true
  await Promise.all(workers)
  await client.close()
  assert.deepEqual([...statuses].sort(), [200, 403])

  const again = await environment.run('start', '--once')
  assert.equal(again.code, 0, again.stderr)
  const verified = await environment.run('audit', 'verify', '--json')
  assert.equal(verified.code, 0, verified.stdout)
  const tail = await environment.run('audit', 'tail', '-n', '10000', '--json')
  const audited = new Set((JSON.parse(tail.stdout) as { trace?: string }[]).map(({ trace }) => trace))
  const missing = acknowledged.filter((trace) => !audited.has(trace))
  assert.deepEqual(missing, [], `${missing.length} of ${acknowledged.length} acknowledged requests are missing`)
})
