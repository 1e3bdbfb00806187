/** Plausible records for people of an invented population: the same person and seed give the same record. */
import { addDays, type Day } from '../record/dates.ts'
import type { PatientInput } from '../record/model.ts'

/** What must be known of a person. */
export interface SyntheticPerson {
  readonly nhsNumber: string
  readonly family: string
  readonly given: readonly string[]
  readonly prefix?: readonly string[]
  readonly gender: 'male' | 'female' | 'other' | 'unknown'
  /** yyyy-mm-dd */
  readonly birthDate: Day
  readonly deceasedDate?: Day
  readonly address?: { readonly lines?: readonly string[]; readonly city?: string; readonly postcode?: string }
  readonly phone?: string
  /** `id` of one of the practice's practitioners. */
  readonly usualGp?: string
}

interface Condition {
  readonly entry: string
  /** Youngest age at which it begins. */
  readonly from: number
  readonly chance: number
  readonly level: 'highest' | 'middle' | 'lowest'
  readonly item: string
  readonly dosage: string
  readonly quantity: string
  readonly measure: {
    readonly entry: string
    readonly low: number
    readonly high: number
    readonly unit: string
    readonly range: string
  }
}

const conditions: readonly Condition[] = [
  {
    entry: 'Essential hypertension',
    from: 40,
    chance: 0.3,
    level: 'highest',
    item: 'Amlodipine 5mg tablets',
    dosage: 'One to be taken each day',
    quantity: '28 tablets',
    measure: { entry: 'Systolic blood pressure', low: 118, high: 162, unit: 'mmHg', range: '<140' },
  },
  {
    entry: 'Type 2 diabetes mellitus',
    from: 35,
    chance: 0.12,
    level: 'highest',
    item: 'Metformin 500mg tablets',
    dosage: 'One to be taken twice a day with meals',
    quantity: '56 tablets',
    measure: { entry: 'Haemoglobin A1c', low: 44, high: 78, unit: 'mmol/mol', range: '20 - 42' },
  },
  {
    entry: 'Asthma',
    from: 4,
    chance: 0.14,
    level: 'middle',
    item: 'Salbutamol 100micrograms/dose inhaler CFC free',
    dosage: 'One or two puffs to be inhaled when required',
    quantity: '200 dose',
    measure: { entry: 'Peak expiratory flow rate', low: 280, high: 560, unit: 'L/min', range: '>350' },
  },
  {
    entry: 'Hypothyroidism',
    from: 25,
    chance: 0.06,
    level: 'middle',
    item: 'Levothyroxine sodium 100microgram tablets',
    dosage: 'One to be taken each morning',
    quantity: '28 tablets',
    measure: { entry: 'Thyroid stimulating hormone', low: 1, high: 7, unit: 'mU/L', range: '0.4 - 4.0' },
  },
  {
    entry: 'Osteoarthritis of knee',
    from: 55,
    chance: 0.2,
    level: 'lowest',
    item: 'Paracetamol 500mg tablets',
    dosage: 'Two to be taken four times a day when required',
    quantity: '100 tablets',
    measure: { entry: 'Body mass index', low: 21, high: 37, unit: 'kg/m2', range: '18.5 - 25.0' },
  },
]

const visits = [
  ['Viral upper respiratory tract infection', 'Advice given; to return if worse'],
  ['Low back pain', 'Exercises shown, simple analgesia'],
  ['Medication review', 'No change'],
  ['Otitis externa', 'Ear swab not needed'],
  ['Routine health check', 'Nothing abnormal found'],
  ['Eczema', 'Emollients discussed'],
] as const

const allergens = [
  'Penicillin allergy: rash',
  'Nut allergy: swelling of lips',
  'Adverse reaction to codeine: nausea',
] as const
const clinics = ['Physiotherapy', 'Dermatology clinic', 'Ear, nose and throat clinic', 'Cardiology clinic'] as const

