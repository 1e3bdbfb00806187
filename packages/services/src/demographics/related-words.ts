import { ukCore } from './person.ts'

/** Code systems of relations (demographics specification §11). */
export const relationSystems = {
  usual: 'http://hl7.org/fhir/ValueSet/relatedperson-relationshiptype',
  further: 'https://fhir.nhs.uk/R4/CodeSystem/UKCore-AdditionalRelatedPersonRole',
} as const

/** Extensions of a related person, beside language and contact preference. */
export const relatedUrl = {
  rank: `${ukCore}Extension-UKCore-ContactRank`,
  correspondence: `${ukCore}Extension-UKCore-CopyCorrespondenceIndicator`,
} as const

/** A relation in both vocabularies: that of PDS FHIR, and PersonRelationshipType of the national messages. */
export interface Relation {
  readonly word: string
  readonly code: string
  readonly system: keyof typeof relationSystems
  readonly display: string
}

const relation = (code: string, system: Relation['system'], word: string, display: string): Relation => ({
  word,
  code,
  system,
  display,
})

export const relations: readonly Relation[] = [
  relation('01', 'usual', 'SPS', 'spouse'),
  relation('02', 'usual', 'DOMPART', 'domestic partner'),
  relation('03', 'usual', 'PRN', 'parent'),
  relation('04', 'usual', 'N', 'Next-of-Kin'),
  relation('05', 'further', 'Guardian', 'Guardian of patient'),
  relation('06', 'usual', 'PRNFOST', 'foster parent'),
  relation('07', 'usual', 'STPPRN', 'step parent'),
  relation('08', 'further', 'PolygamousPartner', 'Polygamous partner'),
  relation('09', 'usual', 'CHILD', 'child'),
  relation('10', 'further', 'Dependant', 'Dependant'),
  relation('11', 'further', 'NonDependant', 'Non-dependant'),
  relation('12', 'usual', 'MTH', 'mother'),
  relation('13', 'usual', 'FTH', 'father'),
  relation('14', 'usual', 'SIS', 'sister'),
  relation('15', 'usual', 'BRO', 'brother'),
  relation('16', 'usual', 'FAMMEMB', 'family member'),
  relation('17', 'further', 'ProxyContact', 'Proxy contact'),
  relation('18', 'further', 'ProxyCommunication', 'Proxy communication'),
  relation('19', 'further', 'ProxyContactCommunication', 'Proxy contact and communication'),
  relation('20', 'further', 'Carer', 'Carer'),
  relation('21', 'usual', 'ONESELF', 'self'),
  relation('98', 'usual', 'U', 'unknown'),
  relation('99', 'further', 'NotSpecified', 'Not specified'),
]

/** The role in which somebody is related: word of PDS FHIR, and class of the national messages. */
export const relatedRoles = { Personal: 'PRS', Guardian: 'GUARD', Agent: 'AGNT' } as const

/** Next of kin, beside another relation or alone. */
export const nextOfKin = 'N'

/** Codes with which mothers are related to those whose birth was notified. */
export const motherCodes: ReadonlySet<string> = new Set(['GESTM', 'NMTH'])
