import { type PatientInput, syntheticRecord, workedExample } from '@openspine/practice'
import { raInteractions } from '@openspine/services/adjustments'
import { syntheticPeople, workedPeople } from '@openspine/services/demographics'
import type { DirectoryChange, DirectoryEntry } from '@openspine/services/directory/contract'
import { visitorsInteractions } from '@openspine/services/visitors'
import { splitInteractionId } from '@openspine/standards/nhs'
import {
  gpConnectInteractions,
  pdsQueryInteractions,
  pdsUpdateInteractions,
} from '@openspine/standards/nhs/interactions'
import type { Spine } from '../openspine.ts'
import { accreditedSystemEntry, messageHandlingSystemEntry, organisationEntry, sandboxProduct } from './entries.ts'
import { sandboxProtected, sandboxStatuses } from './flags-and-statuses.ts'
import { spineCore, spineCoreEntries } from './spine-core.ts'
import { referenceDataEntries, staffEntries } from './staff.ts'
import { summaryOf } from './summaries.ts'

const syntheticPopulation = { seed: 1, from: 0, count: 1000 }

/** Interactions of GP Connect Access Record HTML (0.x). */
export const careRecordInteractions = gpConnectInteractions.accessRecordHtml

/** What the sandbox's consumer may call: everything of GP Connect, the FHIR services of the Spine, queries and updates of PDS over SOAP. */
const consumerInteractions: readonly string[] = [
  ...Object.values(gpConnectInteractions).flat(),
  ...raInteractions,
  ...Object.values(visitorsInteractions).map((interaction) => `${interaction}:1`),
  ...pdsQueryInteractions,
  ...pdsUpdateInteractions,
]

/** Bases of the 1.x line; each is a system of its own, with what is registered for it. */
const stu3Bases = {
  gpconnect: [...gpConnectInteractions.foundations, ...gpConnectInteractions.appointments],
  structured: gpConnectInteractions.structuredRecord,
  documents: gpConnectInteractions.documents,
} as const

type Stu3Base = keyof typeof stu3Bases

/** Registered for the base `gpconnect` of a provider of 1.2, which has no base of its own for structured records (§1). */
const formerStructuredRecord = gpConnectInteractions.structuredRecord.filter((id) => !id.includes('migrate'))

/** What is registered for a base of a practice; two bases never have the same, so that a look-up finds one. */
function interactionsOf(base: Stu3Base, { stu3 }: SandboxPractice): readonly string[] {
  return base === 'gpconnect' && stu3.structured === undefined
    ? [...stu3Bases.gpconnect, ...formerStructuredRecord]
    : stu3Bases[base]
}

/** A GP practice of the worked example: what is registered for it, and where its own server answers. */
export interface SandboxPractice {
  readonly odsCode: string
  readonly name: string
  /** Of the 0.x line. */
  readonly asid: string
  readonly partyKey: string
  readonly stu3: Readonly<
    Partial<Record<Stu3Base, { readonly asid: string; readonly partyKey: string }>> & {
      readonly gpconnect: { readonly asid: string; readonly partyKey: string }
    }
  >
  readonly address: string
  readonly town: string
  readonly postcode: string
  /** Whether the sandbox consumer's organisation has a sharing agreement with it. */
  readonly agreement: boolean
}

/**
 * Three practices: one that shares its records with the consumer, one that does not, so that a refusal can be seen, and
 * one that shares them and still has the line 1.2: structured records at the same base as all the rest.
 */
