import type { Peer } from '@openspine/platform/doors'
import type { AccreditedSystem } from '../directory/contract.ts'

/** Whether the certificate of a connection names one of the FQDNs that are registered for a system. */
export function bears(peer: Peer, system: AccreditedSystem): boolean {
  return peer.state === 'valid' && peer.names.some((name) => system.fqdns.has(name))
}

/** In plain words, why a certificate does not do for a system; for whoever has to mend it, never for the wire. */
export function whyNot(peer: Peer, asid: string, system: AccreditedSystem | undefined): string {
  if (peer.state === 'none') return 'The connection has no client certificate.'
  if (peer.state === 'invalid') return `The client certificate is not valid: ${peer.reason}.`
  if (system === undefined) return `The directory has no accredited system ${asid}.`
  const registered = [...system.fqdns].join(', ') || 'no FQDN'
  return `The certificate names ${peer.names.join(', ')}, and ${registered} is registered for the accredited system ${asid}.`
}
