import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore } from '@openspine/platform/testing'
import { addProduct, ann, bob, interactionsOf, register, startRegistration } from './testing.ts'

const fqdn = 'gp.supplier.example'
const structured = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1'

forEachStore((open) => {
  test('an endpoint goes its way, is seen in the directory, and leaves it', async (t) => {
    const store = await open()
    const house = await startRegistration({ platform: { store } })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const { contract, directory } = house
    const { endpoints } = contract
    const product = await addProduct(contract, {
      kinds: ['CMA'],
      messages: ['structured-record'],
      additional: ['foundations'],
    })
    assert.match(product.id, /^P\.[ACDEFGHJKLMNPRTUVWXY34679]{3}-[ACDEFGHJKLMNPRTUVWXY34679]{3}$/)
    const draft = await endpoints.draft(
      {
        kind: 'CMA',
        odsCode: 'A99968',
        productId: product.id,
        fqdn: 'GP.supplier.example',
        urls: [{ url: `https://${fqdn}/A99968/STU3/1/gpconnect/structured` }],
        sourceAddress: '192.0.2.7',
      },
      ann,
    )
    await assert.rejects(endpoints.approve(draft.id, bob), { code: 'REGISTRATION_STATE' })
    await endpoints.request(draft.id, ann, 'the practice moves')
    await assert.rejects(endpoints.approveDns(draft.id, ann.toUpperCase().replaceAll(',', ', ')), {
      code: 'REGISTRATION_FOUR_EYES',
    })
    await endpoints.approveDns(draft.id, bob)
    await assert.rejects(endpoints.approve(draft.id, ann), { code: 'REGISTRATION_FOUR_EYES' })
    assert.equal(directory.snapshot().accreditedSystems({ odsCode: 'A99968' }).length, 0)
    const approved = await endpoints.approve(draft.id, bob)
    assert.equal(approved.state, 'approved')
    assert.equal(approved.asid, '200000100000')
    assert.equal(approved.partyKey, 'A99968-850000')
    assert.equal(approved.fqdn, fqdn)
    assert.deepEqual(
      approved.systemInteractions,
      [...interactionsOf('structured-record'), ...interactionsOf('foundations')],
      'those that it serves, then the others, in the order of the sets',
    )
    assert.deepEqual(
      approved.cpaIds,
      interactionsOf('structured-record').map((id) => `A99968-850000:${id}`),
    )
    const snapshot = directory.snapshot()
    const system = snapshot.accreditedSystem('200000100000')
    assert.deepEqual([...(system?.interactions ?? [])], approved.systemInteractions)
    assert.deepEqual([...(system?.fqdns ?? [])], [fqdn])
    assert.equal(system?.manufacturer, 'YY001')
    const [handler] = snapshot.messageHandlingSystems({ odsCode: 'A99968', interaction: structured })
    assert.deepEqual(handler?.endpoints, [`https://${fqdn}/A99968/STU3/1/gpconnect/structured`])
    assert.deepEqual(snapshot.messageHandlingSystems({ fqdn: fqdn.toUpperCase() }).length, 3)

    await endpoints.suspend(draft.id, ann, 'a fault')
    assert.equal(directory.snapshot().accreditedSystem('200000100000'), undefined)
    assert.equal(directory.snapshot().messageHandlingSystems({ partyKey: 'A99968-850000' }).length, 0)
    await endpoints.resume(draft.id, bob)
    assert.equal(directory.snapshot().accreditedSystem('200000100000')?.partyKey, 'A99968-850000')
    await endpoints.withdraw(draft.id, bob, 'end of contract')
    assert.equal(directory.snapshot().accreditedSystem('200000100000'), undefined)
    await assert.rejects(endpoints.resume(draft.id, bob), { code: 'REGISTRATION_STATE' })

    const history = await endpoints.history(draft.id)
    assert.deepEqual(
      history.map(({ step, state, by, why }) => [step, state, by, why]),
      [
        ['draft', 'draft', ann, undefined],
        ['request', 'requested', ann, 'the practice moves'],
        ['approve-dns', 'dns-approved', bob, undefined],
        ['approve', 'approved', bob, undefined],
        ['suspend', 'suspended', ann, 'a fault'],
        ['resume', 'approved', bob, undefined],
        ['withdraw', 'withdrawn', bob, 'end of contract'],
      ],
    )
    const audited = await house.platform.audit.find({ event: 'registration.endpoint.suspended', limit: 10 })
    assert.deepEqual([audited[0]?.facts['by'], audited[0]?.facts['why']], [ann, 'a fault'])
    const second = await register(contract, {
      kind: 'CMA',
      odsCode: 'A99968',
      productId: product.id,
      fqdn,
      urls: [{ url: `https://${fqdn}/A99968/STU3/1/gpconnect/structured` }],
    })
    assert.equal(second.asid, '200000100001', 'no id is given out twice')
    assert.equal(second.partyKey, 'A99968-850001')
    assert.deepEqual(await endpoints.system('200000100001'), second)
    assert.deepEqual(
      (await endpoints.find({ odsCode: 'A99968' })).map(({ asid, state }) => [asid, state]),
      [
        ['200000100000', 'withdrawn'],
        ['200000100001', 'approved'],
      ],
    )
  })
})

test('one person suffices where the sandbox says so, and never in the profile strict', async (t) => {
  for (const profile of ['sandbox', 'strict'] as const) {
    const house = await startRegistration({ settings: { onePersonSuffices: true }, platform: { profile } })
    t.after(() => house.close())
    const { endpoints } = house.contract
    const { id: productId } = await addProduct(house.contract, { kinds: ['MHS'] })
    const { id } = await endpoints.submit({ kind: 'MHS', odsCode: 'X26', productId, fqdn: 'mhs.trust.nhs.uk' }, ann)
    if (profile === 'sandbox') assert.equal((await endpoints.approveDns(id, ann)).state, 'dns-approved')
    else await assert.rejects(endpoints.approveDns(id, ann), { code: 'REGISTRATION_FOUR_EYES' })
  }
})

test('a draft breaks rules until it is requested, and can be written anew until then', async (t) => {
  const house = await startRegistration()
  t.after(() => house.close())
  const { endpoints } = house.contract
  const { id: productId } = await addProduct(house.contract, { kinds: ['MHS'] })
  const wrong = { kind: 'MHS', odsCode: 'NOBODY', productId, fqdn: 'mhs.trust.example' } as const
  await assert.rejects(endpoints.submit(wrong, ann), { code: 'REGISTRATION_ORGANISATION' })
  assert.deepEqual(await endpoints.find({}), [], 'what was refused is not kept')
  const { id } = await endpoints.draft(wrong, ann)
  await assert.rejects(endpoints.request(id, ann), { code: 'REGISTRATION_ORGANISATION' })
  await endpoints.redraft(id, { ...wrong, odsCode: 'X26' }, ann)
  assert.equal((await endpoints.request(id, ann)).odsCode, 'X26')
  await assert.rejects(endpoints.redraft(id, wrong, ann), { code: 'REGISTRATION_STATE' })
  await assert.rejects(endpoints.request('none', ann), { code: 'REGISTRATION_ENDPOINT_UNKNOWN' })
  await assert.rejects(endpoints.withdraw(id, ann, 'x'.repeat(3000)), { code: 'REGISTRATION_NAME' })
  assert.equal((await endpoints.withdraw(id, ann)).state, 'withdrawn')
})
