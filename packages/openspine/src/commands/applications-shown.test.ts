import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Application, KeyUse } from '@openspine/services/gateway/contract'
import { keyLines, written } from './applications-shown.ts'

const application: Application = {
  id: 'b7c5d1f0-0000-4000-8000-000000000001',
  name: 'Ward App',
  createdAt: Date.parse('2026-11-01T00:00:00Z'),
  status: 'approved',
  keys: [{ id: 'key-1', kind: 'application', createdAt: Date.parse('2026-11-01T00:00:00Z'), hasSecret: true }],
  subscriptions: [],
  publicKeys: { url: 'https://ward.example/jwks' },
}
const at = Date.parse('2026-11-25T12:00:00Z')
const use = (kind: KeyUse['kind'], name: string): KeyUse => ({ kind, name, firstUsedAt: at, lastUsedAt: at })

it('openspine app shows when keys, secrets and public keys were used last', () => {
  const uses = [use('key', 'key-1'), use('secret', 'key-1'), use('kid', 'test-1'), use('key', 'another')]
  assert.deepEqual(keyLines({ application, uses }), [
    'public keys at https://ward.example/jwks',
    'public key test-1  last used 2026-11-25',
  ])
  const [key] = written({ application, uses }).keys
  assert.deepEqual([key?.lastUsedAt, key?.secretLastUsedAt], ['2026-11-25T12:00:00.000Z', '2026-11-25T12:00:00.000Z'])
  const [unused] = written({ application, uses: [] }).keys
  assert.equal(unused && 'lastUsedAt' in unused, false)
})
