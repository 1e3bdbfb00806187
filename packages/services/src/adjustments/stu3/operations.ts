/** What is asked for in STU3, on whichever door: checked request in, resources out. */
import { isSpineError } from '@openspine/standards/error'
import type { FhirFormat, Resource } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { codings, items, type Json, text } from '@openspine/standards/fhir/untrusted'
import { isNhsNumber, isUuid } from '@openspine/standards/nhs'
import { type Caller, callerKey, type RequestKey } from '../../gateway/contract.ts'
import { parameterIn, queryChecks, type RaOperation, type RaRequest, versionIn } from '../checks.ts'
import { removalReasons, removalSystems } from '../codes.ts'
import { type Author, changedAt, type Item, shown, wireId } from '../item.ts'
import { refuse } from '../outcomes.ts'
import type { Patient, Patients } from '../patients.ts'
import { addAdjustment, addMembers, addRecord, type Made, type Making, put, removeRecord } from '../rules.ts'
import type { ItemStore } from '../store.ts'
import {
  emptyList,
  memberKindOf,
  resourceOf,
  resourceTypeOf,
  searchAnswer,
  type TopKind,
  thresholdFlag,
} from './render.ts'
import {
  conditionChecks,
  consentChecks,
  flagChecks,
  impairmentChecks,
  isEnded,
  kept,
  listIn,
  membersIn,
  mustBeSound,
  numberIn,
  type ResourceCheck,
  removalIn,
  removalOf,
} from './resources.ts'

export interface RaNeeds {
  readonly store: ItemStore
  readonly patients: Patients
  authorOf(caller: Caller, at: number): Author
  newId(): string
}

/** A request whose door has let it in. */
export interface RaCall {
  readonly request: RaRequest
  readonly operation: RaOperation
  /** Last segment of the path. */
  readonly id: string | undefined
  readonly caller: Caller
  readonly at: number
  /** Of the body. */
  readonly format: FhirFormat
  /** X-Request-ID, where a repeat of it is to be answered as the first time. */
  readonly requestId: string | undefined
  /** URL of the base, and of the request. */
  readonly base: string
  readonly self: string
}

export interface RaAnswer {
  readonly status: number
  readonly resource: Resource
  readonly headers: Readonly<Record<string, string>>
  /** Whose record was shown or changed, and what of it: `Flag/{id}/_history/2`. */
  readonly nhsNumber: string
  readonly touched: readonly string[]
}

const checksOf: Readonly<Record<TopKind, readonly ResourceCheck[]>> = {
  record: consentChecks,
  adjustment: flagChecks,
  impairments: impairmentChecks,
  conditions: conditionChecks,
}

export function raAnswer(needs: RaNeeds, call: RaCall): Promise<RaAnswer> {
  switch (call.operation.name) {
    case 'search':
      return search(needs, call)
    case 'create':
      return create(needs, call)
    case 'update':
      return update(needs, call)
    default:
      return removeWhole(needs, call)
  }
}

async function search(
  { store, patients, newId }: RaNeeds,
  { request, operation, base, self }: RaCall,
): Promise<RaAnswer> {
  for (const check of queryChecks) {
    const diagnostics = check.fault(request)
    if (diagnostics !== undefined) throw refuse(check.outcome, diagnostics, check.name)
  }
  const patient = await patients.toRead(parameterIn(request, 'patient') ?? '')
  const { nhsNumber } = patient
  const all = await store.all(patient.numbers)
  const found = shown(all).filter((item) => item.active && item.kind === operation.kind)
  const threshold = operation.kind === 'threshold' ? thresholdFlag(all, patient) : undefined
  const resources = threshold === undefined ? found.map((item) => resourceOf(item, all, [], patient)) : [threshold]
  const [only] = found
  return {
    status: 200,
    resource: searchAnswer(resources, { id: newId(), base, path: operation.path, self }),
    headers: found.length === 1 && only !== undefined ? versionHeaders(only) : {},
    nhsNumber,
    touched: found.map(touchedBy),
  }
}

const touchedBy = (item: Item) => `${item.kind} ${wireId(item)} version ${item.version}`

const versionHeaders = (item: Item) => ({
  etag: `W/"${item.version}"`,
  'last-modified': new Date(changedAt(item)).toUTCString(),
})

function bodyOf({ request, format }: RaCall): Json {
  try {
    return stu3.read(format, request.body) as Json
  } catch (error) {
    if (!isSpineError(error)) throw error
    const structure = /^(FHIR_JSON|XML_|FHIR_TOO_)/.test(error.code)
    throw refuse(structure ? 'notWellFormed' : 'resource', error.explanation ?? 'The body is no resource', 'Body')
  }
}

async function create(needs: RaNeeds, call: RaCall): Promise<RaAnswer> {
  const kind = call.operation.kind as TopKind
  const resource = bodyOf(call)
  mustBeSound(checksOf[kind], { resource, create: true })
  const patient = await needs.patients.toWrite(numberIn(resource['patient'] ?? resource['subject']) ?? '')
  const making = makingOf(needs, call, patient)
  const decide = creation(making, kind, resource)
  return needs.store.change(
    patient.numbers,
    (all) => {
      const { writes, result } = decide(all)
      const { item, created } = result
      const location = `${call.base}${call.operation.path}/${wireId(item)}/_history/${item.version}`
      return { writes, result: changed(created ? 201 : 200, result, after(all, writes), patient, { location }) }
    },
    requestKey(call),
  )
}

