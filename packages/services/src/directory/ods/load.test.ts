import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOdsCode } from '@openspine/standards/nhs'
import { startDirectory } from '../testing.ts'
import { inventedOrganisation, mostInvented } from './invented.ts'
import { inventedOrganisations, loadOrganisations, organisationsOfCsv } from './load.ts'
import { fileTypeOf, organisationOfRow } from './organisation-file.ts'

/** A row of 27 columns. */
const line = (given: Readonly<Record<number, string>>) =>
  Array.from({ length: 27 }, (_, index) => given[index + 1] ?? '')
const surgery = {
  1: 'y99901',
  2: 'THE  INVENTED SURGERY',
  3: 'Y99',
  4: 'QZZ',
  5: 'SUITE $1',
  6: '1 HIGH STREET',
  8: 'NOWHERE',
  9: 'INVENTEDSHIRE',
  10: 'ZZ99 1AA',
  11: '19740401',
  13: 'A',
  14: 'B',
  15: 'QZZ',
  16: '20130401',
  18: '01632 960001',
  26: '4',
} as const
const reading = (more: Readonly<Record<number, string>>, type: Parameters<typeof organisationOfRow>[1] = 'practice') =>
  organisationOfRow(line({ ...surgery, ...more }), type)

test('a row of a public file as an entry', () => {
  assert.deepEqual(reading({}), {
    entry: {
      dn: 'uniqueIdentifier=Y99901,ou=Organisations,o=nhs',
      attributes: {
        objectClass: ['top', 'organization', 'nhsGPPractice'],
        uniqueIdentifier: ['Y99901'],
        nhsIDCode: ['Y99901'],
        o: ['THE INVENTED SURGERY'],
        nhsOrgType: ['GP PRACTICE'],
        nhsOrgTypeCode: ['PR'],
        postalAddress: ['SUITE \\241$1 HIGH STREET$$NOWHERE$INVENTEDSHIRE'],
        postalCode: ['ZZ99 1AA'],
        l: ['NOWHERE'],
        nhsOrgOpenDate: ['19740401'],
        nhsJoinDate: ['20130401'],
        nhsDHSCcode: ['Y99'],
        nhsSHAcode: ['QZZ'],
        nhsPCTCode: ['QZZ'],
        telephoneNumber: ['01632 960001'],
        nhsCountry: ['ENGLAND'],
      },
    },
  })
  const prison = reading({ 26: '25' })
  assert.ok('entry' in prison)
  assert.deepEqual(prison.entry.attributes['nhsOrgSubType'], ['RO82'])
  assert.deepEqual(prison.entry.attributes['nhsOrgTypeCode'], ['RO177'])
  const place = reading({}, 'site')
  assert.ok('entry' in place)
  assert.deepEqual(place.entry.attributes['nhsParentOrgCode'], ['QZZ'])
  assert.deepEqual(place.entry.attributes['ou'], ['THE INVENTED SURGERY'])
  for (const [wrong, why] of [
    [{ 1: 'A-1' }, /ODS code/],
    [{ 2: ' ' }, /name/],
    [{ 10: '' }, /postcode/],
    [{ 5: '', 6: '', 8: '', 9: '' }, /address/],
    [{ 11: '1/4/74' }, /nhsOrgOpenDate/],
    [{ 13: 'C' }, /close date/],
  ] as const) {
    const found = reading(wrong)
    assert.ok('rejected' in found)
    assert.match(found.rejected, why)
  }
  assert.deepEqual(organisationOfRow(['A1'], 'practice'), { rejected: 'has 1 columns; the public files have 27' })
  assert.deepEqual(['/data/epraccur.csv', 'ETR.CSV', 'C:\\x\\ets.csv', 'other.csv'].map(fileTypeOf), [
    'practice',
    'trust',
    'site',
    undefined,
  ])
})

test('a file is loaded in batches, a refused row is left out and told, and loading again changes nothing', async (t) => {
  const directory = await startDirectory()
  t.after(() => directory.close())
  const { contract } = directory.service
  const csv = [
    line(surgery),
    line({ ...surgery, 1: 'Y99902', 12: '20240331', 13: 'C' }),
    line({ ...surgery, 1: '?' }),
    // A date that has the form and is none: the directory refuses nothing of what is imported but the structure.
    line({ ...surgery, 1: 'Y99903', 2: '\u0000' }),
    line({ ...surgery, 1: 'Y99904', 2: 'LAST' }),
  ]
  const text = csv.map((row) => row.map((each) => `"${each}"`).join(',')).join('\n')
  const load = () => loadOrganisations(contract, organisationsOfCsv([text], 'practice'), 'tester')
  const first = await load()
  assert.deepEqual([first.accepted, first.changed, first.rejected], [3, 3, 2])
  assert.deepEqual(
    first.rejections.map(({ row }) => row),
    [3, 4],
  )
  const again = await load()
  assert.deepEqual([again.accepted, again.changed, again.rejected], [3, 0, 2])
  const snapshot = contract.snapshot()
  assert.deepEqual(snapshot.organisation('y99901'), {
    odsCode: 'Y99901',
    name: 'THE INVENTED SURGERY',
    open: true,
    type: 'PR',
    commissioner: 'QZZ',
  })
  assert.equal(snapshot.organisation('Y99902')?.open, false)
  assert.equal(snapshot.organisation('Y99903'), undefined)

  const invented = await loadOrganisations(contract, inventedOrganisations(3, 1100), 'tester')
  assert.deepEqual([invented.accepted, invented.changed, invented.rejected], [1100, 1100, 0])
})

test('invented organisations: codes of the right form, none twice, the same for the same seed', () => {
  const codes = new Set<string>()
  // The first and last thousands, and those where the codes of a kind take another form.
  const thousands = [0, 1, 166, 191, 192, mostInvented / 1000 - 1]
  for (const thousand of thousands) {
    for (let within = 0; within < 1000; within++) {
      const code = inventedOrganisation(1, thousand * 1000 + within).attributes['nhsIDCode']?.[0] ?? ''
      assert.ok(isOdsCode(code), code)
      codes.add(code)
    }
  }
  assert.equal(codes.size, thousands.length * 1000)
  const some = (seed: number) => JSON.stringify([...inventedOrganisations(seed, 50)])
  assert.equal(some(7), some(7))
  assert.notEqual(some(7), some(8))
})
