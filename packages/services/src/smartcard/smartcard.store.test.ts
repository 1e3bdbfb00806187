import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { forEachStore, manualClock, testPlatform } from '@openspine/platform/testing'
import { isSpineError } from '@openspine/standards/error'
import { readRoleAssertion } from '@openspine/standards/saml'
import { accessControl } from '../access-control/service.ts'
import type { DirectoryPerson, People, PersonRole } from '../directory/contract.ts'
import { smartcard, smartcardConfig } from './service.ts'

const role = (id: string, odsCode: string): PersonRole => ({
  id,
  orgPersonId: '555120000001',
  odsCode,
  organisation: 'TESTHAM SURGERY',
  jobRole: '"Clinical":"Clinical Provision":"Nurse Access Role"',
  jobRoleCode: 'S8000:G8000:R8001',
  areasOfWork: [],
  areaOfWorkCodes: [],
  activities: ['View\u0007 Patient'],
  activityCodes: ['B0820'],
  workgroups: [''],
  workgroupCodes: [],
})
const one: DirectoryPerson = {
  uid: '555100000002',
  name: 'Underhill Tobias',
  memberships: {},
  roles: [role('555110000003', 'A20047')],
}
const two: DirectoryPerson = {
  uid: '555100000001',
  name: 'Fairweather Imogen',
  memberships: {},
  roles: [role('555110000001', 'A20047'), role('555110000002', 'X26')],
}
const none: DirectoryPerson = { uid: '555100000009', name: 'Gone Gordon', memberships: {}, roles: [] }

