/** `openspine token` as a user meets it: what is made is right, what is wrong is named, and the exit codes tell. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { Environment } from './openspine-process.ts'

let environment: Environment
before(async () => {
  environment = await Environment.create()
})
after(() => environment?.remove())

const root = 'https://gp.example.test/A20047/STU3/1/gpconnect'

describe('openspine token', () => {
  it('makes a token in which it finds no fault', async () => {
    const interaction = ['--interaction', 'gpconnect:fhir:rest:search:slot-1']
    const token = await environment.run('token', 'make', ...interaction, '--endpoint', root)
    assert.equal(token.code, 0, token.stderr)
    assert.match(token.stdout, /^[\w-]+\.[\w-]+\.\n$/)
    const held = `Authorization: Bearer ${token.stdout}`
    const lint = await environment.runOn(held, 'token', 'lint', '-', '--json', ...interaction, '--audience', root)
    assert.equal(lint.code, 0, lint.stdout)
    const { variant, findings, ok } = JSON.parse(lint.stdout)
    assert.deepEqual([variant, findings, ok], ['gpconnect-1.2', [], true])
  })

  it('names every fault of a token in a file, and ends with 1', async () => {
    const file = join(environment.dataDir, 'request.txt')
    const iat = Math.floor(Date.now() / 1000)
    const token = writeUnsecuredToken({ iss: 'https://x.test', sub: 'u-1', aud: root, iat, exp: iat + 60 })
    writeFileSync(file, `GET /metadata HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    const lint = await environment.run('token', 'lint', file)
    assert.equal(lint.code, 1, lint.stderr)
    for (const part of [
      /✖ exp {2}/,
      /✖ reason_for_request/,
      /✖ requesting_device/,
      /found {2}60 seconds/,
      /a service refuses/,
    ])
      assert.match(lint.stdout, part)
    assert.equal(lint.stderr, '')
  })

  it('says how it wants to be used, and ends with 2', async () => {
    const ran = await environment.run('token', 'lint', 'no-such-file.txt')
    assert.equal(ran.code, 2, ran.stdout)
    assert.match(ran.stderr, /There is no file no-such-file\.txt\. {2}\[USAGE\]/)
  })
})
