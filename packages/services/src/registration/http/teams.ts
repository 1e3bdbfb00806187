import { isSpineError } from '@openspine/standards/error'
import type { Product, Products, ProductTeam, ProductTeamKey } from '../contract.ts'
import type { Field, Model } from './models.ts'
import { type Answer, type Asked, bodyOf, moment, type Operation, queryOf } from './operation.ts'
import { invalid, notFound, quoted, refuse } from './refusal.ts'

/** Where an ODS code is looked up, as the dialect tells it (directory specification §9, §11). */
const organisations = 'https://directory.spineservices.nhs.uk/ORD/2-0-0/organisations'

/** Runs what asks about an organisation, and says in the dialect's words when there is none with this code. */
export async function resolving<Result>(odsCode: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    if (!isSpineError(error) || !/^REGISTRATION_(ORGANISATION|ODS_CODE)$/.test(error.code)) throw error
    const message = `Invalid ODS Code: could not resolve '${organisations}/${odsCode.slice(0, 200)}'`
    throw refuse([{ code: 'UNPROCESSABLE_ENTITY', message }])
  }
}

const teamKeys = (types: readonly string[]): Field => ({
  name: 'keys',
  kind: {
    is: 'list',
    of: [
      { name: 'key_type', kind: { is: 'choice', of: types }, required: true },
      { name: 'key_value', kind: { is: 'text' }, required: true },
    ],
  },
})

const newTeam = (types: readonly string[]): Model => ({
  name: 'CreateProductTeamIncomingParams',
  fields: [
    { name: 'ods_code', kind: { is: 'text' }, required: true },
    { name: 'name', kind: { is: 'text', filled: true }, required: true },
    teamKeys(types),
  ],
})

const newProduct: Model = {
  name: 'CreateCpmProductIncomingParams',
  fields: [{ name: 'name', kind: { is: 'text', filled: true }, required: true }],
}

const productSearch: Model = {
  name: 'SearchProductQueryParams',
  fields: [
    { name: 'product_team_id', kind: { is: 'text' } },
    { name: 'organisation_code', kind: { is: 'text' } },
  ],
  whole: (values) =>
    Object.keys(values).length === 1
      ? undefined
      : "Please provide exactly one valid query parameter: ('product_team_id', 'organisation_code').",
}

const uuid = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
const uuidPattern = new RegExp(uuid)

/** What teams and products are read with, by every operation that stands below them. */
export interface Lookup {
  /** The active team of this id or key. Throws the refusal. */
  team(idOrKey: string): Promise<ProductTeam>
  /** The team's active product of this id or party key. Throws the refusal. */
  product(team: ProductTeam, idOrKey: string): Promise<Product>
  /** Every active product that fits. */
  every(query: { readonly teamId?: string; readonly organisation?: string }): Promise<readonly Product[]>
}

export function lookup(products: Products): Lookup {
  const every: Lookup['every'] = async (query) => {
    const found: Product[] = []
    for (;;) {
      const after = found.at(-1)?.id
      const page = await products.find({ ...query, ...(after === undefined ? {} : { after }) })
      if (page.length === 0) return found
      found.push(...page)
    }
  }
  return {
    every,
    async team(idOrKey) {
      const team = await products.team(idOrKey)
      if (team === undefined || team.deletedAt !== undefined) {
        throw notFound(`Could not find ProductTeam for key (${quoted(idOrKey)})`)
      }
      return team
    },
    async product(team, idOrKey) {
      const product =
        (await products.product(idOrKey)) ??
        (/-\d+$/.test(idOrKey)
          ? (await every({ teamId: team.id })).find(({ partyKey }) => partyKey === idOrKey)
          : undefined)
      if (product === undefined || product.teamId !== team.id || product.deletedAt !== undefined) {
        throw notFound(`Could not find CpmProduct for key (${quoted(team.id, idOrKey)})`)
      }
      return product
    },
  }
}

const status = (deletedAt: number | undefined) => ({ status: deletedAt === undefined ? 'active' : 'inactive' })

