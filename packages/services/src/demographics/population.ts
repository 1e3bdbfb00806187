import { SpineError } from '@openspine/standards/error'
import { namingSystem, nhsNumberCheckDigit } from '@openspine/standards/nhs'
import type { PersonRecord } from './contract.ts'
import { extensionUrl, type Json } from './person.ts'
import {
  counties,
  familyBeginnings,
  familyEndings,
  familyNames,
  femaleNames,
  maleNames,
  practices,
  streetKinds,
  streets,
  towns,
} from './population-names.ts'
import { workedPeople } from './worked-people.ts'

/** How many people {@link syntheticPeople} can make: valid numbers that begin with 999, without those of the worked examples. */
export const syntheticCapacity = 909_091 - workedPeople().length

/**
 * Invented people, the same ones for the same seed and index, each from index and seed alone: any stretch
 * can be made without those before it. The n-th person has the n-th free number that begins with 999.
 * RangeError-like SpineError `DEMOGRAPHICS_POPULATION_EXHAUSTED` beyond {@link syntheticCapacity}.
 *
 * @example
 * const [person] = syntheticPeople({ seed: 1, from: 0, count: 1 })
 */
export function* syntheticPeople(asked: {
  readonly seed: number
  readonly from: number
  readonly count: number
}): Generator<PersonRecord> {
  const { seed, from, count } = asked
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(count) && from >= 0 && count >= 0))
    throw new SpineError('DEMOGRAPHICS_POPULATION_RANGE', asked, {
      explanation: 'from and count are whole numbers that are not negative.',
    })
  if (from + count > syntheticCapacity)
    throw new SpineError('DEMOGRAPHICS_POPULATION_EXHAUSTED', asked, {
      explanation: `There are numbers for ${syntheticCapacity} synthetic people, and no more in the range 999.`,
    })
  let index = 0
  for (const nhsNumber of freeNumbers()) {
    if (index >= from + count) return
    if (index >= from) yield person(nhsNumber, seed, index)
    index++
  }
}

function* freeNumbers(): Generator<string> {
  const taken = new Set(workedPeople().map(({ nhsNumber }) => nhsNumber))
  for (let prefix = 999_000_000; prefix <= 999_999_999; prefix++) {
    const digits = String(prefix)
    const check = nhsNumberCheckDigit(digits)
    if (check === undefined) continue
    const number = digits + check
    if (!taken.has(number)) yield number
  }
}

/** Numbers from 0 up to 1, the same for the same beginning. */
type Dice = () => number

