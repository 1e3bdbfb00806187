/**
 * Role assertions of the Spine Security Broker: SAML 1.1 (OASIS, September 2003) as the smartcard service uses it, and
 * the tickets for which they are given out. Identity specification §5.
 *
 * @example
 * import { readRoleAssertion, roleAssertionUrl } from '@openspine/standards/saml'
 */
export type { AssertedRole, Authentication, RoleAssertion } from './assertion.ts'
export { conditionsAfterMs, conditionsBeforeMs } from './names.ts'
export { type ReadOptions, readRoleAssertion, type SamlCode } from './read.ts'
export { isTicket, roleAssertionUrl, ticketBytes, ticketIn, ticketOf } from './ticket.ts'
export { writeRoleAssertion, writeRoleFailure } from './write.ts'
