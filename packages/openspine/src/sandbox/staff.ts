import type { DirectoryEntry } from '@openspine/services/directory/contract'

/** A role that somebody has at an organisation. Codes and names are those of the national RBAC lists (identity and access specification §6). */
interface Role {
  readonly id: string
  readonly odsCode: string
  /** `S…:G…:R…` */
  readonly code: string
  /** Each part in quotes, as the directory holds it. */
  readonly name: string
  /** `B` and four digits → name. */
  readonly activities: Readonly<Record<string, string>>
  readonly workgroup?: string
}

interface StaffMember {
  readonly uid: string
  readonly title: string
  readonly given: string
  readonly family: string
  readonly roles: readonly Role[]
}

const practitioner = { code: 'S8000:G8000:R8000', name: roleName('Clinical', 'Clinical Practitioner Access Role') }
const nurse = { code: 'S8000:G8000:R8001', name: roleName('Clinical', 'Nurse Access Role') }
const clerk = { code: 'S8001:G8002:R8008', name: roleName('Support', 'Admin/Clinical Support Access Role') }
const demographics = { B0820: 'View Patient Demographics', B0825: 'Amend Patient Demographics' }
const clinical = { ...demographics, B0264: 'Claim a Patient Relationship', B0360: 'View Detailed Health Records' }

function roleName(group: string, role: string): string {
  return `"${group}":"${group}":"${role}"`
}

/** Who works at the sandbox's organisations: all invented. */
const staff: readonly StaffMember[] = [
  {
    uid: '555100000001',
    title: 'Dr',
    given: 'Imogen',
    family: 'Fairweather',
    roles: [
      { id: '555110000001', odsCode: 'A20047', ...practitioner, activities: clinical },
      { id: '555110000002', odsCode: 'X26', ...practitioner, activities: clinical, workgroup: '100000000001' },
    ],
  },
  {
    uid: '555100000002',
    title: 'Mr',
    given: 'Tobias',
    family: 'Underhill',
    roles: [{ id: '555110000003', odsCode: 'A20047', ...nurse, activities: clinical }],
  },
  {
    uid: '555100000003',
    title: 'Ms',
    given: 'Zara',
    family: 'Quillfeather',
    roles: [{ id: '555110000004', odsCode: 'B82617', ...clerk, activities: demographics }],
  },
]

/** nhsPerson, and below it an nhsOrgPerson for each organisation with its role profiles. */
export function staffEntries(nameOf: (odsCode: string) => string): DirectoryEntry[] {
  return staff.flatMap((member) => {
    const person = `uid=${member.uid},ou=People,o=nhs`
    const full = `${member.given} ${member.family}`
    const named = {
      uid: [member.uid],
      cn: [full],
      sn: [member.family],
      givenName: [member.given],
      displayName: [`${member.title} ${full}`],
    }
    const classes = (last: string) => ['top', 'person', 'organizationalPerson', 'inetOrgPerson', last]
    return [
      {
        dn: person,
        attributes: {
          objectClass: classes('nhsPerson'),
          ...named,
          personalTitle: [member.title],
          nhsPersonStatus: ['1'],
        },
      },
      ...member.roles.flatMap((role, place): DirectoryEntry[] => {
        const id = `${member.uid.slice(0, 4)}2${member.uid.slice(5, 10)}${member.uid.slice(-1)}${place + 1}`
        const orgPerson = `uniqueIdentifier=${id},${person}`
        return [
          {
            dn: orgPerson,
            attributes: {
              objectClass: classes('nhsOrgPerson'),
              uniqueIdentifier: [id],
              ...named,
              o: [nameOf(role.odsCode)],
              nhsIDCode: [role.odsCode],
              nhsOrgOpenDate: ['20260101'],
            },
          },
          {
            dn: `uniqueIdentifier=${role.id},${orgPerson}`,
            attributes: {
              objectClass: ['top', 'nhsOrgPersonRole'],
              uniqueIdentifier: [role.id],
              nhsJobRole: [role.name],
              nhsJobRoleCode: [role.code],
              nhsIDCode: [role.odsCode],
              nhsOrgOpenDate: ['20260101'],
              nhsBusinessFunctionsCodes: Object.keys(role.activities),
              nhsBusinessFunctions: Object.values(role.activities),
              ...(role.workgroup === undefined
                ? {}
                : { nhsWorkGroupsCodes: [role.workgroup], nhsWorkGroups: ['Invented Ward Team'] }),
            },
          },
        ]
      }),
    ]
  })
}

const created = ['20260101']

/** The job roles, activities and work group that the staff above have: a small part of the national lists, loadable whole as LDIF. */
export function referenceDataEntries(): DirectoryEntry[] {
  const roles = new Map(staff.flatMap(({ roles: each }) => each.map(({ code, name }) => [code, name] as const)))
  const activities = Object.entries({ ...demographics, ...clinical })
  return [
    ...[...roles].map(([code, name]) => reference('nhsRBACJR', code, code.split(':'), name.slice(1, -1).split('":"'))),
    ...activities.map(([code, name]) => reference('nhsRBACBF', code, ['', '', code], ['', '', name])),
    {
      dn: 'uniqueIdentifier=100000000001,ou=Workgroups,o=nhs',
      attributes: {
        objectClass: ['top', 'nhsWg'],
        uniqueIdentifier: ['100000000001'],
        cn: ['Invented Ward Team'],
        nhsIDCode: ['X26'],
        nhsWgStatus: ['Active'],
      },
    },
  ]
}

/** Lists 1 to 3 are the levels of a code; a flat list repeats its one level, for the class requires all three. */
function reference(
  objectClass: 'nhsRBACJR' | 'nhsRBACBF',
  code: string,
  codes: readonly string[],
  names: readonly string[],
): DirectoryEntry {
  const level = (list: readonly string[], place: number) => [list[place] || (list.at(-1) as string)]
  return {
    dn: `uniqueIdentifier=${code},ou=ReferenceData,o=nhs`,
    attributes: {
      objectClass: ['top', objectClass],
      uniqueIdentifier: [code],
      cn: [names.at(-1) as string],
      nhsStatus: ['Active'],
      nhsCreateDate: created,
      nhsList1Code: level(codes, 0),
      nhsList1Name: level(names, 0),
      nhsList2Code: level(codes, 1),
      nhsList2Name: level(names, 1),
      nhsList3Code: level(codes, 2),
      nhsList3Name: level(names, 2),
    },
  }
}
