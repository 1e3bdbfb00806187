/** A reporter that writes down which tests passed, by file and title, for whoever must know that a named test ran. */
import { relative } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

/** Titles of the tests that passed, by the path of their file from the root of the repository. */
export type PassedTests = Readonly<Record<string, readonly string[]>>

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const passed = new Map<string, string[]>()
  for await (const event of source) {
    if (event.type !== 'test:pass') continue
    const { name, file, details, skip, todo } = event.data
    if (file === undefined || details.type === 'suite' || skip !== undefined || todo !== undefined) continue
    const path = relative(process.cwd(), file)
    const titles = passed.get(path)
    if (titles === undefined) passed.set(path, [name])
    else titles.push(name)
  }
  yield JSON.stringify(Object.fromEntries(passed))
}
