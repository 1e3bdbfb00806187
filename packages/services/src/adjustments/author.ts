import type { Directory, DirectoryPerson, People, PersonRole } from '../directory/contract.ts'
import type { Caller } from '../gateway/contract.ts'
import type { Author } from './item.ts'

export interface Authors {
  /** What is written beside a change: the names as they are today, because roles end and organisations are renamed. */
  authorOf(caller: Caller, at: number): Author
}

/** Last part of `"Clinical":"Clinical Provision":"Nurse Access Role"` and of `S8000:G8000:R8001`. */
const lastPart = (text: string) => text.split(':').at(-1)?.replaceAll('"', '').trim() ?? ''

/** Looks people up by role profile id, through the directory. Whoever it does not know is written with their ids alone. */
export function authors(needs: { readonly people: People; readonly directory: Pick<Directory, 'snapshot'> }): Authors {
  let known: { readonly version: number; readonly uids: ReadonlyMap<string, string> } | undefined

  /** Made once for every state of the directory, and only when somebody writes. */
  function uidOf(role: string): string | undefined {
    const { version } = needs.directory.snapshot()
    if (known?.version !== version) {
      const uids = new Map<string, string>()
      for (const { uid, roles } of needs.people.people()) for (const { id } of roles) uids.set(id, uid)
      known = { version, uids }
    }
    return known.uids.get(role)
  }

  return {
    authorOf({ user, role, asid, odsCode, application }, at) {
      const uid = role === undefined ? user : (uidOf(role) ?? user)
      const person: DirectoryPerson | undefined = uid === undefined ? undefined : needs.people.person(uid)
      const profile: PersonRole | undefined = person?.roles.find(({ id }) => id === role)
      const code = profile?.jobRoleCode === undefined ? undefined : lastPart(profile.jobRoleCode)
      const ods = profile?.odsCode ?? odsCode
      const organisation =
        ods === undefined ? undefined : (needs.directory.snapshot().organisation(ods)?.name ?? profile?.organisation)
      return {
        at,
        ...(uid === undefined ? {} : { user: uid }),
        ...(role === undefined ? {} : { role }),
        ...(person === undefined ? {} : { name: person.name }),
        ...(code === undefined || profile === undefined
          ? {}
          : { jobRole: { code, display: lastPart(profile.jobRole) } }),
        ...(ods === undefined ? {} : { odsCode: ods }),
        ...(organisation === undefined ? {} : { organisation }),
        ...(asid === undefined ? {} : { asid }),
        ...(application === undefined ? {} : { application }),
      }
    },
  }
}
