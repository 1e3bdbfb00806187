import type { Clock, Random } from '@openspine/platform/clock'

/**
 * Id of one request at the platform, in the shape of the national ones (§2.2). The time is in it, so that whoever looks
 * for it in the audit need not read it all.
 */
export function messageId({ clock, random }: { readonly clock: Clock; readonly random: Random }): string {
  const digits = (count: number) => String(random.bytes(6).readUIntBE(0, 6) % 10 ** count).padStart(count, '0')
  return `rrt-${String(clock.now()).padStart(13, '0')}${digits(6)}-a-spine-${digits(4)}-${digits(7)}-1`
}

/** Milliseconds since the epoch at which an id was made; undefined when it is none. */
export function timeOfMessage(id: string): number | undefined {
  const found = /^rrt-(\d{13})\d{6}-a-spine-\d{4}-\d{7}-1$/.exec(id)
  return found === null ? undefined : Number(found[1])
}
