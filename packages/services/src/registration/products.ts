import type { Platform } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { isOdsCode } from '@openspine/standards/nhs'
import type { Directory } from '../directory/contract.ts'
import { allocatePartyKey, productId } from './allocation.ts'
import { isName, type ProductCheck, productChecks, setChecks } from './checks/products.ts'
import type { InteractionSet, MessageContract, NewInteractionSet, Products } from './contract.ts'
import { contractOf, interactionId } from './interactions.ts'
import type { RegistrationStore, RegistrationWriter, SequenceName } from './store.ts'
import type { InTurn } from './together.ts'

const mostFound = 1000

function judge<Subject>(checks: readonly ProductCheck<Subject>[], subject: Subject): void {
  for (const check of checks) {
    const explanation = check.run(subject)
    if (explanation !== undefined) throw new SpineError(check.code, {}, { explanation })
  }
}

/** Who does something: a URP, or any name. Throws `REGISTRATION_ACTOR`. */
export function judgeActor(by: string): void {
  if (!isName(by)) {
    throw new SpineError(
      'REGISTRATION_ACTOR',
      {},
      { explanation: 'Say who does this: one line of text, at most 255 characters.' },
    )
  }
}

const unknownProduct = (id: string) =>
  new SpineError(
    'REGISTRATION_PRODUCT_UNKNOWN',
    { id },
    { explanation: `This environment has no product ${id.slice(0, 100)}.` },
  )

const unknownTeam = (id: string) =>
  new SpineError('REGISTRATION_TEAM_UNKNOWN', { id }, { explanation: `There is no product team ${id.slice(0, 100)}.` })

