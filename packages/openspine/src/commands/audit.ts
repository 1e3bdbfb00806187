import { findAudit, type StoredAuditRecord, streamAudit, verifyAudit } from '@openspine/platform/audit'
import { explainRefusal, type RefusalExplanation, timeOfMessage } from '@openspine/services/gateway'
import { explainRefusal as explainTokenRefusal } from '@openspine/services/identity'
import type { RefusalExplanation as TokenRefusal } from '@openspine/services/identity/contract'
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
    .argument('<trace>', 'Ssp-TraceID, X-Request-ID, or the message id that a service answered with')
    .description('why a request was refused or what happened to it: each check, the directory record used, the verdict')
    .action(
      action(async (command, trace: string) => {
        const { records, refusal } = await withAuditReader(command, async (reader) => ({
          records: await findAudit(reader, { trace, limit: 100 }),
          refusal: await refusalAtTheDoor(reader, trace),
        }))
        if (refusal !== undefined && globalOptions(command).json) return void output.json([refusal, ...records])
        if (refusal !== undefined) for (const line of refusalLines(refusal)) output.line(line)
        if (records.length === 0 && refusal === undefined)
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

/** How far around the time in a message id its record may lie: clocks of processes differ. */
const aroundMs = 60_000
/** Records in which an X-Request-ID is looked for, newest first: each holds up to 200 refusals. */
const mostRecords = 1000

/** A refusal of the API platform's door, by its message id or by the X-Request-ID of the request. */
async function refusalAtTheDoor(
  reader: Parameters<typeof streamAudit>[0],
  id: string,
): Promise<RefusalExplanation | undefined> {
  const event = 'gateway.refused'
  const at = timeOfMessage(id)
  const records =
    at === undefined
      ? await findAudit(reader, { event, limit: mostRecords })
      : streamAudit(reader, { event, from: at - aroundMs, to: at + aroundMs })
  for await (const record of records) {
    const found = explainRefusal(record, id)
    if (found !== undefined) return found
  }
  return undefined
}

function refusalLines(refusal: RefusalExplanation): string[] {
  const { id, at, api, path, status, check, says, explanation, application } = refusal
  return [
    `${bold(id)}  ${at}`,
    `${red('✖')} the API platform answered ${status} to a request for ${api} ${path}`,
    `  from     ${application ?? 'an application that is not known'}`,
    `  failed   ${bold(check)}`,
    ...(says === '' ? [] : [`  it said  ${says}`]),
    `  to do    ${explanation}`,
  ]
}

function tokenRefusalLines(refusal: TokenRefusal): string[] {
  const { messageId, at, endpoint, status, error, description, check, clause, cause, likely } = refusal
  const { application, name, key } = refusal
  const from =
    application === undefined ? 'an application that is not known' : `${name ?? ''} ${application}, key ${key}`
  return [
    `${bold(messageId)}  ${when(at)}`,
    `${red('✖')} the authorisation server answered ${status} at ${endpoint}`,
    `  from     ${from.trim()}`,
    `  failed   ${bold(check)}  ${dim(`identity specification §${clause}`)}`,
    `  it said  ${error}: ${description}`,
    `  because  ${cause}`,
    ...likely.map((each, at) => `  ${at === 0 ? 'likely ' : 'or     '}  ${each}`),
  ]
}

/** What people read about one trace id: one paragraph for each audited step. */
export function explainRecords(records: readonly StoredAuditRecord[]): string[] {
  return records.flatMap((record) => {
    if (record.event === 'proxy.request') return explainProxyRecord(record)
    const refused = explainTokenRefusal(record)
    return refused === undefined ? [oneLine(record)] : tokenRefusalLines(refused)
  })
}
