import { readFileSync } from 'node:fs'
import type {
  ApplicationChange,
  ApplicationRates,
  Gateway,
  Product,
  Quota,
  Subscription,
} from '@openspine/services/gateway/contract'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions } from '../context.ts'
import { output } from '../terminal.ts'
import { ownerCommands } from './application-owners.ts'
import { keyLines, named, notFound, showApplication, withUses, written } from './applications-shown.ts'
import { by, withGateway } from './gateway-beside.ts'

const once =
  'Keep both: they are not stored, and shown this once. The key is the client id, and goes in the header `apikey`.'

export function applicationCommands(program: Command): void {
  const app = program
    .command('app')
    .description('applications that may call the APIs: keys, secrets, public keys, products, tokens')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine app create "Ward App" --product personal-demographics-local
  $ openspine app set <application> --callback https://ward.example/callback --asid 200000100000
  $ openspine app keys <application> --file jwks.json      or --url https://ward.example/jwks
  $ openspine app approve <application> personal-demographics-local
  $ openspine app revoke-tokens <application>`,
    )
  keyCommands(app)
  factCommands(app)
  productCommands(app)
  ownerCommands(app)
}

function keyCommands(app: Command): void {
  app
    .command('create')
    .argument('<name>', 'for people; it stands in answers when a rate is exceeded')
    .option('--product <product>', 'subscribe it, approved; may be repeated', repeated)
    .description('register an application and print its first key and client secret')
    .action(
      action(async (command, name: string, options: { product?: readonly string[] }) => {
        const { application, key, subscriptions } = await withGateway(command, async (gateway) => {
          const products = options.product ?? []
          const known = new Set(gateway.products().map((product) => product.name))
          // Before anything is registered.
          const wrong = products.find((product) => !known.has(product))
          if (wrong !== undefined)
            throw new SpineError(
              'CLIENT_NOT_FOUND',
              { product: wrong },
              { explanation: `There is no product ${wrong}. There are: ${[...known].join(', ')}.` },
            )
          const made = await gateway.create(name, by)
          const subscriptions: Subscription[] = []
          for (const product of products)
            subscriptions.push(await gateway.decide(made.application.id, product, 'approved', by))
          return { ...made, subscriptions }
        })
        if (globalOptions(command).json)
          return void output.json({ application: application.id, name, key, subscriptions })
        output.line(`application  ${application.id}  ${application.name}`)
        showKey(key)
        for (const { product, status } of subscriptions) output.line(`product      ${product}  ${status}`)
      }),
    )

  app
    .command('list')
    .description('applications with their keys, public keys and subscriptions')
    .action(
      action(async (command) => {
        const applications = await withGateway(command, (gateway) =>
          Promise.all(gateway.applications().map((application) => withUses(gateway, application))),
        )
        if (globalOptions(command).json) return void output.json(applications.map(written))
        if (applications.length === 0) output.line('No application is registered.')
        for (const each of applications) showApplication(each)
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
        showKey(key)
      }),
    )

  app
    .command('new-secret')
    .argument('<key id>', 'as `app list` shows it')
    .description('make a new client secret for a key and print it; the one before is no longer valid')
    .action(
      action(async (command, key: string) => {
        const clientSecret = await withGateway(command, (gateway) => gateway.newSecret(key, by))
        if (globalOptions(command).json) return void output.json({ key, clientSecret })
        output.line(`secret  ${clientSecret}`)
        output.line('Keep it: it is not stored, and shown this once.')
      }),
    )

  app
    .command('revoke-key')
    .argument('<key id>', 'as `app list` shows it')
    .description('revoke a key; running servers refuse it, and tokens that it got, within a second')
    .action(
      action(async (command, key: string) => {
        const revoked = await withGateway(command, (gateway) => gateway.revokeKey(key, by))
        if (!revoked) throw notFound(`There is no valid key with the id ${key}. \`openspine app list\` shows them.`)
        if (globalOptions(command).json) return void output.json({ key, revoked })
        output.line(`key ${key} is revoked`)
      }),
    )
}

interface SetOptions {
  readonly displayName?: string
  readonly callback?: string
  readonly asid?: string
  readonly owner?: string
  readonly origin?: readonly string[]
  readonly settings?: string
  readonly quotaPerMinute?: string
  readonly quota?: string
  readonly spikeArrest?: string
  readonly spikePerSecond?: string
}

