import type { Clock } from '@openspine/platform/clock'
import type { Directory, DirectoryEntry, DirectoryTree } from '../directory/contract.ts'
import type { Staff, StaffMember, StaffRole } from './contract.ts'

/** Names of the entries beneath one person, the person's own first. */
type Index = ReadonlyMap<string, readonly string[]>

const inPeople = /(?:^|,)\s*uid\s*=\s*([^,=]+?)\s*,\s*ou\s*=\s*people\s*,\s*o\s*=\s*nhs\s*$/i

function indexOf(tree: DirectoryTree): Index {
  const index = new Map<string, string[]>()
  for (const dn of tree.names()) {
    const uid = inPeople.exec(dn)?.[1]
    if (uid === undefined) continue
    const names = index.get(uid)
    if (names === undefined) index.set(uid, [dn])
    else names.push(dn)
  }
  return index
}

/** Values of an attribute, whose name has no case (nhsIdCode, nhsIDCode). */
function values({ attributes }: DirectoryEntry, name: string): readonly string[] {
  const wanted = name.toLowerCase()
  for (const [written, held] of Object.entries(attributes)) if (written.toLowerCase() === wanted) return held
  return []
}

const is = (entry: DirectoryEntry, objectClass: string) =>
  values(entry, 'objectClass').some((each) => each.toLowerCase() === objectClass.toLowerCase())

/** `20260101` */
const day = (at: number) => new Date(at).toISOString().slice(0, 10).replaceAll('-', '')

/** No closing day, or one that is still to come; no opening day, or one that has come. */
function open(entry: DirectoryEntry, today: string): boolean {
  const [opens] = values(entry, 'nhsOrgOpenDate')
  const [closes] = values(entry, 'nhsOrgCloseDate')
  return (opens === undefined || opens.slice(0, 8) <= today) && (closes === undefined || closes.slice(0, 8) > today)
}

/** Lowest spelling of a name, so that a name and what stands above it can be compared. */
const folded = (dn: string) => dn.toLowerCase().replaceAll(/\s*([,=])\s*/g, '$1')
const above = (dn: string) => folded(dn).slice(folded(dn).indexOf(',') + 1)

function roleOf(entry: DirectoryEntry, orgPerson: DirectoryEntry): StaffRole | undefined {
  const one = (name: string) => values(entry, name)[0]
  const id = one('uniqueIdentifier')
  const odsCode = one('nhsIDCode') ?? values(orgPerson, 'nhsIDCode')[0]
  const jobRole = one('nhsJobRole')
  if (id === undefined || odsCode === undefined || jobRole === undefined) return undefined
  const [organisation] = values(orgPerson, 'o')
  const jobRoleCode = one('nhsJobRoleCode')
  return {
    id,
    odsCode,
    ...(organisation === undefined ? {} : { organisation }),
    jobRole,
    ...(jobRoleCode === undefined ? {} : { jobRoleCode }),
    areasOfWork: values(entry, 'nhsAreaOfWork'),
    areaOfWorkCodes: values(entry, 'nhsAreaOfWorkCodes'),
    activities: values(entry, 'nhsBusinessFunctions'),
    activityCodes: values(entry, 'nhsBusinessFunctionsCodes'),
    workgroups: values(entry, 'nhsWorkGroups'),
    workgroupCodes: values(entry, 'nhsWorkGroupsCodes'),
  }
}

/** Those who work here, from nhsPerson, nhsOrgPerson and nhsOrgPersonRole of the directory: one store, whoever renders it. */
export function staffIn(directory: Pick<Directory, 'tree'>, clock: Clock): Staff {
  let seen: { readonly version: number; readonly index: Index } | undefined

  /** Names are looked through once for every state of the tree, and only when somebody is asked for. */
  function now(): { readonly tree: DirectoryTree; readonly index: Index } {
    const tree = directory.tree()
    if (seen?.version !== tree.version) seen = { version: tree.version, index: indexOf(tree) }
    return { tree, index: seen.index }
  }

  function read(tree: DirectoryTree, names: readonly string[]): StaffMember | undefined {
    const today = day(clock.now())
    const entries = names.flatMap((dn) => tree.entry(dn) ?? [])
    const person = entries.find((entry) => is(entry, 'nhsPerson'))
    if (person === undefined) return undefined
    const [uid] = values(person, 'uid')
    const [name] = values(person, 'cn')
    // nhsPersonStatus other than 1 means that the person is no longer active.
    if (uid === undefined || name === undefined || (values(person, 'nhsPersonStatus')[0] ?? '1') !== '1')
      return undefined
    const organisations = new Map(
      entries
        .filter((entry) => is(entry, 'nhsOrgPerson') && open(entry, today))
        .map((entry) => [folded(entry.dn), entry]),
    )
    const roles = entries.flatMap((entry) => {
      if (!is(entry, 'nhsOrgPersonRole') || !open(entry, today)) return []
      const orgPerson = organisations.get(above(entry.dn))
      return orgPerson === undefined ? [] : (roleOf(entry, orgPerson) ?? [])
    })
    const [practitionerCode] = values(person, 'nhsOcsPrCode')
    return { uid, name, ...(practitionerCode === undefined ? {} : { practitionerCode }), roles }
  }

  return {
    person(uid) {
      const { tree, index } = now()
      const names = index.get(uid)
      return names === undefined ? undefined : read(tree, names)
    },
    people() {
      const { tree, index } = now()
      return [...index.values()].flatMap((names) => {
        const person = read(tree, names)
        return person === undefined || person.roles.length === 0 ? [] : [{ uid: person.uid, name: person.name }]
      })
    },
  }
}
