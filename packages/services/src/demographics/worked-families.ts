import { namingSystem } from '@openspine/standards/nhs'
import { extensionUrl, type Json } from './person.ts'
import { relatedUrl, relationSystems } from './related-words.ts'

const since = { start: '2020-01-01' }

const { usual: roleCodes, further: furtherRoles } = relationSystems

const relationship = (system: string, code: string, display: string): Json[] => [
  { coding: [{ system, code, display }] },
]

const known = (nhsNumber: string): Json => ({
  identifier: [{ system: namingSystem.fhirNhsUk.nhsNumber, value: nhsNumber }],
})

const contactRank = (rank: number): Json => ({ url: relatedUrl.rank, valuePositiveInt: rank })

const letters: Json = { url: relatedUrl.correspondence, valueBoolean: true }

/** Of one person three: one with a record of her own, one known by his details alone, one who is restricted herself. */
export const wholeFamily: readonly Json[] = [
  {
    id: '8F1A2B01',
    ...known('9990548617'),
    active: true,
    period: since,
    relationship: relationship(roleCodes, 'MTH', 'mother'),
    extension: [letters, contactRank(1)],
  },
  {
    id: '8F1A2B02',
    active: true,
    period: since,
    relationship: relationship(furtherRoles, 'Carer', 'Carer'),
    name: [{ use: 'usual', period: since, prefix: ['Mr'], given: ['Rowan'], family: 'Twinning' }],
    address: [{ use: 'home', period: since, line: ['12 Example Road', '', '', 'Testham', ''], postalCode: 'ZZ99 4DA' }],
    telecom: [{ system: 'phone', use: 'home', period: since, value: '01632960684' }],
    extension: [
      contactRank(2),
      {
        url: extensionUrl.contactPreference,
        extension: [
          {
            url: 'PreferredContactMethod',
            valueCodeableConcept: {
              coding: [
                {
                  system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-PreferredContactMethod',
                  code: '1',
                  display: 'Letter',
                },
              ],
            },
          },
          { url: 'PreferredContactTimes', valueString: 'Not after 7pm' },
        ],
      },
      {
        url: extensionUrl.communication,
        extension: [
          {
            url: 'language',
            valueCodeableConcept: {
              coding: [
                {
                  system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-HumanLanguage',
                  version: '1.0.0',
                  code: 'cy',
                  display: 'Welsh',
                },
              ],
            },
          },
          { url: 'interpreterRequired', valueBoolean: false },
        ],
      },
    ],
  },
  {
    id: '8F1A2B03',
    ...known('9990548838'),
    active: true,
    period: since,
    relationship: relationship(furtherRoles, 'Guardian', 'Guardian of patient'),
    name: [{ use: 'usual', period: since, given: ['Wilma'], family: 'Restricted' }],
    address: [{ use: 'home', period: since, line: ['4 Safe House', 'Testham'], postalCode: 'ZZ99 2RR' }],
    telecom: [{ system: 'phone', use: 'mobile', period: since, value: '07700900838' }],
  },
]

/** One whose record was merged into another one since. */
export const oneMerged: readonly Json[] = [
  { id: '8F1A2B04', ...known('9990548854'), relationship: relationship(furtherRoles, 'ProxyContact', 'Proxy contact') },
]

/** Of a restricted person nobody is told. */
export const neverTold: readonly Json[] = [
  {
    id: '8F1A2B05',
    relationship: relationship(roleCodes, 'DOMPART', 'domestic partner'),
    name: [{ use: 'usual', period: since, given: ['Walter'], family: 'Restricted' }],
  },
]

/** A European health insurance card (§14). */
export function insuranceCard(card: {
  readonly number: string
  readonly country: string
  readonly personalId?: string
  readonly institution: string
  readonly end: string
}): Json {
  return {
    resourceType: 'Coverage',
    status: 'active',
    type: {
      coding: [
        {
          system: 'http://terminology.hl7.eu/CodeSystem/v3-ActCode',
          code: 'EHIC',
          display: 'European Health Insurance Card',
        },
      ],
    },
    identifier: [
      { value: card.number, assigner: { identifier: { system: 'urn:iso:std:iso:3166', value: card.country } } },
    ],
    ...(card.personalId === undefined ? {} : { beneficiary: { identifier: { value: card.personalId } } }),
    period: { end: card.end },
    payor: [{ identifier: { value: card.institution } }],
  }
}
