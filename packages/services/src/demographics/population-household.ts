import { between, type Dice, day, dice, pick, pickCommon } from './population-dice.ts'
import { type Community, cohortEnds, communities, familyBeginnings, familyEndings } from './population-names.ts'
import { type Place, place } from './population-places.ts'

/** The population is that of this year. */
export const thisYear = 2026

/** One of those who live together, before there is a record of them. */
export interface Member {
  readonly female: boolean
  readonly birthDate: string
  readonly given: readonly string[]
  readonly family: string
  /** Family name at birth, of those who took another, and the day from which they had the other. */
  readonly maiden?: { readonly family: string; readonly until: string }
  readonly community: Community
  /** Where they lived, the present home last, each with the day they moved in. */
  readonly homes: readonly { readonly place: Place; readonly since: string }[]
  readonly landline: boolean
}

/** This many people of consecutive numbers make whole households. */
export const groupSize = 12
const partitions: readonly (readonly number[])[] = [
  [1, 1, 2, 2, 2, 4],
  [1, 2, 2, 3, 4],
  [2, 2, 3, 5],
  [1, 1, 1, 2, 3, 4],
  [1, 2, 4, 5],
  [1, 1, 2, 3, 5],
  [2, 2, 2, 3, 3],
  [2, 4, 6],
]

/** The people of one group, household by household: each from seed and group alone. */
export function group(seed: number, index: number): Member[] {
  const roll = dice(seed ^ 0x5bd1e995, index)
  return pick(roll, partitions).flatMap((size) => household(roll, size))
}

function household(roll: Dice, size: number): Member[] {
  const community = communityOf(roll)
  const home = place(roll)
  const together = { community, home, landline: roll() < 0.5 }
  // Flatmates share a door and nothing else.
  if (size >= 2 && roll() < 0.06)
    return Array.from({ length: size }, () => single(roll, { ...together, community: communityOf(roll) }))
  if (size === 1) return [single(roll, together)]
  const pair = size === 2 ? roll() < 0.78 : roll() < 0.76
  const eldest = size === 2 && pair ? between(roll, 1908, 2000) : between(roll, 1955, 1998)
  const adults = pair ? couple(roll, together, eldest) : [parent(roll, together, eldest)]
  return [...adults, ...children(roll, together, adults, size - adults.length)]
}

interface Together {
  readonly community: Community
  readonly home: Place
  readonly landline: boolean
}

function single(roll: Dice, together: Together): Member {
  return parent(roll, together, thisYear - 18 - Math.floor(roll() ** 0.8 * 100))
}

function parent(roll: Dice, together: Together, year: number): Member {
  const female = roll() < 0.6
  const birthDate = birthday(roll, year, together.community)
  const family = familyName(roll, together.community)
  const own = { female, birthDate, given: givenNames(roll, female, year, together.community), family }
  return { ...own, ...renamed(roll, own, together.community), ...lived(roll, together, year) }
}

/** The wife of most took her husband's name; some join both, some keep theirs. */
function couple(roll: Dice, together: Together, year: number): Member[] {
  const { community } = together
  const husband: Member = {
    female: false,
    birthDate: birthday(roll, year, community),
    given: givenNames(roll, false, year, community),
    family: familyName(roll, community),
    ...lived(roll, together, year),
  }
  const herYear = Math.min(2002, year + between(roll, -4, 6))
  const born = familyName(roll, community)
  const choice = roll()
  const family = choice < 0.72 ? husband.family : choice < 0.76 ? `${born}-${husband.family}` : born
  const wed = `${Math.min(thisYear - 2, herYear + between(roll, 20, 34))}-0${between(roll, 1, 9)}-1${between(roll, 0, 9)}`
  const birthDate = birthday(roll, herYear, community)
  // Together since they wed, and before that each elsewhere.
  const [firstHome] = husband.homes
  const apart = roll() < 0.5 && firstHome !== undefined && birthMonth(herYear) < firstHome.since
  const wife: Member = {
    female: roll() < 0.985,
    birthDate,
    given: givenNames(roll, true, herYear, community),
    family: family.length > 35 || family.split('-').length > 2 ? husband.family : family,
    ...(family === born ? {} : { maiden: { family: born, until: wed } }),
    community,
    homes: [
      ...(apart ? [{ place: place(roll, firstHome.place), since: birthMonth(herYear) }] : []),
      ...since(husband.homes, birthDate),
    ],
    landline: together.landline,
  }
  return [husband, wife]
}

