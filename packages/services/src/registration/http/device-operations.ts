import type { Logger } from '@openspine/platform/log'
import { isSpineError } from '@openspine/standards/error'
import type { Endpoint, InteractionSet, NewEndpoint, NewInteractionSet, Registration } from '../contract.ts'
import { interactionId } from '../interactions.ts'
import { contractFrom, type DeviceKind, type Place, shownDevice, shownSet } from './devices.ts'
import type { Model } from './models.ts'
import { type Asked, bodyOf, type Operation, queryOf } from './operation.ts'
import { type Answers, judgeAnswers, judgeTwice, type Questionnaire, questionnaires } from './questionnaires.ts'
import { invalid, notFound, quoted } from './refusal.ts'
import type { Searches } from './searches.ts'
import { lookup, resolving } from './teams.ts'

/** Environments that a path can name. */
export const environmentNames = ['dev', 'qa', 'ref', 'int', 'prod'] as const

const answersModel = (name: string, to: Questionnaire, about: { required?: true; most?: number } = {}): Model => ({
  name,
  fields: [
    {
      name: 'questionnaire_responses',
      kind: { is: 'responses', to: to.name, ...(about.most === undefined ? {} : { most: about.most }) },
      ...(about.required ? { required: true } : {}),
    },
  ],
})

const models = {
  messageSets: answersModel('CreateDeviceReferenceMessageSetsDataParams', questionnaires.messageSets),
  additional: answersModel(
    'CreateDeviceReferenceAdditionalInteractionsDataParams',
    questionnaires.additionalInteractions,
  ),
  handler: answersModel('CreateMhsDeviceIncomingParams', questionnaires.messageHandlingSystem, { required: true }),
  system: answersModel('CreateAsDeviceIncomingParams', questionnaires.accreditedSystem, { required: true, most: 1 }),
  systemSearch: {
    name: 'SearchSDSDeviceQueryParams',
    fields: [
      { name: 'nhs_id_code', kind: { is: 'text' }, required: true },
      { name: 'nhs_as_svc_ia', kind: { is: 'text' }, required: true },
      { name: 'nhs_mhs_party_key', kind: { is: 'text' } },
      { name: 'nhs_mhs_manufacturer_org', kind: { is: 'text' } },
    ],
  },
  handlerSearch: {
    name: 'SearchSDSEndpointQueryParams',
    fields: [
      { name: 'nhs_id_code', kind: { is: 'text' } },
      { name: 'nhs_mhs_svc_ia', kind: { is: 'text' } },
      { name: 'nhs_mhs_party_key', kind: { is: 'text' } },
    ],
    whole: (values) =>
      Object.keys(values).length >= 2
        ? undefined
        : 'At least 2 query parameters should be provided of type, nhs_id_code, nhs_mhs_svc_ia and nhs_mhs_party_key',
  },
} satisfies Record<string, Model>

const words = {
  noPartyKey: (kind: string) => `Not an EPR Product: Cannot create ${kind} for product without exactly one Party Key`,
  secondMessageSet:
    "This product already has a 'Message Sets' DeviceReferenceData. Please update, or delete and recreate if you wish to make changes.",
  secondAdditional: 'Additional Interactions Device Reference Data already exists for this Product',
  noMessageSet: 'You must configure exactly one MessageSet Device Reference Data before creating an MHS Device.',
  noSets: 'You must configure the AS and MessageSet Device Reference Data before creating an AS Device',
  secondHandler: 'There is already an existing MHS Device for this Product',
  oneResponse: 'You must provide exactly one spine_mhs questionnaire response to create an MHS Device.',
} as const

const epr = '/ProductTeamEpr/{product_team_id}/ProductEpr/{product_id}/{environment}'

