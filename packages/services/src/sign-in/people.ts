import { isNhsNumber } from '@openspine/standards/nhs'
import type { Demographics, PersonRecord } from '../demographics/contract.ts'
import type { Directory, DirectoryEntry } from '../directory/contract.ts'
import type { Patient, Patients, Worker, WorkerRole, Workers } from './contract.ts'

/** Staff as a list that does not change. */
export function listedWorkers(list: readonly Worker[]): Workers {
  const byUid = new Map(list.map((worker) => [worker.uid, worker]))
  return {
    find: async (uid) => byUid.get(uid),
    async search(text, limit) {
      const wanted = text.trim().toLowerCase()
      return list.filter((worker) => searchText(worker).includes(wanted)).slice(0, limit)
    },
  }
}

const searchText = ({ uid, familyName, givenName = '', roles }: Worker) =>
  [uid, givenName, familyName, ...roles.flatMap(({ odsCode, organisation = '' }) => [odsCode, organisation])]
    .join(' ')
    .toLowerCase()

/** Staff of the directory's branch ou=People: nhsPerson, nhsOrgPerson, nhsOrgPersonRole. Read anew when the directory has changed. */
export function workersIn(directory: Pick<Directory, 'tree'>): Workers {
  let known: { readonly version: number; readonly workers: Workers } | undefined
  const now = () => {
    const tree = directory.tree()
    if (known?.version !== tree.version)
      known = { version: tree.version, workers: listedWorkers(workersOf(peopleEntries(tree))) }
    return known.workers
  }
  return { find: (uid) => now().find(uid), search: (text, limit) => now().search(text, limit) }
}

function* peopleEntries(tree: ReturnType<Directory['tree']>): Iterable<DirectoryEntry> {
  for (const name of tree.names()) {
    if (!/,\s*ou=people,\s*o=nhs$/i.test(name)) continue
    const entry = tree.entry(name)
    if (entry !== undefined) yield entry
  }
}

const first = ({ attributes }: DirectoryEntry, name: string): string | undefined => attributes[name]?.[0]
const isA = ({ attributes }: DirectoryEntry, name: string) =>
  attributes['objectClass']?.some((each) => each.toLowerCase() === name.toLowerCase()) === true

/** The membership attributes of nhsPerson and the claims that they become (§3.3). */
const memberships = {
  nhsGMC: 'gmc_id',
  nhsGMP: 'gmp_id',
  nhsNMC: 'nmc_id',
  nhsRPSGB: 'gphc_id',
  nhsGDC: 'gdc_id',
  nhsGDP: 'gdp_id',
  nhsRCN: 'rcn_id',
  nhsConsultant: 'consultant_id',
} as const

function workersOf(entries: Iterable<DirectoryEntry>): readonly Worker[] {
  const people: DirectoryEntry[] = []
  const organisations = new Map<string, string>()
  const roles = new Map<string, WorkerRole[]>()
  for (const entry of entries) {
    const [, orgPersonId, uid] = /uniqueIdentifier=(\d+),\s*uid=(\d+)/i.exec(entry.dn) ?? []
    if (isA(entry, 'nhsPerson')) people.push(entry)
    else if (isA(entry, 'nhsOrgPerson') && orgPersonId !== undefined)
      organisations.set(orgPersonId, first(entry, 'o') ?? '')
    else if (isA(entry, 'nhsOrgPersonRole') && uid !== undefined && orgPersonId !== undefined)
      roles.set(uid, [...(roles.get(uid) ?? []), roleOf(entry, orgPersonId)])
  }
  return people.flatMap((entry): Worker[] => {
    const uid = first(entry, 'uid')
    // Only status 1 is a live registration.
    if (uid === undefined || first(entry, 'nhsPersonStatus') !== '1') return []
    const held = Object.entries(memberships).flatMap(([attribute, claim]) => {
      const value = first(entry, attribute)
      return value === undefined ? [] : [[claim, value] as const]
    })
    return [
      {
        uid,
        familyName: first(entry, 'sn') ?? uid,
        ...optional({
          givenName: first(entry, 'givenName'),
          middleNames: first(entry, 'nhsMiddleNames'),
          initials: first(entry, 'initials'),
          title: first(entry, 'personalTitle'),
          displayName: first(entry, 'displayName'),
          email: first(entry, 'mail'),
        }),
        ...(held.length === 0 ? {} : { memberships: Object.fromEntries(held) }),
        roles: (roles.get(uid) ?? []).map((role) => {
          const organisation = organisations.get(role.orgPersonId)
          return organisation ? { ...role, organisation } : role
        }),
      },
    ]
  })
}

function roleOf(entry: DirectoryEntry, orgPersonId: string): WorkerRole {
  const all = (name: string) => entry.attributes[name] ?? []
  return {
    roleId: first(entry, 'uniqueIdentifier') ?? '',
    orgPersonId,
    odsCode: first(entry, 'nhsIDCode') ?? '',
    roleName: first(entry, 'nhsJobRole') ?? '',
    ...optional({ roleCode: first(entry, 'nhsJobRoleCode') }),
    activities: all('nhsBusinessFunctions'),
    activityCodes: all('nhsBusinessFunctionsCodes'),
    workgroups: all('nhsWorkGroups'),
    workgroupCodes: all('nhsWorkGroupsCodes'),
    areasOfWork: all('nhsAreaOfWork'),
    areaOfWorkCodes: all('nhsAreaOfWorkCodes'),
  }
}

type Given<Values> = { [Name in keyof Values]?: Exclude<Values[Name], undefined> }

const optional = <Values extends Readonly<Record<string, string | undefined>>>(values: Values): Given<Values> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== '')) as Given<Values>

/** Invented people that the demographics of the sandbox hold; the page offers those of them who are there. */
const sandboxPatients = ['9990548609', '9990548617', '9990548625', '9990548633']

/** Patients of demographics: current ones, not withheld. */
export function patientsIn(
  demographics: Pick<Demographics, 'find'>,
  offered: readonly string[] = sandboxPatients,
): Patients {
  const find = async (nhsNumber: string) => {
    if (!isNhsNumber(nhsNumber)) return undefined
    const person = await demographics.find(nhsNumber)
    return person === undefined ? undefined : patientOf(person)
  }
  return {
    find,
    async offered() {
      const people = await Promise.all((offered.length === 0 ? sandboxPatients : offered).map(find))
      return people.filter((person) => person !== undefined)
    },
  }
}

interface Named {
  readonly use?: string
  readonly family?: string
  readonly given?: readonly string[]
}

function patientOf({ nhsNumber, patient, status = 'current', sensitivity = 'U' }: PersonRecord): Patient | undefined {
  if (status !== 'current' || sensitivity !== 'U') return undefined
  const names = (patient['name'] ?? []) as readonly Named[]
  const name = names.find(({ use }) => use === 'usual') ?? names[0]
  const telecom = (patient['telecom'] ?? []) as readonly { readonly system?: string; readonly value?: string }[]
  const practices = (patient['generalPractitioner'] ?? []) as readonly {
    readonly identifier?: { readonly value?: string }
  }[]
  const birthDate = patient['birthDate']
  if (name?.family === undefined || typeof birthDate !== 'string') return undefined
  return {
    nhsNumber,
    familyName: name.family,
    birthDate,
    ...optional({
      givenName: name.given?.[0],
      email: telecom.find(({ system }) => system === 'email')?.value,
      phone: telecom.find(({ system }) => system === 'phone')?.value,
      gpOdsCode: practices[0]?.identifier?.value,
    }),
  }
}
