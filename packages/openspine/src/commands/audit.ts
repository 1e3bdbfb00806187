import { findAudit, type StoredAuditRecord, verifyAudit } from '@openspine/platform/audit'
import { explainProxyRecord } from '@openspine/services/proxy'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, withAuditReader } from '../context.ts'
import { bold, counter, dim, exitCode, green, output, red } from '../terminal.ts'

const when = (at: number) => new Date(at).toISOString()

function oneLine(record: StoredAuditRecord): string {
  const facts = Object.entries(record.facts)
    .filter(([, value]) => typeof value !== 'object' && value !== '' && value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
  return `${when(record.at)}  ${bold(record.event)}${record.trace ? `  ${record.trace}` : ''}  ${dim(facts.join(' '))}`
}

export function auditCommands(program: Command): void {
  const audit = program.command('audit').description('read and verify the audit; works beside a running server')

  audit
    .command('tail')
    .option('-n, --lines <count>', 'how many records', Number, 20)
    .option('--event <event>', 'only this event, for example proxy.request')
    .description('the newest records, oldest of them first')
    .action(
      action(async (command, options: { lines: number; event?: string }) => {
        const limit = Math.min(Math.max(1, options.lines || 20), 10_000)
        const records = await withAuditReader(command, (reader) =>
          findAudit(reader, { limit, ...(options.event === undefined ? {} : { event: options.event }) }),
        )
        records.reverse()
        if (globalOptions(command).json) return void output.json(records)
        for (const record of records) output.line(oneLine(record))
      }),
    )

  audit
    .command('verify')
    .description('recompute every hash chain and check every signed checkpoint; names the first bad entry')
    .action(
      action(async (command) => {
        const verdict = await withAuditReader(command, (reader) =>
          verifyAudit({ ...reader, progress: counter('verified') }),
        )
        if (globalOptions(command).json) output.json(verdict)
        else if (verdict.ok)
          output.line(
            `${green('✔')} ${verdict.records} records in ${verdict.chains} chains: nothing was removed or changed`,
          )
        else output.line(`${red('✖')} chain ${verdict.chain}, entry ${verdict.seq}: ${verdict.reason}`)
        return verdict.ok ? exitCode.done : exitCode.failed
      }),
    )

  program
    .command('explain')
    .argument('<trace>', 'Ssp-TraceID, or the request id that a service answered with')
    .description('why a request was refused or what happened to it: each check, the directory record used, the verdict')
    .action(
      action(async (command, trace: string) => {
        const records = await withAuditReader(command, (reader) => findAudit(reader, { trace, limit: 100 }))
        if (records.length === 0)
          throw new SpineError(
            'CLIENT_NOT_FOUND',
            { trace },
            { explanation: `The audit holds nothing about ${trace}. Is it the id of a request to this environment?` },
          )
        records.reverse()
        if (globalOptions(command).json) return void output.json(records)
        for (const line of explainRecords(records)) output.line(line)
      }),
    )
}

/** What people read about one trace id: one paragraph for each audited step. */
export function explainRecords(records: readonly StoredAuditRecord[]): string[] {
  return records.flatMap((record) =>
    record.event === 'proxy.request' ? explainProxyRecord(record) : [oneLine(record)],
  )
}
