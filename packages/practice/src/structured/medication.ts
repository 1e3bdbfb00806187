/** Medication (§9.4): for each, what it is, its statement, its plan, and the orders issued by the plan. */
import type { Day, DayRange } from '../record/dates.ts'
import { addDays, overlaps } from '../record/dates.ts'
import type { Issue, Medication } from '../record/model.ts'
import { type Area, dayOf, flag, type IdentifiedResource } from './area.ts'
import type { Context } from './context.ts'
import { careConnect, coded, concept, identifier, legible, profiled } from './elements.ts'
import type { Identified } from './identity.ts'

export const medication: Area = {
  name: 'medication',
  title: 'Medications and medical devices',
  parameter: 'includeMedication',
  since: '1.2',
  parts: [
    { name: 'includePrescriptionIssues', type: 'boolean' },
    { name: 'medicationSearchFromDate', type: 'date', bound: 'untilToday' },
  ],
  whole: { includePrescriptionIssues: true },
  build(query, context) {
    const { only } = query
    const from = dayOf(query, 'medicationSearchFromDate')
    const range: DayRange = from === undefined ? {} : { first: from }
    const rows = context
      .identified('medication', context.patient.medications, ({ type, item, recordedDate }) => [
        type,
        item,
        recordedDate,
      ])
      .filter(({ row, id }) =>
        only === undefined
          ? isReturned(row, range)
          : only.ids.has(id) || row.issues.some((issue) => issue.id !== undefined && only.ids.has(issue.id)),
      )
    const { shown, withheld } = context.shareable(rows)
    const withIssues = flag(query, 'includePrescriptionIssues', true)
    // Of a medication that another area brings along, only the orders that are linked themselves.
    const isWanted = (order: Identified<Issue>): boolean => (only === undefined ? withIssues : only.ids.has(order.id))
    return {
      resources: shown.flatMap((one) => resourcesOf(one, context, isWanted)),
      lists: [
        {
          kind: 'medications',
          ...(only === undefined ? {} : { within: only.within }),
          entries: shown.map(({ id }) => `MedicationStatement/${id}`),
          withheld,
        },
      ],
      shown: shown.map(({ id }) => id),
    }
  },
}

const startOf = ({ startDate, recordedDate }: Medication): Day => startDate ?? recordedDate

/**
 * Whether a search from a date finds it. What others prescribe always is: here nobody knows until when it is taken
 * (published guidance on medication, search criteria).
 */
const isReturned = (row: Medication, range: DayRange): boolean =>
  row.elsewhere !== undefined || overlaps(startOf(row), endOf(row), range)

/** The last day on which it is taken; undefined: a repeat that goes on. An acute one without an end has its first day. */
function endOf(row: Medication): Day | undefined {
  const { type, ended, scheduledEndDate, daysDuration } = row
  const start = startOf(row)
  const end =
    ended?.date ??
    scheduledEndDate ??
    (type !== 'acute' ? undefined : daysDuration === undefined ? start : addDays(start, Math.max(0, daysDuration - 1)))
  // A period may not end before it starts, whatever was entered.
  return end !== undefined && end < start ? start : end
}

type Status = 'active' | 'completed' | 'stopped'

/** Stopped is what a clinician ended; everything else that is over is completed. */
function statusOf(row: Medication, today: Day): Status {
  const end = endOf(row)
  if (row.ended !== undefined && row.ended.date <= today) return row.ended.by === 'clinician' ? 'stopped' : 'completed'
  return end !== undefined && end < today ? 'completed' : 'active'
}

/** Whether orders are issued here by somebody's hand: not for what others prescribe, nor for repeat dispensing. */
const hasOrders = ({ type, elsewhere }: Medication): boolean => elsewhere === undefined && type !== 'repeat-dispense'

/** The issues that become orders; of an acute plan there is at most one, the latest. */
function ordersOf({ row, id }: Identified<Medication>, context: Context): readonly Identified<Issue>[] {
  if (!hasOrders(row)) return []
  const seen = new Map<string, number>()
  const orders = row.issues.map((issue) => {
    const nth = seen.get(issue.date) ?? 0
    seen.set(issue.date, nth + 1)
    return { row: issue, id: issue.id ?? context.partOf(id, 'issue', issue.date, String(nth)) }
  })
  if (row.type !== 'acute') return orders
  return [...orders].sort((one, other) => (one.row.date < other.row.date ? 1 : -1)).slice(0, 1)
}