export const sandboxPractices: readonly SandboxPractice[] = [
  {
    odsCode: 'A20047',
    name: 'Testham Surgery',
    asid: '200000100001',
    partyKey: 'A20047-850001',
    stu3: {
      gpconnect: { asid: '200000100011', partyKey: 'A20047-850011' },
      structured: { asid: '200000100012', partyKey: 'A20047-850012' },
      documents: { asid: '200000100013', partyKey: 'A20047-850013' },
    },
    address: '1 Surgery Lane',
    town: 'TESTHAM',
    postcode: 'ZZ99 4AA',
    agreement: true,
  },
  {
    odsCode: 'B82617',
    name: 'Mockbridge Medical Centre',
    asid: '200000100002',
    partyKey: 'B82617-850002',
    stu3: {
      gpconnect: { asid: '200000100021', partyKey: 'B82617-850021' },
      structured: { asid: '200000100022', partyKey: 'B82617-850022' },
      documents: { asid: '200000100023', partyKey: 'B82617-850023' },
    },
    address: '2 Bridge Street',
    town: 'MOCKBRIDGE',
    postcode: 'ZZ99 5BB',
    agreement: false,
  },
  {
    odsCode: 'C99312',
    name: 'Sampleford Health Centre',
    asid: '200000100003',
    partyKey: 'C99312-850003',
    stu3: { gpconnect: { asid: '200000100031', partyKey: 'C99312-850031' } },
    address: '3 Ford Road',
    town: 'SAMPLEFORD',
    postcode: 'ZZ99 7DD',
    agreement: true,
  },
]

/** Tells where the Spine's own records say that the door `spine` is. */
const doorInteraction = 'urn:nhs:names:services:tms:ReliableIntermediary'

const nameOf = (about: { readonly name: string } | { readonly organisationName: string }) =>
  ('name' in about ? about.name : about.organisationName).toUpperCase()

const consumerPartyKey = (odsCode: string) => `${odsCode}-850000`
/** Where a practice's GP Connect 0.x service answers. */
export const serviceRoot = (practiceUrl: string, odsCode: string) => `${practiceUrl}/${odsCode}/DSTU2/1`

interface SandboxSystem {
  readonly asid: string
  readonly partyKey: string
  readonly interactions: readonly string[]
  readonly endpoint: string
}

/** The systems of a practice: one of the 0.x line, and one for each base of the 1.x line. */
function systemsOf(practice: SandboxPractice, practiceUrl: string): readonly SandboxSystem[] {
  const { odsCode, asid, partyKey, stu3 } = practice
  const root = `${practiceUrl}/${odsCode}/STU3/1/gpconnect`
  const endpoints: Readonly<Record<Stu3Base, string>> = {
    gpconnect: root,
    structured: `${root}/structured`,
    documents: `${root}/documents`,
  }
  return [
    { asid, partyKey, interactions: careRecordInteractions, endpoint: serviceRoot(practiceUrl, odsCode) },
    ...(Object.keys(stu3Bases) as Stu3Base[]).flatMap((base) => {
      const registered = stu3[base]
      return registered === undefined
        ? []
        : [{ ...registered, interactions: interactionsOf(base, practice), endpoint: endpoints[base] }]
    }),
  ]
}

/**
 * Registers what the worked example needs and is not registered yet: the consumer system, the practices
 * with the endpoints at which they really answer, their staff, the sharing agreement, and the Spine itself. Written through the same
 * contracts as everything else, so every face shows it and the change log records it.
 */
