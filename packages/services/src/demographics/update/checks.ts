import type { Access } from '../access.ts'
import { type Check, firstRefusal } from '../checks.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { asJson, extensionUrl, isJson, items, type Json, type Sensitivity, text } from '../person.ts'
import { addressRules, linesComplete, linesMissing } from '../rules/addresses.ts'
import { contactRules, telecomRules } from '../rules/contacts.ts'
import { birthDateRules, deceasedRules, genderRules, multipleBirthRules } from '../rules/details.ts'
import { deathStatus, extensionRules, partOf } from '../rules/extensions.ts'
import { nameRules } from '../rules/names.ts'
import { generalPractitionerRules } from '../rules/registrations.ts'
import { dayOf, type SnippetRule } from '../rules/snippet.ts'
import { itemLists, type Patch, sameJson } from './patch.ts'

/** PATCH /Patient/{id}, before the record is read (§6). */
export interface UpdateRequest {
  readonly ifMatch: string | undefined
  readonly contentType: string | undefined
  readonly requestId: string | undefined
  /** Whether application/json is taken for a patch, as the public sandbox does. */
  readonly plainJson: boolean
}

export const updateRequestChecks: readonly Check<UpdateRequest>[] = [
  {
    name: 'If-Match is there',
    clause: '§6',
    explanation: 'Send the version that was read in If-Match: W/"n", as the ETag said it.',
    refusal: ({ ifMatch }) => (ifMatch === undefined || ifMatch === '' ? outcomes.ifMatchMissing : undefined),
  },
  {
    name: 'Content-Type is that of a patch',
    clause: '§4, §6',
    explanation: 'The body is a patch: Content-Type: application/json-patch+json.',
    refusal({ contentType, plainJson }) {
      const type = contentType?.split(';')[0]?.trim().toLowerCase()
      const patch = type === 'application/json-patch+json' || (plainJson && type === 'application/json')
      return patch ? undefined : outcomes.unsupportedService
    },
  },
  {
    name: 'X-Request-ID is there',
    clause: '§6.9',
    explanation: 'Every request carries an X-Request-ID, a UUID of its own.',
    refusal: ({ requestId }) => (requestId === undefined ? outcomes.requestIdMissing : undefined),
  },
]

/** What is asked of a record, before it is changed. */
export interface Intent {
  readonly access: Access
  readonly sensitivity: Sensitivity
  /** What the caller was shown; paths count in it. */
  readonly view: Json
  readonly patches: readonly Patch[]
}

const backOffice = ({ access }: Intent) => access.app?.attributes?.source === 'back-office'

const targets = (intent: Intent, op: Patch['op'], path: RegExp) =>
  intent.patches.filter((patch) => patch.op === op && path.test(patch.path))

const removalOf = (member: string): Check<Intent> => ({
  name: `${member} is not removed`,
  clause: '§10.3',
  explanation: `${member} can be replaced and not removed.`,
  refusal: (intent) =>
    targets(intent, 'remove', new RegExp(`^/${member}$`)).length > 0
      ? outcomes.forbiddenUpdate(`source not permitted to remove '${member}'`)
      : undefined,
})

const extensionAt = ({ view }: Intent, { tokens }: Patch): Json => items(view['extension'])[Number(tokens[1])] ?? {}

