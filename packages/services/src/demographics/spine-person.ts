import {
  type Ad,
  type CareProvision,
  interval,
  oid,
  type PdsPerson,
  type PdsRelated,
  type Pn,
  type Tel,
} from '@openspine/standards/hl7v3'
import { genderCode } from './asked.ts'
import { asJson, extensionUrl, items, type Json, type Sensitivity, text } from './person.ts'
import { pafKeyOf } from './rules/addresses.ts'

/*
 * A person as HL7 V3 tells of them, from what a view shows. Nothing is withheld here: whoever calls gives what may be shown.
 */

export const object = (extension: unknown) => {
  const id = text(extension)
  return id === undefined ? {} : { id: { root: oid.pdsObject, extension: id } }
}

/** `2020-01-01` → `20200101`; midnight is no time of day. */
export function moment(date: unknown): string | undefined {
  const written = text(date)
  if (written === undefined) return undefined
  const digits = written.slice(0, 19).replaceAll(/[-:T]/g, '')
  return digits.endsWith('000000') && digits.length === 14 ? digits.slice(0, 8) : digits
}

export const period = (value: unknown) => interval(moment(asJson(value)['start']), moment(asJson(value)['end']))

const nameUses: Readonly<Record<string, string>> = {
  usual: 'L',
  nickname: 'PREFERRED',
  temp: 'ALIAS',
  maiden: 'PREVIOUS-MAIDEN',
  old: 'PREVIOUS',
}
const addressUses: Readonly<Record<string, string>> = { home: 'H', temp: 'TMP', billing: 'PST', work: 'WP', old: 'H' }
const telecomUses: Readonly<Record<string, string>> = { home: 'HP', work: 'WP', temp: 'HV', mobile: 'MC' }
/** Use of a telecom by which somebody is reached in an emergency; the record has contacts for it. */
export const emergencyUse = 'EC'
const schemes: Readonly<Record<string, string>> = { phone: 'tel:', fax: 'fax:', email: 'mailto:', other: 'textphone:' }

const wordsOf = (codes: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(codes)
      .filter(([word]) => word !== 'old' || codes !== addressUses)
      .map(([word, code]) => [code, word]),
  )

/** The words of the record for what these messages call otherwise. */
export const nameWords = wordsOf(nameUses)
export const addressWords = wordsOf(addressUses)
export const telecomWords = wordsOf(telecomUses)
export const schemeWords = wordsOf(schemes)

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((part): part is string => typeof part === 'string' && part !== '') : []

export function nameOf(name: Json): Pn {
  const validTime = period(name['period'])
  const family = text(name['family'])
  return {
    use: nameUses[String(name['use'])] ?? 'L',
    prefix: texts(name['prefix']),
    given: texts(name['given']),
    family: family === undefined ? [] : [family],
    suffix: texts(name['suffix']),
    ...(validTime && { validTime }),
    ...object(name['id']),
  }
}

/** Premises, street, locality, town, county: five places, blank ones kept. */
export function linesOf(address: Json): readonly string[] {
  const lines = Array.isArray(address['line']) ? address['line'].map((part: unknown) => text(part) ?? '') : []
  return Array.from({ length: 5 }, (_, place) => lines[place] ?? '')
}

export function addressOf(address: Json): Ad {
  const useablePeriod = period(address['period'])
  const postalCode = text(address['postalCode'])
  const description = text(address['text'])
  const addressKey = pafKeyOf(address)
  return {
    use: addressUses[String(address['use'])] ?? 'H',
    lines: linesOf(address),
    ...(postalCode === undefined ? {} : { postalCode }),
    ...(addressKey === undefined ? {} : { addressKey }),
    ...(description === undefined ? {} : { description }),
    ...(useablePeriod && { useablePeriod }),
    ...object(address['id']),
  }
}

/** Emergency contacts: a telecom for each of a contact's, under the object id and the period of the contact. */
function emergenciesOf(contact: Json): Tel[] {
  const useablePeriod = period(contact['period'])
  return items(contact['telecom']).map((telecom) => ({
    use: emergencyUse,
    value: telecomOf(telecom).value ?? '',
    ...(useablePeriod && { useablePeriod }),
    ...object(contact['id']),
  }))
}

export function telecomOf(telecom: Json): Tel {
  const useablePeriod = period(telecom['period'])
  return {
    use: telecomUses[String(telecom['use'])] ?? 'HP',
    value: `${schemes[String(telecom['system'])] ?? 'tel:'}${text(telecom['value']) ?? ''}`,
    ...(useablePeriod && { useablePeriod }),
    ...object(telecom['id']),
  }
}

/** The registered practice always has this object id (§1); those of pharmacies follow its manner. */
const practiceId = 'cppz'
const pharmacies = [
  [extensionUrl.nominatedPharmacy, 'P1', 'cpp1'],
  [extensionUrl.applianceSupplier, 'P2', 'cpp2'],
  [extensionUrl.dispensingDoctor, 'P3', 'cpp3'],
] as const

/** Extension that holds a pharmacy, by the code of its kind. */
export const pharmacyUrls: Readonly<Record<string, string>> = Object.fromEntries(
  pharmacies.map(([url, code]) => [code, url]),
)

function practiceOf(practitioner: Json): CareProvision[] {
  const identifier = asJson(practitioner['identifier'])
  const odsCode = text(identifier['value'])
  if (odsCode === undefined) return []
  const effectiveTime = period(identifier['period'])
  return [
    {
      code: '1',
      ...(effectiveTime && { effectiveTime }),
      id: { root: oid.pdsObject, extension: practiceId },
      organisation: { root: oid.organisation, extension: odsCode },
    },
  ]
}

