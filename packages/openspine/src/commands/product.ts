import { contractTemplates, knownSets } from '@openspine/services/registration'
import type { EndpointKind, InteractionSet, Product } from '@openspine/services/registration/contract'
import { SpineError } from '@openspine/standards/error'
import { type Command, Option } from 'commander'
import { action, globalOptions, withRegistration } from '../context.ts'
import { bold, dim, output, table } from '../terminal.ts'
import { actor, given, setsNamed } from './registration.ts'

const size = (set: InteractionSet) => (set.use === 'messages' ? set.messages.length : set.interactions.length)

function lineOf(product: Product): string[] {
  const { id, manufacturer, name, version = '', kinds, productKey } = product
  return [id, manufacturer, kinds.join(','), `${name} ${version}`.trim(), `key ${productKey}`]
}

/** Products, and what they may be registered with. */
export function productCommands(program: Command): void {
  const product = program
    .command('product')
    .description('products, and the interactions with which they may be registered')

  product
    .command('add')
    .requiredOption('--manufacturer <ods code>', 'organisation of the supplier')
    .requiredOption('--name <name>', 'name of the product')
    .option('--product-version <version>', 'its version', '1.0')
    .addOption(
      new Option(
        '--kind <kind...>',
        'what it may be registered as: CMA (provider), MHS (message handling system alone), AS (accredited system alone)',
      )
        .choices(['CMA', 'MHS', 'AS'])
        .makeOptionMandatory(),
    )
    .option('--serves <set...>', 'messages that it receives: names of known sets, interaction ids, or JSON files', [])
    .option('--uses <set...>', 'interactions that its systems use beside: the same', [])
    .addOption(actor())
    .description('register a product in one version (MPV), with its message sets and additional interactions')
    .action(
      action(
        async (
          command,
          options: {
            manufacturer: string
            name: string
            productVersion: string
            kind: EndpointKind[]
            serves: string[]
            uses: string[]
            by: string
          },
        ) => {
          const { manufacturer, name, productVersion: version, kind: kinds, by } = options
          const wanted = [...setsNamed(options.serves, 'messages'), ...setsNamed(options.uses, 'additional')]
          const added = await withRegistration(command, async ({ registration: { products } }) => {
            const made = await products.create({ manufacturer, name, version, kinds }, by)
            const sets: InteractionSet[] = []
            for (const set of wanted) sets.push(await products.addSet(made.id, set, by))
            return { ...made, sets }
          })
          if (globalOptions(command).json) return void output.json(added)
          const [id, ...rest] = lineOf(added)
          output.line(`${bold(id ?? '')}  ${rest.join('  ')}`)
          for (const set of added.sets)
            output.line(`  ${set.use === 'messages' ? 'serves' : 'uses  '}  ${set.name}  ${size(set)}`)
        },
      ),
    )

  product
    .command('list')
    .option('--manufacturer <ods code>', 'only of this one')
    .description('the products that are registered')
    .action(
      action(async (command, options: { manufacturer?: string }) => {
        const all = await withRegistration(command, ({ registration }) => registration.products.find(given(options)))
        if (globalOptions(command).json) return void output.json(all)
        for (const line of table(all.map(lineOf))) output.line(line)
      }),
    )

  product
    .command('show')
    .argument('<product id>', 'for example P.ABC-DEF')
    .description('a product with its sets')
    .action(
      action(async (command, id: string) => {
        const found = await withRegistration(command, async ({ registration: { products } }) => {
          const one = await products.product(id)
          return one === undefined ? undefined : { ...one, sets: await products.sets(id) }
        })
        if (found === undefined)
          throw new SpineError('CLIENT_NOT_FOUND', { id }, { explanation: `There is no product ${id}.` })
        if (globalOptions(command).json) return void output.json(found)
        output.line(lineOf(found).join('  '))
        if (found.deletedAt !== undefined) output.line(`deleted ${new Date(found.deletedAt).toISOString()}`)
        for (const set of found.sets) {
          output.line(`${set.use === 'messages' ? 'serves' : 'uses'}  ${bold(set.name)}`)
          if (set.use === 'additional') for (const interaction of set.interactions) output.line(`  ${interaction}`)
          else
            for (const { service, interaction, properties } of set.messages)
              output.line(
                `  ${service}:${interaction}  ${dim(`${properties.interactionType}, sync reply ${properties.syncReplyMode}, ack ${properties.ackRequested}, retries ${properties.retries}`)}`,
              )
        }
      }),
    )

  product
    .command('sets')
    .description('the sets and contract templates that are known by name')
    .action(
      action(async (command) => {
        if (globalOptions(command).json) return void output.json({ sets: knownSets, templates: contractTemplates })
        for (const line of table(
          knownSets.map(({ name, says, interactions }) => [name, says, `${interactions.length} interactions`]),
        ))
          output.line(line)
        output.line()
        for (const line of table(contractTemplates.map(({ name, says }) => [name, says]))) output.line(line)
      }),
    )
}
