import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import type { DirectoryEntry, DirectoryTree } from './contract.ts'
import { peopleIn } from './people.ts'

const uid = '555100000001'
const person = `uid=${uid},ou=People,o=nhs`
const work = `uniqueIdentifier=555120000001,${person}`
const role = `uniqueIdentifier=555110000001,${work}`

function entries(): Record<string, Record<string, string[]>> {
  return {
    'uniqueIdentifier=A20047,ou=Organisations,o=nhs': { objectClass: ['nhsGPPractice'], uid: [uid] },
    [person]: {
      objectClass: ['top', 'nhsPerson'],
      uid: [uid],
      cn: ['Imogen Fairweather'],
      sn: ['Fairweather'],
      nhsNMC: ['99A9999E'],
      nhsPersonStatus: ['1'],
    },
    [work]: {
      objectClass: ['nhsOrgPerson'],
      uniqueIdentifier: ['555120000001'],
      o: ['TESTHAM SURGERY'],
      nhsIDCode: ['A20047'],
      nhsOrgOpenDate: ['20260101'],
    },
    [role]: {
      objectClass: ['top', 'nhsOrgPersonRole'],
      uniqueIdentifier: ['555110000001'],
      nhsJobRole: ['"Clinical":"Clinical Provision":"Nurse Access Role"'],
      nhsJobRoleCode: ['S8000:G8000:R8001'],
      nhsBusinessFunctionsCodes: ['B0820'],
    },
  }
}

function staffOf(held: Record<string, Record<string, string[]>>) {
  let version = 1
  const tree = (): DirectoryTree => ({
    version,
    names: () => Object.keys(held),
    entry: (dn): DirectoryEntry | undefined => held[dn] && { dn, attributes: held[dn] },
    *under(base) {
      const plain = (dn: string) => dn.replaceAll(', ', ',').toLowerCase()
      for (const [dn, attributes] of Object.entries(held))
        if (plain(`,${dn}`).endsWith(plain(`,${base}`))) yield { dn, attributes }
    },
    check: async () => [],
  })
  const staff = peopleIn({ tree }, manualClock('2026-11-25T12:00:00Z'))
  return { staff, changed: () => void version++ }
}

describe('staff of the directory', () => {
  it('are people with their open roles', () => {
    const { staff } = staffOf(entries())
    assert.deepEqual(staff.people(), [staff.person(uid)])
    assert.deepEqual(staff.person(uid), {
      uid,
      name: 'Imogen Fairweather',
      familyName: 'Fairweather',
      memberships: { nmc_id: '99A9999E' },
      roles: [
        {
          id: '555110000001',
          orgPersonId: '555120000001',
          odsCode: 'A20047',
          organisation: 'TESTHAM SURGERY',
          jobRole: '"Clinical":"Clinical Provision":"Nurse Access Role"',
          jobRoleCode: 'S8000:G8000:R8001',
          areasOfWork: [],
          areaOfWorkCodes: [],
          activities: [],
          activityCodes: ['B0820'],
          workgroups: [],
          workgroupCodes: [],
        },
      ],
    })
    for (const other of ['555100000002', '*', '1,ou=Services', '']) assert.equal(staff.person(other), undefined)
  })

  /** Entry, attribute, values → how many roles the person has; undefined: there is no such person. */
  const rows: readonly [string, string, string[], number | undefined][] = [
    [role, 'nhsOrgCloseDate', ['20261125'], 0],
    [role, 'nhsOrgCloseDate', ['20261126'], 1],
    [role, 'nhsOrgOpenDate', ['20261126'], 0],
    [role, 'nhsOrgOpenDate', ['20261125'], 1],
    [work, 'nhsOrgCloseDate', ['20200101'], 0],
    [work, 'nhsOrgOpenDate', ['20270101'], 0],
    [person, 'nhsPersonStatus', ['2'], undefined],
    [person, 'nhsPersonStatus', [], 1],
    [person, 'objectClass', ['person'], undefined],
    [role, 'nhsJobRole', [], 0],
    [role, 'NHSIDCODE', ['X26'], 1],
  ]
  for (const [dn, attribute, given, number] of rows)
    it(`${attribute} ${given} of ${dn.slice(0, 24)}: ${number ?? 'nobody'}`, () => {
      const held = entries()
      const entry = held[dn] as Record<string, string[]>
      if (given.length === 0) delete entry[attribute]
      else entry[attribute] = given
      const { staff } = staffOf(held)
      assert.equal(staff.person(uid)?.roles.length, number)
      assert.equal(staff.people().length, number === undefined ? 0 : 1)
    })

  it('are found in any spelling of the names, and looked for again when the directory changes', () => {
    const spaced = Object.fromEntries(
      Object.entries(entries()).map(([dn, attributes]) => [
        dn.replaceAll(',', ', ').replace('ou=People', 'OU=people'),
        attributes,
      ]),
    )
    const { staff, changed } = staffOf(spaced)
    assert.equal(staff.person(uid)?.roles.length, 1)
    delete spaced[role.replaceAll(',', ', ').replace('ou=People', 'OU=people')]
    changed()
    assert.equal(staff.person(uid)?.roles.length, 0)
  })
})
