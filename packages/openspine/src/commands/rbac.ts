import { existsSync, statSync } from 'node:fs'
import { ruleFilesIn } from '@openspine/services/access-control'
import type { AccessControl, AccessExplanation, RuleVersion } from '@openspine/services/access-control/contract'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { bold, dim, exitCode, green, output, red, table } from '../terminal.ts'
import { actor, usage } from './registration.ts'

/** Opens access control beside a running server, which uses what changes within a second. */
function withAccessControl<Result>(
  command: Command,
  work: (access: AccessControl) => Promise<Result> | Result,
): Promise<Result> {
  const settings = settingsOf(command, { logLevel: 'warn' })
  return withPlatform(command, async (platform) => {
    const { accessControl } = makeServices(platform, settings)
    await platform.store.migrate(accessControl.name, accessControl.migrations ?? {})
    await accessControl.start?.()
    try {
      return await work(accessControl.contract)
    } finally {
      await accessControl.stop?.(1000)
    }
  })
}

/** Those whose code or name holds the words, in any case. */
function fitting<Item extends { readonly code: string; readonly name: string }>(
  items: readonly Item[],
  words: readonly string[],
): readonly Item[] {
  const wanted = words.join(' ').toLowerCase()
  return items.filter(({ code, name }) => `${code} ${name}`.toLowerCase().includes(wanted))
}

const codes = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((code) => code.trim())
    .filter((code) => code !== '')

const some = (list: readonly string[], most = 12) =>
  list.length <= most ? list.join(', ') : `${list.slice(0, most).join(', ')} and ${list.length - most} more`

/** What people read: yes or no, by what, and what would be enough. */
export function explanationLines(it: AccessExplanation): string[] {
  const role = `${bold(it.jobRole)}${it.jobRoleName === undefined ? ' (no list knows it)' : ` ${it.jobRoleName}`}`
  const activity = `${bold(it.activity)}${it.activityName === undefined ? '' : ` ${it.activityName}`}`
  const { grant, path = [] } = it
  const why =
    grant === undefined
      ? []
      : [
          grant.by === 'given'
            ? `${grant.held} was given to the role profile.`
            : `${grant.held} belongs to the baseline of the job role.`,
          ...(path.length > 1 ? [`${path.join(' includes ')}.`] : []),
        ]
  const without =
    grant !== undefined
      ? []
      : [
          `Enough would be: ${some(it.enough)}, given to the role profile.`,
          it.jobRolesWithIt.length === 0
            ? 'No job role has it by the baseline.'
            : `Job roles that have it by the baseline: ${some(it.jobRolesWithIt)}.`,
          ...(it.notInForce.length === 0 ? [] : [`Published, but not in force: ${some(it.notInForce)}.`]),
        ]
  return [
    `${grant === undefined ? red('✖') : green('✔')} ${role} ${grant === undefined ? 'may not' : 'may'} do ${activity}`,
    ...[...why, ...without].map((line) => `    ${line}`),
    `    ${dim(`Baseline of the role: ${it.baseline.length === 0 ? 'nothing' : some(it.baseline, 40)}. Rules: ${it.version}.`)}`,
  ]
}

function versionLine({ version, inUse, source, importedAt, importedBy }: RuleVersion): readonly string[] {
  const from = importedAt === undefined ? 'with the software' : `${new Date(importedAt).toISOString()} by ${importedBy}`
  return [inUse ? `* ${version}` : `  ${version}`, from, source]
}

