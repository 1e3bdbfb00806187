import type { Call, Surroundings } from './call.ts'
import { type Check, checks, keepToken } from './checks.ts'
import type { Refusal } from './refusal.ts'

const ofEachRequest = checks.filter(({ follows }) => follows === undefined)
const ofEachTarget = checks.filter(({ follows }) => follows !== 'parties')

/**
 * Runs the checks in order; the first failure decides. What they find is left in the call. `before` is the request
 * that was admitted last on the same connection: what it has in common with this one is not looked up again.
 */
export function admit(call: Call, around: Surroundings, before?: Call): Refusal | undefined {
  if (before !== undefined && passesAfter(before, call, around)) return undefined
  for (const check of checks) {
    const failure = check.run(call, around)
    if (failure !== undefined) {
      keepToken(call)
      return { check: check.name, clause: check.clause, ...failure }
    }
  }
  call.directory = around.directory
  return undefined
}

/** Whether the call passes by what it has in common with the one before. When not, every check has to look at it. */
function passesAfter(before: Call, call: Call, around: Surroundings): boolean {
  const some = remaining(call, around, before)
  if (some === undefined) return false
  for (const check of some)
    if (check.run(call, around) !== undefined) {
      // The record of a refusal tells what was found up to the check that failed, and no more.
      call.forget()
      return false
    }
  call.directory = around.directory
  return true
}

/** The checks that can fail after `before` was admitted, in their order; what the others found is taken over. */
function remaining(call: Call, around: Surroundings, before: Call): readonly Check[] | undefined {
  if (
    before.directory !== around.directory ||
    before.connection !== call.connection ||
    before.method !== call.method ||
    before.from !== call.from ||
    before.to !== call.to ||
    before.interaction !== call.interaction ||
    before.contentType !== call.contentType
  )
    return undefined
  call.sender = before.sender
  call.receiver = before.receiver
  call.handlers = before.handlers
  if (before.requestTarget !== call.requestTarget) return ofEachTarget
  call.target = before.target
  call.provider = before.provider
  call.endpoint = before.endpoint
  call.way = before.way
  return ofEachRequest
}

/** Rows 2 and 3 alone: what an OPTIONS request needs. */
export function admitConnection(call: Call, around: Surroundings): Refusal | undefined {
  for (const check of checks.slice(0, 2)) {
    const failure = check.run(call, around)
    if (failure !== undefined) return { check: check.name, clause: check.clause, ...failure }
  }
  return undefined
}
