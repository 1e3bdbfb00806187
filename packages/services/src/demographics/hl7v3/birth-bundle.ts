import type { Ii, PdsBirth, Pn } from '@openspine/standards/hl7v3'
import { namingSystem } from '@openspine/standards/nhs'
import { asJson, extensionUrl, items, type Json } from '../person.ts'
import { birthSystem } from '../register/birth-checks.ts'
import { authorityExtension, particulars } from './registration-body.ts'
import { dateOf, deathParts, nameSnippet } from './snippets.ts'

const odsIdentifier = (id: Ii | undefined): Json => ({
  system: namingSystem.fhirNhsUk.odsOrganisation,
  value: id?.extension?.toUpperCase(),
})

/** Observations of a birth say by a SNOMED CT code what they are. */
const observation = (code: string, value: Json): Json => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: birthSystem.snomed, code }] },
  ...value,
})

const valueCode = (system: string, code: string | undefined): Json => ({
  valueCodeableConcept: { coding: [{ system, code }] },
})

/** A count as a number, or as it was sent, for the rules to refuse. */
const counted = (text: string | undefined) => (/^\d{1,9}$/.test(text ?? '') ? Number(text) : text)

/** `202611160411` → `2026-11-16T04:11:00+00:00`. */
function momentOf(text: string): string {
  const [, year, month, day, hour, minute, second = '00'] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?/.exec(text) ?? []
  return `${year}-${month}-${day}T${hour}:${minute}:${second}+00:00`
}

const nameOf = (names: readonly Pn[]): Json[] => names.map((name) => nameSnippet({ ...name, use: name.use ?? 'L' }))

function babyOf(it: PdsBirth): Json {
  const told = particulars(it.baby)
  const { deceasedTime, deathNotification, multipleBirth, birthTime } = it.baby
  const [place] = it.places
  const { addr, name } = place ?? {}
  const [city, district] = [addr?.city ?? addr?.lines[3], addr?.county ?? addr?.lines[4]]
  return {
    ...told,
    // A child lives where it does from the day of its birth on, unless it is told otherwise.
    address: items(told['address']).map((address) => ({ period: { start: told['birthDate'] }, ...address })),
    _birthDate: {
      extension: [
        {
          url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime',
          valueDateTime: momentOf(birthTime?.value ?? ''),
        },
      ],
    },
    multipleBirthInteger: counted(multipleBirth?.value),
    ...(deceasedTime === undefined ? {} : { deceasedDateTime: dateOf(deceasedTime.value) }),
    extension: [
      ...it.authorities.map(authorityExtension),
      {
        url: extensionUrl.ethnicCategory,
        valueCodeableConcept: {
          coding: [
            {
              system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland',
              code: it.ethnicGroups[0]?.code,
            },
          ],
        },
      },
      {
        url: extensionUrl.birthPlace,
        valueAddress: {
          ...(name ? { text: name } : {}),
          ...(city ? { city } : {}),
          ...(district ? { district } : {}),
          ...(addr?.country ? { country: addr.country } : {}),
        },
      },
      ...(deathNotification === undefined
        ? []
        : [{ url: extensionUrl.deathNotification, ...deathParts(deathNotification) }]),
    ],
  }
}

/** A notification of a birth as the Bundle that every dialect's becomes (§13). */
export function birthBundleOf(it: PdsBirth): Json {
  const [mother] = it.mothers
  const [place] = it.places
  const number = [{ system: namingSystem.fhirNhsUk.nhsNumber, value: mother?.ids[0]?.extension }]
  const participant = (id: Ii | undefined): Json => ({
    role: [{ coding: [{ system: birthSystem.snomed, code: '788127005' }] }],
    member: { identifier: odsIdentifier(id) },
  })
  const resources: readonly Json[] = [
    babyOf(it),
    observation('364589006', { valueQuantity: { value: counted(it.weights[0]), unit: 'grams', code: 'g' } }),
    observation('237364002', valueCode(birthSystem.stillbirth, it.stillbirths[0]?.code)),
    observation('268477000', { valueQuantity: { value: counted(it.gestations[0]), unit: 'weeks', code: 'wk' } }),
    observation('246435002', { valueInteger: counted(it.foetuses[0]) }),
    observation('66091009', valueCode(birthSystem.abnormality, it.abnormalities[0]?.code)),
    {
      resourceType: 'RelatedPerson',
      identifier: number,
      relationship: [
        {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode',
              code: 'GESTM',
              display: 'Gestational mother',
            },
          ],
        },
      ],
    },
    {
      resourceType: 'Patient',
      identifier: number,
      name: nameOf(mother?.names ?? []),
      birthDate: dateOf(mother?.birthTime?.value?.slice(0, 8)),
    },
    { resourceType: 'Organization', identifier: [odsIdentifier(mother?.practices[0])] },
    {
      resourceType: 'Location',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-site-code', value: place?.id?.extension?.toUpperCase() }],
      type: [{ coding: [{ system: birthSystem.place, code: place?.code?.code }] }],
    },
    { resourceType: 'CareTeam', participant: [participant(it.partners[0]), participant(it.responsible[0])] },
    { resourceType: 'Practitioner', name: nameOf(it.notifiers) },
  ]
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: resources.map((resource) => ({
      request: { method: 'POST', url: asJson(resource)['resourceType'] },
      resource,
    })),
  }
}