function factCommands(app: Command): void {
  app
    .command('set')
    .argument('<application>', 'id of the application')
    .option('--display-name <name>', 'what people are shown when they sign in')
    .option('--callback <url>', 'the one address to which sign-in returns, compared exactly')
    .option('--asid <asid>', 'accredited system that it acts as')
    .option('--origin <origin>', 'of its pages in browsers, such as https://ward.example; may be repeated', repeated)
    .option('--owner <name>', 'company or developer whose application it is (openspine app owner)')
    .option('--settings <json>', 'settings that APIs read (apim-app-flow-vars)')
    .option('--quota-per-minute <count>', 'own limit in place of gateway.quotaPerMinute; 0: none')
    .option('--quota <limit/interval/unit>', 'own quota by minute, hour, day, week or month: 5000/1/hour')
    .option('--spike-arrest <rate>', 'own spike arrest, such as 600pm or 10ps')
    .option('--spike-per-second <count>', 'own limit in place of gateway.spikePerSecond; 0: none')
    .description('change what is registered of an application; an empty value takes a fact away')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine app set <application> --callback https://ward.example/callback
  $ openspine app set <application> --settings '{"pds":{"app-restricted":{"update":true}}}'
  $ openspine app set <application> --asid ""`,
    )
    .action(
      action(async (command, id: string, options: SetOptions) => {
        const change = changeOf(options)
        if (Object.keys(change).length === 0)
          throw new SpineError('USAGE', {}, { explanation: 'Say what to change: openspine app set --help.' })
        const application = await withGateway(command, async (gateway) => {
          const before = gateway.applications().find((each) => each.id === id.toLowerCase())
          const rates = change.rates ? { rates: ratesAfter(before?.rates, change.rates) } : {}
          return withUses(gateway, await gateway.change(id, { ...change, ...rates }, by))
        })
        if (globalOptions(command).json) return void output.json(written(application))
        showApplication(application)
      }),
    )

  app
    .command('keys')
    .argument('<application>', 'id of the application')
    .option('--file <jwks>', 'a JSON Web Key Set to keep here')
    .option('--url <url>', 'where the application publishes its set')
    .option('--remove', 'forget the keys')
    .description('show or set the public keys with which an application proves itself: kid, size, algorithm, last use')
    .addHelpText(
      'after',
      `
Keys are RSA of 2048 bits or more (4096 recommended), each with a kid, for RS512.

Examples:
  $ openspine app keys <application> --file jwks.json
  $ openspine app keys <application> --url https://ward.example/.well-known/jwks.json
  $ openspine app keys <application>`,
    )
    .action(
      action(async (command, id: string, options: { file?: string; url?: string; remove?: boolean }) => {
        const { file, url, remove } = options
        if ([file, url, remove].filter((each) => each !== undefined).length > 1)
          throw new SpineError('USAGE', {}, { explanation: 'Give one of --file, --url and --remove.' })
        const change: ApplicationChange | undefined =
          remove === true
            ? { publicKeys: null }
            : file !== undefined
              ? { publicKeys: { keySet: textOf(file) } }
              : url !== undefined
                ? { publicKeys: { url } }
                : undefined
        const application = await withGateway(command, async (gateway) => {
          if (change !== undefined) return withUses(gateway, await gateway.change(id, change, by))
          return withUses(gateway, named(gateway, id))
        })
        if (globalOptions(command).json) return void output.json(written(application).publicKeys ?? null)
        for (const line of keyLines(application)) output.line(line)
      }),
    )

  app
    .command('revoke')
    .argument('<application>', 'id of the application')
    .description('revoke an application for good: its keys are refused and its tokens die')
    .action(
      action(async (command, application: string) => {
        const revoked = await withGateway(command, (gateway) => gateway.revokeApp(application, by))
        if (!revoked) throw notFound(`There is no application ${application} that is not revoked.`)
        if (globalOptions(command).json) return void output.json({ application, revoked })
        output.line(`application ${application} is revoked`)
      }),
    )

  app
    .command('revoke-tokens')
    .argument('<application>', 'id of the application')
    .description('revoke all access and refresh tokens of an application; its keys stay valid')
    .action(
      action(async (command, application: string) => {
        const families = await withGateway(command, async (gateway) => {
          if (!gateway.applications().some(({ id }) => id === application.toLowerCase()))
            throw notFound(`There is no application ${application}. \`openspine app list\` shows them.`)
          return gateway.revokeTokens(application.toLowerCase(), by)
        })
        if (globalOptions(command).json) return void output.json({ application, revoked: families })
        output.line(`${families} ${families === 1 ? 'sign-in is' : 'sign-ins are'} revoked, with every token of theirs`)
      }),
    )
}