export async function registerSandbox(spine: Spine): Promise<void> {
  const { directory, registration } = spine.contracts
  const consumer = spine.settings.values.client
  const practiceUrl = spine.urls['practice']
  const spineUrl = spine.urls['spine']
  if (practiceUrl === undefined) return
  const snapshot = directory.snapshot()
  const put = (entry: DirectoryEntry): DirectoryChange => ({ kind: 'put', entry })
  const changes: DirectoryChange[] = []

  const own = snapshot.accreditedSystem(consumer.asid)
  if (!own)
    changes.push(
      put(
        organisationEntry('nhsOrg', {
          odsCode: consumer.odsCode,
          name: consumer.organisationName,
          lines: ['Invented House', '', ''],
          town: 'TESTHAM',
          postcode: 'ZZ99 6CC',
        }),
      ),
    )
  // Also where an earlier release registered fewer interactions.
  if (!own || !consumerInteractions.every((interaction) => own.interactions.has(interaction)))
    changes.push(
      put(
        accreditedSystemEntry({
          asid: consumer.asid,
          odsCode: consumer.odsCode,
          partyKey: consumerPartyKey(consumer.odsCode),
          fqdn: consumer.fqdn,
          interactions: consumerInteractions,
        }),
      ),
    )
  for (const practice of sandboxPractices) {
    if (!snapshot.accreditedSystem(practice.asid))
      changes.push(put(organisationEntry('nhsGPPractice', { ...practice, lines: [practice.address, '', ''] })))
    for (const system of systemsOf(practice, practiceUrl)) {
      const { asid, partyKey, interactions, endpoint } = system
      const about = { odsCode: practice.odsCode, partyKey }
      if (!snapshot.accreditedSystem(asid))
        changes.push(put(accreditedSystemEntry({ ...about, asid, interactions, fqdn: new URL(practiceUrl).hostname })))
      for (const interaction of interactions) {
        const registered = snapshot.messageHandlingSystems({ partyKey, interaction })
        if (!registered.some(({ endpoints }) => endpoints.includes(endpoint)))
          changes.push(put(messageHandlingSystemEntry({ ...about, interaction, endpoint })))
      }
    }
  }
  if (!snapshot.accreditedSystem(spineCore.asid)) {
    const names = new Map([consumer, ...sandboxPractices].map((each) => [each.odsCode, nameOf(each)]))
    changes.push(...[...staffEntries((odsCode) => names.get(odsCode) ?? odsCode), ...referenceDataEntries()].map(put))
  }
  // The door may have another port than when the Spine's own records were written.
  if (spineUrl !== undefined) {
    const [door] = snapshot.messageHandlingSystems({
      partyKey: spineCore.partyKey,
      interaction: doorInteraction,
    })
    if (!door?.endpoints.some((endpoint) => endpoint.startsWith(`${spineUrl}/`)))
      changes.push(...spineCoreEntries(spineUrl).map(put))
  }
  if (changes.length > 0) await directory.apply(changes, 'sandbox')

  const { products } = registration
  if ((await products.find({ ...sandboxProduct, limit: 1 })).length === 0) {
    const { id } = await products.create({ ...sandboxProduct, kinds: ['CMA', 'MHS', 'AS'] }, 'sandbox')
    for (const [name, interactions] of [
      ['access-record-html', careRecordInteractions],
      ...Object.entries(stu3Bases),
    ] as const) {
      const messages = interactions.flatMap((interaction) => splitInteractionId(interaction) ?? [])
      await products.addSet(id, { use: 'messages', name, messages }, 'sandbox')
    }
  }

  const agreed = new Set(registration.agreements.list().map(({ from, to }) => `${from} ${to}`))
  for (const { odsCode, agreement } of sandboxPractices) {
    if (agreement && !agreed.has(`${consumer.odsCode} ${odsCode}`))
      await registration.agreements.agree(
        { from: consumer.odsCode, to: odsCode, interaction: 'urn:nhs:names:services:gpconnect:*' },
        'sandbox',
      )
  }
}

/**
 * Systems, people and records of the worked example and a synthetic population, where the store has none
 * yet. The same people come out every time.
 */
