import { bold, dim, green, red } from '../terminal.ts'
import type { AttributeChange, PlannedChange, RegistryPlan } from './registry.ts'
import { byCodeUnit, shown } from './text.ts'

const sign = { add: green('+'), change: bold('~'), remove: red('-') } as const

export interface PlanCounts {
  readonly add: number
  readonly change: number
  readonly remove: number
  /** Held by the registry alone, and kept. */
  readonly stay: number
}

export function planCounts({ changes, staying }: RegistryPlan): PlanCounts {
  const counts = { add: 0, change: 0, remove: 0, stay: staying }
  for (const { kind } of changes) counts[kind]++
  return counts
}

/** The plan for programs. */
export function planJson(plan: RegistryPlan) {
  const { environment, from, changes, notes, parts } = plan
  const versions = Object.fromEntries(parts.map(({ name, plan: { version } }) => [name, version]))
  return { environment, from, versions, same: changes.length === 0, counts: planCounts(plan), notes, changes }
}

/** Values that go and come; those that stay are not repeated, unless their order alone is what changes. */
function attributeLines({ attribute, before, after }: AttributeChange): string[] {
  const gone = before.filter((value) => !after.includes(value))
  const come = after.filter((value) => !before.includes(value))
  if (gone.length === 0 && come.length === 0) {
    const order = after.map((value) => shown(value)).join(', ')
    return [`      ${attribute}: ${dim('other order:')} ${order}`]
  }
  return [
    ...gone.map((value) => `    ${red('-')} ${attribute}: ${shown(value)}`),
    ...come.map((value) => `    ${green('+')} ${attribute}: ${shown(value)}`),
  ]
}

function changeLines({ kind, name, place, attributes }: PlannedChange): string[] {
  const where = place === undefined ? '' : `  ${dim(`${place.file}:${place.line}`)}`
  return [`  ${sign[kind]} ${shown(name)}${where}`, ...attributes.flatMap(attributeLines)]
}

/** The plan for people: by organisation, then what it comes to. No more than `most` changes are shown one by one. */
export function* planLines(plan: RegistryPlan, most = Number.POSITIVE_INFINITY): IterableIterator<string> {
  const { changes, environment, from } = plan
  if (environment !== from)
    yield `The folder is of the environment ${shown(from)}, the registry of ${shown(environment)}.`
  const groups = new Map<string, PlannedChange[]>()
  for (const change of changes) {
    const group = groups.get(change.group)
    if (group === undefined) groups.set(change.group, [change])
    else group.push(change)
  }
  let left = most
  for (const [group, members] of [...groups].sort(([a], [b]) => byCodeUnit(a, b))) {
    if (left <= 0) break
    yield bold(shown(group))
    for (const change of members.slice(0, left)) yield* changeLines(change)
    left -= members.length
  }
  if (changes.length > most) yield `… and ${changes.length - most} more: openspine registry diff shows all`
  const { add, change, remove, stay } = planCounts(plan)
  if (changes.length > 0) yield ''
  yield changes.length === 0 ? 'Nothing differs.' : `${add} to add, ${change} to change, ${remove} to remove.`
  for (const note of plan.notes) yield shown(note, 1000)
  if (stay > 0)
    yield `${stay} more ${stay === 1 ? 'stands' : 'stand'} in the registry alone and ${stay === 1 ? 'stays' : 'stay'}; --prune removes them.`
}
