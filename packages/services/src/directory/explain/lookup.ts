import { SpineError } from '@openspine/standards/error'
import { escapeFilterValue } from '@openspine/standards/ldap'
import { type ExplainGround, explainSearch, type SearchExplanation } from './search.ts'

/** What a consumer looks for: the query of the FHIR face and of the look-ups of directory specification §5. */
export interface LookupQuestion {
  /** ODS code of the owner. */
  readonly organization?: string
  /** Whole interaction id. */
  readonly interaction?: string
  readonly partyKey?: string
  readonly manufacturer?: string
}

export interface LookupExplanation {
  readonly organization?: {
    readonly odsCode: string
    /** Name of its entry in ou=Organisations; absent when there is none. */
    readonly dn?: string
    readonly name?: string
    /** `YYYYMMDD`, where it has closed or is to close. */
    readonly closed?: string
  }
  /** The nhsMhs entry with the endpoint. */
  readonly endpoint: SearchExplanation
  /** The nhsAs entry with the ASID. */
  readonly system: SearchExplanation
  /** The likeliest causes of both searches, in plain words. */
  readonly causes: readonly string[]
}

const base = 'ou=Services,o=nhs'

/** Explains the two look-ups that lead to an endpoint and an ASID. Values are literal: nothing in them is a pattern. */
export async function explainLookup(question: LookupQuestion, ground: ExplainGround): Promise<LookupExplanation> {
  const { organization, interaction, partyKey, manufacturer } = question
  if (organization === undefined && interaction === undefined && partyKey === undefined && manufacturer === undefined) {
    throw new SpineError(
      'DIRECTORY_QUESTION',
      { status: 400 },
      { explanation: 'Give a filter, or one of organization, interaction, party-key and manufacturer.' },
    )
  }
  const filter = (objectClass: 'nhsMhs' | 'nhsAs') => {
    const wanted = {
      nhsIDCode: organization,
      nhsMHSPartyKey: partyKey,
      [objectClass === 'nhsAs' ? 'nhsAsSvcIA' : 'nhsMhsSvcIA']: interaction,
      nhsMhsManufacturerOrg: manufacturer,
    }
    const items = Object.entries(wanted).map(([name, value]) =>
      value === undefined ? '' : `(${name}=${escapeFilterValue(value)})`,
    )
    return `(&(objectClass=${objectClass})${items.join('')})`
  }
  const endpoint = await explainSearch({ base, filter: filter('nhsMhs') }, ground)
  const system = await explainSearch({ base, filter: filter('nhsAs') }, ground)
  const owner = organization === undefined ? undefined : organisationOf(organization, ground)
  const causes: string[] = []
  if (owner !== undefined && (endpoint.found === 0 || system.found === 0)) {
    const today = new Date(ground.now).toISOString().slice(0, 10).replaceAll('-', '')
    if (owner.dn === undefined) causes.push(`ou=Organisations,o=nhs holds no organisation ${owner.odsCode}.`)
    else if (owner.closed !== undefined && owner.closed <= today)
      causes.push(`${owner.name} (${owner.dn}) closed on ${owner.closed}: look for its successor.`)
  }
  if (endpoint.found === 0 && system.found > 0 && interaction !== undefined)
    causes.push(
      'There is a system that may use the interaction, but no endpoint serves it: it is a consumer of the interaction, not a provider.',
    )
  if (endpoint.found > 0 && system.found === 0)
    causes.push('There is an endpoint, but no accredited system with the interaction: the registration is incomplete.')
  return {
    ...(owner === undefined ? {} : { organization: owner }),
    endpoint,
    system,
    causes: [...new Set([...causes, ...endpoint.causes, ...system.causes])],
  }
}

function organisationOf(odsCode: string, { tree, schema }: ExplainGround): LookupExplanation['organization'] & object {
  const entry = tree.having('nhsIDCode', odsCode).find(({ key }) => key.endsWith(',ou=organisations,o=nhs'))
  const first = (attribute: string) => {
    const type = schema.attribute(attribute)
    return entry === undefined || type === undefined ? undefined : entry.values(type)[0]
  }
  const name = first('o') ?? first('ou')
  const closed = first('nhsOrgCloseDate')
  return {
    odsCode,
    ...(entry === undefined ? {} : { dn: entry.dn }),
    ...(name === undefined ? {} : { name }),
    ...(closed === undefined ? {} : { closed }),
  }
}
