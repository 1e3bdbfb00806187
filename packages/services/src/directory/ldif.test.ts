import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spineSchema } from '@openspine/standards/ldap'
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
  const { changes, repairs } = readEntries(schema, text)
  assert.deepEqual(
    repairs.map(({ repair }) => repair),
    [
      'same entry as on line 1, merged',
      'empty value of nhsMHSRetries left out',
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

test('what cannot be repaired is refused with its line', () => {
  const other = { ...system, attributes: { ...system.attributes, nhsProductVersion: ['2'] } }
  assert.throws(() => readEntries(schema, `${entryLdif(system)}\n${entryLdif(other)}`), {
    code: 'DIRECTORY_LDIF_CONFLICT',
    outcome: { line: entryLdif(system).split('\n').length + 1 },
  })
  assert.throws(() => readEntries(schema, 'dn: o=nhs\nchangetype: modify\nadd: l\nl: x\n-\n'), {
    code: 'DIRECTORY_LDIF_CHANGE',
  })
  assert.throws(() => readEntries(schema, 'dn: nonsense\no: x\n'), { code: 'DIRECTORY_NAME' })
  assert.throws(() => readEntries(schema, 'dn: o=nhs\nnonsense\n'), { code: 'LDIF_SYNTAX' })
})
