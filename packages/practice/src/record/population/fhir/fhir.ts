/** Reads the FHIR sources of a population into patients, rows, practitioners and locations. */
import { count, type Place, type Population, type PopulationSource, type RowArea } from '../population.ts'
import { heldSlots, readAppointments } from './appointments.ts'
import {
  allergyRow,
  diaryRow,
  documentRow,
  immunisationRow,
  observationRow,
  problemRow,
  type RowMapper,
  referralRow,
} from './clinical.ts'
import { encounterRow, isStructure } from './consultations.ts'
import { codeOf, type Fields, fields, isFields, lineOf, list, textOf } from './elements.ts'
import { investigationRow, partsOf } from './investigations.ts'
import { encounterReference, isNote, isWithdrawn, Link, type Mapping, mappingOf } from './mapping.ts'
import { medicationRow, statementOf, toldElsewhere } from './medication.ts'
import {
  employersOf,
  locationOf,
  nhsNumberOf,
  odsCodeOf,
  organisationOf,
  personOf,
  practicesOf,
  practitionerOf,
  rolesOf,
} from './people.ts'
import { type Held, readResources } from './resources.ts'
import { readSchedules } from './schedules.ts'

const mappers: Readonly<Record<string, RowMapper>> = {
  AllergyIntolerance: allergyRow,
  MedicationStatement: medicationRow,
  MedicationRequest: medicationRow,
  MedicationOrder: medicationRow,
  Condition: problemRow,
  Immunization: immunisationRow,
  Observation: observationRow,
  Encounter: encounterRow,
  ReferralRequest: referralRow,
  ProcedureRequest: diaryRow,
  ServiceRequest: referralRow,
  DiagnosticReport: investigationRow,
  DocumentReference: documentRow,
}

/** Used where others refer to them, and no rows by themselves. */
const referred = new Set(['PractitionerRole', 'Organization', 'HealthcareService', 'Medication', 'Binary', 'Specimen'])

/** Of types that are used, and were not; of the others a record has none. */
const whyLeftOut: Readonly<Record<string, string>> = {
  Practitioner: 'has no id or no name',
  Location: 'has no id or no name',
  Schedule: 'has no id, or no actor that is a location',
  Slot: 'is of no schedule that is used',
  Appointment: 'has no slots of a schedule that is used, or a status of which the books keep nothing',
  List: 'is no part of a consultation',
  ServiceRequest: 'is neither a plan nor a referral',
  ProcedureRequest: 'is no plan, and no report is based on it',
}

interface Mapped {
  readonly held: Held
  readonly nhsNumber: string
  readonly area: RowArea
  readonly row: Fields
}