/** What nobody, or not this caller, may ask: told before anything that is wrong with the operations (§10.4). */
export const intentChecks: readonly Check<Intent>[] = [
  {
    name: 'Record is not restricted',
    clause: '§10.3',
    explanation: 'Records that are restricted are updated by the back office alone.',
    refusal: (intent) =>
      intent.sensitivity === 'U' || backOffice(intent)
        ? undefined
        : outcomes.forbiddenUpdate('source not permitted to update a restricted record'),
  },
  {
    name: 'Usual name is not removed',
    clause: '§10.3',
    explanation: 'Everybody has a usual name: replace it instead of removing it.',
    refusal: (intent) =>
      targets(intent, 'remove', /^\/name\/\d+$/).some(
        ({ tokens }) => items(intent.view['name'])[Number(tokens[1])]?.['use'] === 'usual',
      )
        ? outcomes.forbiddenUpdate('not permitted to remove usual name')
        : undefined,
  },
  {
    name: 'No second usual name is added',
    clause: '§10.3',
    explanation: 'There is one usual name: replace it.',
    refusal: (intent) =>
      items(intent.view['name']).some(({ use }) => use === 'usual') &&
      targets(intent, 'add', /^\/name\/-$/).some(({ value }) => asJson(value)['use'] === 'usual')
        ? outcomes.forbiddenUpdate('multiple usual names cannot be added')
        : undefined,
  },
  removalOf('birthDate'),
  removalOf('gender'),
  removalOf('deceasedDateTime'),
  {
    name: 'Death notification is not removed',
    clause: '§10.3',
    explanation: 'A death notification is changed by another one.',
    refusal: (intent) =>
      targets(intent, 'remove', /^\/extension\/\d+/).some(
        (patch) => extensionAt(intent, patch)['url'] === extensionUrl.deathNotification,
      )
        ? outcomes.forbiddenUpdate("source not permitted to remove 'deathNotificationStatus'")
        : undefined,
  },
  {
    name: 'Registration at a practice is ended by NHAIS or the back office',
    clause: '§10.3',
    explanation: 'Primary care registers a patient; ending a registration is for NHAIS and the back office.',
    refusal: (intent) =>
      targets(intent, 'remove', /^\/generalPractitioner\/\d+$/).length > 0 &&
      !backOffice(intent) &&
      intent.access.app?.attributes?.source !== 'nhais'
        ? outcomes.forbiddenUpdate("source not permitted to remove 'generalPractitioner'")
        : undefined,
  },
  {
    name: 'Formal death comes from an authorised source',
    clause: '§10.3',
    explanation: 'Status 2 of a death notification comes from the registrar, by the back office.',
    refusal: (intent) =>
      intent.patches.some(({ op, value }) => op !== 'test' && isJson(value) && deathStatus(value) === '2') &&
      !backOffice(intent)
        ? outcomes.forbiddenUpdate("source not permitted to set 'deathNotificationStatus'")
        : undefined,
  },
  {
    name: 'A formal death stays as it is',
    clause: '§10.3',
    explanation: 'The date of a death that was formally notified is not replaced.',
    refusal: (intent) =>
      targets(intent, 'replace', /^\/deceasedDateTime$/).length > 0 &&
      items(intent.view['extension']).some(
        (extension) => extension['url'] === extensionUrl.deathNotification && deathStatus(extension) === '2',
      ) &&
      !backOffice(intent)
        ? outcomes.forbiddenUpdate("source not permitted to replace 'deceasedDateTime'")
        : undefined,
  },
  {
    name: 'Patient updates only what patients may',
    clause: '§10.3',
    explanation:
      'Patients update address, language, emergency contact, pharmacies, birth place, mobile telephone and e-mail, each as a whole.',
    refusal: (intent) =>
      intent.access.mode === 'patient' && !intent.patches.every((patch) => isPatients(intent, patch))
        ? outcomes.invalidUpdate('This user does not have permission to update the fields in the patches provided.')
        : undefined,
  },
]

const patientExtensions: ReadonlySet<unknown> = new Set([
  extensionUrl.communication,
  extensionUrl.nominatedPharmacy,
  extensionUrl.dispensingDoctor,
  extensionUrl.applianceSupplier,
  extensionUrl.birthPlace,
])

function isPatients({ view }: Intent, { op, tokens, value }: Patch): boolean {
  const [root = '', item] = tokens
  if (!['address', 'contact', 'telecom', 'extension'].includes(root)) return false
  if (op !== 'remove' && op !== 'test' && tokens.length !== 2) return false
  const current = items(view[root])[Number(item)]
  const said = op === 'remove' || op === 'test' ? [current] : [current, value]
  if (root === 'telecom')
    return said.every((telecom) => {
      const { system, use } = asJson(telecom)
      return telecom === undefined || system === 'email' || (system === 'phone' && use === 'mobile')
    })
  if (root === 'extension')
    return said.every((extension) => extension === undefined || patientExtensions.has(asJson(extension)['url']))
  return true
}

/** A record before and after the operations, as the caller sees it. */
export interface Outcome {
  readonly before: Json
  readonly after: Json
  readonly today: string
}

/** An item of a list that is new or differs, with its earlier self. */
interface ChangedItem {
  readonly list: string
  readonly index: number
  readonly item: unknown
  readonly earlier: Json | undefined
}

const changedOf = new WeakMap<Outcome, readonly ChangedItem[]>()

