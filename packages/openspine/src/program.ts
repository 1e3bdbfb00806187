import { Command, type CommanderError } from 'commander'

/** The command with its global options and none of its commands. `exit` is called for help and for wrong usage. */
export function openspineProgram(exit: (error: CommanderError) => never): Command {
  return new Command('openspine')
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
    .exitOverride(exit)
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a service answered and the answer is no.

Examples:
  $ openspine start --demo                          everything on this machine, with the integration example
  $ openspine trace --family Testcase --birth-date 1980-02-29
  $ openspine lookup A20047 gpconnect:fhir:operation:gpc.getcarerecord
  $ openspine record 9990548609 --section ALL
  $ openspine record 9990548609 --structured        the same as data, area by area
  $ openspine appointments --help                   slots, bookings and changes at a practice
  $ openspine explain <trace id>                    why was that refused?
  $ openspine proxy report --by provider,day        what went through the proxy, counted from the audit
  $ openspine cert issue gp.example                 a certificate for your own system
  $ openspine registry export registry/             the registry as files for version control
  $ openspine demo visitors                         is this patient charged? asked on the network, step by step
  $ openspine app create "Ward App"                  an API key for your own application
  $ openspine scr alerts --since 2026-11-01          who looked at a summary without the patient's leave?
  $ openspine token lint "Bearer eyJhbG…"           what is wrong with this audit token?
  $ openspine rbac explain --role R8000 --activity B0820   may this role do that, and why?
  $ openspine practice load patients.csv --practice A20047
  $ openspine system register --help                an ASID, a party key and a place in the directory for it
`,
    )
}
