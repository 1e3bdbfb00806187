/** What is sent in STU3: judged, in order, and brought into the form that is kept. */

import {
  asJson,
  type Code,
  codings,
  defined,
  extensionOf,
  items,
  type Json,
  text,
} from '@openspine/standards/fhir/untrusted'
import { isNhsNumber } from '@openspine/standards/nhs'
import {
  adjustmentCategories,
  adjustmentList,
  conditionCodeOf,
  conditionCodes,
  extensions,
  isSnomed,
  isSnomedCode,
  nraf,
  proxyRoles,
  raConsent,
  removalReasons,
  removalSystems,
  systems,
} from '../codes.ts'
import type { Removal } from '../item.ts'
import { refuse, type SpineOutcome } from '../outcomes.ts'
import type { MemberDraft } from '../rules.ts'

/** What a resource is judged for. */
export interface Sent {
  readonly resource: Json
  readonly create: boolean
}

/** One check of a resource: what it asks, where it is written, what the wire says when it fails. */
export interface ResourceCheck {
  readonly name: string
  readonly clause: string
  readonly outcome: SpineOutcome
  readonly explains: string
  /** What is wrong, as `diagnostics`. */
  fault(sent: Sent): string | undefined
}

const clause = '§23'
const codeSystems = (codes: readonly Code[], system: (system: string) => boolean) =>
  codes.filter((each) => system(each.system))

/** Two checks: a coding of this system is there; its code is one of the list. */
function coded(
  what: string,
  concept: (resource: Json) => unknown,
  system: string,
  fits: (code: string) => boolean,
  optional = false,
): readonly ResourceCheck[] {
  const right = (each: string) => (system === systems.snomed ? isSnomed(each) : each === system)
  return [
    {
      name: `System of ${what}`,
      clause,
      outcome: 'codeSystem',
      explains: `The coding of ${what} is of the system ${system}.`,
      fault({ resource }) {
        const given = concept(resource)
        if (given === undefined && optional) return undefined
        return codeSystems(codings(given), right).length > 0
          ? undefined
          : `${what} has no coding of the system ${system}`
      },
    },
    {
      name: `Code of ${what}`,
      clause,
      outcome: 'codeValue',
      explains: `The code of ${what} is one of the national list.`,
      fault({ resource }) {
        const given = concept(resource)
        if (given === undefined && optional) return undefined
        return codeSystems(codings(given), right).every(({ code }) => fits(code))
          ? undefined
          : `The code of ${what} is not one of the list`
      },
    },
  ]
}

/** NHS number at the end of a reference to a patient, with or without scheme; undefined where it has another form. */
export const numberIn = (reference: unknown): string | undefined =>
  /(?:^|\/)Patient\/([^/]+)$/.exec(text(asJson(reference)['reference']) ?? '')?.[1]

function patientChecks(member: 'patient' | 'subject'): readonly ResourceCheck[] {
  return [
    {
      name: `Reference of ${member}`,
      clause,
      outcome: 'element',
      explains: `The ${member} is referred to as https://demographics.spineservices.nhs.uk/STU3/Patient/ and the NHS number.`,
      fault: ({ resource }) =>
        numberIn(resource[member]) === undefined
          ? `${member} is no reference to https://demographics.spineservices.nhs.uk/STU3/Patient/[NHS number]`
          : undefined,
    },
    {
      name: `NHS number of ${member}`,
      clause: '§23, §1',
      outcome: 'nhsNumber',
      explains: `The NHS number of ${member} is ten digits with a right check digit.`,
      fault: ({ resource }) =>
        isNhsNumber(numberIn(resource[member])) ? undefined : `The NHS number of ${member} is not valid`,
    },
  ]
}

function typeCheck(...types: readonly string[]): ResourceCheck {
  return {
    name: 'Resource type',
    clause,
    outcome: 'resource',
    explains: `The resource is of the type of the path: ${types.join(' or ')}.`,
    fault: ({ resource }) =>
      types.includes(String(resource['resourceType']))
        ? undefined
        : `The resource is not of the type ${types.join(' or ')}`,
  }
}

