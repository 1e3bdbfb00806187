import { isSpineError } from '@openspine/standards/error'
import type { BirthKey, RaisedEvent } from '../changes/change.ts'
import { mustPass } from '../checks.ts'
import { raisedBy, subjectOf } from '../events/raise.ts'
import { asJson, extensionUrl, items, type Json, text } from '../person.ts'
import { retrieve } from '../retrieve.ts'
import { valueAt } from '../rules/body.ts'
import { babyOf, birthChecks, deathAtBirth, motherOf, newBirthChecks } from './birth-checks.ts'
import { type Creation, patientOf } from './create.ts'
import { matching, type Particulars, particularsOf } from './matching.ts'
import { type Registered, type RegisterParts, register } from './register.ts'

/** A notification of a birth (§13). */
export interface BirthNotification extends Creation {
  /** Whether a child is registered although others have the same name, gender and date of birth. */
  readonly ignorePotentialMatches: boolean
}

/**
 * Registers a child that was born, unless it is there: algorithm 1 finds the same birth of the same mother, whatever the
 * caller wants; algorithm 2 finds the same particulars, unless the caller ignores those.
 */
export async function birth(parts: RegisterParts, asked: BirthNotification): Promise<Registered> {
  const { value, author, request, answer } = asked
  const now = parts.clock.now()
  const today = new Date(now).toISOString().slice(0, 10)
  const body = { value, prefix: '', today }
  mustPass(birthChecks, body)
  const baby = babyOf(value)
  const subject = particularsOf(baby)
  const key: BirthKey = {
    mother: motherOf(value),
    day: subject.birth,
    order: typeof baby['multipleBirthInteger'] === 'number' ? baby['multipleBirthInteger'] : notKnown,
  }
  const patient = babyPatient(baby, today, now)
  return register(parts, {
    kind: 'birth',
    day: subject.birth,
    record: { patient, related: [motherRelation(value)] },
    birth: key,
    author,
    request,
    events: events(value, patient),
    matches: () => matches(parts, subject, key, asked.ignorePotentialMatches),
    check: () => mustPass(newBirthChecks, body),
    answer,
  })
}

/** The order of a child of whom it is not told (§2). */
const notKnown = 9

async function matches(
  parts: RegisterParts,
  subject: Particulars,
  { mother, day, order }: BirthKey,
  ignore: boolean,
): Promise<readonly string[]> {
  const siblings = await parts.changes.births(mother, day)
  const same = siblings.filter((sibling) => sibling.order === order)
  const there = await Promise.all(same.map(({ nhsNumber }) => standsFor(parts, nhsNumber)))
  const found = [...new Set(there.flat())]
  if (found.length > 0 || ignore) return found
  const twins = new Set(siblings.map(({ nhsNumber }) => nhsNumber))
  const alike = await matching(parts.people, subject, { block: parts.block, byPostcode: false })
  return alike.filter((nhsNumber) => !twins.has(nhsNumber))
}

/** Of a record that was merged since, the one that was retained; one that was marked as invalid is none. */
async function standsFor({ people }: RegisterParts, nhsNumber: string): Promise<readonly string[]> {
  try {
    return [(await retrieve(people, nhsNumber)).nhsNumber]
  } catch (error) {
    if (isSpineError(error) && error.code.startsWith('PDS_')) return []
    throw error
  }
}

const keptUrls: ReadonlySet<unknown> = new Set([
  extensionUrl.communication,
  extensionUrl.contactPreference,
  extensionUrl.birthPlace,
  extensionUrl.ethnicCategory,
])

function babyPatient(baby: Json, today: string, now: number): Json {
  const patient = patientOf(baby, today, keptUrls)
  const death = deathAtBirth(baby)
  const extensions = items(patient['extension']).map((extension) => {
    if (extension['url'] === extensionUrl.birthPlace) {
      const { text: _, ...place } = asJson(extension['valueAddress'])
      return { ...extension, valueAddress: place }
    }
    // As the register shows it: the extension of that name within one of the same name.
    return extension['url'] === extensionUrl.ethnicCategory && extension['extension'] === undefined
      ? { url: extension['url'], extension: [extension] }
      : extension
  })
  return {
    ...patient,
    ...(baby['multipleBirthInteger'] !== undefined && { multipleBirthInteger: baby['multipleBirthInteger'] }),
    ...(death !== undefined && { deceasedDateTime: baby['deceasedDateTime'] }),
    extension: death === undefined ? extensions : [...extensions, deathNotification(death, now)],
  }
}

