import type { AccreditedSystem, DirectorySnapshot, MessageHandlingSystem } from '../../directory/contract.ts'
import type { Endpoint, Registration } from '../contract.ts'
import { answered, type DeviceKind, responses, shownDevice } from './devices.ts'
import { questionnaires } from './questionnaires.ts'

/** What the directory holds now, as devices. */
export interface Searches {
  systems(query: Parameters<DirectorySnapshot['accreditedSystems']>[0]): Promise<readonly unknown[]>
  /** One device a party key, however many interactions it serves. */
  handlers(query: Parameters<DirectorySnapshot['messageHandlingSystems']>[0]): Promise<readonly unknown[]>
}

/** Systems that were registered here are shown with all that registration knows, the others with what the directory does. */
export function searches(needs: {
  readonly registration: Pick<Registration, 'products' | 'endpoints'>
  readonly environment: string
  snapshot(): Pick<DirectorySnapshot, 'accreditedSystems' | 'messageHandlingSystems'>
}): Searches {
  const { environment } = needs
  const { products, endpoints } = needs.registration

  /** Undefined when its product belongs to no team: then there is no place where it could be read. */
  async function registered(kind: DeviceKind, endpoint: Endpoint | undefined) {
    if (endpoint?.state !== 'approved') return undefined
    const product = await products.product(endpoint.productId)
    const team = product?.teamId === undefined ? undefined : await products.team(product.teamId)
    if (product === undefined || team === undefined) return undefined
    const [history, sets] = await Promise.all([endpoints.history(endpoint.id), products.sets(product.id)])
    return shownDevice(kind, { team, product, environment }, { endpoint, history, sets }, { whole: true })
  }

  return {
    async systems(query) {
      const devices: unknown[] = []
      for (const system of needs.snapshot().accreditedSystems(query)) {
        devices.push(
          (await registered('AS', await endpoints.system(system.asid))) ?? { ...systemElsewhere(system), environment },
        )
      }
      return devices
    },
    async handlers(query) {
      const devices: unknown[] = []
      const byKey = Map.groupBy(needs.snapshot().messageHandlingSystems(query), ({ partyKey }) => partyKey)
      for (const [partyKey, [first, ...more]] of byKey) {
        if (first === undefined) continue
        const [own] = await endpoints.find({ partyKey, kind: 'MHS', state: 'approved', limit: 1 })
        devices.push((await registered('MHS', own)) ?? { ...handlerElsewhere(first, more), environment })
      }
      return devices
    },
  }
}

/** Of a system that nobody registered over this API there is no id, product, team or time to tell. */
const untold = {
  id: null,
  status: 'active',
  product_id: null,
  product_team_id: null,
  created_on: null,
  updated_on: null,
  deleted_on: null,
  device_reference_data: {},
}

function systemElsewhere({ asid, partyKey, odsCode, manufacturer, interactions }: AccreditedSystem) {
  const own = { id: asid, createdAt: undefined }
  const data = answered({
    'ODS Code': odsCode,
    'MHS Manufacturer Organisation': manufacturer,
    'MHS Party Key': partyKey,
    ASID: asid,
  })
  const used = [...interactions].map((id) => ({ 'Interaction ID': id }))
  return {
    ...untold,
    name: `${partyKey}/${asid} - Accredited System`,
    ods_code: odsCode,
    keys: [{ key_type: 'accredited_system_id', key_value: asid }],
    questionnaire_responses: {
      ...responses(questionnaires.accreditedSystem.name, own, [data]),
      ...responses(questionnaires.additionalInteractions.name, own, used),
    },
  }
}

function handlerElsewhere(first: MessageHandlingSystem, more: readonly MessageHandlingSystem[]) {
  const { partyKey, odsCode } = first
  const own = { id: partyKey, createdAt: undefined }
  const data = answered({
    'MHS FQDN': first.fqdn,
    'MHS Manufacturer Organisation': first.manufacturer,
    Address: first.endpoints[0],
    'MHS Party key': partyKey,
    'Managing Organization': odsCode,
  })
  const contracts = [first, ...more].map(({ interaction, cpaId }) => ({
    'Interaction ID': interaction,
    'MHS CPA ID': cpaId,
    'Unique Identifier': cpaId,
  }))
  return {
    ...untold,
    name: `${partyKey} - Message Handling System`,
    ods_code: odsCode,
    keys: contracts.map((each) => ({ key_type: 'cpa_id', key_value: each['MHS CPA ID'] })),
    questionnaire_responses: {
      ...responses(questionnaires.messageHandlingSystem.name, own, [data]),
      ...responses(questionnaires.messageSets.name, own, contracts),
    },
  }
}