/** A small counter-based generator (32-bit mixing): good enough to look like people, and very quick. */
function dice(seed: number, index: number): Dice {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const pick = <Item>(roll: Dice, from: readonly Item[]): Item => from[Math.floor(roll() * from.length)] as Item
/** The first ones far more often than the last ones, as with names. */
const pickCommon = <Item>(roll: Dice, from: readonly Item[]): Item =>
  from[Math.floor(roll() ** 2.2 * from.length)] as Item
const digits = (value: number, width: number) => String(value).padStart(width, '0')

/** About this many people of consecutive numbers live together. */
const household = 3

function person(nhsNumber: string, seed: number, index: number): PersonRecord {
  const roll = dice(seed, index)
  const houseRoll = dice(seed ^ 0x5bd1e995, Math.floor(index / household))
  const familyOfHouse = familyName(houseRoll)
  const homeAddress = address(houseRoll, 'home', { start: day(2000 + Math.floor(houseRoll() * 24), houseRoll) })
  const landline = `01632 96${digits(Math.floor(houseRoll() * 10_000), 4)}`
  const practice = pickCommon(houseRoll, practices)

  const female = roll() < 0.506
  const birthYear = 1930 + Math.floor(roll() ** 0.9 * 95)
  const birthDate = day(birthYear, roll)
  const family = roll() < 0.75 ? familyOfHouse : familyName(roll)
  const given = givenNames(roll, female)
  const registered = roll() < 0.96
  const dead = birthYear < 1960 && roll() < 0.12
  const sensitivity = roll() < 0.003 ? 'R' : 'U'
  const names: Json[] = [
    { use: 'usual', period: { start: birthDate }, prefix: [prefix(roll, female, birthYear)], given, family },
  ]
  if (roll() < 0.02)
    names.push({ use: 'nickname', period: { start: birthDate }, given: [givenNames(roll, female)[0]], family })
  const addresses = [homeAddress]
  if (roll() < 0.015)
    addresses.push({ ...address(roll, 'temp', { start: '2024-01-15' }), text: 'Student Accommodation' })
  const telecoms: Json[] = []
  if (roll() < 0.8)
    telecoms.push({
      system: 'phone',
      use: 'mobile',
      period: { start: '2015-01-01' },
      value: `07700 9${digits(Math.floor(roll() * 100_000), 5)}`,
    })
  if (roll() < 0.4) telecoms.push({ system: 'phone', use: 'home', period: { start: '2010-01-01' }, value: landline })
  if (roll() < 0.5)
    telecoms.push({
      system: 'email',
      use: 'home',
      period: { start: '2015-01-01' },
      value: `person${nhsNumber.slice(3)}@example.com`,
    })
  const diedOn = dead
    ? `${2005 + Math.floor(roll() * 19)}-0${1 + Math.floor(roll() * 9)}-1${Math.floor(roll() * 10)}`
    : undefined
  const history = past(roll, female, birthDate, given)
  return {
    nhsNumber,
    version: 1 + Math.floor(roll() ** 3 * 12),
    sensitivity,
    patient: {
      name: names,
      gender: roll() < 0.998 ? (female ? 'female' : 'male') : 'unknown',
      birthDate,
      ...(diedOn !== undefined && { deceasedDateTime: `${diedOn}T00:00:00+00:00` }),
      address: addresses,
      telecom: telecoms,
      ...(registered &&
        !dead && {
          generalPractitioner: [
            {
              type: 'Organization',
              identifier: {
                system: namingSystem.fhirNhsUk.odsOrganisation,
                value: practice,
                period: { start: '2010-01-01' },
              },
            },
          ],
        }),
      ...(diedOn !== undefined && { extension: [deathNotification(diedOn)] }),
    },
    ...(history && { history }),
  }
}

function familyName(roll: Dice): string {
  const kind = roll()
  if (kind < 0.62) return pickCommon(roll, familyNames)
  const rare = `${pick(roll, familyBeginnings)}${pick(roll, familyEndings)}`
  return kind < 0.96 ? rare : `${pickCommon(roll, familyNames)}-${rare}`
}

function givenNames(roll: Dice, female: boolean): string[] {
  const from = female ? femaleNames : maleNames
  const given = [pickCommon(roll, from)]
  const more = roll()
  if (more < 0.7) given.push(pick(roll, from))
  if (more < 0.1) given.push(pick(roll, from))
  return given
}

function prefix(roll: Dice, female: boolean, birthYear: number): string {
  if (roll() < 0.02) return 'Dr'
  if (birthYear > 2010) return female ? 'Miss' : 'Master'
  return female ? pick(roll, ['Mrs', 'Ms', 'Miss']) : 'Mr'
}

function day(year: number, roll: Dice): string {
  return `${year}-${digits(1 + Math.floor(roll() * 12), 2)}-${digits(1 + Math.floor(roll() * 28), 2)}`
}

/** Pseudo-postcodes, as for addresses that cannot exist. */
function postcode(roll: Dice): string {
  const letters = 'ABDEFGHJLNPQRSTUWXYZ'
  const letter = () => letters.charAt(Math.floor(roll() * letters.length))
  return `ZZ99 ${Math.floor(roll() * 10)}${letter()}${letter()}`
}

function address(roll: Dice, use: string, period: Json): Json {
  return {
    use,
    period,
    line: [
      `${1 + Math.floor(roll() ** 2 * 240)} ${pick(roll, streets)} ${pick(roll, streetKinds)}`,
      pick(roll, towns),
      pick(roll, counties),
    ],
    postalCode: postcode(roll),
  }
}

function past(roll: Dice, female: boolean, birthDate: string, given: readonly string[]): Json | undefined {
  const married = female && birthDate < '2000' && roll() < 0.3
  const moved = roll() < 0.45
  if (!married && !moved) return
  return {
    ...(married && { name: [{ use: 'maiden', given, family: familyName(roll) }] }),
    ...(moved && { address: [address(roll, 'old', { start: '2001-01-01', end: '2010-01-01' })] }),
    ...(moved &&
      roll() < 0.2 && {
        telecom: [{ system: 'phone', use: 'home', value: `01632 96${digits(Math.floor(roll() * 10_000), 4)}` }],
      }),
  }
}

function deathNotification(on: string): Json {
  return {
    url: extensionUrl.deathNotification,
    extension: [
      {
        url: 'deathNotificationStatus',
        valueCodeableConcept: {
          coding: [
            {
              system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-DeathNotificationStatus',
              version: '1.0.0',
              code: '2',
              display: 'Formal - death notice received from Registrar of Deaths',
            },
          ],
        },
      },
      { url: 'systemEffectiveDate', valueDateTime: `${on}T00:00:00+00:00` },
    ],
  }
}
