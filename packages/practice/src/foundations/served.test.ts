/** Foundations over real sockets and a real store, and what a restart keeps of it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import { testPlatform } from '@openspine/platform/testing'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { workedExamplePatients as people, practice, practiceConfig, workedExample } from '../service.ts'
import { proxyFqdn, testAsid } from '../testing/requests.ts'
import { stu3Request, testAsids } from '../testing/stu3-requests.ts'
import { keptConnection } from '../testing/wire.ts'

const registration = (nhsNumber: string, family: string, given: string, birthDate: string) => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'registerPatient',
      resource: {
        resourceType: 'Patient',
        identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }],
        name: [{ use: 'official', family, given: [given] }],
        birthDate,
      },
    },
  ],
})

test('patients who were registered stay so when the practice starts again with its files', async () => {
  const platform = await testPlatform()
  const folder = await mkdtemp(join(tmpdir(), 'openspine-foundations-'))
  try {
    const now = platform.clock.now()
    const file = join(folder, 'practice.json')
    await writeFile(file, JSON.stringify(workedExample({ asid: testAsid, asids: testAsids, today: '2026-11-20' })))
    const known = new Map([
      ['9990100144', { family: 'Visiting', given: ['Petra'], birthDate: '1991-03-14' }],
      [people.inactive, { family: 'Gonewell', given: ['Kofi'], birthDate: '1969-11-11' }],
    ])
    const client = await platform.trust.issue({ fqdn: proxyFqdn })

    /** One life of the system, from its start to its end. */
    async function started<T>(during: (connection: ReturnType<typeof keptConnection>) => Promise<T>): Promise<T> {
      const system = practice({
        platform: { ...platform, metrics: makeMetrics() },
        config: practiceConfig.parse({ port: 0, proxyFqdn, files: [file] }),
        async demographics(nhsNumber) {
          const person = known.get(nhsNumber)
          return person && { ...person, deceased: false, sensitive: false, status: 'current' }
        },
      })
      await platform.store.migrate(system.name, system.migrations ?? {})
      await system.start?.()
      const [listener] = system.listeners ?? []
      assert.ok(listener)
      const { port } = await listener.listen()
      const connection = keptConnection(port, platform.trust, client)
      try {
        return await during(connection)
      } finally {
        connection.end()
        await listener.close(1000)
      }
    }

    const find = (nhsNumber: string) =>
      stu3Request({
        now,
        interaction: 'fhir:rest:search:patient-1',
        target: `/Patient?identifier=https%3A%2F%2Ffhir.nhs.uk%2FId%2Fnhs-number|${nhsNumber}`,
      })
    const found = async (connection: ReturnType<typeof keptConnection>) =>
      Promise.all(
        [...known.keys()].map(async (nhsNumber) => {
          const { status, text } = await connection.send(find(nhsNumber))
          assert.equal(status, 200, text)
          return stu3.read('json', text)['entry']
        }),
      )

    const registered = await started(async (connection) => {
      assert.deepEqual(await found(connection), [undefined, undefined])
      for (const [nhsNumber, { family, given, birthDate }] of known) {
        const asked = stu3Request({
          now,
          interaction: 'fhir:operation:gpc.registerpatient-1',
          method: 'POST',
          target: '/Patient/%24gpc.registerpatient',
          scope: 'patient/*.write',
          body: registration(nhsNumber, family, given[0] ?? '', birthDate),
        })
        assert.equal((await connection.send(asked)).status, 200)
        assert.equal((await connection.send(asked)).status, 409)
      }
      return found(connection)
    })
    for (const entry of registered) assert.equal((entry as unknown[]).length, 1)
    assert.deepEqual(await started(found), registered)
  } finally {
    await platform.close()
    await rm(folder, { recursive: true, force: true })
  }
})
