/** The topologies of directory specification §10.4, registered, and then looked up as §5 does. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { DirectorySnapshot } from '../directory/contract.ts'
import type { NewEndpoint } from './contract.ts'
import { addProduct, bob, interactionsOf, register, startRegistration, type TestRegistration } from './testing.ts'

let house: TestRegistration
before(async () => {
  house = await startRegistration()
})
after(() => house?.close())
beforeEach(async () => {
  const { endpoints } = house.contract
  for (const kind of ['AS', 'CMA', 'MHS'] as const) {
    for (const { id } of await endpoints.find({ state: 'approved', kind })) await endpoints.withdraw(id, bob)
  }
})

const [structured = ''] = interactionsOf('structured-record')
const [gp2gp = ''] = interactionsOf('gp2gp')

interface Found {
  readonly asid: string
  readonly partyKey: string
  readonly endpoint: string
}

const only = <Item>(items: readonly Item[]): Item => {
  assert.equal(items.length, 1)
  return items[0] as Item
}

/** §5 B: the accredited system first, then its message handling system. */
function systemFirst(snapshot: DirectorySnapshot, odsCode: string, interaction: string): Found {
  const { asid, partyKey } = only(snapshot.accreditedSystems({ odsCode, interaction }))
  const { endpoints } = only(snapshot.messageHandlingSystems({ partyKey, interaction }))
  return { asid, partyKey, endpoint: only(endpoints) }
}

/** §5 C: the message handling system first, since only providers have one for the interaction. */
function handlerFirst(snapshot: DirectorySnapshot, odsCode: string, interaction: string): Found {
  const { partyKey, endpoints } = only(snapshot.messageHandlingSystems({ odsCode, interaction }))
  const { asid } = only(snapshot.accreditedSystems({ odsCode, partyKey }))
  return { asid, partyKey, endpoint: only(endpoints) }
}

/** §5 D: a consumer's own ASID. */
const ownAsid = (snapshot: DirectorySnapshot, odsCode: string, interaction: string, manufacturer: string) =>
  only(snapshot.accreditedSystems({ odsCode, interaction, manufacturer }))

const products = new Map<string, string>()
async function productOf(about: Parameters<typeof addProduct>[1] & { readonly name: string }): Promise<string> {
  const id = products.get(about.name) ?? (await addProduct(house.contract, about)).id
  products.set(about.name, id)
  return id
}

test('a simple consumer: a message handling system and an accredited system of its own', async () => {
  const productId = await productOf({ name: 'Portal', kinds: ['MHS', 'AS'], additional: ['structured-record'] })
  const handler = await register(house.contract, {
    kind: 'MHS',
    odsCode: 'X26',
    productId,
    fqdn: 'portal.trust.example',
  })
  assert.deepEqual(handler.cpaIds, [], 'its interactions are on the AS alone')
  const partyKey = handler.partyKey ?? ''
  const system = await register(house.contract, { kind: 'AS', odsCode: 'X26', productId, partyKey })
  const snapshot = house.directory.snapshot()
  const own = ownAsid(snapshot, 'X26', structured, 'YY001')
  assert.deepEqual([own.asid, own.partyKey], [system.asid, partyKey])
  assert.deepEqual([...own.fqdns], ['portal.trust.example'], 'so its certificate is known to be its own')
  assert.equal(snapshot.messageHandlingSystems({ odsCode: 'X26' }).length, 0)
  const { endpoints } = house.contract
  await assert.rejects(endpoints.suspend(handler.id, bob), { code: 'REGISTRATION_IN_USE' })
  await endpoints.suspend(system.id, bob)
  await assert.rejects(endpoints.withdraw(handler.id, bob), { code: 'REGISTRATION_IN_USE' })
  await endpoints.suspend(handler.id, bob)
  await assert.rejects(endpoints.resume(system.id, bob), { code: 'REGISTRATION_PARTY_KEY' })
  await endpoints.withdraw(system.id, bob)
  await endpoints.withdraw(handler.id, bob)
})

test('an aggregator: one party key, one ASID for each organisation that asks through it', async () => {
  const productId = await productOf({ name: 'Portal', kinds: ['MHS', 'AS'], additional: ['structured-record'] })
  const { partyKey = '' } = await register(house.contract, {
    kind: 'MHS',
    odsCode: 'X26',
    productId,
    fqdn: 'engine.trust.example',
  })
  const asids = new Map<string, string>()
  for (const odsCode of ['X26', 'B00001', 'B00002']) {
    const system = await register(house.contract, { kind: 'AS', odsCode, productId, partyKey })
    asids.set(odsCode, system.asid ?? '')
  }
  const snapshot = house.directory.snapshot()
  for (const [odsCode, asid] of asids) {
    const own = ownAsid(snapshot, odsCode, structured, 'YY001')
    assert.deepEqual([own.asid, own.partyKey, ...own.fqdns], [asid, partyKey, 'engine.trust.example'])
  }
  assert.equal(new Set(asids.values()).size, 3)
  assert.equal(snapshot.accreditedSystems({ partyKey }).length, 3)
})

