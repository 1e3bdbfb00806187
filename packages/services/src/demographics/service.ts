import { readFileSync } from 'node:fs'
import { type Platform, type Service, storeHealth } from '@openspine/platform/service'
import { writeMoment } from '@openspine/standards/hl7v3'
import type { Directory } from '../directory/contract.ts'
import type { Gateway } from '../gateway/contract.ts'
import type { Authenticate } from './access.ts'
import { administration } from './administer.ts'
import { traceBatch } from './batch/batch.ts'
import { changeStore } from './changes/store.ts'
import { firstRefusal, searchChecks } from './checks.ts'
import type { DemographicsConfig } from './config.ts'
import type { Demographics, PersonRecord } from './contract.ts'
import { writeCoverage } from './coverage.ts'
import { type Criteria, criteriaOf, singleValue } from './criteria.ts'
import { crossCheck } from './cross-check.ts'
import { explain } from './explain.ts'
import { refused } from './fhir/answer.ts'
import { pdsFace, type Settled } from './fhir/face.ts'
import { operationalPaths } from './fhir/operational.ts'
import { outcomeOf } from './fhir/outcome-of.ts'
import { accessRecord } from './fhir/record.ts'
import { slowWrites } from './fhir/slow-writes.ts'
import { gatewayAccess, pdsApi } from './gateway-access.ts'
import { migrations } from './migrations.ts'
import { outcomes, refuse } from './outcomes.ts'
import { importPeople, personLine } from './people-file.ts'
import { checkPerson, personRecord, storedPerson } from './person.ts'
import { profileAccess } from './profile-access.ts'
import { type BirthNotification, birth } from './register/birth.ts'
import { type Creation, create } from './register/create.ts'
import { numberSource } from './register/numbers.ts'
import { perSecond } from './register/rate.ts'
import type { RegisterParts } from './register/register.ts'
import { turns } from './register/turns.ts'
import { related } from './related.ts'
import { mergedInto } from './retained.ts'
import { retrieve } from './retrieve.ts'
import { spineFaces } from './spine-faces.ts'
import { personStore } from './store.ts'
import { cascade, type Traced, trace } from './trace.ts'
import { type Update, update } from './update/update.ts'
import type { UseCases } from './use-cases.ts'
import { searchView } from './view.ts'

export type { Access, AccessMode, AppAttributes, Authenticate } from './access.ts'
export { type DemographicsConfig, demographicsConfig } from './config.ts'
export type {
  Demographics,
  ExplainedCandidate,
  ExplainedTrace,
  ImportReport,
  PersonRecord,
  TraceExplanation,
} from './contract.ts'
export { eventMessage, eventWorkflow } from './events/message.ts'
export { candidateLine, fieldLine } from './explain.ts'
export { outcomes, type PdsOutcome, refuse } from './outcomes.ts'
export { linesOf } from './people-file.ts'
export { syntheticCapacity, syntheticPeople } from './population.ts'
export { workedPeople } from './worked-people.ts'

/** People that are written together: big enough for `COPY`, small enough to begin again after a crash. */
const loadBatch = 5_000

const pruneMs = 600_000
/** People that are read together for an export. */
const exportPage = 1_000

/**
 * The Personal Demographics Service: one person store, one matcher, and its faces. The gateway verifies access tokens;
 * without it the profile decides (no token can be verified then). `authenticate` stands in for both.
 */
