import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import { messageHandlingSystem, put } from '../../directory/testing.ts'
import type { NewEndpoint, Registration } from '../contract.ts'
import { addProduct, ann, interactionsOf, register, startRegistration, type TestRegistration } from '../testing.ts'
import { endpointChecks } from './endpoints.ts'

let house: TestRegistration
const made: Record<string, string> = {}

const fqdn = 'gp.supplier.example'
const root = `https://${fqdn}/A99968/STU3/1/gpconnect`
const both = ['structured-record', 'documents'] as const

before(async () => {
  house = await startRegistration({ settings: { fqdnSuffixes: ['.supplier.example', '.trust.example'] } })
  const { contract, directory } = house
  const product = async (name: string, about: Omit<Parameters<typeof addProduct>[1], 'name'>) => {
    made[name] = (await addProduct(contract, { ...about, name })).id
  }
  await product('structured', { kinds: ['CMA'], messages: ['structured-record'] })
  await product('html', { kinds: ['CMA'], messages: ['access-record-html'] })
  await product('both', { kinds: ['CMA'], messages: both })
  await product('booking', { kinds: ['CMA'], messages: ['foundations', 'appointments'] })
  await product('mixed', { kinds: ['CMA'], messages: ['structured-record'], additional: ['gp2gp'] })
  await product('nothing', { kinds: ['CMA', 'AS'] })
  await product('handler', { kinds: ['MHS'] })
  await product('wrong-handler', { kinds: ['MHS'], messages: ['structured-record'] })
  await product('gp2gp', { kinds: ['MHS', 'AS'], messages: ['gp2gp'] })
  await product('consumer', { kinds: ['AS'], additional: ['structured-record'] })
  await product('other-consumer', { kinds: ['AS'], additional: ['documents'] })
  await product('rival', { kinds: ['CMA'], manufacturer: 'YY002', messages: ['structured-record'] })
  const reserved = await contract.products.create(
    { manufacturer: 'YY001', name: 'reserved', kinds: ['MHS'], withPartyKey: true },
    ann,
  )
  made['reserved'] = reserved.id
  const deleted = await contract.products.create({ manufacturer: 'YY001', name: 'deleted', kinds: ['CMA'] }, ann)
  made['deleted'] = deleted.id

  const trust = { odsCode: 'X26', fqdn: 'mhs.trust.example' }
  const shared = await register(contract, { kind: 'MHS', productId: made['handler'] ?? '', ...trust })
  made['shared'] = shared.partyKey ?? ''
  const as = { kind: 'AS', odsCode: 'X26', productId: made['consumer'] ?? '', partyKey: shared.partyKey ?? '' } as const
  made['asid'] = (await register(contract, as)).asid ?? ''
  const suspended = await register(contract, { kind: 'MHS', productId: made['handler'] ?? '', ...trust })
  await contract.endpoints.suspend(suspended.id, ann)
  made['suspended'] = suspended.partyKey ?? ''
  const gp2gp = { ...trust, urls: [{ url: 'https://mhs.trust.example/reliable' }] }
  made['messaging'] =
    (await register(contract, { kind: 'MHS', productId: made['gp2gp'] ?? '', ...gp2gp })).partyKey ?? ''
  await register(contract, { kind: 'MHS', productId: reserved.id, ...trust })
  const provider = { url: 'https://hosted.supplier.example/B00001/STU3/1/gpconnect/structured' }
  await register(contract, {
    kind: 'CMA',
    odsCode: 'B00001',
    productId: made['structured'] ?? '',
    fqdn: 'hosted.supplier.example',
    urls: [provider],
  })
  // From a time before registration: another's host, and another provider.
  const imported = (odsCode: string, host: string) =>
    put(
      messageHandlingSystem({
        cpaId: `S${odsCode}`,
        odsCode,
        partyKey: `${odsCode}-123456`,
        service: 'urn:nhs:names:services:gpconnect',
        interaction: 'fhir:operation:gpc.getstructuredrecord-1',
        endpoint: `https://${host}/${odsCode}/STU3/1/gpconnect/structured`,
        more: { nhsMhsManufacturerOrg: ['YY009'] },
      }),
    )
  await directory.apply([imported('B00002', 'old.supplier.example')], 'import')
  await contract.products.delete(deleted.id, ann)
})
after(() => house?.close())

type Asked = Partial<Omit<NewEndpoint, 'productId'>> & { readonly product?: string }

