/** What tests of services stand on that ask demographics and the directory: invented people, systems and staff in memory. */
import type { PersonRecord } from './demographics/contract.ts'
import type { AccreditedSystem, DirectoryPerson, DirectorySnapshot, People } from './directory/contract.ts'
import type { ApplicationFacts, Gateway, Grant } from './gateway/contract.ts'

/** A system that is registered, one that is registered for nothing, and the Spine's own. */
export const asids = { consumer: '200000100202', stranger: '200000100203', spine: '227319907548' } as const
/** Name of the certificate of the first two. */
export const fqdn = 'consumer.example'
/** Role profile id of the nurse. */
export const roleId = '555110000001'

/** Two people; restricted; very restricted; merged into the first; invalidated; absent. */
export const numbers = {
  one: '9990548609',
  other: '9990548617',
  restricted: '9990548838',
  veryRestricted: '9990548846',
  merged: '9990548854',
  invalidated: '9990548889',
  absent: '9990548994',
} as const

const person = (nhsNumber: string, more: Partial<PersonRecord> = {}): PersonRecord => ({
  nhsNumber,
  patient: {},
  ...more,
})

/** Demographics as far as other services ask it: the people above, and `more` without anything special about them. */
export function peopleInMemory(...more: readonly string[]) {
  const people = new Map<string, PersonRecord>(
    [
      person(numbers.one),
      person(numbers.other),
      person(numbers.restricted, { sensitivity: 'R' }),
      person(numbers.veryRestricted, { sensitivity: 'V' }),
      person(numbers.merged, { status: 'superseded', supersededBy: numbers.one }),
      person(numbers.invalidated, { status: 'invalidated' }),
      ...more.map((nhsNumber) => person(nhsNumber)),
    ].map((each) => [each.nhsNumber, each]),
  )
  const mergedInto = async (nhsNumber: string): Promise<readonly string[]> => {
    const nearest = [...people.values()].filter(({ supersededBy }) => supersededBy === nhsNumber)
    const further = await Promise.all(nearest.map((each) => mergedInto(each.nhsNumber)))
    return [...nearest.map((each) => each.nhsNumber), ...further.flat()]
  }
  return {
    find: async (nhsNumber: string) => people.get(nhsNumber),
    mergedInto,
    /** As the back office does. */
    merge: (superseded: string, retained: string) =>
      void people.set(superseded, person(superseded, { status: 'superseded', supersededBy: retained })),
  }
}

const system = (asid: string, interactions: readonly string[], name: string): AccreditedSystem => ({
  asid,
  odsCode: 'X26',
  partyKey: 'X26-850002',
  interactions: new Set(interactions),
  fqdns: new Set([name]),
})
const organisations: Readonly<Record<string, string>> = { X26: 'INVENTED TRUST', A20047: 'TESTHAM SURGERY' }

/** The directory, with the three systems above: registered for these interactions. */
export function snapshotWith(interactions: readonly string[]): DirectorySnapshot {
  const systems = [
    system(asids.consumer, interactions, fqdn),
    system(asids.stranger, [], fqdn),
    system(asids.spine, interactions, 'spine.example'),
  ]
  return {
    version: 1,
    accreditedSystem: (asid: string) => systems.find((each) => each.asid === asid),
    organisation(odsCode: string) {
      const name = organisations[odsCode]
      return name === undefined ? undefined : { odsCode, name, open: true, type: 'TR' }
    },
  } as unknown as DirectorySnapshot
}

export const nurse: DirectoryPerson = {
  uid: '555100000001',
  name: 'Fairweather Imogen',
  memberships: {},
  roles: [
    {
      id: roleId,
      orgPersonId: '555120000001',
      odsCode: 'A20047',
      organisation: 'TESTHAM SURGERY',
      jobRole: '"Clinical":"Clinical Provision":"Nurse Access Role"',
      jobRoleCode: 'S8000:G8000:R8001',
      areasOfWork: [],
      areaOfWorkCodes: [],
      activities: [],
      activityCodes: [],
      workgroups: [],
      workgroupCodes: [],
    },
  ],
}
export const workers: People = {
  person: (uid) => (uid === nurse.uid ? nurse : undefined),
  people: () => [nurse],
}

/** An access token of a worker, of a new application with these facts that is subscribed to the API's own product. */
export async function accessToken(
  gateway: Gateway,
  about: {
    readonly api: string
    readonly profile: 'sandbox' | 'strict'
    readonly facts?: Pick<ApplicationFacts, 'asid' | 'settings'>
  },
  more: Partial<Grant> = {},
) {
  const { api, profile, facts = {} } = about
  const { application, key } = await gateway.create('Ward App', 'test')
  await gateway.change(application.id, facts, 'test')
  const product = gateway.products().find(({ apis }) => apis.includes(api))?.name ?? ''
  if (profile === 'strict') {
    await gateway.subscribe(application.id, product, 'test')
    await gateway.decide(application.id, product, 'approved', 'test')
  }
  const grant: Grant = {
    application: application.id,
    key: key.id,
    products: [product],
    scopes: [`urn:nhsd:apim:user-nhs-cis2:aal3:${api}`],
    type: 'user',
    grantType: 'authorization_code',
    level: 'aal3',
    provider: 'nhs-cis2',
    user: nurse.uid,
    identity: { sub: nurse.uid, nhsid_nrbac_roles: [{ person_roleid: roleId }, { person_roleid: '555110000002' }] },
    ...more,
  }
  return (await gateway.issue(grant, { access: 600_000 })).accessToken
}
