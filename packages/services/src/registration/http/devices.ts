import { createHash } from 'node:crypto'
import type {
  ContractProperties,
  Endpoint,
  EndpointStep,
  InteractionSet,
  MessageContract,
  NewMessageContract,
  Product,
  ProductTeam,
} from '../contract.ts'
import { interactionId } from '../interactions.ts'
import { moment } from './operation.ts'
import { type Answers, questionnaires } from './questionnaires.ts'
import { publicId } from './teams.ts'

/** Questions about how messages travel, and the contract property that each sets. */
const propertyOf = {
  'Interaction Type': 'interactionType',
  'MHS Is Authenticated': 'authentication',
  'Contract Property Template Key': 'templateKey',
  'Product Key': 'productKey',
  'MHS IP Address': 'sourceAddress',
  'Reliability Configuration Reply Mode': 'syncReplyMode',
  'Reliability Configuration Ack Requested': 'ackRequested',
  'Reliability Configuration Duplication Elimination': 'duplicateElimination',
  'Reliability Configuration Actor': 'actor',
  'Reliability Configuration Persist Duration': 'persistDuration',
  'Reliability Configuration Retries': 'retries',
  'Reliability Configuration Retry Interval': 'retryInterval',
} as const satisfies Record<string, keyof ContractProperties>

/** The interaction that one response to `spine_mhs_message_sets` registers. */
export function contractFrom(answers: Answers): NewMessageContract {
  const properties = Object.fromEntries(
    Object.entries(propertyOf).flatMap(([question, property]): [string, string][] =>
      Object.hasOwn(answers, question) ? [[property, String(answers[question])]] : [],
    ),
  )
  return { service: String(answers['MHS SN']), interaction: String(answers['MHS IN']), properties }
}