export async function readFhir(sources: readonly PopulationSource[], population: Population): Promise<void> {
  const resources = await readResources(sources, population)
  const roles = rolesOf(resources)
  for (const held of resources.all)
    if (held.type === 'Practitioner') {
      const own = roles.get(held.resource) ?? []
      const practitioner = practitionerOf(held, own)
      if (practitioner !== undefined)
        population.practitioner(practitioner, held.place, employersOf(held, own, resources))
    } else if (held.type === 'Organization') {
      const [odsCode, name] = [odsCodeOf(held.resource), lineOf(held.resource['name'])]
      if (odsCode !== undefined && name !== undefined) population.organisations.set(odsCode, name)
    } else if (held.type === 'Location') {
      const parent = resources.follow(held.resource['partOf'], held)
      const location = locationOf(held, parent?.type === 'Location' ? parent.id : undefined)
      const owner = organisationOf(held.resource['managingOrganization'], held, resources)
      if (location !== undefined) population.location(location, held.place, owner === undefined ? [] : [owner])
    }
  const mapping = mappingOf(resources, population)
  const numbers = patients(mapping, population)
  const planned = readSchedules(mapping, population, heldSlots(mapping))
  const taken = new Set<object>(planned)
  const appointments = readAppointments(mapping, population, planned, numbers)
  for (const held of resources.all)
    if (held.type === 'DiagnosticReport' && !isWithdrawn(held))
      for (const part of partsOf(held, mapping)) taken.add(part.resource)
  const mapped: Mapped[] = []
  const seen = new Map<string, Held>()
  for (const held of resources.all) {
    if (held.type === 'Patient' || appointments.has(held.resource)) continue
    const use = usedAs(held, mapping, population, taken)
    if (use === 'unmapped' || isWithdrawn(held)) {
      if (use === 'unmapped')
        population.leaveOut(held.type, held.place, whyLeftOut[held.type] ?? 'no place in a record')
      else population.leaveOut(`${held.type} (withdrawn)`, held.place, 'entered in error, or refuted')
      continue
    }
    if (use === 'part') {
      count(population.used, held.type)
      continue
    }
    const subject = resources.follow(held.resource['subject'] ?? held.resource['patient'], held)
    const nhsNumber = subject === undefined ? directNumber(held) : numbers.get(subject.resource)
    // The fault of a patient without a number is told once, where the patient stands.
    if (subject?.type === 'Patient' && nhsNumber === undefined) continue
    if (nhsNumber === undefined || nhsNumber === false) {
      population.fault(at(held, 'subject'), 'names no patient of the population')
      continue
    }
    const key = `${nhsNumber} ${held.type}/${held.id}`
    const before = held.id === undefined ? undefined : seen.get(key)
    if (before !== undefined) {
      // Answers about one patient repeat resources; what differs is not the same.
      if (JSON.stringify(before.resource) !== JSON.stringify(held.resource))
        population.fault(held.place, 'another resource of this patient has the same type and id')
      continue
    }
    seen.set(key, held)
    count(population.used, held.type)
    // A label is no leave to keep back from everybody, and nothing else in a row takes it.
    if (list(fields(held.resource['meta'])['security']).length > 0)
      population.leaveOut(`${held.type} (security label)`, held.place, 'the label; the row itself is used')
    mapped.push({ held, nhsNumber, ...use(held, mapping) })
  }
  emit(mapped, mapping, population)
}

const at = (held: Held, path: string): Place => ({ ...held.place, path: `${held.place.path ?? held.type}.${path}` })

/** Every patient with a right number is a person of the population. */
function patients(mapping: Mapping, population: Population): ReadonlyMap<Fields, string> {
  const { resources } = mapping
  const numbers = new Map<Fields, string>()
  const people = new Map<string, string>()
  for (const held of resources.all) {
    if (held.type !== 'Patient') continue
    const nhsNumber = nhsNumberOf(held.resource['identifier'])
    if (nhsNumber === undefined || nhsNumber === false) {
      population.fault(
        at(held, 'identifier'),
        nhsNumber === undefined ? 'has no NHS number' : 'has no NHS number with a right check digit',
      )
      continue
    }
    numbers.set(held.resource, nhsNumber)
    if (held.resource['deceasedBoolean'] === true)
      population.leaveOut('Patient.deceasedBoolean', held.place, 'a record needs the day of a death')
    const person = personOf(held, mapping)
    const written = JSON.stringify(person)
    const before = people.get(nhsNumber)
    // The same patient stands in every answer about them.
    if (before === written) continue
    if (before === undefined) {
      population.person(nhsNumber, person, held.place, practicesOf(held, resources).heldAt)
      count(population.used, 'Patient')
    } else population.fault(held.place, 'another source says something else of this patient')
    people.set(nhsNumber, written)
  }
  return numbers
}

/** A reference that names its patient by NHS number alone. */
function directNumber({ resource }: Held): string | false | undefined {
  return nhsNumberOf(fields(resource['subject'] ?? resource['patient'])['identifier'])
}