const deathWords = {
  1: 'Informal - death notice received via an update from a local NHS Organisation such as GP or Trust',
  2: 'Formal - death notice received from Registrar of Deaths',
} as const

function deathNotification(status: '1' | '2', now: number): Json {
  const system = 'https://fhir.hl7.org.uk/CodeSystem/UKCore-DeathNotificationStatus'
  return {
    url: extensionUrl.deathNotification,
    extension: [
      {
        url: 'deathNotificationStatus',
        valueCodeableConcept: { coding: [{ system, version: '1.0.0', code: status, display: deathWords[status] }] },
      },
      { url: 'systemEffectiveDate', valueDateTime: new Date(now).toISOString().replace(/\.\d+Z$/, '+00:00') },
    ],
  }
}

function motherRelation(value: Json): Json {
  return {
    active: true,
    identifier: valueAt(value, 'entry/6/resource/identifier'),
    relationship: valueAt(value, 'entry/6/resource/relationship'),
  }
}

/** What subscribers are told of the birth, beside the child's record. */
function events(value: Json, patient: Json): readonly RaisedEvent[] {
  const at = (path: string) => valueAt(value, path) ?? null
  const baby = babyOf(value)
  const notified: RaisedEvent = {
    code: 'pds-birth-notification-1',
    facts: {
      subject: subjectOf(patient),
      address: items(patient['address']).find(({ use }) => use === 'home') ?? null,
      birthPlace: asJson(extensionOf(patient, extensionUrl.birthPlace))['valueAddress'] ?? null,
      ethnicCategory: extensionOf(patient, extensionUrl.ethnicCategory) ?? null,
      multipleBirthInteger: patient['multipleBirthInteger'] ?? null,
      died: patient['deceasedDateTime'] ?? null,
      birthTime: at('entry/0/resource/_birthDate/extension/0/valueDateTime'),
      weightGrams: at('entry/1/resource/valueQuantity/value'),
      stillbirth: at('entry/2/resource/valueCodeableConcept/coding/0/code'),
      gestationWeeks: at('entry/3/resource/valueQuantity/value'),
      foetuses: at('entry/4/resource/valueInteger'),
      congenitalAbnormality: at('entry/5/resource/valueCodeableConcept/coding/0/code'),
      mother: {
        nhsNumber: motherOf(value),
        name: at('entry/7/resource/name/0'),
        birthDate: at('entry/7/resource/birthDate'),
        practice: at('entry/8/resource/identifier/0/value'),
      },
      placeOfBirth: at('entry/9/resource/identifier/0/value'),
      placeOfBirthType: at('entry/9/resource/type/0/coding/0/code'),
      partnerChildHealth: at('entry/10/resource/participant/0/member/identifier/value'),
      responsibleChildHealth: at('entry/10/resource/participant/1/member/identifier/value'),
      attendedBy: at('entry/11/resource/name/0'),
      registeringAuthority: text(registeringAuthority(baby)) ?? null,
    },
  }
  // As any other death: the difference between a child of whom none was told and the one that is registered.
  const { deceasedDateTime: _, extension: __, ...alive } = patient
  return [notified, ...raisedBy(alive, patient).filter(({ code }) => code === 'pds-death-notification-1')]
}

const extensionOf = (patient: Json, url: string): Json | undefined =>
  items(patient['extension']).find((extension) => extension['url'] === url)

function registeringAuthority(baby: Json): unknown {
  for (const extension of items(baby['extension']))
    for (const part of items(extension['extension']))
      if (part['url'] === 'organisationIdentifier') return part['valueString']
  return undefined
}
