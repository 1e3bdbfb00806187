import type { StoredPerson } from './person.ts'

/** Statements that may be on their way at once; who comes then shares the next one. */
const readsAtOnce = 2
const mostInOneRead = 1_000

/**
 * Reads that come while others are on their way go out together in the next statement: no timer, so one
 * caller alone waits for nobody, and a busy server asks far fewer questions than it answers.
 */
export function sharedReads(
  read: (numbers: readonly number[]) => Promise<StoredPerson[]>,
): (nhsNumber: string) => Promise<StoredPerson | undefined> {
  interface Waiting {
    resolve(person: StoredPerson | undefined): void
    reject(error: unknown): void
  }
  const waiting = new Map<string, Waiting[]>()
  let onTheWay = 0
  let called = false

  const send = async () => {
    called = false
    const group = [...waiting].slice(0, mostInOneRead)
    if (group.length === 0) return
    for (const [nhsNumber] of group) waiting.delete(nhsNumber)
    onTheWay++
    try {
      const people = await read(group.map(([nhsNumber]) => Number(nhsNumber)))
      const found = new Map(people.map((person) => [person.nhsNumber, person]))
      for (const [nhsNumber, callers] of group) for (const caller of callers) caller.resolve(found.get(nhsNumber))
    } catch (error) {
      for (const [, callers] of group) for (const caller of callers) caller.reject(error)
    } finally {
      onTheWay--
      call()
    }
  }
  /** Once for all who ask in the same turn, and only while a place is free. */
  const call = () => {
    if (called || onTheWay >= readsAtOnce || waiting.size === 0) return
    called = true
    queueMicrotask(() => void send())
  }

  return (nhsNumber) =>
    new Promise((resolve, reject) => {
      const callers = waiting.get(nhsNumber)
      if (callers) callers.push({ resolve, reject })
      else waiting.set(nhsNumber, [{ resolve, reject }])
      call()
    })
}
