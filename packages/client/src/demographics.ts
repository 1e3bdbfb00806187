import { isNhsNumber } from '@openspine/standards/nhs'
import type { ReadBundle } from './bundle.ts'
import { type Json, list, object, present, text } from './json.ts'
import { unexpected } from './provider.ts'

/** What a consumer must compare before it trusts that a record is about its patient (§14). */
export interface Demographics {
  readonly family?: string
  readonly given?: readonly string[]
  readonly gender?: string
  readonly birthDate?: string
  /** ODS code of the registered practice. */
  readonly practice?: string
  /** Date of death, with or without a time. */
  readonly deceased?: string
}

export type DemographicField = keyof Demographics

export interface DemographicDifference {
  readonly field: DemographicField
  /** As the consumer knows it, usually from the trace. */
  readonly local?: string
  /** As the provider says it. */
  readonly returned?: string
}

/** The returned patient beside the local one. Show every difference to the user: the record may be of someone else. */
export interface Comparison {
  readonly differences: readonly DemographicDifference[]
  /** Of which the provider's answer says nothing that could be compared. */
  readonly notCompared: readonly DemographicField[]
}

/** The demographics of a Patient of any version; the practice from R4's identifier, or from `practice`. */
export function demographicsOf(patient: Json, practice?: string): Demographics {
  const names = list(patient['name']).map(object)
  const name = names.find(({ use }) => use === 'official' || use === 'usual') ?? names[0] ?? {}
  const family = Array.isArray(name['family']) ? name['family'].join(' ') : text(name['family'])
  const given = list(name['given']).flatMap((one) => text(one) ?? [])
  const registered =
    practice ??
    list(patient['generalPractitioner'])
      .map((one) => text(object(object(one)['identifier'])['value']))
      .find((value) => value !== undefined)
  const gender = text(patient['gender'])
  const birthDate = text(patient['birthDate'])
  const deceased = text(patient['deceasedDateTime']) ?? (patient['deceasedBoolean'] === true ? 'true' : undefined)
  return present({
    family,
    given: given.length === 0 ? undefined : given,
    gender,
    birthDate,
    practice: registered,
    deceased,
  })
}

/** The NHS number of a Patient of any version. */
export function nhsNumberOf(patient: Json): string | undefined {
  return list(patient['identifier'])
    .map(object)
    .filter(({ system }) => text(system)?.endsWith('/nhs-number'))
    .map(({ value }) => text(value))
    .find(isNhsNumber)
}

/**
 * Code of the practice that a Patient names, where the bundle has the organisation: the registered one by
 * `generalPractitioner` (STU3) or `careProvider` (DSTU2), else the one that manages the record.
 */
export function practiceIn(bundle: ReadBundle, patient: Json): string | undefined {
  const references = [
    ...list(patient['generalPractitioner']),
    ...list(patient['careProvider']),
    patient['managingOrganization'],
  ]
  for (const reference of references) {
    const organisation = bundle.resolve(text(object(reference)['reference']))
    if (organisation?.['resourceType'] !== 'Organization') continue
    const code = odsCodeOf(organisation)
    if (code !== undefined) return code
  }
  return undefined
}

export function odsCodeOf(organisation: Json): string | undefined {
  return list(organisation['identifier'])
    .map(object)
    .filter(({ system }) => text(system)?.endsWith('/ods-organization-code'))
    .map(({ value }) => text(value))
    .find((value) => value !== undefined)
}

/** Spelling in other case or with other blanks is no difference; an umlaut in place of a vowel is. */
const plain = (value: string) => value.normalize('NFC').trim().replaceAll(/\s+/g, ' ').toLowerCase()

const compared: Readonly<Record<DemographicField, (value: Demographics) => string | undefined>> = {
  family: ({ family }) => family,
  given: ({ given }) => given?.join(' '),
  gender: ({ gender }) => gender,
  birthDate: ({ birthDate }) => birthDate,
  practice: ({ practice }) => practice,
  // A time of death is recorded by few; the day counts.
  deceased: ({ deceased }) => deceased?.slice(0, 10),
}

/** Field by field. A practice that the answer does not name was not compared; anything else that one side lacks differs. */
export function compareDemographics(local: Demographics, returned: Demographics): Comparison {
  const differences: DemographicDifference[] = []
  const notCompared: DemographicField[] = []
  for (const field of Object.keys(compared) as DemographicField[]) {
    const here = compared[field](local)
    const there = compared[field](returned)
    if (field === 'practice' && there === undefined) {
      if (here !== undefined) notCompared.push(field)
    } else if (plain(here ?? '') !== plain(there ?? '')) {
      differences.push(present({ field, local: here, returned: there }))
    }
  }
  return { differences, notCompared }
}

/** Another person's record is never handed on. */
export function insistOnPatient(traceId: string, patient: Json, nhsNumber: string): void {
  const returned = nhsNumberOf(patient)
  if (returned !== undefined && returned !== nhsNumber)
    throw unexpected(traceId, 'the record of another patient: its NHS number is not the one that was asked for')
}