forEachStore((open) => {
  async function house(t: { after(work: () => Promise<void>): void }, settings: Record<string, unknown> = {}) {
    const store = await open()
    const clock = manualClock('2026-11-25T12:00:00.700Z')
    const platform = await testPlatform({ store, clock })
    const stops: (() => Promise<unknown>)[] = []
    t.after(async () => {
      for (const stop of stops) await stop()
      await platform.close()
      await store.close()
    })
    const access = accessControl({ platform })
    await store.migrate(access.name, access.migrations ?? {})
    await access.start?.()
    stops.push(async () => access.stop?.(100))
    const people = new Map([one, two, none].map((person) => [person.uid, person]))
    const directory: People = { person: (uid) => people.get(uid), people: () => [...people.values()] }
    const make = async () => {
      const service = smartcard({
        platform: { ...platform, metrics: makeMetrics() },
        config: smartcardConfig.parse(settings),
        people: directory,
        access: access.contract,
        issuer: 'https://ssb.example.test',
      })
      await store.migrate(service.name, service.migrations ?? {})
      stops.push(async () => service.stop?.(100))
      return service.contract
    }
    const said = async (cards: Awaited<ReturnType<typeof make>>, ticket: string | undefined) => {
      const { xml, session } = await cards.roleAssertion(ticket, '192.0.2.7')
      try {
        const read = readRoleAssertion(xml, { now: clock.now() })
        assert.equal(session?.uid, read.uid)
        return read
      } catch (error) {
        if (!isSpineError(error)) throw error
        assert.equal(session, undefined)
        return `${error.code} ${(error.outcome as { status?: string }).status}`
      }
    }
    return { store, clock, platform, people, access, make, said }
  }
  const dead = 'SAML_STATUS samlp:Requester'
  const pin = '1234'

  test('a card with one role: its ticket is vouched for everywhere until the card is out', async (t) => {
    const { store, platform, access, make, said } = await house(t)
    const first = await make()
    const second = await make()
    assert.equal(await first.ticket('desk'), undefined)
    const session = await first.insert({ desk: 'desk', uid: one.uid, pin, address: '192.0.2.5' })
    assert.equal(session.roleId, '555110000003', 'a single role is chosen silently')
    const ticket = await first.ticket('desk')
    assert.match(String(ticket), /^AQIC5w.+=@AAJTSQACMDE=#$/)
    assert.equal(await first.ticket('desk'), ticket)

    const assertion = await said(second, ticket)
    assert.ok(typeof assertion === 'object')
    const { issuedAt, notBefore, notOnOrAfter, authentication, roles, ...rest } = assertion
    assert.deepEqual([issuedAt - notBefore, notOnOrAfter - issuedAt], [180_000, 60_000])
    assert.equal(authentication?.ticket, ticket)
    assert.equal(authentication?.address, '192.0.2.5')
    assert.match(rest.assertionId, /^[0-9a-f]{40}$/)
    assert.deepEqual([rest.issuer, rest.uid, rest.name], ['https://ssb.example.test', one.uid, one.name])
    assert.deepEqual([rest.mode, rest.activeRoleId, rest.recipient], ['live', '555110000003', '192.0.2.7'])
    assert.deepEqual(roles[0]?.activities, ['View\ufffd Patient'])
    assert.deepEqual(roles[0]?.workgroups, [])

    const may = (activity: string, orgCode: string) =>
      second.permission(String(ticket), { need: { any: [activity], sameOrganisation: true }, orgCode })
    const allowed = await may('B0820', 'A20047')
    assert.deepEqual([allowed?.allowed, allowed?.version], [true, access.contract.version])
    assert.equal((await may('B0572', 'A20047'))?.allowed, false)
    const elsewhere = await may('B0820', 'X26')
    assert.equal(elsewhere?.allowed === false && elsewhere.reason, 'organisation-differs')
    assert.equal(await second.permission('nonsense', { need: { any: ['B0820'] } }), undefined)
    const decided = await platform.audit.find({ event: 'smartcard.access', limit: 10 })
    assert.deepEqual(
      decided.map(({ facts }) => [facts['allowed'], facts['version']]).sort(),
      [false, false, true].map((one) => [one, access.contract.version]),
    )

    // After a restart the agent gives a ticket for the same session; the one given before stays good.
    const third = await make()
    const again = await third.ticket('desk')
    assert.notEqual(again, ticket)
    assert.ok(typeof (await said(third, ticket)) === 'object' && typeof (await said(first, again)) === 'object')
    const { rows } = await store.pool.query('select * from smartcard.ticket')
    const audited = await platform.audit.find({ event: 'smartcard.assertion', limit: 10 })
    assert.equal(audited.length, 3)
    assert.ok(!JSON.stringify([rows, audited]).includes('AQIC'), 'no ticket is kept')

    assert.equal(await second.remove('desk'), true)
    for (const cards of [first, second, third]) {
      assert.equal(await said(cards, ticket), dead)
      assert.equal(await said(cards, again), dead)
      assert.equal(await cards.ticket('desk'), undefined)
    }
    assert.equal(await second.remove('desk'), false)
    for (const other of [
      undefined,
      '',
      'nonsense',
      String(ticket).slice(0, -1),
      `${ticket}x`,
      'AQIC5w==@AAJTSQACMDE=#',
    ])
      assert.equal(await said(first, other), dead, other)
    const before = await platform.audit.find({ event: 'smartcard.signed-on', limit: 10 })
    assert.deepEqual(before[0]?.facts, {
      session: session.id,
      desk: 'desk',
      uid: one.uid,
      role: '555110000003',
      mode: 'live',
    })
  })

  test('a card with several roles: one must be chosen, and may be changed', async (t) => {
    const { make, said, people } = await house(t)
    const cards = await make()
    await cards.insert({ desk: 'desk', uid: two.uid, pin, training: true })
    assert.equal(await cards.ticket('desk'), undefined)
    await assert.rejects(cards.chooseRole('desk', '555110000003'), { code: 'SMARTCARD_ROLE' })
    await assert.rejects(cards.chooseRole('other', '555110000001'), { code: 'SMARTCARD_ABSENT' })
    await cards.chooseRole('desk', '555110000002')
    const ticket = await cards.ticket('desk')
    const assertion = await said(cards, ticket)
    assert.ok(typeof assertion === 'object')
    assert.deepEqual([assertion.activeRoleId, assertion.mode, assertion.roles.length], ['555110000002', 'training', 2])
    await cards.chooseRole('desk', '555110000001')
    assert.equal(((await said(cards, ticket)) as { activeRoleId: string }).activeRoleId, '555110000001')
    // The registration authority takes the role away: the ticket is dead at once.
    people.set(two.uid, { ...two, roles: two.roles.slice(1) })
    assert.equal(await said(cards, ticket), dead)
    people.delete(two.uid)
    assert.equal(await said(cards, ticket), dead)
  })

  test('what is refused, and that one desk holds one card whoever is first', async (t) => {
    const { make, said, clock } = await house(t)
    const cards = await make()
    for (const [card, code] of [
      [{ uid: '555100000000', pin }, 'SMARTCARD_UNKNOWN'],
      [{ uid: none.uid, pin }, 'SMARTCARD_UNKNOWN'],
      [{ uid: one.uid, pin: '0000' }, 'SMARTCARD_PIN'],
      [{ uid: one.uid, pin, roleId: '555110000001' }, 'SMARTCARD_ROLE'],
    ] as const)
      await assert.rejects(cards.insert({ desk: 'desk', ...card }), { code })
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => cards.insert({ desk: 'desk', uid: one.uid, pin })),
    )
    const refused = tries.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
    assert.deepEqual(refused, Array(7).fill('SMARTCARD_INSERTED'))
    await cards.insert({ desk: 'another', uid: one.uid, pin })

    const ticket = await cards.ticket('desk')
    clock.advance(12 * 3_600_000 - 1)
    assert.equal(typeof (await said(cards, ticket)), 'object')
    clock.advance(1)
    assert.equal(await said(cards, ticket), dead, 'twelve hours are over')
    assert.equal(await cards.at('desk'), undefined)
    assert.equal(await cards.remove('desk'), false)
    await cards.insert({ desk: 'desk', uid: two.uid, pin, roleId: '555110000001' })
    assert.equal(await said(cards, ticket), dead)
  })

  test('a sign-on that is idle too long ends', async (t) => {
    const { make, said, clock } = await house(t, { idleMinutes: 10 })
    const cards = await make()
    await cards.insert({ desk: 'desk', uid: one.uid, pin })
    const ticket = await cards.ticket('desk')
    for (let i = 0; i < 3; i++) {
      clock.advance(9 * 60_000)
      assert.equal(typeof (await said(cards, ticket)), 'object')
    }
    clock.advance(10 * 60_000)
    assert.equal(await said(cards, ticket), dead)
    assert.equal(await cards.ticket('desk'), undefined)
  })
})
