/** The invented people that scenarios need beside the worked example, and the second practice, whose settings they change. */
import { type PatientInput, workedExample } from '@openspine/practice'
import { nhsNumberCheckDigit } from '@openspine/standards/nhs'
import type { Sandbox } from '../sandbox.ts'
import { asids } from './ask.ts'
import { day } from './requests.ts'
import type { Settings } from './scenario.ts'

/** A range of which neither the worked example nor the synthetic population has any. */
function numbers(count: number): readonly string[] {
  const made: string[] = []
  for (let nine = 999_870_000; made.length < count; nine++) {
    const digit = nhsNumberCheckDigit(String(nine))
    if (digit !== undefined) made.push(`${nine}${digit}`)
  }
  return made
}

const made = numbers(60)
const nth = (index: number): string => made[index] ?? ''

export const extra = {
  temporary: nth(0),
  awaitingFiling: nth(1),
  medicated: nth(2),
  varied: nth(3),
  traced: nth(4),
  /** One for each way, in order. */
  untraced: [nth(5), nth(6), nth(7), nth(8)],
  future: nth(9),
  nobody: nth(10),
  /** Known to demographics, and never registered. */
  spare: nth(15),
  superseded: nth(11),
  invalidated: nth(12),
  deceased: nth(13),
  sensitive: nth(14),
  /** Known to demographics, registered nowhere; one for each way. */
  strangers: [nth(20), nth(21), nth(22), nth(23)],
  returning: [nth(24), nth(25), nth(26), nth(27)],
  hidden: [nth(32), nth(33), nth(34), nth(35)],
  well: [nth(28), nth(29), nth(30), nth(31)],
} as const

const person = (nhsNumber: string, family: string, given = 'Pat') => ({
  nhsNumber,
  name: { family, given: [given] },
  gender: 'female' as const,
  birthDate: '1991-03-14',
  registrationDate: '2012-04-05',
  usualGp: 'gp-1',
})

const known = (nhsNumber: string, family: string, more: object = {}) => ({
  nhsNumber,
  patient: {
    name: [{ use: 'usual', period: { start: '2020-01-01' }, given: ['Pat'], family }],
    gender: 'female',
    birthDate: '1991-03-14',
    ...more,
  },
})

export const family = {
  stranger: 'Visiting',
  returning: 'Returning',
  traced: 'Traceable',
} as const

function patients(): PatientInput[] {
  return [
    {
      ...person(extra.temporary, 'Passing'),
      registration: { type: 'temporary', period: { start: day(-10), end: day(80) } },
    },
    { ...person(extra.awaitingFiling, 'Waiting'), awaitingFiling: true },
    medicated(),
    varied(),
    { ...person(extra.future, 'Ahead'), encounters: encountersAround() },
    ...extra.untraced.map((number) => ({ ...person(number, family.traced), nhsNumberVerified: false })),
    { ...person(extra.traced, 'Otherwise'), nhsNumberVerified: false },
    ...extra.returning.map((number) => ({ ...person(number, family.returning), active: false })),
  ]
}

function encountersAround() {
  return [
    { date: day(30), title: 'Planned', details: 'Ahead of today' },
    { date: '2016-02-29', title: 'Leap day', details: 'Last day of the month' },
    { date: '2014-02-01', title: 'First', details: 'First day of the month' },
    { date: '2014-01-31', title: 'Before', details: 'The day before' },
  ]
}

/** Somebody whom a scenario makes visible and invisible; one for each way. */
export const hidden = (index: number, more: Partial<PatientInput> = {}): PatientInput => ({
  ...person(extra.hidden[index] ?? '', 'Hidden'),
  ...more,
})

/** Every kind of medication that §7.6 and §9.4 tell apart. */
function medicated(): PatientInput {
  const course = (item: string, recordedDate: string) => ({
    item,
    dosage: 'One each day',
    quantity: '28 tablets',
    recordedDate,
    startDate: recordedDate,
    recordedBy: 'gp-1',
    prescriber: 'gp-1',
  })
  return {
    ...person(extra.medicated, 'Tablets'),
    medications: [
      { ...course('Acute of yesterday', day(-1)), type: 'acute', daysDuration: 7, issues: [{ date: day(-1) }] },
      {
        ...course('Acute of 364 days ago', day(-364)),
        type: 'acute',
        daysDuration: 7,
        controlledDrug: true,
        information: ['First line', 'Second line'],
        issues: [{ date: day(-364) }, { date: day(-360) }],
      },
      { ...course('Acute of 366 days ago', day(-366)), type: 'acute', issues: [{ date: day(-366) }] },
      { ...course('Acute elsewhere', day(-5)), type: 'acute', elsewhere: {}, issues: [] },
      {
        ...course('Acute cancelled', day(-50)),
        type: 'acute',
        ended: { date: day(-49), by: 'clinician', reason: 'Rash' },
        issues: [{ date: day(-50) }],
      },
      { ...course('Repeat never issued', day(-40)), type: 'repeat', maxIssues: 6, issues: [] },
      {
        ...course('Repeat that ends later', day(-400)),
        type: 'repeat',
        maxIssues: 6,
        ended: { date: day(20), by: 'expiry' },
        issues: [{ date: day(-30) }],
      },
      {
        ...course('Repeat that expired', '2015-01-05'),
        type: 'repeat',
        ended: { date: '2016-01-05', by: 'expiry' },
        issues: [{ date: '2015-06-05' }],
      },
      {
        ...course('Repeat stopped long ago', '2001-01-05'),
        type: 'repeat',
        ended: { date: '2003-02-05', by: 'clinician', reason: 'No longer needed' },
        issues: [{ date: '2002-12-05' }],
      },
      { ...course('Repeat dispense', day(-200)), type: 'repeat-dispense', maxIssues: 6, issues: [] },
    ],
  }
}

