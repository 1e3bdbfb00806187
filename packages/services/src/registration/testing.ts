import { makeMetrics } from '@openspine/platform/metrics'
import type { Platform, Service } from '@openspine/platform/service'
import { type TestPlatform, testPlatform } from '@openspine/platform/testing'
import type { Trust } from '@openspine/platform/trust'
import type { Directory, DirectoryChange } from '../directory/contract.ts'
import { directory, directoryConfig } from '../directory/service.ts'
import { gpPractice, put } from '../directory/testing.ts'
import type { Endpoint, NewEndpoint, Product, Registration } from './contract.ts'
import { messageOf } from './interactions.ts'
import { registration, registrationConfig } from './service.ts'
import { knownSets } from './templates.ts'

/** A registration with its directory, for tests. */
export interface TestRegistration {
  readonly platform: TestPlatform
  readonly directory: Directory
  readonly service: Service<Registration>
  readonly contract: Registration
  /** Another process on the same store: its own directory and registration. */
  another(directoryOf?: (directory: Directory) => Directory): Promise<{ directory: Directory; contract: Registration }>
  close(): Promise<void>
}

export const organisations: readonly DirectoryChange[] = [
  put(gpPractice('A99968', 'INVENTED SURGERY')),
  put(gpPractice('B00001', 'SECOND SURGERY')),
  put(gpPractice('B00002', 'THIRD SURGERY')),
  put(gpPractice('C00001', 'CLOSED SURGERY', { nhsOrgCloseDate: ['20200101'] })),
  put(gpPractice('X26', 'INVENTED TRUST')),
]

/** Requestor, and who approves. */
export const [ann, bob] = [
  'uniqueIdentifier=100000000001,uniqueIdentifier=100000000002,uid=100000000003,ou=People,o=nhs',
  'uniqueIdentifier=100000000004,uniqueIdentifier=100000000005,uid=100000000006,ou=People,o=nhs',
]

/** Making the keys of a PKI takes longer than most tests: those that need one say so. */
const noTrust = { revoked: () => false, close: async () => {} } as unknown as Trust

/** Starts both services; `directoryOf` may put something between them. */
export async function startRegistration(
  options: {
    readonly settings?: Readonly<Record<string, unknown>>
    readonly directorySettings?: Readonly<Record<string, unknown>>
    readonly platform?: Partial<Platform>
    readonly pki?: boolean
    readonly directoryOf?: (directory: Directory) => Directory
  } = {},
): Promise<TestRegistration> {
  const platform = await testPlatform({ ...(options.pki ? {} : { trust: noTrust }), ...options.platform })
  const undo: (() => Promise<void>)[] = []
  const start = async (directoryOf = (one: Directory) => one) => {
    const theDirectory = directory({
      platform: { ...platform, metrics: makeMetrics() },
      config: directoryConfig.parse({ port: 0, ...options.directorySettings }),
    })
    await platform.store.migrate('directory', theDirectory.migrations ?? {})
    await theDirectory.start?.()
    undo.push(async () => theDirectory.stop?.(500))
    const service = registration({
      platform,
      config: registrationConfig.parse(options.settings ?? {}),
      directory: directoryOf(theDirectory.contract),
    })
    await platform.store.migrate('registration', service.migrations ?? {})
    await service.start?.()
    undo.push(async () => service.stop?.(500))
    return { directory: theDirectory.contract, service, contract: service.contract }
  }
  const first = await start(options.directoryOf)
  await first.directory.apply(organisations, 'tester')
  return {
    platform,
    ...first,
    another: start,
    async close() {
      for (const step of undo.toReversed()) await step()
      await platform.close()
    },
  }
}

/** A product with message sets and, where they are named, additional interactions out of the known sets. */
export async function addProduct(
  { products }: Registration,
  about: {
    readonly kinds: Product['kinds']
    readonly manufacturer?: string
    readonly name?: string
    readonly messages?: readonly string[]
    readonly additional?: readonly string[]
  },
): Promise<Product> {
  const { kinds, manufacturer = 'YY001', name = `Invented ${kinds.join(' ')}`, messages = [], additional = [] } = about
  const product = await products.create({ manufacturer, name, version: '1.0', kinds }, ann)
  for (const set of messages) {
    const contracts = interactionsOf(set).flatMap((id) => messageOf(id) ?? [])
    await products.addSet(product.id, { use: 'messages', name: set, messages: contracts }, ann)
  }
  for (const set of additional) {
    await products.addSet(
      product.id,
      { use: 'additional', name: `${set} as consumer`, interactions: interactionsOf(set) },
      ann,
    )
  }
  return product
}

export const interactionsOf = (name: string): readonly string[] =>
  knownSets.find((set) => set.name === name)?.interactions ?? []

/** Request to approval, Ann asking and Bob approving. */
export async function register({ endpoints }: Pick<Registration, 'endpoints'>, asked: NewEndpoint): Promise<Endpoint> {
  const { id } = await endpoints.submit(asked, ann)
  if (asked.kind !== 'AS') await endpoints.approveDns(id, bob)
  return endpoints.approve(id, bob)
}