const dates = ({ createdAt, deletedAt }: { readonly createdAt: number; readonly deletedAt?: number }) => ({
  created_on: moment(createdAt),
  updated_on: deletedAt === undefined ? null : moment(deletedAt),
  deleted_on: deletedAt === undefined ? null : moment(deletedAt),
})

function shownTeam(team: ProductTeam) {
  return {
    id: team.id,
    name: team.name,
    ods_code: team.odsCode,
    ...status(team.deletedAt),
    ...dates(team),
    keys: team.keys.map(({ type, value }) => ({ key_type: type, key_value: value })),
  }
}

/** The name by which a team's products are told: the id that its owner gave it, where there is one. */
export const publicId = ({ id, keys }: ProductTeam): string =>
  keys.find(({ type }) => type === 'product_team_id')?.value ?? id

function shownProduct(team: ProductTeam, product: Product) {
  return {
    id: product.id,
    cpm_product_team_id: team.id,
    product_team_id: publicId(team),
    name: product.name,
    ods_code: team.odsCode,
    ...status(product.deletedAt),
    ...dates(product),
    keys: product.partyKey === undefined ? [] : [{ key_type: 'party_key', key_value: product.partyKey }],
  }
}

const deleted = (id: string): Answer => ({
  status: 200,
  body: { code: 'RESOURCE_DELETED', message: `${id} has been deleted.` },
})

