import type { Access } from '../access.ts'
import type { StoredPerson, TraceSubject } from '../person.ts'

/** What was done to a record; the words stand in its history and in the audit. */
export type ChangeKind = 'create' | 'birth' | 'update' | 'coverage' | 'merge' | 'invalidate' | 'sensitivity'

/** Who changed a record, as its history keeps it. */
export interface Author {
  readonly mode: Access['mode'] | 'operator' | 'hl7v3'
  readonly user?: string
  readonly role?: string
  readonly patient?: string
  readonly app?: string
  readonly asid?: string
  readonly organisation?: string
}

/** The author of a change that came by FHIR. */
export function authorOf(access: Access, about: { readonly role?: string; readonly organisation?: string }): Author {
  const role = about.role ?? access.user?.selectedRole
  return {
    mode: access.mode,
    ...(access.user === undefined ? {} : { user: access.user.id }),
    ...(role === undefined ? {} : { role }),
    ...(access.patient === undefined ? {} : { patient: access.patient.nhsNumber }),
    ...(access.app === undefined ? {} : { app: access.app.id }),
    ...(access.app?.asid === undefined ? {} : { asid: access.app.asid }),
    ...(about.organisation === undefined ? {} : { organisation: about.organisation }),
  }
}

/** Events of §22, by their code. */
export type EventCode =
  | 'pds-birth-notification-1'
  | 'pds-change-of-address-1'
  | 'pds-change-of-gp-1'
  | 'pds-death-notification-1'
  | 'pds-record-change-1'

/** An event that leaves with the change that caused it. The message is made when it is read (`events/`). */
export interface RaisedEvent {
  readonly code: EventCode
  /** What the message needs beside the person as they are after the change. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** The answer to a write, kept so that a repeat of the request gets it again (§17). */
export interface KeptAnswer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** Number of the person that was written or found. */
  readonly shown?: string
}

/** What makes two writes the same one: who asks and their X-Request-ID (§17). */
export interface RequestKey {
  /** App and user, so that nobody is told the answer of somebody else. */
  readonly caller: string
  readonly id: string
}

/** One accepted write: state, history, events and answer, committed together or not at all. */
export interface Change {
  /** Absent for a new person. The write is stale when the stored version is no longer this one's. */
  readonly before?: StoredPerson
  readonly after: StoredPerson
  /** Both as a trace sees them, by who has read them already: then their text is not read again. */
  readonly subjects?: { before(): TraceSubject; after(): TraceSubject }
  /**
   * A new person was held against everybody who was born on `day`, as of this round (`round` of the store): when another one
   * was registered since, the write is stale.
   */
  readonly asOf?: { readonly day: number; readonly round: number }
  /** A new person was born to this mother: later notifications of the same birth find them (§13). */
  readonly birth?: BirthKey
  readonly kind: ChangeKind
  readonly at: number
  readonly author: Author
  /** Members of the record that differ, in their order. */
  readonly members: readonly string[]
  readonly events: readonly RaisedEvent[]
  readonly request?: RequestKey & { readonly answer: KeptAnswer }
}

/** Under which a birth is found again: the mother, the day, and the order among those born together. */
export interface BirthKey {
  readonly mother: string
  readonly day: number
  /** 1 to 7; 8 or 9 where the child was alone or it is not known. */
  readonly order: number
}

/** `stale`: somebody else was quicker. `repeated`: the same request was written already; its answer is kept. */
export type Written = 'written' | 'stale' | 'repeated'

/** One line of a record's history. */
export interface PastChange {
  readonly version: number
  readonly at: number
  readonly kind: ChangeKind
  readonly author: Author
  readonly members: readonly string[]
  readonly requestId?: string
}

/** An event that waits to be published, with its place in the order of its person. */
export interface WaitingEvent extends RaisedEvent {
  readonly nhsNumber: string
  /** Version of the person to which the change led. */
  readonly version: number
  readonly ordinal: number
  readonly at: number
}
