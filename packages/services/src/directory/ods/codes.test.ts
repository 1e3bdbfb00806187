import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { odsCodes } from './codes.ts'
import { addressLines } from './organisation.ts'
import { fairUse } from './rate.ts'

const asked = { structural: 'nhsOrg', typeCode: '', type: '', subTypes: [] as readonly string[] }
const rolesOf = (about: Partial<typeof asked>, codes = odsCodes()) =>
  codes.kindOf({ ...asked, ...about }).roles.map(({ id }) => id)

test('roles by type code, role id, name of a type and object class, in this order; the primary role first', () => {
  assert.deepEqual(rolesOf({ structural: 'nhsGPPractice', typeCode: 'PR' }), ['RO177', 'RO76'])
  assert.deepEqual(rolesOf({ typeCode: 'RO182' }), ['RO182'])
  assert.deepEqual(rolesOf({ typeCode: 'ro76' }), ['RO177', 'RO76'])
  assert.deepEqual(rolesOf({ typeCode: '??', type: 'nhs trust' }), ['RO197'])
  assert.deepEqual(rolesOf({ structural: 'nhsSite' }), ['RO198'])
  assert.deepEqual(rolesOf({}), ['RO157'])
  assert.deepEqual(rolesOf({ typeCode: 'TR', subTypes: ['RO57', 'unknown', 'NHS TRUST'] }), ['RO197', 'RO57'])
  assert.deepEqual(rolesOf({ typeCode: 'RO99999' }), ['RO99999'])
  assert.equal(odsCodes().kindOf({ ...asked, structural: 'nhsDept' }).recordClass, 'RC2')
  for (const { id, under } of odsCodes().roles.values()) {
    assert.match(id, /^RO\d+$/)
    assert.ok(under === undefined || odsCodes().roles.get(under)?.primary, id)
  }
})

test('further codes come from a file; one that is wrong is named', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ods-codes-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = (content: string) => {
    const path = join(folder, `${content.length}.json`)
    writeFileSync(path, content)
    return path
  }
  const roles = [{ id: 'RO900', name: 'INVENTED CENTRE', primary: true }]
  const codes = odsCodes(file(JSON.stringify({ roles, typeCodes: { XX: 'RO900', PR: 'RO900' } })))
  assert.deepEqual(rolesOf({ typeCode: 'XX' }, codes), ['RO900'])
  assert.deepEqual(rolesOf({ typeCode: 'PR' }, codes), ['RO900'])
  assert.deepEqual(rolesOf({ type: 'Invented Centre' }, codes), ['RO900'])
  assert.equal(codes.role('RO900').name, 'INVENTED CENTRE')
  for (const wrong of ['{', '{"roles":[{"id":"X"}]}', '{"other":1}']) {
    const path = file(wrong)
    assert.throws(
      () => odsCodes(path),
      (error: Error & { code?: string }) => error.code === 'CONFIG_INVALID' && error.message.includes(path),
    )
  }
})

test('postal addresses: empty lines kept, escaped signs restored', () => {
  assert.deepEqual(addressLines('1 HIGH ST$$$TOWN$COUNTY'), ['1 HIGH ST', '', '', 'TOWN', 'COUNTY'])
  assert.deepEqual(addressLines('A\\24B $ C\\5cD'), ['A$B', 'C\\D'])
})

test('fair use counts each caller for itself, gives back with time, and 0 lets everybody', () => {
  const clock = manualClock(0)
  const wait = fairUse(2, clock)
  assert.deepEqual([wait('a'), wait('a'), wait('a'), wait('b')], [0, 0, 1, 0])
  clock.advance(500)
  assert.deepEqual([wait('a'), wait('a')], [0, 1])
  const slow = fairUse(0.1, clock)
  assert.deepEqual([slow('a'), slow('a')], [0, 10])
  for (let caller = 0; caller < 20_000; caller++) assert.equal(wait(`c${caller}`), 0)
  const open = fairUse(0, clock)
  for (let i = 0; i < 100; i++) assert.equal(open('a'), 0)
})
