/** Whether somebody is charged for hospital care: `Y` chargeable, `N` not chargeable, `U` unknown (§25). */
export const basicStatuses = ['Y', 'N', 'U'] as const
export type BasicStatus = (typeof basicStatuses)[number]

/** Why: the category of §25, with the words of the national list. */
export const categories = {
  NONE: 'None',
  DECISION_PENDING: 'Decision pending',
  A: 'Standard NHS (ordinarily resident)',
  B: 'Surcharge payee or exempt with visa',
  C: 'EEA with EHIC, PRC or S2, or exempt',
  D: 'Chargeable EEA',
  E: 'Overseas, exempt by status or treatment',
  F: 'Chargeable non-EEA',
} as const
export type Category = keyof typeof categories

/** Who decides about a status. */
export const statusSources = ['home-office', 'overseas-visitor-manager'] as const
export type StatusSource = (typeof statusSources)[number]

/** One decision about a person. */
export interface StatusChange {
  readonly nhsNumber: string
  readonly basic: BasicStatus
  readonly category: Category
  readonly source: StatusSource
  /** When it took effect: milliseconds since the epoch, whole seconds. */
  readonly effectiveAt: number
}

/** A decision as it is kept: never changed, never deleted. */
export interface RecordedStatus extends StatusChange {
  /** Of all decisions about this person; the first is 1. */
  readonly version: number
  /** Of the Observation that shows it: the same for all decisions about this person. */
  readonly id: string
  readonly recordedAt: number
  readonly recordedBy: string
}

/** What other services may ask of visitors. Only people about whom somebody has decided have a status. */
export interface Visitors {
  /** The decision with the latest effect, under whichever of their numbers; of two of one moment, the one that was recorded last. */
  status(nhsNumber: string): Promise<RecordedStatus | undefined>
  /** Every decision about a person, number by number where they had several, the first one first. */
  history(nhsNumber: string): Promise<readonly RecordedStatus[]>
  /**
   * Keeps decisions; answers how many were new. One that is there already (same person, source, moment and values) is
   * passed over, so that an interrupted load is finished by running it again. SpineError `VISITORS_STATUS_INVALID`.
   */
  record(changes: Iterable<StatusChange> | AsyncIterable<StatusChange>, by: string): Promise<number>
  /** How many people have a status. */
  count(): Promise<number>
}
