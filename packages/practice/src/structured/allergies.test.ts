import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allergies, askRecord, entriesOf, extension, inside, type Json, withRows } from '../testing/structured.ts'

const active = 'Allergies and adverse reactions'
const ended = 'Ended allergies'

describe('allergies of a structured record', () => {
  it('are resources when active, and contained in their list when resolved', async () => {
    const bundle = await askRecord([allergies()])
    const found = bundle.of('AllergyIntolerance')
    assert.deepEqual(
      entriesOf(bundle.list(active)),
      found.map(({ id }) => `AllergyIntolerance/${id}`),
    )
    for (const one of found) assert.equal(one['clinicalStatus'], 'active')
    const list = bundle.list(ended)
    const [resolved, ...others] = list['contained'] as Json[]
    assert.equal(others.length, 0)
    assert.deepEqual(entriesOf(list), [`#${resolved?.['id']}`])
    assert.equal(resolved?.['clinicalStatus'], 'resolved')
    assert.deepEqual(resolved?.['category'], ['environment'])
    assert.deepEqual(extension(resolved, 'AllergyIntoleranceEnd')[0]?.['extension'], [
      { url: 'endDate', valueDateTime: '2001-09-10' },
      { url: 'reasonEnded', valueString: 'Tolerates milk since adolescence' },
    ])
  })

  it('leave resolved ones out where they are not asked for', async () => {
    const bundle = await askRecord([allergies(false)])
    assert.deepEqual(
      bundle.of('List').map(({ title }) => title),
      [active],
    )
  })

  it('have every mandatory element, coded or not', async () => {
    const [coded, text] = (await askRecord([allergies()])).of('AllergyIntolerance')
    for (const one of [coded, text]) {
      assert.equal(one?.['verificationStatus'], 'unconfirmed')
      for (const name of ['identifier', 'category', 'code', 'patient', 'assertedDate', 'recorder'])
        assert.ok(one?.[name])
    }
    assert.equal(coded?.['criticality'], 'high')
    assert.equal(inside(coded, 'reaction', 0, 'severity'), 'severe')
    assert.deepEqual(coded?.['note'], [{ text: 'Penicillin V allergy: rash & swelling of the lips, severity severe' }])
    assert.deepEqual(text?.['code'], {
      coding: [
        { system: 'http://snomed.info/sct', code: '196461000000101', display: 'Transfer-degraded drug allergy' },
      ],
      text: 'Adverse reaction to ibuprofen: wheeze <1 hour after the dose',
    })
    assert.equal(text?.['note'], undefined)
  })

  it('say what is not known of reactions and ends', async () => {
    const bundle = await askRecord([allergies()], {
      ...withRows({
        allergies: [
          { details: 'Nickel', lifeThreatening: true, category: 'environment' },
          { details: 'Latex', endDate: '2015-01-01' },
        ],
      }),
    })
    const [nickel] = bundle.of('AllergyIntolerance')
    assert.deepEqual(nickel?.['reaction'], [
      {
        manifestation: [
          { coding: [{ system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'NI', display: 'NoInformation' }] },
        ],
        severity: 'severe',
      },
    ])
    assert.equal(inside(nickel, 'code', 'coding', 0, 'code'), '196471000000108')
    assert.equal(nickel?.['assertedDate'], '2010-01-11')
    const [latex] = bundle.list(ended)['contained'] as Json[]
    const [end] = extension(latex, 'AllergyIntoleranceEnd')
    assert.deepEqual(inside(end, 'extension', 1), {
      url: 'reasonEnded',
      valueString: 'No information available',
    })
  })

  it('count as active until the day on which they end', async () => {
    const ending = (endDate: string) => withRows({ allergies: [{ details: 'Nickel', endDate }] })
    assert.equal((await askRecord([allergies()], ending('2026-11-21'))).of('AllergyIntolerance').length, 1)
    assert.equal((await askRecord([allergies()], ending('2026-11-20'))).of('AllergyIntolerance').length, 0)
  })
})
