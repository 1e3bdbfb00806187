/** Investigations (§9.5): a DiagnosticReport with its request, specimens, groups of results, results and filing. */
import type { Reference } from '@openspine/standards/fhir'
import { within } from '../../record/dates.ts'
import type { Filing, Investigation, InvestigationGroup, InvestigationResult } from '../../record/structure.ts'
import { type Area, rangeOf as daysOf, type IdentifiedResource } from '../area.ts'
import type { Context } from '../context.ts'
import { concept, snomed } from '../elements.ts'
import type { Identified } from '../identity.ts'
import { titleOf } from './references.ts'
import {
  commentNote,
  consultationsByItem,
  heading,
  listed,
  made,
  notes,
  partyOf,
  quantityOf,
  rangeOf,
  words,
} from './writing.ts'

const laboratory = { coding: [{ system: 'http://hl7.org/fhir/v2/0074', code: 'LAB', display: 'Laboratory' }] }

/** What the parts of one report have in common. */
interface Report {
  readonly id: string
  readonly row: Investigation
  readonly context: Context
  readonly performer: Reference | undefined
  /** The consultation in which it was recorded. */
  readonly encounter: Reference | undefined
}

const specimenId = ({ id, context }: Report, specimen: string): string => context.partOf(id, 'specimen', specimen)

function specimenOf(report: Report, specimen: string | undefined): Reference | undefined {
  return specimen === undefined ? undefined : { reference: `Specimen/${specimenId(report, specimen)}` }
}

function specimens(report: Report): readonly IdentifiedResource[] {
  const { row, context } = report
  return row.specimens.map((specimen) =>
    made({
      ...heading(context, 'Specimen', specimenId(report, specimen.id)),
      accessionIdentifier: { value: specimen.accession },
      type: specimen.type && words(specimen.type),
      subject: context.subject,
      receivedTime: specimen.received,
      collection: {
        collector: specimen.collector === undefined ? undefined : context.practitioner(specimen.collector),
        collectedDateTime: specimen.collected,
      },
      note: notes(specimen.note),
    }),
  )
}

function requestOf({ id, row, context }: Report): IdentifiedResource | undefined {
  const { request } = row
  if (request === undefined) return undefined
  const coded = request.codes.length > 0
  return made({
    ...heading(context, 'ProcedureRequest', context.partOf(id, 'request')),
    status: 'active',
    intent: 'order',
    code: coded ? { coding: request.codes, text: request.entry } : { text: 'No code available' },
    subject: context.subject,
    requester: request.requester === undefined ? undefined : { agent: context.practitioner(request.requester) },
    reasonCode: request.reason && [words(request.reason)],
    note: notes(coded ? undefined : request.entry, request.note),
  })
}

/** When and by whom something was filed; what it says of a group or result stands under it (`derived-from`). */
function filed(
  report: Report,
  filing: Filing | undefined,
  of: { readonly id: string; readonly code: object } | undefined,
): readonly IdentifiedResource[] {
  if (filing === undefined) return []
  const { id, context } = report
  return [
    made({
      ...heading(context, 'Observation', context.partOf(of?.id ?? id, 'filing')),
      status: 'unknown',
      code: commentNote,
      subject: context.subject,
      context: report.encounter,
      effectiveDateTime: filing.moment,
      issued: filing.moment,
      performer: [context.practitioner(filing.by)],
      valueCodeableConcept: of?.code,
      comment: filing.comment === '' ? undefined : filing.comment,
      related: of === undefined ? [] : [{ type: 'derived-from', target: { reference: `Observation/${of.id}` } }],
    }),
  ]
}

/** Results that may be shared, with their ids. */
function resultsIn(
  { id, context }: Report,
  results: readonly InvestigationResult[],
  ...place: readonly string[]
): { readonly shown: readonly Identified<InvestigationResult>[]; readonly withheld: boolean } {
  return context.shareable(
    results.map((row, i) => ({ row, id: row.id ?? context.partOf(id, ...place, 'result', String(i)) })),
  )
}

function result(report: Report, { row, id }: Identified<InvestigationResult>, groupId?: string): IdentifiedResource[] {
  const { context } = report
  const code = concept(row.codes, row.entry, 'other')
  return [
    made({
      ...heading(context, 'Observation', id),
      status: report.row.status,
      category: [report.row.category === undefined ? laboratory : words(report.row.category)],
      code,
      subject: context.subject,
      effectiveDateTime: row.moment,
      issued: report.row.issued,
      performer: report.performer && [report.performer],
      ...(row.quantity === undefined ? { valueString: row.value } : { valueQuantity: quantityOf(row.quantity) }),
      interpretation: row.interpretation && words(row.interpretation),
      comment: row.comment === '' ? undefined : row.comment,
      specimen: specimenOf(report, row.specimen),
      referenceRange: rangeOf(row.referenceRange),
      related: groupId === undefined ? [] : [{ type: 'derived-from', target: { reference: `Observation/${groupId}` } }],
    }),
    ...filed(report, row.filing, { id, code }),
  ]
}