/** How a resource is used: mapped by itself, as a part of another, or not at all. */
function usedAs(
  held: Held,
  mapping: Mapping,
  population: Population,
  taken: ReadonlySet<object>,
): RowMapper | 'part' | 'unmapped' {
  const { type, id, resource } = held
  if (taken.has(resource) || referred.has(type) || toldElsewhere(held, mapping)) return 'part'
  if (type === 'Practitioner') return id !== undefined && population.practitioners.has(id) ? 'part' : 'unmapped'
  if (type === 'Location') return id !== undefined && population.locations.has(id) ? 'part' : 'unmapped'
  if (type === 'List') return isStructure(held) && hasEncounter(held, mapping) ? 'part' : 'unmapped'
  if (isNote(held))
    return hasEncounter(held, mapping) || mapping.notesOn.size > 0 ? noteUse(held, mapping) : observationRow
  if ((type === 'ProcedureRequest' || type === 'ServiceRequest') && textOf(resource['intent']) === 'plan')
    return diaryRow
  if (type === 'ProcedureRequest') return 'unmapped'
  if (type === 'ServiceRequest' && !isReferral(resource)) return 'unmapped'
  return mappers[type] ?? 'unmapped'
}

const hasEncounter = (held: Held, { resources }: Mapping): boolean =>
  resources.follow(encounterReference(held.resource), held)?.type === 'Encounter'

/** A note is words of its consultation; one that stands alone is an entry. */
const noteUse = (held: Held, mapping: Mapping): RowMapper | 'part' =>
  hasEncounter(held, mapping) ? 'part' : observationRow

const isReferral = (resource: Fields): boolean =>
  (Array.isArray(resource['category']) ? resource['category'] : []).some((each) => codeOf(each) === '3457005')

/** Gives rows ids that are unique in their record, and turns links into them. */
function emit(mapped: readonly Mapped[], mapping: Mapping, population: Population): void {
  const ids = new Map<Fields, { readonly id: string; readonly area: RowArea; readonly nhsNumber: string }>()
  const used = new Map<string, Set<string>>()
  for (const { held, nhsNumber, area } of mapped) {
    if (held.id === undefined) continue
    const taken = used.get(nhsNumber) ?? new Set()
    used.set(nhsNumber, taken)
    // FHIR ids are unique for their type, those of rows in the whole record.
    const id = taken.has(held.id) ? `${held.type}-${held.id}`.slice(0, 64) : held.id
    taken.add(id)
    ids.set(held.resource, { id, area, nhsNumber })
  }
  for (const { held, nhsNumber, area, row } of mapped) {
    const own = ids.get(held.resource)
    const resolve = ({ target, allowed }: Link): string | undefined => {
      const meant = isRow(target) ? target : (statementOf(target, mapping) ?? target)
      const found = ids.get(meant.resource)
      if (found !== undefined && found.nhsNumber === nhsNumber && allowed(found.area) && found !== own) return found.id
      population.leaveOut(`${held.type} (link to ${target.type})`, held.place, 'is no row that it may be linked to')
      return undefined
    }
    const written = linked(row, resolve) as Fields
    population.row(nhsNumber, area, own === undefined ? written : { ...written, id: own.id }, held.place)
  }
}

const isRow = ({ type }: Held): boolean => !/^Medication(Request|Order)$/.test(type)

/** The value with ids for links; what a missing link was the point of goes with it. */
function linked(value: unknown, resolve: (link: Link) => string | undefined): unknown {
  if (value instanceof Link) return resolve(value)
  if (Array.isArray(value))
    return value.flatMap((each) => {
      const written = linked(each, resolve)
      const lost =
        isFields(each) && Object.entries(each).some(([name, one]) => one instanceof Link && !isIn(written, name))
      return written === undefined || lost ? [] : [written]
    })
  if (!isFields(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      const written = linked(each, resolve)
      return written === undefined ? [] : [[name, written]]
    }),
  )
}

const isIn = (value: unknown, name: string): boolean => isFields(value) && value[name] !== undefined
