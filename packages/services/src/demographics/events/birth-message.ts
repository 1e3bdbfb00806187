import { asJson, isJson, type Json } from '../person.ts'
import { addressOf, concept, identifierOf, nameOf, organisation, profile, reference, stu3 } from './parts.ts'

const snomed = 'http://snomed.info/sct'
const stillbirthWords: Readonly<Record<string, string>> = {
  '1': 'Live',
  '2': 'Still born, antepartum',
  '3': 'Still born, intrapartum',
  '4': 'Still born, indeterminate',
}

/** What a birth notification has beside the child that was registered (events specification: Birth). */
export interface BirthResources {
  /** Id of the mother's entry. */
  readonly mother: string
  /** Members of the child's own entry. */
  readonly baby: Json
  readonly resources: readonly (readonly [id: string, resource: Json])[]
}

/** Out of the facts that `register/birth.ts` raised. Of a restricted child no place is told. */
export function birthResources(
  facts: Json,
  about: {
    readonly id: () => string
    readonly baby: string
    readonly located: boolean
    readonly organisationName: (odsCode: string) => string | undefined
  },
): BirthResources {
  const { id, baby, located } = about
  const mother = asJson(facts['mother'])
  const ids = { mother: id(), related: id() }
  const resources: (readonly [string, Json])[] = []
  const add = (resource: Json): string => {
    const key = id()
    resources.push([key, resource])
    return key
  }
  const organisationOf = (odsCode: unknown): string | undefined =>
    typeof odsCode === 'string' && located ? add(organisation(odsCode, about.organisationName(odsCode))) : undefined

  const practice = organisationOf(mother['practice'])
  resources.push(
    [
      ids.mother,
      {
        resourceType: 'Patient',
        meta: profile('Patient'),
        identifier: [identifierOf(String(mother['nhsNumber']))],
        ...(isJson(mother['name']) && { name: [nameOf(mother['name'])] }),
        ...(typeof mother['birthDate'] === 'string' && { birthDate: mother['birthDate'] }),
        ...(practice !== undefined && { generalPractitioner: [reference(practice)] }),
        link: [{ other: reference(ids.related), type: 'seealso' }],
      },
    ],
    [
      ids.related,
      {
        resourceType: 'RelatedPerson',
        meta: profile('RelatedPerson'),
        patient: reference(baby),
        relationship: concept('http://hl7.org/fhir/v3/RoleCode', 'NMTH', 'natural mother'),
      },
    ],
  )
  if (isJson(facts['attendedBy']))
    add({ resourceType: 'Practitioner', meta: profile('Practitioner'), name: [nameOf(facts['attendedBy'])] })

  const observed = (code: Json, subject: string, value: Json) =>
    add({ resourceType: 'Observation', status: 'final', code, subject: reference(subject), ...value })
  const quantity = (value: unknown, unit: string, code: string): Json => ({
    valueQuantity: { value: Number(value), unit, system: 'http://unitsofmeasure.org', code },
  })
  observed(concept(snomed, '382341000000101', 'Total number of registerable births at delivery'), ids.mother, {
    valueQuantity: { value: Number(facts['foetuses']) },
  })
  observed(
    {
      coding: [
        { system: 'http://loinc.org', code: '29463-7', display: 'Body weight' },
        { system: snomed, code: '364589006', display: 'Birth weight' },
      ],
    },
    baby,
    quantity(facts['weightGrams'], 'grams', 'g'),
  )
  observed(
    concept(snomed, '412726003', 'Length of gestation at birth'),
    baby,
    quantity(facts['gestationWeeks'], 'weeks', 'wk'),
  )
  const still = String(facts['stillbirth'])
  observed(concept(snomed, '237364002', 'Stillbirth'), baby, {
    valueCodeableConcept: concept(stu3('CodeSystem/EMS-PDS-StillBornIndicator-1'), still, stillbirthWords[still] ?? ''),
  })
  observed(concept(snomed, '1097291000000101', 'Suspected congenital abnormality'), baby, {
    valueCodeableConcept: concept(
      stu3('CodeSystem/EMS-PDS-SuspectedCongenitalAbnormalityIndicator-1'),
      String(facts['congenitalAbnormality']),
      facts['congenitalAbnormality'] === 'Y' ? 'Yes' : 'No',
    ),
  })

  const episodes = [
    ['delivery-place', 'placeOfBirth', 'Delivery place'],
    ['registering-authority', 'registeringAuthority', 'Registering authority'],
    ['partner-child-health-organisation', 'partnerChildHealth', 'Partner child health organisation'],
    ['responsible-child-health-organisation', 'responsibleChildHealth', 'Responsible child health organisation'],
  ] as const
  for (const [code, fact, display] of episodes) {
    const managing = organisationOf(facts[fact])
    if (managing === undefined) continue
    add({
      resourceType: 'EpisodeOfCare',
      status: 'active',
      type: [concept(stu3('CodeSystem/BirthEpisodeCategory-1'), code, display)],
      patient: reference(baby),
      managingOrganization: reference(managing),
    })
  }
  return { mother: ids.mother, baby: babyMembers(facts, located), resources }
}

function babyMembers(facts: Json, located: boolean): Json {
  const home = located ? addressOf(facts['address'], 'home') : undefined
  const { birthTime, birthPlace, multipleBirthInteger, died } = facts
  return {
    ...(typeof birthTime === 'string' && {
      _birthDate: {
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: birthTime }],
      },
    }),
    ...(home !== undefined && { address: [home] }),
    ...(typeof multipleBirthInteger === 'number' && { multipleBirthInteger }),
    ...(typeof died === 'string' && { deceasedDateTime: died }),
    ...(located &&
      isJson(birthPlace) && {
        extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/birthPlace', valueAddress: birthPlace }],
      }),
  }
}
