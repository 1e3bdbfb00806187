/** Queries with a known answer: people of the population, written down as they are mistaken (§28). */
import { type PersonRecord, syntheticPeople } from '@openspine/services/demographics'

export type Query = readonly (readonly [name: string, value: string])[]

export interface Case {
  readonly corruption: string
  readonly query: Query
  /** Who is meant; absent where nobody may be found. */
  readonly nhsNumber?: string
}

/** What is known of a person by whoever asks. */
interface Details {
  readonly family: string
  readonly given: readonly string[]
  readonly birthDate: string
  readonly gender?: string
  readonly postcode?: string
}

interface Known extends Details {
  readonly nhsNumber: string
  readonly former: readonly { readonly family: string }[]
  readonly formerPostcodes: readonly string[]
}

type Dice = () => number

interface Corruption {
  readonly kind: 'present' | 'mistaken without a place' | 'wrong birth date' | 'absent' | 'look-alike'
  /** Undefined where the person cannot be mistaken so. */
  readonly change: (person: Known, roll: Dice, other: Known) => Details | undefined
}

const letters = 'abcdefghijklmnopqrstuvwxyz'
const at = (roll: Dice, length: number) => Math.floor(roll() * length)

/** One letter left out, put in, changed, or two changed over: where typing goes wrong, not in the first letter. */
function typo(name: string, roll: Dice): string | undefined {
  if (name.length < 4) return undefined
  const place = 1 + at(roll, name.length - 2)
  const letter = letters.charAt(at(roll, 26))
  const made = [
    name.slice(0, place) + name.slice(place + 1),
    name.slice(0, place) + letter + name.slice(place),
    name.slice(0, place) + letter + name.slice(place + 1),
    name.slice(0, place) + name.charAt(place + 1) + name.charAt(place) + name.slice(place + 2),
  ][at(roll, 4)]
  return made?.toLowerCase() === name.toLowerCase() ? undefined : made
}

/** Spelt as it sounds. */
const sounds: readonly (readonly [RegExp, string])[] = [
  [/ph/, 'f'],
  [/ck/, 'k'],
  [/ee/, 'ea'],
  [/y$/, 'ie'],
  [/ie$/, 'y'],
  [/i/, 'y'],
  [/y/, 'i'],
  [/er$/, 'ar'],
  [/on$/, 'en'],
  [/([lnrst])\1/, '$1'],
  [/([lnt])(?=[aeiou])/, '$1$1'],
  [/e$/, ''],
  [/$/, 'e'],
]
function phonetic(name: string, roll: Dice): string | undefined {
  const fitting = sounds.filter(([sign]) => sign.test(name.slice(1)))
  const [sign, instead] = fitting[at(roll, fitting.length)] ?? [/$/, 'e']
  return name.charAt(0) + name.slice(1).replace(sign, instead)
}