/** A request that keeps every rule, and what is changed of it. */
function asked({ product = 'structured', ...change }: Asked): NewEndpoint {
  const whole = {
    kind: 'CMA' as const,
    odsCode: 'A99968',
    productId: made[product] ?? product,
    fqdn,
    urls: [{ url: `${root}/structured` }],
    ...change,
  }
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)) as unknown as NewEndpoint
}

const url = (text: string) => ({ urls: [{ url: text }] })
const noHost = { fqdn: undefined, urls: undefined } as unknown as Asked
const consumer = (partyKey: string): Asked => ({
  kind: 'AS',
  product: 'other-consumer',
  odsCode: 'X26',
  partyKey: made[partyKey] ?? partyKey,
  ...noHost,
})

/** Each rule broken once, all else in order. */
const broken: readonly (readonly [code: string, change: () => Asked])[] = [
  ['REGISTRATION_ENVIRONMENT', () => ({ environment: 'int' })],
  ['REGISTRATION_ODS_CODE', () => ({ odsCode: 'A 99968' })],
  ['REGISTRATION_ODS_CODE', () => ({ clients: ['A99968', '*'] })],
  ['REGISTRATION_ORGANISATION', () => ({ odsCode: 'NOBODY' })],
  ['REGISTRATION_ORGANISATION', () => ({ odsCode: 'C00001' })],
  ['REGISTRATION_PRODUCT_UNKNOWN', () => ({ product: 'P.AAA-AAA' })],
  ['REGISTRATION_PRODUCT_UNKNOWN', () => ({ product: 'deleted' })],
  ['REGISTRATION_MANUFACTURER', () => ({ manufacturer: 'YY002' })],
  ['REGISTRATION_PRODUCT_KIND', () => ({ kind: 'MHS' })],
  ['REGISTRATION_PARTY_KEY', () => ({ partyKey: made['shared'] ?? '' })],
  ['REGISTRATION_PARTY_KEY', () => ({ kind: 'AS', product: 'consumer', ...noHost })],
  ['REGISTRATION_PARTY_KEY', () => consumer('X26-999999')],
  ['REGISTRATION_PARTY_KEY', () => consumer('suspended')],
  ['REGISTRATION_PARTY_KEY_TAKEN', () => ({ kind: 'MHS', product: 'reserved' })],
  ['REGISTRATION_NOT_IN_PRODUCT', () => ({ interactions: [interactionsOf('documents')[0] ?? ''] })],
  ['REGISTRATION_NO_INTERACTIONS', () => ({ product: 'nothing' })],
  ['REGISTRATION_NO_INTERACTIONS', () => ({ ...consumer('shared'), product: 'nothing' })],
  ['REGISTRATION_PROVIDER_KIND', () => ({ kind: 'MHS', product: 'wrong-handler' })],
  ['REGISTRATION_FAMILIES', () => ({ product: 'mixed' })],
  ['REGISTRATION_FAMILIES', () => consumer('messaging')],
  ['REGISTRATION_ONE_PROVIDER', () => ({ product: 'html', odsCode: 'B00001' })],
  ['REGISTRATION_ONE_PROVIDER', () => ({ product: 'html', odsCode: 'B00002' })],
  ['REGISTRATION_SYSTEM_TWICE', () => ({ ...consumer('shared'), product: 'consumer' })],
  ['REGISTRATION_FQDN', () => ({ fqdn: '*.supplier.example' })],
  ['REGISTRATION_FQDN', () => ({ fqdn: '192.0.2.1' })],
  ['REGISTRATION_FQDN', () => ({ ...consumer('shared'), fqdn })],
  ['REGISTRATION_FQDN', () => ({ ...consumer('shared'), signingRequest: 'none' })],
  ['REGISTRATION_FQDN_SUFFIX', () => ({ fqdn: 'gp.elsewhere.example' })],
  ['REGISTRATION_FQDN_SUFFIX', () => ({ fqdn: 'supplier.example' })],
  ['REGISTRATION_FQDN_TAKEN', () => ({ product: 'rival', fqdn: 'hosted.supplier.example' })],
  ['REGISTRATION_FQDN_TAKEN', () => ({ fqdn: 'OLD.supplier.example' })],
  ['REGISTRATION_SOURCE_ADDRESS', () => ({ sourceAddress: '300.0.0.1' })],
  ['REGISTRATION_URL_MISSING', () => ({ urls: [] })],
  ['REGISTRATION_URL_MISSING', () => ({ urls: [{ url: `${root}/structured`, set: 'documents' }] })],
  ['REGISTRATION_URL_MISSING', () => ({ product: 'both', urls: [{ url: `${root}/documents`, set: 'documents' }] })],
  ['REGISTRATION_URL_SCHEME', () => url(`${root}/structured`.replace('https', 'http'))],
  ['REGISTRATION_URL_SCHEME', () => url('not a url')],
  ['REGISTRATION_URL_SCHEME', () => url(`${root}/structured?x=1`)],
  ['REGISTRATION_URL_SCHEME', () => url(root.replace('//', '//user@'))],
  ['REGISTRATION_URL_HOST', () => url('https://other.supplier.example/A99968/STU3/1/gpconnect/structured')],
  ['REGISTRATION_URL_SLASH', () => url(`${root}/structured/`)],
  ['REGISTRATION_URL_OPERATION', () => url(`${root}/structured/$gpc.getstructuredrecord`)],
  ['REGISTRATION_URL_OPERATION', () => url(`${root}/structured/metadata`)],
  ['REGISTRATION_URL_OPERATION', () => url(`${root}/structured/Patient/1`)],
  ['REGISTRATION_URL_FORM', () => url(`https://${fqdn}/A99968/STU3/1`)],
  ['REGISTRATION_URL_FORM', () => url(`https://${fqdn}`)],
  ['REGISTRATION_URL_FORM', () => ({ product: 'html', ...url(`https://${fqdn}/A99968/DSTU2`) })],
  ['REGISTRATION_URL_ODS_CODE', () => url(`https://${fqdn}/B00001/STU3/1/gpconnect/structured`)],
  ['REGISTRATION_URL_ODS_CODE', () => url(`https://${fqdn}/a99968/STU3/1/gpconnect/structured`)],
  ['REGISTRATION_URL_FHIR_VERSION', () => url(`https://${fqdn}/A99968/stu3/1/gpconnect/structured`)],
  ['REGISTRATION_URL_MAJOR', () => url(`https://${fqdn}/A99968/STU3/1.6/gpconnect/structured`)],
  [
    'REGISTRATION_URL_VERSIONS',
    () => ({ urls: [{ url: `${root}/structured` }, { url: `https://${fqdn}/A99968/R4/1/gpconnect/structured` }] }),
  ],
  ['REGISTRATION_URL_SHARED', () => ({ product: 'both', ...url(root) })],
  [
    'REGISTRATION_URL_SHARED',
    () => ({
      product: 'booking',
      urls: [
        { url: root, set: 'foundations' },
        { url: `${root}/appointments`, set: 'appointments' },
      ],
    }),
  ],
]

