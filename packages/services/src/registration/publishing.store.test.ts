import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { forEachStore, skipWithout } from '@openspine/platform/testing'
import type { Trust } from '@openspine/platform/trust'
import { SpineError } from '@openspine/standards/error'
import type { Directory, DirectoryChange } from '../directory/contract.ts'
import { accreditedSystem, gpPractice, metadata, put, run } from '../directory/testing.ts'
import type { NewEndpoint, Registration } from './contract.ts'
import { addProduct, ann, bob, register, startRegistration } from './testing.ts'

const fqdn = 'gp.supplier.example'
const practice = (odsCode: string, productId: string): NewEndpoint => ({
  kind: 'CMA',
  odsCode,
  productId,
  fqdn,
  urls: [{ url: `https://${fqdn}/${odsCode}/STU3/1/gpconnect/structured` }],
})

/** Up to the point at which approval remains. */
async function prepared({ endpoints }: Registration, asked: NewEndpoint): Promise<string> {
  const { id } = await endpoints.submit(asked, ann)
  await endpoints.approveDns(id, bob)
  return id
}

/** A directory whose `apply` can be led astray. */
function lead(
  how: (apply: () => Promise<{ version: number }>, changes: readonly DirectoryChange[]) => Promise<{ version: number }>,
) {
  return (directory: Directory): Directory => ({
    ...directory,
    apply: (changes, by, options) => how(() => directory.apply(changes, by, options), changes),
  })
}

