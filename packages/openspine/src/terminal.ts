import { isSpineError } from '@openspine/standards/error'

/** What a command ends with; documented in `openspine --help`. */
export const exitCode = {
  done: 0,
  /** Something failed: unreachable, broken, not as expected. */
  failed: 1,
  /** The command or the configuration cannot be used as given. */
  usage: 2,
  /** A service answered, and the answer is no: refused or not found. */
  refused: 3,
} as const

export interface Output {
  /** One line for people. */
  line(text?: string): void
  /** The whole result, for `--json`; printed once. */
  json(value: unknown): void
}

export const output: Output = {
  line: (text = '') => void process.stdout.write(`${text}\n`),
  json: (value) => void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
}

const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined
const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)

/**
 * Text from the network without what steers a terminal: control characters are replaced, line ends are kept. A record may
 * not move the cursor or repaint a line above it.
 */
export function shown(text: string): string {
  return text.replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (sign) =>
    sign === '\t' ? ' ' : sign === '\r' ? '' : '\ufffd',
  )
}

/** `4.2 ms`, `1.3 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Plain table: columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '))
}

/** A bar on standard error for what takes longer than two seconds; one line per ten per cent where there is no terminal. */
export function progressBar(label: string, total: number): { update(done: number): void; end(): void } {
  const terminal = process.stderr.isTTY === true
  const started = performance.now()
  let shown = terminal ? -1 : 0
  const rate = (done: number) =>
    `${Math.round(done / Math.max(0.001, (performance.now() - started) / 1000)).toLocaleString('en-GB')}/s`
  return {
    update(done) {
      const steps = terminal ? 200 : 10
      const step = total === 0 ? steps : Math.floor((done / total) * steps)
      if (step === shown) return
      shown = step
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
      const counts = `${String(percent).padStart(3)} %  ${done.toLocaleString('en-GB')} of ${total.toLocaleString('en-GB')}  ${rate(done)}`
      if (terminal) {
        const full = Math.round(percent / 4)
        process.stderr.write(`\r${label} [${'█'.repeat(full)}${'·'.repeat(25 - full)}] ${counts} `)
      } else if (performance.now() - started > 2000) process.stderr.write(`${label} ${counts}\n`)
    },
    end() {
      if (terminal && shown >= 0) process.stderr.write('\n')
    },
  }
}

/** Says every two seconds how far work has come whose end is not known. */
export function counter(label: string): (done: number) => void {
  let said = performance.now()
  return (done) => {
    if (performance.now() - said < 2000) return
    said = performance.now()
    process.stderr.write(`${label} ${done.toLocaleString('en-GB')}\n`)
  }
}

/** The exit code for an error, after saying it in plain words. Never a stack trace: that is in the log at level `debug`. */
export function reportError(error: unknown, asJson: boolean): number {
  const known = isSpineError(error)
  const message = error instanceof Error ? error.message : String(error)
  if (asJson) {
    output.json({
      error: { code: known ? error.code : 'FAILED', message, ...(known ? { outcome: error.outcome } : {}) },
    })
  } else {
    process.stderr.write(`${red('✖')} ${message}${known ? dim(`  [${error.code}]`) : ''}\n`)
  }
  if (!known && process.env['OPENSPINE_LOG_LEVEL'] === 'debug' && error instanceof Error)
    process.stderr.write(`${error.stack}\n`)
  if (!known) return exitCode.failed
  if (/^(CONFIG|USAGE|SERVICE_UNKNOWN|CLIENT_APPOINTMENT)/.test(error.code)) return exitCode.usage
  return /^(CLIENT_(REFUSED|NOT_FOUND|AMBIGUOUS|CONFLICT)|REGISTRATION_)/.test(error.code)
    ? exitCode.refused
    : exitCode.failed
}
