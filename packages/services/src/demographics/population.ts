import { SpineError } from '@openspine/standards/error'
import { namingSystem } from '@openspine/standards/nhs'
import type { PersonRecord } from './contract.ts'
import { foldName } from './fold.ts'
import { extensionUrl, type Json } from './person.ts'
import { between, type Dice, day, dice, pick } from './population-dice.ts'
import { givenNames, group, groupSize, type Member, thisYear } from './population-household.ts'
import { freeNumberCount, freeNumbers } from './population-numbers.ts'
import { address, landline, mobile, place } from './population-places.ts'
import { shortForms } from './short-forms.ts'

/** How many people {@link syntheticPeople} can make. */
export const syntheticCapacity = freeNumberCount

/**
 * Invented people in households, the same ones for the same seed and index, each from index and seed alone:
 * any stretch can be made without those before it. The n-th person has the n-th free number: 909 thousand begin
 * with 999, further ones with 920 and on. SpineError `DEMOGRAPHICS_POPULATION_EXHAUSTED` beyond
 * {@link syntheticCapacity}.
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
      explanation: `There are numbers for ${syntheticCapacity} synthetic people, and no more in the ranges for tests.`,
    })
  const numbers = freeNumbers(from)
  let members: readonly Member[] = []
  for (let index = from; index < from + count; index++) {
    if (index === from || index % groupSize === 0) members = group(seed, Math.floor(index / groupSize))
    yield person(numbers.next().value as string, dice(seed, index), members[index % groupSize] as Member)
  }
}

/** Chance of having died, by age: records stay. */
function hasDied(roll: Dice, age: number): boolean {
  const share =
    age < 2 ? 0 : age < 50 ? 0.004 : age < 65 ? 0.03 : age < 75 ? 0.1 : age < 85 ? 0.3 : age < 95 ? 0.7 : 0.97
  return roll() < share
}

function person(nhsNumber: string, roll: Dice, member: Member): PersonRecord {
  const { female, birthDate, given, family, maiden, homes, community } = member
  const birthYear = Number(birthDate.slice(0, 4))
  const age = thisYear - birthYear
  const home = homes.at(-1) as Member['homes'][number]
  const diedOn = hasDied(roll, age) ? deathDay(roll, birthYear) : undefined
  const kind = roll()
  const sensitivity = kind < 0.004 ? 'R' : kind < 0.0042 ? 'V' : 'U'
  const names: Json[] = [
    {
      use: 'usual',
      period: { start: maiden?.until ?? birthDate },
      prefix: [prefix(roll, female, age)],
      given,
      family,
    },
  ]
  const nickname = roll() < 0.035 ? shortForm(roll, given[0] as string) : undefined
  if (nickname !== undefined) names.push({ use: 'nickname', period: { start: birthDate }, given: [nickname], family })
  const start = home.since < birthDate ? birthDate : home.since
  const addresses = [address(home.place, 'home', { start })]
  if (age >= 18 && age <= 22 && roll() < 0.3)
    addresses.push({ ...address(place(roll), 'temp', { start: '2025-09-15' }), text: 'Student Accommodation' })
  const telecoms: Json[] = []
  if (age > 14 && roll() < 0.85)
    telecoms.push({ system: 'phone', use: 'mobile', period: { start: '2015-01-01' }, value: mobile(roll) })
  if (member.landline)
    telecoms.push({
      system: 'phone',
      use: 'home',
      period: { start: '2010-01-01' },
      value: landline(dice(home.place.line[0]?.length ?? 0, hash(home.place.postalCode + home.place.line[0]))),
    })
  if (age > 14 && roll() < 0.5)
    telecoms.push({
      system: 'email',
      use: 'home',
      period: { start: '2015-01-01' },
      value: `person${nhsNumber}@example.com`,
    })
  const abroad = roll() < 0.01
  const registered = diedOn === undefined && !abroad && roll() < 0.97
  const extensions: Json[] = []
  if (diedOn !== undefined) extensions.push(deathNotification(diedOn))
  if (community.language && age > 30 && roll() < 0.12) extensions.push(communication(community.language, roll() < 0.5))
  if (abroad && diedOn === undefined) extensions.push(removal(day(between(roll, 2015, thisYear - 2), roll)))
  const history = past(roll, member)
  return {
    nhsNumber,
    version: 1 + names.length + homes.length + Math.floor(roll() ** 3 * 12),
    sensitivity,
    patient: {
      name: names,
      gender: roll() < 0.998 ? (female ? 'female' : 'male') : 'unknown',
      birthDate,
      ...(diedOn !== undefined && { deceasedDateTime: `${diedOn}T00:00:00+00:00` }),
      address: addresses,
      telecom: telecoms,
      ...(registered && { generalPractitioner: [practice(home.place.practice, { start })] }),
      ...(extensions.length > 0 && { extension: extensions }),
    },
    ...(history && { history }),
  }
}

