import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import { spineSchema } from '@openspine/standards/ldap'
import { putEntry } from './change.ts'
import { directoryConfig } from './config.ts'
import { forwardKind, lookups } from './lookup.ts'
import { Registry } from './registry.ts'
import { messageHandlingSystem } from './testing.ts'

const forwarding = directoryConfig.parse({})

test('which messages are forwarded', () => {
  for (const [interaction, kind] of [
    ['urn:nhs:names:services:gp2gp:RCMR_IN030000UK06', 'reliable'],
    ['urn:nhs:names:services:itk:COPC_IN000001UK01', 'reliable'],
    ['urn:nhs:names:services:dir:PRSC_IN040000UK03', 'express'],
    ['urn:nhs:names:services:gp2gp:RCMR_IN030000UK07', undefined],
    ['urn:nhs:names:services:psis:COPC_IN000001UK01', undefined],
    ['urn:nhs:names:services:GP2GP:RCMR_IN030000UK06', undefined],
    ['urn:nhs:names:services:gp2gp:RCMR_IN030000UK06:1', undefined],
    ['COPC_IN000001UK01', undefined],
    ['gp2gp:COPC_IN000001UK01', 'reliable'],
    ['', undefined],
  ] as const)
    assert.equal(forwardKind(interaction, forwarding), kind, interaction)
  const more = { ...forwarding, forwardReliable: [...forwarding.forwardReliable, 'RCMR_IN030000UK07'] }
  assert.equal(forwardKind('urn:nhs:names:services:gp2gp:RCMR_IN030000UK07', more), 'reliable')
})

/** Look-ups over a tree that holds these handlers, without a store. */
function over(
  handlers: readonly { readonly cpaId: string; readonly id: string; readonly endpoints: readonly string[] }[],
) {
  const schema = spineSchema()
  const clock = { now: () => 0 }
  const unused = undefined as never
  const registry = new Registry({
    store: { db: unused } as never,
    schema,
    clock,
    random: unused,
    log: unused,
    config: forwarding,
  })
  const edit = registry.state.tree.edit()
  const put = (dn: string, position: number, attributes: Readonly<Record<string, readonly string[]>>) =>
    putEntry(edit, {
      key: dn.toLowerCase(),
      dn,
      position,
      attributes,
      registeredFqdn: undefined,
      uuid: `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`,
      createdAt: 0,
      createdBy: 'test',
      modifiedAt: 0,
      modifiedBy: 'test',
    } as never)
  put('o=nhs', 1, { objectClass: ['top', 'organization'], o: ['nhs'] })
  put('ou=Services,o=nhs', 2, { objectClass: ['top', 'organizationalUnit'], ou: ['Services'] })
  handlers.forEach(({ cpaId, id, endpoints }, index) => {
    const at = id.lastIndexOf(':')
    const { dn, attributes } = messageHandlingSystem({
      cpaId,
      odsCode: id.includes(':tms:') ? 'YES' : 'A99968',
      partyKey: 'A99968-850000',
      service: id.slice(0, at),
      interaction: id.slice(at + 1),
      endpoint: endpoints[0] ?? 'https://none.example/',
      more: { nhsMHSEndPoint: endpoints },
    })
    put(dn, index + 3, attributes)
  })
  const state = { ...registry.state, tree: edit.done() }
  return lookups({ registry: { state, confirmedAt: 0 }, schema, clock, staleSeconds: 1, forwarding })
}

const gp2gp = 'urn:nhs:names:services:gp2gp:RCMR_IN030000UK06'
const reliable = 'urn:nhs:names:services:tms:ReliableIntermediary'
const own = { cpaId: 'S1', id: gp2gp, endpoints: ['https://own.example/1', 'https://own.example/2'] }
const to = (...endpoints: string[]) => ({ cpaId: `S2${endpoints.length}`, id: reliable, endpoints })

test('the address of a forwarded message is the intermediary’s, if there is exactly one', () => {
  const query = { odsCode: 'A99968', interaction: gp2gp }
  const [record] = over([own, to('https://spine.example/i')]).endpoints(query)
  assert.deepEqual(record?.addresses, ['https://spine.example/i'])
  assert.deepEqual(over([own, to('https://spine.example/i')]).registered(query)[0]?.addresses, own.endpoints)
  const refused = (handlers: Parameters<typeof over>[0]) => {
    try {
      over(handlers).endpoints(query)
    } catch (error) {
      assert.ok(isSpineError(error) && error.code === 'DIRECTORY_INTERMEDIARY')
      return error.outcome
    }
    return assert.fail('it was answered')
  }
  assert.deepEqual(refused([own]), { what: 'result', got: 0 })
  assert.deepEqual(refused([own, to('https://a.example/'), to('https://a.example/', 'https://b.example/')]), {
    what: 'result',
    got: 2,
  })
  assert.deepEqual(refused([own, to('https://a.example/', 'https://b.example/')]), { what: 'address', got: 2 })
})

test('never loaded, and out of date', () => {
  const schema = spineSchema()
  const clock = { now: () => 10_000 }
  const query = { odsCode: 'A', interaction: 'b' }
  const state = new Registry({ store: { db: {} }, schema, clock, config: forwarding } as never).state
  const ask = (confirmedAt: number | undefined) => () =>
    lookups({ registry: { state, confirmedAt }, schema, clock, staleSeconds: 5, forwarding }).devices(query)
  assert.throws(ask(undefined), { code: 'DIRECTORY_NOT_LOADED' })
  assert.throws(ask(10_000), { code: 'DIRECTORY_NOT_LOADED' })
})
