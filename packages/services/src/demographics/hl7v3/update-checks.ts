import { boundOf, type ChangedItem, type Ivl, oid, type PdsUpdate } from '@openspine/standards/hl7v3'
import { isNhsNumber } from '@openspine/standards/nhs'

/** One rule of the objects of an update. All that are broken are reported together, each as a reason of the reply. */
export interface UpdateCheck {
  /** Name of the rule, as it goes over the wire. */
  readonly name: string
  readonly clause: string
  /** Plain words for whoever has to mend the update. */
  readonly explains: string
  breaks(update: PdsUpdate): boolean
}

const clause = 'messaging §8.3'
const filled = (text: string | undefined) => text !== undefined && text !== ''

/** What is done with an object: nothing, or one of the three. */
const does = (mode: string | undefined, ...modes: readonly string[]) => mode !== undefined && modes.includes(mode)
const writes = ({ value }: ChangedItem<{ readonly updateMode?: string }>) => does(value.updateMode, 'added', 'altered')

const known = new Set([undefined, 'added', 'altered', 'removed'])

/** Everything that carries an updateMode, with the object id that it needs to be altered or removed. */
function modesOf(
  update: PdsUpdate,
): readonly { readonly mode: string | undefined; readonly id?: string | undefined }[] {
  const { gender, birthTime, deceasedTime, multipleBirth, deathNotification, birthplace, language } = update
  const items = [...update.names, ...update.addresses, ...update.telecoms].map(({ value }) => ({
    mode: value.updateMode,
    id: value.id?.extension ?? '',
  }))
  const single = [gender, birthTime, deceasedTime, multipleBirth, deathNotification, birthplace, language]
  return [
    ...items,
    ...[...single, update.contactMethod, update.writtenFormat, ...update.provisions].map((each) => ({
      mode: each?.updateMode,
    })),
  ]
}

const high = (period: Ivl | undefined) => boundOf(period, 'high') ?? ''
const low = (period: Ivl | undefined) => boundOf(period, 'low') ?? ''

/** A high before its low, as far as both are told. */
function backwards(period: Ivl | undefined): boolean {
  const [from, to] = [low(period), high(period)]
  const length = Math.min(from.length, to.length)
  return length > 0 && to.slice(0, length) < from.slice(0, length)
}

const periodsOf = (update: PdsUpdate): readonly (Ivl | undefined)[] => [
  ...update.names.map(({ value }) => value.validTime),
  ...update.addresses.map(({ value }) => value.useablePeriod),
  ...update.telecoms.map(({ value }) => value.useablePeriod),
  ...update.provisions.flatMap(({ effectiveTimes }) => effectiveTimes),
]

const placesOf = ({ birthplace }: PdsUpdate) =>
  birthplace === undefined ? [] : [birthplace.cities, birthplace.counties, birthplace.countries]

const namesIn = ({ names }: PdsUpdate) => names.filter(writes).map(({ value }) => value)

