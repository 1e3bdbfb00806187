/** Checks and outcomes of the practice system, for the reference pages. */

interface PracticeCheck {
  readonly name: string
  readonly clause: string
  readonly outcome: string
  readonly explains: string
}

interface PracticeOutcome {
  readonly status: number
  readonly issue: string
  readonly code: string
  readonly display: string
}

// The workspace root declares no dependency on the practice, so its files are read where they lie.
const file = (name: string) => new URL(`../packages/practice/src/${name}.ts`, import.meta.url).href

export const practiceChecks: {
  readonly [List in 'headChecks' | 'metadataChecks' | 'careRecordChecks']: readonly PracticeCheck[]
} = await import(file('checks'))

export const practiceOutcomes: Readonly<Record<string, PracticeOutcome>> = (await import(file('outcome'))).outcomes