function children(roll: Dice, together: Together, adults: readonly Member[], count: number): Member[] {
  const [first, second] = adults
  const mother = second ?? first
  if (!mother || !first || count === 0) return []
  const children: Member[] = []
  let year = Number(mother.birthDate.slice(0, 4)) + between(roll, 19, 34)
  for (let child = 0; child < count; child++) {
    const female = roll() < 0.488
    const born = Math.min(thisYear - 1, year)
    const before = children.at(-1)
    const twin = before !== undefined && roll() < 0.016
    const birthDate = twin ? before.birthDate : day(born, roll)
    const namedAfter = !female && !first.female && roll() < 0.015
    let given = namedAfter ? first.given : givenNames(roll, female, born, together.community)
    // No two of one family have the same first name.
    for (let more = 0; more < 4 && children.some((other) => other.given[0] === given[0]); more++)
      given = givenNames(roll, female, born, together.community)
    const family = second === undefined || roll() < 0.86 ? first.family : mother.family
    children.push({
      female,
      birthDate,
      given,
      family,
      community: together.community,
      homes: since(first.homes, birthDate),
      landline: together.landline,
    })
    year = Number(birthDate.slice(0, 4)) + between(roll, 2, 4)
  }
  return children
}

/** Homes of a family for one who was born on that day: from the one they were born into. */
function since(homes: Member['homes'], birthDate: string): Member['homes'] {
  return homes.slice(
    Math.max(
      0,
      homes.findLastIndex((home) => home.since <= birthDate),
    ),
  )
}

/** A divorce, a deed poll: another name before this one. */
function renamed(
  roll: Dice,
  { female, birthDate }: Pick<Member, 'female' | 'birthDate'>,
  community: Community,
): Pick<Member, 'maiden'> {
  const year = Number(birthDate.slice(0, 4))
  if (year > 1998 || roll() > (female ? 0.45 : 0.015)) return {}
  return { maiden: { family: familyName(roll, community), until: day(Math.min(thisYear - 2, year + 26), roll) } }
}

/** Who is older has moved more often, and mostly not far. */
function lived(roll: Dice, { community, home, landline }: Together, year: number) {
  const homes: { readonly place: Place; readonly since: string }[] = []
  const grown = year + 18
  const moves = Math.min(3, Math.floor(roll() ** 2 * Math.max(0, thisYear - grown) * 0.12))
  let from = Math.max(year, 1985)
  for (let move = 0; move < moves; move++) {
    homes.push({ place: place(roll, roll() < 0.65 ? home : undefined), since: birthMonth(from) })
    from = Math.min(thisYear - 1, from + between(roll, 2, 12))
  }
  homes.push({ place: home, since: birthMonth(from) })
  return { community, homes, landline }
}

const birthMonth = (year: number) => `${year}-06-01`

function birthday(roll: Dice, year: number, community: Community): string {
  return roll() < community.unknownBirthday ? `${year}-01-01` : day(year, roll)
}

function communityOf(roll: Dice): Community {
  let rest = roll()
  for (const community of communities) {
    rest -= community.share
    if (rest < 0) return community
  }
  return communities[0] as Community
}

export function familyName(roll: Dice, { families, rareFamilies }: Community): string {
  if (roll() >= rareFamilies) return pickCommon(roll, families)
  const kind = roll()
  const rare = `${pick(roll, familyBeginnings)}${pick(roll, familyEndings)}`
  if (kind < 0.04) return `${pickCommon(roll, families)}-${rare}`
  if (kind < 0.16) return `${rare}s`
  if (kind < 0.24) return `${pick(roll, ['Mac', 'Mc', "O'", 'Fitz', 'Pen', 'Tre'])}${rare}`
  return rare
}

/** Names of the cohort mostly; a later one, or an old one again, now and then. */
export function givenNames(roll: Dice, female: boolean, year: number, community: Community): string[] {
  const lists = female ? community.female : community.male
  const cohort = cohortEnds.findIndex((end) => year <= end)
  const of = (at: number) => lists[Math.min(lists.length - 1, Math.max(0, at))] as readonly string[]
  // Communities that came later have two lists: those who grew up elsewhere, and those who were born here.
  const own = lists.length > 2 ? (cohort === -1 ? cohortEnds.length : cohort) : year < 1985 ? 0 : 1
  const rare = community.rareGiven?.[female ? 'female' : 'male']
  // What is in fashion was given to three in four once, and is given to half now.
  const fashion = 0.76 - 0.06 * own
  const name = () => {
    if (rare && roll() > fashion) return pick(roll, rare)
    const stray = roll()
    return stray < 0.82 ? pickCommon(roll, of(own)) : pick(roll, of(own + (stray < 0.9 ? 1 : stray < 0.97 ? -1 : 2)))
  }
  const given = [name()]
  const more = roll()
  if (more < 0.72) given.push(name())
  if (more < 0.12) given.push(name())
  return [...new Set(given)]
}