interface Part {
  readonly id: string
  readonly resources: readonly IdentifiedResource[]
  readonly withheld: boolean
}

function group(report: Report, row: InvestigationGroup, place: number): Part {
  const { context } = report
  const id = row.id ?? context.partOf(report.id, 'group', String(place))
  const { shown, withheld } = resultsIn(report, row.results, 'group', String(place))
  const code = concept(row.codes, row.entry, 'other')
  const header = made({
    ...heading(context, 'Observation', id),
    status: report.row.status,
    code,
    subject: context.subject,
    performer: report.performer && [report.performer],
    comment: row.comment === '' ? undefined : row.comment,
    specimen: specimenOf(report, row.specimen),
    related: shown.map((each) => ({ type: 'has-member', target: { reference: `Observation/${each.id}` } })),
  })
  return {
    id,
    withheld,
    resources: [
      header,
      ...shown.flatMap((each) => result(report, each, id)),
      ...filed(report, row.filing, { id, code }),
    ],
  }
}

function reportOf({ row, id }: Identified<Investigation>, context: Context, encounter: Reference | undefined): Part {
  const performer = row.performer === undefined ? undefined : partyOf(row.performer, context, id)
  const report: Report = { id, row, context, performer: performer?.reference, encounter }
  const groups = row.groups.map((each, i) => group(report, each, i))
  const alone = resultsIn(report, row.results)
  const request = requestOf(report)
  const filing = filed(report, row.filing, undefined)
  const { identifier, ...head } = heading(context, 'DiagnosticReport', id)
  const observations = [
    ...groups.map((each) => each.id),
    ...alone.shown.map((each) => each.id),
    ...filing.map((each) => each.id),
  ]
  const resource = made({
    ...head,
    identifier: [
      ...identifier,
      ...(row.reportNumber === undefined
        ? []
        : [{ system: 'urn:oid:2.16.840.1.113883.2.1.4.5.5', value: row.reportNumber }]),
    ],
    basedOn: request && [{ reference: `ProcedureRequest/${request.id}` }],
    status: row.status,
    category: row.category === undefined ? laboratory : words(row.category),
    code: snomed('721981007', 'Diagnostic studies report'),
    subject: context.subject,
    context: encounter,
    issued: row.issued,
    performer: performer && [{ actor: performer.reference }],
    specimen: row.specimens.map((each) => specimenOf(report, each.id)),
    result: observations.map((each) => ({ reference: `Observation/${each}` })),
    conclusion: row.conclusion === '' ? undefined : row.conclusion,
  })
  return {
    id,
    withheld: alone.withheld || groups.some((each) => each.withheld),
    resources: [
      resource,
      ...(request === undefined ? [] : [request]),
      ...specimens(report),
      ...groups.flatMap((each) => each.resources),
      ...alone.shown.flatMap((each) => result(report, each)),
      ...filing,
      ...(performer?.resources ?? []),
    ],
  }
}

export const investigations: Area = {
  name: 'investigations',
  title: titleOf('investigations'),
  parameter: 'includeInvestigations',
  since: '1.5',
  parts: [{ name: 'investigationSearchPeriod', type: 'period', bound: 'untilToday' }],
  whole: {},
  build(query, context) {
    const days = daysOf(query, 'investigationSearchPeriod')
    const rows = context.identified('investigations', context.patient.investigations, ({ issued, entry }) => [
      issued,
      entry,
    ])
    const encounterOf = consultationsByItem(context)
    let withheld = false
    const listing = listed(
      { kind: 'investigations', type: 'DiagnosticReport' },
      query,
      context,
      rows,
      ({ issued }) => within(issued.slice(0, 10), days),
      (row) => {
        const report = reportOf(row, context, encounterOf(row.id))
        withheld ||= report.withheld
        return report.resources
      },
    )
    // A result that is kept back inside a report warns in the list of reports (§9.2).
    return {
      ...listing,
      lists: listing.lists.map((list) => ({ ...list, withheld: list.withheld === true || withheld })),
    }
  },
}