/** A name-based UUID (version 5): what is not stored by itself keeps its id. */
function uuidOf(...parts: readonly (string | number)[]): string {
  const hash = createHash('sha1').update(parts.join(' ')).digest()
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Responses to one questionnaire, under its name and version. */
export function responses(
  name: string,
  about: { readonly id: string; readonly createdAt: number | undefined },
  data: readonly Answers[],
) {
  if (data.length === 0) return {}
  return {
    [`${name}/1`]: data.map((each, place) => ({
      id: uuidOf(about.id, name, place),
      questionnaire_name: name,
      questionnaire_version: '1',
      data: each,
      created_on: about.createdAt === undefined ? null : moment(about.createdAt),
    })),
  }
}

function messageAnswers({ partyKey }: Pick<Product, 'partyKey'>, message: MessageContract): Answers {
  const id = interactionId(message)
  const cpaId = `${partyKey}:${id}`
  const properties = Object.entries(propertyOf).flatMap(([question, property]): [string, string | number][] => {
    const value = message.properties[property]
    return value === undefined ? [] : [[question, property === 'retries' ? Number(value) : value]]
  })
  return {
    'MHS SN': message.service,
    'MHS IN': message.interaction,
    ...Object.fromEntries(properties),
    'Interaction ID': id,
    'MHS CPA ID': cpaId,
    'Unique Identifier': cpaId,
  }
}

/** A product of a team, in an environment as the path names it. */
export interface Place {
  readonly team: ProductTeam
  readonly product: Product
  readonly environment: string
}

const placed = ({ team, product, environment }: Place) => ({
  product_id: product.id,
  product_team_id: publicId(team),
  ods_code: team.odsCode,
  environment,
})

function setResponses({ product }: Place, set: InteractionSet) {
  return set.use === 'messages'
    ? responses(
        questionnaires.messageSets.name,
        set,
        set.messages.map((message) => messageAnswers(product, message)),
      )
    : responses(
        questionnaires.additionalInteractions.name,
        set,
        set.interactions.map((id) => ({ 'Interaction ID': id })),
      )
}

/** Device reference data: a set of interactions. */
export function shownSet(place: Place, set: InteractionSet) {
  return {
    id: set.id,
    name: set.name,
    status: 'active',
    ...placed(place),
    created_on: moment(set.createdAt),
    updated_on: null,
    deleted_on: null,
    questionnaire_responses: setResponses(place, set),
  }
}

/** A registered endpoint with all that a device shows of it. */
export interface Registered {
  readonly endpoint: Endpoint
  readonly history: readonly EndpointStep[]
  readonly sets: readonly InteractionSet[]
}

/** What a device is: a message handling system, or an accredited system. */
export type DeviceKind = 'MHS' | 'AS'

/** Those that there is an answer to. */
export const answered = (answers: Readonly<Record<string, unknown>>): Answers =>
  Object.fromEntries(Object.entries(answers).filter(([, value]) => value !== undefined))

function handlerAnswers({ product }: Place, { endpoint, history }: Registered): Answers {
  const taken = stepsOf(history)
  return answered({
    'MHS FQDN': endpoint.fqdn,
    'MHS Service Description': endpoint.description,
    'MHS Manufacturer Organisation': endpoint.manufacturer,
    'Product Name': endpoint.productName ?? product.name,
    'Product Version': endpoint.productVersion ?? product.version,
    'Approver URP': taken.approve?.by,
    'DNS Approver': taken['approve-dns']?.by,
    'Requestor URP': taken.request?.by,
    Address: endpoint.urls?.[0]?.url,
    'MHS Party key': endpoint.partyKey,
    'Date Approved': at(taken.approve),
    'Date DNS Approved': at(taken['approve-dns']),
    'Date Requested': at(taken.request),
    'Managing Organization': endpoint.odsCode,
  })
}

function systemAnswers({ product }: Place, { endpoint, history }: Registered): Answers {
  const taken = stepsOf(history)
  return {
    ...answered({
      'ODS Code': endpoint.odsCode,
      'Product Name': endpoint.productName ?? product.name,
      'Product Version': endpoint.productVersion ?? product.version,
      'Requestor URP': taken.request?.by,
      'Approver URP': taken.approve?.by,
      ACF: endpoint.accessControl,
      'Category Bag': endpoint.categoryBag,
      Description: endpoint.description,
      'MHS Manufacturer Organisation': endpoint.manufacturer,
      'MHS Party Key': endpoint.partyKey,
      'Product Key': product.productKey,
      ASID: endpoint.asid,
      'Date Approved': at(taken.approve),
      'Date Requested': at(taken.request),
      'Client ODS Codes': endpoint.clients ?? [endpoint.odsCode],
    }),
    'Temp UID': null,
  }
}

const stepsOf = (history: readonly EndpointStep[]): Partial<Record<EndpointStep['step'], EndpointStep>> =>
  Object.fromEntries(history.map((each) => [each.step, each]))

const at = (step: EndpointStep | undefined) => (step === undefined ? undefined : moment(step.at))

/** A device. `whole` adds the responses that it shares with its product's sets, as reading it alone does. */
export function shownDevice(
  kind: DeviceKind,
  place: Place,
  registered: Registered,
  about: { readonly whole: boolean },
) {
  const { endpoint, history, sets } = registered
  const approved = endpoint.state === 'approved'
  const changed = history.findLast(({ step }) => step !== 'take-back')
  const since = changed?.step === 'approve' ? null : (at(changed) ?? null)
  const of = (use: InteractionSet['use']) => sets.filter((set) => set.use === use)
  const [messages, additional] = [of('messages'), of('additional')]
  const own = { id: endpoint.id, createdAt: endpoint.createdAt }
  const shared = { status: approved ? 'active' : 'inactive', ...placed(place) }
  const times = { created_on: moment(endpoint.createdAt), updated_on: since, deleted_on: null }
  if (kind === 'MHS') {
    return {
      id: endpoint.id,
      name: `${endpoint.partyKey} - Message Handling System`,
      ...shared,
      ...times,
      keys: endpoint.cpaIds.map((id) => ({ key_type: 'cpa_id', key_value: id })),
      questionnaire_responses: {
        ...responses(questionnaires.messageHandlingSystem.name, own, [handlerAnswers(place, registered)]),
        ...(about.whole ? merged(messages.map((set) => setResponses(place, set))) : {}),
      },
      device_reference_data: Object.fromEntries(messages.map(({ id }) => [id, ['*']])),
    }
  }
  const served = messages.map((set) => {
    const ids = set.use === 'messages' ? set.messages.map((each) => ({ 'Interaction ID': interactionId(each) })) : []
    return responses(questionnaires.messageSets.name, set, ids)
  })
  return {
    id: endpoint.id,
    name: `${endpoint.partyKey}/${endpoint.asid} - Accredited System`,
    ...shared,
    ...times,
    keys: [{ key_type: 'accredited_system_id', key_value: endpoint.asid }],
    questionnaire_responses: {
      ...responses(questionnaires.accreditedSystem.name, own, [systemAnswers(place, registered)]),
      ...(about.whole ? merged([...served, ...additional.map((set) => setResponses(place, set))]) : {}),
    },
    device_reference_data: Object.fromEntries([
      ...messages.map(({ id }) => [id, ['*.Interaction ID']]),
      ...additional.map(({ id }) => [id, ['*']]),
    ]),
  }
}

/** Responses of several sets to one questionnaire stand together. */
function merged(parts: readonly Readonly<Record<string, readonly unknown[]>>[]): Record<string, readonly unknown[]> {
  const all: Record<string, readonly unknown[]> = {}
  for (const part of parts) for (const [name, list] of Object.entries(part)) all[name] = [...(all[name] ?? []), ...list]
  return all
}
