import type { AccessDecision, Need } from '../access-control/contract.ts'
import type { DirectoryPerson, People } from '../directory/contract.ts'

/** A sign-on with a smartcard. Times are milliseconds since the epoch. */
export interface SmartcardSession {
  readonly id: string
  /** The computer at which the card is. */
  readonly desk: string
  readonly uid: string
  /** Absent while nothing was chosen of several roles. */
  readonly roleId?: string
  readonly mode: 'live' | 'training'
  /** Address of that computer. */
  readonly address?: string
  readonly signedOnAt: number
  readonly expiresAt: number
}

/** What the Spine Security Broker answers for a ticket. */
export interface BrokerAnswer {
  /** SAML 1.1, as text. */
  readonly xml: string
  /** The session that the ticket stands for; absent where the answer is a failure. */
  readonly session?: SmartcardSession
}

/** Cards, sign-ons and tickets of the smartcard service (§5). Everything is durable when a call resolves, and seen by every process at once. */
export interface Smartcards {
  /**
   * Puts a card in and signs on. A single role is chosen silently. SpineError `SMARTCARD_UNKNOWN` (404: nobody, or
   * nobody with a role), `SMARTCARD_PIN` (403), `SMARTCARD_INSERTED` (409: a card is in already), `SMARTCARD_ROLE` (409).
   */
  insert(card: {
    readonly desk: string
    readonly uid: string
    readonly pin: string
    readonly roleId?: string
    readonly training?: boolean
    readonly address?: string
  }): Promise<SmartcardSession>
  /** The sign-on at this desk; undefined where there is none that is alive. */
  at(desk: string): Promise<SmartcardSession | undefined>
  /** Chooses the role of the sign-on. SpineError `SMARTCARD_ABSENT`, `SMARTCARD_ROLE`. */
  chooseRole(desk: string, roleId: string): Promise<SmartcardSession>
  /** The ticket of the sign-on; undefined where there is none, or no role was chosen. */
  ticket(desk: string): Promise<string | undefined>
  /** Takes the card out: the session and all its tickets are dead. False where no card was in. */
  remove(desk: string): Promise<boolean>
  /** The live session of a ticket, and who it is: what a role assertion tells. */
  session(ticket: string): Promise<{ readonly session: SmartcardSession; readonly person: DirectoryPerson } | undefined>
  /**
   * Whether the role of this ticket's session may do something (§6.4), by the directory of now; a session in training
   * mode never reaches live data. Undefined where no live session has it. Each decision is in the audit.
   */
  permission(
    ticket: string,
    question: { readonly need: Need; readonly orgCode?: string },
  ): Promise<AccessDecision | undefined>
  /** What the broker says for this ticket: never rejects for a ticket that is dead, unknown or none. */
  roleAssertion(ticket: string | undefined, recipient: string): Promise<BrokerAnswer>
  /** Who can have a card: the directory's People branch. */
  readonly people: People
}
