import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { interactionToken } from '@openspine/standards/audit-token'
import { endpoints } from './endpoints.ts'

describe('endpoints', () => {
  it('want the tokens that consumers make for their interactions', () => {
    assert.ok(endpoints.length > 0)
    for (const { interaction, scope, migrate = false } of endpoints) {
      const wanted = interactionToken(interaction)
      assert.ok(wanted, interaction)
      assert.deepEqual([scope, migrate], [wanted.scope, wanted.migrate], interaction)
    }
  })
})