/** Everyday forms, of names that are held in full: taken from how people are called, not from the matcher's table. */
// biome-ignore format: a table
const everyday: Readonly<Record<string, string>> = {
  Margaret: 'Peggy', Susan: 'Sue', Patricia: 'Pat', Christine: 'Chris', Elizabeth: 'Liz', Rebecca: 'Becky', Nicola: 'Nicky',
  Samantha: 'Sam', Victoria: 'Vicky', Jacqueline: 'Jackie', Deborah: 'Debbie', Barbara: 'Babs', Dorothy: 'Dot',
  Winifred: 'Win', Catherine: 'Cathy', Katherine: 'Kate', Jennifer: 'Jenny', Pamela: 'Pam', Amanda: 'Mandy',
  Joanne: 'Jo', Abigail: 'Abi', Jessica: 'Jess', Danielle: 'Dani', Stephanie: 'Steph', Natalie: 'Nat', Eleanor: 'Ellie',
  Isabella: 'Bella', Charlotte: 'Lottie', Matilda: 'Tilly', Penelope: 'Penny', Gillian: 'Gill', Sandra: 'Sandy',
  Josephine: 'Jo', Theresa: 'Terry', David: 'Dave', Michael: 'Mike', Peter: 'Pete', Robert: 'Bob', James: 'Jim',
  Andrew: 'Andy', Stephen: 'Steve', Christopher: 'Chris', Richard: 'Dick', William: 'Bill', Thomas: 'Tom', Daniel: 'Dan',
  Matthew: 'Matt', Alexander: 'Alex', Samuel: 'Sam', Benjamin: 'Ben', Joseph: 'Joe', Jonathan: 'Jon', Anthony: 'Tony',
  Philip: 'Phil', Kenneth: 'Ken', Ronald: 'Ron', Albert: 'Bert', Frederick: 'Fred', Harold: 'Harry', Sidney: 'Sid',
  Leonard: 'Len', Stanley: 'Stan', Reginald: 'Reg', Terence: 'Terry', Malcolm: 'Mal', Nicholas: 'Nick', Timothy: 'Tim',
  Joshua: 'Josh', Edward: 'Ted', Charles: 'Charlie', Geoffrey: 'Geoff', Raymond: 'Ray', Gerald: 'Gerry', Oliver: 'Ollie',
}

const withGiven = (person: Known, first: string | undefined): Details | undefined =>
  first === undefined ? undefined : { ...person, given: [first] }
const first = ({ given }: Details) => given[0] ?? ''

function postcodeTypo(postcode: string, roll: Dice): string {
  // The last two are letters, and the third from the end a digit.
  const place = postcode.length - 1 - at(roll, 3)
  const from = place === postcode.length - 3 ? '0123456789' : 'ABDEFGHJLNPQRSTUWXYZ'
  const others = [...from].filter((sign) => sign !== postcode.charAt(place))
  return postcode.slice(0, place) + others[at(roll, others.length)] + postcode.slice(place + 1)
}