const idCheck: ResourceCheck = {
  name: 'No id on create',
  clause: '§23, identity §7.3',
  outcome: 'resourceId',
  explains: 'The service gives a new resource its id.',
  fault: ({ resource, create }) =>
    create && resource['id'] !== undefined
      ? 'A resource that is created has no id: the service gives it one'
      : undefined,
}

const ended: ReadonlySet<string> = new Set(['inactive', 'retired', 'entered-in-error'])
export const isEnded = (resource: Json): boolean => ended.has(String(resource['status']))

function statusCheck(active: string): ResourceCheck {
  return {
    name: 'Status',
    clause,
    outcome: 'codeValue',
    explains: `The status of a new resource is ${active}; what is removed is put as inactive.`,
    fault: ({ resource, create }) =>
      resource['status'] === active || (!create && isEnded(resource))
        ? undefined
        : `The status is not ${create ? active : `${active} or inactive`}`,
  }
}

const removalConcept = (resource: Json): unknown => {
  const extension = extensionOf(resource, extensions.removalReason)
  if (extension === undefined) return undefined
  return extension['valueCodeableConcept'] ?? extensionOf(extension, 'removalReason')?.['valueCodeableConcept']
}

const removalChecks: readonly ResourceCheck[] = [
  {
    name: 'Reason for removal',
    clause,
    outcome: 'resource',
    explains: 'What is put as inactive has the extension RARecord-RemovalReason-1.',
    fault: ({ resource, create }) =>
      create || !isEnded(resource) || resource['resourceType'] === 'List' || removalConcept(resource) !== undefined
        ? undefined
        : 'A resource that is put as inactive needs the extension Extension-RARecord-RemovalReason-1',
  },
  {
    name: 'System of the reason for removal',
    clause,
    outcome: 'codeSystem',
    explains: `The reason for a removal is of the system ${systems.removalReason} or one of those into which it was split.`,
    fault({ resource }) {
      const given = removalConcept(resource)
      if (given === undefined) return undefined
      return codings(given).some(({ system }) => removalSystems.includes(system))
        ? undefined
        : `The reason for removal has no coding of the system ${systems.removalReason}`
    },
  },
  {
    name: 'Code of the reason for removal',
    clause,
    outcome: 'codeValue',
    explains: `The reason for a removal is one of ${removalReasons.join(', ')}.`,
    fault({ resource }) {
      const given = removalConcept(resource)
      if (given === undefined) return undefined
      const own = codings(given).filter(({ system }) => removalSystems.includes(system))
      return own.every(({ code }) => removalReasons.includes(code))
        ? undefined
        : 'The reason for removal is not one of the list'
    },
  },
]

export const consentChecks: readonly ResourceCheck[] = [
  typeCheck('Consent'),
  idCheck,
  statusCheck('active'),
  ...coded(
    'category',
    ({ category }) => category,
    nraf.system,
    (code) => code === nraf.code,
  ),
  ...patientChecks('patient'),
  ...coded(
    'purpose',
    // Codings themselves, not concepts.
    ({ purpose }) => ({ coding: purpose }),
    raConsent.system,
    (code) => code === raConsent.code,
  ),
  ...coded(
    'ProxyRole',
    (resource) => extensionOf(resource, extensions.proxyRole)?.['valueCodeableConcept'],
    systems.proxyRole,
    (code) => Object.hasOwn(proxyRoles, code),
    true,
  ),
  ...removalChecks,
]

