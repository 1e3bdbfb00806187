import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLdif, spineSchema } from '@openspine/standards/ldap'
import { entryLdif, readEntries } from './ldif.ts'
import { accreditedSystem, messageHandlingSystem, put, samples, startDirectory, structured } from './testing.ts'

const schema = spineSchema()
const system = accreditedSystem({
  asid: '200000100777',
  odsCode: 'X26',
  partyKey: 'X26-850007',
  interactions: [structured],
})

test('what is exported can be imported, and quirks of live dumps are repaired and reported', async (t) => {
  const running = await startDirectory()
  t.after(() => running.close())
  const { contract } = running.service
  await contract.apply(samples, 'tester')
  const handler = messageHandlingSystem({
    cpaId: 'S1',
    odsCode: 'X26',
    partyKey: 'X26-850007',
    service: 'urn:oasis:names:tc:ebxml-msg:service',
    interaction: 'Acknowledgment,',
    endpoint: 'https://x26.example.nhs.uk/',
  })
  const text = [
    entryLdif(system),
    entryLdif(system),
    `${entryLdif(handler)}nhsMHSRetries:\nNHSMHSPARTYKEY: x26-850007\nentryUUID: 1\nnosuch: x\n`,
    'dn: changenumber=4,cn=Changelog,o=nhs\nchangenumber: 4\n',
    'dn: uniqueIdentifier=200000100202,ou=Services,o=nhs\nchangetype: delete\n',
  ].join('\n')
  const { changes, repairs } = await readEntries(schema, readLdif(text))
  assert.deepEqual(
    repairs.map(({ repair }) => repair),
    [
      'same entry as on line 1, merged',
      'stray character at the end of nhsMhsSvcIA urn:oasis:names:tc:ebxml-msg:service:Acknowledgment, kept',
      'stray character at the end of nhsMHsIN Acknowledgment, kept',
      'slash at the end of nhsMHSEndPoint https://x26.example.nhs.uk/ kept',
      'empty value of nhsMHSRetries left out',
      'NHSMHSPARTYKEY written nhsMHSPartyKey (told once)',
      'second value x26-850007 of nhsMHSPartyKey left out',
      'operational attribute entryUUID left out',
      'attribute nosuch left out: the schema does not know it',
      'entry of the change log left out',
    ],
  )
  assert.deepEqual(changes, [
    put(system),
    put(handler),
    { kind: 'delete', dn: 'uniqueIdentifier=200000100202,ou=Services,o=nhs' },
  ])
  const imported = await contract.importLdif(text, 'import')
  assert.deepEqual(imported.repairs, repairs)
  assert.equal(contract.snapshot().accreditedSystem('200000100202'), undefined)
  const exported = [...contract.exportLdif()].join('')
  assert.equal(exported.includes('do not tell'), false)
  const again = await contract.importLdif(exported, 'import')
  assert.equal(again.version, imported.version, 'nothing changes: not even the secret, which is not exported')
  assert.equal(contract.snapshot().knowsInteraction('urn:oasis:names:tc:ebxml-msg:service:Acknowledgment,'), true)
})

test('what cannot be repaired is refused with its line', async () => {
  const other = { ...system, attributes: { ...system.attributes, nhsProductVersion: ['2'] } }
  const read = async (text: string) => readEntries(schema, readLdif(text))
  await assert.rejects(read(`${entryLdif(system)}\n${entryLdif(other)}`), {
    code: 'DIRECTORY_LDIF_CONFLICT',
    outcome: { line: entryLdif(system).split('\n').length + 1 },
  })
  await assert.rejects(read('dn: o=nhs\nchangetype: modify\nadd: l\nl: x\n-\n'), {
    code: 'DIRECTORY_NO_SUCH_ENTRY',
    outcome: { line: 1 },
  })
  await assert.rejects(read('dn: uid=1,o=nhs\nchangetype: modrdn\nnewrdn: uid=2\ndeleteoldrdn: 1\n'), {
    code: 'DIRECTORY_LDIF_CHANGE',
    message: /an identifier is for ever/,
  })
  await assert.rejects(read('dn: nonsense\no: x\n'), { code: 'DIRECTORY_NAME' })
  await assert.rejects(read('dn: o=nhs\nnonsense\n'), { code: 'LDIF_SYNTAX' })
})

test('modifications are worked out on what the file or the directory holds, in order', async (t) => {
  const running = await startDirectory()
  t.after(() => running.close())
  const { contract } = running.service
  await contract.apply([...samples, put({ ...system, registeredFqdn: 'x26.example.nhs.uk' })], 'tester')
  const text = `dn: ${system.dn}
changetype: modify
add: nhsAsSvcIA
nhsAsSvcIA: urn:nhs:names:services:pdsquery:QUPA_IN040000UK32
nhsAsSvcIA: ${structured}
-
replace: nhsproductversion
nhsProductVersion: 2.0
-
delete: nhsAsClient
-
delete: nhsAsCategoryBag
nhsAsCategoryBag: none
-
replace: entryUUID
entryUUID: 1
-

dn: ${system.dn}
changetype: modify
delete: nhsAsSvcIA
nhsAsSvcIA: ${structured}

dn: uniqueIdentifier=200000100202,ou=Services,o=nhs
changetype: delete

dn: uniqueIdentifier=200000100202,ou=Services,o=nhs
changetype: add
${entryLdif({ ...system, dn: '' })
  .split('\n')
  .slice(1)
  .join('\n')
  .replaceAll('200000100777', '200000100202')}`
  async function* pieces() {
    for (let at = 0; at < text.length; at += 50) yield Buffer.from(text.slice(at, at + 50))
  }
  const { repairs, changes } = await contract.importLdif(pieces(), 'import')
  assert.equal(changes, 4)
  assert.deepEqual(
    repairs.map(({ line, repair }) => [line, repair]),
    [
      [1, 'value of nhsAsSvcIA that is there already passed over'],
      [1, 'value of nhsAsCategoryBag is not there to be deleted'],
      [1, 'operational attribute entryUUID left out'],
    ],
  )
  const after = contract.snapshot().accreditedSystem('200000100777')
  assert.deepEqual(after?.interactions, new Set(['urn:nhs:names:services:pdsquery:QUPA_IN040000UK32']))
  assert.ok(after?.fqdns.has('x26.example.nhs.uk'), 'what is not in LDIF stays')
  assert.equal(contract.snapshot().accreditedSystem('200000100202')?.partyKey, 'X26-850007')
  const exported = [...contract.exportLdif()].join('')
  assert.match(exported, /nhsProductVersion: 2\.0/)
  const { version } = contract.snapshot()
  assert.equal(
    (await contract.importLdif(exported, 'import')).version,
    version,
    'nothing is lost on the way out and in',
  )
})
