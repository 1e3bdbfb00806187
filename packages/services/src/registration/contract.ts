/** Leave for one organisation's system to read from another's: who signed for whom, and for which interactions. */
export interface SharingAgreement {
  readonly id: string
  /** ODS code or ASID of the consumer. */
  readonly from: string
  /** ODS code or ASID of the provider. */
  readonly to: string
  /** One interaction id, or a prefix that ends in `*`. */
  readonly interaction: string
}

/** Agreements to be made, and ids of those to be withdrawn. */
export interface AgreementChanges {
  readonly agree: readonly Omit<SharingAgreement, 'id'>[]
  readonly withdraw: readonly string[]
}

/** The agreements in force. Answers come from memory; a committed change is seen within a second in every process. */
export interface SharingAgreements {
  /** The agreement that permits this call, if any. Either side may be named by ASID or by ODS code. */
  permitting(call: {
    readonly fromAsid: string
    readonly fromOdsCode: string
    readonly toAsid: string
    readonly toOdsCode: string
    readonly interaction: string
  }): SharingAgreement | undefined
  list(): readonly SharingAgreement[]
  agree(agreement: Omit<SharingAgreement, 'id'>, by: string): Promise<SharingAgreement>
  withdraw(id: string, by: string): Promise<boolean>
  /** Grows with every committed change. */
  version(): number
  /**
   * Throws what `change` would throw now, `REGISTRATION_*`; writes nothing. The outcome's `change` is the place of the
   * agreement that breaks a rule, from 0.
   */
  check(changes: AgreementChanges): void
  /**
   * Makes and withdraws all of these or none. What is in force already, or no longer, is passed over, so that the same
   * changes may be asked for again. `ifVersion`: `REGISTRATION_VERSION` when that is no longer the newest.
   */
  change(
    changes: AgreementChanges,
    by: string,
    options?: { readonly ifVersion?: number },
  ): Promise<{ readonly version: number }>
}
