import type { Clock, Random } from '@openspine/platform/clock'
import { isSpineError } from '@openspine/standards/error'
import type { Access } from '../access.ts'
import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import { difference } from '../changes/history.ts'
import type { ChangeStore } from '../changes/store.ts'
import { mustPass } from '../checks.ts'
import type { PersonRecord } from '../contract.ts'
import { outcomes, refuse } from '../outcomes.ts'
import {
  asJson,
  currentUrl,
  extensionUrl,
  isJson,
  items,
  type Json,
  personRecord,
  type StoredPerson,
  tidyPatient,
  traceSubject,
  withPatient,
} from '../person.ts'
import { besideOf } from '../related.ts'
import { partOf } from '../rules/extensions.ts'
import { tidyName } from '../rules/names.ts'
import type { PersonStore } from '../store.ts'
import { retrieveView, updateView } from '../view.ts'
import { intentChecks, outcomeChecks } from './checks.ts'
import { applied, checkAddressing, itemLists, legalPatches, sameJson } from './patch.ts'
import { changedRelated, type RelatedChange } from './related.ts'

/** What an update stands on. */
export interface UpdateParts {
  readonly people: Pick<PersonStore, 'find'>
  readonly changes: Pick<ChangeStore, 'write' | 'keptAnswer'>
  readonly clock: Clock
  readonly random: Random
  /** Whether updates are kept; otherwise they are computed and answered, as in the public sandbox (§29). */
  readonly kept: boolean
}

/** One request to change a record (§10). */
export interface Update {
  readonly nhsNumber: string
  /** Version that the caller read; undefined where the header says none. */
  readonly version: number | undefined
  /** The operations; whoever names items otherwise than by place finds them in what the caller is shown. */
  readonly patches: (read: {
    readonly version: number
    readonly view: Json
    /** The record as a retrieval shows it. */
    readonly shown: () => Json
  }) => readonly unknown[]
  /** What becomes of related people, in dialects that tell it with the rest. */
  readonly related?: readonly RelatedChange[]
  readonly access: Access
  readonly author: Author
  readonly request: RequestKey
  /** The answer that the caller gets, and gets again for a repeat of the request. */
  readonly answer: (person: StoredPerson) => KeptAnswer
}

/**
 * Changes a record: all operations or none, and one version more. A repeat of a request gets the first one's answer, also
 * from another process and after a restart (§17). SpineErrors of the `PDS_` family, in the order of §6.
 */
export async function update(parts: UpdateParts, asked: Update): Promise<KeptAnswer> {
  const kept = async () => {
    const answer = await parts.changes.keptAnswer(asked.request)
    // Told apart from a fresh one, for whoever wonders why nothing changed.
    return answer && { ...answer, headers: { ...answer.headers, 'openspine-repeated': 'true' } }
  }
  try {
    const answer = await written(parts, asked)
    if (answer) return answer
  } catch (error) {
    // What the first one changed refuses its repeat, for whatever reason: nearly all requests are no repeats, so that is
    // looked for only here.
    const repeated = isSpineError(error) ? await kept() : undefined
    if (repeated) return repeated
    throw error
  }
  return (await kept()) ?? staleVersion()
}

function staleVersion(): never {
  throw refuse(
    outcomes.versionMismatch,
    'The record has changed since it was read: read it again, and send its ETag in If-Match.',
  )
}

/** The answer of the accepted update; undefined where somebody was quicker. */
async function written(parts: UpdateParts, asked: Update): Promise<KeptAnswer | undefined> {
  const { access, author, request } = asked
  const person = await parts.people.find(asked.nhsNumber)
  if (person === undefined) throw refuse(outcomes.notFound, 'No person has this NHS number in this environment.')
  if (person.status === 'invalidated')
    throw refuse(outcomes.invalidated, 'The record of this NHS number was marked as invalid and has no successor.')
  if (person.status === 'superseded')
    throw refuse(
      outcomes.forbiddenUpdate('Update Failed - NHS No. supplied has been superseded in a merge'),
      'This number was merged into another: read the record, and update the number that it has now.',
    )
  const stored = JSON.parse(person.document) as Json
  const view = updateView(person, stored, access)
  const shown = () => JSON.parse(retrieveView(person, access)) as Json
  const sent = asked.patches({ version: person.version, view, shown })
  if (asked.version !== person.version) staleVersion()
  const patches = legalPatches(sent)
  mustPass(intentChecks, { access, sensitivity: person.sensitivity, view, patches })
  checkAddressing(patches)
  const now = parts.clock.now()
  const today = new Date(now).toISOString().slice(0, 10)
  const newId = () => parts.random.bytes(4).toString('hex').toUpperCase()
  const patched = withCurrentUrls(applied(view, patches, newId))
  mustPass(outcomeChecks, { before: view, after: patched, today })
  const related = asked.related && changedRelated(items(besideOf(person).related), asked.related, { today, newId })
  const change = { view, patched: completed(view, patched, today, now), related }
  const after = changedPerson(person, stored, change, today)
  const answer = asked.answer(after.person)
  if (!parts.kept) return answer
  const result = await parts.changes.write({
    before: person,
    after: after.person,
    kind: 'update',
    at: now,
    author,
    subjects: after.subjects,
    members: after.members,
    events: after.events,
    request: { ...request, answer },
  })
  return result === 'written' ? answer : undefined
}