const requestKey = ({ requestId, caller, operation, id = '', at }: RaCall): RequestKey | undefined =>
  requestId === undefined
    ? undefined
    : {
        caller: callerKey(caller),
        operation: `${operation.name} ${operation.kind ?? ''} ${id}`,
        id: requestId.toLowerCase(),
        at,
      }

function creation(making: Making, kind: TopKind, resource: Json) {
  if (kind === 'record') return addRecord(making, kept(resource))
  if (kind === 'adjustment') return addAdjustment(making, kept(resource))
  const list =
    resource['resourceType'] === 'List'
      ? listIn(resource)
      : emptyList(making.nhsNumber, making.by.at, 'Underlying Condition List')
  return addMembers(making, kind, list, membersIn(resource, making.newId))
}

const makingOf = (needs: RaNeeds, { caller, at }: RaCall, { nhsNumber }: Patient): Making => ({
  nhsNumber,
  by: needs.authorOf(caller, at),
  newId: needs.newId,
})

/** The items as they stand when the writes are done. */
function after(all: readonly Item[], writes: readonly Item[]): readonly Item[] {
  const changed = new Map(writes.map((item) => [item.id, item]))
  const known = new Set(all.map(({ id }) => id))
  return [...all.map((item) => changed.get(item.id) ?? item), ...writes.filter(({ id }) => !known.has(id))]
}

function changed(
  status: number,
  { item, members }: Made,
  all: readonly Item[],
  patient: Patient,
  headers: Readonly<Record<string, string>>,
): RaAnswer {
  return {
    status,
    resource: resourceOf(item, all, members, patient),
    headers: { ...versionHeaders(item), ...headers },
    nhsNumber: patient.nhsNumber,
    touched: [item, ...members].map(touchedBy),
  }
}

/** `{NHS number}.{UUID}`. */
function named(id: string | undefined): { readonly nhsNumber: string; readonly uuid: string } {
  const [nhsNumber = '', uuid = '', ...rest] = (id ?? '').split('.')
  if (isNhsNumber(nhsNumber) && isUuid(uuid) && rest.length === 0) return { nhsNumber, uuid: uuid.toLowerCase() }
  throw refuse('noRecord', 'There is no resource of this id', 'Resource is there')
}

async function update(needs: RaNeeds, call: RaCall): Promise<RaAnswer> {
  const kind = call.operation.kind as TopKind
  const { nhsNumber, uuid } = named(call.id)
  const resource = bodyOf(call)
  mustBeSound(checksOf[kind], { resource, create: false })
  // Published examples have another id in the body than in the path: the path counts. The patient must be the same.
  if (numberIn(resource['patient'] ?? resource['subject']) !== nhsNumber)
    throw refuse('conflictingValues', 'The resource is of another patient than the one in the body', 'One patient')
  if (memberKindOf(kind) !== undefined && resource['resourceType'] !== resourceTypeOf(kind))
    throw refuse('resource', 'A list is changed by sending a List', 'Resource type')
  const patient = await needs.patients.toWrite(nhsNumber)
  const making = makingOf(needs, call, patient)
  const removal = removalIn(resource)
  const isList = memberKindOf(kind) !== undefined
  const drafts = isList ? membersIn(resource, needs.newId) : []
  const decide = put(making, {
    kind,
    id: uuid,
    version: versionIn(call.request.header('if-match')),
    document: isList ? listIn(resource) : kept(resource),
    active: !isEnded(resource),
    drafts,
    ...(removal && { removal }),
  })
  return needs.store.change(
    patient.numbers,
    (all) => {
      const { writes, result } = decide(all)
      return { writes, result: changed(200, result, after(all, writes), patient, {}) }
    },
    requestKey(call),
  )
}

const done: Json = {
  resourceType: 'OperationOutcome',
  meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/Spine-OperationOutcome-1'] },
  issue: [{ severity: 'information', code: 'informational', details: { text: 'OK' } }],
}

/** `$removerarecord`. */
async function removeWhole(needs: RaNeeds, call: RaCall): Promise<RaAnswer> {
  const parameters = bodyOf(call)
  const check = '$removerarecord'
  if (parameters['resourceType'] !== 'Parameters') throw refuse('resource', 'The body is no Parameters resource', check)
  const parts = items(
    items(parameters['parameter']).find(({ name }) => /^removerarecord$/i.test(String(name)))?.['part'],
  )
  const part = (name: string) => parts.find((each) => each['name'] === name)
  const nhsNumber = text(part('nhsNumber')?.['valueString'])
  if (nhsNumber === undefined) throw refuse('element', 'removeRARecord has no part nhsNumber with a valueString', check)
  if (!isNhsNumber(nhsNumber)) throw refuse('nhsNumber', 'The part nhsNumber is no valid NHS number', check)
  const [reason] = codings(part('removalReason')?.['valueCodeableConcept'])
  if (reason === undefined)
    throw refuse('element', 'removeRARecord has no part removalReason with a valueCodeableConcept', check)
  if (!removalSystems.includes(reason.system))
    throw refuse('codeSystem', `The removalReason is not of the system ${removalSystems[0]}`, check)
  if (!removalReasons.includes(reason.code))
    throw refuse('codeValue', `The removalReason is not one of ${removalReasons.join(', ')}`, check)
  const patient = await needs.patients.toWrite(nhsNumber)
  const removal = removalOf(reason, text(part('supportingComment')?.['valueString']))
  const version = versionIn(call.request.header('if-match'))
  const decide = removeRecord(makingOf(needs, call, patient), version, removal)
  const count = await needs.store.change(patient.numbers, decide, requestKey(call))
  return {
    status: 200,
    resource: done as unknown as Resource,
    headers: {},
    nhsNumber,
    touched: [`${count} resources removed`],
  }
}