/** Found once for all the checks of an outcome. */
function changedItems(outcome: Outcome): readonly ChangedItem[] {
  const known = changedOf.get(outcome)
  if (known) return known
  const { before, after } = outcome
  const changed: ChangedItem[] = []
  for (const list of itemLists) {
    const value = after[list]
    if (!Array.isArray(value)) continue
    const key = list === 'extension' ? 'url' : 'id'
    const earlierItems = items(before[list])
    for (const [index, item] of value.entries()) {
      const earlier = isJson(item) ? earlierItems.find((other) => other[key] === item[key]) : undefined
      if (earlier === undefined || !sameJson(earlier, item)) changed.push({ list, index, item, earlier })
    }
  }
  changedOf.set(outcome, changed)
  return changed
}

const rulesOf: Readonly<Record<string, readonly SnippetRule[]>> = {
  name: nameRules,
  address: addressRules,
  telecom: telecomRules,
  contact: contactRules,
  generalPractitioner: generalPractitionerRules,
  extension: extensionRules,
}

const detailRules: readonly (readonly [member: string, rules: readonly SnippetRule[]])[] = [
  ['gender', genderRules],
  ['birthDate', birthDateRules],
  ['deceasedDateTime', deceasedRules],
  ['multipleBirthInteger', multipleBirthRules],
]

const knownMembers: Readonly<Record<string, readonly string[]>> = {
  name: ['id', 'use', 'period', 'prefix', 'given', 'family', 'suffix'],
  address: ['id', 'use', 'period', 'text', 'line', 'postalCode', 'extension'],
  telecom: ['id', 'system', 'use', 'value', 'period', 'extension'],
  contact: ['id', 'period', 'relationship', 'telecom'],
  generalPractitioner: ['id', 'type', 'identifier'],
  extension: [
    'url',
    'extension',
    'valueReference',
    'valueAddress',
    'valueCodeableConcept',
    'valueBoolean',
    'valueString',
    'valuePeriod',
    'valueDateTime',
  ],
}

const ofChanged = (
  outcome: Outcome,
  refusal: (changed: ChangedItem) => PdsOutcome | undefined,
): PdsOutcome | undefined => {
  for (const changed of changedItems(outcome)) {
    const refused = refusal(changed)
    if (refused) return refused
  }
  return undefined
}

/** Items that are more than one for a purpose that has one. */
function twice(after: Json, list: string, purpose: (item: Json) => string | undefined): string | undefined {
  const seen = new Set<string>()
  for (const item of items(after[list])) {
    const one = purpose(item)
    if (one === undefined) continue
    if (seen.has(one)) return one
    seen.add(one)
  }
  return undefined
}

const has = (record: Json, url: string) => items(record['extension']).some((extension) => extension['url'] === url)