const practice = (odsCode: string, productId: string, fqdn: string): NewEndpoint => ({
  kind: 'CMA',
  odsCode,
  productId,
  fqdn,
  urls: [{ url: `https://${fqdn}/${odsCode}/STU3/1/gpconnect/structured` }],
})

test('a single practice: a CMA endpoint, found in the old order and in the new', async () => {
  const productId = await productOf({ name: 'GP system', kinds: ['CMA'], messages: ['structured-record'] })
  const { asid, partyKey } = await register(house.contract, practice('A99968', productId, 'gp.practice.example'))
  const expected = {
    asid,
    partyKey,
    endpoint: 'https://gp.practice.example/A99968/STU3/1/gpconnect/structured',
  }
  const snapshot = house.directory.snapshot()
  assert.deepEqual(handlerFirst(snapshot, 'A99968', structured), expected)
  assert.deepEqual(systemFirst(snapshot, 'A99968', structured), expected)
})

test('a data centre: each practice with party key and ASID of its own, on one server with one certificate', async () => {
  const productId = await productOf({ name: 'GP system', kinds: ['CMA'], messages: ['structured-record'] })
  const consumer = await productOf({ name: 'Portal', kinds: ['MHS', 'AS'], additional: ['structured-record'] })
  const fqdn = 'gp.supplier.example'
  const hosted = new Map<string, Found>()
  for (const odsCode of ['A99968', 'B00001', 'B00002']) {
    const { asid = '', partyKey = '' } = await register(house.contract, practice(odsCode, productId, fqdn))
    hosted.set(odsCode, { asid, partyKey, endpoint: `https://${fqdn}/${odsCode}/STU3/1/gpconnect/structured` })
  }
  // A practice that is a consumer as well, with another system: the message handling system first is unambiguous.
  const { partyKey = '' } = await register(house.contract, {
    kind: 'MHS',
    odsCode: 'A99968',
    productId: consumer,
    fqdn: 'portal.trust.example',
  })
  await register(house.contract, { kind: 'AS', odsCode: 'A99968', productId: consumer, partyKey })
  const snapshot = house.directory.snapshot()
  assert.equal(snapshot.accreditedSystems({ odsCode: 'A99968', interaction: structured }).length, 2)
  for (const [odsCode, expected] of hosted) assert.deepEqual(handlerFirst(snapshot, odsCode, structured), expected)
  const behind = snapshot.messageHandlingSystems({ fqdn, interaction: structured })
  assert.deepEqual(
    behind.map((each) => each.partyKey),
    [...hosted.values()].map((each) => each.partyKey),
  )
  assert.equal(new Set(behind.map((each) => each.partyKey)).size, 3)
})

test('hosted practices that share a party key: one message handling system, one ASID for each practice', async () => {
  const productId = await productOf({ name: 'Hosted', kinds: ['MHS', 'AS'], messages: ['gp2gp'] })
  const url = 'https://mhs.supplier.example/reliablemessaging'
  const { partyKey = '' } = await register(house.contract, {
    kind: 'MHS',
    odsCode: 'X26',
    productId,
    fqdn: 'mhs.supplier.example',
    urls: [{ url }],
  })
  const asids: string[] = []
  for (const odsCode of ['A99968', 'B00001']) {
    const system = await register(house.contract, { kind: 'AS', odsCode, productId, partyKey, clients: [odsCode] })
    asids.push(system.asid ?? '')
    assert.deepEqual(system.systemInteractions, interactionsOf('gp2gp'))
    const snapshot = house.directory.snapshot()
    assert.deepEqual(systemFirst(snapshot, odsCode, gp2gp), { asid: system.asid, partyKey, endpoint: url })
    assert.equal(snapshot.messageHandlingSystems({ odsCode }).length, 0, 'the message handling system is the host’s')
  }
  assert.equal(new Set(asids).size, 2)
})

test('messaging entries carry all six reliability attributes', async () => {
  const productId = await productOf({ name: 'Hosted', kinds: ['MHS', 'AS'], messages: ['gp2gp'] })
  await register(house.contract, {
    kind: 'MHS',
    odsCode: 'X26',
    productId,
    fqdn: 'mhs.supplier.example',
    urls: [{ url: 'https://mhs.supplier.example/reliablemessaging' }],
  })
  const ldif = [...house.directory.exportLdif()].join('')
  const entry = ldif.split('\n\n').find((each) => each.includes('nhsMHsIN: COPC_IN000001UK01'))
  for (const line of [
    'nhsMHSSyncReplyMode: None',
    'nhsMHSAckRequested: always',
    'nhsMHSDuplicateElimination: always',
    'nhsMHSRetries: 2',
    'nhsMHSRetryInterval: PT2H',
    'nhsMHSPersistDuration: PT7H',
    'nhsMHsSN: urn:nhs:names:services:gp2gp',
    'nhsMhsFQDN: mhs.supplier.example',
    'nhsMHSIsAuthenticated: transient',
    'nhsEPInteractionType: EBXML',
  ])
    assert.ok(entry?.includes(line), `${line} in ${entry}`)
})
