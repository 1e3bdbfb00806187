import { keysAlone, ordinaryScopes } from './access.ts'
import type { Product, Subscription } from './clients.ts'
import type { Api } from './contract.ts'

/**
 * The product that each API has without anybody's doing: `{api}-{environment}`. It is approved at once in the sandbox,
 * and where a key alone opens the API; otherwise an operator approves each subscription (§10).
 */
export function defaultProducts(
  apis: Iterable<Api>,
  about: { readonly environment: string; readonly profile: 'sandbox' | 'strict' },
): readonly Product[] {
  return [...apis].map((api) => ({
    name: `${api.name}-${about.environment}`,
    apis: [api.name],
    scopes: ordinaryScopes(api),
    approval: about.profile === 'sandbox' || keysAlone(api) ? 'auto' : 'manual',
  }))
}

/** Defined products win over default ones of the same name. */
export function allProducts(defaults: readonly Product[], defined: readonly Product[]): ReadonlyMap<string, Product> {
  return new Map([...defaults, ...defined].map((product) => [product.name, product]))
}

/**
 * What an application is subscribed to: what it asked for, and every product of the environment's own that is approved
 * at once; for those nobody has to ask.
 */
export function subscriptionsOf(
  asked: readonly Subscription[],
  defaults: readonly Product[],
  products: ReadonlyMap<string, Product>,
): readonly Subscription[] {
  const named = new Set(asked.map(({ product }) => product))
  const free = defaults.filter(({ name }) => !named.has(name) && products.get(name)?.approval === 'auto')
  return [...asked, ...free.map(({ name }): Subscription => ({ product: name, status: 'approved' }))]
}
