/** The GP Connect integration example, 1a to 5b, over real sockets and mutual TLS, in JSON and in XML. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type RecordSection, recordSections } from '@openspine/client'
import { workedExamplePatients } from '@openspine/practice'
import type { SpineError } from '@openspine/standards/error'
import { xhtmlDivProblem } from '@openspine/standards/xml'
import { freshDatabase } from './database.ts'
import { careRecordInteraction, consumer, type Sandbox, startSandbox } from './sandbox.ts'

const strict = process.env['OPENSPINE_STRICT_TESTS'] === '1'
const database = await freshDatabase()
after(() => database?.drop())

integrationExample('on the store in memory', {})
if (database) integrationExample('on PostgreSQL', { databaseUrl: database.url })
else
  it('the integration example on PostgreSQL', { skip: strict ? false : 'TEST_DATABASE_URL is not set' }, () => {
    assert.fail('TEST_DATABASE_URL is not set, and OPENSPINE_STRICT_TESTS=1 wants both engines')
  })

function integrationExample(engine: string, overrides: Readonly<Record<string, unknown>>) {
  describe(`the integration example ${engine}`, () => {
    let sandbox: Sandbox
    before(async () => {
      sandbox = await startSandbox(overrides)
    })
    after(() => sandbox?.stop())
    const session = () => sandbox.client.session(consumer)

    it('1: demographics finds the patient, with a verified number and a practice', async () => {
      const { person } = await session().trace({
        family: 'TESTCASE',
        given: 'Arlo',
        birthDate: '1980-02-29',
        postcode: 'zz993cz',
      })
      assert.deepEqual(
        [person.nhsNumber, person.verified, person.practice, person.score],
        ['9990548609', true, 'A20047', 1],
      )
    })

    it('2, 3: the directory names endpoint and system, in both orders of asking', async () => {
      const found = await session().lookup({ odsCode: 'A20047', interaction: careRecordInteraction })
      assert.equal(found.endpoint, `${sandbox.spine.urls['practice']}/A20047/DSTU2/1`)
      assert.equal(found.asid, '200000100001')
    })

    for (const format of ['json', 'xml'] as const) {
      for (const section of Object.keys(recordSections) as RecordSection[]) {
        it(`4: the proxy relays section ${section} in ${format}`, async () => {
          const record = await session().careRecord({ nhsNumber: '9990548609', odsCode: 'A20047', section, format })
          assert.equal(record.title, recordSections[section])
          assert.equal(xhtmlDivProblem(record.html), undefined)
          assert.match(record.html, new RegExp(`<h1>${recordSections[section]}</h1>`))
          const [audited] = await sandbox.spine.platform.audit.find({
            trace: record.traceId,
            event: 'proxy.request',
            limit: 2,
          })
          assert.equal(audited?.facts['status'], 200)
        })
      }
    }

    it('4: the practice says what it can do', async () => {
      const found = await session().capabilities({ odsCode: 'A20047' })
      assert.equal(found.version, '0.7.4')
      assert.deepEqual(found.operations, ['gpc.getcarerecord'])
    })

    for (const format of ['json', 'xml'] as const)
      it(`4: a practice of 1.2 hands over its structured record at the base of all the rest, in ${format}`, async () => {
        const interaction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1'
        const found = await session().lookup({ odsCode: 'C99312', interaction })
        assert.equal(found.endpoint, `${sandbox.spine.urls['practice']}/C99312/STU3/1/gpconnect`)
        assert.equal(found.asid, '200000100031')
        // Whoever has a base of its own for them has them there alone: each look-up finds one.
        for (const odsCode of ['A20047', 'C99312'])
          assert.deepEqual(
            (await session().lookup({ odsCode, interaction })).searches.map(({ found }) => found),
            [1, 1],
          )
        const record = await session().structuredRecord({
          nhsNumber: '9990548609',
          odsCode: 'C99312',
          format,
          include: { allergies: { resolved: true }, medication: {} },
        })
        const [audited] = await sandbox.spine.platform.audit.find({
          trace: record.traceId,
          event: 'proxy.request',
          limit: 2,
        })
        assert.equal(audited?.facts['status'], 200)
        assert.equal(audited?.facts['to'], '200000100031')
      })

    it('5: a refusal of the practice passes through the proxy as it is, and the audit has it', async () => {
      const refused = await session()
        .careRecord({ nhsNumber: workedExamplePatients.sensitive, odsCode: 'A20047', section: 'SUM' })
        .then(
          () => assert.fail('not refused'),
          (error: SpineError<{ status: number; code: string; traceId: string }>) => error,
        )
      assert.deepEqual(
        [refused.code, refused.outcome.status, refused.outcome.code],
        ['CLIENT_REFUSED', 404, 'PATIENT_NOT_FOUND'],
      )
      const [audited] = await sandbox.spine.platform.audit.find({
        trace: refused.outcome.traceId,
        event: 'proxy.request',
        limit: 2,
      })
      assert.equal(audited?.facts['status'], 404)
    })

    it('leaves an audit that verifies', async () => {
      assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
    })
  })
}
