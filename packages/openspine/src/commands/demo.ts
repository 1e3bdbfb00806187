import type { Command } from 'commander'
import { action, globalOptions } from '../context.ts'
import { runVisitorsDemo } from '../demo-visitors.ts'
import { startSpine } from '../openspine.ts'
import { exitCode } from '../terminal.ts'

/** Integration examples, each against a Spine of its own in memory: nothing is left behind, and no port is needed. */
export function demoCommands(program: Command): void {
  const demo = program
    .command('demo')
    .description('run an integration example on the network, against a Spine of its own in memory')

  demo
    .command('visitors')
    .description('Visitors & Migrants: trace, look up, ask for the chargeable status; exit 0 only if every step held')
    .action(
      action(async (command) => {
        const spine = await startSpine()
        try {
          const held = await runVisitorsDemo(spine, globalOptions(command))
          return held ? exitCode.done : exitCode.failed
        } finally {
          await spine.stop()
        }
      }),
    )
}