/** Product teams and products: the current resources, and those of EPR, whose products have a party key. */
export function teamOperations(products: Products): readonly Operation[] {
  const find = lookup(products)

  const createTeam = async (asked: Asked, types: readonly string[], more: (odsCode: string) => ProductTeamKey[]) => {
    const body = bodyOf(asked, newTeam(types)) as {
      readonly ods_code: string
      readonly name: string
      readonly keys?: readonly { readonly key_type: string; readonly key_value: string }[] | null
    }
    const given = (body.keys ?? []).map(({ key_type, key_value }) => ({ type: key_type, value: key_value }))
    for (const [place, { type, value }] of given.entries()) {
      if (type !== 'product_team_id' || uuidPattern.test(value)) continue
      const says = `Key ${quoted(value)} does not match the expected pattern '${uuid}' associated with key type '${type}'`
      throw invalid(`CreateProductTeamIncomingParams.keys.${place}.key_value: ${says}`)
    }
    const once = given.filter(({ value }, place) => given.findIndex((each) => each.value === value) === place)
    const odsCode = body.ods_code
    const team = await resolving(odsCode, () =>
      products.createTeam({ odsCode, name: body.name, keys: [...once, ...more(odsCode)] }, asked.application),
    )
    return { status: 201, body: shownTeam(team) }
  }

  const createProduct = async (asked: Asked, about: { readonly epr: boolean }): Promise<Answer> => {
    const { name } = bodyOf(asked, newProduct) as { readonly name: string }
    const team = await find.team(asked.path['product_team_id'] ?? '')
    const product = await products.create(
      { teamId: team.id, name, kinds: about.epr ? ['MHS', 'AS'] : ['CMA', 'MHS', 'AS'], withPartyKey: about.epr },
      asked.application,
    )
    return { status: 201, body: shownProduct(team, product) }
  }

  const readTeam = async ({ path }: Asked): Promise<Answer> => ({
    status: 200,
    body: shownTeam(await find.team(path['product_team_id'] ?? '')),
  })
  const deleteTeam = async ({ path, application }: Asked): Promise<Answer> => {
    const team = await find.team(path['product_team_id'] ?? '')
    await products.deleteTeam(team.id, application)
    return deleted(team.id)
  }
  const readProduct = async ({ path }: Asked): Promise<Answer> => {
    const team = await find.team(path['product_team_id'] ?? '')
    return { status: 200, body: shownProduct(team, await find.product(team, path['product_id'] ?? '')) }
  }
  const deleteProduct = async ({ path, application }: Asked): Promise<Answer> => {
    const team = await find.team(path['product_team_id'] ?? '')
    const product = await find.product(team, path['product_id'] ?? '')
    await products.delete(product.id, application)
    return deleted(product.id)
  }

  const results = (teams: readonly { readonly team: ProductTeam; readonly products: readonly Product[] }[]) => {
    const codes = [...new Set(teams.map(({ team }) => team.odsCode))]
    return codes.map((code) => ({
      org_code: code,
      product_teams: teams
        .filter(({ team }) => team.odsCode === code)
        .map(({ team, products: owned }) => ({
          cpm_product_team_id: team.id,
          product_team_id: publicId(team),
          products: owned.map((product) => shownProduct(team, product)),
        })),
    }))
  }

  const search = async (asked: Asked): Promise<Answer> => {
    const query = queryOf(asked, productSearch) as { product_team_id?: string; organisation_code?: string }
    if (query.product_team_id !== undefined) {
      const team = await find.team(query.product_team_id)
      const owned = await find.every({ teamId: team.id })
      return { status: 200, body: { results: owned.length === 0 ? [] : results([{ team, products: owned }]) } }
    }
    const byTeam = new Map<string, Product[]>()
    for (const product of await find.every({ organisation: query.organisation_code ?? '' })) {
      const { teamId = '' } = product
      byTeam.set(teamId, [...(byTeam.get(teamId) ?? []), product])
    }
    const teams = []
    for (const [id, owned] of byTeam) {
      const team = await products.team(id)
      if (team !== undefined) teams.push({ team, products: owned })
    }
    return { status: 200, body: { results: results(teams) } }
  }

  const team = '/{product_team_id}'
  const product = '/{product_id}'
  return [
    {
      method: 'POST',
      path: '/ProductTeam',
      run: (asked) => createTeam(asked, ['product_team_id'], () => []),
    },
    { method: 'GET', path: `/ProductTeam${team}`, run: readTeam },
    { method: 'DELETE', path: `/ProductTeam${team}`, run: deleteTeam },
    { method: 'POST', path: `/ProductTeam${team}/Product`, run: (asked) => createProduct(asked, { epr: false }) },
    { method: 'GET', path: `/ProductTeam${team}/Product${product}`, run: readProduct },
    { method: 'DELETE', path: `/ProductTeam${team}/Product${product}`, run: deleteProduct },
    {
      method: 'GET',
      path: '/Product/{product_id}',
      async run({ path: { product_id: id = '' } }) {
        const found = await products.product(id)
        const owner = found?.teamId === undefined ? undefined : await products.team(found.teamId)
        if (found === undefined || found.deletedAt !== undefined || owner === undefined) {
          throw notFound(`Could not find CpmProduct for key (${quoted(id)})`)
        }
        return { status: 200, body: shownProduct(owner, found) }
      },
    },
    { method: 'GET', path: '/Product', run: search },
    {
      method: 'POST',
      path: '/ProductTeamEpr',
      run: (asked) =>
        createTeam(asked, ['product_team_id', 'product_team_id_alias'], (odsCode) => [
          { type: 'product_team_epr_id', value: `EPR-${odsCode}` },
        ]),
    },
    { method: 'GET', path: `/ProductTeamEpr${team}`, run: readTeam },
    { method: 'DELETE', path: `/ProductTeamEpr${team}`, run: deleteTeam },
    { method: 'POST', path: `/ProductTeamEpr${team}/ProductEpr`, run: (asked) => createProduct(asked, { epr: true }) },
    {
      method: 'GET',
      path: `/ProductTeamEpr${team}/ProductEpr`,
      async run({ path }) {
        const owner = await find.team(path['product_team_id'] ?? '')
        const owned = await find.every({ teamId: owner.id })
        return { status: 200, body: { results: owned.map((each) => shownProduct(owner, each)) } }
      },
    },
    { method: 'GET', path: `/ProductTeamEpr${team}/ProductEpr${product}`, run: readProduct },
    { method: 'DELETE', path: `/ProductTeamEpr${team}/ProductEpr${product}`, run: deleteProduct },
  ]
}