function resourcesOf(
  medicine: Identified<Medication>,
  context: Context,
  isWanted: (order: Identified<Issue>) => boolean,
): readonly IdentifiedResource[] {
  const { row, id } = medicine
  const ids = { statement: id, medication: context.partOf(id, 'medication'), plan: context.partOf(id, 'plan') }
  const orders = ordersOf(medicine, context)
  return [
    medicationResource(row, ids.medication),
    statementResource(row, ids, context),
    planResource(row, ids, context),
    ...orders.filter(isWanted).map((order) => orderResource(order, row, ids, context)),
  ]
}

interface Ids {
  readonly statement: string
  readonly medication: string
  readonly plan: string
}

function medicationResource({ codes, item }: Medication, id: string): IdentifiedResource {
  const resource = {
    resourceType: 'Medication',
    id,
    meta: profiled('Medication'),
    code: concept(codes, item, 'medication'),
  }
  return resource
}

function statementResource(row: Medication, ids: Ids, context: Context): IdentifiedResource {
  const { elsewhere, recordedDate, dosage, patientInstruction, information, issues } = row
  const status = statusOf(row, context.today)
  const lastIssue = hasOrders(row)
    ? issues
        .map(({ date }) => date)
        .sort()
        .at(-1)
    : undefined
  const agency = elsewhere === undefined ? 'Prescribed at GP practice' : 'Prescribed by another organisation'
  const resource = {
    resourceType: 'MedicationStatement',
    id: ids.statement,
    meta: profiled('MedicationStatement'),
    extension: [
      ...(lastIssue === undefined
        ? []
        : [{ url: careConnect('MedicationStatementLastIssueDate'), valueDateTime: lastIssue }]),
      {
        url: careConnect('PrescribingAgency'),
        valueCodeableConcept: coded(
          'CareConnect-PrescribingAgency-1',
          elsewhere === undefined ? 'prescribed-at-gp-practice' : 'prescribed-by-another-organisation',
          agency,
        ),
      },
    ],
    identifier: identifier(ids.statement, context),
    basedOn: [{ reference: `MedicationRequest/${ids.plan}` }],
    status,
    medicationReference: { reference: `Medication/${ids.medication}` },
    effectivePeriod: periodOf(row, status),
    dateAsserted: recordedDate,
    subject: context.subject,
    taken: 'unk',
    ...notes([...(elsewhere?.agency === undefined ? [] : [`Prescribed by: ${elsewhere.agency}`]), ...information]),
    dosage: [{ text: legible(dosage), ...(patientInstruction === undefined ? {} : { patientInstruction }) }],
  }
  return resource
}

/** The end is not there while something is active. */
function periodOf(row: Medication, status: Status): { readonly start: Day; readonly end?: Day } {
  const end = endOf(row)
  return { start: startOf(row), ...(status === 'active' || end === undefined ? {} : { end }) }
}

function planResource(row: Medication, ids: Ids, context: Context): IdentifiedResource {
  const { dosage, patientInstruction, information, recordedDate, postDate } = row
  const status = statusOf(row, context.today)
  const period = periodOf(row, status)
  // What may only be dispensed later is valid from then on; nothing ends before it starts.
  const validity =
    postDate === undefined || (period.end ?? postDate) < postDate ? period : { ...period, start: postDate }
  const resource = {
    resourceType: 'MedicationRequest',
    id: ids.plan,
    meta: profiled('MedicationRequest'),
    extension: [...repeatInformation(row), ...statusReason(row, status), prescriptionType(row)],
    identifier: identifier(ids.plan, context),
    ...group(row, ids),
    status,
    intent: 'plan',
    medicationReference: { reference: `Medication/${ids.medication}` },
    subject: context.subject,
    authoredOn: recordedDate,
    ...requester(row.prescriber, row, context),
    recorder: context.practitioner(row.recordedBy ?? row.prescriber),
    ...notes(information),
    dosageInstruction: [{ text: legible(dosage), ...(patientInstruction === undefined ? {} : { patientInstruction }) }],
    dispenseRequest: { validityPeriod: validity, ...quantity(row), ...duration(row.daysDuration) },
  }
  return resource
}

