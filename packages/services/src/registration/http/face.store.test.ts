import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forEachStore, strictTests } from '@openspine/platform/testing'
import { gpPractice, put, run } from '../../directory/testing.ts'
import { additional, answers, readyProduct, served, service, startApi } from './testing.ts'

const tools = await run('ldapsearch', ['-VV']).then(
  () => true,
  () => false,
)
const isoMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/
const codes = Array.from({ length: 64 }, (_, place) => `D${String(place).padStart(5, '0')}`)

forEachStore((open) => {
  test('from team to accredited system, and into the directory', async (t) => {
    const store = await open()
    const api = await startApi({
      platform: { store },
      more: codes.map((code) => put(gpPractice(code, `SURGERY ${code}`))),
    })
    t.after(async () => {
      await api.close()
      await store.close()
    })
    const { call } = api
    const { team, product, partyKey, path } = await readyProduct(api)
    assert.deepEqual(team.keys, [{ key_type: 'product_team_epr_id', key_value: 'EPR-X26' }])
    assert.equal(partyKey, 'X26-850000')
    const interaction = `${service}:${served}`

    const sets = await call('GET', `${path}/DeviceReferenceData`)
    const [messages, more] = sets.json.results
    assert.equal(messages.name, `${partyKey} - MHS Message Sets`)
    assert.equal(more.name, `${partyKey} - AS Additional Interactions`)
    const [contract] = messages.questionnaire_responses['spine_mhs_message_sets/1']
    assert.equal(contract.data['Interaction ID'], interaction)
    assert.equal(contract.data['MHS CPA ID'], `${partyKey}:${interaction}`)
    assert.equal(contract.data['Unique Identifier'], `${partyKey}:${interaction}`)
    assert.deepEqual((await call('GET', `${path}/DeviceReferenceData/${more.id}`)).json, more)

    const handler = await call('POST', `${path}/Device/MessageHandlingSystem`, {
      questionnaire_responses: { spine_mhs: [answers.handler] },
    })
    assert.equal(handler.status, 201, handler.body)
    const { questionnaire_responses: given, created_on: createdOn, ...device } = handler.json
    assert.match(createdOn, isoMoment)
    assert.deepEqual(device, {
      id: device.id,
      name: `${partyKey} - Message Handling System`,
      status: 'active',
      product_id: product.id,
      product_team_id: team.id,
      ods_code: 'X26',
      environment: 'dev',
      updated_on: null,
      deleted_on: null,
      keys: [{ key_type: 'cpa_id', key_value: `${partyKey}:${interaction}` }],
      device_reference_data: { [messages.id]: ['*'] },
    })
    const {
      'Date Approved': approved,
      'Date DNS Approved': dns,
      'Date Requested': requested,
      ...data
    } = given['spine_mhs/1'][0].data
    for (const each of [approved, dns, requested]) assert.match(each, isoMoment)
    assert.deepEqual(data, {
      ...answers.handler,
      Address: 'https://mhs.supplier.example',
      'MHS Party key': partyKey,
      'Managing Organization': 'X26',
    })
    const whole = await call('GET', `${path}/Device/${device.id}`)
    assert.deepEqual(Object.keys(whole.json.questionnaire_responses), ['spine_mhs/1', 'spine_mhs_message_sets/1'])

    // 64 at once, one at each organisation: every ASID once.
    const systems = await Promise.all(
      codes.map((code) =>
        call('POST', `${path}/Device/AccreditedSystem`, {
          questionnaire_responses: { spine_as: [{ ...answers.system, 'ODS Code': code }] },
        }),
      ),
    )
    assert.deepEqual(
      systems.filter(({ status }) => status !== 201).map(({ body }) => body),
      [],
    )
    const asids = systems.map(({ json }) => json.keys[0].key_value as string)
    assert.equal(new Set(asids).size, 64)
    assert.deepEqual(
      [...asids].sort(),
      codes.map((_, place) => String(200000100000 + place)),
    )
    const [system] = systems
    assert.equal(system?.json.name, `${partyKey}/${asids[0]} - Accredited System`)
    const answered = system?.json.questionnaire_responses['spine_as/1'][0].data
    assert.equal(answered.ASID, asids[0])
    assert.deepEqual(answered['Client ODS Codes'], [codes[0]])
    assert.equal(answered['Temp UID'], null)

    // In the directory: at once in the snapshot, and over the wire.
    const snapshot = api.directory.service.contract.snapshot()
    assert.deepEqual([...(snapshot.accreditedSystem(asids[0] ?? '')?.interactions ?? [])], [interaction, additional])
    const [found] = snapshot.messageHandlingSystems({ partyKey, interaction })
    assert.deepEqual(found?.endpoints, ['https://mhs.supplier.example'])
    if (tools || strictTests) {
      const filter = `(&(objectClass=nhsAs)(nhsIDCode=${codes[0]})(nhsAsSvcIA=${additional}))`
      const base = ['-x', '-LLL', '-H', `ldap://127.0.0.1:${api.directory.plainPort}`, '-b', 'ou=Services,o=nhs']
      const { stdout } = await run('ldapsearch', [...base, filter])
      assert.match(stdout, new RegExp(`uniqueIdentifier: ${asids[0]}`))
      assert.match(stdout, /nhsProductName: My SPINE Product\nnhsProductVersion: 2000.01/)
      assert.match(stdout, /nhsRequestorURP: the-requestor-urp/)
    }

    const search = (query: Record<string, string>) => `?${new URLSearchParams(query)}`
    const one = await call(
      'GET',
      `/searchSdsDevice${search({ nhs_id_code: codes[0] ?? '', nhs_as_svc_ia: additional })}`,
    )
    assert.equal(one.json.length, 1)
    assert.equal(one.json[0].id, system?.json.id)
    const none = await call('GET', `/searchSdsDevice${search({ nhs_id_code: '*', nhs_as_svc_ia: additional })}`)
    assert.equal(none.body, '[]')
    const host = await call('GET', `/searchSdsEndpoint${search({ nhs_id_code: 'X26', nhs_mhs_party_key: partyKey })}`)
    assert.deepEqual(host.json, [whole.json])

    // What is registered holds the product, and with it the team.
    assert.equal((await call('DELETE', `${path.replace('/dev', '')}`)).status, 409)
    assert.equal((await call('DELETE', `/ProductTeamEpr/${team.id}`)).status, 409)
  })
})