const requested = ({ endpoints }: Registration, request: NewEndpoint) => endpoints.submit(request, ann)

test('each rule refuses what breaks it, in plain words', async () => {
  const { version } = house.directory.snapshot()
  for (const [code, change] of broken) {
    const request = asked(change())
    await assert.rejects(requested(house.contract, request), (error) => {
      assert.ok(isSpineError(error), String(error))
      assert.equal(error.code, code, `${error.explanation}: ${JSON.stringify(request)}`)
      assert.match(error.explanation ?? '', /.{10}[.]$/)
      return true
    })
  }
  assert.equal(house.directory.snapshot().version, version)
})

test('every rule is broken above', () => {
  const tried = new Set(broken.map(([code]) => code))
  assert.deepEqual(
    endpointChecks.map(({ code }) => code).filter((code) => !tried.has(code)),
    [],
  )
})

test('what keeps the rules is accepted', async () => {
  for (const change of [
    {},
    { environment: 'test', manufacturer: 'YY001', fqdn: 'GP.Supplier.Example', sourceAddress: '2001:db8::1' },
    url(`https://${fqdn}:8443/A99968/STU3/1/gpconnect/structured`),
    { product: 'html', ...url(`https://${fqdn}/A99968/DSTU2/1`) },
    { product: 'booking', ...url(root) },
    {
      product: 'both',
      urls: [
        { url: `${root}/structured`, set: 'structured-record' },
        { url: `${root}/documents`, set: 'documents' },
      ],
    },
    { interactions: [interactionsOf('structured-record')[0] ?? ''] },
    consumer('shared'),
  ] satisfies Asked[]) {
    assert.equal((await requested(house.contract, asked(change))).state, 'requested', JSON.stringify(change))
  }
})
