/** Medication: a statement with its plan and orders, as GP Connect has it, or requests and statements alone. */
import { addDays, isDay } from '../../dates.ts'
import {
  codeOf,
  codesOf,
  dayOf,
  extension,
  type Fields,
  fields,
  known,
  lineOf,
  list,
  notesOf,
  numberOf,
  textOf,
  wordsOf,
} from './elements.ts'
import type { Mapping, Row } from './mapping.ts'
import type { Held } from './resources.ts'

/** What the profiles of GP Connect write where a dosage is not known. */
const noDosage = 'No information available'

const isRequest = ({ type }: Held): boolean => type === 'MedicationRequest' || type === 'MedicationOrder'

/** Requests that a statement or a plan tells of: they are no medication of their own. */
export function toldElsewhere(held: Held, mapping: Mapping): boolean {
  if (!isRequest(held)) return false
  const based = list(held.resource['basedOn']).some((each) => {
    const target = mapping.resources.follow(each, held)
    return target !== undefined && isRequest(target)
  })
  return based || statementOf(held, mapping) !== undefined
}

/** The statement of a plan, or of an order's plan: what a link to the request means. */
export function statementOf(held: Held, mapping: Mapping): Held | undefined {
  return statements(mapping).get(held.resource)
}

const statementIndex = new WeakMap<Mapping, Map<Fields, Held>>()
function statements(mapping: Mapping): Map<Fields, Held> {
  const before = statementIndex.get(mapping)
  if (before !== undefined) return before
  const found = new Map<Fields, Held>()
  for (const held of mapping.resources.all)
    if (held.type === 'MedicationStatement')
      for (const each of list(held.resource['basedOn'])) {
        const plan = mapping.resources.follow(each, held)
        if (plan === undefined) continue
        found.set(plan.resource, held)
        for (const order of mapping.ordersOf.get(plan.resource) ?? []) found.set(order.resource, held)
      }
  statementIndex.set(mapping, found)
  return found
}

const types: Readonly<Record<string, Fields>> = {
  acute: { type: 'acute' },
  'delayed-prescribing': { type: 'acute', acuteKind: 'delayed-prescribing' },
  'acute-handwritten': { type: 'acute', acuteKind: 'acute-handwritten' },
  repeat: { type: 'repeat' },
  'repeat-dispensing': { type: 'repeat-dispense' },
}

function conceptOf(held: Held, { resources }: Mapping): unknown {
  const { resource } = held
  return (
    resource['medicationCodeableConcept'] ?? resources.follow(resource['medicationReference'], held)?.resource['code']
  )
}

const dosageOf = (resource: Fields | undefined): Fields =>
  list(resource?.['dosageInstruction'] ?? resource?.['dosage'])[0] ?? {}

function supplyOf(resource: Fields | undefined) {
  const dispense = fields(resource?.['dispenseRequest'])
  const { value, unit } = fields(dispense['quantity'])
  const amount = numberOf(value)
  const words = lineOf(unit)
  const written = lineOf(extension(dispense['quantity'], 'MedicationQuantityText')['valueString'])
  const duration = fields(dispense['expectedSupplyDuration'])
  const days = numberOf(duration['value'])
  const inDays =
    duration['code'] === undefined ? /^days?$/i.test(textOf(duration['unit']) ?? 'day') : duration['code'] === 'd'
  return known({
    quantity: written ?? (amount === undefined ? undefined : `${amount}${words === undefined ? '' : ` ${words}`}`),
    supply: amount === undefined || words === undefined ? undefined : { value: amount, unit: words },
    daysDuration: days !== undefined && inDays && Number.isInteger(days) ? days : undefined,
  })
}

const prescriberReference = (resource: Fields): unknown =>
  fields(resource['requester'])['agent'] ?? resource['requester'] ?? resource['prescriber']

/** What an issue has where it says nothing else. */
interface Usual {
  readonly dosage: string
  readonly quantity?: string
  readonly supply?: object
  readonly daysDuration?: number
}

function issueOf(order: Held, medication: Usual, mapping: Mapping) {
  const { resource, id } = order
  const dosage = textOf(dosageOf(resource)['text'])
  const { quantity, supply, daysDuration } = supplyOf(resource)
  return known({
    id,
    date: dayOf(resource['authoredOn'] ?? resource['dateWritten']),
    dosage: dosage === medication.dosage ? undefined : lineOf(dosage),
    quantity: quantity === medication.quantity ? undefined : quantity,
    supply: JSON.stringify(supply) === JSON.stringify(medication.supply) ? undefined : supply,
    daysDuration: daysDuration === medication.daysDuration ? undefined : daysDuration,
    prescriber: mapping.practitioner(prescriberReference(resource), order),
    information: notesOf(resource['note']),
  })
}

