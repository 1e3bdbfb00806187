/** Permission to view (§26): No is an opt-out; Ask and the older Yes let the record be read, with the patient's leave. */
export const permissions = ['Yes', 'No', 'Ask'] as const
export type Permission = (typeof permissions)[number]

/** Who did something: what is known of them at the door. */
export interface Actor {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly user?: string
  /** Role profile id. */
  readonly role?: string
  readonly odsCode?: string
  readonly asid?: string
  readonly application?: string
}

/** One summary of a patient, without its content. Never changed, never deleted. */
export interface SummaryVersion {
  /** Number under which it was uploaded. */
  readonly nhsNumber: string
  /** Of all summaries under this number; the first is 1. */
  readonly version: number
  /** UUID of its Composition, upper case: the id by which it is asked for. */
  readonly id: string
  /** Id of the summary that the upload named as the one it replaces. */
  readonly replaces?: string
  readonly uploaded: Actor
}

/** What was decided about viewing, and by whom. */
export interface RecordedPermission {
  readonly nhsNumber: string
  readonly permission: Permission
  readonly set: Actor
}

/** Why somebody looked without the patient's leave: the codes of SCR-AlertReason, in words of our own where none came. */
export interface PrivacyAlert {
  readonly id: string
  readonly nhsNumber: string
  /** Code and display of the reason, and the message to be passed on. */
  readonly reason: { readonly code: string; readonly display: string }
  readonly message: string
  /** When it happened, as the alert says: an instant of FHIR. */
  readonly recorded: string
  /** Organisation and person whom the alert names. */
  readonly organisation: string
  readonly person: string
  /** The summary that was looked at. */
  readonly summary: string
  /** Who sent it. */
  readonly sent: Actor
}

/** What other services, and whoever runs the place, may ask of Summary Care Records. */
export interface SummaryCareRecord {
  /** Every summary of a patient under whichever of their numbers, the newest first. */
  history(nhsNumber: string): Promise<readonly SummaryVersion[]>
  /** One of them as it was uploaded; the latest where no id is given; undefined where there is none. */
  document(nhsNumber: string, id?: string): Promise<Readonly<Record<string, unknown>> | undefined>
  /** Every decision about viewing, the newest first; none where nobody has decided. */
  permissions(nhsNumber: string): Promise<readonly RecordedPermission[]>
  /** Privacy alerts, the newest first. */
  alerts(asked: {
    readonly nhsNumber?: string
    /** Organisation that the alert names. */
    readonly organisation?: string
    /** Sent at this time or later, milliseconds since the epoch. */
    readonly since?: number
    readonly limit: number
  }): Promise<readonly PrivacyAlert[]>
  /** Keeps a document as an upload does, by the same rules. SpineError `SCR_*`. Answers the id of the summary. */
  upload(document: Readonly<Record<string, unknown>>, by: Actor): Promise<string>
  /** How many patients have a summary. */
  count(): Promise<number>
}