export async function loadSandbox(spine: Spine): Promise<void> {
  await registerSandbox(spine)
  const { adjustments, demographics, practice, visitors } = spine.contracts
  const today = new Date(spine.platform.clock.now()).toISOString().slice(0, 10)
  if ((await demographics.count()) === 0) {
    await demographics.load(workedPeople())
    await demographics.load(syntheticPeople(syntheticPopulation))
  }
  // Nobody can raise it on the network, and it can be read there.
  await adjustments.raise(sandboxProtected, { odsCode: spine.settings.values.client.odsCode })
  if ((await visitors.count()) === 0) await visitors.record(sandboxStatuses, 'sandbox')
  await uploadSummaries(spine, today)
  const held = new Map((await practice.practices()).map((summary) => [summary.odsCode, summary]))
  for (const { odsCode, asid, name, stu3 } of sandboxPractices) {
    const summary = held.get(odsCode)
    // A practice of an earlier release has no services of the 1.x line yet.
    const whole = summary === undefined || summary.services === 1
    // Those of an earlier release are planned for two weeks and no more; since then the practice plans them ahead itself.
    const planned = (summary?.plannedUntil ?? 0) > spine.platform.clock.now() + 7 * 86_400_000
    if (!whole && planned) continue
    const asids = Object.fromEntries(
      Object.entries(stu3).map(([base, registered]) => [base, registered.asid]),
    ) as Partial<Record<Stu3Base, string>>
    const example = workedExample({ odsCode, asid, asids, name, today, serviceRoot: serviceRoot('', odsCode) })
    await practice.load(
      whole ? example : { ...example, practices: example.practices.map((each) => ({ ...each, patients: [] })) },
    )
    if (summary === undefined) await practice.addPatients(odsCode, registeredAt(odsCode, today))
  }
}

/** People of the synthetic population who have a summary, beside those of the worked example. */
const sampleSummaries = 10

/** What the first practice has uploaded about patients whom demographics knows, where nobody has a summary yet. */
async function uploadSummaries(spine: Spine, today: string): Promise<void> {
  const { demographics, summaryCareRecord } = spine.contracts
  const [practice] = sandboxPractices
  if (practice === undefined || (await summaryCareRecord.count()) > 0) return
  const { clock, random } = spine.platform
  const { odsCode, asid, name } = practice
  const [example] = workedExample({ odsCode, asid, name, today }).practices
  const at = `${new Date(clock.now()).toISOString().slice(0, 19)}+00:00`
  for (const patient of [...(example?.patients ?? []), ...firstOf(registeredAt(odsCode, today), sampleSummaries)]) {
    const person = await demographics.find(patient.nhsNumber)
    const { status = 'current', sensitivity = 'U' } = person ?? { status: 'invalidated' }
    // Whoever does not share the record has none.
    const shared = patient.consent !== false && patient.sensitive !== true
    if (status !== 'current' || sensitivity !== 'U' || !shared) continue
    const summary = summaryOf(patient, { odsCode, practice: name, at, newId: () => random.uuid() })
    await summaryCareRecord.upload(summary, { at: clock.now(), user: 'sandbox', odsCode })
  }
}

function* firstOf<Item>(items: Iterable<Item>, count: number): Generator<Item> {
  let given = 0
  for (const item of items) {
    if (given++ === count) return
    yield item
  }
}

/** Records for those of the synthetic population whom demographics names as registered at this practice. */
function* registeredAt(odsCode: string, today: string): Generator<PatientInput> {
  for (const { nhsNumber, patient } of syntheticPeople(syntheticPopulation)) {
    const { name, gender, birthDate, deceasedDateTime, generalPractitioner } = patient as SyntheticPatient
    const [usual] = name ?? []
    if (generalPractitioner?.[0]?.identifier.value !== odsCode || !usual || !gender || birthDate?.length !== 10)
      continue
    yield syntheticRecord(
      {
        nhsNumber,
        family: usual.family,
        given: usual.given ?? [],
        ...(usual.prefix === undefined ? {} : { prefix: usual.prefix }),
        gender,
        birthDate,
        ...(deceasedDateTime === undefined ? {} : { deceasedDate: deceasedDateTime.slice(0, 10) }),
      },
      syntheticPopulation.seed,
      today,
    )
  }
}

/** What the generator puts into the FHIR Patient, as far as a record needs it. */
interface SyntheticPatient {
  readonly name?: readonly {
    readonly family: string
    readonly given?: readonly string[]
    readonly prefix?: readonly string[]
  }[]
  readonly gender?: 'male' | 'female' | 'other' | 'unknown'
  readonly birthDate?: string
  readonly deceasedDateTime?: string
  readonly generalPractitioner?: readonly { readonly identifier: { readonly value: string } }[]
}