/** Teams, products and what they may be registered with. */
export function products(needs: {
  readonly platform: Platform
  readonly store: RegistrationStore
  readonly inTurn: InTurn
  readonly directory: Pick<Directory, 'snapshot'>
}): Products {
  const { store, inTurn, directory } = needs
  const { clock, random, audit } = needs.platform

  const record = (event: string, by: string, facts: Readonly<Record<string, unknown>>) =>
    audit.append({ event: `registration.${event}`, at: clock.now(), facts: { by, ...facts } })

  const activeProduct = async (writer: RegistrationWriter, id: string) => {
    const product = await writer.product(id)
    if (product === undefined || product.deletedAt !== undefined) throw unknownProduct(id)
    return product
  }

  return {
    async createTeam({ odsCode, name, keys = [] }, by) {
      judgeActor(by)
      if (!isOdsCode(odsCode)) {
        throw new SpineError('REGISTRATION_ODS_CODE', {}, { explanation: `${odsCode.slice(0, 100)} is no ODS code.` })
      }
      if (!isName(name) || keys.length > 100 || !keys.every(({ type, value }) => isName(type) && isName(value))) {
        const explanation = 'Name and keys of a team are one line of text each, of at most 255 characters.'
        throw new SpineError('REGISTRATION_NAME', {}, { explanation })
      }
      if (!directory.snapshot().acceptsOrganisation(odsCode)) {
        const explanation = `The directory holds no open organisation ${odsCode}.`
        throw new SpineError('REGISTRATION_ORGANISATION', {}, { explanation })
      }
      const team = { id: random.uuid(), odsCode, name, keys, createdAt: clock.now(), createdBy: by }
      await inTurn(async (writer) => {
        const values = keys.map(({ value }) => value)
        for (const [place, value] of values.entries()) {
          if (values.indexOf(value) === place && (await writer.team(value)) === undefined) continue
          throw new SpineError(
            'REGISTRATION_TEAM_KEY',
            { value },
            { explanation: `The key ${value} belongs to a team already.` },
          )
        }
        await writer.addTeam(team)
      })
      await record('team.created', by, { team: team.id, odsCode, name })
      return team
    },
    team: (idOrKey) => store.team(idOrKey),
    async deleteTeam(id, by) {
      judgeActor(by)
      const deletedAt = clock.now()
      const team = await inTurn(async (writer) => {
        const found = await writer.team(id)
        if (found === undefined || found.deletedAt !== undefined) throw unknownTeam(id)
        const owned = await writer.products({ teamId: found.id, limit: mostFound })
        if (owned.length > 0) {
          const productIds = owned.map((each) => each.id)
          const explanation = `The team has products: ${productIds.slice(0, 10).join(', ')}. Delete them first.`
          throw new SpineError('REGISTRATION_TEAM_HAS_PRODUCTS', { productIds }, { explanation })
        }
        await writer.deleteTeam(found.id, deletedAt, by)
        return { ...found, deletedAt }
      })
      await record('team.deleted', by, { team: team.id })
      return team
    },
    async create(given, by) {
      judgeActor(by)
      const product = await inTurn(async (writer) => {
        const team = given.teamId === undefined ? undefined : await writer.team(given.teamId)
        if (given.teamId !== undefined && (team === undefined || team.deletedAt !== undefined))
          throw unknownTeam(given.teamId)
        const { name, version, kinds } = given
        const manufacturer = given.manufacturer ?? team?.odsCode ?? ''
        judge(productChecks, { ...given, manufacturer })
        if (version !== undefined) {
          const [same] = await writer.products({ manufacturer, name, version, limit: 1 })
          if (same !== undefined) {
            const explanation = `${manufacturer} has the product ${name} ${version} already: ${same.id}.`
            throw new SpineError('REGISTRATION_PRODUCT_TWICE', { id: same.id }, { explanation })
          }
        }
        const numbers = await writer.sequences()
        const key = given.withPartyKey
          ? allocatePartyKey(numbers['party key'], team?.odsCode ?? manufacturer, directory.snapshot())
          : undefined
        let id = productId(random)
        while ((await writer.product(id)) !== undefined) id = productId(random)
        const added = {
          id,
          ...(team === undefined ? {} : { teamId: team.id }),
          manufacturer,
          name,
          ...(version === undefined ? {} : { version }),
          kinds: [...new Set(kinds)],
          productKey: String(numbers['product key']),
          ...(key === undefined ? {} : { partyKey: key.value }),
          createdAt: clock.now(),
          createdBy: by,
        }
        const next: Partial<Record<SequenceName, number>> = {
          'product key': numbers['product key'] + 1,
          ...(key === undefined ? {} : { 'party key': key.next }),
        }
        writer.putSequences(next)
        await writer.addProduct(added)
        return added
      })
      await record('product.created', by, {
        product: product.id,
        manufacturer: product.manufacturer,
        name: product.name,
        kinds: product.kinds,
      })
      return product
    },
    product: (id) => store.product(id),
    find: ({ limit = mostFound, ...query }) =>
      store.products({ ...query, limit: Math.min(Math.max(1, limit), mostFound) }),
    async delete(id, by) {
      judgeActor(by)
      const deletedAt = clock.now()
      const product = await inTurn(async (writer) => {
        const found = await activeProduct(writer, id)
        for (const state of ['approved', 'suspended', 'requested', 'dns-approved'] as const) {
          const [used] = await writer.endpoints({ productId: id, state, limit: 1 })
          if (used === undefined) continue
          const explanation = `An endpoint of the product is ${state}: ${used.id}. Withdraw it first.`
          throw new SpineError('REGISTRATION_PRODUCT_IN_USE', { endpointId: used.id }, { explanation })
        }
        await writer.deleteProduct(id, deletedAt, by)
        return { ...found, deletedAt }
      })
      await record('product.deleted', by, { product: id })
      return product
    },
    async addSet(productId, given, by) {
      judgeActor(by)
      const { messages, interactions } = contractsOf(given)
      const about = { id: random.uuid(), productId, name: given.name, createdAt: clock.now(), createdBy: by }
      const set: InteractionSet =
        given.use === 'messages'
          ? { ...about, use: 'messages', messages }
          : { ...about, use: 'additional', interactions }
      await inTurn(async (writer) => {
        await activeProduct(writer, productId)
        const present = await writer.sets(productId)
        judge(setChecks, {
          name: set.name,
          messages,
          additional: interactions,
          present: {
            names: present.map(({ name }) => name),
            messages: present.flatMap((each) => (each.use === 'messages' ? each.messages.map(interactionId) : [])),
            additional: present.flatMap((each) => (each.use === 'additional' ? each.interactions : [])),
          },
        })
        await writer.addSet(set)
      })
      const size = messages.length + interactions.length
      await record('set.added', by, { product: productId, set: set.name, use: set.use, interactions: size })
      return set
    },
    sets: (productId) => store.sets(productId),
  }
}

function contractsOf(given: NewInteractionSet): {
  readonly messages: readonly MessageContract[]
  readonly interactions: readonly string[]
} {
  if (given.use === 'additional') return { messages: [], interactions: given.interactions }
  const messages = given.messages.map((message) => {
    const contract = contractOf(message)
    if (contract !== undefined) return contract
    const explanation = `There is no contract template ${message.template?.slice(0, 100)}.`
    throw new SpineError('REGISTRATION_TEMPLATE_UNKNOWN', { template: message.template }, { explanation })
  })
  return { messages, interactions: [] }
}
