import type { Random } from '@openspine/platform/clock'
import type { DirectorySnapshot } from '../directory/contract.ts'

/** What an allocation must not take a second time. */
export type Taken = Pick<DirectorySnapshot, 'holdsService' | 'accreditedSystems' | 'messageHandlingSystems'>

/** An id and the number from which the sequence goes on: numbers are never given out twice. */
export interface Allocated {
  readonly value: string
  readonly next: number
}

/** The next ASID that the directory does not hold, imported ones included (§1: 12 digits). */
export function allocateAsid(next: number, directory: Taken): Allocated {
  let number = next
  while (directory.holdsService(asidOf(number))) number++
  return { value: asidOf(number), next: number + 1 }
}

const asidOf = (number: number) => String(number).padStart(12, '0')

/** The next party key of an organisation (§1: six digits). */
export function allocatePartyKey(next: number, odsCode: string, directory: Taken): Allocated {
  for (let number = next; ; number++) {
    const value = `${odsCode}-${String(number).padStart(6, '0')}`
    const taken =
      directory.messageHandlingSystems({ partyKey: value }).length > 0 ||
      directory.accreditedSystems({ partyKey: value }).length > 0
    if (!taken) return { value, next: number + 1 }
  }
}

const letters = 'ACDEFGHJKLMNPRTUVWXY34679'

/** A product id `P.XXX-XXX` (§1); whether it is free is for the caller to see. */
export function productId(random: Pick<Random, 'bytes'>): string {
  // 250 is the greatest multiple of 25 below 256: bytes above it would prefer some letters.
  const drawn: string[] = []
  while (drawn.length < 6) for (const byte of random.bytes(8)) if (byte < 250) drawn.push(letters[byte % 25] as string)
  return `P.${drawn.slice(0, 3).join('')}-${drawn.slice(3, 6).join('')}`
}
