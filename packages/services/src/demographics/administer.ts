import type { Clock } from '@openspine/platform/clock'
import { SpineError } from '@openspine/standards/error'
import type { Author, Change, ChangeKind, RaisedEvent } from './changes/change.ts'
import type { ChangeStore } from './changes/store.ts'
import { subjectOf } from './events/raise.ts'
import { type Json, personRecord, type Sensitivity, type StoredPerson, storedPerson } from './person.ts'
import type { PersonStore } from './store.ts'

/** What the back office does to whole records (§2, §15). Each is one version, with history, audit and events. */
export interface Administration {
  /** Merges one record into another that is retained: reads of the first answer the second from then on. */
  merge(asked: { readonly superseded: string; readonly retained: string; readonly by: string }): Promise<void>
  /** Marks a record as invalid, without a successor. */
  invalidate(asked: { readonly nhsNumber: string; readonly by: string }): Promise<void>
  /** Sets U unrestricted, R restricted or V very restricted. */
  setSensitivity(asked: {
    readonly nhsNumber: string
    readonly sensitivity: Sensitivity
    readonly by: string
  }): Promise<void>
}

const refused = (code: string, detail: object, explanation: string) => new SpineError(code, detail, { explanation })

/**
 * SpineErrors: `DEMOGRAPHICS_PERSON_UNKNOWN`, `DEMOGRAPHICS_NOT_CURRENT` (merged or invalidated already),
 * `DEMOGRAPHICS_MERGE_SELF`, `DEMOGRAPHICS_CHANGED_MEANWHILE`.
 */
export function administration(parts: {
  readonly people: Pick<PersonStore, 'find'>
  readonly changes: Pick<ChangeStore, 'write'>
  readonly clock: Clock
  /** Told after each commit, for the audit. */
  settled(change: Change): Promise<void>
}): Administration {
  const current = async (nhsNumber: string): Promise<StoredPerson> => {
    const person = /^\d{10}$/.test(nhsNumber) ? await parts.people.find(nhsNumber) : undefined
    if (person === undefined)
      throw refused('DEMOGRAPHICS_PERSON_UNKNOWN', {}, 'No person has this NHS number in this environment.')
    if (person.status !== 'current')
      throw refused(
        'DEMOGRAPHICS_NOT_CURRENT',
        { status: person.status },
        `The record is ${person.status} already: nothing more can be done to it.`,
      )
    return person
  }

  const write = async (
    before: StoredPerson,
    changed: Partial<Pick<StoredPerson, 'status' | 'supersededBy' | 'sensitivity'>>,
    about: {
      readonly kind: ChangeKind
      readonly by: string
      readonly members: readonly string[]
      readonly events: readonly RaisedEvent[]
    },
  ) => {
    const author: Author = { mode: 'operator', user: about.by }
    const change: Change = {
      before,
      after: storedPerson({ ...personRecord(before), ...changed, version: before.version + 1 }),
      kind: about.kind,
      at: parts.clock.now(),
      author,
      members: about.members,
      events: about.events,
    }
    if ((await parts.changes.write(change)) !== 'written')
      throw refused(
        'DEMOGRAPHICS_CHANGED_MEANWHILE',
        {},
        'Somebody else changed the record at the same moment: look at it, and do it again.',
      )
    await parts.settled(change)
  }

  return {
    async merge({ superseded, retained, by }) {
      if (superseded === retained)
        throw refused('DEMOGRAPHICS_MERGE_SELF', {}, 'A record cannot be merged into itself: name two numbers.')
      const before = await current(superseded)
      await current(retained)
      await write(
        before,
        { status: 'superseded', supersededBy: retained },
        {
          kind: 'merge',
          by,
          members: ['status', 'supersededBy'],
          events: [
            {
              code: 'pds-record-change-1',
              facts: { subject: subjectOf(JSON.parse(before.document) as Json), supersededBy: retained },
            },
          ],
        },
      )
    },
    async invalidate({ nhsNumber, by }) {
      const before = await current(nhsNumber)
      await write(before, { status: 'invalidated' }, { kind: 'invalidate', by, members: ['status'], events: [] })
    },
    async setSensitivity({ nhsNumber, sensitivity, by }) {
      const before = await current(nhsNumber)
      if (before.sensitivity === sensitivity) return
      await write(
        before,
        { sensitivity },
        {
          kind: 'sensitivity',
          by,
          members: ['sensitivity'],
          events: [{ code: 'pds-record-change-1', facts: { subject: subjectOf(JSON.parse(before.document) as Json) } }],
        },
      )
    },
  }
}
