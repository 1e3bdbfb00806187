/** Which slots another organisation may see and book (§10.1). */
import type { StoredSlot } from './store.ts'

/** Who asks: none given is none of any. */
export interface Asking {
  readonly organisations: readonly string[]
  readonly organisationTypes: readonly string[]
}

/** An empty restriction lets everybody through; otherwise one of those given must be in it. */
function allows(restriction: readonly string[], given: readonly string[]): boolean {
  return restriction.length === 0 || given.some((each) => restriction.includes(each))
}

/** Whether the practice offers the slot to whoever asks, at that moment. */
export function openTo({ bookable, start, traits }: StoredSlot, asking: Asking, now: number): boolean {
  const { organisations, organisationTypes, window = {} } = traits
  const { opensHoursBefore, closesMinutesBefore } = window
  return (
    bookable &&
    allows(
      organisations.map((each) => each.toUpperCase()),
      asking.organisations.map((each) => each.toUpperCase()),
    ) &&
    allows(organisationTypes, asking.organisationTypes) &&
    (opensHoursBefore === undefined || now >= start - opensHoursBefore * 3_600_000) &&
    (closesMinutesBefore === undefined || now <= start - closesMinutesBefore * 60_000)
  )
}
