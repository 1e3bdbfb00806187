import type { Address, ContactPoint } from '@openspine/standards/fhir'
import type { OrganisationDetail } from './organisation.ts'

const systems = { tel: 'phone', fax: 'fax', mail: 'email', http: 'url' } as const

/** `telecom` and `address` of an Organization, in every version; absent where there is nothing to say. */
export function partsOf({ address, contacts }: OrganisationDetail): {
  readonly telecom?: readonly ContactPoint[]
  readonly address?: readonly Address[]
} {
  const { lines, town, county, postcode, country } = address
  const place: Address = {
    ...(lines.length === 0 ? {} : { line: lines }),
    ...(town === undefined ? {} : { city: town }),
    ...(county === undefined ? {} : { district: county }),
    ...(postcode === undefined ? {} : { postalCode: postcode }),
    ...(country === undefined ? {} : { country }),
  }
  return {
    ...(contacts.length === 0
      ? {}
      : { telecom: contacts.map(({ type, value }) => ({ system: systems[type], value })) }),
    ...(Object.keys(place).length === 0 ? {} : { address: [place] }),
  }
}