/** EPR: a product's sets, its message handling system and its accredited systems (directory specification §11). */
export function deviceOperations(needs: {
  readonly registration: Pick<Registration, 'products' | 'endpoints'>
  readonly searches: Searches
  /** Names under which this deployment's environment is addressed. */
  readonly environments: readonly string[]
  readonly environment: string
  readonly log: Logger
}): readonly Operation[] {
  const { products, endpoints } = needs.registration
  const find = lookup(products)

  async function placeOf({ path }: Asked): Promise<Place> {
    const { environment = '', product_team_id: teamId = '', product_id: productId = '' } = path
    if (!environmentNames.some((name) => name === environment)) {
      const says = `value is not a valid enumeration member; permitted: ${quoted(...environmentNames)}`
      throw invalid(`SubCpmProductPathParams.environment: ${says}`)
    }
    if (!needs.environments.includes(environment)) {
      const names = needs.environments.join(', ')
      throw invalid(
        `This is the environment ${needs.environment}, addressed as ${names}: nothing of ${environment} is registered here.`,
      )
    }
    const team = await find.team(teamId)
    return { team, product: await find.product(team, productId), environment }
  }

  const mustHavePartyKey = ({ product }: Place, kind: string): string => {
    if (product.partyKey === undefined) throw invalid(words.noPartyKey(kind))
    return product.partyKey
  }

  const responsesTo = (body: Readonly<Record<string, unknown>>, { name }: Questionnaire): readonly Answers[] =>
    (body['questionnaire_responses'] as Readonly<Record<string, readonly Answers[]>> | undefined | null)?.[name] ?? []

  const setsOf = async ({ product }: Place, use: InteractionSet['use']) =>
    (await products.sets(product.id)).filter((set) => set.use === use)

  /** One set of a use for each product: what comes second is told so, whichever way it is found out. */
  async function addSet(place: Place, set: NewInteractionSet, second: string, by: string) {
    if ((await setsOf(place, set.use)).length > 0) throw invalid(second)
    try {
      return { status: 201, body: shownSet(place, await products.addSet(place.product.id, set, by)) }
    } catch (error) {
      throw isSpineError(error) && error.code === 'REGISTRATION_SET_TWICE' ? invalid(second) : error
    }
  }

  /** Through the states to approval, each step by whom the responses name; what a rule refuses is withdrawn again. */
  async function register(
    asked: NewEndpoint,
    by: { readonly requestor: string; readonly dnsApprover?: string; readonly approver: string },
  ): Promise<Endpoint> {
    const { id } = await endpoints.draft(asked, by.requestor)
    try {
      await endpoints.request(id, by.requestor)
      if (by.dnsApprover !== undefined) await endpoints.approveDns(id, by.dnsApprover)
      return await endpoints.approve(id, by.approver)
    } catch (error) {
      const why = `Refused over the API${isSpineError(error) ? `: ${error.code}` : ''}.`
      await endpoints.withdraw(id, by.requestor, why).catch((failed: unknown) => {
        needs.log.error({ err: failed, endpoint: id }, 'an endpoint whose creation was refused could not be withdrawn')
      })
      throw error
    }
  }

  async function created(kind: DeviceKind, place: Place, endpoint: Endpoint) {
    const [history, sets] = await Promise.all([endpoints.history(endpoint.id), products.sets(place.product.id)])
    return { status: 201, body: shownDevice(kind, place, { endpoint, history, sets }, { whole: false }) }
  }

  const isDevice = ({ state, kind }: Endpoint) => kind !== 'CMA' && (state === 'approved' || state === 'suspended')

  const hasHandler = async ({ product }: Place): Promise<boolean> =>
    (await endpoints.find({ productId: product.id, kind: 'MHS' })).some(isDevice)

  async function devicesOf({ product }: Place): Promise<readonly Endpoint[]> {
    const found: Endpoint[] = []
    for (;;) {
      const after = found.at(-1)?.id
      const page = await endpoints.find({ productId: product.id, ...(after === undefined ? {} : { after }) })
      if (page.length === 0) return found.filter(isDevice)
      found.push(...page)
    }
  }

  return [
    {
      method: 'POST',
      path: `${epr}/DeviceReferenceData/MhsMessageSet`,
      async run(asked) {
        const body = bodyOf(asked, models.messageSets)
        const place = await placeOf(asked)
        const partyKey = mustHavePartyKey(place, 'MHS Device')
        const given = responsesTo(body, questionnaires.messageSets)
        for (const each of given) judgeAnswers(questionnaires.messageSets, each)
        const messages = given.map(contractFrom)
        judgeTwice(messages.map(interactionId))
        const set: NewInteractionSet = { use: 'messages', name: `${partyKey} - MHS Message Sets`, messages }
        return addSet(place, set, words.secondMessageSet, asked.application)
      },
    },
    {
      method: 'POST',
      path: `${epr}/DeviceReferenceData/AccreditedSystemsAdditionalInteractions`,
      async run(asked) {
        const body = bodyOf(asked, models.additional)
        const place = await placeOf(asked)
        const partyKey = mustHavePartyKey(place, 'AS Device')
        const given = responsesTo(body, questionnaires.additionalInteractions)
        for (const each of given) judgeAnswers(questionnaires.additionalInteractions, each)
        const interactions = given.map((each) => String(each['Interaction ID']))
        judgeTwice(interactions)
        const set: NewInteractionSet = {
          use: 'additional',
          name: `${partyKey} - AS Additional Interactions`,
          interactions,
        }
        return addSet(place, set, words.secondAdditional, asked.application)
      },
    },
    {
      method: 'GET',
      path: `${epr}/DeviceReferenceData`,
      async run(asked) {
        const place = await placeOf(asked)
        const sets = await products.sets(place.product.id)
        return { status: 200, body: { results: sets.map((set) => shownSet(place, set)) } }
      },
    },
    {
      method: 'GET',
      path: `${epr}/DeviceReferenceData/{device_reference_data_id}`,
      async run(asked) {
        const place = await placeOf(asked)
        const { device_reference_data_id: id = '' } = asked.path
        const set = (await products.sets(place.product.id)).find((each) => each.id === id)
        if (set !== undefined) return { status: 200, body: shownSet(place, set) }
        const key = quoted(place.team.id, place.product.id, place.environment, id)
        throw notFound(`Could not find DeviceReferenceData for key (${key})`)
      },
    },
    {
      method: 'POST',
      path: `${epr}/Device/MessageHandlingSystem`,
      async run(asked) {
        const body = bodyOf(asked, models.handler)
        const place = await placeOf(asked)
        mustHavePartyKey(place, 'MHS Device')
        if ((await setsOf(place, 'messages')).length !== 1) throw invalid(words.noMessageSet)
        if (await hasHandler(place)) throw invalid(words.secondHandler)
        const [answers, ...more] = responsesTo(body, questionnaires.messageHandlingSystem)
        if (answers === undefined || more.length > 0) throw invalid(words.oneResponse)
        judgeAnswers(questionnaires.messageHandlingSystem, answers)
        const given = answers as Readonly<Record<string, string>>
        const fqdn = given['MHS FQDN'] ?? ''
        try {
          const endpoint = await register(
            {
              kind: 'MHS',
              odsCode: place.team.odsCode,
              productId: place.product.id,
              manufacturer: given['MHS Manufacturer Organisation'] ?? '',
              fqdn,
              urls: [{ url: `https://${fqdn}` }],
              ...named(given, {
                description: 'MHS Service Description',
                productName: 'Product Name',
                productVersion: 'Product Version',
              }),
            },
            {
              requestor: given['Requestor URP'] ?? '',
              dnsApprover: given['DNS Approver'] ?? '',
              approver: given['Approver URP'] ?? '',
            },
          )
          return await created('MHS', place, endpoint)
        } catch (error) {
          throw isSpineError(error) && error.code === 'REGISTRATION_PARTY_KEY_TAKEN'
            ? invalid(words.secondHandler)
            : error
        }
      },
    },
    {
      method: 'POST',
      path: `${epr}/Device/AccreditedSystem`,
      async run(asked) {
        const body = bodyOf(asked, models.system)
        const place = await placeOf(asked)
        const partyKey = mustHavePartyKey(place, 'AS device')
        const uses = (await products.sets(place.product.id)).map(({ use }) => use)
        if (!uses.includes('messages') || !uses.includes('additional')) throw invalid(words.noSets)
        const [answers = {}] = responsesTo(body, questionnaires.accreditedSystem)
        judgeAnswers(questionnaires.accreditedSystem, answers)
        const given = answers as Readonly<Record<string, string>>
        const odsCode = given['ODS Code'] ?? ''
        const endpoint = await resolving(odsCode, () =>
          register(
            {
              kind: 'AS',
              odsCode,
              productId: place.product.id,
              partyKey,
              ...named(given, {
                productName: 'Product Name',
                productVersion: 'Product Version',
                description: 'Description',
              }),
              ...lists(answers, { accessControl: 'ACF', categoryBag: 'Category Bag' }),
            },
            { requestor: given['Requestor URP'] ?? '', approver: given['Approver URP'] ?? '' },
          ),
        )
        return created('AS', place, endpoint)
      },
    },
    {
      method: 'GET',
      path: `${epr}/Device`,
      async run(asked) {
        const place = await placeOf(asked)
        const sets = await products.sets(place.product.id)
        const results = []
        for (const endpoint of await devicesOf(place)) {
          const history = await endpoints.history(endpoint.id)
          const kind = endpoint.kind === 'MHS' ? 'MHS' : 'AS'
          results.push(shownDevice(kind, place, { endpoint, history, sets }, { whole: false }))
        }
        return { status: 200, body: { results } }
      },
    },
    {
      method: 'GET',
      path: `${epr}/Device/{device_id}`,
      async run(asked) {
        const place = await placeOf(asked)
        const { device_id: id = '' } = asked.path
        const endpoint = (await endpoints.endpoint(id)) ?? (await endpoints.system(id))
        if (endpoint === undefined || endpoint.productId !== place.product.id || !isDevice(endpoint)) {
          const key = quoted(place.team.id, place.product.id, place.environment, id)
          throw notFound(`Could not find Device for key (${key})`)
        }
        const [history, sets] = await Promise.all([endpoints.history(endpoint.id), products.sets(place.product.id)])
        const kind = endpoint.kind === 'MHS' ? 'MHS' : 'AS'
        return { status: 200, body: shownDevice(kind, place, { endpoint, history, sets }, { whole: true }) }
      },
    },
    {
      method: 'GET',
      path: '/searchSdsDevice',
      async run(asked) {
        const query = queryOf(asked, models.systemSearch) as Readonly<Record<string, string>>
        const found = await needs.searches.systems(
          named(query, {
            odsCode: 'nhs_id_code',
            interaction: 'nhs_as_svc_ia',
            partyKey: 'nhs_mhs_party_key',
            manufacturer: 'nhs_mhs_manufacturer_org',
          }),
        )
        return { status: 200, body: found }
      },
    },
    {
      method: 'GET',
      path: '/searchSdsEndpoint',
      async run(asked) {
        const query = queryOf(asked, models.handlerSearch) as Readonly<Record<string, string>>
        const found = await needs.searches.handlers(
          named(query, { odsCode: 'nhs_id_code', interaction: 'nhs_mhs_svc_ia', partyKey: 'nhs_mhs_party_key' }),
        )
        return { status: 200, body: found }
      },
    },
  ]
}

/** Those that were given, under the names that they have inside. */
function named<Name extends string>(
  given: Readonly<Record<string, string>>,
  names: Readonly<Record<Name, string>>,
): { readonly [Each in Name]?: string } {
  const entries = Object.entries<string>(names).flatMap(([name, asked]) =>
    given[asked] === undefined ? [] : [[name, given[asked]]],
  )
  return Object.fromEntries(entries) as { readonly [Each in Name]?: string }
}

function lists<Name extends string>(
  given: Answers,
  names: Readonly<Record<Name, string>>,
): { readonly [Each in Name]?: readonly string[] } {
  const entries = Object.entries<string>(names).flatMap(([name, asked]) => {
    const value = given[asked] as string | readonly string[] | undefined
    return value === undefined ? [] : [[name, typeof value === 'string' ? [value] : value]]
  })
  return Object.fromEntries(entries) as { readonly [Each in Name]?: readonly string[] }
}