/** The corruptions of §28, in its order; each of a whole set of details: family, first given name, birth date, gender, postcode. */
export const corruptions: Readonly<Record<string, Corruption>> = {
  clean: present((person) => withGiven(person, first(person))),
  case: present((person) => ({ ...person, family: person.family.toUpperCase(), given: [first(person).toLowerCase()] })),
  'family typo': present((person, roll) => changed(person, { family: typo(person.family, roll) })),
  'given typo': present((person, roll) => withGiven(person, typo(first(person), roll))),
  'family phonetic': present((person, roll) => changed(person, { family: phonetic(person.family, roll) })),
  'given phonetic': present((person, roll) => withGiven(person, phonetic(first(person), roll))),
  nickname: present((person) => withGiven(person, everyday[first(person)])),
  'second given': present((person) => withGiven(person, person.given[1])),
  initial: present((person) => withGiven(person, first(person).charAt(0))),
  'swapped names': present((person) => ({ ...person, family: first(person), given: [person.family] })),
  'maiden name': present((person) => changed(person, { family: person.former[0]?.family })),
  'old postcode': present((person) => changed(person, { postcode: person.formerPostcodes[0] })),
  'mistyped postcode': present((person, roll) =>
    changed(person, { postcode: person.postcode && postcodeTypo(person.postcode, roll) }),
  ),
  'wrong postcode': present((person, _roll, other) => changed(person, { postcode: other.postcode })),
  'no postcode': present(({ postcode, ...person }) => ({ ...person, given: [first(person)] })),
  'missing gender': present(({ gender, ...person }) => ({ ...person, given: [first(person)] })),
  'wrong gender': present((person) => changed(person, { gender: person.gender === 'male' ? 'female' : 'male' })),
  'hyphen parts': present((person, roll) => {
    const parts = person.family.split('-')
    return parts.length < 2 ? undefined : changed(person, { family: parts[at(roll, parts.length)] })
  }),
  'two errors': present((person, roll) => {
    const family = typo(person.family, roll)
    const given = phonetic(first(person), roll)
    return family === undefined || given === undefined ? undefined : { ...person, family, given: [given] }
  }),
  'typo and old postcode': present((person, roll) => {
    const [postcode] = person.formerPostcodes
    const family = typo(person.family, roll)
    return family === undefined || postcode === undefined
      ? undefined
      : { ...person, family, postcode, given: [first(person)] }
  }),
  'no postcode, family typo': placeless((person, roll) => changed(person, { family: typo(person.family, roll) })),
  'no postcode, given typo': placeless((person, roll) => withGiven(person, typo(first(person), roll))),
  'no postcode, nickname': placeless((person) => withGiven(person, everyday[first(person)])),
  'no postcode, second given': placeless((person) => withGiven(person, person.given[1])),
  'no postcode, swapped': placeless((person) => ({ ...person, family: first(person), given: [person.family] })),
  'no postcode, maiden name': placeless((person) => changed(person, { family: person.former[0]?.family })),
  'day and month': wrongDate(({ birthDate }) => {
    const [year, month = '', day = ''] = birthDate.split('-')
    return day > '12' || day === month ? undefined : `${year}-${day}-${month}`
  }),
  'one wrong digit': wrongDate(({ birthDate }, roll) => {
    const day = (Number(birthDate.slice(8)) % 28) + 1
    return roll() < 0.5
      ? `${birthDate.slice(0, 8)}${String(day).padStart(2, '0')}`
      : `${birthDate.slice(0, 3)}${(Number(birthDate.charAt(3)) + 1 + at(roll, 8)) % 10}${birthDate.slice(4)}`
  }),
  absent: absent((person) => person),
  'absent, no postcode': absent(({ postcode, ...person }) => person),
  'look-alike': lookAlike((person, _roll, other) => ({
    ...person,
    // A twin, a namesake: same family name, day, gender and home, and a name that nobody takes for the other.
    given: [other.given[0] ?? ''],
  })),
  'look-alike elsewhere': lookAlike((person, _roll, other) => ({
    ...person,
    given: [other.given[0] ?? ''],
    ...(other.postcode !== undefined && { postcode: other.postcode }),
  })),
}

function present(change: (person: Known, roll: Dice, other: Known) => Details | undefined): Corruption {
  return { kind: 'present', change }
}

/** Mistaken, and with nothing beside to bear it out. */
function placeless(change: (person: Known, roll: Dice) => Details | undefined): Corruption {
  return {
    kind: 'mistaken without a place',
    change(person, roll) {
      const details = change(person, roll)
      if (!details) return undefined
      const { postcode, ...rest } = details
      return rest
    },
  }
}

function wrongDate(change: (person: Known, roll: Dice) => string | undefined): Corruption {
  return {
    kind: 'wrong birth date',
    change(person, roll) {
      const birthDate = change(person, roll)
      return birthDate === undefined || birthDate === person.birthDate || !isDay(birthDate)
        ? undefined
        : { ...person, birthDate, given: [first(person)] }
    },
  }
}

/** The 29th of February is not in every year. */
const isDay = (day: string) => {
  const at = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day)
}

function absent(change: (person: Known, roll: Dice, other: Known) => Details): Corruption {
  return { kind: 'absent', change }
}

function changed(person: Known, change: { readonly [Name in keyof Details]?: Details[Name] | undefined }) {
  if (Object.values(change).some((value) => value === undefined)) return undefined
  return { ...person, given: [first(person)], ...change } as Details
}

/** Nobody of that name is there, and somebody else has the rest. */
function lookAlike(change: (person: Known, roll: Dice, other: Known) => Details): Corruption {
  return { kind: 'look-alike', change }
}

/**
 * The same cases at every run: people spread over the population, and as many who are beyond its end and so
 * are not there. Only people whom any trace may find: current, unrestricted.
 */
