import type { Clock } from '@openspine/platform/clock'
import type { Directory, DirectoryEntry } from './contract.ts'

/** A role profile (nhsOrgPersonRole) of somebody who works at an organisation (identity specification §5, §6). */
export interface PersonRole {
  /** Twelve digits (uniqueIdentifier): person_roleid of CIS2, uniqueIdentifier of a role assertion. */
  readonly id: string
  /** Twelve digits: the person in the organisation (nhsOrgPerson). */
  readonly orgPersonId: string
  readonly odsCode: string
  readonly organisation?: string
  /** `"Clinical":"Clinical Provision":"Nurse Access Role"` */
  readonly jobRole: string
  /** `S8000:G8000:R8001` */
  readonly jobRoleCode?: string
  /** Lists of names and codes, in the order of the directory. */
  readonly areasOfWork: readonly string[]
  readonly areaOfWorkCodes: readonly string[]
  readonly activities: readonly string[]
  readonly activityCodes: readonly string[]
  readonly workgroups: readonly string[]
  readonly workgroupCodes: readonly string[]
}

/** Somebody who works here (nhsPerson). */
export interface DirectoryPerson {
  readonly uid: string
  /** cn. */
  readonly name: string
  /** sn. */
  readonly familyName?: string
  readonly givenName?: string
  readonly middleNames?: string
  readonly initials?: string
  readonly title?: string
  readonly displayName?: string
  readonly email?: string
  /** nhsOcsPrCode. */
  readonly practitionerCode?: string
  /** Professional registrations, by the names of CIS2's claims (§3.3): `gmc_id`, `nmc_id`, … */
  readonly memberships: Readonly<Record<string, string>>
  /** Those that are open today. */
  readonly roles: readonly PersonRole[]
}

/** Who works here, as the People branch says at the moment of the question. */
export interface People {
  /** Undefined where there is nobody of this uid, or no longer. */
  person(uid: string): DirectoryPerson | undefined
  /** Everybody, in the order of the directory: those without a role too. */
  people(): readonly DirectoryPerson[]
}

/** A role as access control judges it (§6): by codes, not by names. */
export const roleProfile = ({ id, odsCode, jobRoleCode = '', ...lists }: PersonRole) => ({
  id,
  odsCode,
  jobRole: jobRoleCode,
  areasOfWork: lists.areaOfWorkCodes,
  activities: lists.activityCodes,
  workgroups: lists.workgroupCodes,
})

/** The membership attributes of nhsPerson and the claims that they become. */
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

/** Values of an attribute, whose name has no case (nhsIdCode, nhsIDCode). */
function values({ attributes }: DirectoryEntry, name: string): readonly string[] {
  const exact = attributes[name]
  if (exact !== undefined) return exact
  const wanted = name.toLowerCase()
  for (const [written, held] of Object.entries(attributes)) if (written.toLowerCase() === wanted) return held
  return []
}

/** An empty value says nothing. */
const first = (entry: DirectoryEntry, name: string): string | undefined => values(entry, name)[0] || undefined

const is = (entry: DirectoryEntry, objectClass: string) =>
  values(entry, 'objectClass').some((each) => each.toLowerCase() === objectClass.toLowerCase())

/** `20260101` */
const day = (at: number) => new Date(at).toISOString().slice(0, 10).replaceAll('-', '')

/** No closing day, or one that is still to come; no opening day, or one that has come. */
function open(entry: DirectoryEntry, today: string): boolean {
  const opens = first(entry, 'nhsOrgOpenDate')
  const closes = first(entry, 'nhsOrgCloseDate')
  return (opens === undefined || opens.slice(0, 8) <= today) && (closes === undefined || closes.slice(0, 8) > today)
}

/** Lowest spelling of a name, so that a name and what stands above it can be compared. */
const folded = (dn: string) => dn.toLowerCase().replaceAll(/\s*([,=])\s*/g, '$1')
const above = (dn: string) => folded(dn).slice(folded(dn).indexOf(',') + 1)

type Given<Values> = { [Name in keyof Values]?: Exclude<Values[Name], undefined> }

const given = <Values extends Readonly<Record<string, string | undefined>>>(texts: Values): Given<Values> =>
  Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined)) as Given<Values>

