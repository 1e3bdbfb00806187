import { join } from 'node:path'
import type { Endpoint, EndpointKind, NewEndpoint, Product, Products } from '@openspine/services/registration/contract'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { type AtRegistration, action, globalOptions, withRegistration } from '../context.ts'
import { organisationEntry } from '../sandbox/entries.ts'
import { bold, dim, output, table } from '../terminal.ts'
import { given, readText, setsNamed, urlNamed, usage } from './registration.ts'

interface Wanted {
  readonly ods: string
  readonly organisation?: string
  readonly manufacturer: string
  readonly product: string
  readonly productVersion: string
  readonly fqdn: string
  readonly url?: readonly string[]
  readonly gpConnect?: string
  readonly interactions?: readonly string[]
  readonly consumer?: boolean
  readonly partyKey?: string
  readonly csr?: string
}

/** The two people of the sandbox: one asks, the other approves. */
const requestor = 'sandbox requestor'
const approver = 'sandbox approver'

/** Systems as the directory shows them, and the way for a newcomer to get one. */
export function systemCommands(program: Command): void {
  const system = program.command('system').description('accredited systems (ASIDs): register one, list and show them')

  system
    .command('register')
    .requiredOption('--ods <ods code>', 'organisation at which the system is deployed')
    .option(
      '--organisation <name>',
      'adds an invented organisation of this name, where the directory has none of that code',
    )
    .requiredOption('--manufacturer <ods code>', 'organisation of the supplier')
    .requiredOption('--product <name>', 'name of the product; registered where it is not yet')
    .option('--product-version <version>', 'its version', '1.0')
    .requiredOption('--fqdn <fqdn>', 'host name of the system: name of its certificate')
    .option('--url <url...>', 'where a provider is called; <set>=<url> for one set alone')
    .option(
      '--interactions <set...>',
      'what it serves (with --consumer: uses): names of known sets (openspine product sets), interaction ids, JSON files; absent: access-record-html, with --gp-connect everything of GP Connect',
    )
    .option(
      '--gp-connect <https://host>',
      'instead of --url: a GP Connect provider of both lines, each capability at its usual root below this host',
    )
    .option(
      '--consumer',
      'a consumer: message handling system and accredited system apart; without it a provider (CMA)',
    )
    .option('--party-key <key>', 'a consumer behind a message handling system that is there already')
    .option('--csr <file>', 'PKCS#10 request to sign; without it, key and certificate are made')
    .description('walk the whole way in the sandbox: product, request, both approvals, ids, certificate, directory')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine system register --ods C81001 --organisation "Another Surgery" --manufacturer YY002 --product "My GP system" \\
      --fqdn gp.supplier.example --url https://gp.supplier.example:9643/C81001/DSTU2/1
  $ openspine system register --ods C81001 --organisation "Another Surgery" --manufacturer YY002 --product "My GP system" \\
      --fqdn gp.supplier.example --gp-connect https://gp.supplier.example:9643
  $ openspine system register --consumer --ods X26 --manufacturer YY002 --product "My portal" --fqdn portal.supplier.example
`,
    )
    .action(
      action(async (command, options: Wanted) => {
        const done = await withRegistration(command, (at) => walk(at, options))
        if (globalOptions(command).json) return void output.json(done)
        const rows = [
          ['asid', bold(done.asid ?? '-')],
          ['party key', bold(done.partyKey ?? '-')],
          ['organisation', done.odsCode],
          ['product', `${done.product.name} ${done.product.version ?? ''} (${done.product.id})`],
          ['endpoint', done.endpointIds.join(', ')],
          ['fqdn', done.fqdn],
          ...done.interactions.map((id) => ['interaction', id]),
          ...Object.entries(done.files),
        ]
        for (const line of table(rows)) output.line(line)
        const agreement = options.consumer
          ? `openspine agreement add --from ${done.odsCode} --to <provider's ODS code>`
          : `openspine agreement add --from <consumer's ODS code> --to ${done.odsCode}`
        output.line(dim(`next: ${agreement}`))
      }),
    )

  system
    .command('list')
    .option('--ods <ods code>', 'only of this organisation')
    .option('--party-key <key>', 'only behind this party key')
    .description('the accredited systems that the directory shows')
    .action(
      action(async (command, options: { ods?: string; partyKey?: string }) => {
        const { ods: odsCode, partyKey } = options
        const all = await withRegistration(command, async ({ directory }) =>
          directory.snapshot().accreditedSystems(given({ odsCode, partyKey })),
        )
        if (globalOptions(command).json)
          return void output.json(
            all.map((each) => ({ ...each, interactions: [...each.interactions], fqdns: [...each.fqdns] })),
          )
        for (const line of table(
          all.map(({ asid, odsCode: ods, partyKey: key, interactions, fqdns }) => [
            asid,
            ods,
            key,
            `${interactions.size} interactions`,
            [...fqdns].join(', '),
          ]),
        ))
          output.line(line)
      }),
    )

  system
    .command('show')
    .argument('<asid>')
    .description('an accredited system: interactions, party key, endpoints, certificate')
    .action(
      action(async (command, asid: string) => {
        const found = await withRegistration(command, (at) => look(at, asid))
        if (globalOptions(command).json) return void output.json(found)
        const rows = [
          ['asid', bold(found.asid)],
          ['organisation', found.odsCode],
          ['party key', found.partyKey],
          ['manufacturer', found.manufacturer ?? '-'],
          ['registered', found.endpoint === undefined ? 'not here' : `${found.endpoint.state} (${found.endpoint.id})`],
          ...found.fqdns.map((each) => ['fqdn', each]),
          ...found.certificates.map(({ serial, fqdn, state }) => ['certificate', `${fqdn} serial ${serial}, ${state}`]),
          ...found.interactions.map((each) => ['interaction', each]),
          ...found.endpoints.map(({ interaction, urls }) => ['serves', `${interaction} at ${urls.join(', ')}`]),
        ]
        for (const line of table(rows)) output.line(line)
      }),
    )
}

