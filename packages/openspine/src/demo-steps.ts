import { dim, duration, output, red } from './terminal.ts'

/** One line of an integration example, as people read it and as `--json` prints it. */
export interface Step {
  readonly step: string
  readonly from: string
  readonly to: string
  readonly said: string
  readonly ms?: number
  readonly held: boolean
}

/** One line for people: marked where the step did not hold. */
export function printStep(step: Step): void {
  const ms = step.ms === undefined ? '' : duration(step.ms)
  const line = ` ${step.step.padEnd(3)} ${`${step.from} → ${step.to}`.padEnd(21)} ${step.said.padEnd(64)} ${dim(ms.padStart(8))}`
  output.line(step.held ? line.trimEnd() : `${red(line.trimEnd())} ${red('✖')}`)
}