/** A role without an organisation or a job role is none. */
function roleOf(entry: DirectoryEntry, orgPerson: DirectoryEntry): PersonRole | undefined {
  const id = first(entry, 'uniqueIdentifier')
  const odsCode = first(entry, 'nhsIDCode') ?? first(orgPerson, 'nhsIDCode')
  const jobRole = first(entry, 'nhsJobRole')
  if (id === undefined || odsCode === undefined || jobRole === undefined) return undefined
  return {
    id,
    orgPersonId: first(orgPerson, 'uniqueIdentifier') ?? '',
    odsCode,
    jobRole,
    ...given({ organisation: first(orgPerson, 'o'), jobRoleCode: first(entry, 'nhsJobRoleCode') }),
    areasOfWork: values(entry, 'nhsAreaOfWork'),
    areaOfWorkCodes: values(entry, 'nhsAreaOfWorkCodes'),
    activities: values(entry, 'nhsBusinessFunctions'),
    activityCodes: values(entry, 'nhsBusinessFunctionsCodes'),
    workgroups: values(entry, 'nhsWorkGroups'),
    workgroupCodes: values(entry, 'nhsWorkGroupsCodes'),
  }
}

/** `entries`: the person's own and what stands beneath it. */
function personOf(entries: readonly DirectoryEntry[], today: string): DirectoryPerson | undefined {
  const [entry] = entries
  if (entry === undefined || !is(entry, 'nhsPerson')) return undefined
  const one = (name: string) => first(entry, name)
  const uid = one('uid')
  const name = one('cn')
  // nhsPersonStatus other than 1 means that the person is no longer active.
  if (uid === undefined || name === undefined || (one('nhsPersonStatus') ?? '1') !== '1') return undefined
  const organisations = new Map(
    entries.filter((each) => is(each, 'nhsOrgPerson') && open(each, today)).map((each) => [folded(each.dn), each]),
  )
  return {
    uid,
    name,
    ...given({
      familyName: one('sn'),
      givenName: one('givenName'),
      middleNames: one('nhsMiddleNames'),
      initials: one('initials'),
      title: one('personalTitle'),
      displayName: one('displayName'),
      email: one('mail'),
      practitionerCode: one('nhsOcsPrCode'),
    }),
    memberships: Object.fromEntries(
      Object.entries(memberships).flatMap(([attribute, claim]) => {
        const value = one(attribute)
        return value === undefined ? [] : [[claim, value]]
      }),
    ),
    roles: entries.flatMap((each) => {
      if (!is(each, 'nhsOrgPersonRole') || !open(each, today)) return []
      const orgPerson = organisations.get(above(each.dn))
      return orgPerson === undefined ? [] : (roleOf(each, orgPerson) ?? [])
    }),
  }
}

/**
 * Those who work here, from nhsPerson, nhsOrgPerson and nhsOrgPersonRole of the directory: one reader, whoever renders
 * it (CIS2's claims, role assertions, the roles that the API platform checks). Nobody is kept: who was closed, or lost a
 * role, is gone with the next question.
 */
export function peopleIn(directory: Pick<Directory, 'tree'>, clock: Clock): People {
  let all: { readonly version: number; readonly today: string; readonly people: readonly DirectoryPerson[] } | undefined
  return {
    person(uid) {
      // A uid is digits: nothing else is written into a name.
      if (!/^\d{1,20}$/.test(uid)) return undefined
      return personOf([...directory.tree().under(`uid=${uid},ou=People,o=nhs`)], day(clock.now()))
    },
    people() {
      const { version } = directory.tree()
      const today = day(clock.now())
      if (all?.version !== version || all.today !== today) all = { version, today, people: read(directory, today) }
      return all.people
    },
  }
}

/** The branch in one pass: what stands beneath a person follows it. */
function read(directory: Pick<Directory, 'tree'>, today: string): readonly DirectoryPerson[] {
  const groups: DirectoryEntry[][] = []
  for (const entry of directory.tree().under('ou=People,o=nhs')) {
    if (is(entry, 'nhsPerson')) groups.push([entry])
    else groups.at(-1)?.push(entry)
  }
  return groups.flatMap((entries) => personOf(entries, today) ?? [])
}
