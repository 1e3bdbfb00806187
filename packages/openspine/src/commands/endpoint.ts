import type {
  Endpoint,
  EndpointKind,
  EndpointState,
  Endpoints,
  NewEndpoint,
} from '@openspine/services/registration/contract'
import { SpineError } from '@openspine/standards/error'
import { type Command, Option } from 'commander'
import { action, globalOptions, withRegistration } from '../context.ts'
import { bold, dim, output, table } from '../terminal.ts'
import { actor, given, readText, urlNamed } from './registration.ts'

const lineOf = (endpoint: Endpoint): string[] => [
  endpoint.id,
  endpoint.state,
  endpoint.kind,
  endpoint.odsCode,
  endpoint.partyKey ?? '-',
  endpoint.asid ?? '-',
  endpoint.fqdn ?? '-',
]

export function showEndpoint(endpoint: Endpoint): void {
  const rows: [string, string | undefined][] = [
    ['endpoint', bold(endpoint.id)],
    ['state', endpoint.state],
    ['kind', endpoint.kind],
    ['organisation', endpoint.odsCode],
    ['product', `${endpoint.productId} of ${endpoint.manufacturer}`],
    ['asid', endpoint.asid],
    ['party key', endpoint.partyKey],
    ['fqdn', endpoint.fqdn],
    ['source', endpoint.sourceAddress],
    ...(endpoint.urls ?? []).map(({ set, url }): [string, string] => [
      'url',
      set === undefined ? url : `${set}: ${url}`,
    ]),
    ['certificate', endpoint.certificate && `serial ${endpoint.certificate.serial}`],
    ...endpoint.systemInteractions.map((id): [string, string] => ['interaction', id]),
  ]
  for (const line of table(rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))))
    output.line(line)
}

const steps = {
  'approve-dns': { take: 'approveDns', says: 'approve the host name (CMA and MHS); another person than who requested' },
  approve: { take: 'approve', says: 'allocate ids, issue the certificate, publish; another person than who requested' },
  suspend: { take: 'suspend', says: 'take its entries out of the directory for a time' },
  resume: { take: 'resume', says: 'put them back' },
  withdraw: { take: 'withdraw', says: 'end it for good; its ids are never given out again' },
} as const satisfies Record<string, { readonly take: keyof Endpoints; readonly says: string }>

/** Endpoints on their way: draft, requested, DNS approved, approved, suspended, withdrawn. */
export function endpointCommands(program: Command): void {
  const endpoint = program.command('endpoint').description('ask for endpoints, approve, suspend and withdraw them')

  endpoint
    .command('request')
    .addOption(new Option('--kind <kind>', 'CMA, MHS or AS').choices(['CMA', 'MHS', 'AS']).makeOptionMandatory())
    .requiredOption('--ods <ods code>', 'organisation at which it is deployed')
    .requiredOption('--product <product id>', 'for example P.ABC-DEF')
    .option('--fqdn <fqdn>', 'host of a CMA or MHS: name of its certificate')
    .option('--url <url...>', 'where it receives messages; <set>=<url> for one message set alone')
    .option('--source <ip>', 'address from which its requests come')
    .option('--csr <file>', 'PKCS#10 request, signed on approval')
    .option('--party-key <key>', 'of an AS: the message handling system that carries it')
    .option('--interactions <id...>', "out of the product's sets; without it, all")
    .option('--draft', 'keep it as a draft: nothing is judged or requested yet')
    .option('--why <text>', 'for the history')
    .addOption(actor())
    .description('ask for an endpoint; another person approves it')
    .action(
      action(
        async (
          command,
          options: {
            kind: EndpointKind
            ods: string
            product: string
            fqdn?: string
            url?: string[]
            source?: string
            csr?: string
            partyKey?: string
            interactions?: string[]
            draft?: boolean
            why?: string
            by: string
          },
        ) => {
          const { kind, by, fqdn, partyKey, interactions } = options
          const asked: NewEndpoint = {
            kind,
            odsCode: options.ods,
            productId: options.product,
            ...given({
              fqdn,
              partyKey,
              interactions,
              urls: options.url?.map(urlNamed),
              sourceAddress: options.source,
              signingRequest: options.csr === undefined ? undefined : readText(options.csr, 'signing request'),
            }),
          }
          const made = await withRegistration(command, ({ registration: { endpoints } }) =>
            options.draft ? endpoints.draft(asked, by) : endpoints.submit(asked, by, options.why),
          )
          if (globalOptions(command).json) return void output.json(made)
          showEndpoint(made)
          if (made.state === 'requested')
            output.line(
              dim(
                `next: openspine endpoint ${kind === 'AS' ? 'approve' : 'approve-dns'} ${made.id} --by <another person>`,
              ),
            )
        },
      ),
    )

  for (const [name, { take, says }] of Object.entries(steps)) {
    endpoint
      .command(name)
      .argument('<endpoint id>')
      .option('--why <text>', 'for the history')
      .addOption(actor())
      .description(says)
      .action(
        action(async (command, id: string, options: { why?: string; by: string }) => {
          const taken = await withRegistration(command, ({ registration: { endpoints } }) =>
            endpoints[take](id, options.by, options.why),
          )
          if (globalOptions(command).json) return void output.json(taken)
          showEndpoint(taken)
        }),
      )
  }

  endpoint
    .command('list')
    .addOption(
      new Option('--state <state>').choices([
        'draft',
        'requested',
        'dns-approved',
        'approved',
        'suspended',
        'withdrawn',
      ]),
    )
    .option('--ods <ods code>')
    .option('--product <product id>')
    .option('--party-key <key>')
    .option('--fqdn <fqdn>')
    .description('the endpoints that were ever asked for, oldest first')
    .action(
      action(
        async (
          command,
          options: { state?: EndpointState; ods?: string; product?: string; partyKey?: string; fqdn?: string },
        ) => {
          const { state, ods: odsCode, product: productId, partyKey, fqdn } = options
          const query = given({ state, odsCode, productId, partyKey, fqdn })
          const all = await withRegistration(command, ({ registration }) => registration.endpoints.find(query))
          if (globalOptions(command).json) return void output.json(all)
          for (const line of table(all.map(lineOf))) output.line(line)
        },
      ),
    )

  endpoint
    .command('show')
    .argument('<endpoint id>')
    .description('an endpoint with its history')
    .action(
      action(async (command, id: string) => {
        const found = await withRegistration(command, async ({ registration: { endpoints } }) => {
          const one = await endpoints.endpoint(id)
          return one === undefined ? undefined : { ...one, history: await endpoints.history(id) }
        })
        if (found === undefined)
          throw new SpineError('CLIENT_NOT_FOUND', { id }, { explanation: `There is no endpoint ${id}.` })
        if (globalOptions(command).json) return void output.json(found)
        showEndpoint(found)
        output.line()
        for (const line of table(
          found.history.map(({ at, step, state, by, why = '' }) => [new Date(at).toISOString(), step, state, by, why]),
        ))
          output.line(line)
      }),
    )
}