export const flagChecks: readonly ResourceCheck[] = [
  typeCheck('Flag'),
  idCheck,
  statusCheck('active'),
  ...coded(
    'category',
    ({ category }) => category,
    nraf.system,
    (code) => code === nraf.code,
  ),
  ...patientChecks('subject'),
  ...coded(
    'AdjustmentCategory',
    (resource) => extensionOf(resource, extensions.adjustmentCategory)?.['valueCodeableConcept'],
    systems.adjustmentCategory,
    (code) => Object.hasOwn(adjustmentCategories, code),
  ),
  ...coded('code', ({ code }) => code, systems.snomed, isSnomedCode),
  ...removalChecks,
]

const conditionsIn = (list: Json) => items(list['contained']).filter((each) => each['resourceType'] === 'Condition')

/** Of a list, and of the conditions in it: impairments have the codes of RARecord-ConditionCode-1, underlying ones SNOMED CT. */
function listChecks(code: readonly ResourceCheck[]): readonly ResourceCheck[] {
  const ofEach = (check: ResourceCheck): ResourceCheck => ({
    ...check,
    name: `${check.name} of each Condition`,
    explains: `Of each contained Condition: ${check.explains}`,
    fault({ resource, create }) {
      if (resource['resourceType'] !== 'List') return check.fault({ resource, create })
      for (const condition of conditionsIn(resource)) {
        const fault = check.fault({ resource: condition, create: false })
        if (fault !== undefined) return `Condition ${text(condition['id']) ?? 'without id'}: ${fault}`
      }
      return undefined
    },
  })
  const onList = (check: ResourceCheck): ResourceCheck => ({
    ...check,
    fault: (sent) => (sent.resource['resourceType'] === 'List' ? check.fault(sent) : undefined),
  })
  return [
    onList(statusCheck('current')),
    onList({
      name: 'Mode',
      clause,
      outcome: 'codeValue',
      explains: 'The mode of a list is changes.',
      fault: ({ resource }) => (resource['mode'] === 'changes' ? undefined : 'The mode of the list is not changes'),
    }),
    ...coded(
      'code of the list',
      ({ code }) => code,
      adjustmentList.system,
      (each) => each === adjustmentList.code,
    ).map(onList),
    ...patientChecks('subject'),
    onList({
      name: 'Entries',
      clause,
      outcome: 'resource',
      explains:
        'Each entry refers to a contained resource, and each contained Condition has an id of its own and an entry.',
      fault: ({ resource }) => entryFault(resource),
    }),
    ofEach({
      name: 'Clinical status',
      clause,
      outcome: 'codeValue',
      explains: 'The clinical status is active or inactive.',
      fault: ({ resource }) =>
        ['active', 'inactive'].includes(String(resource['clinicalStatus']))
          ? undefined
          : 'The clinicalStatus is not active or inactive',
    }),
    ...coded(
      'category',
      ({ category }) => category,
      systems.conditionCategory,
      (each) => each === 'issue',
    ).map(ofEach),
    ...code.map(ofEach),
    onList({
      name: 'One patient',
      clause,
      outcome: 'conflictingValues',
      explains: 'The subject of each contained Condition is that of the list.',
      fault: ({ resource }) =>
        conditionsIn(resource).every(({ subject }) => numberIn(subject) === numberIn(resource['subject']))
          ? undefined
          : 'A contained Condition is about another patient than the list',
    }),
    ofEach({
      name: 'Reason for removal',
      clause,
      outcome: 'resource',
      explains: 'A Condition that is put as inactive has the extension RARecord-RemovalReason-1.',
      fault: ({ resource }) =>
        resource['clinicalStatus'] !== 'inactive' || removalConcept(resource) !== undefined
          ? undefined
          : 'a Condition that is put as inactive needs the extension Extension-RARecord-RemovalReason-1',
    }),
    ...removalChecks.slice(1).map(ofEach),
  ]
}

