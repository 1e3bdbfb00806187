import { type RecordItem, type RecordList, readBundle, type StructuredRecord } from '@openspine/client'
import { formatNhsNumber, isNhsNumber } from '@openspine/standards/nhs'
import { bold, dim, red, shown, table } from './terminal.ts'

type Json = Readonly<Record<string, unknown>>

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])
const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
const day = (value: unknown): string => text(value).slice(0, 10)
const named = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(', ')

function concept(value: unknown): string {
  const { text: said, coding } = object(value)
  const first = object(list(coding)[0])
  return text(said ?? first['display'] ?? first['code'])
}

/** The extension of this name, published with or without `GPC` in its URL, and at two places. */
function extension(resource: Json, name: string): Json {
  const named = /CareConnect-(?:GPC-)?([^/]*)$/
  return object(list(resource['extension']).find((one) => named.exec(text(object(one)['url']))?.[1] === name))
}

function quantity(value: unknown): string {
  const { value: amount, unit } = object(value)
  return [text(amount), text(unit)].filter((part) => part !== '').join(' ')
}

function observedValue(observation: Json): string {
  if (observation['valueQuantity'] !== undefined) return quantity(observation['valueQuantity'])
  if (observation['valueString'] !== undefined) return text(observation['valueString'])
  return concept(observation['valueCodeableConcept'])
}

type Resolve = (reference: string | undefined) => Json | undefined
type Row = (resource: Json, resolve: Resolve) => readonly string[]

const referred = (resource: Json, member: string) => text(object(resource[member])['reference'])

function period(value: unknown): string {
  const { start, end } = object(value)
  return end === undefined ? day(start) : `${day(start)} – ${day(end)}`
}

function medicationOf(resource: Json, resolve: Resolve): string {
  const medication = resolve(referred(resource, 'medicationReference'))
  return concept(medication?.['code'] ?? resource['medicationCodeableConcept'])
}

/** Resource type → date, what it is, and the rest that a reader looks for first. */
const rows: Readonly<Record<string, Row>> = {
  AllergyIntolerance: (allergy) => {
    const ends = list(extension(allergy, 'AllergyIntoleranceEnd-1')['extension']).map(object)
    const ended = ends.find(({ url }) => url === 'endDate')
    const why = ends.find(({ url }) => url === 'reasonEnded')
    const reaction = object(list(allergy['reaction'])[0])
    return [
      day(allergy['assertedDate']),
      concept(allergy['code']),
      named(concept(list(reaction['manifestation'])[0]), text(reaction['severity'])),
      ended === undefined ? '' : `ended ${day(ended['valueDateTime'])}: ${text(why?.['valueString'])}`,
    ]
  },
  MedicationStatement: (statement, resolve) => {
    const dosage = object(list(statement['dosage'])[0])
    const plan = resolve(text(object(list(statement['basedOn'])[0])['reference']))
    const kind = concept(extension(plan ?? {}, 'PrescriptionType-1')['valueCodeableConcept'])
    return [
      period(statement['effectivePeriod']),
      medicationOf(statement, resolve),
      named(text(dosage['text']), text(dosage['patientInstruction'])),
      named(kind, text(statement['status'])),
    ]
  },
  Encounter: (encounter) => [
    day(object(encounter['period'])['start']),
    concept(list(encounter['type'])[0]) || 'Consultation',
  ],
  Condition: (condition) => [
    day(condition['onsetDateTime'] ?? condition['assertedDate']),
    concept(condition['code']),
    text(extension(condition, 'ProblemSignificance-1')['valueCode']),
    text(condition['clinicalStatus']),
  ],
  Immunization: (given) => [
    day(given['date']),
    concept(extension(given, 'VaccinationProcedure-1')['valueCodeableConcept']) || concept(given['vaccineCode']),
    given['notGiven'] === true ? 'not given' : '',
  ],
  Observation: (observation) => [
    day(observation['effectiveDateTime'] ?? object(observation['effectivePeriod'])['start'] ?? observation['issued']),
    concept(observation['code']),
    observedValue(observation),
    text(observation['comment']),
  ],
  MedicationRequest: (request, resolve) => [
    day(request['authoredOn']),
    medicationOf(request, resolve),
    text(object(list(request['dosageInstruction'])[0])['text']),
    text(request['intent']) === 'order' ? 'issued' : text(request['status']),
  ],
  DiagnosticReport: (report) => [day(report['issued']), concept(report['code']), text(report['conclusion'])],
  ReferralRequest: (referral) => [
    day(referral['authoredOn']),
    concept(list(referral['reasonCode'])[0]) || concept(referral['type']),
    text(referral['description']),
    text(referral['priority']),
  ],
  ProcedureRequest: (request) => [
    day(request['occurrenceDateTime'] ?? object(request['occurrencePeriod'])['start'] ?? request['authoredOn']),
    concept(request['code']),
  ],
  DocumentReference: (document) => [day(document['created']), concept(document['type']), text(document['description'])],
}

