import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import type { DirectoryChange, DirectoryEntry } from '../contract.ts'
import {
  accreditedSystem,
  gpPractice,
  messageHandlingSystem,
  put,
  samples,
  startDirectory,
  structured,
  type TestDirectory,
} from '../testing.ts'
import { writeChecks } from './checks.ts'

let running: TestDirectory
before(async () => {
  running = await startDirectory()
  await running.service.contract.apply(samples, 'tester')
})
after(() => running.close())

const as = accreditedSystem({
  asid: '200000100900',
  odsCode: 'X26',
  partyKey: 'X26-850009',
  interactions: [structured],
})
const mhs = messageHandlingSystem({
  cpaId: 'X26-850009:one',
  odsCode: 'X26',
  partyKey: 'X26-850009',
  service: 'urn:nhs:names:services:pds',
  interaction: 'QUPA_IN000008UK02',
  endpoint: 'https://x26.example.nhs.uk/pds',
})
const without = (entry: DirectoryEntry, name: string): DirectoryEntry => ({
  ...entry,
  attributes: Object.fromEntries(Object.entries(entry.attributes).filter(([each]) => each !== name)),
})
const withValues = (entry: DirectoryEntry, attributes: Record<string, readonly string[]>): DirectoryEntry => ({
  ...entry,
  attributes: { ...entry.attributes, ...attributes },
})

/** Each rule broken once, all else in order. */
const broken: readonly (readonly [code: string, change: DirectoryChange, tolerated?: boolean])[] = [
  ['DIRECTORY_NAME', put({ ...as, dn: 'nonsense' })],
  ['DIRECTORY_NAME', { kind: 'delete', dn: '' }],
  ['DIRECTORY_NO_SUCH_ENTRY', { kind: 'delete', dn: as.dn }],
  ['DIRECTORY_ENTRY_EXISTS', { kind: 'create', entry: gpPractice('A99968', 'ANOTHER SURGERY') }],
  ['DIRECTORY_NOT_A_LEAF', { kind: 'delete', dn: 'uid=111111111111,ou=People,o=nhs' }],
  ['DIRECTORY_BRANCH_CLOSED', { kind: 'delete', dn: 'ou=Services,o=nhs' }],
  ['DIRECTORY_BRANCH_CLOSED', { kind: 'delete', dn: 'changenumber=1,cn=Changelog,o=nhs' }],
  ['DIRECTORY_BRANCH_CLOSED', put({ ...as, dn: 'uniqueIdentifier=200000100900,o=elsewhere' })],
  ['DIRECTORY_BRANCH_CLOSED', put({ dn: 'changenumber=1,cn=Changelog,o=nhs', attributes: {} })],
  ['DIRECTORY_PARENT_MISSING', put({ ...as, dn: 'uniqueIdentifier=200000100900,ou=Nowhere,o=nhs' })],
  ['DIRECTORY_ATTRIBUTE_UNKNOWN', put(withValues(as, { nhsaASvcIA: ['x'] }))],
  ['DIRECTORY_ATTRIBUTE_UNKNOWN', put(withValues(as, { entryUUID: ['x'] }))],
  ['DIRECTORY_VALUE', put(withValues(as, { nhsProductName: [' '] }))],
  ['DIRECTORY_VALUE', put(withValues(as, { nhsAsSvcIA: [structured, structured] }))],
  ['DIRECTORY_VALUE', put(withValues(as, { description: ['x'.repeat(70_000)] }))],
  ['DIRECTORY_VALUE', put(withValues(as, { NHSIDCODE: ['X26'] }))],
  ['DIRECTORY_OBJECT_CLASS', put(withValues(as, { objectClass: ['top', 'nhsAs', 'nosuch'] }))],
  ['DIRECTORY_OBJECT_CLASS', put(withValues(as, { objectClass: ['top'] }))],
  ['DIRECTORY_OBJECT_CLASS', put(withValues(as, { objectClass: ['top', 'nhsAs', 'nhsMhs'] }))],
  ['DIRECTORY_ATTRIBUTE_MISSING', put(without(as, 'nhsApproverURP'))],
  ['DIRECTORY_ATTRIBUTE_NOT_ALLOWED', put(withValues(as, { nhsMhsFQDN: ['x26.example.nhs.uk'] }))],
  ['DIRECTORY_SINGLE_VALUE', put(withValues(as, { nhsIDCode: ['X26', 'YES'] }))],
  ['DIRECTORY_NAME_VALUE', put(withValues(as, { uniqueIdentifier: ['200000100901'] }))],
  ['DIRECTORY_BRANCH', put({ ...as, dn: 'uniqueIdentifier=200000100900,ou=People,o=nhs' })],
  ['DIRECTORY_ODS_CODE', put(withValues(as, { nhsAsClient: ['X 26'] })), true],
  [
    'DIRECTORY_ASID',
    put({ ...withValues(as, { uniqueIdentifier: ['AB-1'] }), dn: 'uniqueIdentifier=AB-1,ou=Services,o=nhs' }),
    true,
  ],
  ['DIRECTORY_PARTY_KEY', put(withValues(as, { nhsMHSPartyKey: ['X26'] })), true],
  ['DIRECTORY_INTERACTION', put(withValues(as, { nhsAsSvcIA: ['urn:nhs:names:services:pds:X Y'] })), true],
  ['DIRECTORY_INTERACTION_PARTS', put(withValues(mhs, { nhsMHsIN: ['OTHER'] })), true],
  ['DIRECTORY_CPA_ID', put(withValues(mhs, { nhsMhsCPAId: ['S1'] })), true],
  [
    'DIRECTORY_INTERACTION_TWICE',
    put(
      messageHandlingSystem({
        cpaId: 'second',
        odsCode: 'A99968',
        partyKey: 'A99968-850000',
        service: 'urn:nhs:names:services:gpconnect',
        interaction: 'fhir:operation:gpc.getstructuredrecord-1',
        endpoint: 'https://gp.example.thirdparty.nhs.uk/A99968/STU3/1/other',
      }),
    ),
    true,
  ],
  ['DIRECTORY_ORGANISATION', put(withValues(as, { nhsIDCode: ['NOBODY'] })), true],
  ['DIRECTORY_ENDPOINT', put(withValues(mhs, { nhsMHSEndPoint: ['http://x26.example.nhs.uk/pds'] })), true],
  ['DIRECTORY_FQDN', put(withValues(mhs, { nhsMhsFQDN: ['not a host'] })), true],
  ['DIRECTORY_FQDN', put({ ...as, registeredFqdn: '-x' }), true],
  ['DIRECTORY_ENUMERATION', put(withValues(mhs, { nhsMHSAckRequested: ['sometimes'] })), true],
  ['DIRECTORY_ENUMERATION', put(withValues(mhs, { nhsMHSRetries: ['many'] })), true],
  ['DIRECTORY_DATE', put(withValues(mhs, { nhsDateApproved: ['20260230000000'] })), true],
  ['DIRECTORY_DATE', put(withValues(mhs, { nhsMHSRetryInterval: ['1 minute'] })), true],
]

