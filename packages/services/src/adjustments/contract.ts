/** Flags at the top of a patient's record that this service keeps for others, who alone decide about them (§24). */
export type KeptFlag = 'female-genital-mutilation-flag' | 'child-protection-information-system-flag'

export interface FlagSummary {
  /** Code of England-FlagCategoryPatient. */
  readonly code: string
  readonly nhsNumber: string
  readonly version: number
  readonly since: number
  readonly notes?: string
}

/** What other services may ask of adjustments. */
export interface Adjustments {
  /** The flags at the top of the record of a patient that are active, under whichever of their numbers they were raised. */
  flags(nhsNumber: string): Promise<readonly FlagSummary[]>
  /**
   * Raises a flag that no practitioner may: child protection is decided by a local authority, and read only on the
   * wire. `team` is who cares for the child. One that is active is left as it is: false.
   */
  raise(
    flag: { readonly nhsNumber: string; readonly code: KeptFlag; readonly notes?: string; readonly team?: string },
    by: { readonly odsCode: string; readonly name?: string },
  ): Promise<boolean>
  /** Takes it away again. False where there is none. */
  lower(
    flag: { readonly nhsNumber: string; readonly code: KeptFlag; readonly reason: string },
    by: { readonly odsCode: string; readonly name?: string },
  ): Promise<boolean>
}
