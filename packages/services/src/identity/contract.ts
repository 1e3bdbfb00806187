import type { Grant } from '../gateway/contract.ts'

/** Why the authorisation server refused a request, as its audit tells it. */
export interface RefusalRecord {
  /** `message_id` of the answer. */
  readonly messageId: string
  readonly at: number
  /** `token`, `authorize`, `callback`, `userinfo`, `backchannel_logout`, `_status`. */
  readonly endpoint: string
  /** The check that failed, and its clause in the identity specification. */
  readonly check: string
  readonly clause: string
  readonly status: number
  readonly error: string
  readonly description: string
  /** What was wrong and what to mend, in plain words. */
  readonly cause: string
  /** Id of the application, its name, and the id of its key, as far as they were known. */
  readonly application?: string
  readonly name?: string
  readonly key?: string
}

/** A refusal in words for the people who run the application. */
export interface RefusalExplanation extends RefusalRecord {
  /** What is usually behind a refusal by this check, most frequent first. */
  readonly likely: readonly string[]
}

/** The platform's authorisation server. */
export interface Identity {
  /** What lies behind a `message_id`; undefined when no refusal has it. */
  refusal(messageId: string): Promise<RefusalExplanation | undefined>
  /** Claims of the identity provider's userinfo for the grant of a combined sign-in; undefined where they cannot be had. */
  userInfo(grant: Grant): Promise<Readonly<Record<string, unknown>> | undefined>
}