/** Rows that the lists of structured records must tell apart. */
function varied(): PatientInput {
  return {
    ...person(extra.varied, 'Varied'),
    allergies: [
      { details: 'Allergy to peanuts', startDate: '2010-01-01', recordedBy: 'gp-1', category: 'environment' },
      { details: 'Allergy kept back', startDate: '2010-01-01', recordedBy: 'gp-1', confidential: true },
    ],
    medications: [],
    immunisations: [
      { date: day(-300), vaccination: 'Tetanus', recordedDate: day(-299), parentPresent: true, recordedBy: 'gp-1' },
    ],
    observations: [
      { date: day(-200), entry: 'Consent for immunisations', immunisationStatus: 'consent', recordedBy: 'gp-1' },
    ],
    problems: [
      {
        status: 'active',
        startDate: '2011-01-01',
        entry: 'Major and active',
        significance: { text: 'Major', level: 'highest' },
      },
      {
        status: 'active',
        startDate: '2012-01-01',
        entry: 'Minor and active',
        significance: { text: 'Minor', level: 'lowest' },
      },
      {
        status: 'inactive',
        startDate: '2013-01-01',
        endDate: '2014-01-01',
        entry: 'Major and inactive',
        significance: { text: 'Major', level: 'highest' },
      },
      {
        status: 'inactive',
        startDate: '2013-01-01',
        endDate: '2014-01-02',
        entry: 'Middle and inactive',
        significance: { text: 'Middle', level: 'middle' },
      },
      {
        status: 'inactive',
        startDate: '2013-01-01',
        endDate: '2014-01-03',
        entry: 'Minor and inactive',
        significance: { text: 'Minor', level: 'lowest' },
      },
      { status: 'inactive', startDate: '2013-01-01', endDate: '2014-01-04', entry: 'Unmarked and inactive' },
    ],
    diaryEntries: [
      { entry: 'Some day', recordedDate: day(-20), recordedBy: 'gp-1' },
      { date: day(10), entry: 'Soon', recordedDate: day(-20), recordedBy: 'gp-1' },
      { date: day(100), entry: 'Later', recordedDate: day(-20), recordedBy: 'gp-1' },
    ],
  }
}

/** Loads what the scenarios need, and agrees that the consumer may ask the second practice. */
export async function prepare(sandbox: Sandbox): Promise<void> {
  const { demographics, practice, registration } = sandbox.spine.contracts
  await registration.agreements.agree(
    { from: 'X26', to: 'B82617', interaction: 'urn:nhs:names:services:gpconnect:*' },
    'conformance',
  )
  await demographics.load([
    ...[...extra.strangers, ...extra.well, extra.spare].map((number) => known(number, family.stranger)),
    ...extra.returning.map((number) => known(number, family.returning)),
    ...extra.untraced.map((number) => known(number, family.traced)),
    known(extra.traced, 'Somebody', { birthDate: '1950-12-01' }),
    { ...known(extra.superseded, family.stranger), status: 'superseded', supersededBy: extra.strangers[0] },
    { ...known(extra.invalidated, family.stranger), status: 'invalidated' },
    known(extra.deceased, family.stranger, { deceasedDateTime: '2020-05-05' }),
    { ...known(extra.sensitive, family.stranger), sensitivity: 'R' },
  ])
  await practice.addPatients('A20047', patients())
}

/** The second practice as it was loaded, with these settings. */
export async function setSecondPractice(sandbox: Sandbox, settings: Settings): Promise<void> {
  const { html: asid, gpconnect, structured, documents } = asids.B82617
  const [example] = workedExample({
    odsCode: 'B82617',
    asid,
    asids: { gpconnect, structured, documents },
    name: 'Mockbridge Medical Centre',
    today: day(0),
  }).practices
  if (example === undefined) throw new Error('the worked example has no practice')
  await sandbox.spine.contracts.practice.load({
    format: 'openspine-practice-1',
    practices: [{ ...example, patients: [], ...settings }],
  })
}

/** The services of the second practice, with some changed. */
export function servicesOfSecond(
  change: Readonly<Partial<Record<'gpconnect' | 'structured' | 'documents', object>>>,
): NonNullable<Settings['services']> {
  const { html: asid, ...others } = asids.B82617
  const [example] = workedExample({ odsCode: 'B82617', asid, asids: others, today: day(0) }).practices
  return (example?.services ?? []).map((service) => ({ ...service, ...change[service.base] }))
}
