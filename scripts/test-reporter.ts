import type { TestEvent } from 'node:test/reporters'

/**
 * Quiet where all is well: failures with their reasons, skips with theirs, one line a file, and last the
 * line `N passed, N failed` (`, N skipped`).
 */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0
  let failed = 0
  const skips = new Map<string, number>()
  const files = new Map<string, { passed: number; failed: number; ms: number }>()
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
    const count = files.get(file) ?? { passed: 0, failed: 0, ms: 0 }
    files.set(file, count)
    if (event.data.nesting === 0) count.ms += details.duration_ms
    if (event.type === 'test:fail') {
      const error = 'error' in details ? (details.error as Error & { failureType?: string }) : undefined
      if (error?.failureType === 'subtestsFailed') continue
      failed++
      count.failed++
      const cause =
        error?.cause instanceof Error
          ? (error.cause.stack ?? error.cause.message)
          : String(error?.cause ?? error?.message)
      yield `\n✖ ${relative(file)}: ${name}\n${cause.replaceAll(/^/gm, '    ')}\n`
    } else if (skip !== undefined && skip !== false) {
      const reason = typeof skip === 'string' && skip !== '' ? skip : name
      skips.set(reason, (skips.get(reason) ?? 0) + 1)
    } else if (!suite && !wholeFile) {
      passed++
      count.passed++
    }
  }
  const slow = [...files].sort(([, a], [, b]) => b.ms - a.ms).slice(0, 10)
  yield `\nslowest files\n${slow.map(([file, { ms }]) => `  ${(ms / 1000).toFixed(1).padStart(6)} s  ${relative(file)}`).join('\n')}\n`
  for (const [reason, times] of skips) yield `skipped ${times} × ${reason}\n`
  const skipped = [...skips.values()].reduce((sum, times) => sum + times, 0)
  yield `\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`
}
