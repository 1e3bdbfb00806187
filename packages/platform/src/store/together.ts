/** SQLSTATE 22 and 23: values and constraints. Anything else befalls all of them. */
const isOfItems = (error: unknown) => /^2[23]/.test(String((error as { readonly code?: unknown }).code))

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Puts what is asked while one statement is under way into the next one: group commit without a timer. `run` answers for
 * its items in their order, and each caller waits until the statement that has its item is committed. When the database
 * finds fault with what a statement for several holds, each of them is tried alone, so that nobody fails for another's
 * item.
 *
 * @example
 * const insert = together(async (rows: readonly Row[]) => { await insertAll(rows); return rows.map(() => true) }, 500)
 * await insert(row)
 */
export function together<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  most: number,
): (item: Item) => Promise<Answer> {
  const waiting: Waiting<Item, Answer>[] = []
  let running = false

  async function settle(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await run(batch.map(({ item }) => item))
      for (const [at, { resolve }] of batch.entries()) resolve(answers[at] as Answer)
    } catch (error) {
      if (batch.length > 1 && isOfItems(error)) for (const one of batch) await settle([one])
      else for (const { reject } of batch) reject(error)
    }
  }

  async function runAll(): Promise<void> {
    // After this turn, so that what comes together goes together.
    await Promise.resolve()
    while (waiting.length > 0) await settle(waiting.splice(0, most))
    running = false
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (running) return
      running = true
      void runAll()
    })
}
