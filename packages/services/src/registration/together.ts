import { isSpineError } from '@openspine/standards/error'
import { isUuid } from '@openspine/standards/nhs'
import type { RegistrationStore, RegistrationWriter } from './store.ts'

/** Work on the rows. Called again from the beginning where its transaction failed for another's sake. */
export type Work<Answer> = (writer: RegistrationWriter) => Promise<Answer>

/** Runs work in a transaction. `endpoint`: the one that it is about, so that all of a group are read at once. */
export type InTurn = <Answer>(work: Work<Answer>, about?: { readonly endpoint?: string }) => Promise<Answer>

interface Waiting {
  readonly work: Work<unknown>
  readonly endpoint: string | undefined
  resolve(answer: unknown): void
  reject(error: unknown): void
}

/** So much work shares a transaction: others must get their turn at an embedded store. */
const mostTogether = 50

/**
 * Runs work in transactions, and all that waits in one: many registrations at once share a flush. A refusal (a SpineError
 * before anything was written) is its own work's alone. Any other failure undoes the transaction, and the others are
 * done again by themselves.
 */
export function together(
  store: Pick<RegistrationStore, 'exclusively'>,
): <Answer>(work: Work<Answer>) => Promise<Answer> {
  const waiting: Waiting[] = []
  let busy = false

  async function alone({ work, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await store.exclusively(work))
    } catch (error) {
      reject(error)
    }
  }

  async function group(some: readonly Waiting[]): Promise<void> {
    if (some[0] !== undefined && some.length === 1) return alone(some[0])
    const settle: (() => void)[] = []
    let spoilt = false
    try {
      await store.exclusively(async (writer) => {
        await writer.prefetch(some.flatMap(({ endpoint }) => (isUuid(endpoint) ? [endpoint.toLowerCase()] : [])))
        for (const { work, resolve, reject } of some) {
          const watched = watch(writer)
          try {
            const answer = await work(watched.writer)
            settle.push(() => resolve(answer))
          } catch (error) {
            if (!isSpineError(error) || watched.wrote()) {
              spoilt = true
              throw error
            }
            settle.push(() => reject(error))
          }
        }
        await writer.flush().catch((error: unknown) => {
          spoilt = true
          throw error
        })
      })
    } catch (error) {
      if (!spoilt) {
        // Whether the commit took place is not known, so nothing is done twice.
        for (const { reject } of some) reject(error)
        return
      }
      for (const each of some) await alone(each)
      return
    }
    for (const each of settle) each()
  }

  async function run(): Promise<void> {
    busy = true
    while (waiting.length > 0) await group(waiting.splice(0, mostTogether))
    busy = false
  }

  return <Answer>(work: Work<Answer>, about: { readonly endpoint?: string } = {}) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ work, endpoint: about.endpoint, resolve: resolve as (answer: unknown) => void, reject })
      if (!busy) void run()
    })
}

const writes = new Set<keyof RegistrationWriter>([
  'addTeam',
  'deleteTeam',
  'addProduct',
  'deleteProduct',
  'addSet',
  'putSequences',
  'putEndpoint',
  'putOutbox',
])

/** The writer, and whether anything was written through it. */
function watch(writer: RegistrationWriter): { readonly writer: RegistrationWriter; wrote(): boolean } {
  let wrote = false
  const watched = new Proxy(writer, {
    get(target, name) {
      if (writes.has(name as keyof RegistrationWriter)) wrote = true
      return Reflect.get(target, name) as unknown
    },
  })
  return { writer: watched, wrote: () => wrote }
}
