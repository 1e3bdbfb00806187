import type { Command } from 'commander'
import { action, globalOptions, settingsOf } from '../context.ts'
import { runDemo } from '../demo.ts'
import { startSpine } from '../openspine.ts'
import { bold, dim, duration, exitCode, output } from '../terminal.ts'

export function startCommand(program: Command): void {
  program
    .command('start')
    .description('start the services, all in this process unless --only says otherwise')
    .option('--demo', 'load the sandbox if it is empty and run the integration example on the network')
    .option(
      '--once',
      'stop again when the doors are open (with --demo: when the example has run); exit 0 only if every step held',
    )
    .option('--only <services...>', 'open the doors of these services alone')
    .action(
      action(async (command, options: { demo?: boolean; once?: boolean; only?: string[] }) => {
        const { json } = globalOptions(command)
        const started = performance.now()
        const settings = settingsOf(command, options.demo || json ? { logLevel: 'warn' } : {})
        const spine = await startSpine({ settings, ...(options.only === undefined ? {} : { only: options.only }) })
        const readyMs = performance.now() - started
        const stopping = new AbortController()
        for (const signal of ['SIGINT', 'SIGTERM'] as const)
          process.on(signal, () => {
            if (stopping.signal.aborted) process.exit(130)
            stopping.abort()
          })
        try {
          const { environment, profile, dataDir } = settings.values['']
          if (json) output.json({ environment, profile, readyMs, processMs: performance.now(), urls: spine.urls })
          else {
            const where = spine.platform.store.kind === 'postgresql' ? 'PostgreSQL' : `embedded (${dataDir})`
            output.line(
              `${bold('OpenSpine 0.1')} · environment ${environment} · store ${where} · ready in ${duration(readyMs)}`,
            )
            if (profile === 'sandbox')
              output.line(
                dim(
                  'profile sandbox: PDS answers without a token, as a healthcare worker; `--set profile=strict` switches every convenience off',
                ),
              )
          }
          let held = true
          if (options.demo) held = await runDemo(spine, { json })
          else if (!json)
            for (const [name, url] of Object.entries(spine.urls)) output.line(`  ${name.padEnd(10)} ${url}`)
          if (options.once) return held ? exitCode.done : exitCode.failed
          if (!json) output.line(dim('Ctrl-C stops it.'))
          await new Promise<void>((resolve) =>
            stopping.signal.aborted ? resolve() : stopping.signal.addEventListener('abort', () => resolve()),
          )
          return exitCode.done
        } finally {
          await spine.stop()
        }
      }),
    )
}
