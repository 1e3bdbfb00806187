import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deviceResource, endpointResources, sdsBundle } from './render.ts'

const about = { id: 'a4b1c7e0-0000-4000-8000-000000000001', self: 'https://x/Device?a=1|2', base: 'https://x' }
const uuid = fc.uuid()
const text = fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 12 }))

/** What JSON.stringify would write: the text is JSON, and its white space is two spaces a level. */
function assertWritten(bundle: string, total: number): void {
  assert.equal(JSON.stringify(JSON.parse(bundle), undefined, 2), bundle)
  assert.equal(JSON.parse(bundle).entry.length, total)
}

test('a bundle without entries', () => {
  assertWritten(sdsBundle([], about), 0)
})

test('any device is written as JSON, two spaces a level', () => {
  const device = fc.record({
    id: uuid,
    asid: text,
    partyKey: text,
    manufacturer: text,
    interactions: fc.array(text, { maxLength: 4 }),
    client: text,
  })
  fc.assert(
    fc.property(device, (record) => {
      const bundle = sdsBundle([deviceResource(record)], about)
      assertWritten(bundle, 1)
      const { resource } = JSON.parse(bundle).entry[0]
      assert.equal(resource.id, record.id.toUpperCase())
      assert.equal(resource.owner?.identifier.value ?? '', record.client)
      const values = (resource.extension ?? []).map(
        (each: { valueReference: { identifier: { value: string } } }) => each.valueReference.identifier.value,
      )
      assert.deepEqual(values, [...(record.manufacturer === '' ? [] : [record.manufacturer]), ...record.interactions])
    }),
  )
})

test('any endpoint is written as JSON, one resource for each address', () => {
  const endpoint = fc.record({
    id: uuid,
    odsCode: text,
    interaction: text,
    fqdn: text,
    partyKey: text,
    cpaId: text,
    uniqueIdentifier: text,
    addresses: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
    reliability: fc.record({
      nhsMHSSyncReplyMode: text,
      nhsMHSRetryInterval: text,
      nhsMHSRetries: fc.oneof(text, fc.constant('2'), fc.constant('007')),
      nhsMHSPersistDuration: text,
      nhsMHSDuplicateElimination: text,
      nhsMHSAckRequested: text,
      nhsMHSActor: text,
    }),
  })
  fc.assert(
    fc.property(endpoint, (record) => {
      const resources = endpointResources(record)
      assert.equal(resources.length, Math.max(1, record.addresses.length))
      const bundle = sdsBundle(resources, about)
      assertWritten(bundle, resources.length)
      assert.deepEqual(
        JSON.parse(bundle).entry.flatMap((entry: { resource: { address?: string } }) => entry.resource.address ?? []),
        record.addresses,
      )
    }),
  )
})
