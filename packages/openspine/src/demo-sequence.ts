import { bold, dim, duration, output, red } from './terminal.ts'

/** One line of the sequence, as people read it and as `--json` prints it. */
export interface Step {
  readonly step: string
  readonly from: string
  readonly to: string
  readonly said: string
  readonly ms?: number
  readonly held: boolean
}

/** The steps of the demonstration: each is printed as it happens, or all are kept for `--json`. */
export class Sequence {
  readonly steps: Step[] = []
  readonly #json: boolean

  constructor(json: boolean) {
    this.#json = json
  }

  title(text: string): void {
    if (!this.#json) output.line(`\n${bold(text)}`)
  }

  /** What is no step: for people alone. */
  remark(lines: readonly string[]): void {
    if (!this.#json) for (const line of lines) output.line(dim(`      ${line}`))
  }

  /** Runs the work of a step; one that throws did not hold, and says why. */
  async held<Result>(
    step: string,
    from: string,
    to: string,
    work: () => Promise<{ result: Result; said: string; held: boolean; ms?: number }>,
  ): Promise<Result | undefined> {
    try {
      const { result, ...line } = await work()
      this.print({ step, from, to, ...line })
      return result
    } catch (error) {
      this.print({ step, from, to, said: error instanceof Error ? error.message : String(error), held: false })
      return undefined
    }
  }

  say(step: string, from: string, to: string, said: string, held = true): void {
    this.print({ step, from, to, said, held })
  }

  print(step: Step): void {
    this.steps.push(step)
    if (this.#json) return
    const ms = step.ms === undefined ? '' : duration(step.ms)
    const line = ` ${step.step.padEnd(3)} ${`${step.from} → ${step.to}`.padEnd(21)} ${step.said.padEnd(64)} ${dim(ms.padStart(8))}`
    output.line(step.held ? line.trimEnd() : `${red(line.trimEnd())} ${red('✖')}`)
  }
}