const referred = ({ item }: Json) => (text(asJson(item)['reference']) ?? '').replace(/^(#|urn:uuid:)/, '')

function entryFault(list: Json): string | undefined {
  const contained = items(list['contained'])
  const ids = contained.map(({ id }) => text(id))
  if (ids.includes(undefined)) return 'A contained resource has no id'
  if (new Set(ids).size !== ids.length) return 'Two contained resources have one id'
  const entries = items(list['entry']).map(referred)
  const stray = entries.find((id) => !ids.includes(id))
  if (stray !== undefined) return 'An entry refers to nothing that is contained'
  const without = conditionsIn(list).find(({ id }) => !entries.includes(String(id)))
  return without === undefined ? undefined : 'A contained Condition has no entry'
}

export const impairmentChecks: readonly ResourceCheck[] = [
  typeCheck('List'),
  idCheck,
  ...listChecks(
    coded(
      'code',
      ({ code }) => code,
      systems.conditionCode,
      (each) => Object.hasOwn(conditionCodes, conditionCodeOf(each)),
    ),
  ),
]

/** Published examples create with one Condition and update with a List: both are taken. */
export const conditionChecks: readonly ResourceCheck[] = [
  typeCheck('List', 'Condition'),
  idCheck,
  ...listChecks(coded('code', ({ code }) => code, systems.snomed, isSnomedCode)),
]

/** Throws the outcome of the first check that fails. */
export function mustBeSound(checks: readonly ResourceCheck[], sent: Sent): void {
  for (const check of checks) {
    const diagnostics = check.fault(sent)
    if (diagnostics !== undefined) throw refuse(check.outcome, diagnostics, check.name)
  }
}

/** The reason that a resource gives for its removal. */
export function removalIn(resource: Json): Removal | undefined {
  const [given] = codings(removalConcept(resource))
  if (given === undefined) return undefined
  const comment = text(
    extensionOf(asJson(extensionOf(resource, extensions.removalReason)), 'supportingComment')?.['valueString'],
  )
  return removalOf(given, comment)
}

export const removalOf = ({ system, code, display }: Code, comment: string | undefined): Removal => ({
  reason: code,
  ...(system === '' ? {} : { system }),
  ...(display === undefined ? {} : { display }),
  ...(comment === undefined ? {} : { comment }),
})

const byService: ReadonlySet<unknown> = new Set([extensions.provenance, extensions.removalReason])

/** The form that is kept: without what the service adds. */
export function kept(resource: Json): Json {
  const { id: _id, meta: _meta, contained: _contained, extension, ...rest } = resource
  const own = items(extension).filter(({ url }) => !byService.has(url))
  return defined({ ...rest, extension: own.length > 0 ? own : undefined })
}

/** The list without its members. */
export const listIn = (resource: Json): Json => {
  const { entry: _entry, ...rest } = kept(resource)
  return rest
}

/** The members of a list; of a Condition that stands alone, that one. `newId` names it where it has no name. */
export function membersIn(resource: Json, newId: () => string): readonly MemberDraft[] {
  if (resource['resourceType'] === 'Condition') return [draft(resource, text(resource['id']) ?? newId(), {}, undefined)]
  const provenances = items(resource['contained']).filter((each) => each['resourceType'] === 'Provenance')
  const entries = items(resource['entry'])
  return conditionsIn(resource).map((condition) => {
    const id = String(condition['id'])
    const entry = entries.find((each) => referred(each) === id) ?? {}
    const named = provenances.find(({ target }) =>
      items(target).some(({ reference }) =>
        [`Condition/${id}`, `#${id}`, `urn:uuid:${id}`].includes(String(reference)),
      ),
    )
    const only = conditionsIn(resource).length === 1 ? provenances[0] : undefined
    return draft(condition, id, entry, named ?? only)
  })
}

function draft(condition: Json, localId: string, entry: Json, provenance: Json | undefined): MemberDraft {
  const removal = removalIn(condition)
  const date = text(entry['date'])
  return {
    localId,
    document: kept(condition),
    removed: entry['deleted'] === true || condition['clinicalStatus'] === 'inactive',
    ...(provenance === undefined ? {} : { provenance }),
    ...(date === undefined ? {} : { date }),
    ...(removal === undefined ? {} : { removal }),
  }
}