forEachStore((open) => {
  test('what was cut off before or after the directory is repaired by the next process, and once', async (t) => {
    const store = await open()
    let cut: 'before' | 'after' | undefined
    const house = await startRegistration({
      platform: { store },
      directoryOf: lead(async (apply) => {
        if (cut === 'before') throw new Error('the process ended before the directory committed')
        const applied = await apply()
        if (cut === 'after') throw new Error('the process ended after the directory committed')
        return applied
      }),
    })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const { contract } = house
    const product = await addProduct(contract, { kinds: ['CMA'], messages: ['structured-record'] })
    const ids: string[] = []
    for (const [odsCode, when] of [
      ['A99968', 'before'],
      ['B00001', 'after'],
    ] as const) {
      const id = await prepared(contract, practice(odsCode, product.id))
      cut = when
      await assert.rejects(contract.endpoints.approve(id, bob), /the process ended/)
      cut = undefined
      ids.push(id)
    }
    assert.equal(house.directory.snapshot().accreditedSystems({ odsCode: 'A99968' }).length, 0)
    const { version } = house.directory.snapshot()

    const next = await house.another()
    const snapshot = next.directory.snapshot()
    for (const id of ids) {
      const endpoint = await next.contract.endpoints.endpoint(id)
      assert.equal(endpoint?.state, 'approved')
      assert.equal(snapshot.accreditedSystem(endpoint?.asid ?? '')?.odsCode, endpoint?.odsCode)
      assert.equal(snapshot.messageHandlingSystems({ partyKey: endpoint?.partyKey ?? '' }).length, 3)
    }
    assert.equal(snapshot.version, version + 4, 'only what was missing was written')
    const third = await house.another()
    assert.equal(third.directory.snapshot().version, snapshot.version)
    const { rows } = await store.pool.query('select count(*)::int as number from registration.outbox')
    assert.deepEqual(rows, [{ number: 0 }])

    // The same for what leaves the directory; here the next step of the same endpoint finds it.
    cut = 'before'
    await assert.rejects(contract.endpoints.suspend(ids[0] ?? '', ann), /the process ended/)
    cut = undefined
    const resumed = await contract.endpoints.resume(ids[0] ?? '', ann)
    assert.equal(resumed.state, 'approved')
    assert.equal(house.directory.snapshot().accreditedSystem(resumed.asid ?? '')?.odsCode, 'A99968')
  })

  test('a process that lives on repairs after some seconds what another left behind', async (t) => {
    const store = await open()
    let ahead = 0
    const clock = { now: () => Date.now() + ahead }
    const house = await startRegistration({
      platform: { store, clock },
      directoryOf: lead(async () => {
        throw new Error('the process ended before the directory committed')
      }),
    })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const neighbour = await house.another()
    const product = await addProduct(house.contract, { kinds: ['CMA'], messages: ['structured-record'] })
    const id = await prepared(house.contract, practice('A99968', product.id))
    await assert.rejects(house.contract.endpoints.approve(id, bob), /the process ended/)
    await wait(1200)
    const shown = () => neighbour.directory.snapshot().accreditedSystems({ odsCode: 'A99968' }).length
    assert.equal(shown(), 0, 'the other may still be at work itself')
    ahead = 11_000
    for (const until = Date.now() + 10_000; shown() === 0 && Date.now() < until; ) await wait(20)
    assert.equal(shown(), 1)
  })

  test('a publisher that was held up does not bring back what was withdrawn meanwhile', async (t) => {
    const store = await open()
    let hold: Promise<void> | undefined
    const house = await startRegistration({
      platform: { store },
      directoryOf: lead(async (apply) => {
        await hold
        return apply()
      }),
    })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const { contract } = house
    const product = await addProduct(contract, { kinds: ['CMA'], messages: ['structured-record'] })
    const id = await prepared(contract, practice('A99968', product.id))
    const released = Promise.withResolvers<void>()
    hold = released.promise
    const slow = contract.endpoints.approve(id, bob)
    while ((await contract.endpoints.endpoint(id))?.state !== 'approved') await wait(5)
    const other = await house.another()
    await other.contract.endpoints.withdraw(id, bob)
    released.resolve()
    hold = undefined
    assert.equal((await slow).state, 'withdrawn')
    const third = await house.another()
    assert.equal(third.directory.snapshot().messageHandlingSystems({ odsCode: 'A99968' }).length, 0)
    assert.equal(third.directory.snapshot().accreditedSystems({ odsCode: 'A99968' }).length, 0)
  })

  test('ids that the directory holds are skipped, also those that come while one is allocated', async (t) => {
    const store = await open()
    const foreign = (asid: string, partyKey = 'X26-850007') =>
      put(accreditedSystem({ asid, odsCode: 'X26', partyKey, interactions: [metadata] }))
    let intruder: DirectoryChange | undefined
    const house = await startRegistration({
      platform: { store },
      directoryOf: (directory) =>
        lead(async (apply) => {
          const once = intruder
          intruder = undefined
          if (once !== undefined) await directory.apply([once], 'import', { imported: true })
          return apply()
        })(directory),
    })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const { contract, directory } = house
    await directory.apply([foreign('200000100000'), foreign('200000100001', 'A99968-850000')], 'import')
    const product = await addProduct(contract, { kinds: ['CMA'], messages: ['structured-record'] })
    const first = await register(contract, practice('A99968', product.id))
    assert.deepEqual([first.asid, first.partyKey], ['200000100002', 'A99968-850001'])

    intruder = foreign('200000100003')
    const second = await register(contract, practice('B00001', product.id))
    assert.equal(second.asid, '200000100004')
    assert.equal(directory.snapshot().accreditedSystem('200000100003')?.odsCode, 'X26', 'nothing was overwritten')
    assert.equal(directory.snapshot().accreditedSystem('200000100004')?.odsCode, 'B00001')
    assert.deepEqual(await contract.endpoints.endpoint(second.id), second)
  })

  test('what the directory refuses is taken back, and can be asked for again', async (t) => {
    const store = await open()
    let close = false
    const house = await startRegistration({
      platform: { store },
      directoryOf: (directory) =>
        lead(async (apply) => {
          if (close) {
            const closed = { nhsOrgCloseDate: ['20200101'] }
            await directory.apply([put(gpPractice('A99968', 'INVENTED SURGERY', closed))], 'import')
          }
          return apply()
        })(directory),
    })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const { contract, directory } = house
    const product = await addProduct(contract, { kinds: ['CMA'], messages: ['structured-record'] })
    const id = await prepared(contract, practice('A99968', product.id))
    close = true
    await assert.rejects(contract.endpoints.approve(id, bob), { code: 'DIRECTORY_ORGANISATION' })
    close = false
    const left = await contract.endpoints.endpoint(id)
    assert.deepEqual([left?.state, left?.asid, left?.partyKey], ['dns-approved', undefined, undefined])
    assert.equal((await contract.endpoints.history(id)).at(-1)?.step, 'take-back')
    await assert.rejects(contract.endpoints.approve(id, bob), { code: 'REGISTRATION_ORGANISATION' })
    await directory.apply([put(gpPractice('A99968', 'INVENTED SURGERY'))], 'import')
    assert.equal((await contract.endpoints.approve(id, bob)).asid, '200000100001')
  })

  test('many at once: ids are unique, and each is acknowledged when the directory shows it', async (t) => {
    const store = await open()
    const house = await startRegistration({ platform: { store }, directorySettings: { organisations: 'never' } })
    t.after(async () => {
      await house.close()
      await store.close()
    })
    const other = await house.another()
    const product = await addProduct(house.contract, { kinds: ['CMA'], messages: ['access-record-html'] })
    const done = await Promise.all(
      Array.from({ length: 40 }, async (_, place) => {
        const odsCode = `T${String(place).padStart(5, '0')}`
        const one = place % 2 === 0 ? house : other
        const url = `https://${fqdn}/${odsCode}/DSTU2/1`
        const endpoint = await register(one.contract, { ...practice(odsCode, product.id), urls: [{ url }] })
        assert.equal(one.directory.snapshot().accreditedSystem(endpoint.asid ?? '')?.odsCode, odsCode)
        return endpoint
      }),
    )
    assert.equal(new Set(done.map(({ asid }) => asid)).size, 40)
    assert.equal(new Set(done.map(({ partyKey }) => partyKey)).size, 40)
    // Of several who ask for one place, one gets it.
    const rivals = await Promise.allSettled(
      Array.from({ length: 6 }, (_, place) =>
        register((place % 2 === 0 ? house : other).contract, {
          ...practice('Z1', product.id),
          urls: [{ url: `https://${fqdn}/Z1/DSTU2/1` }],
        }),
      ),
    )
    const refused = rivals.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { code?: string }).code] : [],
    )
    assert.deepEqual(refused, Array(5).fill('REGISTRATION_ONE_PROVIDER'))
  })
})

