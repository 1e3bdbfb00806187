import type { Peer } from '@openspine/platform/doors'
import type { AccreditedSystem } from '../directory/contract.ts'

/** Whether the certificate of a connection names one of the FQDNs that are registered for a system. */
export function bears(peer: Peer, system: AccreditedSystem): boolean {
  return peer.state === 'valid' && peer.names.some((name) => system.fqdns.has(name))
}
