import assert from 'node:assert/strict'
import { it } from 'node:test'
import { testPlatform } from '@openspine/platform/testing'
import { directory, directoryConfig } from './service.ts'
import { accreditedSystem, messageHandlingSystem } from './testing.ts'

const service = 'urn:nhs:names:services:gpconnect'
const interaction = `${service}:fhir:rest:search:patient-1`
const partyKey = 'A20047-100002'

it('what is asked for every request is remembered, until the directory changes', async (t) => {
  const platform = await testPlatform()
  const made = directory({ platform, config: directoryConfig.parse({ port: 0 }) })
  t.after(async () => {
    await made.stop?.(100)
    await platform.close()
  })
  await platform.store.migrate('directory', made.migrations ?? {})
  await made.start?.()
  const handler = (endpoint: string) =>
    messageHandlingSystem({
      cpaId: 'S1',
      odsCode: 'A20047',
      partyKey,
      service,
      interaction: 'fhir:rest:search:patient-1',
      endpoint,
    })
  const look = () => made.contract.snapshot()
  const query = { partyKey, interaction }
  assert.deepEqual(look().messageHandlingSystems(query), [])
  assert.equal(look().accreditedSystem('200000000002'), undefined)

  await made.contract.apply(
    [
      {
        kind: 'put',
        entry: accreditedSystem({ asid: '200000000002', odsCode: 'A20047', partyKey, interactions: [interaction] }),
      },
      { kind: 'put', entry: handler('https://one.example.test/') },
    ],
    'test',
  )
  const [first] = look().messageHandlingSystems(query)
  assert.deepEqual(first?.endpoints, ['https://one.example.test/'])
  assert.equal(look().messageHandlingSystems(query)[0], first, 'no second record is made')
  assert.equal(look().messageHandlingSystems({ ...query, odsCode: 'A20048' }).length, 0, 'another question')
  assert.deepEqual([...(look().accreditedSystem('200000000002')?.fqdns ?? [])], ['one.example.test'])
  const before = look()

  await made.contract.apply([{ kind: 'put', entry: handler('https://two.example.test/') }], 'test')
  assert.deepEqual(look().messageHandlingSystems(query)[0]?.endpoints, ['https://two.example.test/'])
  assert.deepEqual([...(look().accreditedSystem('200000000002')?.fqdns ?? [])], ['two.example.test'])
  assert.equal(before.messageHandlingSystems(query)[0], first, 'a snapshot stands still')
})