const extensionIn = (patient: Json, url: string): Json | undefined =>
  items(patient['extension']).find((extension) => extension['url'] === url)
const part = (extension: Json | undefined, url: string): Json | undefined =>
  items(extension?.['extension']).find((each) => each['url'] === url)
const codeOf = (extension: Json | undefined): string | undefined =>
  text(items(asJson(extension?.['valueCodeableConcept'])['coding'])[0]?.['code'])

function pharmaciesOf(patient: Json): CareProvision[] {
  return pharmacies.flatMap(([url, code, id]): CareProvision[] => {
    const reference = asJson(extensionIn(patient, url)?.['valueReference'])
    const odsCode = text(asJson(reference['identifier'])['value'])
    return odsCode === undefined
      ? []
      : [
          {
            code,
            id: { root: oid.pdsObject, extension: id },
            organisation: { root: oid.organisation, extension: odsCode },
          },
        ]
  })
}

/** 1 informal, 2 formal, U removed. */
export const deathStatusOf = (patient: Json): string | undefined =>
  codeOf(part(extensionIn(patient, extensionUrl.deathNotification), 'deathNotificationStatus'))

export function languageOf(patient: Json): PdsPerson['language'] {
  const communication = extensionIn(patient, extensionUrl.communication)
  const code = codeOf(part(communication, 'language'))
  if (code === undefined) return undefined
  return { code, interpreter: part(communication, 'interpreterRequired')?.['valueBoolean'] === true ? '1' : '0' }
}

export function contactOf(patient: Json): Pick<PdsPerson, 'contact' | 'writtenFormat'> {
  const preference = extensionIn(patient, extensionUrl.contactPreference)
  const method = codeOf(part(preference, 'PreferredContactMethod'))
  const times = text(part(preference, 'PreferredContactTimes')?.['valueString'])
  const writtenFormat = codeOf(part(preference, 'PreferredWrittenCommunicationFormat'))
  return {
    ...(method === undefined && times === undefined
      ? {}
      : { contact: { ...(method === undefined ? {} : { method }), ...(times === undefined ? {} : { times }) } }),
    ...(writtenFormat === undefined ? {} : { writtenFormat }),
  }
}

function removalOf(patient: Json): PdsPerson['removal'] {
  const removal = extensionIn(patient, extensionUrl.removal)
  const reason = codeOf(part(removal, 'removalFromRegistrationCode'))
  if (reason === undefined) return undefined
  const effectiveTime = period(part(removal, 'effectiveTime')?.['valuePeriod'])
  return effectiveTime === undefined ? { reason } : { reason, effectiveTime }
}

function birthplaceOf(patient: Json): Ad | undefined {
  const place = asJson(extensionIn(patient, extensionUrl.birthPlace)?.['valueAddress'])
  const [city, county, country] = [text(place['city']), text(place['district']), text(place['country'])]
  if (city === undefined && county === undefined && country === undefined) return undefined
  return {
    lines: [],
    ...(city === undefined ? {} : { city }),
    ...(county === undefined ? {} : { county }),
    ...(country === undefined ? {} : { country }),
  }
}

function consentsOf(patient: Json): PdsPerson['consents'] {
  const consent = extensionIn(patient, extensionUrl.consent)
  const [type, value] = [codeOf(part(consent, 'consentType')), codeOf(part(consent, 'consentValue'))]
  return type === undefined || value === undefined ? [] : [{ type, value }]
}

const sensitive = 'Y'

/** What is shown of a person: the view of the current record, and that of the past where ended snippets are asked for. */
export function pdsPerson(
  shown: Json,
  about: {
    readonly nhsNumber: string
    readonly version: number
    readonly sensitivity: Sensitivity
    readonly past?: Json
    /** Related people, as they may be shown. */
    readonly related?: readonly PdsRelated[]
    /** 0 to 1. */
    readonly score?: number
  },
): PdsPerson {
  const { past = {}, score, related = [] } = about
  const gender = genderCode(shown['gender'])
  const birth = moment(shown['birthDate'])
  const died = moment(shown['deceasedDateTime'])
  const order = shown['multipleBirthInteger']
  const language = languageOf(shown)
  const removal = removalOf(shown)
  const birthplace = birthplaceOf(shown)
  const death = deathStatusOf(shown)
  const notified = moment(
    part(extensionIn(shown, extensionUrl.deathNotification), 'systemEffectiveDate')?.['valueDateTime'],
  )
  const both = (member: string) => [...items(shown[member]), ...items(past[member])]
  return {
    id: { root: oid.nhsNumber, extension: about.nhsNumber },
    serialChangeNumber: String(about.version),
    ...(about.sensitivity === 'U' ? {} : { confidentiality: sensitive }),
    ...(gender === undefined ? {} : { gender: { code: gender } }),
    ...(birth === undefined ? {} : { birthTime: { value: birth } }),
    ...(died === undefined ? {} : { deceasedTime: { value: died } }),
    ...(typeof order === 'number' ? { multipleBirth: String(order) } : {}),
    ...(birthplace && { birthplace }),
    ...(language && { language }),
    provisions: [...pharmaciesOf(shown), ...both('generalPractitioner').flatMap(practiceOf)],
    addresses: both('address').map(addressOf),
    telecoms: [...both('telecom').map(telecomOf), ...items(shown['contact']).flatMap(emergenciesOf)],
    names: both('name').map(nameOf),
    related,
    ...(death === undefined ? {} : { deathNotification: death }),
    ...(notified === undefined ? {} : { deathNotified: notified }),
    consents: consentsOf(shown),
    ...contactOf(shown),
    ...(removal && { removal }),
    ...(score === undefined ? {} : { matchingLevel: String(Math.floor(score * 100)) }),
  }
}
