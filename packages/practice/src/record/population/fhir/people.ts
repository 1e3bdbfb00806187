/** People and places out of FHIR: patients, practitioners with their roles, locations. */
import { isNhsNumber } from '@openspine/standards/nhs'
import type { Location, Practitioner } from '../../people.ts'
import {
  codeOf,
  codesOf,
  dayOf,
  extension,
  extensions,
  type Fields,
  fields,
  flagOf,
  known,
  lineOf,
  list,
  strings,
  textOf,
  wordsOf,
} from './elements.ts'
import type { Mapping } from './mapping.ts'
import type { Held, Resources } from './resources.ts'

/** `https://fhir.nhs.uk/Id/nhs-number`, `http://fhir.nhs.net/Id/nhs-number` and their like. */
const isNumberSystem = (system: unknown): boolean => /\/nhs-number$/i.test(textOf(system) ?? '')

/** The NHS number among identifiers; `undefined`: there is none, `false`: it is wrong. */
export function nhsNumberOf(identifiers: unknown): string | false | undefined {
  const written = list(identifiers)
    .filter(({ system }) => isNumberSystem(system))
    .map(({ value }) => textOf(value)?.replaceAll(/[\s-]/g, ''))
    .find((value) => value !== undefined)
  if (written === undefined) return undefined
  return isNhsNumber(written) ? written : false
}

const bestOf = (names: unknown, use: string): Fields =>
  list(names).find((one) => one['use'] === use) ??
  list(names).find((one) => one['use'] !== 'old') ??
  list(names)[0] ??
  {}

export function personName(names: unknown) {
  const name = bestOf(names, 'official')
  // DSTU2 has a list of family names.
  const family = strings(name['family']).join(' ')
  return {
    family: family === '' ? lineOf(name['text']) : family,
    given: strings(name['given']),
    prefix: strings(name['prefix']),
  }
}

function addressOf(address: unknown) {
  const { line, city, district, postalCode } = fields(address)
  const found = known({
    lines: strings(line),
    city: lineOf(city),
    district: lineOf(district),
    postcode: lineOf(postalCode),
  })
  return Object.keys(found).length === 0 ? undefined : { lines: [], ...found }
}

function telecomsOf(telecom: unknown) {
  return list(telecom).flatMap(({ system, value, use }) => {
    const text = lineOf(value)
    const kind = (['phone', 'fax', 'email'] as const).find((each) => each === textOf(system))
    if (text === undefined || kind === undefined) return []
    const where = textOf(use)
    const uses = ['home', 'work', 'temp', 'mobile'] as const
    return [{ system: kind, value: text, use: uses.find((each) => each === where) ?? ('home' as const) }]
  })
}

function communicationsOf(resource: Fields) {
  return extensions(resource, 'NHSCommunication').flatMap((each) => {
    const coded = (name: string) => {
      const concept = fields(list(each['extension']).find(({ url }) => url === name))['valueCodeableConcept']
      const code = codeOf(concept)
      return code === undefined ? undefined : { code, display: wordsOf(concept) ?? code }
    }
    const flag = (name: string) =>
      flagOf(fields(list(each['extension']).find(({ url }) => url === name))['valueBoolean'])
    const language = coded('language')
    if (language === undefined) return []
    return [
      {
        language,
        ...known({
          preferred: flag('preferred'),
          mode: coded('modeOfCommunication'),
          proficiency: coded('communicationProficiency'),
          interpreterRequired: flag('interpreterRequired'),
        }),
      },
    ]
  })
}

const registrationTypes: Readonly<Record<string, string>> = {
  R: 'regular',
  T: 'temporary',
  E: 'emergency',
  IN: 'immediately-necessary',
  P: 'private',
  O: 'other',
  S: 'synthetic',
}

function registrationOf(resource: Fields, mapping: Mapping, from: Held) {
  const details = extension(resource, 'RegistrationDetails')
  const part = (name: string) => fields(list(details['extension']).find(({ url }) => textOf(url)?.endsWith(name)))
  const period = fields(
    part('registrationPeriod')['valuePeriod'] ?? extension(resource, 'registration-period')['valuePeriod'],
  )
  const type = registrationTypes[codeOf(part('registrationType')['valueCodeableConcept']) ?? '']
  const start = dayOf(period['start'])
  const end = dayOf(period['end'])
  return known({
    registrationDate: start,
    // A regular registration without an end is what the record has anyway.
    registration:
      (type !== undefined && type !== 'regular') || end !== undefined
        ? { ...known({ type }), period: known({ start, end }) }
        : undefined,
    preferredBranch: mapping.location(part('preferredBranchSurgery')['valueReference'], from),
  })
}

/** The ODS code of the organisation that a reference points at, or names by its identifier. */
export function organisationOf(reference: unknown, from: Held, { follow }: Resources): string | undefined {
  const found = follow(reference, from)
  if (found !== undefined) return found.type === 'Organization' ? odsCodeOf(found.resource) : undefined
  return odsCodeOf(fields(reference))
}

/** Where the patient's record is held, and where the patient is registered: ODS codes, as far as the source says. */
export function practicesOf(held: Held, resources: Resources) {
  const { managingOrganization, generalPractitioner, careProvider } = held.resource
  const heldAt = organisationOf(managingOrganization, held, resources)
  const registeredAt = list(generalPractitioner ?? careProvider)
    .map((reference) => organisationOf(reference, held, resources))
    .find((odsCode) => odsCode !== undefined)
  return { heldAt: heldAt ?? registeredAt, registeredAt: registeredAt ?? heldAt }
}

