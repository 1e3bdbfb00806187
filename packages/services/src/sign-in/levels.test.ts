import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acrAsked, acrMet, authenticators, vectorMet, vtrAsked } from './levels.ts'

test('acr_values: the table of §3.2', () => {
  const accepted = (asked: string) =>
    authenticators.filter(({ value }) => acrMet(acrAsked(asked) ?? [], value) !== undefined).map(({ value }) => value)
  assert.deepEqual(accepted(''), ['AAL3_SMARTCARD', 'AAL3_FIDO2', 'AAL3_IOS'])
  assert.deepEqual(accepted('AAL2_ANY'), ['AAL2_TOTP', 'AAL2_NHSMAIL'])
  assert.equal(accepted('AAL2_OR_AAL3_ANY').length, 5)
  assert.deepEqual(accepted('AAL1_USERPASS'), ['AAL1_USERPASS'])
  assert.deepEqual(accepted('AAL3_N3_SMARTCARD AAL3_IOS'), ['AAL3_SMARTCARD', 'AAL3_IOS'])
  assert.equal(acrAsked('AAL3_ANY constructor'), undefined)
  assert.equal(acrMet(['AAL3_ANY'], undefined), undefined)
})

test('vectors of trust are OR-ed, their parts AND-ed, and a missing part is any', () => {
  const met = (asked: string | undefined, signOn: string) => vectorMet(vtrAsked(asked) ?? [], signOn)
  assert.equal(met(undefined, 'P9.Cp.Cd'), 'P9.Cp.Cd')
  assert.equal(met(undefined, 'P9.Cm'), 'P9.Cm')
  assert.equal(met(undefined, 'P5.Cp.Cd'), undefined)
  assert.equal(met('["P5.Cp.Cd","P9.Cp"]', 'P9.Cp.Cd'), 'P9.Cp')
  assert.equal(met('["P5"]', 'P5.Cm'), 'P5')
  assert.equal(met('["Cp.Ck"]', 'P0.Cp.Ck'), 'Cp.Ck')
  assert.equal(met('["P5.Cp.Cd"]', 'P9.Cp.Cd'), undefined)
  for (const wrong of ['', '[]', '{}', '["P9.Cp.Cd",1]', '["P9.Cx"]', '["P10"]', '["P9.Cp.Cd.Ck"]', '"P9"'])
    assert.equal(vtrAsked(wrong), undefined, wrong)
})
