import type { Clock, Random } from '@openspine/platform/clock'

/** Id of one answer (§2.2), in the shape of the national ones; the time is in it. */
export function newMessageId({ clock, random }: { readonly clock: Clock; readonly random: Random }): string {
  const digits = (count: number) => String(random.bytes(6).readUIntBE(0, 6) % 10 ** count).padStart(count, '0')
  return `rrt-${String(clock.now()).padStart(13, '0')}${digits(6)}-a-spine-${digits(4)}-${digits(7)}-1`
}
