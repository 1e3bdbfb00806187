import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { oid, type PdsUpdate } from '@openspine/standards/hl7v3'
import { extensionUrl, items, type Json, type StoredPerson } from '../person.ts'
import { face, reply } from './hl7v3.test-kit.ts'
import { changes } from './interactions.ts'
import { nhaisChecks } from './nhais-checks.ts'
import { updateChecks } from './update-checks.ts'

const full = { number: '9990548625', version: '7' }
const interaction = 'PRPA_IN000204UK03'

const practice = (updateMode: string, code = '1') => ({
  code,
  updateMode,
  effectiveTimes: [],
  organisations: updateMode === 'removed' ? [] : [{ root: oid.organisation, extension: 'B82617' }],
})
const leaving = {
  updateMode: 'added',
  code: 'SCT',
  effectiveTime: { bounds: [{ bound: 'low', value: '20261101' } as const] },
} as const
const patientOf = ({ document }: StoredPerson) => JSON.parse(document) as Json

async function sent(changed: Partial<PdsUpdate>, over = face(), about = full) {
  const { status, body } = await over.change(about, { modes: [], ...changed }, { interaction })
  return { status, body, ...reply(body), person: await over.retrieve(about.number) }
}

describe('an update of NHAIS', () => {
  for (const { request, response } of changes.filter(({ kind }) => kind === 'NHAIS update'))
    it(`${request} is answered with ${response} and the new version, in the body itself`, async () => {
      const { body } = await face().change(
        full,
        { modes: [], provisions: [practice('altered')] },
        { interaction: request },
      )
      const { wrapper, transmission, version, reasons } = reply(body)
      assert.deepEqual([wrapper, transmission?.interaction, version, reasons], [undefined, response, '8', []])
    })

  it('takes somebody off the list of their practice, and says why they left, and takes it back with another practice', async () => {
    const over = face()
    const left = await sent({ provisions: [practice('removed')], removal: leaving }, over)
    assert.equal(left.transmission?.acknowledgement?.typeCode, 'AA', left.body)
    assert.equal(patientOf(left.person)['generalPractitioner'], undefined)
    const removal = items(patientOf(left.person)['extension']).find(({ url }) => url === extensionUrl.removal)
    assert.match(JSON.stringify(removal), /"code":"SCT".*"valuePeriod":\{"start":"2026-11-01"\}/)
    const { body } = await over.change(
      { ...full, version: '8' },
      { modes: [], provisions: [practice('added')], removal: { updateMode: 'removed' } },
      { interaction, id: '0A1B2C3D-0000-4000-8000-000000000002' },
    )
    assert.equal(reply(body).version, '9', body)
    const back = patientOf(await over.retrieve(full.number))
    assert.equal(JSON.stringify(back['extension']).includes('RemovalFromRegistration'), false)
    assert.match(JSON.stringify(back['generalPractitioner']), /"value":"B82617"/)
  })

  it('warns that the event of registration is not kept', async () => {
    const { reasons, version } = await sent({
      provisions: [practice('altered')],
      enrolment: { updateMode: 'added', code: '01' },
    })
    assert.equal(version, '8')
    assert.match(String(reasons?.[0]?.[1]), /^NHAIS_REGISTRATION_NOT_KEPT/)
  })

  it('may no more than NHAIS: the rules of the record are those of every dialect', async () => {
    const restricted = await sent({ provisions: [practice('altered')] }, face(), { number: '9990548838', version: '3' })
    assert.match(String(restricted.reasons?.[0]?.[1]), /^FORBIDDEN_UPDATE: .*restricted record$/)
    const formal = await sent({
      authors: 1,
      deceasedTime: { value: '20261120', updateMode: 'added' },
      deathNotification: { code: '2', updateMode: 'added', authored: true },
    })
    assert.match(String(formal.reasons?.[0]?.[1]), /not permitted to set 'deathNotificationStatus'$/)
    assert.equal(formal.person.version, 7)
  })

  it('is for NHAIS: a general update does not take anybody off a list', async () => {
    const { body } = await face().change(full, { provisions: [practice('removed')] })
    assert.match(String(reply(body).reasons?.[0]?.[1]), /not permitted to remove 'generalPractitioner'$/)
  })

  const spoilt: Readonly<Record<string, Partial<PdsUpdate>>> = {
    'UNSUPPORTED_PATIENT_CARE[NHAIS]': { provisions: [practice('added', 'P1')] },
    'MANDATORY_FIELD_MISSING[nHAISRemovalRegistrationEvent]': { removal: { updateMode: 'added', code: 'SCT' } },
    UNEXPECTED_DATA_IN_NHAIS_REMOVAL_REG_EVENT: {
      provisions: [practice('added')],
      removal: { updateMode: 'removed', code: 'SCT' },
    },
    GP_PROVDER_RULE86: { provisions: [practice('altered')], removal: leaving },
    REG_REMOVAL_AND_PCP_MUTUALLY_EXCLUSIVE: { removal: { updateMode: 'removed' } },
  }
  for (const { name, where, explains } of nhaisChecks) {
    const key = where === undefined ? name : `${name}[${where}]`
    if (updateChecks.some((check) => check.name === name && check.where === where)) continue
    it(`${key}: ${explains}`, async () => {
      const { transmission, reasons } = await sent(spoilt[key] ?? assert.fail(`nothing breaks ${key}`))
      assert.deepEqual(
        [transmission?.interaction, transmission?.acknowledgement?.typeCode],
        ['MCCI_IN010000UK13', 'AE'],
      )
      assert.deepEqual(reasons, [['0', key, 'ER']])
    })
  }
})
