import type { Gateway } from '@openspine/services/gateway/contract'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { output, table } from '../terminal.ts'

/** Opens the gateway beside a running server, which sees what changes within a second. */
function withGateway<Result>(command: Command, work: (gateway: Gateway) => Promise<Result>): Promise<Result> {
  const settings = settingsOf(command)
  return withPlatform(command, async (platform) => {
    const { gateway } = makeServices(platform, settings)
    await platform.store.migrate(gateway.name, gateway.migrations ?? {})
    await gateway.start?.()
    try {
      return await work(gateway.contract)
    } finally {
      await gateway.stop?.(1000)
    }
  })
}

const by = 'openspine app'
const day = (at: number) => new Date(at).toISOString().slice(0, 10)
const once = 'Keep the key: it is not stored, and shown this once. Send it in the header `apikey`.'

export function applicationCommands(program: Command): void {
  const app = program.command('app').description('applications that may call the APIs, and their keys')

  app
    .command('create')
    .argument('<name>', 'for people; it stands in answers when a rate is exceeded')
    .description('register an application and print its first key')
    .action(
      action(async (command, name: string) => {
        const { application, key } = await withGateway(command, (gateway) => gateway.create(name, by))
        if (globalOptions(command).json) return void output.json({ application: application.id, name, key })
        output.line(`application  ${application.id}  ${application.name}`)
        output.line(`key id       ${key.id}`)
        output.line(`key          ${key.secret}`)
        output.line(once)
      }),
    )

  app
    .command('list')
    .description('applications with the ids of their keys')
    .action(
      action(async (command) => {
        const applications = await withGateway(command, async (gateway) => gateway.applications())
        if (globalOptions(command).json) return void output.json(applications)
        if (applications.length === 0) output.line('No application is registered.')
        for (const { id, name, createdAt, keys } of applications) {
          output.line(`${name}  ${id}  since ${day(createdAt)}`)
          const rows = keys.map(({ id: key, kind, createdAt: made, revokedAt }) => [
            `  key ${key}`,
            kind,
            revokedAt === undefined ? `since ${day(made)}` : `revoked ${day(revokedAt)}`,
          ])
          for (const line of table(rows)) output.line(line)
        }
      }),
    )

  app
    .command('new-key')
    .argument('<application>', 'id of the application')
    .option('--status', 'a key for the status pages (/_status) in place of the APIs')
    .description('make a further key and print it; the others stay valid')
    .action(
      action(async (command, application: string, options: { status?: boolean }) => {
        const kind = options.status === true ? 'status' : 'application'
        const key = await withGateway(command, (gateway) => gateway.newKey(application, kind, by))
        if (globalOptions(command).json) return void output.json(key)
        output.line(`key id  ${key.id}`)
        output.line(`key     ${key.secret}`)
        output.line(once)
      }),
    )

  app
    .command('revoke-key')
    .argument('<key id>', 'as `app list` shows it')
    .description('revoke a key; running servers refuse it within a second')
    .action(
      action(async (command, key: string) => {
        const revoked = await withGateway(command, (gateway) => gateway.revokeKey(key, by))
        if (!revoked)
          throw new SpineError(
            'CLIENT_NOT_FOUND',
            { key },
            { explanation: `There is no valid key with the id ${key}. \`openspine app list\` shows them.` },
          )
        if (globalOptions(command).json) return void output.json({ key, revoked })
        output.line(`key ${key} is revoked`)
      }),
    )
}
