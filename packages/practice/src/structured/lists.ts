/** The List resources of a structured record (§9.2): one for each queried area, and the secondary ones. */
import type { DomainResource, Resource } from '@openspine/standards/fhir'
import { dateTimeAt, displayDay } from '../record/dates.ts'
import { isFrom } from '../record/services.ts'
import { definition, systems } from '../stu3/systems.ts'
import type { ListContent } from './area.ts'
import type { Context } from './context.ts'
import { careConnect, coded, snomed } from './elements.ts'

/** Where linked items come from. */
export type Secondary = 'consultations' | 'problems'

interface Kind {
  readonly code: string
  readonly display: string
  readonly title: string
  /** What the area is called in the title of its secondary list. */
  readonly contained: string
  readonly related: string
}

const both = (items: string) => ({
  contained: `${items} contained in consultations`,
  related: `${items} related to problems`,
})

const kinds = {
  allergies: {
    ...both('allergies'),
    code: '886921000000105',
    display: 'Allergies and adverse reactions',
    title: 'Allergies and adverse reactions',
  },
  endedAllergies: {
    ...both('allergies that have been ended'),
    code: '1103671000000101',
    display: 'Ended allergies',
    title: 'Ended allergies',
  },
  medications: {
    ...both('medications'),
    code: '933361000000108',
    display: 'Medications and medical devices',
    title: 'Medications and medical devices',
  },
  consultations: {
    ...both('consultations'),
    code: '1149501000000101',
    display: 'List of consultations',
    title: 'List of consultations',
  },
  problems: {
    contained: 'problems contained in consultations',
    related: 'linked problems not relating to the primary query',
    code: '717711000000103',
    display: 'Problems',
    title: 'Problems',
  },
  immunisations: {
    ...both('immunisations'),
    code: '1102181000000102',
    display: 'Immunisations',
    title: 'Immunisations',
  },
  uncategorised: {
    ...both('uncategorised data'),
    code: '826501000000100',
    display: 'Miscellaneous record',
    title: 'Uncategorised data',
  },
  investigations: {
    ...both('investigations'),
    code: '887191000000108',
    display: 'Investigations and results',
    title: 'Investigations and results',
  },
  referrals: {
    contained: 'outbound referrals in consultations',
    related: 'outbound referrals related to problems',
    code: '792931000000107',
    display: 'Outbound referral',
    title: 'Outbound referral',
  },
  diary: {
    ...both('diary entries'),
    code: '714311000000108',
    display: 'Patient recall administration',
    title: 'Patient recall administration',
  },
  /** Only ever secondary. */
  documents: { ...both('documents'), code: '', display: '', title: '' },
} as const satisfies Record<string, Kind>

export type ListKind = keyof typeof kinds

const secondaryPrefix: Readonly<Record<Secondary, string>> = {
  consultations: 'Consultations - ',
  problems: 'Problems - ',
}

/** Published with the HL7 UK definitions, unlike all others. */
const secondaryList = 'https://fhir.hl7.org.uk/STU3/CodeSystem/GPConnect-SecondaryListValues-1'

interface Warning {
  readonly code: string
  readonly text: string
}

const confidentialItems: Warning = {
  code: 'confidential-items',
  text: 'Items excluded due to confidentiality and/or patient preferences.',
}

/** What a reader of any list of this record must know. */
function recordWarnings({ patient, version, today }: Context): readonly Warning[] {
  return [
    ...(patient.inTransit && patient.registrationDate !== undefined
      ? [
          {
            code: 'data-in-transit',
            text: `Patient record transfer from previous GP practice not yet complete; information recorded before ${displayDay(patient.registrationDate)} may be missing.`,
          },
        ]
      : []),
    ...(patient.awaitingFiling
      ? [
          {
            code: 'data-awaiting-filing',
            text: isFrom(version, '1.6')
              ? `Patient record contains some items in the GP practice workflow that have not been reviewed for inclusion in this message; information recorded before ${displayDay(today)} may be missing.`
              : 'Patient data may be incomplete as there is data supplied by a third party awaiting review before becoming available.',
          },
        ]
      : []),
  ]
}

/** The list, without an id (§15); undefined for a secondary one that is empty and of which nothing was kept back. */
export function listResource(content: ListContent, context: Context): DomainResource | undefined {
  const { kind, within, entries, contained = [], withheld = false } = content
  const warnings = [...(withheld ? [confidentialItems] : []), ...recordWarnings(context)]
  const empty = entries.length === 0
  if (within !== undefined && empty && !withheld) return undefined
  const notes = [...(empty ? ['Information not available'] : []), ...warnings.map(({ text }) => text)]
  const resource = {
    resourceType: 'List',
    meta: { profile: [definition('CareConnect-GPC-List-1')] },
    ...(contained.length === 0 ? {} : { contained: contained as readonly Resource[] }),
    extension: [
      {
        url: careConnect('ClinicalSetting'),
        valueCodeableConcept: snomed('1060971000000108', 'General practice service'),
      },
      ...warnings.map(({ code }) => ({ url: careConnect('ListWarningCode'), valueCode: code })),
    ],
    status: 'current',
    mode: 'snapshot',
    ...heading(kind, within, context.version),
    subject: {
      reference: context.subject.reference,
      identifier: { system: systems.nhsNumber, value: context.patient.nhsNumber },
    },
    date: dateTimeAt(context.at),
    ...(notes.length === 0 ? {} : { note: notes.map((text) => ({ text })) }),
    ...(empty
      ? { emptyReason: coded('CareConnect-ListEmptyReasonCode-1', 'no-content-recorded', 'No Content Recorded') }
      : { entry: entries.map((entry) => ({ item: typeof entry === 'string' ? { reference: entry } : entry })) }),
  }
  return resource
}

function heading(kind: ListKind, within: Secondary | undefined, version: string): object {
  const { code, display, title, contained, related } = kinds[kind]
  if (within === undefined)
    return {
      // The title changed within the line, the code and its display did not.
      title: kind === 'uncategorised' && !isFrom(version, '1.6') ? display : title,
      code: snomed(code, display),
    }
  const words = secondaryPrefix[within] + (within === 'consultations' ? contained : related)
  return {
    title: words,
    code: {
      coding: [
        {
          system: secondaryList,
          code: words.toLowerCase().replaceAll(' - ', '-').replaceAll(' ', '-'),
          display: words,
        },
      ],
    },
  }
}
