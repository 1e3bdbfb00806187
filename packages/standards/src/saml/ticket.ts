/**
 * Tickets of the Spine Security Broker (§5): `AQIC5w…=@AAJTSQACMDE=#`. They hold characters that a URL gives another
 * meaning, so that they are always percent-encoded there.
 */

/** What every ticket begins with. */
const head = Buffer.from([0x01, 0x02, 0x02, 0xe7, 0x03])
/** Which server of the broker gave it out. */
const tail = '@AAJTSQACMDE=#'

/** Bytes of randomness in a ticket. */
export const ticketBytes = 30

/** The ticket made of these random bytes. */
export function ticketOf(random: Uint8Array): string {
  if (random.length !== ticketBytes) throw new Error(`a ticket is made of ${ticketBytes} random bytes`)
  return Buffer.concat([head, random]).toString('base64') + tail
}

/** Whether it looks like a ticket; of which broker, and whether it is alive, only the broker knows. */
export function isTicket(text: string): boolean {
  return text.length <= 512 && /^AQIC[A-Za-z0-9+/]+={0,2}@[A-Za-z0-9+/]+={0,2}#$/.test(text)
}

/**
 * URL of the role assertion of a ticket.
 *
 * @example
 * roleAssertionUrl('https://ssb.example.test', ticket) // …/saml/RoleAssertion?token=AQIC5w…%3D%40AAJTSQACMDE%3D%23
 */
export function roleAssertionUrl(broker: string, ticket: string): string {
  return `${broker.replace(/\/+$/, '')}/saml/RoleAssertion?token=${encodeURIComponent(ticket)}`
}

/**
 * The ticket in a query string; undefined where there is none, more than one, or one that is not encoded soundly. A
 * plus sign stands for itself, because no ticket holds a space.
 */
export function ticketIn(query: string): string | undefined {
  const found = query
    .split('&')
    .map((pair) => pair.split('='))
    .filter(([name]) => name === 'token')
  const [pair] = found
  if (found.length !== 1 || pair === undefined) return undefined
  try {
    return decodeURIComponent(pair.slice(1).join('='))
  } catch {
    return undefined
  }
}