export function demographics(parts: {
  readonly platform: Platform
  readonly config: DemographicsConfig
  readonly gateway?: Pick<Gateway, 'declare' | 'judge' | 'refused' | 'opensOrigin'>
  readonly authenticate?: Authenticate
  /** Systems and organisations; without it the faces over SOAP are not offered. */
  readonly directory?: Pick<Directory, 'snapshot'>
}): Service<Demographics> {
  const { platform, config } = parts
  const people = personStore(platform.store)
  const changes = changeStore(platform.store)
  const kept = config.updates === 'kept'
  const registering: RegisterParts = {
    people,
    changes,
    clock: platform.clock,
    next: numberSource({ people, changes, range: { from: config.allocateFrom, to: config.allocateTo } }),
    inTurn: turns<number>(),
    block: config.fuzzyBlock,
    kept,
  }
  const withoutToken = platform.profile === 'strict' ? 'refused' : config.accessWithoutToken
  const requests = platform.metrics.counter(
    'openspine_pds_requests_total',
    'PDS FHIR requests by operation and outcome',
    ['operation', 'status', 'code'],
  )
  const seconds = platform.metrics.histogram('openspine_pds_request_seconds', 'PDS FHIR requests: time to the answer', [
    'operation',
  ])
  const health = storeHealth(platform.store)

  const fromProfile = profileAccess(withoutToken)
  let fromGateway: Authenticate | undefined
  if (parts.gateway !== undefined) {
    const api = pdsApi({ version, basePath: config.basePath, rbac: config.rbac, health })
    parts.gateway.declare(api)
    fromGateway = gatewayAccess({
      gateway: parts.gateway,
      api,
      ...(withoutToken === 'refused' ? {} : { otherwise: fromProfile }),
    })
  }

  const settled = async (event: Settled): Promise<void> => {
    const { at, operation, status, code } = event
    requests.inc({ operation, status: String(status), code: code ?? '' })
    await platform.audit.append(accessRecord(event))
    seconds.observe({ operation }, (platform.clock.now() - at) / 1000)
  }

  let pruning: NodeJS.Timeout | undefined
  const prune = () => {
    const now = platform.clock.now()
    return changes.prune(now - config.answersKeptHours * 3_600_000, now - config.eventsKeptDays * 86_400_000)
  }
  const explained = (criteria: Criteria, traced: Traced, also: string | undefined) =>
    explain(people, criteria, traced, { block: config.fuzzyBlock, ...(also === undefined ? {} : { also }) })
  const explains = config.explainSearches && platform.profile !== 'strict'
  const changing = (asked: Update) =>
    update({ people, changes, clock: platform.clock, random: platform.random, kept }, asked)
  const registers = {
    create: (asked: Creation) => create(registering, asked),
    birth: (asked: BirthNotification) => birth(registering, asked),
    mayRegister: perSecond(config.createsPerSecond),
  }
  const relatives = (nhsNumber: string) => related(people, nhsNumber)
  const cases: UseCases = {
    retrieve: (nhsNumber) => retrieve(people, nhsNumber),
    search: (criteria) => trace(people, criteria, config.fuzzyBlock),
    crossCheck: (claim) => crossCheck(people, claim),
  }

  const contract: Demographics = {
    async load(records) {
      let written = 0
      for await (const batch of batches(records)) {
        for (const record of batch) checkPerson(record)
        const existing = await people.existing(batch.map(({ nhsNumber }) => Number(nhsNumber)))
        const fresh = batch.filter(({ nhsNumber }) => !existing.has(Number(nhsNumber))).map(storedPerson)
        if (fresh.length > 0) written += await people.insert(fresh)
      }
      return written
    },
    count: () => people.count(),
    history: changes.history,
    administration: administration({
      people,
      changes,
      clock: platform.clock,
      settled: ({ after, kind, at, author, members }) =>
        platform.audit.append({
          event: `pds.${kind}`,
          at,
          facts: { ...author, asked: after.nhsNumber, version: after.version, members },
        }),
    }),
    events: { waiting: changes.waiting, published: changes.published },
    async *export() {
      for (let after = -1, more = true; more; ) {
        const page = await people.after(after, exportPage)
        for (const person of page) yield personLine(person)
        after = Number(page.at(-1)?.nhsNumber)
        more = page.length === exportPage
      }
    },
    import: (lines) => importPeople(lines, (records) => contract.load(records)),
    async find(nhsNumber) {
      const person = /^\d{10}$/.test(nhsNumber) ? await people.find(nhsNumber) : undefined
      return person && personRecord(person)
    },
    mergedInto: (nhsNumber) => mergedInto(people, nhsNumber),
    async explain({ parameters, also, by }) {
      const refused = firstRefusal(searchChecks, parameters)
      if (refused) throw refuse(refused.outcome, refused.check.explanation, refused.check.name)
      const criteria = criteriaOf(parameters, Number(singleValue(parameters, '_max-results') ?? 50))
      if (!criteria) throw refuse(outcomes.minimumNotMet)
      const traced = await trace(people, criteria, config.fuzzyBlock)
      const explanation = await explained(criteria, traced, also)
      const shown = explanation.candidates.map(({ nhsNumber }) => nhsNumber)
      await platform.audit.append({
        event: 'pds.explain',
        at: platform.clock.now(),
        facts: { by, shown, parameters: [...new Set(parameters.map(([name]) => name))] },
      })
      const found = 'tooMany' in traced ? [] : traced.found
      return {
        found: found.map(({ person, patient }) => ({
          nhsNumber: person.nhsNumber,
          patient: searchView(person.sensitivity, patient, { mode: 'user-restricted' }),
        })),
        explanation,
      }
    },
    traceBatch(pieces, { by, ...options }) {
      const { clock, audit } = platform
      return traceBatch(pieces, cases, {
        ...options,
        stamp: writeMoment(clock.now()),
        settled: (shown) => audit.append({ event: 'pds.batch-trace', at: clock.now(), facts: { by, shown } }),
      })
    },
  }

  return {
    name: 'demographics',
    contract,
    migrations,
    routes: {
      api: pdsFace({
        ...config,
        clock: platform.clock,
        random: platform.random,
        log: platform.log,
        opensOrigin: parts.gateway?.opensOrigin,
        authenticate: parts.authenticate ?? fromGateway ?? fromProfile,
        retrieve: cases.retrieve,
        related: relatives,
        search: cases.search,
        cascade: (criteria) => cascade(people, criteria, config.fuzzyBlock),
        update: changing,
        writeCoverage: (asked) => writeCoverage({ people, changes, kept }, asked),
        ...registers,
        slow: slowWrites({
          form: config.slowAnswers,
          keptAnswer: changes.keptAnswer,
          refusal: (error) => refused(outcomeOf(error, platform).outcome),
        }),
        plainJsonPatch: platform.profile === 'sandbox',
        ...(explains && { explain: explained }),
        settled,
        operational: operationalPaths({ version, statusApiKey: config.statusApiKey, random: platform.random, health }),
      }),
      ...(parts.directory === undefined
        ? {}
        : {
            spine: spineFaces({
              platform,
              config,
              directory: parts.directory,
              related: relatives,
              update: changing,
              ...registers,
              ...cases,
            }),
          }),
    },
    async start() {
      await prune()
      pruning = setInterval(() => {
        prune().catch((error: unknown) => platform.log.warn({ err: error }, 'PDS: old answers were not forgotten'))
      }, pruneMs).unref()
      if (!parts.authenticate && withoutToken === 'user-restricted')
        platform.log.info(
          'PDS FHIR: requests without an Authorization header act as a healthcare worker (profile sandbox)',
        )
    },
    async stop() {
      clearInterval(pruning)
    },
    health,
  }
}

/** Of this package, read where it is installed: sources and compiled files lie equally deep. */
const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** A number that comes twice in one batch counts once: the first one wins, as it does between loads. */
async function* batches(
  records: Iterable<PersonRecord> | AsyncIterable<PersonRecord>,
): AsyncGenerator<readonly PersonRecord[]> {
  let batch = new Map<string, PersonRecord>()
  for await (const record of records) {
    if (!batch.has(record.nhsNumber)) batch.set(record.nhsNumber, record)
    if (batch.size < loadBatch) continue
    yield [...batch.values()]
    batch = new Map()
  }
  if (batch.size > 0) yield [...batch.values()]
}