export function* casesOf(about: { seed: number; people: number; queries: number }): Generator<Case> {
  const { seed, people, queries } = about
  const roll = dice(seed)
  const sample = knownPeople({ seed, from: 0, to: people, most: queries * 12 })
  const strangers = knownPeople({ seed, from: people, to: people + people, most: queries * 10 })
  for (const [corruption, { kind, change }] of Object.entries(corruptions)) {
    // Look-alikes are of people who are there; who is absent has details of nobody.
    const from = kind === 'absent' ? strangers : sample
    // A false match is rare, and so wants more questions.
    const wanted = kind === 'absent' || kind === 'look-alike' ? queries * 5 : queries
    let made = 0
    for (let turn = 0; made < wanted && turn < from.length; turn++) {
      const person = from[turn] as Known
      const other = from[(turn * 7 + 13) % from.length] as Known
      if (kind === 'look-alike' && !differ(person, other)) continue
      const details = change(person, roll, other)
      if (!details) continue
      made++
      yield {
        corruption,
        query: queryOf(details),
        ...(kind === 'absent' || kind === 'look-alike' ? {} : { nhsNumber: person.nhsNumber }),
      }
    }
  }
}

/** Two people of one sex, whose names differ by more than writing can: three letters at least. */
function differ(person: Known, other: Known): boolean {
  const [asked = ''] = other.given
  return (
    person.gender === other.gender &&
    person.given.every((held) => distance(held.toLowerCase(), asked.toLowerCase()) >= 3)
  )
}

/** Letters to leave out, put in or change (Levenshtein). */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row++) {
    const line = [row]
    for (let column = 1; column <= other.length; column++)
      line.push(
        Math.min(
          (above[column] ?? 0) + 1,
          (line[column - 1] ?? 0) + 1,
          (above[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1),
        ),
      )
    above = line
  }
  return above.at(-1) ?? 0
}

function queryOf({ family, given, birthDate, gender, postcode }: Details): Query {
  return [
    ['family', family],
    ['given', given[0] ?? ''],
    ['birthdate', birthDate],
    ...(gender === undefined ? [] : [['gender', gender] as const]),
    ...(postcode === undefined ? [] : [['address-postalcode', postcode] as const]),
  ]
}

function knownPeople(about: { seed: number; from: number; to: number; most: number }): Known[] {
  const { seed, from, to, most } = about
  const step = Math.max(1, Math.floor((to - from) / most))
  const known: Known[] = []
  // Stretches, because people come household by household and one at a time is slow to make.
  const stretch = 40
  for (let start = from; start + stretch <= to && known.length < most; start += step * stretch)
    for (const record of syntheticPeople({ seed, from: start, count: stretch })) {
      const person = knownOf(record)
      if (person) known.push(person)
    }
  return shuffled(known, dice(seed + 1))
}

interface Snippets {
  readonly name?: readonly { readonly use?: string; readonly family: string; readonly given?: readonly string[] }[]
  readonly address?: readonly { readonly use?: string; readonly postalCode?: string }[]
}

function knownOf({ nhsNumber, sensitivity, patient, history }: PersonRecord): Known | undefined {
  if (sensitivity !== 'U') return undefined
  const { name = [], address = [] } = patient as Snippets
  const former = (history ?? {}) as Snippets
  const [usual] = name
  const gender = String(patient['gender'])
  const postcode = address.find(({ use }) => use === 'home')?.postalCode
  if (!usual?.given?.length || gender === 'unknown') return undefined
  return {
    nhsNumber,
    family: usual.family,
    given: usual.given,
    birthDate: String(patient['birthDate']),
    gender,
    ...(postcode === undefined ? {} : { postcode }),
    former: (former.name ?? []).filter(({ family }) => family !== usual.family),
    formerPostcodes: (former.address ?? []).flatMap(({ postalCode }) => postalCode ?? []),
  }
}

function dice(seed: number): Dice {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function shuffled<Item>(items: readonly Item[], roll: Dice): Item[] {
  const mixed = [...items]
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = at(roll, last + 1)
    ;[mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item]
  }
  return mixed
}
