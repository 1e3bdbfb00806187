import { isNhsNumber } from '@openspine/standards/nhs'
import type { Demographics, PersonRecord } from '../demographics/contract.ts'
import type { DirectoryPerson, People } from '../directory/contract.ts'
import type { Patient, Patients, Worker, Workers } from './contract.ts'

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

/** Staff of the directory's branch ou=People, as it is at the moment of the question. */
export function workersIn(people: People): Workers {
  let known: { readonly from: readonly DirectoryPerson[]; readonly workers: Workers } | undefined
  return {
    async find(uid) {
      const person = people.person(uid)
      return person === undefined ? undefined : workerOf(person)
    },
    search(text, limit) {
      const from = people.people()
      if (known?.from !== from) known = { from, workers: listedWorkers(from.map(workerOf)) }
      return known.workers.search(text, limit)
    },
  }
}

const workerOf = ({ name: _name, familyName, practitionerCode: _code, ...person }: DirectoryPerson): Worker => ({
  ...person,
  familyName: familyName ?? person.uid,
  roles: person.roles.map(({ id, jobRole, jobRoleCode, ...role }) => ({
    ...role,
    roleId: id,
    roleName: jobRole,
    ...optional({ roleCode: jobRoleCode }),
  })),
})

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
