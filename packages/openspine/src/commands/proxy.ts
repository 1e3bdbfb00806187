import { streamAudit } from '@openspine/platform/audit'
import { dimensions, ProxyReport, type ReportDimension, type ReportRow } from '@openspine/services/proxy'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, withAuditReader } from '../context.ts'
import { bold, counter, dim, output, table } from '../terminal.ts'

/** Commands about the secure proxy. */
export function proxyCommands(program: Command): void {
  const proxy = program.command('proxy').description('what went through the secure proxy')

  proxy
    .command('report')
    .option('--by <dimensions>', `one or several of ${dimensions.join(', ')}, separated by commas`, 'provider')
    .option('--from <time>', 'a day (2026-11-01) or an instant (2026-11-01T09:00:00Z); without it, from the beginning')
    .option('--to <time>', 'a day, which is counted whole, or an instant, which is not; without it, until now')
    .description('requests, outcomes, bytes and times, counted from the audit; works beside a running server')
    .addHelpText(
      'after',
      `
Every request has one record in the audit, refused ones too; days are days of UTC. "well" are answers of the
provider with a status from 200 to 299. "in" and "out" are bytes of bodies as they came, with the framing of chunks.
"first byte" is the time until the provider's answer began, "whole" the time from the first byte of a request to
the end of its answer: median / 95th percentile, two significant digits. A request counts for a provider when the
directory has its Ssp-To, for a consumer when the certificate proves its Ssp-From, for an interaction when the
sender is registered for it; otherwise it counts as "not known".

Examples:
  $ openspine proxy report --by provider,interaction,day --from 2026-11-01 --to 2026-11-30
  $ openspine proxy report --by consumer --json`,
    )
    .action(
      action(async (command, options: { by: string; from?: string; to?: string }) => {
        const by = dimensionsOf(options.by)
        const from = options.from === undefined ? undefined : instant('--from', options.from, false)
        const to = options.to === undefined ? undefined : instant('--to', options.to, true)
        if (from !== undefined && to !== undefined && from >= to)
          throw new SpineError('USAGE', {}, { explanation: '--from must be before --to.' })
        const report = await withAuditReader(command, async (reader) => {
          const made = new ProxyReport(by)
          const told = counter('counted')
          let records = 0
          const stretch = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
          for await (const record of streamAudit(reader, { event: 'proxy.request', ...stretch })) {
            made.add(record)
            told(++records)
          }
          return made
        })
        const rows = report.rows()
        const total = report.total()
        if (globalOptions(command).json) {
          const time = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString())
          return void output.json({
            by,
            from: time(from),
            to: time(to),
            rows: rows.map(written),
            total: written(total),
          })
        }
        if (rows.length === 0) {
          output.line('No request in that time.')
          return
        }
        const cells = [
          [...by, ...heads],
          ...rows.map((row) => [...by.map((name) => named(row, name)), ...numbers(row)]),
          ...(rows.length === 1 ? [] : [[...by.map((_, i) => (i === 0 ? 'all' : '')), ...numbers(total)]]),
        ]
        for (const [i, line] of table(cells).entries()) output.line(i === 0 ? bold(line) : line)
        output.line(dim(`${total.requests} requests, from the audit`))
      }),
    )
}

const heads = ['requests', 'relayed', 'well', 'refused', 'failed', 'left', 'other', 'in', 'out', 'first byte', 'whole']

function dimensionsOf(text: string): ReportDimension[] {
  const by = text.split(',').map((name) => name.trim())
  for (const name of by)
    if (!dimensions.some((known) => known === name))
      throw new SpineError(
        'USAGE',
        {},
        { explanation: `--by ${name} is not known. There are: ${dimensions.join(', ')}.` },
      )
  if (new Set(by).size < by.length) throw new SpineError('USAGE', {}, { explanation: '--by names something twice.' })
  return by as ReportDimension[]
}

/** Milliseconds since the epoch. A day given as an end lasts until the next one begins. */
function instant(option: string, text: string, end: boolean): number {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const at =
    day || /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
      ? Date.parse(text)
      : Number.NaN
  // 30 February is read as 2 March.
  if (Number.isNaN(at) || (day && new Date(at).toISOString().slice(0, 10) !== text))
    throw new SpineError(
      'USAGE',
      {},
      {
        explanation: `${option} ${text} is not a time. Give a day such as 2026-11-01, or an instant such as 2026-11-01T09:00:00Z.`,
      },
    )
  return day && end ? at + 86_400_000 : at
}

function named({ group }: ReportRow, name: ReportDimension): string {
  const value = group[name]
  if (value === undefined) return 'not known'
  return typeof value === 'string' ? value : `${value.odsCode} ${value.asid}`
}

function numbers(row: ReportRow): string[] {
  const { requests, relayed, successful, refused, failed, consumerLeft, other, bytesIn, bytesOut } = row
  const times = (of: ReportRow['totalMs']) => (of === undefined ? '-' : `${of.median} / ${of.p95} ms`)
  return [
    ...[requests, relayed, successful, refused, failed, consumerLeft, other, bytesIn, bytesOut].map(String),
    times(row.firstByteMs),
    times(row.totalMs),
  ]
}

/** As JSON: what is not known is null, not absent. */
function written({ group, ...row }: ReportRow): object {
  return { ...Object.fromEntries(Object.entries(group).map(([name, value]) => [name, value ?? null])), ...row }
}
