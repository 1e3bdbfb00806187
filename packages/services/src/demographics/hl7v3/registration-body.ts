import type { ChangedPerson, PdsRegistration, RegisteringAuthority } from '@openspine/standards/hl7v3'
import { genderWords } from '../asked.ts'
import { extensionUrl, type Json } from '../person.ts'
import { passingUrl } from '../register/patient-checks.ts'
import {
  addressSnippet,
  birthPlaceOf,
  dateOf,
  formatPart,
  languageOf,
  methodParts,
  nameSnippet,
  practiceSnippet,
  telecomSnippet,
} from './snippets.ts'

/** Who registers, as a new record tells of them. */
export const authorityExtension = ({ code, ids }: RegisteringAuthority): Json => ({
  url: passingUrl.registeringAuthority,
  extension: [
    {
      url: 'registeringAuthorityType',
      valueCodeableConcept: {
        coding: [{ system: 'https://fhir.nhs.uk/CodeSystem/UKCore-RegisteringAuthorityType', code: code?.code }],
      },
    },
    { url: 'organisationIdentifier', valueString: ids[0]?.extension },
  ],
})

/** What a registration and a birth have in common: name, gender, date of birth, addresses and telecoms. */
export function particulars(person: ChangedPerson): Json {
  const telecom = person.telecoms.map(({ value }) => telecomSnippet(value))
  return {
    resourceType: 'Patient',
    name: person.names.map(({ value }) => nameSnippet(value)),
    gender: genderWords[person.gender?.code ?? ''] ?? person.gender?.code,
    birthDate: dateOf(person.birthTime?.value?.slice(0, 8)),
    address: person.addresses.map(({ value }) => addressSnippet(value)),
    ...(telecom.length > 0 && { telecom }),
  }
}

/** A request for a new number as the body that every dialect's becomes (§12). */
export function registrationBody({ authorities, person }: PdsRegistration): Json {
  const preferences = [
    ...(person.writtenFormat === undefined ? [] : [formatPart(person.writtenFormat)]),
    ...(person.contactMethod === undefined ? [] : methodParts(person.contactMethod)),
  ]
  return {
    ...particulars(person),
    extension: [
      ...authorities.map(authorityExtension),
      ...(person.language === undefined ? [] : [{ url: extensionUrl.communication, ...languageOf(person.language) }]),
      ...(preferences.length === 0 ? [] : [{ url: extensionUrl.contactPreference, extension: preferences }]),
      ...(person.birthplace === undefined
        ? []
        : [{ url: extensionUrl.birthPlace, ...birthPlaceOf(person.birthplace) }]),
    ],
  }
}

/** The practice that a request names; undefined where it names none. */
export function practiceIn({ person }: PdsRegistration): Json | undefined {
  const practice = person.provisions.find(({ code }) => code === '1')
  return practice && practiceSnippet(practice)
}
