import type { DeletedOrganisation } from '../store.ts'
import type { OdsCodes } from './codes.ts'
import { structuralOf } from './organisation.ts'

/** An organisation that is no more. */
export interface Deletion {
  readonly odsCode: string
  readonly primaryRoleId: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What is told of organisations that were deleted and have not come back; of one that went twice, the last time. */
export function deletionsOf(
  rows: readonly DeletedOrganisation[],
  codes: OdsCodes,
  exists: (odsCode: string) => boolean,
): readonly Deletion[] {
  const found = new Map<string, Deletion>()
  for (const { attributes, at } of rows) {
    const first = (name: string) => attributes[name]?.[0] ?? ''
    const odsCode = first('nhsIDCode') || first('uniqueIdentifier')
    const structural = structuralOf(attributes['objectClass'] ?? [])
    if (structural === undefined || odsCode === '' || exists(odsCode)) continue
    const { roles } = codes.kindOf({
      structural,
      typeCode: first('nhsOrgTypeCode'),
      type: first('nhsOrgType'),
      subTypes: attributes['nhsOrgSubType'] ?? [],
    })
    found.delete(odsCode)
    found.set(odsCode, { odsCode, primaryRoleId: roles[0]?.id ?? '', at })
  }
  return [...found.values()]
}