function orderResource(
  { row: issue, id }: Identified<Issue>,
  row: Medication,
  ids: Ids,
  context: Context,
): IdentifiedResource {
  const prescriber = issue.prescriber ?? row.prescriber
  const days = issue.daysDuration ?? row.daysDuration
  const last = addDays(issue.date, Math.max(0, (days ?? 0) - 1))
  const over = statusOf(row, context.today) !== 'active' || last < context.today
  const resource = {
    resourceType: 'MedicationRequest',
    id,
    meta: profiled('MedicationRequest'),
    extension: [prescriptionType(row)],
    identifier: identifier(id, context),
    basedOn: [{ reference: `MedicationRequest/${ids.plan}` }],
    ...group(row, ids),
    status: over ? 'completed' : 'active',
    intent: 'order',
    medicationReference: { reference: `Medication/${ids.medication}` },
    subject: context.subject,
    authoredOn: issue.date,
    ...requester(prescriber, row, context),
    recorder: context.practitioner(prescriber ?? row.recordedBy),
    ...notes(issue.information),
    dosageInstruction: [{ text: legible(issue.dosage ?? row.dosage) }],
    dispenseRequest: {
      validityPeriod: { start: issue.date, ...(days === undefined ? {} : { end: last }) },
      ...quantity({ quantity: issue.quantity ?? row.quantity, supply: issue.supply ?? row.supply }),
      ...duration(days),
    },
  }
  return resource
}

/** Of repeats alone, and of their plans alone. */
function repeatInformation({ type, maxIssues, issues, expiryDate }: Medication) {
  if (type === 'acute') return []
  return [
    {
      url: careConnect('MedicationRepeatInformation'),
      extension: [
        ...(maxIssues === undefined || maxIssues === 0
          ? []
          : [{ url: 'numberOfRepeatPrescriptionsAllowed', valuePositiveInt: maxIssues }]),
        { url: 'numberOfRepeatPrescriptionsIssued', valueUnsignedInt: issues.length },
        ...(expiryDate === undefined ? [] : [{ url: 'authorisationExpiryDate', valueDateTime: expiryDate }]),
      ],
    },
  ]
}

function statusReason({ ended }: Medication, status: Status) {
  if (status !== 'stopped' || ended === undefined) return []
  const { codes, reason = codes[0]?.display ?? 'No information available', date } = ended
  return [
    {
      url: careConnect('MedicationStatusReason'),
      extension: [
        {
          url: 'statusReason',
          valueCodeableConcept: { ...(codes.length === 0 ? {} : { coding: codes }), text: legible(reason) },
        },
        { url: 'statusChangeDate', valueDateTime: date },
      ],
    },
  ]
}

const prescriptionTypes = {
  acute: { code: 'acute', display: 'Acute' },
  'delayed-prescribing': { code: 'delayed-prescribing', display: 'Delayed prescribing' },
  'acute-handwritten': { code: 'acute-handwritten', display: 'Acute handwritten' },
  repeat: { code: 'repeat', display: 'Repeat' },
  'repeat-dispense': { code: 'repeat-dispensing', display: 'Repeat dispensing' },
} as const

function prescriptionType({ type, acuteKind }: Medication) {
  const { code, display } = prescriptionTypes[type === 'acute' ? (acuteKind ?? type) : type]
  return {
    url: careConnect('PrescriptionType'),
    valueCodeableConcept: coded('CareConnect-PrescriptionType-1', code, display),
  }
}

/** What ties the prescriptions of a repeat together. */
function group({ type }: Medication, { statement }: Ids) {
  return type === 'acute' ? {} : { groupIdentifier: { value: statement } }
}

/** Who prescribes it here, where that is known. */
function requester(prescriber: string | undefined, { elsewhere }: Medication, context: Context) {
  if (elsewhere !== undefined || prescriber === undefined) return {}
  return { requester: { agent: context.practitioner(prescriber), onBehalfOf: context.organization } }
}

/** A number with its unit where that is known, otherwise the words alone. */
function quantity({
  quantity: words,
  supply,
}: {
  readonly quantity?: string | undefined
  readonly supply?: Medication['supply']
}) {
  if (words === undefined && supply === undefined) return {}
  return {
    quantity: {
      ...(words === undefined
        ? {}
        : { extension: [{ url: careConnect('MedicationQuantityText'), valueString: legible(words) }] }),
      ...(supply === undefined ? {} : { value: supply.value, unit: supply.unit }),
    },
  }
}

function duration(days: number | undefined) {
  return days === undefined || days === 0
    ? {}
    : { expectedSupplyDuration: { value: days, unit: 'day', system: 'http://unitsofmeasure.org', code: 'd' } }
}

function notes(texts: readonly string[]) {
  const said = texts.filter((text) => text.trim() !== '')
  return said.length === 0 ? {} : { note: said.map((text) => ({ text: legible(text) })) }
}
