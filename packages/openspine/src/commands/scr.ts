import type {
  Actor,
  PrivacyAlert,
  RecordedPermission,
  SummaryCareRecord,
  SummaryVersion,
} from '@openspine/services/summary-care-record/contract'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { exitCode, output, shown, table } from '../terminal.ts'
import { momentOf, second } from './moment.ts'
import { usage } from './registration.ts'

/** Opens Summary Care Records beside a running server. */
function withSummaries<Result>(command: Command, work: (summaries: SummaryCareRecord) => Promise<Result>) {
  const settings = settingsOf(command, { logLevel: 'warn' })
  return withPlatform(command, async (platform) => {
    const { demographics, summaryCareRecord } = makeServices(platform, settings)
    for (const { name, migrations = {} } of [demographics, summaryCareRecord])
      await platform.store.migrate(name, migrations)
    return work(summaryCareRecord.contract)
  })
}

const who = ({ user, role, odsCode, application }: Actor) =>
  [user, role && `as ${role}`, odsCode && `of ${odsCode}`, application && `by application ${application}`]
    .filter((part) => part !== undefined)
    .join(' ')

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 10_000) throw usage(`${text} is no number from 1 to 10000.`)
  return count
}

const versionRow = ({ uploaded, id, version, nhsNumber, replaces }: SummaryVersion) => [
  second(uploaded.at),
  id,
  `${nhsNumber} version ${version}`,
  replaces === undefined ? 'replaces none' : `replaces ${shown(replaces)}`,
  who(uploaded),
]
const permissionRow = ({ set, permission }: RecordedPermission) => [second(set.at), permission, who(set)]
const alertRow = ({ nhsNumber, recorded, reason, organisation, person, message, sent }: PrivacyAlert) => [
  second(sent.at),
  nhsNumber,
  `${reason.code} ${shown(reason.display)}`,
  `${shown(person)} of ${shown(organisation)}`,
  shown(recorded),
  shown(message.replaceAll('\n', ' / ')),
]

/** Prints what was found; nothing is an answer of its own. */
function told<Found>(
  command: Command,
  found: readonly Found[],
  row: (each: Found) => string[],
  nothing: string,
): number {
  if (globalOptions(command).json) output.json(found)
  else if (found.length === 0) output.line(nothing)
  else for (const line of table(found.map(row))) output.line(line)
  return found.length === 0 ? exitCode.refused : exitCode.done
}

export function scrCommands(program: Command): void {
  const scr = program.command('scr').description('Summary Care Records; works beside a running server')

  scr
    .command('alerts')
    .argument('[nhs number]', 'of one patient; without it, of all')
    .option('--organisation <ods code>', 'organisation that the alert names')
    .option('--since <time>', 'a day, or a time')
    .option('--limit <count>', 'so many at the most', '100')
    .description('privacy alerts, the newest first: who looked without the patient’s leave, and why')
    .action(
      action(
        async (
          command,
          nhsNumber: string | undefined,
          { organisation, since, limit }: { organisation?: string; since?: string; limit: string },
        ) => {
          const asked = {
            limit: countOf(limit),
            ...(nhsNumber === undefined ? {} : { nhsNumber }),
            ...(organisation === undefined ? {} : { organisation }),
            ...(since === undefined ? {} : { since: momentOf(since) }),
          }
          const found = await withSummaries(command, (summaries) => summaries.alerts(asked))
          return told(command, found, alertRow, 'there are no such alerts')
        },
      ),
    )

  scr
    .command('history')
    .argument('<nhs number>')
    .description('every summary of a patient, the newest first')
    .action(
      action(async (command, nhsNumber: string) => {
        const found = await withSummaries(command, (summaries) => summaries.history(nhsNumber))
        return told(command, found, versionRow, `${nhsNumber} has no summary`)
      }),
    )

  scr
    .command('permissions')
    .argument('<nhs number>')
    .description('every decision of a patient about viewing, the newest first')
    .action(
      action(async (command, nhsNumber: string) => {
        const found = await withSummaries(command, (summaries) => summaries.permissions(nhsNumber))
        return told(command, found, permissionRow, `nothing was decided about ${nhsNumber}`)
      }),
    )

  scr
    .command('document')
    .argument('<nhs number>')
    .option('--id <uuid>', 'one of the history (default: the latest)')
    .description('the document of a summary, as it was uploaded: JSON')
    .action(
      action(async (command, nhsNumber: string, { id }: { id?: string }) => {
        const document = await withSummaries(command, (summaries) => summaries.document(nhsNumber, id))
        if (document === undefined) output.line(`${nhsNumber} has no such summary`)
        else output.json(document)
        return document === undefined ? exitCode.refused : exitCode.done
      }),
    )
}
