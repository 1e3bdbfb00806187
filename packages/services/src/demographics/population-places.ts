import type { Json } from './person.ts'
import { between, type Dice, dice, digits, pick } from './population-dice.ts'
import {
  counties,
  districts,
  practices,
  streetKinds,
  streets,
  townBeginnings,
  townEndings,
} from './population-names.ts'

/** Where people live: a house in a street that has one postcode, in a district that has one town. */
export interface Place {
  readonly line: readonly string[]
  readonly postalCode: string
  /** ODS code of the practice where those who live here are registered. */
  readonly practice: string
}

const letters = 'ABDEFGHJLNPQRSTUWXYZ'

/** A house. With `near`, in the same district as that place. */
export function place(roll: Dice, near?: Place): Place {
  const district = near ? Number(/^ZZ(\d+)/.exec(near.postalCode)?.[1]) : between(roll, 1, districts)
  const unit = Math.floor(roll() * 4000)
  const [sector, first, second] = [Math.floor(unit / 400), Math.floor(unit / 20) % 20, unit % 20]
  const street = dice(district, unit)
  const town = `${townBeginnings[district % townBeginnings.length]}${townEndings[district % townEndings.length]}`
  // A district has two practices; the first ones of the list, which the sandbox has, serve the most districts.
  const practice = practices[Math.floor(dice(district, -2 - (sector % 2))() ** 2.2 * practices.length)] as string
  const house = between(roll, 1, 60)
  const flat = roll() < 0.12 ? `Flat ${between(roll, 1, 24)}, ` : ''
  return {
    line: [
      `${flat}${house} ${pick(street, streets)} ${pick(street, streetKinds)}`,
      town,
      counties[district % counties.length] as string,
    ],
    postalCode: `ZZ${district} ${sector}${letters[first]}${letters[second]}`,
    practice,
  }
}

export const address = ({ line, postalCode }: Place, use: string, period: Json): Json => ({
  use,
  period,
  line,
  postalCode,
})

export const landline = (roll: Dice): string => `01632 96${digits(Math.floor(roll() * 10_000), 4)}`
export const mobile = (roll: Dice): string => `07700 9${digits(Math.floor(roll() * 100_000), 5)}`