const consultation = '325851000000107'
const codeOf = (resource: Json) => text(object(list(object(resource['code'])['coding'])[0])['code'])

/** A structured record as text: who, then each list with its warnings as they stand, its entries, or why it has none. */
export function readableStructured(record: StructuredRecord): string[] {
  const bundle = readBundle(record.bundle)
  const resolve: Resolve = (reference) => bundle.resolve(reference)
  /** What a consultation holds: topics, headings and entries, each further in. */
  const inside = (resource: Json, depth: number): string[] =>
    list(resource['entry']).flatMap((entry) => {
      const reference = referred(object(entry), 'item')
      const found = resolve(reference)
      const indent = '  '.repeat(depth)
      if (found?.['resourceType'] !== 'List') return [shown(`${indent}${oneLine(found, reference, resolve)}`)]
      // Lists that hold each other are no reason to run for ever.
      const below = depth < 6 ? inside(found, depth + 1) : []
      return [dim(shown(`${indent}${text(found['title']) || concept(found['code'])}`)), ...below]
    })
  const structureOf = (encounter: Json | undefined): string[] => {
    if (encounter?.['resourceType'] !== 'Encounter') return []
    const root = bundle
      .ofType('List')
      .find(
        (one) => codeOf(one) === consultation && referred(one, 'encounter').split('/').at(-1) === text(encounter['id']),
      )
    return root === undefined ? [] : inside(root, 2)
  }
  /** Results of a report: groups, and the tests that they have as members. */
  const results = (references: readonly unknown[], depth: number): string[] =>
    references.flatMap((one) => {
      const reference = text(object(one)['reference'])
      const found = resolve(reference)
      const members = list(found?.['related'])
        .map(object)
        .filter(({ type }) => type === 'has-member')
      return [
        shown(`${'  '.repeat(depth)}${oneLine(found, reference, resolve)}`),
        ...(depth < 5
          ? results(
              members.map(({ target }) => target),
              depth + 1,
            )
          : []),
      ]
    })
  const beneath = (resource: Json | undefined): string[] =>
    resource?.['resourceType'] === 'DiagnosticReport' ? results(list(resource['result']), 2) : structureOf(resource)
  const items = ({ area, items: all }: RecordList): string[] => {
    const lines = table(all.map((item) => cells(item, resolve)))
    // In a secondary list stands what the list of its area has whole.
    return all.flatMap((item, i) => [
      `  ${(lines[i] ?? '').trimEnd()}`,
      ...(area === undefined ? [] : beneath(item.resource)),
    ])
  }
  return [bold(shown(patientLine(record.patient))), ...record.lists.flatMap((one) => listLines(one, items))]
}

function listLines(one: RecordList, items: (one: RecordList) => string[]): string[] {
  return [
    '',
    bold(shown(one.title)) + dim(`  ${one.items.length}`),
    ...one.warnings.map((code) => red(shown(`  ! ${code}`))),
    ...one.notes.map((note) => dim(shown(`  ${note}`))),
    ...(one.emptyReason === undefined ? [] : [dim(shown(`  ${one.emptyReason}`))]),
    ...items(one),
  ]
}

/** Line ends inside an entry would break its row. */
const flat = (cell: string) => shown(cell).replaceAll(/\s*\n\s*/g, ' / ')

function cells({ resource, reference, display }: RecordItem, resolve: Resolve): string[] {
  const row = rows[text(resource?.['resourceType'])]
  if (resource !== undefined && row !== undefined) return row(resource, resolve).map(flat)
  return ['', flat(display ?? reference ?? text(resource?.['resourceType']))]
}

function oneLine(resource: Json | undefined, reference: string, resolve: Resolve): string {
  return cells(resource === undefined ? { reference } : { reference, resource }, resolve)
    .filter((cell) => cell !== '')
    .join('  ')
}

function patientLine(patient: Json): string {
  const name = object(list(patient['name'])[0])
  const number = list(patient['identifier'])
    .map((one) => text(object(one)['value']))
    .find(isNhsNumber)
  const given = list(name['given']).map(text).join(' ')
  return [
    named(text(name['family']), given),
    number === undefined ? '' : formatNhsNumber(number),
    `born ${text(patient['birthDate'])}`,
    text(patient['gender']),
    patient['deceasedDateTime'] === undefined ? '' : `died ${day(patient['deceasedDateTime'])}`,
  ]
    .filter((part) => part !== '')
    .join('   ')
}
