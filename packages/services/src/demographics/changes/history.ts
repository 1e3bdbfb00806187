import { raisedBy } from '../events/raise.ts'
import { asJson, items, type Json, text } from '../person.ts'
import type { RaisedEvent } from './change.ts'

/** What the difference between two states of a record means: members, former snippets, events. */
export interface Difference {
  /** `name`, `address`, …; an extension by the end of its URL: `extension/Extension-UKCore-NominatedPharmacy`. */
  readonly members: readonly string[]
  /** The history of the record from now on. */
  readonly history: Json
  readonly events: readonly RaisedEvent[]
}

const fixed: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'identifier'])

/** Lists whose former items are kept, and what of an item makes it another one. */
const told: readonly (readonly [list: string, of: (item: Json) => unknown])[] = [
  ['name', ({ use, prefix, given, family, suffix }) => [use, prefix, given, family, suffix]],
  ['address', ({ use, line, postalCode }) => [use, line, postalCode]],
  ['telecom', ({ system, use, value }) => [system, use, value]],
  ['generalPractitioner', (item) => asJson(item['identifier'])['value']],
]

/**
 * Compares a record before and after an accepted change. What ends goes into the history with the day on which it ended
 * (§2); events are those of §22.
 */
export function difference(before: Json, after: Json, past: Json, today: string): Difference {
  return {
    members: members(before, after),
    history: former(before, after, past, today),
    events: raisedBy(before, after),
  }
}

/** Items that nobody touched are the same objects, and need not be written out to be compared. */
const sameText = (one: unknown, other: unknown): boolean =>
  one === other ||
  (Array.isArray(one) &&
    Array.isArray(other) &&
    one.length === other.length &&
    one.every((item, index) => item === other[index])) ||
  JSON.stringify(one) === JSON.stringify(other)

function members(before: Json, after: Json): string[] {
  const changed: string[] = []
  for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (fixed.has(member) || sameText(before[member], after[member])) continue
    if (member !== 'extension') {
      changed.push(member)
      continue
    }
    const urls = new Set([...items(before[member]), ...items(after[member])].map(({ url }) => String(url)))
    for (const url of urls)
      if (!sameText(extension(before, url), extension(after, url)))
        changed.push(`extension/${url.slice(url.lastIndexOf('/') + 1)}`)
  }
  return changed
}

const extension = (record: Json, url: string): Json | undefined =>
  items(record['extension']).find((found) => found['url'] === url)

function former(before: Json, after: Json, past: Json, today: string): Json {
  const history: Record<string, unknown> = { ...past }
  const keep = (member: string, values: readonly unknown[]) => {
    if (values.length > 0)
      history[member] = [...(Array.isArray(past[member]) ? (past[member] as unknown[]) : []), ...values]
  }
  for (const [list, of] of told) {
    const now = items(after[list])
    const gone = items(before[list]).filter((item) => {
      const same = now.find(({ id }) => id === item['id'])
      return same === undefined || !sameText(of(item), of(same))
    })
    keep(
      list,
      gone.map((item) => ended(item, today)),
    )
  }
  for (const member of ['gender', 'birthDate'] as const) {
    const value = before[member]
    if (value !== undefined && value !== after[member]) keep(member, [value])
  }
  return history
}

/** The item with an end of its period: today, unless it ended before. */
function ended(item: Json, today: string): Json {
  const identifier = asJson(item['identifier'])
  if (item['identifier'] !== undefined)
    return { ...item, identifier: { ...identifier, period: { ...asJson(identifier['period']), end: today } } }
  const period = asJson(item['period'])
  const end = text(period['end'])
  return { ...item, period: { ...period, end: end !== undefined && end < today ? end : today } }
}