/** The patient's own part of a record; the usual GP is one of those whom the mapping knows. */
export function personOf(held: Held, mapping: Mapping) {
  const { resource } = held
  const { resources } = mapping
  const usualGp = list(resource['generalPractitioner'] ?? resource['careProvider'])
    .map((reference) => mapping.practitioner(reference, held))
    .find((id) => id !== undefined)
  const identifier = list(resource['identifier']).find(({ system }) => isNumberSystem(system))
  const verified = codeOf(
    extension(identifier, 'NHSNumberVerificationStatus')['valueCodeableConcept'] ??
      extension(identifier, 'nhs-number-verification-status')['valueCodeableConcept'],
  )
  const addresses = list(resource['address'])
  const temporary = addresses.find(({ use }) => use === 'temp')
  const home =
    addresses.find(({ use }) => use === 'home') ?? addresses.find((one) => one !== temporary && one['use'] !== 'old')
  return known({
    name: personName(resource['name']),
    gender: textOf(resource['gender']) ?? 'unknown',
    birthDate: dayOf(resource['birthDate']),
    nhsNumberVerified:
      verified === undefined ? undefined : verified === '01' || verified === 'number-present-and-verified',
    address: addressOf(home),
    temporaryAddress: addressOf(temporary),
    telecom: telecomsOf(resource['telecom']),
    contacts: list(resource['contact']).flatMap((contact) => {
      const relationship = list(contact['relationship']).map(wordsOf)[0]
      if (relationship === undefined) return []
      return [
        {
          relationship,
          ...known({
            name: contact['name'] === undefined ? undefined : known(personName(contact['name'])),
            telecom: telecomsOf(contact['telecom']),
            address: addressOf(contact['address']),
          }),
        },
      ]
    }),
    communications: communicationsOf(resource),
    active: flagOf(resource['active']),
    deceasedDate: dayOf(resource['deceasedDateTime']),
    sensitive: list(fields(resource['meta'])['security']).some(({ code }) => code === 'R') ? true : undefined,
    registeredAt: practicesOf(held, resources).registeredAt,
    usualGp,
    ...registrationOf(resource, mapping, held),
  })
}

/** The ODS code of an organisation, in the form of any version. */
export function odsCodeOf(organisation: Fields): string | undefined {
  return list(organisation['identifier'])
    .filter(({ system }) => /ods-organi[sz]ation-code$/i.test(textOf(system) ?? ''))
    .map(({ value }) => textOf(value)?.toUpperCase())[0]
}

/** Roles by the practitioner who has them. */
export function rolesOf(resources: Resources): ReadonlyMap<Fields, readonly Held[]> {
  const roles = new Map<Fields, Held[]>()
  for (const held of resources.all) {
    if (held.type !== 'PractitionerRole') continue
    const practitioner = resources.follow(held.resource['practitioner'], held)
    if (practitioner === undefined) continue
    roles.set(practitioner.resource, [...(roles.get(practitioner.resource) ?? []), held])
  }
  return roles
}

/** ODS codes of the organisations where a practitioner works, by the roles and what DSTU2 has in their place. */
export function employersOf(held: Held, roles: readonly Held[], resources: Resources): readonly string[] {
  return [
    ...roles.map((role) => organisationOf(role.resource['organization'], role, resources)),
    ...list(held.resource['practitionerRole']).map(({ managingOrganization, organization }) =>
      organisationOf(managingOrganization ?? organization, held, resources),
    ),
  ].filter((odsCode) => odsCode !== undefined)
}

/** A practitioner with the first role that names one; undefined without a name. */
export function practitionerOf({ id, resource }: Held, roles: readonly Held[]): Practitioner | undefined {
  if (id === undefined) return undefined
  const concept = list(roles[0]?.resource['code'])[0] ?? list(fields(list(resource['practitionerRole'])[0])['role'])[0]
  const code = codeOf(concept)
  const identifiers = list(resource['identifier'])
  const values = (name: RegExp) =>
    identifiers.filter(({ system }) => name.test(textOf(system) ?? '')).flatMap(({ value }) => lineOf(value) ?? [])
  const name = personName(resource['name'])
  if (name.family === undefined) return undefined
  const gender = textOf(resource['gender'])
  const genders = ['male', 'female', 'other', 'unknown'] as const
  return {
    id,
    name: { family: name.family, given: [...name.given], prefix: [...name.prefix] },
    roleProfileIds: values(/sds-role-profile-id$/i),
    communications: communicationsOf(resource),
    ...known({
      gender: genders.find((each) => each === gender),
      sdsUserId: values(/sds-user-id$/i)[0],
      gmpNumber: values(/gmp-number$/i)[0],
      role: code === undefined ? undefined : { code, display: wordsOf(concept) ?? code },
    }),
  }
}

export function locationOf({ id, resource }: Held, partOf: string | undefined): Location | undefined {
  const name = lineOf(resource['name'])
  if (id === undefined || name === undefined) return undefined
  return {
    id,
    name,
    telecom: telecomsOf(resource['telecom']),
    ...known({
      odsSiteCode: list(resource['identifier'])
        .filter(({ system }) => /ods-site-code$/i.test(textOf(system) ?? ''))
        .map(({ value }) => lineOf(value))[0],
      address: addressOf(resource['address']),
      type: codesOf(list(resource['type'])[0])[0],
      physicalType: codesOf(resource['physicalType'])[0],
      partOf,
    }),
  }
}
