import { type ChangedPerson, noChanges, oid, type PdsRelated, type PdsUpdate } from '@openspine/standards/hl7v3'
import { isNhsNumber } from '@openspine/standards/nhs'
import type { MessageCheck } from './message-check.ts'
import { does, filled, objectChecks } from './object-checks.ts'
import { relatedChecks } from './related-checks.ts'

/** One rule of an update. */
export type UpdateCheck = MessageCheck<PdsUpdate>

const clause = 'messaging §8.3'
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
  const { contactMethod, writtenFormat, removal, enrolment } = update
  const singles = [gender, birthTime, deceasedTime, multipleBirth, deathNotification, birthplace, language]
  return [
    ...items,
    ...[
      ...singles,
      contactMethod,
      writtenFormat,
      removal,
      enrolment,
      ...update.provisions,
      ...update.related,
      ...update.consents,
      ...update.secrets,
    ].map((each) => ({
      mode: each?.updateMode,
    })),
  ]
}

/** The names, addresses and telecoms of a related person, each done with as the person is. */
function details({ updateMode, names, addresses, telecoms, effectiveTime }: PdsRelated): ChangedPerson {
  const each = <Value extends object>(values: readonly Value[]) =>
    values.map((value) => ({ value: { ...value, ...(updateMode === undefined ? {} : { updateMode }) }, periods: 0 }))
  // How long somebody is related is a period as any other.
  const related = { code: '1', effectiveTimes: effectiveTime === undefined ? [] : [effectiveTime], organisations: [] }
  return {
    ...noChanges,
    names: each(names),
    addresses: each(addresses),
    telecoms: each(telecoms),
    provisions: [related],
  }
}

const placesOf = ({ birthplace }: PdsUpdate) =>
  birthplace === undefined ? [] : [birthplace.cities, birthplace.counties, birthplace.countries]

/** The rules of every update, in the order of §8.3; those of the record itself are the rules of every dialect (§10.3). */
export const sharedUpdateChecks: readonly UpdateCheck[] = [
  {
    name: 'INVALID_UPDATE_MODE',
    where: 'updateMode',
    clause,
    explains: 'updateMode is added, altered or removed.',
    breaks: (update) => modesOf(update).some(({ mode }) => !known.has(mode)),
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
      'Names, addresses, telecoms, providers of care, related people, gender, birth, death, birth place, language, contact preferences and the consent to share can be updated here; shared secrets and the rest cannot.',
    breaks: ({ others, secrets }) =>
      others.length > 0 || secrets.some((secret) => secret.updateMode !== undefined && filled(secret.value)),
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
  ...objectChecks.map(
    (check): UpdateCheck => ({
      ...check,
      breaks: (update) => check.breaks(update) || update.related.some((each) => check.breaks(details(each))),
    }),
  ),
  ...relatedChecks,
  {
    name: 'MISSING_CODE_FROM_SHARED_SECRET',
    clause,
    explains: 'A shared secret has a code (codeSystem 2.16.840.1.113883.2.1.3.2.4.17.35).',
    breaks: ({ secrets }) =>
      secrets.some(({ updateMode, code }) => updateMode !== undefined && code?.codeSystem !== oid.pdsObservation),
  },
  {
    name: 'MISSING_VALUE_FROM_SHARED_SECRET',
    clause,
    explains: 'A shared secret has a value.',
    breaks: ({ secrets }) =>
      secrets.some(({ updateMode, value }) => does(updateMode, 'added', 'altered') && !filled(value)),
  },
  {
    name: 'INVALID_CONSENT_VALUE',
    clause,
    explains: 'The consent that is kept is that to share the record (4): 1 consent, 2 dissent.',
    breaks: ({ consents }) =>
      consents.some(
        ({ updateMode, type, value }) =>
          updateMode !== undefined && (type !== '4' || (updateMode !== 'removed' && !['1', '2'].includes(value ?? ''))),
      ),
  },
  {
    name: 'CONSENT_VALUES_CANNOT_BE_REMOVED',
    clause,
    explains: 'The consent to share the record (4) is altered and never removed.',
    breaks: ({ consents }) => consents.some(({ updateMode, type }) => updateMode === 'removed' && type === '4'),
  },
  {
    name: 'UNABLE_TO_DELETE_USUAL_NAME',
    clause,
    explains: 'The usual name (L) is altered and never removed.',
    breaks: ({ names }) => names.some(({ value }) => value.updateMode === 'removed' && value.use === 'L'),
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
    name: 'INVALID_AUTHOR_SPECIFICATION',
    clause,
    explains: 'Only a death has an author: who notifies it.',
    breaks: ({ authors, deathNotification }) => authors > 0 && deathNotification?.updateMode === undefined,
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

/** The rules of a general update (PRPA_IN000203). */
export const updateChecks: readonly UpdateCheck[] = [
  {
    name: 'INVALID_UPDATE_MODE',
    clause,
    explains: 'PdsUpdateRequest has one code, 1 or 2.',
    breaks: ({ modes }) =>
      modes.length !== 1 || !['1', '2'].includes(modes[0]?.code ?? '') || modes[0]?.codeSystem !== oid.updateMode,
  },
  ...sharedUpdateChecks,
  {
    name: 'UPDATE_NOT_SUPPORTED',
    where: 'NHAIS',
    clause: 'demographics §19.1',
    explains: 'Joining and leaving the list of a practice is told by an update of NHAIS (PRPA_IN000204).',
    breaks: ({ removal, enrolment }) => removal?.updateMode !== undefined || enrolment?.updateMode !== undefined,
  },
]
