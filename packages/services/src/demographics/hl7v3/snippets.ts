import {
  type Ad,
  boundOf,
  type ChangedConsent,
  type ChangedPerson,
  type Ii,
  type Ivl,
  type Pn,
  type Tel,
} from '@openspine/standards/hl7v3'
import { namingSystem } from '@openspine/standards/nhs'
import type { Json } from '../person.ts'
import { pafKey } from '../rules/addresses.ts'
import { addressWords, nameWords, schemeWords, telecomWords } from '../spine-person.ts'

/*
 * Values of a message as the record has them. They go over as they were sent: whether they are sound is asked by the rules of
 * the record, which are the same for every dialect.
 */

/** `20240131` → `2024-01-31`; a time of day stays with it. Anything else as it is, for the rules to refuse. */
export function dateOf(moment: string | undefined): string | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?$/.exec(moment ?? '')
  if (found === null) return moment
  const [, year, month, day, hour, minute, second] = found
  return `${year}-${month}-${day}${hour === undefined ? '' : `T${hour}:${minute}:${second}+00:00`}`
}

/** A period, where the interval has a bound. */
export function period(time: Ivl | undefined): { readonly period?: Json } {
  const [start, end] = [dateOf(boundOf(time, 'low')), dateOf(boundOf(time, 'high'))]
  if (start === undefined && end === undefined) return {}
  return { period: { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) } }
}

const filled = (texts: readonly string[]) => texts.filter((each) => each !== '')

export function nameSnippet({ use = '', prefix, given, family, suffix, validTime }: Pn): Json {
  const lists = { prefix: filled(prefix), given: filled(given), suffix: filled(suffix) }
  return {
    use: nameWords[use] ?? use,
    ...period(validTime),
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(family[0] ? { family: family[0] } : {}),
  }
}

export function addressSnippet({ use = '', lines, postalCode, addressKey, description, useablePeriod }: Ad): Json {
  return {
    use: addressWords[use] ?? use,
    ...period(useablePeriod),
    ...(description ? { text: description } : {}),
    line: lines,
    ...(postalCode ? { postalCode } : {}),
    // 0 says that there is none.
    ...(addressKey && addressKey !== '0' ? { extension: [pafKey(addressKey)] } : {}),
  }
}

const textphone: Json = {
  url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-OtherContactSystem',
  valueCoding: {
    system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-OtherContactSystem',
    code: 'textphone',
    display: 'Minicom (Textphone)',
  },
}

export function telecomSnippet({ use = '', value = '', useablePeriod }: Tel): Json {
  const [scheme = '', ...rest] = value.split(':')
  return {
    use: telecomWords[use] ?? use,
    ...period(useablePeriod),
    system: schemeWords[`${scheme}:`] ?? scheme,
    value: rest.join(':'),
    ...(scheme === 'textphone' ? { extension: [textphone] } : {}),
  }
}

/** Somebody to be told in an emergency: the record has no use and no period with the telecom itself. */
export function emergencySnippet(tel: Tel): Json {
  const { use: _, period: told, ...telecom } = telecomSnippet(tel)
  return {
    ...(told === undefined ? {} : { period: told }),
    relationship: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0131', code: 'C', display: 'Emergency Contact' }],
      },
    ],
    telecom: [telecom],
  }
}

/** A consent and how it stands. */
export const consentParts = ({ type, value }: ChangedConsent): Json => ({
  extension: [
    { url: 'consentType', valueCodeableConcept: { coding: [{ code: type, ...display(consentTypes, type) }] } },
    { url: 'consentValue', valueCodeableConcept: { coding: [{ code: value, ...display(consentValues, value) }] } },
  ],
})

const consentTypes: Readonly<Record<string, string>> = { 4: 'ncrs' }
const consentValues: Readonly<Record<string, string>> = { 1: 'consent', 2: 'dissent' }
const display = (words: Readonly<Record<string, string>>, code = '') =>
  words[code] === undefined ? {} : { display: words[code] }

/** An organisation by its ODS code. */
export const odsIdentifier = (organisations: readonly Ii[]): Json => ({
  system: namingSystem.fhirNhsUk.odsOrganisation,
  value: organisations[0]?.extension?.toUpperCase() ?? '',
})

/** The registered practice. */
export const practiceSnippet = (practice: {
  readonly organisations: readonly Ii[]
  readonly effectiveTimes: readonly Ivl[]
}): Json => ({
  type: 'Organization',
  identifier: { ...odsIdentifier(practice.organisations), ...period(practice.effectiveTimes[0]) },
})

/** A part of an extension that is a code. */
export const coded = (url: string, system: string, code: string): Json => ({
  url,
  valueCodeableConcept: { coding: [{ system: `https://fhir.hl7.org.uk/CodeSystem/${system}`, code }] },
})

/** The parts of a contact preference that tell how and when. */
export const methodParts = (told: NonNullable<ChangedPerson['contactMethod']>): readonly Json[] => [
  ...(told.code === undefined ? [] : [coded('PreferredContactMethod', 'UKCore-PreferredContactMethod', told.code)]),
  ...(told.times === undefined ? [] : [{ url: 'PreferredContactTimes', valueString: told.times }]),
]

/** The part of a contact preference that tells in which format to write. */
export const formatPart = (told: NonNullable<ChangedPerson['writtenFormat']>): Json =>
  coded('PreferredWrittenCommunicationFormat', 'UKCore-PreferredWrittenCommunicationFormat', told.code ?? '')

/** What a death notification says. */
export const deathParts = (told: ChangedPerson['deathNotification']): Json => ({
  extension: [coded('deathNotificationStatus', 'UKCore-DeathNotificationStatus', told?.code ?? '')],
})

export const birthPlaceOf = (place: ChangedPerson['birthplace']): Json => ({
  valueAddress: {
    ...(place?.cities[0] ? { city: place.cities[0] } : {}),
    ...(place?.counties[0] ? { district: place.counties[0] } : {}),
    ...(place?.countries[0] ? { country: place.countries[0] } : {}),
  },
})

export const languageOf = (told: ChangedPerson['language']): Json => ({
  extension: [
    coded('language', 'UKCore-HumanLanguage', told?.code ?? ''),
    { url: 'interpreterRequired', valueBoolean: told?.interpreter === '1' },
  ],
})

/** Why and when somebody leaves a list. */
export const removalParts = (told: ChangedPerson['removal']): Json => {
  const { period: valuePeriod } = period(told?.effectiveTime)
  return {
    extension: [
      {
        url: 'removalFromRegistrationCode',
        valueCodeableConcept: {
          coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/PDS-RemovalReasonExitCode', code: told?.code ?? '' }],
        },
      },
      ...(valuePeriod === undefined ? [] : [{ url: 'effectiveTime', valuePeriod }]),
    ],
  }
}
