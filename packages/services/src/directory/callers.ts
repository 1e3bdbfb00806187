import type { DirectorySnapshot } from './contract.ts'

/** A request of one system to the Spine, as its headers and its certificate tell it. */
export interface SystemCall {
  /** ASID of the system that asks, and of the Spine's own that is asked. */
  readonly from: string
  readonly to: string
  /** Names under which the interaction is registered; one of them is enough. */
  readonly interactions: readonly string[]
  /** Names of the certificate that the caller has proved to hold. */
  readonly names: readonly string[]
}

/**
 * Why a system may not use an interaction, in words for whoever has to put it right; undefined where it may. Both
 * systems must be registered for it, and the certificate must be the sender's own.
 */
export function callerFault(
  snapshot: Pick<DirectorySnapshot, 'accreditedSystem'>,
  { from, to, interactions, names }: SystemCall,
): string | undefined {
  const [interaction = ''] = interactions
  const sender = snapshot.accreditedSystem(from)
  if (sender === undefined) return `No system is registered under the sender's ASID ${from}.`
  if (!interactions.some((each) => sender.interactions.has(each)))
    return `The sender's ASID ${from} is not registered for ${interaction}.`
  const receiver = snapshot.accreditedSystem(to)
  if (receiver === undefined) return `No system is registered under the receiver's ASID ${to}.`
  if (!interactions.some((each) => receiver.interactions.has(each)))
    return `The receiver's ASID ${to} is not registered for ${interaction}.`
  if (!names.some((name) => sender.fqdns.has(name)))
    return `The certificate is of ${names.join(', ') || 'nobody'}, which is not registered for the sender's ASID ${from}.`
  return undefined
}
