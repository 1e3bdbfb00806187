import { eventMessage, eventWorkflow } from '@openspine/services/demographics'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, terminalUser, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { output } from '../terminal.ts'

type Services = ReturnType<typeof makeServices>

function withServices<Result>(command: Command, work: (services: Services) => Promise<Result>): Promise<Result> {
  return withPlatform(command, async (platform) => {
    const services = makeServices(platform, settingsOf(command))
    const { demographics } = services
    await platform.store.migrate(demographics.name, demographics.migrations ?? {})
    return work(services)
  })
}

const by = terminalUser.id

/** What the back office does to single records, and what became of them. */
export function recordCommands(people: Command): void {
  people
    .command('history')
    .argument('<nhs number>', 'ten digits')
    .option('--limit <n>', 'the newest so many changes', Number, 50)
    .description('who changed a record, when, and which parts of it; never the values')
    .action(
      action(async (command, nhsNumber: string) => {
        const { limit } = command.opts<{ limit: number }>()
        const changes = await withServices(command, ({ demographics }) =>
          demographics.contract.history(nhsNumber.replaceAll(' ', ''), limit),
        )
        if (globalOptions(command).json) output.json(changes)
        else if (changes.length === 0) output.line('Nothing was changed since the record was loaded.')
        else
          for (const { version, at, kind, author, members, requestId } of changes) {
            const who = [author.mode, author.user ?? author.patient ?? author.app, author.role && `role ${author.role}`]
            output.line(
              `version ${version}  ${new Date(at).toISOString()}  ${kind}  by ${who.filter(Boolean).join(' ')}  ${members.join(', ')}${
                requestId === undefined ? '' : `  request ${requestId}`
              }`,
            )
          }
      }),
    )

  people
    .command('merge')
    .argument('<superseded>', 'the number that is given up')
    .argument('<retained>', 'the number that stays')
    .description('merge one record into another: whoever asks for the first gets the second from then on')
    .action(
      action(async (command, superseded: string, retained: string) => {
        await withServices(command, ({ demographics }) =>
          demographics.contract.administration.merge({ superseded, retained, by }),
        )
        if (globalOptions(command).json) output.json({ superseded, retained })
        else output.line(`${superseded} is superseded by ${retained}`)
      }),
    )

  people
    .command('invalidate')
    .argument('<nhs number>', 'ten digits')
    .description('mark a record as invalid, without a successor')
    .action(
      action(async (command, nhsNumber: string) => {
        await withServices(command, ({ demographics }) =>
          demographics.contract.administration.invalidate({ nhsNumber, by }),
        )
        if (globalOptions(command).json) output.json({ nhsNumber, status: 'invalidated' })
        else output.line(`${nhsNumber} is invalidated`)
      }),
    )

  for (const [name, sensitivity, description] of [
    ['restrict', 'R', 'hide where a person can be found: address, contacts, practice (R)'],
    ['restrict-wholly', 'V', 'hide all but the number (V)'],
    ['unrestrict', 'U', 'show a record whole again (U)'],
  ] as const)
    people
      .command(name)
      .argument('<nhs number>', 'ten digits')
      .description(description)
      .action(
        action(async (command, nhsNumber: string) => {
          await withServices(command, ({ demographics }) =>
            demographics.contract.administration.setSensitivity({ nhsNumber, sensitivity, by }),
          )
          if (globalOptions(command).json) output.json({ nhsNumber, sensitivity })
          else output.line(`${nhsNumber} has sensitivity ${sensitivity}`)
        }),
      )

  people
    .command('events')
    .option('--limit <n>', 'at most so many', Number, 100)
    .option('--messages', 'the whole messages, FHIR STU3 Bundles as they are published, one a line')
    .description('events of changes that wait to be published, in their order')
    .action(
      action(async (command) => {
        const { limit, messages } = command.opts<{ limit: number; messages?: boolean }>()
        await withPlatform(command, async (platform) => {
          const settings = settingsOf(command)
          const { demographics } = makeServices(platform, settings)
          await platform.store.migrate(demographics.name, demographics.migrations ?? {})
          for (const event of await demographics.contract.events.waiting(limit)) {
            const { nhsNumber, version, at, code } = event
            if (messages === true) {
              const person = await demographics.contract.find(nhsNumber)
              const message = eventMessage(event, {
                random: platform.random,
                sensitivity: person?.sensitivity ?? 'U',
                asid: settings.values.client.asid,
                organisationName: () => undefined,
              })
              output.line(JSON.stringify(message))
            } else if (globalOptions(command).json) output.json({ nhsNumber, version, at, code })
            else output.line(`${new Date(at).toISOString()}  ${nhsNumber}  version ${version}  ${eventWorkflow[code]}`)
          }
        })
      }),
    )
}
