import { Command } from 'commander'
import { agreementCommands } from './commands/agreement.ts'
import { applicationCommands } from './commands/applications.ts'
import { auditCommands } from './commands/audit.ts'
import { certificateCommands } from './commands/certificates.ts'
import { configCommand } from './commands/config.ts'
import { consumerCommands } from './commands/consumer.ts'
import { endpointCommands } from './commands/endpoint.ts'
import { loadCommands } from './commands/load.ts'
import { productCommands } from './commands/product.ts'
import { proxyCommands } from './commands/proxy.ts'
import { registryCommands } from './commands/registry.ts'
import { startCommand } from './commands/start.ts'
import { systemCommands } from './commands/system.ts'
import { tokenCommands } from './commands/token.ts'
import { exitCode } from './terminal.ts'

const program = new Command('openspine')
  .description('A national health-messaging backbone that anyone can run.')
  .version('0.1.0')
  .option('--config <file>', 'configuration file (default: openspine.json where there is one)')
  .option(
    '--set <name=value>',
    'set one setting; may be repeated',
    (given: string, before: Record<string, string> = {}) => {
      const at = given.indexOf('=')
      return { ...before, [at < 0 ? given : given.slice(0, at)]: at < 0 ? 'true' : given.slice(at + 1) }
    },
  )
  .option('--json', 'print the result as JSON')
  .showHelpAfterError('(openspine --help lists the commands)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage))
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a service answered and the answer is no.

Examples:
  $ openspine start --demo                          everything on this machine, with the integration example
  $ openspine trace --family Testcase --birth-date 1980-02-29
  $ openspine lookup A20047 gpconnect:fhir:operation:gpc.getcarerecord
  $ openspine record 9990548609 --section ALL
  $ openspine explain <trace id>                    why was that refused?
  $ openspine proxy report --by provider,day        what went through the proxy, counted from the audit
  $ openspine cert issue gp.example                 a certificate for your own system
  $ openspine registry export registry/             the registry as files for version control
  $ openspine app create "Ward App"                  an API key for your own application
  $ openspine token lint "Bearer eyJhbG…"           what is wrong with this audit token?
  $ openspine system register --help                an ASID, a party key and a place in the directory for it
`,
  )

// Whoever reads only the first lines (`| head`) closes the pipe: no reason to fail, nor for a server to end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

startCommand(program)
consumerCommands(program)
auditCommands(program)
proxyCommands(program)
certificateCommands(program)
applicationCommands(program)
productCommands(program)
endpointCommands(program)
systemCommands(program)
tokenCommands(program)
agreementCommands(program)
loadCommands(program)
registryCommands(program)
configCommand(program)

await program.parseAsync()
