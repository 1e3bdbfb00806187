import { agreementCommands } from './commands/agreement.ts'
import { applicationCommands } from './commands/applications.ts'
import { auditCommands } from './commands/audit.ts'
import { certificateCommands } from './commands/certificates.ts'
import { configCommand } from './commands/config.ts'
import { consumerCommands } from './commands/consumer.ts'
import { demoCommands } from './commands/demo.ts'
import { endpointCommands } from './commands/endpoint.ts'
import { flagsCommands } from './commands/flags.ts'
import { loadCommands } from './commands/load.ts'
import { peopleCommands } from './commands/people.ts'
import { practiceCommands } from './commands/practice.ts'
import { productCommands } from './commands/product.ts'
import { proxyCommands } from './commands/proxy.ts'
import { rbacCommands } from './commands/rbac.ts'
import { registryCommands } from './commands/registry.ts'
import { scrCommands } from './commands/scr.ts'
import { signingKeyCommands } from './commands/signing-keys.ts'
import { startCommand } from './commands/start.ts'
import { systemCommands } from './commands/system.ts'
import { tokenCommands } from './commands/token.ts'
import { visitorsCommands } from './commands/visitors.ts'
import { openspineProgram } from './program.ts'
import { exitCode } from './terminal.ts'

const program = openspineProgram((error) => process.exit(error.exitCode === 0 ? exitCode.done : exitCode.usage))
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
peopleCommands(program)
practiceCommands(program)
registryCommands(program)
rbacCommands(program)
signingKeyCommands(program)
visitorsCommands(program)
scrCommands(program)
flagsCommands(program)
demoCommands(program)
configCommand(program)

await program.parseAsync()
