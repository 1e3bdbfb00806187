import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, withRegistration } from '../context.ts'
import { planJson, planLines } from '../registry/plan-text.ts'
import {
  applyPlan,
  checkPlan,
  exportRegistry,
  planRegistry,
  type RegistryServices,
  refuseOtherEnvironment,
  registryParts,
} from '../registry/registry.ts'
import { shown } from '../registry/text.ts'
import { counter, duration, exitCode, green, output } from '../terminal.ts'

const exitCodes = `
Exit codes: 0 the same, or done; 1 a rule is broken or a file cannot be read: nothing was changed; 2 wrong usage;
3 folder and registry differ, and nothing was changed.
`

/** The services that keep the registry, and the name of the environment. */
function withRegistry<Result>(
  command: Command,
  work: (services: RegistryServices, environment: string) => Promise<Result>,
): Promise<Result> {
  return withRegistration(command, ({ platform, directory, registration: { agreements } }) =>
    work({ directory, registration: agreements }, platform.environment),
  )
}

async function exportLdif({ directory }: RegistryServices, file: string): Promise<void> {
  const text = Readable.from(directory.exportLdif())
  try {
    await pipeline(text, file === '-' ? process.stdout : createWriteStream(file), { end: file !== '-' })
  } catch (error) {
    // A reader that has seen enough is no failure.
    if (file !== '-' || (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

/** The file piece by piece, telling every two seconds how far it has come. */
async function* ldifPieces(file: string): AsyncGenerator<Uint8Array> {
  const tell = counter(`reading ${file === '-' ? 'standard input' : file}, megabytes:`)
  let bytes = 0
  try {
    for await (const piece of file === '-' ? process.stdin : createReadStream(file)) {
      bytes += (piece as Uint8Array).length
      tell(Math.round(bytes / 1e6))
      yield piece as Uint8Array
    }
  } catch (cause) {
    const explanation = `${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'FAILED'}).`
    throw new SpineError('USAGE', { file }, { cause, explanation })
  }
}

/** Asks on the terminal; without one the answer is no. */
async function confirmed(question: string): Promise<boolean> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) return false
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question(question)).trim())
  } finally {
    terminal.close()
  }
}

export function registryCommands(program: Command): void {
  const registry = program
    .command('registry')
    .description('the registry as files under version control, and as LDIF; works beside a running server')
    .addHelpText('after', exitCodes)

  registry
    .command('export')
    .argument('[folder]', 'an empty folder, or one that an export wrote before')
    .option('--ldif <file>', 'the tree of the directory as one LDIF file instead; - writes it out')
    .description('write directory and sharing agreements as files: the same registry gives the same bytes; no secrets')
    .action(
      action(async (command, folder: string | undefined, { ldif }: { ldif?: string }) => {
        if ((folder === undefined) === (ldif === undefined))
          throw new SpineError('USAGE', {}, { explanation: 'Name a folder, or a file with --ldif.' })
        const { json } = globalOptions(command)
        if (ldif !== undefined) {
          await withRegistry(command, (services) => exportLdif(services, ldif))
          return
        }
        const started = performance.now()
        const written = await withRegistry(command, async (services, environment) =>
          exportRegistry(folder as string, environment, registryParts(services), counter('files written')),
        )
        if (json) return void output.json(written)
        output.line(
          `${written.files} files, ${written.written} of them new or changed, ${written.removed} removed, in ${duration(performance.now() - started)}`,
        )
      }),
    )

  registry
    .command('diff')
    .argument('<folder>', 'a folder that `registry export` wrote')
    .description('what the folder would add, change and remove, attribute by attribute')
    .addHelpText('after', exitCodes)
    .action(
      action(async (command, folder: string) => {
        const options = { prune: true, tolerateLiveQuirks: false }
        const plan = await withRegistry(command, async (services, environment) =>
          planRegistry(folder, environment, registryParts(services), options, counter('files read')),
        )
        if (globalOptions(command).json) output.json(planJson(plan))
        else for (const line of planLines(plan)) output.line(line)
        return plan.changes.length === 0 ? exitCode.done : exitCode.refused
      }),
    )

  registry
    .command('apply')
    .argument('<folder>', 'a folder that `registry export` wrote')
    .option('--yes', 'apply without asking; without it and without a terminal the plan is checked and shown alone')
    .option('--prune', 'remove what the folder does not hold', false)
    .option('--no-prune', 'keep it (the default)')
    .option('--tolerate-live-quirks', 'bear the known quirks of live data with a warning, as an import does', false)
    .option('--from-other-environment', 'apply the folder of another environment', false)
    .description('make the registry as the folder says: shows the plan, checks every rule, then commits')
    .addHelpText('after', exitCodes)
    .action(
      action(async (command, folder: string, options: ApplyOptions) => {
        const { json } = globalOptions(command)
        const { prune, tolerateLiveQuirks } = options
        return withRegistry(command, async (services, environment) => {
          const about = { prune, tolerateLiveQuirks }
          const plan = planRegistry(folder, environment, registryParts(services), about, counter('files read'))
          if (!json) for (const line of planLines(plan, 200)) output.line(line)
          if (!options.fromOtherEnvironment) refuseOtherEnvironment(plan)
          tellWork('checking', plan.changes.length)
          const checked = await checkPlan(plan)
          const { warnings } = checked
          if (!json)
            for (const { code, name, explanation, place } of warnings.slice(0, 100))
              process.stderr.write(
                `! ${place?.file}, line ${place?.line}: ${shown(`${name}: ${explanation}`)}  [${code}]\n`,
              )
          const { length } = plan.changes
          const sure = length > 0 && (options.yes === true || (!json && (await confirmed('Apply this? [y/N] '))))
          if (sure) {
            tellWork('applying', length)
            await applyPlan(checked, 'registry apply')
          }
          if (json) output.json({ ...planJson(plan), warnings, applied: sure })
          else if (sure) output.line(`${green('✔')} applied`)
          else if (length > 0) output.line('Nothing was changed; --yes applies it.')
          return sure || length === 0 ? exitCode.done : exitCode.refused
        })
      }),
    )

  registry
    .command('import')
    .argument('<file>', 'LDIF (RFC 2849), for example a dump of another directory; - reads standard input')
    .description('put and delete the entries of an LDIF file, all or none; quirks of live dumps are repaired and told')
    .action(
      action(async (command, file: string) => {
        const pieces = ldifPieces(file)
        const result = await withRegistry(command, ({ directory }) => directory.importLdif(pieces, 'registry import'))
        if (globalOptions(command).json) return void output.json(result)
        for (const { line, dn, repair } of result.repairs) output.line(`line ${line}: ${shown(dn)}: ${shown(repair)}`)
        output.line(
          `${result.changes} entries read, ${result.repairs.length} repairs; directory version ${result.version}`,
        )
      }),
    )
}

/** Said before work that takes more than two seconds and cannot tell how far it has come. */
function tellWork(what: string, changes: number): void {
  if (changes > 5000) process.stderr.write(`${what} ${changes.toLocaleString('en-GB')} changes\n`)
}

interface ApplyOptions {
  readonly yes?: boolean
  readonly prune: boolean
  readonly tolerateLiveQuirks: boolean
  readonly fromOtherEnvironment: boolean
}