test('each rule refuses what breaks it, and nothing is written', async () => {
  const { contract } = running.service
  const { version } = contract.snapshot()
  for (const [code, change] of broken) {
    await assert.rejects(contract.apply([change], 'tester'), (error) => {
      assert.ok(isSpineError(error), String(error))
      assert.equal(error.code, code, error.explanation)
      assert.ok((error.explanation ?? '').length > 10)
      return true
    })
  }
  assert.equal(contract.snapshot().version, version)
})

test('every rule that refuses is broken above', () => {
  const tried = new Set(broken.map(([code]) => code))
  for (const { code, on } of writeChecks) assert.ok(on === 'warned' || tried.has(code), code)
})

test('known quirks of live data pass on import', async () => {
  const { contract } = running.service
  for (const [code, change, tolerated = false] of broken) {
    const attempt = contract.apply([change], 'import', { imported: true })
    if (tolerated) {
      await attempt
      assert.ok(change.kind === 'put')
      await contract.apply([{ kind: 'delete', dn: change.entry.dn }], 'import')
    } else await assert.rejects(attempt, { code })
  }
})

test('what is in order is accepted, in any spelling and case', async () => {
  const { contract } = running.service
  await contract.apply(
    [
      put(as),
      put(
        withValues(mhs, {
          nhsMHSSyncReplyMode: ['mshsignalsonly'],
          nhsMHSRetries: [''],
          nhsMHSEndPoint: ['https://x26.example.nhs.uk/pds/'],
        }),
      ),
      put({
        dn: 'UNIQUEIDENTIFIER=200000100901, OU=SERVICES, O=NHS',
        attributes: {
          objectclass: ['top', 'nhsas'],
          uniqueidentifier: ['200000100901'],
          nhsidcode: ['X26'],
          nhsmhspartykey: ['X26-850009'],
          nhsassvcia: [structured],
          nhsrequestorurp: ['System'],
          nhsdaterequested: ['20260101000000'],
          nhsapproverurp: ['System'],
          nhsdateapproved: ['20260101000000'],
        },
      }),
    ],
    'tester',
  )
  assert.equal(contract.snapshot().accreditedSystem('200000100901')?.partyKey, 'X26-850009')
  assert.deepEqual(contract.snapshot().accreditedSystem('200000100901')?.fqdns, new Set(['x26.example.nhs.uk']))
})

test('a closed organisation registers no systems', async () => {
  const { contract } = running.service
  await contract.apply([put(gpPractice('B00001', 'CLOSED SURGERY', { nhsOrgCloseDate: ['20200101'] }))], 'tester')
  const system = accreditedSystem({
    asid: '200000100950',
    odsCode: 'B00001',
    partyKey: 'B00001-850000',
    interactions: [structured],
  })
  await assert.rejects(contract.apply([put(system)], 'tester'), { code: 'DIRECTORY_ORGANISATION' })
})