async function look({ directory, registration, platform }: AtRegistration, asid: string) {
  const snapshot = directory.snapshot()
  const shown = snapshot.accreditedSystem(asid)
  const endpoint = await registration.endpoints.system(asid)
  if (shown === undefined && endpoint === undefined)
    throw new SpineError('CLIENT_NOT_FOUND', { asid }, { explanation: `This environment has no system ${asid}.` })
  const partyKey = shown?.partyKey ?? endpoint?.partyKey ?? ''
  const fqdns = shown === undefined ? [endpoint?.fqdn ?? []].flat() : [...shown.fqdns]
  const now = platform.clock.now()
  return {
    asid,
    odsCode: shown?.odsCode ?? endpoint?.odsCode ?? '',
    partyKey,
    manufacturer: shown?.manufacturer ?? endpoint?.manufacturer,
    inDirectory: shown !== undefined,
    interactions: shown === undefined ? (endpoint?.systemInteractions ?? []) : [...shown.interactions],
    fqdns,
    endpoints: snapshot
      .messageHandlingSystems({ partyKey })
      .map(({ interaction, endpoints, cpaId }) => ({ interaction, cpaId, urls: endpoints })),
    certificates: platform.trust
      .list()
      .filter(({ fqdn }) => fqdns.includes(fqdn))
      .map(({ serial, fqdn, notAfter, revokedAt }) => ({
        serial,
        fqdn,
        state: revokedAt !== undefined ? 'revoked' : notAfter < now ? 'expired' : 'in force',
      })),
    ...(endpoint === undefined ? {} : { endpoint: { id: endpoint.id, state: endpoint.state } }),
  }
}

/** The flow of §10.3 in one go, by two people. */
async function walk(at: AtRegistration, wanted: Wanted) {
  const { platform, registration } = at
  const options = { ...wanted, ...gpConnectOf(wanted) }
  if (platform.profile !== 'sandbox')
    throw usage(
      'system register plays both requestor and approver, so it works in the profile sandbox alone: use endpoint request, approve-dns and approve.',
    )
  const { consumer = false, fqdn, csr, partyKey } = options
  if (!consumer && options.url === undefined)
    throw usage('A provider needs --url or --gp-connect: where it is called. (Or is it a --consumer?)')
  if (!consumer && partyKey !== undefined) throw usage('--party-key goes with --consumer.')
  const signingRequest = csr === undefined ? undefined : readText(csr, 'signing request')
  await addOrganisation(at, options)
  const product = await productFor(registration.products, options, consumer ? ['MHS', 'AS'] : ['CMA'])
  const shared = { odsCode: options.ods, productId: product.id }
  const host = { fqdn, ...given({ signingRequest }) }
  const made: Endpoint[] = []
  if (!consumer)
    made.push(await registered(at, { kind: 'CMA', ...shared, ...host, urls: (options.url ?? []).map(urlNamed) }))
  else {
    const handler = partyKey === undefined ? await registered(at, { kind: 'MHS', ...shared, ...host }) : undefined
    if (handler !== undefined) made.push(handler)
    made.push(await registered(at, { kind: 'AS', ...shared, partyKey: partyKey ?? handler?.partyKey ?? '' }))
  }
  const system = made.at(-1) as Endpoint
  return {
    asid: system.asid,
    partyKey: system.partyKey,
    odsCode: system.odsCode,
    fqdn: system.fqdn ?? fqdn,
    product,
    endpointIds: made.map(({ id }) => id),
    interactions: system.systemInteractions,
    files: await certificateFiles(at, system.fqdn ?? fqdn, signingRequest !== undefined),
  }
}

