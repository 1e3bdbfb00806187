import { type PatientInput, syntheticRecord, workedExample } from '@openspine/practice'
import { syntheticPeople, workedPeople } from '@openspine/services/demographics'
import type { DirectoryChange, DirectoryEntry } from '@openspine/services/directory/contract'
import { splitInteractionId } from '@openspine/standards/nhs'
import { gpConnectInteractions } from '@openspine/standards/nhs/interactions'
import type { Spine } from '../openspine.ts'
import { accreditedSystemEntry, messageHandlingSystemEntry, organisationEntry, sandboxProduct } from './entries.ts'
import { spineCore, spineCoreEntries } from './spine-core.ts'
import { referenceDataEntries, staffEntries } from './staff.ts'

const syntheticPopulation = { seed: 1, from: 0, count: 1000 }

/** Interactions of GP Connect Access Record HTML (0.x). */
export const careRecordInteractions = gpConnectInteractions.accessRecordHtml

/** A GP practice of the worked example: what is registered for it, and where its own server answers. */
export interface SandboxPractice {
  readonly odsCode: string
  readonly name: string
  readonly asid: string
  readonly partyKey: string
  readonly address: string
  readonly town: string
  readonly postcode: string
  /** Whether the sandbox consumer's organisation has a sharing agreement with it. */
  readonly agreement: boolean
}

/** Two practices: one that shares its records with the consumer, and one that does not, so that a refusal can be seen. */
export const sandboxPractices: readonly SandboxPractice[] = [
  {
    odsCode: 'A20047',
    name: 'Testham Surgery',
    asid: '200000100001',
    partyKey: 'A20047-850001',
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
    address: '2 Bridge Street',
    town: 'MOCKBRIDGE',
    postcode: 'ZZ99 5BB',
    agreement: false,
  },
]

/** Tells where the Spine's own records say that the door `spine` is. */
const doorInteraction = 'urn:nhs:names:services:tms:ReliableIntermediary'

const nameOf = (about: { readonly name: string } | { readonly organisationName: string }) =>
  ('name' in about ? about.name : about.organisationName).toUpperCase()

const consumerPartyKey = (odsCode: string) => `${odsCode}-850000`
/** Where a practice's GP Connect 0.x service answers. */
export const serviceRoot = (practiceUrl: string, odsCode: string) => `${practiceUrl}/${odsCode}/DSTU2/1`

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

  if (!snapshot.accreditedSystem(consumer.asid)) {
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
      put(
        accreditedSystemEntry({
          asid: consumer.asid,
          odsCode: consumer.odsCode,
          partyKey: consumerPartyKey(consumer.odsCode),
          fqdn: consumer.fqdn,
          interactions: careRecordInteractions,
        }),
      ),
    )
  }
  for (const practice of sandboxPractices) {
    const endpoint = serviceRoot(practiceUrl, practice.odsCode)
    if (!snapshot.accreditedSystem(practice.asid)) {
      changes.push(
        put(organisationEntry('nhsGPPractice', { ...practice, lines: [practice.address, '', ''] })),
        put(
          accreditedSystemEntry({
            ...practice,
            fqdn: new URL(practiceUrl).hostname,
            interactions: careRecordInteractions,
          }),
        ),
      )
    }
    for (const interaction of careRecordInteractions) {
      const registered = snapshot.messageHandlingSystems({ partyKey: practice.partyKey, interaction })
      if (!registered.some(({ endpoints }) => endpoints.includes(endpoint)))
        changes.push(put(messageHandlingSystemEntry({ ...practice, interaction, endpoint })))
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
    const messages = careRecordInteractions.flatMap((interaction) => splitInteractionId(interaction) ?? [])
    await products.addSet(id, { use: 'messages', name: 'access-record-html', messages }, 'sandbox')
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
  const { demographics, practice } = spine.contracts
  const today = new Date(spine.platform.clock.now()).toISOString().slice(0, 10)
  if ((await demographics.count()) === 0) {
    await demographics.load(workedPeople())
    await demographics.load(syntheticPeople(syntheticPopulation))
  }
  if ((await practice.practices()).length === 0) {
    for (const { odsCode, asid, name } of sandboxPractices) {
      await practice.load(workedExample({ odsCode, asid, name, today, serviceRoot: serviceRoot('', odsCode) }))
      await practice.addPatients(odsCode, registeredAt(odsCode, today))
    }
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
