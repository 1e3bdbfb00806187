import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRandom as random } from './clock.ts'
import { openSealing, sealingWith } from './sealing.ts'

test('what is sealed is opened with the same key for the same purpose alone', () => {
  const sealing = sealingWith('one secret', random)
  const sealed = sealing.seal('a private key', 'key 1')
  assert.ok(sealing.isSealed(sealed) && !sealed.includes('private'))
  assert.notEqual(sealed, sealing.seal('a private key', 'key 1'), 'never the same twice')
  assert.equal(sealing.open(sealed, 'key 1'), 'a private key')
  assert.throws(() => sealing.open(sealed, 'key 2'), { code: 'STORE_SEALED' })
  assert.throws(() => sealingWith('another', random).open(sealed, 'key 1'), { code: 'STORE_SEALED' })
  const changed = `${sealed.slice(0, -6)}${sealed.at(-6) === 'A' ? 'B' : 'A'}${sealed.slice(-5)}`
  assert.throws(() => sealing.open(changed, 'key 1'), { code: 'STORE_SEALED' })
  assert.throws(() => sealing.open('sealed:1:', 'key 1'), { code: 'STORE_SEALED' })
  assert.equal(sealing.open('as it stood before', 'key 1'), 'as it stood before')
})

test('the key of a data folder is made once, for its owner alone; a setting goes before it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'openspine-sealing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const first = openSealing({ secret: '', folder, random })
  const sealed = first.seal('text', 'p')
  assert.equal(openSealing({ secret: '', folder, random }).open(sealed, 'p'), 'text')
  assert.equal(statSync(join(folder, 'sealing.key')).mode & 0o777, 0o600)
  assert.throws(() => openSealing({ secret: 'x'.repeat(32), folder, random }).open(sealed, 'p'), {
    code: 'STORE_SEALED',
  })
})