export function medicationRow(held: Held, mapping: Mapping): Row {
  const { resources, ordersOf } = mapping
  const { resource } = held
  const statement = isRequest(held) ? undefined : resource
  const planHeld = isRequest(held)
    ? held
    : list(resource['basedOn'])
        .map((each) => resources.follow(each, held))
        .find((found) => found !== undefined && isRequest(found))
  const plan = planHeld?.resource
  const concept = conceptOf(held, mapping) ?? (planHeld === undefined ? undefined : conceptOf(planHeld, mapping))
  const repeats = extension(plan, 'MedicationRepeatInformation')
  const repeatPart = (name: string) => fields(list(repeats['extension']).find(({ url }) => url === name))
  const maxIssues = numberOf(
    repeatPart('numberOfRepeatPrescriptionsAllowed')['valuePositiveInt'] ??
      fields(plan?.['dispenseRequest'])['numberOfRepeatsAllowed'],
  )
  const written = codeOf(extension(plan, 'PrescriptionType')['valueCodeableConcept'])
  const kind = types[written ?? ''] ?? { type: maxIssues !== undefined && maxIssues > 0 ? 'repeat' : 'acute' }
  const period = fields(statement?.['effectivePeriod'] ?? fields(plan?.['dispenseRequest'])['validityPeriod'])
  const start = dayOf(period['start'] ?? statement?.['effectiveDateTime'])
  const end = dayOf(period['end'])
  const dispensable = dayOf(fields(fields(plan?.['dispenseRequest'])['validityPeriod'])['start'])
  const isDelayed = kind['type'] === 'acute' && dispensable !== undefined && start !== undefined && dispensable > start
  const dosageText = dosageOf(statement)['text'] ?? dosageOf(plan)['text']
  const dosage = lineOf(dosageText) ?? noDosage
  const supply = supplyOf(plan)
  const days = supply.daysDuration
  const notes = [...new Set([...notesOf(statement?.['note']), ...notesOf(plan?.['note'])])]
  const elsewhere =
    codeOf(extension(statement, 'PrescribingAgency')['valueCodeableConcept']) === 'prescribed-by-another-organisation'
  const agency = notes.find((note) => note.startsWith('Prescribed by: '))
  const orders = plan === undefined ? [] : (ordersOf.get(plan) ?? [])
  const derived =
    start !== undefined && isDay(start) && days !== undefined ? addDays(start, Math.max(0, days - 1)) : start
  const ended = endOf(statement ?? {}, plan, end, kind['type'] === 'acute')
  const recordedDate = dayOf(
    statement?.['dateAsserted'] ?? plan?.['authoredOn'] ?? plan?.['dateWritten'] ?? period['start'],
  )
  return {
    area: 'medications',
    row: known({
      id: held.id,
      codes: codesOf(concept),
      ...kind,
      item: wordsOf(concept),
      dosage,
      patientInstruction: lineOf(dosageOf(plan)['patientInstruction'] ?? dosageOf(statement)['patientInstruction']),
      ...supply,
      prescriber: plan === undefined ? undefined : mapping.practitioner(prescriberReference(plan), planHeld as Held),
      recordedBy: plan === undefined ? undefined : mapping.practitioner(plan['recorder'], planHeld as Held),
      recordedDate,
      startDate: start,
      postDate: isDelayed ? dispensable : undefined,
      elsewhere: elsewhere ? known({ agency: agency?.slice('Prescribed by: '.length) }) : undefined,
      // The end that follows from the days is not said twice.
      scheduledEndDate: ended === undefined && end !== derived ? end : undefined,
      maxIssues: maxIssues !== undefined && Number.isInteger(maxIssues) ? maxIssues : undefined,
      expiryDate: dayOf(repeatPart('authorisationExpiryDate')['valueDateTime']),
      ended,
      information: notes.filter((note) => note !== agency || !elsewhere),
      issues: orders.map((order) => issueOf(order, { dosage, ...supply }, mapping)).filter(({ date }) => date),
    }),
  }
}

/** How it ended: a clinician stopped it, or a repeat ran out. An acute one ends by itself. */
function endOf(statement: Fields, plan: Fields | undefined, end: string | undefined, acute: boolean) {
  const reason = extension(plan, 'MedicationStatusReason')
  const part = (name: string) => fields(list(reason['extension']).find(({ url }) => url === name))
  const concept = part('statusReason')['valueCodeableConcept']
  const changed = dayOf(part('statusChangeDate')['valueDateTime'])
  const status = textOf(statement['status']) ?? textOf(plan?.['status'])
  const date = changed ?? end
  if (date === undefined) return undefined
  if (changed !== undefined || status === 'stopped')
    return known({ date, by: 'clinician', reason: wordsOf(concept), codes: codesOf(concept) })
  return status === 'completed' && !acute ? { date, by: 'expiry' } : undefined
}
