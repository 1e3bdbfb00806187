/** `startSpine` inside someone's own test: isolated, and gone when it is stopped. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { test } from 'node:test'
import { startSpine } from 'openspine'

test('two Spines in one process do not meet, and leave nothing behind', async () => {
  const first = await startSpine()
  const second = await startSpine()
  assert.notEqual(first.platform.dataDir, second.platform.dataDir)
  assert.notEqual(first.urls['api'], second.urls['api'])
  const ping = (spine: typeof first, ca: string) =>
    new Promise<number | string>((resolve) => {
      request(`${spine.urls['api']}/_ping`, { ca, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
        .end()
    })
  const ca = (spine: typeof first) => readFileSync(spine.platform.trust.files.bundle, 'utf8')
  assert.equal(await ping(first, ca(first)), 200)
  assert.notEqual(await ping(second, ca(first)), 200, 'each has a CA of its own')
  await Promise.all([first.stop(), second.stop()])
  assert.ok(!existsSync(first.platform.dataDir) && !existsSync(second.platform.dataDir))
  assert.match(String(await ping(first, '')), /ECONNREFUSED/)
})
