import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import { mustPass } from '../checks.ts'
import { currentUrl, extensionUrl, items, type Json, type StoredPerson } from '../person.ts'
import { tidyName } from '../rules/names.ts'
import { matching, particularsOf } from './matching.ts'
import { createChecks, newRecordChecks } from './patient-checks.ts'
import { type Registered, type RegisterParts, register } from './register.ts'

/** One request for a new record. */
export interface Creation {
  readonly value: Json
  readonly author: Author
  readonly request: RequestKey
  /** The answer that the caller gets, and gets again for a repeat of the request. */
  answer(person: StoredPerson): KeptAnswer
}

/** Registers a new person under a new number, unless there is somebody who matches (§12). */
export async function create(parts: RegisterParts, asked: Creation): Promise<Registered> {
  const { value, author, request, answer } = asked
  const today = new Date(parts.clock.now()).toISOString().slice(0, 10)
  const body = { value, prefix: '', today }
  mustPass(createChecks, body)
  const subject = particularsOf(value)
  return register(parts, {
    kind: 'create',
    day: subject.birth,
    record: { patient: patientOf(value, today, keptUrls) },
    author,
    request,
    events: [],
    matches: () => matching(parts.people, subject, { block: parts.block, byPostcode: true }),
    check: () => mustPass(newRecordChecks, body),
    answer,
  })
}

/** Extensions that are kept of those that come with a new record. */
const keptUrls: ReadonlySet<unknown> = new Set([extensionUrl.communication, extensionUrl.contactPreference])

/** The Patient that is kept of what was sent: ids are made here, and what is not kept is left out. */
export function patientOf(value: Json, today: string, urls: ReadonlySet<unknown>): Json {
  const dated = ({ id: _, ...item }: Json): Json => ({ ...item, period: item['period'] ?? { start: today } })
  const extensions = items(value['extension'])
    .map((extension) => ({ ...extension, url: currentUrl(extension['url']) }))
    .filter(({ url }) => urls.has(url))
  return {
    name: items(value['name']).map((name) => tidyName(dated(name))),
    gender: value['gender'],
    birthDate: value['birthDate'],
    address: items(value['address']).map(dated),
    ...(items(value['telecom']).length > 0 && { telecom: items(value['telecom']).map(dated) }),
    ...(extensions.length > 0 && { extension: extensions }),
  }
}
