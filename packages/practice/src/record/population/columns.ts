/**
 * The columns of CSV files as data: what each is called, what it says and how its text becomes a value of the record.
 * `docs/guides/load-a-test-population.md` shows the same table; a test compares them.
 */
import { isOdsCode } from '@openspine/standards/nhs'
import { dateTimeAt, isDay, wallClockAt } from '../dates.ts'
import { moment, opaqueId } from '../forms.ts'
import { registrationTypes } from '../people.ts'
import { deliveryChannels } from '../scheduling.ts'
import type { CsvKind, RowArea } from './population.ts'

export type Setter = (value: unknown) => void

export interface Column {
  readonly name: string
  /** Other names that published files have for it. */
  readonly also?: readonly string[]
  readonly says: string
  readonly required?: true
  /** Path in the record; a number is a place in a list. */
  readonly path: readonly (string | number)[]
  /** The value of the text, or what is wrong with it. */
  readonly read: Reading
}

type Reading = (text: string) => { readonly value: unknown } | { readonly fault: string }

const text: Reading = (value) => ({ value })
const list: Reading = (value) => ({
  value: value
    .split('|')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
})
/** Given names are parted by spaces, unless strokes part them. */
const names: Reading = (value) => list(value.includes('|') ? value : value.replaceAll(/\s+/g, '|'))

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** The ways of writing a day that mean one day alone: year, month and day are named. */
const dayForms = [
  /^(?<year>\d{4})-(?<month>\d{2})-(?<date>\d{2})$/,
  /^(?<year>\d{4})(?<month>\d{2})(?<date>\d{2})$/,
  /^(?<date>\d{1,2})[/.-](?<month>\d{1,2})[/.-](?<year>\d{4})$/,
  /^(?<date>\d{1,2})[ -](?<name>[a-z]{3})[a-z]*[ -](?<year>\d{4})$/i,
]

const day: Reading = (value) => {
  // A time of the day is passed over.
  const written = value.replace(/[T ]\d{2}:\d{2}.*$/, '')
  for (const form of dayForms) {
    const { year, month, name, date } = form.exec(written)?.groups ?? {}
    const number = name === undefined ? month : String(months.indexOf(name.toLowerCase()) + 1)
    const found = `${year}-${number?.padStart(2, '0')}-${date?.padStart(2, '0')}`
    if (isDay(found)) return { value: found }
  }
  return { fault: 'is no day that exists, as yyyy-mm-dd, yyyymmdd, dd/mm/yyyy or dd-Mmm-yyyy' }
}

const yes = new Set(['true', 'yes', 'y', '1'])
const no = new Set(['false', 'no', 'n', '0'])
const flag: Reading = (value) => {
  const said = value.toLowerCase()
  return yes.has(said) ? { value: true } : no.has(said) ? { value: false } : { fault: 'is neither true nor false' }
}

/** A flag that some files write as a letter of their own. */
const flagOr =
  (letter: string): Reading =>
  (value) =>
    value.toUpperCase() === letter ? { value: true } : flag(value)

const oneOf =
  (...values: readonly string[]): Reading =>
  (value) => {
    const said = value.toLowerCase()
    return values.includes(said) ? { value: said } : { fault: `is none of ${values.join(', ')}` }
  }

const genders: Readonly<Record<string, string>> = {
  m: 'male',
  f: 'female',
  1: 'male',
  2: 'female',
  9: 'other',
  0: 'unknown',
}
const gender: Reading = (value) => oneOf('male', 'female', 'other', 'unknown')(genders[value.toLowerCase()] ?? value)

const whole: Reading = (value) => (/^\d{1,6}$/.test(value) ? { value: Number(value) } : { fault: 'is no whole number' })

const when: Reading = (value) => {
  const [, date = '', time = ''] = /^(\S{10})[ T](\d{2}:\d{2}(?::\d{2})?)$/.exec(value) ?? []
  if (isDay(date) && /^([01]\d|2[0-3])(:[0-5]\d){1,2}$/.test(time))
    return { value: dateTimeAt(wallClockAt(date, time.length === 5 ? `${time}:00` : time)) }
  return moment.safeParse(value).success
    ? { value }
    : { fault: 'is no moment: yyyy-mm-dd hh:mm as the clock shows it, or a dateTime with seconds and zone' }
}

const upTo =
  (longest: number): Reading =>
  (value) =>
    value.length <= longest ? { value } : { fault: `is longer than ${longest} characters` }