test('a CA that cannot sign leaves nothing behind', async (t) => {
  const code = 'TRUST_KEY_MISSING'
  const trust = {
    revoked: () => false,
    close: async () => {},
    signRequest: async () => {
      throw new SpineError(code, { status: 500 }, { explanation: 'The key of the issuing authority is not there.' })
    },
  } as unknown as Trust
  const house = await startRegistration({ platform: { trust } })
  t.after(() => house.close())
  const { contract, directory } = house
  const product = await addProduct(contract, { kinds: ['CMA'], messages: ['structured-record'] })
  const id = await prepared(contract, { ...practice('A99968', product.id), signingRequest: 'of some kind' })
  await assert.rejects(contract.endpoints.approve(id, bob), { code })
  const left = await contract.endpoints.endpoint(id)
  assert.deepEqual([left?.state, left?.asid, left?.partyKey], ['dns-approved', undefined, undefined])
  assert.equal(directory.snapshot().accreditedSystems({ odsCode: 'A99968' }).length, 0)
})

test('a signing request is signed on approval, and what it lacks leaves nothing behind', async (t) => {
  if (skipWithout(t, 'openssl')) return
  const folder = mkdtempSync(join(tmpdir(), 'openspine-registration-'))
  const house = await startRegistration({ pki: true })
  t.after(async () => {
    await house.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const request = async (subject: string) => {
    const file = join(folder, 'request.pem')
    const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', join(folder, 'key.pem')]
    const made = await run('openssl', ['req', '-new', ...key, '-subj', subject, '-out', file])
    assert.equal(made.code, 0, made.stderr)
    return readFileSync(file, 'utf8')
  }
  const { contract, directory, platform } = house
  const product = await addProduct(contract, { kinds: ['CMA'], messages: ['structured-record'] })
  const asked = practice('A99968', product.id)
  const wrong = await prepared(contract, { ...asked, signingRequest: await request('/CN=other.supplier.example') })
  await assert.rejects(contract.endpoints.approve(wrong, bob), { code: 'TRUST_REQUEST_NAME' })
  assert.equal((await contract.endpoints.endpoint(wrong))?.state, 'dns-approved')
  assert.equal(directory.snapshot().accreditedSystems({ odsCode: 'A99968' }).length, 0)
  assert.deepEqual(platform.trust.list(), [])
  await contract.endpoints.withdraw(wrong, bob)

  const right = await register(contract, { ...asked, signingRequest: await request(`/CN=${fqdn}`) })
  const [record] = platform.trust.list()
  assert.equal(right.certificate?.serial, record?.serial)
  assert.equal(record?.fqdn, fqdn)
  const leaf = join(folder, 'leaf.pem')
  writeFileSync(leaf, right.certificate?.certificate ?? '')
  const verified = await run('openssl', ['verify', '-CAfile', platform.trust.files.bundle, leaf])
  assert.equal(verified.code, 0, verified.stderr)

  // Another practice on the same host: the certificate stays until the last of them goes.
  const hosted = await register(contract, practice('B00001', product.id))
  await contract.endpoints.withdraw(right.id, bob)
  assert.equal(platform.trust.revoked(record?.serial ?? ''), false)
  await contract.endpoints.withdraw(hosted.id, bob)
  assert.equal(platform.trust.revoked(record?.serial ?? ''), true)
})
