import type { SignIn } from '@openspine/services/sign-in/contract'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { output, table } from '../terminal.ts'

/** Opens the identity providers' keys beside a running server, which publishes and uses what changes within a second. */
function withSignIn<Result>(command: Command, work: (signIn: SignIn) => Promise<Result>): Promise<Result> {
  const settings = settingsOf(command, { logLevel: 'warn' })
  return withPlatform(command, async (platform) => {
    const { signIn } = makeServices(platform, settings)
    await platform.store.migrate(signIn.name, signIn.migrations ?? {})
    await signIn.start?.()
    try {
      return await work(signIn.contract)
    } finally {
      await signIn.stop?.(1000)
    }
  })
}

async function show(command: Command, signIn: SignIn): Promise<void> {
  const keys = await signIn.signingKeys()
  if (globalOptions(command).json) return void output.json(keys)
  const time = (at: number) => new Date(at).toISOString()
  const rows = keys.map(({ issuer, algorithm, state, kid, activeAt }) => [
    issuer,
    algorithm,
    state,
    state === 'published' ? `signs from ${time(activeAt)}` : `since ${time(activeAt)}`,
    kid,
  ])
  for (const line of table(rows)) output.line(line)
}

/** The keys with which the identity providers sign: what is published, and their rotation. */
export function signingKeyCommands(program: Command): void {
  const keys = program.command('keys').description('keys with which the identity providers sign: list and rotate')

  keys
    .command('list')
    .description('what is published now: keys that sign, that will, and that did until lately')
    .action(action((command) => withSignIn(command, (signIn) => show(command, signIn)).then(() => undefined)))

  keys
    .command('rotate')
    .option('--soon', 'sign with the new keys within seconds: for keys that somebody else may have')
    .description('publish new keys now; they sign after signIn.keyNoticeHours, when no cached key set lacks them')
    .action(
      action((command, options: { soon?: boolean }) =>
        withSignIn(command, async (signIn) => {
          await signIn.rotateKeys({ soon: options.soon === true })
          await show(command, signIn)
          return undefined
        }),
      ),
    )
}