const slotLength: Reading = (value) =>
  /^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= 720
    ? { value: Number(value) }
    : { fault: 'is no whole number from 1 to 720' }

const opaque: Reading = (value) =>
  opaqueId.safeParse(value).success ? { value } : { fault: 'is no id: letters, digits, - and ., 64 at most' }

const channel: Reading = (value) => {
  const found = deliveryChannels.find((one) => one.toLowerCase() === value.toLowerCase())
  return found === undefined ? { fault: `is none of ${deliveryChannels.join(', ')}` } : { value: found }
}

const odsCode: Reading = (value) =>
  isOdsCode(value.toUpperCase()) ? { value: value.toUpperCase() } : { fault: 'is no ODS code' }

const allergyCategory: Reading = (value) =>
  oneOf('medication', 'environment')(value.toLowerCase() === 'environmental' ? 'environment' : value)

const registrationCodes: Readonly<Record<string, string>> = {
  r: 'regular',
  t: 'temporary',
  e: 'emergency',
  in: 'immediately-necessary',
  p: 'private',
  o: 'other',
  s: 'synthetic',
}
const registrationType: Reading = (value) =>
  oneOf(...registrationTypes)(registrationCodes[value.toLowerCase()] ?? value)

/** A and I are active and inactive in published files. */
const active: Reading = (value) => {
  const said = value.toUpperCase()
  return said === 'A' ? { value: true } : said === 'I' ? { value: false } : flag(value)
}

const column = (
  name: string,
  path: string,
  read: Reading,
  says: string,
  more: Partial<Pick<Column, 'also' | 'required'>> = {},
): Column => ({
  name,
  path: path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
  read,
  says,
  ...more,
})

const required = { required: true } as const

/** The patient a row belongs to; read apart, because a wrong number has faults of its own. */
export const nhsNumberNames = ['nhsNumber', 'NHS_NUMBER', 'SPINE_NHS_NUMBER'] as const

/** A code beside the words of a row, in SNOMED CT unless a system is named. */
const coded: readonly Column[] = [
  column('code', 'codes.0.code', text, 'code of the entry'),
  column('codeSystem', 'codes.0.system', text, 'URI of its code system; absent: SNOMED CT'),
  column('display', 'codes.0.display', text, 'what the code means; absent: the words of the entry'),
]
const details = column('details', 'details', text, 'free text')
const confidential = column('confidential', 'confidential', flag, 'kept back from other organisations')
const id = column('id', 'id', text, 'lasting id of the row within the record')
const recordedBy = column('recordedBy', 'recordedBy', text, 'id of the practitioner who entered it')

const patients: readonly Column[] = [
  column('family', 'name.family', text, 'family name', {
    ...required,
    also: ['FAMILY_NAME', 'NAME_FAMILY', 'last_name'],
  }),
  column('given', 'name.given', names, 'given names, parted by spaces or `|`', {
    also: ['GIVEN_NAME', 'NAME_GIVEN', 'first_name'],
  }),
  column('otherGiven', 'name.given', names, 'further given names', { also: ['OTHER_GIVEN_NAME'] }),
  column('prefix', 'name.prefix', list, 'title', { also: ['TITLE'] }),
  column('gender', 'gender', gender, '`male`, `female`, `other`, `unknown`, or M, F, 1, 2, 9, 0; absent: `unknown`'),
  column('birthDate', 'birthDate', day, 'day of birth', { ...required, also: ['DATE_OF_BIRTH', 'DOB'] }),
  column('addressLine1', 'address.lines.0', text, 'address', { also: ['ADDR1', 'address_1'] }),
  column('addressLine2', 'address.lines.1', text, 'address', { also: ['ADDR2', 'address_2'] }),
  column('addressLine3', 'address.lines.2', text, 'address', { also: ['ADDR3', 'address_3'] }),
  column('addressLine4', 'address.lines.3', text, 'address', { also: ['ADDR4', 'address_4'] }),
  column('addressLine5', 'address.lines.4', text, 'address', { also: ['ADDR5', 'address_5'] }),
  column('city', 'address.city', text, 'town'),
  column('district', 'address.district', text, 'county'),
  column('postcode', 'address.postcode', text, 'postcode', { also: ['POST_CODE'] }),
  column('phone', 'telecom.phone', text, 'telephone at home'),
  column('mobile', 'telecom.mobile', text, 'mobile telephone'),
  column('email', 'telecom.email', text, 'e-mail address'),
  column('active', 'active', active, 'false, or `I`: the registration has ended', { also: ['registration_status'] }),
  column('sensitive', 'sensitive', flagOr('S'), 'true, or `S`: the record is sensitive', { also: ['SENSITIVE_FLAG'] }),
  column('deceasedDate', 'deceasedDate', day, 'day of death', { also: ['DATE_OF_DEATH', 'deceased'] }),
  column('consent', 'consent', flag, 'false: the patient does not share the record'),
  column('organisationDissent', 'organisationDissent', flag, 'true: the practice does not share this record'),
  column('nhsNumberVerified', 'nhsNumberVerified', flag, 'false: the number was not traced'),
  column('registeredAt', 'registeredAt', odsCode, 'ODS code of the nominated practice; absent: this one', {
    also: ['PRIMARY_CARE_CODE'],
  }),
  column('practice', 'practice', odsCode, 'ODS code of the practice whose patient it is; absent: `registeredAt`'),
  column('registrationDate', 'registrationDate', day, 'day of registration; a record in transit needs it', {
    also: ['registration_start'],
  }),
  column('registrationEnd', 'registration.period.end', day, 'last day of the registration', {
    also: ['registration_end'],
  }),
  column('registrationType', 'registration.type', registrationType, 'kind of registration, or its code such as `T`', {
    also: ['registration_type'],
  }),
  column('inTransit', 'inTransit', flag, 'true: the former practice has not sent the record yet'),
  column('awaitingFiling', 'awaitingFiling', flag, 'true: data waits to be filed'),
  column('usualGp', 'usualGp', text, 'id of one of the practitioners of the practice'),
  column('preferredBranch', 'preferredBranch', text, 'id of one of the locations of the practice'),
]

