import { existsSync, readFileSync } from 'node:fs'
import type { TestEvent } from 'node:test/reporters'

/**
 * Quiet where all is well: failures with their reasons, skips with theirs, which files took longest, and last the
 * line `N passed, N failed` (`, N skipped`).
 */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  let failed = 0
  const skips = new Map<string, number>()
  const relative = (file: string) => file.replace(`${process.cwd()}/`, '')
  for await (const event of source) {
    if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      if (!event.data.message.startsWith('(node:')) yield event.data.message
      continue
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, file = '', details, skip } = event.data
    const suite = details.type === 'suite'
    // With isolated processes the runner reports each file as a test of its own, named by its path.
    const wholeFile = event.data.nesting === 0 && file !== '' && file.endsWith(name.replace(/^\.\//, ''))
    if (event.type === 'test:fail') {
      const error = 'error' in details ? (details.error as Error & { failureType?: string }) : undefined
      if (error?.failureType === 'subtestsFailed') continue
      failed++
      const cause =
        error?.cause instanceof Error
          ? (error.cause.stack ?? error.cause.message)
          : String(error?.cause ?? error?.message)
      yield `\n✖ ${relative(file)}: ${name}\n${cause.replaceAll(/^/gm, '    ')}\n`
    } else if (skip !== undefined && skip !== false) {
      const reason = typeof skip === 'string' && skip !== '' ? skip : name
      skips.set(reason, (skips.get(reason) ?? 0) + 1)
    } else if (!suite && !wholeFile) passed++
  }
  const costs = costsOfFiles()
  const slow = costs
    .toSorted((a, b) => b.took - a.took)
    .slice(0, Number(process.env['TEST_SLOWEST'] ?? 10))
    .map(({ file, took, used }) => `${seconds(took)} ${seconds(used)}  ${relative(file)}\n`)
  const total = costs.reduce((sum, { used }) => sum + used, 0)
  yield `\nslowest files: seconds, and seconds of the processor (of ${total.toFixed(0)} in all)\n${slow.join('')}`
  for (const [reason, times] of skips) yield `skipped ${times} × ${reason}\n`
  const skipped = [...skips.values()].reduce((sum, times) => sum + times, 0)
  yield `\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`
}

const seconds = (value: number) => value.toFixed(1).padStart(7)

interface Cost {
  readonly file: string
  /** Seconds from its start to its end. */
  readonly took: number
  /** Seconds of the processor. */
  readonly used: number
}

/** What scripts/test-process.ts wrote down, file by file. */
function costsOfFiles(): Cost[] {
  const path = process.env['TEST_COSTS']
  if (path === undefined || !existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
