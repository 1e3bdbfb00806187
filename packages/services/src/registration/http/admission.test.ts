import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiCaller, Gateway } from '../../gateway/contract.ts'
import { registrars } from './admission.ts'

/** A gateway that knows two keys; in strict it refuses whoever has none, as the real one does. */
function gateway(profile: 'sandbox' | 'strict'): Gateway {
  const known: Readonly<Record<string, ApiCaller>> = {
    k1: { application: 'a-1', name: 'Registrar', key: 'x' },
    k2: { application: 'a-2', name: 'Reader', key: 'y' },
  }
  return {
    admit({ apikey }: { apikey: string | undefined }) {
      const caller = known[apikey ?? ''] ?? {}
      if (caller.application !== undefined || profile === 'sandbox') return { admitted: true, caller }
      const refusal = { reason: 'key-missing', status: 401, body: '', headers: {} } as const
      return { admitted: false, caller, refusal }
    },
  } as unknown as Gateway
}

const admit = (profile: 'sandbox' | 'strict', applications: readonly string[], apikey?: string) =>
  registrars({ gateway: gateway(profile), applications, profile })(apikey === undefined ? {} : { apikey })

test('in the sandbox anyone registers, in strict nobody, until applications are named', async () => {
  assert.equal(await admit('sandbox', []), 'sandbox')
  assert.equal(await admit('sandbox', [], 'k2'), 'Reader')
  assert.equal(await admit('strict', [], 'k1'), undefined)
  assert.equal(await admit('strict', []), undefined)
})

test('where applications are named they alone register, in either profile', async () => {
  for (const profile of ['sandbox', 'strict'] as const) {
    assert.equal(await admit(profile, ['a-1'], 'k1'), 'Registrar')
    assert.equal(await admit(profile, ['a-1'], 'k2'), undefined)
    assert.equal(await admit(profile, ['a-1']), undefined)
  }
})