/** Of slots alone `nhsNumber` may be empty, or not there. */
const slots: readonly Column[] = [
  column('schedule', 'schedule.id', text, 'id of the list that the slot belongs to', required),
  column('location', 'schedule.location', text, 'id of the location; the same in every row of a schedule', required),
  column('practitioner', 'schedule.practitioner', text, 'id of the practitioner; the same in every row of a schedule'),
  column('serviceCategory', 'schedule.serviceCategory', text, 'name of the list; the same in every row of a schedule'),
  column('start', 'slot.start', when, 'when it starts: `2027-01-04 09:00`, or with seconds and zone', required),
  column('minutes', 'slot.minutes', slotLength, 'how long it is', required),
  column('serviceType', 'slot.serviceType', text, 'name of this type of slot'),
  column('deliveryChannel', 'slot.deliveryChannel', channel, '`In-person`, `Telephone` or `Video`'),
  column('bookable', 'slot.bookable', flag, 'false: kept for the practice itself'),
  column(
    'appointment',
    'appointment.id',
    opaque,
    'id of the appointment, the same in each of its slots; absent: one slot',
  ),
  column('description', 'appointment.description', upTo(100), 'what it is for'),
  column('comment', 'appointment.comment', upTo(500), 'what else was said'),
]

const areas: Readonly<Record<Exclude<CsvKind, 'patients' | 'slots'>, readonly Column[]>> = {
  allergies: [
    column('details', 'details', text, 'what the patient does not tolerate, and how it shows', {
      ...required,
      also: ['concept_display'],
    }),
    column('note', 'details', text, 'more of the same, on a line of its own'),
    column('startDate', 'startDate', day, 'first day', { also: ['onSetDateTime'] }),
    column('endDate', 'endDate', day, 'last day; absent: current, unless `status` says otherwise'),
    column('status', 'status', oneOf('active', 'resolved'), '`active`: without an end, whatever `endDate` says', {
      also: ['clinicalStatus'],
    }),
    column('reasonEnded', 'reasonEnded', text, 'why it ended', { also: ['endReason'] }),
    column('category', 'category', allergyCategory, '`medication` or `environment`'),
    column('recordedDate', 'recordedDate', day, 'day of the entry', { also: ['assertedDate'] }),
    column('reaction', 'reaction.description', text, 'how it shows', { also: ['reactionDescription'] }),
    column('reactionCode', 'reaction.manifestation.code', text, 'how it shows, in SNOMED CT', { also: ['manCoding'] }),
    column('reactionDisplay', 'reaction.manifestation.display', text, 'what that code means', { also: ['manDisplay'] }),
    ...coded.map((each) => (each.name === 'code' ? { ...each, also: ['concept_code'] } : each)),
    confidential,
    id,
    recordedBy,
  ],
  medications: [
    column(
      'type',
      'type',
      oneOf('acute', 'repeat', 'repeat-dispense'),
      '`acute`, `repeat` or `repeat-dispense`',
      required,
    ),
    column('item', 'item', text, 'medicine, form and strength', required),
    column('dosage', 'dosage', text, 'dosage in words', required),
    column('quantity', 'quantity', text, 'quantity in words'),
    column('recordedDate', 'recordedDate', day, 'day of the entry; absent: `startDate`'),
    column('startDate', 'startDate', day, 'first day'),
    column('scheduledEndDate', 'scheduledEndDate', day, 'last day'),
    column('daysDuration', 'daysDuration', whole, 'days for which it is prescribed'),
    column('reviewDate', 'reviewDate', day, 'day of the review'),
    column('maxIssues', 'maxIssues', whole, 'issues that are allowed'),
    column('lastIssued', 'issues.0.date', day, 'day of the latest issue'),
    column('endedDate', 'ended.date', day, 'day on which it was ended'),
    column('endedBy', 'ended.by', oneOf('clinician', 'expiry', 'administrative'), 'how; goes with `endedDate`'),
    column('endedReason', 'ended.reason', text, 'why'),
    column('controlledDrug', 'controlledDrug', flag, 'true: a controlled drug'),
    ...coded,
    confidential,
    id,
    recordedBy,
    column('prescriber', 'prescriber', text, 'id of the practitioner who prescribes it'),
  ],
  encounters: [
    column('date', 'date', day, 'day', required),
    column('title', 'title', text, 'who and where, as the record shows it', required),
    details,
    ...coded,
    confidential,
    id,
    column('practitioner', 'practitioner', text, 'id of the practitioner who consulted'),
    column('location', 'location', text, 'id of the location'),
  ],
  problems: [
    column('entry', 'entry', text, 'the problem in words', required),
    column('status', 'status', oneOf('active', 'inactive'), '`active` or `inactive`', required),
    column('startDate', 'startDate', day, 'first day'),
    column('endDate', 'endDate', day, 'last day'),
    column('significance', 'significance.text', text, "the system's own word"),
    column('significanceLevel', 'significance.level', oneOf('highest', 'middle', 'lowest'), 'where that word stands'),
    details,
    ...coded,
    confidential,
    id,
    recordedBy,
  ],
  immunisations: [
    column('vaccination', 'vaccination', text, 'the vaccination in words', required),
    column('date', 'date', day, 'day'),
    column('part', 'part', text, 'part of the course'),
    column('contents', 'contents', text, 'what was in it'),
    column('notGiven', 'notGiven', flag, 'true: intended, and not done'),
    column('lot', 'lot', text, 'batch number'),
    column('expiry', 'expiry', day, 'day on which the batch expires'),
    details,
    ...coded,
    confidential,
    id,
    recordedBy,
  ],
  observations: [
    column('date', 'date', day, 'day', required),
    column('entry', 'entry', text, 'what was observed', required),
    column('value', 'value', text, 'value with its unit, in words'),
    column('range', 'range', text, 'reference range in words'),
    details,
    ...coded,
    confidential,
    id,
    recordedBy,
  ],
  referrals: [
    column('date', 'date', day, 'day', required),
    column('to', 'to', text, 'to whom', required),
    column('from', 'from', text, 'by whom'),
    column('priority', 'priority', text, 'priority in words'),
    column('urgency', 'urgency', oneOf('routine', 'urgent', 'asap'), '`routine`, `urgent` or `asap`'),
    details,
    ...coded,
    confidential,
    id,
    recordedBy,
  ],
}

/** The columns of each kind of file, beside `nhsNumber`, which all have. */
export const columns: Readonly<Record<CsvKind, readonly Column[]>> = { patients, ...areas, slots }

/** Columns of published files that a record has no place for: each is counted once for its file. */
export const passedOver: Readonly<Partial<Record<CsvKind, readonly string[]>>> = {
  patients: [
    'id',
    'pas_number',
    'department_id',
    'gp_id',
    'managing_organization',
    'multiple_birth',
    'marital_status',
    'lastUpdated',
  ],
  allergies: [
    'verificationStatus',
    'patientRef',
    'desc_code',
    'desc_display',
    'manDescCoding',
    'manDescDisplay',
    'recorder',
    'encounter',
    'guid',
    'warningCode',
  ],
}

/** The words of a row, which its code means where no display is given. */
export const wordsOf: Readonly<Partial<Record<RowArea, string>>> = {
  allergies: 'details',
  medications: 'item',
  encounters: 'title',
  problems: 'entry',
  immunisations: 'vaccination',
  observations: 'entry',
  referrals: 'to',
}
