/** The tests of other files that obligations name, against what the files say and what ran. */
import type { NamedTest, Obligation } from './obligation.ts'
import { obligations } from './obligations.ts'

/** An obligation and the test that shows it. */
export interface Naming extends NamedTest {
  readonly id: string
}

export const namings: readonly Naming[] = Object.entries(obligations as Readonly<Record<string, Obligation>>).flatMap(
  ([id, { elsewhere }]) => (elsewhere === undefined ? [] : [{ id, ...elsewhere.test }]),
)

/** Named tests that did not pass although their file ran; `passed` has titles by file. */
export function missingTests(
  passed: Readonly<Record<string, readonly string[]>>,
  ran: readonly string[],
): readonly Naming[] {
  return namings.filter(({ file, title }) => ran.includes(file) && passed[file]?.includes(title) !== true)
}

/** Whether the source of a test file has a test of this title; parts that are filled in may be anything. */
export function hasTest(source: string, title: string): boolean {
  return [...source.matchAll(/\b(?:it|test)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs)].some(([, quote, written = '']) => {
    if (quote !== '`') return written.replaceAll(/\\(.)/g, '$1') === title
    const parts = written.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[^\w\s]/g, '\\$&'))
    // A title that is filled in as a whole says nothing of itself.
    return parts.some((part) => part !== '') && new RegExp(`^${parts.join('.+')}$`, 's').test(title)
  })
}