function withCurrentUrls(record: Json): Json {
  const { extension } = record
  if (!Array.isArray(extension)) return record
  return {
    ...record,
    extension: extension.map((item: unknown) =>
      isJson(item) && item['url'] !== undefined ? { ...item, url: currentUrl(item['url']) } : item,
    ),
  }
}

/** Fills in what the caller may leave out: the start of a period is today (§10.2), a death is notified now. */
function completed(view: Json, patched: Json, today: string, now: number): Json {
  const record: Record<string, unknown> = { ...patched }
  for (const list of itemLists) {
    if (!Array.isArray(patched[list])) continue
    const earlier = items(view[list])
    record[list] = items(patched[list]).map((item) => {
      if (earlier.some((other) => sameJson(other, item))) return item
      if (list === 'extension') return notifiedNow(item, now)
      if (list === 'generalPractitioner') {
        const identifier = asJson(item['identifier'])
        return {
          ...item,
          type: 'Organization',
          identifier: { ...identifier, period: identifier['period'] ?? { start: today } },
        }
      }
      const dated = { ...item, period: item['period'] ?? { start: today } }
      return list === 'name' ? tidyName(dated) : dated
    })
  }
  return record
}

function notifiedNow(extension: Json, now: number): Json {
  if (extension['url'] !== extensionUrl.deathNotification || partOf(extension, 'systemEffectiveDate')) return extension
  const valueDateTime = new Date(now).toISOString().replace(/\.\d+Z$/, '+00:00')
  return { ...extension, extension: [...items(extension['extension']), { url: 'systemEffectiveDate', valueDateTime }] }
}

/** The person after a change of what was shown; what was not shown stays as it is. */
function changedPerson(
  person: StoredPerson,
  stored: Json,
  change: { readonly view: Json; readonly patched: Json; readonly related: readonly Json[] | undefined },
  today: string,
) {
  const { history, related: relatives, ...record } = personRecord(person, stored)
  const related = change.related ?? relatives ?? []
  const next: PersonRecord = {
    ...record,
    ...(related.length > 0 && { related }),
    version: person.version + 1,
    patient: restored(stored, change.view, change.patched),
  }
  const patient = tidyPatient(next)
  const told = difference(stored, patient, history ?? {}, today)
  const changed = withPatient(
    { ...next, ...(Object.keys(told.history).length > 0 && { history: told.history }) },
    patient,
  )
  return {
    person: changed,
    members: change.related === undefined ? told.members : [...told.members, 'related'],
    events: told.events,
    subjects: {
      before: () => traceSubject(person, stored, history),
      after: () => traceSubject(changed, patient, told.history),
    },
  }
}

/** Puts back what the view left out: withheld members and extensions, reasons shown as others, blank address lines. */
function restored(stored: Json, view: Json, patched: Json): Json {
  const record: Record<string, unknown> = {}
  for (const [member, value] of Object.entries(stored)) if (!(member in view)) record[member] = value
  for (const [member, value] of Object.entries(patched)) {
    if (!itemLists.has(member)) {
      record[member] = value
      continue
    }
    const key = member === 'extension' ? 'url' : 'id'
    const keptItems = items(stored[member])
    record[member] = items(value).map((item) => {
      const shown = items(view[member]).find((other) => other[key] === item[key])
      const kept = shown && keptItems.find((other) => other[key] === item[key])
      if (!shown || !kept) return item
      if (sameJson(shown, item)) return kept
      return member === 'address' ? { ...item, line: placed(kept['line'], shown['line'], item['line']) } : item
    })
  }
  const shownUrls = new Set([...items(view['extension']), ...items(patched['extension'])].map(({ url }) => url))
  const withheld = items(stored['extension']).filter(({ url }) => !shownUrls.has(url))
  if (withheld.length > 0) record['extension'] = [...items(record['extension']), ...withheld]
  return record
}

/** Lines that were changed one for one keep their places among the blank ones. */
function placed(kept: unknown, shown: unknown, changed: unknown): unknown {
  if (!Array.isArray(kept) || !Array.isArray(shown) || !Array.isArray(changed)) return changed
  if (kept.length === shown.length || shown.length !== changed.length) return changed
  let next = 0
  return kept.map((line: unknown) => (line ? (changed[next++] as unknown) : line))
}