/** Where each capability of GP Connect is called, below the ODS code (§10.2 of the directory specification). */
const gpConnectRoots: Readonly<Record<string, string>> = {
  'access-record-html': 'DSTU2/1',
  foundations: 'STU3/1/gpconnect',
  appointments: 'STU3/1/gpconnect',
  'structured-record': 'STU3/1/gpconnect/structured',
  documents: 'STU3/1/gpconnect/documents',
}

/** What is registered where, as `--interactions` and `--url` would say it. */
function gpConnectOf({ ods, gpConnect, url, interactions, consumer }: Wanted) {
  if (gpConnect === undefined) return { interactions: interactions ?? ['access-record-html'] }
  if (url !== undefined || consumer) throw usage('--gp-connect goes neither with --url nor with --consumer.')
  if (!/^https:\/\/[^/]+$/.test(gpConnect))
    throw usage('--gp-connect wants https:// and a host, without a path: the roots follow from the ODS code.')
  const names = interactions ?? Object.keys(gpConnectRoots)
  const other = names.find((name) => !Object.hasOwn(gpConnectRoots, name))
  if (other !== undefined)
    throw usage(`--gp-connect knows no root for ${other}: one of ${Object.keys(gpConnectRoots).join(', ')}.`)
  return { interactions: names, url: names.map((name) => `${name}=${gpConnect}/${ods}/${gpConnectRoots[name]}`) }
}

async function registered({ registration: { endpoints } }: AtRegistration, asked: NewEndpoint): Promise<Endpoint> {
  const { id } = await endpoints.submit(asked, requestor)
  if (asked.kind !== 'AS') await endpoints.approveDns(id, approver)
  return endpoints.approve(id, approver)
}

async function addOrganisation({ directory }: AtRegistration, { ods, organisation, consumer }: Wanted): Promise<void> {
  if (organisation === undefined || directory.snapshot().acceptsOrganisation(ods)) return
  const about = {
    odsCode: ods,
    name: organisation,
    lines: ['1 Invented Lane', '', ''],
    town: 'TESTHAM',
    postcode: 'ZZ99 4AA',
  }
  const entry = organisationEntry(consumer ? 'nhsOrg' : 'nhsGPPractice', about)
  await directory.apply([{ kind: 'create', entry }], requestor)
}

/** The product of that name, with the sets that are asked for: what is missing of it is added. */
async function productFor(
  products: Products,
  options: Wanted & { readonly interactions: readonly string[] },
  kinds: readonly EndpointKind[],
): Promise<Product> {
  const { manufacturer, product: name, productVersion: version } = options
  const [found] = await products.find({ manufacturer, name, version, limit: 1 })
  const product = found ?? (await products.create({ manufacturer, name, version, kinds }, requestor))
  const present = new Set((await products.sets(product.id)).map((set) => set.name))
  for (const set of setsNamed(options.interactions, options.consumer ? 'additional' : 'messages')) {
    if (!present.has(set.name)) await products.addSet(product.id, set, requestor)
  }
  return product
}

/** Where the certificate is: signed on approval, issued before for the same host, or made now. */
async function certificateFiles(
  { platform: { trust, clock, dataDir } }: AtRegistration,
  fqdn: string,
  signed: boolean,
): Promise<Readonly<Record<string, string>>> {
  const issuers = { issuers: trust.files.bundle }
  const inForce = trust
    .list()
    .some((each) => each.fqdn === fqdn && each.revokedAt === undefined && each.notAfter > clock.now())
  if (signed || inForce) return { certificate: join(dataDir, 'trust', 'issued', fqdn, 'full-chain.pem'), ...issuers }
  const { files } = await trust.issue({ fqdn })
  return { certificate: files.fullChain, ...(files.key === undefined ? {} : { key: files.key }), ...issuers }
}