/** Former names, homes, practices and telephones. */
function past(roll: Dice, { female, birthDate, given, family, maiden, homes, community }: Member): Json | undefined {
  const names: Json[] = []
  if (maiden)
    names.push({
      use: female ? 'maiden' : 'old',
      period: { start: birthDate, end: maiden.until },
      given,
      family: maiden.family,
    })
  // Another given name before: misheard at registration, or changed since.
  if (roll() < 0.012)
    names.push({
      use: 'old',
      period: { start: birthDate, end: '2012-03-01' },
      given: givenNames(roll, female, Number(birthDate.slice(0, 4)), community),
      family: maiden?.family ?? family,
    })
  const former = homes.slice(0, -1).map(({ place: left, since }, at) => ({
    left,
    period: { start: since < birthDate ? birthDate : since, end: homes[at + 1]?.since },
  }))
  const phone = former.length > 0 && roll() < 0.3
  if (names.length === 0 && former.length === 0) return
  return {
    ...(names.length > 0 && { name: names }),
    ...(former.length > 0 && {
      address: former.map(({ left, period }) => address(left, 'old', period)),
      generalPractitioner: former.map(({ left, period }) => practice(left.practice, period)),
    }),
    ...(phone && { telecom: [{ system: 'phone', use: 'home', value: landline(roll) }] }),
  }
}

const practice = (code: string, period: Json): Json => ({
  type: 'Organization',
  identifier: { system: namingSystem.fhirNhsUk.odsOrganisation, value: code, period },
})

/** An everyday form of a name, as its owner writes it. */
function shortForm(roll: Dice, given: string): string | undefined {
  const forms = [...shortForms(foldName(given))].filter((form) => form.length < given.length + 2)
  if (forms.length === 0) return
  const form = pick(roll, forms)
  return form.charAt(0) + form.slice(1).toLowerCase()
}

function prefix(roll: Dice, female: boolean, age: number): string {
  if (age > 25 && roll() < 0.02) return 'Dr'
  if (age < 16) return female ? 'Miss' : 'Master'
  return female ? pick(roll, ['Mrs', 'Mrs', 'Ms', 'Miss']) : 'Mr'
}

function deathDay(roll: Dice, birthYear: number): string {
  const last = Math.min(thisYear - 1, birthYear + 104)
  const first = Math.max(birthYear + 1, last - 25)
  return day(between(roll, first, last), roll)
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value
}

const communication = ([code, display]: readonly [string, string], interpreter: boolean): Json => ({
  url: extensionUrl.communication,
  extension: [
    {
      url: 'language',
      valueCodeableConcept: {
        coding: [
          {
            system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-HumanLanguage',
            version: '1.0.0',
            code,
            display,
          },
        ],
      },
    },
    { url: 'interpreterRequired', valueBoolean: interpreter },
  ],
})

const removal = (since: string): Json => ({
  url: extensionUrl.removal,
  extension: [
    {
      url: 'removalFromRegistrationCode',
      valueCodeableConcept: {
        coding: [
          { system: 'https://fhir.nhs.uk/CodeSystem/PDS-RemovalReasonExitCode', code: 'EMB', display: 'Embarkation' },
        ],
      },
    },
    { url: 'effectiveTime', valuePeriod: { start: since } },
  ],
})

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