export function rbacCommands(program: Command): void {
  const rbac = program.command('rbac').description('national RBAC: job roles, activities, and who may do what')

  rbac
    .command('roles')
    .argument('[words...]', 'part of a code or name')
    .option('--access', 'access roles alone: those that are given out nowadays')
    .description('job roles')
    .action(
      action(async (command, words: string[], options: { access?: boolean }) => {
        const { version, jobRoles } = await withAccessControl(command, (access) => access.rules())
        const found = fitting(jobRoles, words).filter(({ accessRole }) => options.access !== true || accessRole)
        if (globalOptions(command).json) return void output.json({ version, jobRoles: found })
        for (const line of table(found.map(({ code, name, seenAs }) => [code, name, seenAs.join(' ')])))
          output.line(line.trimEnd())
        output.line(`${found.length} job roles in the rules ${version}`)
      }),
    )

  rbac
    .command('activities')
    .argument('[words...]', 'part of a code or name')
    .description('activities, what they include, and which job roles have them by the baseline')
    .action(
      action(async (command, words: string[]) => {
        const { version, activities, hierarchy, baseline } = await withAccessControl(command, (access) =>
          access.rules(),
        )
        const found = fitting(activities, words).map((activity) => ({
          ...activity,
          includes: hierarchy.filter((it) => it.inForce && it.activity === activity.code).map((it) => it.includes),
          jobRoles: baseline.flatMap(({ activity: code, jobRole }) =>
            code === activity.code && jobRole !== undefined ? [jobRole] : [],
          ),
        }))
        if (globalOptions(command).json) return void output.json({ version, activities: found })
        const rows = found.map(({ code, name, wording, includes, jobRoles }) => [
          code,
          wording === 'described' ? `(${name})` : name,
          includes.length === 0 ? '' : `includes ${includes.join(', ')}`,
          jobRoles.length === 0 ? '' : `baseline ${some(jobRoles, 6)}`,
        ])
        for (const line of table(rows)) output.line(line.trimEnd())
        output.line(`${found.length} activities in the rules ${version}; (in brackets: no name is published)`)
      }),
    )

  rbac
    .command('explain')
    .requiredOption('--role <code>', 'job role: R8000, or the triple S8000:G8000:R8000')
    .requiredOption('--activity <code>', 'activity that is asked for: B0820')
    .option('--given <codes>', 'activities that the role profile was given, separated by commas')
    .option('--area <codes>', 'areas of work of the role profile, separated by commas')
    .description('whether a role may do something, and why')
    .action(
      action(async (command, options: { role: string; activity: string; given?: string; area?: string }) => {
        const { role: jobRole, activity, given, area } = options
        const role = { jobRole, activities: codes(given), areasOfWork: codes(area) }
        const explained = await withAccessControl(command, (access) => access.explain(role, activity))
        if (globalOptions(command).json) output.json(explained)
        else for (const line of explanationLines(explained)) output.line(line)
        return explained.allowed ? exitCode.done : exitCode.refused
      }),
    )

  rbac
    .command('versions')
    .description('versions of the rules that are here; the one in use bears a star')
    .action(
      action(async (command) => {
        const versions = await withAccessControl(command, (access) => access.versions())
        if (globalOptions(command).json) return void output.json(versions)
        for (const line of table(versions.map(versionLine))) output.line(line)
      }),
    )

  rbac
    .command('import')
    .argument(
      '<folder>',
      'with version.json, job-roles.csv, activities.csv, hierarchy.csv, baseline.csv, areas-of-work.csv',
    )
    .addOption(actor())
    .description('check, keep and use another version of the rules; running servers use it within a second')
    .action(
      action(async (command, folder: string, options: { by: string }) => {
        if (!existsSync(folder) || !statSync(folder).isDirectory()) throw usage(`There is no folder ${folder}.`)
        const imported = await withAccessControl(command, (access) => access.import(ruleFilesIn(folder), options.by))
        if (globalOptions(command).json) return void output.json(imported)
        output.line(`the rules ${imported.version} are in use (sha256 ${imported.digest.slice(0, 16)})`)
      }),
    )

  rbac
    .command('use')
    .argument('<version>', 'as `rbac versions` shows it')
    .addOption(actor())
    .description('go back to a version that was imported before, or to the one of the software')
    .action(
      action(async (command, version: string, options: { by: string }) => {
        const used = await withAccessControl(command, (access) => access.use(version, options.by))
        if (globalOptions(command).json) return void output.json(used)
        output.line(`the rules ${used.version} are in use`)
      }),
    )
}