/** A small generator of equally distributed numbers (mulberry32), seeded by text. */
function numbersFrom(seedText: string): () => number {
  let state = 2_166_136_261
  for (const character of seedText) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * A record that suits the person's age, up to the day `asOf` (or the death).
 *
 * @example
 * syntheticRecord({ nhsNumber: '9990100004', family: 'Quietwell', given: ['Dora'], gender: 'female', birthDate: '1975-05-14' }, 1, '2026-11-20')
 */
export function syntheticRecord(person: SyntheticPerson, seed: number | string, asOf: Day): PatientInput {
  const next = numbersFrom(`${seed}/${person.nhsNumber}`)
  const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const pick = <Item>(items: readonly [Item, ...Item[]] | readonly Item[], otherwise: Item): Item =>
    items[Math.floor(next() * items.length)] ?? otherwise
  const end = person.deceasedDate !== undefined && person.deceasedDate < asOf ? person.deceasedDate : asOf
  const age = Number(end.slice(0, 4)) - Number(person.birthDate.slice(0, 4))
  const recent = (days: number): Day => later(addDays(end, -whole(0, days)), person.birthDate)
  const sinceAge = (from: number): Day => {
    const year = Number(person.birthDate.slice(0, 4)) + from + whole(0, Math.max(0, age - from - 1))
    return later(
      earlier(`${String(year).padStart(4, '0')}-${two(whole(1, 12))}-${two(whole(1, 28))}`, end),
      person.birthDate,
    )
  }

  const recordedBy = person.usualGp === undefined ? {} : { recordedBy: person.usualGp }
  const prescriber = person.usualGp === undefined ? {} : { prescriber: person.usualGp }

  const encounters = Array.from({ length: whole(1, 4 + Math.floor(age / 15)) }, () => {
    const [entry, details] = pick(visits, visits[0])
    return { date: recent(3000), title: 'GP surgery', details: `${entry}\n${details}` }
  })
  const observations: NonNullable<PatientInput['observations']>[number][] = []
  const problems: NonNullable<PatientInput['problems']>[number][] = []
  const medications: NonNullable<PatientInput['medications']>[number][] = []
  for (const condition of conditions) {
    if (age < condition.from || next() >= condition.chance) continue
    const start = sinceAge(condition.from)
    const { measure } = condition
    problems.push({
      status: 'active',
      startDate: start,
      entry: condition.entry,
      significance: {
        text: condition.level === 'lowest' ? 'Minor' : condition.level === 'middle' ? 'Significant' : 'Major',
        level: condition.level,
      },
    })
    const measured = recent(400)
    observations.push({
      date: measured,
      entry: measure.entry,
      value: `${whole(measure.low, measure.high)} ${measure.unit}`,
      range: measure.range,
    })
    const issues = Array.from({ length: whole(1, 6) }, (_, i) => addDays(end, -14 - 28 * i)).filter(
      (day) => day >= start,
    )
    medications.push({
      ...recordedBy,
      ...prescriber,
      type: 'repeat',
      item: condition.item,
      dosage: condition.dosage,
      quantity: condition.quantity,
      recordedDate: start,
      startDate: start,
      reviewDate: addDays(end, whole(30, 300)),
      maxIssues: 12,
      issues: issues.map((date) => ({ date, daysDuration: 28 })),
    })
  }
  if (age >= 1 && next() < 0.5) {
    const date = recent(700)
    medications.push({
      ...recordedBy,
      ...prescriber,
      type: 'acute',
      item: 'Amoxicillin 500mg capsules',
      dosage: 'One to be taken three times a day',
      quantity: '15 capsules',
      recordedDate: date,
      startDate: date,
      daysDuration: 5,
      issues: [{ date }],
    })
  }
  return {
    nhsNumber: person.nhsNumber,
    name: { family: person.family, given: [...person.given], prefix: [...(person.prefix ?? [])] },
    gender: person.gender,
    birthDate: person.birthDate,
    ...(person.deceasedDate === undefined ? {} : { deceasedDate: person.deceasedDate }),
    ...(person.address === undefined
      ? {}
      : { address: { ...person.address, lines: [...(person.address.lines ?? [])] } }),
    ...(person.phone === undefined ? {} : { telecom: [{ system: 'phone', value: person.phone, use: 'home' }] }),
    ...(person.usualGp === undefined ? {} : { usualGp: person.usualGp }),
    registrationDate: sinceAge(0),
    encounters,
    clinicalItems: encounters.slice(0, 2).map(({ date, details }) => ({ date, entry: details.split('\n')[0] ?? '' })),
    adminItems: [{ date: recent(2000), entry: 'Contact details confirmed' }],
    allergies: next() < 0.2 ? [{ ...recordedBy, startDate: sinceAge(1), details: pick(allergens, allergens[0]) }] : [],
    immunisations:
      age >= 65 || next() < 0.3
        ? [{ date: recent(400), vaccination: 'Seasonal influenza vaccination', part: 'Single dose' }]
        : [],
    observations,
    referrals:
      next() < 0.3
        ? [{ date: recent(2000), from: 'GP surgery', to: pick(clinics, clinics[0]), priority: 'Routine' }]
        : [],
    problems,
    medications,
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function later(a: Day, b: Day): Day {
  return a > b ? a : b
}

function earlier(a: Day, b: Day): Day {
  return a < b ? a : b
}
