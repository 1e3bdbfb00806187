import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { oid, type PdsPerson, type PdsUpdate } from '@openspine/standards/hl7v3'
import type { Json } from '../person.ts'
import { syntheticPeople } from '../population.ts'
import { workedPeople } from '../worked-people.ts'
import { face, reply, requestId } from './hl7v3.test-kit.ts'

const altered = <Value extends object>(value: Value) => ({ ...value, updateMode: 'altered' })
const item = <Value extends object>(value: Value) => ({ value: altered(value), periods: 1 })

/** All that a retrieval told, each value sent back as one to alter. */
function sentBack(person: PdsPerson): Partial<PdsUpdate> {
  const { birthplace, contact, language, deathNotification, writtenFormat, multipleBirth } = person
  const { method, times } = contact ?? {}
  const list = (value: string | undefined) => (value === undefined ? [] : [value])
  return {
    names: person.names.map(item),
    addresses: person.addresses.map(item),
    telecoms: person.telecoms.map(item),
    provisions: person.provisions.map(({ effectiveTime, organisation, ...provision }) =>
      altered({
        ...provision,
        effectiveTimes: effectiveTime === undefined ? [] : [effectiveTime],
        organisations: [organisation],
      }),
    ),
    related: person.related.map(altered),
    consents: person.consents.map(altered),
    ...(person.gender && person.gender.code !== '9' && { gender: altered(person.gender) }),
    ...(person.birthTime && { birthTime: altered(person.birthTime) }),
    ...(person.deceasedTime && { authors: 1, deceasedTime: altered(person.deceasedTime) }),
    ...(multipleBirth === undefined ? {} : { multipleBirth: altered({ value: multipleBirth }) }),
    ...(deathNotification === undefined
      ? {}
      : { deathNotification: altered({ code: deathNotification, authored: true }) }),
    ...(language && { language: altered(language) }),
    ...(writtenFormat === undefined ? {} : { writtenFormat: altered({ code: writtenFormat }) }),
    ...(contact && {
      contactMethod: altered({
        ...(method === undefined ? {} : { code: method }),
        ...(times === undefined ? {} : { times }),
      }),
    }),
    ...(birthplace && {
      birthplace: altered({
        cities: list(birthplace.city),
        counties: list(birthplace.county),
        countries: list(birthplace.country),
      }),
    }),
  }
}

const generated = [...syntheticPeople({ seed: 11, from: 0, count: 80 })]
const open = [...workedPeople(), ...generated].filter(
  ({ status = 'current', sensitivity = 'U', patient }) =>
    // A date of birth that is known in part alone is none that may be written (§2).
    status === 'current' && sensitivity === 'U' && String(patient['birthDate']).length === 10,
)

describe('what a retrieval tells, a general update takes', () => {
  const over = face({ people: generated })
  const comparable = ({ document, beside = '' }: { readonly document: string; readonly beside?: string }) => {
    const { meta: _, ...patient } = JSON.parse(document) as Json
    return [patient, beside]
  }
  let count = 0

  for (const [ask, change] of [
    ['QUPA_IN000008UK02', 'PRPA_IN000203UK03'],
    ['QUPA_IN000008UK05', 'PRPA_IN000203UK06'],
  ] as const)
    it(`${ask} → ${change}: nothing is lost and nothing changes but the version, of ${open.length} people`, async () => {
      for (const { nhsNumber } of open) {
        const before = await over.retrieve(nhsNumber)
        const asked = await over.ask(ask, {
          historicDataIndicator: [{ code: '0', codeSystem: oid.historicDataIndicator }],
          personId: [{ root: oid.nhsNumber, extension: nhsNumber }],
        })
        const [person] = reply(asked.body).people ?? []
        assert.ok(person, asked.body)
        count++
        const { body } = await over.change(
          { number: nhsNumber, version: person.serialChangeNumber ?? '' },
          sentBack(person),
          { interaction: change, id: requestId.replace('-0000-', `-${String(count).padStart(4, '0')}-`) },
        )
        assert.equal(reply(body).version, String(before.version + 1), `${nhsNumber}: ${body}`)
        const after = await over.retrieve(nhsNumber)
        assert.deepEqual(comparable(after), comparable(before), nhsNumber)
      }
    })
})