/** The rules of an update, in the order of §8.3; those of the record itself are the rules of every dialect (§10.3). */
export const updateChecks: readonly UpdateCheck[] = [
  {
    name: 'INVALID_UPDATE_MODE',
    clause,
    explains: 'PdsUpdateRequest has one code, 1 or 2; updateMode is added, altered or removed.',
    breaks: (update) =>
      update.modes.length !== 1 ||
      !['1', '2'].includes(update.modes[0]?.code ?? '') ||
      update.modes[0]?.codeSystem !== oid.updateMode ||
      modesOf(update).some(({ mode }) => !known.has(mode)),
  },
  {
    name: 'FAILED_MOD11_CHECK',
    clause,
    explains: 'The update is about one patient role with one id, a valid NHS number.',
    breaks: ({ patients, ids }) => patients !== 1 || ids.length !== 1 || !isNhsNumber(ids[0]?.extension ?? ''),
  },
  {
    name: 'MANDATORY_FIELD_MISSING',
    clause,
    explains: 'The update tells the one serial change number (code 2) that was read.',
    breaks({ serialChangeNumbers }) {
      const [number] = serialChangeNumbers
      return (
        serialChangeNumbers.length !== 1 ||
        number?.code?.code !== '2' ||
        number.code.codeSystem !== oid.pdsObservation ||
        !filled(number.value)
      )
    },
  },
  {
    name: 'UPDATE_NOT_SUPPORTED',
    clause: 'demographics §19.5',
    explains:
      'Names, addresses, telecoms, providers of care, gender, birth, death, birth place, language and contact preferences can be updated here; consents, related people and shared secrets cannot.',
    breaks: ({ others }) => others.length > 0,
  },
  {
    name: 'UPDATE_EMPTY',
    clause: 'demographics §19.5',
    explains: 'What is to be changed has an updateMode; the update has none.',
    breaks: (update) => update.others.length === 0 && modesOf(update).every(({ mode }) => mode === undefined),
  },
  {
    name: 'UID_MUST_BE_PROVIDED',
    clause,
    explains: 'What is altered or removed is named by its object id.',
    breaks: (update) => modesOf(update).some(({ mode, id }) => does(mode, 'altered', 'removed') && id === ''),
  },
  {
    name: 'UNSUPPORTED_CHARACTERS_IN_FIELD',
    clause,
    explains: 'Every name, address and telecom has a use.',
    breaks: (update) =>
      [...update.names, ...update.addresses, ...update.telecoms].some(
        (item) => writes(item) && !filled(item.value.use),
      ),
  },
  {
    name: 'INCORRECT_NUMBER_OF_ADDRESS_LINES',
    clause,
    explains: 'An address has one to five lines.',
    breaks: ({ addresses }) =>
      addresses.some((item) => writes(item) && (item.value.lines.length < 1 || item.value.lines.length > 5)),
  },
  {
    name: 'DESCRIPTION_PROVIDED_NO_TEMPORARY_ADDRESS',
    clause,
    explains: 'Only a temporary address (TMP) has a description.',
    breaks: ({ addresses }) =>
      addresses.some((item) => writes(item) && filled(item.value.description) && item.value.use !== 'TMP'),
  },
  {
    name: 'MORE_THAN_ONE_USABLE_PERIOD',
    clause,
    explains: 'An object has one period at most; of the providers of care only the practice (1) has one.',
    breaks: ({ names, addresses, telecoms, provisions }) =>
      [...names, ...addresses, ...telecoms].some(({ periods }) => periods > 1) ||
      provisions.some(({ code, effectiveTimes }) => effectiveTimes.length > (code === '1' ? 1 : 0)),
  },
  {
    name: 'HIGH_TIME_NOT_GREATER_THAN_LOW_TIME',
    clause,
    explains: 'A period does not end before it begins.',
    breaks: (update) => periodsOf(update).some(backwards),
  },
  {
    name: 'UNEXPECTED_CONTACT_TYPE',
    clause,
    explains: 'A telecom has a value that begins with tel:, fax:, mailto: or textphone:.',
    breaks: ({ telecoms }) =>
      telecoms.some((item) => writes(item) && !/^(tel|fax|mailto|textphone):./.test(item.value.value ?? '')),
  },
  {
    name: 'NO_MORE_THAN_ONE_PREFIX',
    clause,
    explains: 'A name has one prefix at most.',
    breaks: (update) => namesIn(update).some(({ prefix }) => prefix.length > 1),
  },
  {
    name: 'NO_MORE_THAN_ONE_FAMILY_NAME',
    clause,
    explains: 'A name has one family name at most.',
    breaks: (update) => namesIn(update).some(({ family }) => family.length > 1),
  },
  {
    name: 'NO_MORE_THAN_ONE_SUFFIX',
    clause,
    explains: 'A name has one suffix at most.',
    breaks: (update) => namesIn(update).some(({ suffix }) => suffix.length > 1),
  },
  {
    name: 'INSUFFICIENT_NAME_DETAILS',
    clause,
    explains: 'A name has a given name or a family name.',
    breaks: (update) => namesIn(update).some(({ given, family }) => ![...given, ...family].some(filled)),
  },
  {
    name: 'TOO_MANY_GIVEN_NAMES_5',
    clause,
    explains: 'A name has five given names at most.',
    breaks: (update) => namesIn(update).some(({ given }) => given.length > 5),
  },
  {
    name: 'UNABLE_TO_DELETE_USUAL_NAME',
    clause,
    explains: 'The usual name (L) is altered and never removed.',
    breaks: ({ names }) => names.some(({ value }) => value.updateMode === 'removed' && value.use === 'L'),
  },
  {
    name: 'UNSUPPORTED_PATIENT_CARE',
    clause,
    explains: 'A provider of care has a code: 1 practice, P1 to P3 pharmacies.',
    breaks: ({ provisions }) => provisions.some(({ code }) => !['1', 'P1', 'P2', 'P3'].includes(code ?? '')),
  },
  {
    name: 'MANDATORY_FIELD_MISSING_SUPP_INFO',
    clause,
    explains: 'A provider of care that is added or altered is one organisation.',
    breaks: ({ provisions }) =>
      provisions.some(
        ({ updateMode, organisations }) => does(updateMode, 'added', 'altered') && organisations.length !== 1,
      ),
  },
  {
    name: 'UNSUPPORTED_HCP_CODE_TYPE',
    clause,
    explains: 'The organisation is named by its ODS code.',
    breaks: ({ provisions }) =>
      provisions.some(({ organisations }) =>
        organisations.some(({ root }) => root !== oid.organisation && root !== oid.sdsOrganisation),
      ),
  },
  {
    name: 'GENDER_REMOVAL_NOT_PERMITTED',
    clause,
    explains: 'A gender is altered and never removed.',
    breaks: ({ gender }) => gender?.updateMode === 'removed',
  },
  {
    name: 'BIRTHTIME_REMOVAL_NOT_PERMITTED',
    clause,
    explains: 'A date of birth is altered and never removed.',
    breaks: ({ birthTime }) => birthTime?.updateMode === 'removed',
  },
  {
    name: 'INCONSISTENT_DEATH_UPDATE',
    clause,
    explains: 'The date of death and its notification are changed together.',
    breaks: ({ deceasedTime, deathNotification }) =>
      (deceasedTime?.updateMode === undefined) !== (deathNotification?.updateMode === undefined),
  },
  {
    name: 'DEATH_UPDATE_MODE_INCONSISTENT',
    clause,
    explains: 'The date of death and its notification have the same updateMode.',
    breaks: ({ deceasedTime, deathNotification }) =>
      deceasedTime?.updateMode !== undefined &&
      deathNotification?.updateMode !== undefined &&
      deceasedTime.updateMode !== deathNotification.updateMode,
  },
  {
    name: 'AUTHOR_CHANGED_ON_REMOVAL',
    clause,
    explains: 'A notification of a death that is removed names no author.',
    breaks: ({ deathNotification }) => deathNotification?.updateMode === 'removed' && deathNotification.authored,
  },
  {
    name: 'AUTHOR_UNSPECIFIED_ON_DEATH',
    clause,
    explains: 'A notification of a death that is added names its author.',
    breaks: ({ deathNotification }) => deathNotification?.updateMode === 'added' && !deathNotification.authored,
  },
  {
    name: 'DECEASED_TIME_CHANGED_ON_REMOVAL',
    clause,
    explains: 'A date of death that is removed carries no value.',
    breaks: ({ deceasedTime }) => deceasedTime?.updateMode === 'removed' && filled(deceasedTime.value),
  },
  {
    name: 'DEATH_NOTIFICATION_CHANGED_ON_REMOVAL',
    clause,
    explains: 'A notification of a death that is removed carries no value.',
    breaks: ({ deathNotification }) => deathNotification?.updateMode === 'removed' && filled(deathNotification.code),
  },
  {
    name: 'LANGUAGE_CHANGED_ON_REMOVAL',
    clause,
    explains: 'A language that is removed carries no value.',
    breaks: ({ language }) => language?.updateMode === 'removed' && filled(language.code),
  },
  {
    name: 'WRITTEN_COMM_FORMAT_CHANGED_ON_REMOVAL',
    clause,
    explains: 'A written format that is removed carries no value.',
    breaks: ({ writtenFormat }) => writtenFormat?.updateMode === 'removed' && filled(writtenFormat.code),
  },
  {
    name: 'BIRTHPLACE_CHANGED_ON_REMOVAL',
    clause,
    explains: 'A birth place that is removed carries no value.',
    breaks: (update) => update.birthplace?.updateMode === 'removed' && placesOf(update).flat().some(filled),
  },
  {
    name: 'UNEXPECTED_DATA_IN_BIRTHPLACE',
    clause,
    explains: 'A birth place has one city, county and country at most, and none that is empty.',
    breaks: (update) => placesOf(update).some((each) => each.length > 1 || each.includes('')),
  },
  {
    name: 'CITY_COUNTY_COUNTRY_MISSING',
    clause,
    explains: 'A birth place that is added or altered names a city, a county or a country.',
    breaks: (update) =>
      does(update.birthplace?.updateMode, 'added', 'altered') && placesOf(update).every((each) => each.length === 0),
  },
]
