import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import { mustPass } from '../checks.ts'
import { asJson, currentUrl, extensionUrl, items, type Json, type StoredPerson } from '../person.ts'
import { ofEach } from '../rules/body.ts'
import { tidyName } from '../rules/names.ts'
import { generalPractitionerRules } from '../rules/registrations.ts'
import { matching, particularsOf } from './matching.ts'
import { createChecks, newRecordChecks } from './patient-checks.ts'
import { type Registered, type RegisterParts, register } from './register.ts'

/** One request for a new record. */
export interface Creation {
  readonly value: Json
  readonly author: Author
  readonly request: RequestKey
  /** The practice that the person is registered with, where the dialect can tell it. */
  readonly practice?: Json
  /** The answer that the caller gets, and gets again for a repeat of the request. */
  answer(person: StoredPerson): KeptAnswer
}

/** Registers a new person under a new number, unless there is somebody who matches (§12). */
export async function create(parts: RegisterParts, asked: Creation): Promise<Registered> {
  const { value, author, request, answer } = asked
  const today = new Date(parts.clock.now()).toISOString().slice(0, 10)
  const body = { value, prefix: '', today }
  mustPass(createChecks, body)
  const practices = asked.practice === undefined ? [] : [registeredFrom(asked.practice, today)]
  mustPass(practiceChecks, { ...body, value: { generalPractitioner: practices } })
  const subject = particularsOf(value)
  return register(parts, {
    kind: 'create',
    day: subject.birth,
    record: { patient: { ...patientOf(value, today, keptUrls), generalPractitioner: practices } },
    author,
    request,
    events: [],
    matches: () => matching(parts.people, subject, { block: parts.block, byPostcode: true }),
    check: () => mustPass(newRecordChecks, body),
    answer,
  })
}

const practiceChecks = generalPractitionerRules.map((rule) => ofEach('generalPractitioner', rule))

/** A registration begins today where it is not said when (§10.2). */
function registeredFrom(practice: Json, today: string): Json {
  const identifier = asJson(practice['identifier'])
  return { ...practice, identifier: { ...identifier, period: identifier['period'] ?? { start: today } } }
}

/** Extensions that are kept of those that come with a new record. */
const keptUrls: ReadonlySet<unknown> = new Set([extensionUrl.communication, extensionUrl.contactPreference])

/** Members of an item that are kept. */
const keptMembers = {
  name: ['use', 'period', 'prefix', 'given', 'family', 'suffix'],
  address: ['use', 'period', 'text', 'line', 'postalCode', 'extension'],
  telecom: ['use', 'system', 'period', 'value', 'extension'],
} as const

/** The Patient that is kept of what was sent: ids are made here, and what is not kept is left out. */
export function patientOf(value: Json, today: string, urls: ReadonlySet<unknown>): Json {
  const kept = (list: keyof typeof keptMembers): readonly Json[] =>
    items(value[list]).map((item) =>
      Object.fromEntries(
        keptMembers[list].flatMap((member) => {
          const found = member === 'period' ? (item['period'] ?? { start: today }) : item[member]
          return found === undefined || found === null ? [] : [[member, found]]
        }),
      ),
    )
  const telecom = kept('telecom')
  const extensions = items(value['extension'])
    .map((extension) => ({ ...extension, url: currentUrl(extension['url']) }))
    .filter(({ url }) => urls.has(url))
  return {
    name: kept('name').map(tidyName),
    gender: value['gender'],
    birthDate: value['birthDate'],
    address: kept('address'),
    ...(telecom.length > 0 && { telecom }),
    ...(extensions.length > 0 && { extension: extensions }),
  }
}
