/**
 * The smartcard side of a local system: tickets from the identity agent of this computer, and what the Spine Security
 * Broker says of them.
 *
 * @example
 * const agent = smartcardAgent('http://127.0.0.1:7780')
 * const assertion = await roleAssertion({ broker: 'https://ssb.example.test', ticket: await agent.getTicket(), ca })
 */
import { SpineError } from '@openspine/standards/error'
import { type RoleAssertion, readRoleAssertion, roleAssertionUrl } from '@openspine/standards/saml'
import { type HttpAnswer, httpClient } from './http.ts'

export type { AssertedRole, RoleAssertion } from '@openspine/standards/saml'

export interface SmartcardAgent {
  /** The ticket of the card that is in. SpineError `CLIENT_REFUSED`: no card, or no role was chosen. */
  getTicket(): Promise<string>
  /** The same, but never prompts: empty where there is none. */
  getTicketNoAuth(): Promise<string>
}

async function ask(url: URL, ca: string | undefined, timeoutMs: number): Promise<HttpAnswer> {
  const client = httpClient({
    tls: ca === undefined ? undefined : { ca },
    timeoutMs,
    retries: 0,
    sleep: async () => undefined,
  })
  try {
    const path = url.pathname + url.search
    return await client.send(() => ({ method: 'GET', origin: url.origin, path, headers: {} }))
  } finally {
    await client.close()
  }
}

function refused(status: number, explanation: string): SpineError {
  return new SpineError('CLIENT_REFUSED', { status }, { explanation })
}

/** The identity agent at this address; `desk` names the computer where the agent simulates several. */
export function smartcardAgent(
  address: string,
  { desk, timeoutMs = 10_000 }: { readonly desk?: string; readonly timeoutMs?: number } = {},
): SmartcardAgent {
  async function ticketAt(path: string): Promise<string> {
    const url = new URL(path, address)
    if (desk !== undefined) url.searchParams.set('desk', desk)
    const { status, body } = await ask(url, undefined, timeoutMs)
    let held: { readonly ticket?: unknown; readonly explanation?: unknown }
    try {
      held = JSON.parse(body.toString('utf8'))
    } catch {
      throw refused(status, `The identity agent answered with status ${status}, and not in JSON.`)
    }
    if (status === 200 && typeof held.ticket === 'string') return held.ticket
    throw refused(status, typeof held.explanation === 'string' ? held.explanation : `The agent said ${status}.`)
  }
  return { getTicket: () => ticketAt('/ticket'), getTicketNoAuth: () => ticketAt('/ticket-no-auth') }
}

/**
 * Asks the broker for the role assertion of a ticket, and reads it strictly.
 *
 * @throws SpineError `SAML_STATUS` for a ticket that is dead or unknown, `SAML_…` for what cannot be trusted
 */
export async function roleAssertion(question: {
  readonly broker: string
  readonly ticket: string
  /** Trusted issuers of the broker's certificate, PEM. */
  readonly ca?: string
  readonly timeoutMs?: number
  readonly now?: () => number
}): Promise<RoleAssertion> {
  const { broker, ticket, ca, timeoutMs = 10_000, now = Date.now } = question
  const { status, body } = await ask(new URL(roleAssertionUrl(broker, ticket)), ca, timeoutMs)
  if (status !== 200) throw refused(status, `The broker answered with status ${status}.`)
  return readRoleAssertion(body, { now: now() })
}