/** The rules of what an update leads to (§10.3). Only what was changed is looked at: older faults block nothing. */
export const outcomeChecks: readonly Check<Outcome>[] = [
  {
    name: 'interpreterRequired stays',
    clause: '§10.3',
    explanation: 'interpreterRequired can be replaced by true or false, and not be taken away.',
    refusal(outcome) {
      const had = (record: Json) =>
        items(record['extension']).find(
          (extension) =>
            extension['url'] === extensionUrl.communication && partOf(extension, 'interpreterRequired') !== undefined,
        )
      const after = items(outcome.after['extension']).find(({ url }) => url === extensionUrl.communication)
      return had(outcome.before) && after && !partOf(after, 'interpreterRequired')
        ? outcomes.invalidUpdate('interpreterRequired cannot be removed')
        : undefined
    },
  },
  {
    name: 'Members of items are known',
    clause: '§2',
    explanation: 'An item has a member that PDS does not keep.',
    refusal: (outcome) =>
      ofChanged(outcome, ({ list, item }) => {
        const unknown = isJson(item) ? Object.keys(item).filter((key) => !knownMembers[list]?.includes(key)) : []
        return unknown.length > 0 ? outcomes.additionalProperties(unknown) : undefined
      }),
  },
  {
    name: 'Items are sound',
    clause: '§2, §10.3',
    explanation: 'An item that was added or changed breaks a rule of its kind.',
    rules: rulesOf,
    refusal: (outcome) =>
      ofChanged(
        outcome,
        ({ list, index, item }) =>
          firstRefusal(rulesOf[list] ?? [], { value: item, path: `${list}/${index}`, today: outcome.today })?.outcome,
      ),
  },
  {
    name: 'Details are sound',
    clause: '§2, §10.3',
    explanation: 'gender, birthDate, deceasedDateTime or multipleBirthInteger breaks its rule.',
    rules: Object.fromEntries(detailRules),
    refusal({ before, after, today }) {
      for (const [member, rules] of detailRules) {
        const value = after[member]
        if (value === undefined || sameJson(value, before[member])) continue
        const refused = firstRefusal(rules, { value, path: member, today })
        if (refused) return refused.outcome
      }
      return undefined
    },
  },
  {
    name: 'use stays',
    clause: '§10.3',
    explanation:
      'The use of a name, and system and use of a telecom, are not changed by replacing: remove it and add another.',
    refusal: (outcome) =>
      ofChanged(outcome, ({ list, item, earlier }) => {
        if (earlier === undefined || !isJson(item)) return undefined
        const fixed = list === 'name' ? ['use'] : list === 'telecom' ? ['system', 'use'] : []
        const changed = fixed.find((member) => item[member] !== earlier[member])
        return changed === undefined ? undefined : outcomes.invalidUpdate(`${changed} of a ${list} cannot be changed`)
      }),
  },
  {
    name: 'Usual name has no end',
    clause: '§10.3',
    explanation: 'A usual name has no end date.',
    refusal: (outcome) =>
      ofChanged(outcome, ({ list, item }) =>
        list === 'name' && isJson(item) && item['use'] === 'usual' && asJson(item['period'])['end'] !== undefined
          ? outcomes.invalidUpdate('An end date can not be provided on usual name')
          : undefined,
      ),
  },
  {
    name: 'One for each purpose',
    clause: '§2, §10.3',
    explanation:
      'There is one usual name, one nickname, one address for each use, one telecom for each system and use, one practice, and one extension of a kind.',
    refusal({ after }) {
      const name = twice(after, 'name', ({ use }) => (use === 'usual' || use === 'nickname' ? use : undefined))
      if (name !== undefined) return outcomes.forbiddenUpdate(`multiple ${name} names cannot be added`)
      const address = twice(after, 'address', ({ use }) => text(use))
      if (address !== undefined) return outcomes.forbiddenUpdate(`multiple ${address} addresses cannot be added`)
      const telecom = twice(after, 'telecom', ({ system, use }) => `${text(system)} ${text(use)}`)
      if (telecom !== undefined) return outcomes.forbiddenUpdate(`multiple ${telecom} telecoms cannot be added`)
      for (const [list, single] of [
        ['generalPractitioner', () => 'one'] as const,
        ['extension', ({ url }: Json) => text(url)] as const,
      ])
        if (twice(after, list, single) !== undefined) return outcomes.tooManyValues(items(after[list]), list)
      return undefined
    },
  },
  {
    name: 'Address lines are complete',
    clause: '§10.3',
    explanation:
      'An address has line 1 or 2, and line 4; only a postcode that stands for no place (ZZ99) goes without.',
    refusal: (outcome) =>
      ofChanged(outcome, ({ list, index, item, earlier }) => {
        if (list !== 'address') return undefined
        const about = { path: `address/${index}`, today: outcome.today }
        const was = earlier !== undefined && !linesComplete({ ...about, value: earlier })
        return was || linesComplete({ ...about, value: item }) ? undefined : outcomes.invalidUpdate(linesMissing)
      }),
  },
  {
    name: 'Death comes with its notification',
    clause: '§10.3',
    explanation: 'A date of death and its notification are added in one request.',
    refusal({ before, after }) {
      const date = after['deceasedDateTime'] !== undefined && before['deceasedDateTime'] === undefined
      const notified = has(after, extensionUrl.deathNotification) && !has(before, extensionUrl.deathNotification)
      if (date && !has(after, extensionUrl.deathNotification))
        return outcomes.invalidUpdate('a death notification must be given with deceasedDateTime')
      return notified && after['deceasedDateTime'] === undefined
        ? outcomes.invalidUpdate('deceasedDateTime must be given with a death notification')
        : undefined
    },
  },
  {
    name: 'Birth is before death',
    clause: '§10.3',
    explanation: 'Nobody dies before they are born.',
    refusal({ before, after }) {
      const [born, died] = [dayOf(after['birthDate']), dayOf(after['deceasedDateTime'])]
      if (born === undefined || died === undefined || born <= died) return undefined
      return sameJson(after['deceasedDateTime'], before['deceasedDateTime'])
        ? outcomes.invalidField(after['birthDate'], 'birthDate')
        : outcomes.invalidField(after['deceasedDateTime'], 'deceasedDateTime')
    },
  },
]
