import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore } from '@openspine/platform/testing'
import { productChecks, setChecks } from './checks/products.ts'
import type { NewInteractionSet, NewProduct } from './contract.ts'
import { ann, bob, interactionsOf, register, startRegistration } from './testing.ts'

const message = { service: 'urn:nhs:names:services:psis', interaction: 'REPC_IN150016UK05' }

forEachStore((open) => {
  test('teams, products and sets', async (t) => {
    const store = await open()
    const house = await startRegistration({ platform: { store } })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const { products } = house.contract
    const key = { type: 'product_team_id', value: '8babe222-5c78-42c6-8aa6-a3c69943030a' }
    const team = await products.createTeam({ odsCode: 'X26', name: 'Portal team', keys: [key] }, ann)
    assert.deepEqual(await products.team(team.id), team)
    assert.deepEqual(await products.team(key.value), team)
    assert.equal(await products.team('EPR-X26'), undefined)
    await assert.rejects(products.createTeam({ odsCode: 'B00001', name: 'Another', keys: [key] }, ann), {
      code: 'REGISTRATION_TEAM_KEY',
    })
    await assert.rejects(products.createTeam({ odsCode: 'NOBODY', name: 'Another' }, ann), {
      code: 'REGISTRATION_ORGANISATION',
    })
    const product = await products.create(
      { teamId: team.id, name: 'Portal', kinds: ['MHS', 'AS'], withPartyKey: true },
      ann,
    )
    assert.equal(product.manufacturer, 'X26', "the team's organisation")
    assert.equal(product.partyKey, 'X26-850000')
    const other = await products.create({ manufacturer: 'YY001', name: 'Portal', version: '2', kinds: ['CMA'] }, ann)
    assert.notEqual(other.productKey, product.productKey)
    assert.deepEqual(await products.find({ organisation: 'X26' }), [product])
    assert.deepEqual(await products.find({ teamId: team.id }), [product])
    assert.deepEqual(await products.find({ name: 'Portal' }), [product, other])
    assert.deepEqual(await products.find({ name: 'Portal', after: product.id }), [other])
    assert.deepEqual(await products.find({ teamId: 'none' }), [])
    await assert.rejects(products.create({ manufacturer: 'YY001', name: 'Portal', version: '2', kinds: ['AS'] }, bob), {
      code: 'REGISTRATION_PRODUCT_TWICE',
    })
    await assert.rejects(products.deleteTeam(team.id, ann), {
      code: 'REGISTRATION_TEAM_HAS_PRODUCTS',
      outcome: { productIds: [product.id] },
    })

    const set = await products.addSet(
      product.id,
      { use: 'messages', name: 'psis', messages: [{ ...message, properties: { retries: '5' } }] },
      ann,
    )
    assert.deepEqual(set.use === 'messages' && set.messages[0]?.properties, {
      interactionType: 'HL7',
      authentication: 'transient',
      templateKey: '1',
      syncReplyMode: 'MSHSignalsOnly',
      ackRequested: 'always',
      duplicateElimination: 'always',
      retries: '5',
      retryInterval: 'PT1M',
      persistDuration: 'PT5M',
      actor: 'urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH',
    })
    assert.deepEqual(await products.sets(product.id), [set])
    const handler = await register(house.contract, {
      kind: 'MHS',
      odsCode: 'X26',
      productId: product.id,
      fqdn: 'mhs.trust.example',
      urls: [{ url: 'https://mhs.trust.example/in' }],
    })
    assert.equal(handler.partyKey, 'X26-850000', 'the one that was set aside')
    await assert.rejects(products.delete(product.id, ann), { code: 'REGISTRATION_PRODUCT_IN_USE' })
    await house.contract.endpoints.withdraw(handler.id, bob)
    const deleted = await products.delete(product.id, ann)
    assert.ok(deleted.deletedAt !== undefined)
    assert.deepEqual(await products.product(product.id), deleted, 'kept, inactive')
    assert.deepEqual(await products.find({ organisation: 'X26' }), [])
    await products.deleteTeam(team.id, ann)
    await assert.rejects(products.deleteTeam(team.id, ann), { code: 'REGISTRATION_TEAM_UNKNOWN' })
    await assert.rejects(products.create({ teamId: team.id, name: 'More', kinds: ['AS'] }, ann), {
      code: 'REGISTRATION_TEAM_UNKNOWN',
    })
    await assert.rejects(products.create({ manufacturer: 'YY001', name: 'x', kinds: ['AS'] }, ''), {
      code: 'REGISTRATION_ACTOR',
    })
  })
})

const product: NewProduct = { manufacturer: 'YY001', name: 'Records', version: '1', kinds: ['CMA'] }
const badProducts: readonly (readonly [code: string, change: Partial<NewProduct>])[] = [
  ['REGISTRATION_ODS_CODE', { manufacturer: 'no code' }],
  ['REGISTRATION_NAME', { name: ' ' }],
  ['REGISTRATION_NAME', { version: 'a\nb' }],
  ['REGISTRATION_KIND', { kinds: [] }],
]

const messages = (change: object): NewInteractionSet => ({
  use: 'messages',
  name: 'other',
  messages: [{ ...message, interaction: 'REPC_IN150015UK05', ...change }],
})
const badSets: readonly (readonly [code: string, set: NewInteractionSet])[] = [
  ['REGISTRATION_NAME', { use: 'additional', name: '', interactions: interactionsOf('gp2gp') }],
  ['REGISTRATION_SET_TWICE', { use: 'additional', name: 'first', interactions: interactionsOf('gp2gp') }],
  ['REGISTRATION_SET_SIZE', { use: 'additional', name: 'other', interactions: Array(1001).fill('x') }],
  ['REGISTRATION_INTERACTION_ID', { use: 'additional', name: 'other', interactions: ['gp2gp:X'] }],
  ['REGISTRATION_INTERACTION_ID', messages({ service: 'urn:nhs:names:services:psis:REPC' })],
  ['REGISTRATION_INTERACTION_TWICE', messages(message)],
  ['REGISTRATION_CONTRACT_PROPERTY', messages({ properties: { ackRequested: 'sometimes' } })],
  ['REGISTRATION_CONTRACT_PROPERTY', messages({ properties: { retries: 'many' } })],
  ['REGISTRATION_CONTRACT_PROPERTY', messages({ properties: { retryInterval: '1 minute' } })],
  ['REGISTRATION_TEMPLATE_UNKNOWN', messages({ template: 'none' })],
]

test('each rule on products and sets refuses what breaks it', async (t) => {
  const house = await startRegistration()
  t.after(() => house.close())
  const { products } = house.contract
  for (const [code, change] of badProducts)
    await assert.rejects(products.create({ ...product, ...change }, ann), { code })
  const { id } = await products.create(product, ann)
  await products.addSet(id, { use: 'messages', name: 'first', messages: [message] }, ann)
  for (const [code, set] of badSets) await assert.rejects(products.addSet(id, set, ann), { code })
  await assert.rejects(products.addSet('P.AAA-AAA', messages({}), ann), { code: 'REGISTRATION_PRODUCT_UNKNOWN' })
  assert.equal((await products.sets(id)).length, 1)
  const tried = new Set([...badProducts, ...badSets].map(([code]) => code))
  for (const { code } of [...productChecks, ...setChecks]) assert.ok(tried.has(code), code)
})