function productCommands(app: Command): void {
  app
    .command('products')
    .description('what applications subscribe to: the APIs that each product opens, and its scopes')
    .action(
      action(async (command) => {
        const products = await withGateway(command, async (gateway) => gateway.products())
        if (globalOptions(command).json) return void output.json(products)
        for (const { name, approval, apis, scopes } of products) {
          output.line(
            `${name}  opens ${apis.join(', ')}  ${approval === 'auto' ? 'approved at once' : 'to be approved'}`,
          )
          for (const scope of scopes) output.line(`  ${scope}`)
        }
      }),
    )

  app
    .command('define-product')
    .argument('<name>', '{api}-{environment}, and perhaps a pattern')
    .requiredOption('--api <api>', 'an API that it opens; may be repeated', repeated)
    .option('--scope <scope>', 'a scope that its tokens have; may be repeated', repeated)
    .option('--manual', 'an operator approves each subscription')
    .description('add a product, or change it')
    .addHelpText(
      'after',
      `
Example:
  $ openspine app define-product personal-demographics-local-privileged --manual --api personal-demographics \\
      --scope urn:nhsd:apim:app:level3:privileged-personal-demographics-service`,
    )
    .action(
      action(
        async (
          command,
          name: string,
          options: { api: readonly string[]; scope?: readonly string[]; manual?: boolean },
        ) => {
          const approval = options.manual === true ? 'manual' : 'auto'
          const product: Product = { name, apis: options.api, scopes: options.scope ?? [], approval }
          await withGateway(command, (gateway) => gateway.defineProduct(product, by))
          if (globalOptions(command).json) return void output.json(product)
          output.line(`product ${name} is defined`)
        },
      ),
    )

  const decision = (
    name: string,
    description: string,
    work: (gateway: Gateway, application: string, product: string) => Promise<Subscription>,
  ) =>
    app
      .command(name)
      .argument('<application>', 'id of the application')
      .argument('<product>', 'as `app products` shows it')
      .description(description)
      .action(
        action(async (command, application: string, product: string) => {
          const subscription = await withGateway(command, (gateway) => work(gateway, application, product))
          if (globalOptions(command).json) return void output.json({ application, ...subscription })
          output.line(`${product}  ${subscription.status}`)
        }),
      )
  decision('subscribe', 'ask for a product: approved at once, or pending', (gateway, application, product) =>
    gateway.subscribe(application, product, by),
  )
  decision('approve', 'approve a subscription, asked for or not', (gateway, application, product) =>
    gateway.decide(application, product, 'approved', by),
  )
  decision(
    'unsubscribe',
    'revoke a subscription; running servers see it within a second',
    (gateway, application, product) => gateway.decide(application, product, 'revoked', by),
  )
}

const repeated = (given: string, before: readonly string[] = []) => [...before, given]

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SpineError('USAGE', { file }, { explanation: `The file ${file} cannot be read.`, cause })
  }
}

/** An empty value takes a fact away. */
function changeOf(options: SetOptions): ApplicationChange {
  const { displayName, callback, asid, owner, origin, settings } = options
  const text = (value: string | undefined) => (value === undefined ? undefined : value === '' ? null : value)
  const facts = {
    displayName: text(displayName),
    callbackUrl: text(callback),
    asid: text(asid),
    owner: text(owner),
    origins: origin === undefined ? undefined : origin.join('') === '' ? null : origin,
    settings: json(settings),
  }
  const rates = {
    quotaPerMinute: count(options.quotaPerMinute),
    spikePerSecond: count(options.spikePerSecond),
    quota: quota(options.quota),
    spikeArrest: options.spikeArrest,
  }
  const given = (members: object) =>
    Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
  const limits = given(rates)
  return { ...given(facts), ...(Object.keys(limits).length === 0 ? {} : { rates: limits }) }
}

/** A limit in one spelling takes the place of the same limit in the other. */
function ratesAfter({ ...rates }: ApplicationRates = {}, change: ApplicationRates): ApplicationRates {
  for (const pair of [
    ['quota', 'quotaPerMinute'],
    ['spikeArrest', 'spikePerSecond'],
  ] as const)
    if (pair.some((name) => change[name] !== undefined)) for (const name of pair) delete rates[name]
  return { ...rates, ...change }
}

function quota(text: string | undefined): Quota | undefined {
  if (text === undefined) return undefined
  const [limit, interval, timeunit] = text.split('/')
  // Whether it is one is judged with the other facts.
  return { limit: Number(limit), interval: Number(interval), timeunit: timeunit as Quota['timeunit'] }
}

const count = (value: string | undefined) => (value === undefined ? undefined : Number(value || Number.NaN))

function json(text: string | undefined): Record<string, unknown> | null | undefined {
  if (text === undefined) return undefined
  if (text === '') return null
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new SpineError('USAGE', {}, { explanation: '--settings is no JSON object.' })
}

function showKey(key: { readonly id: string; readonly secret: string; readonly clientSecret?: string }): void {
  output.line(`key id       ${key.id}`)
  output.line(`key          ${key.secret}`)
  if (key.clientSecret === undefined) {
    output.line('Keep the key: it is not stored, and shown this once.')
    return
  }
  output.line(`secret       ${key.clientSecret}`)
  output.line(once)
}
