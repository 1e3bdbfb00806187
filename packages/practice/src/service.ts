import { readFile } from 'node:fs/promises'
import type { HealthReport, Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import { appointmentStore } from './appointments/store.ts'
import type { PracticeConfig } from './config.ts'
import type { PopulationOptions, PopulationReport, PracticeContract } from './contract.ts'
import type { LookUp } from './demographics.ts'
import { endpoints } from './endpoints.ts'
import { practiceListener } from './http/listener.ts'
import { migrations } from './migrations.ts'
import { dayAt } from './record/dates.ts'
import { readPatient, readPracticeFile } from './record/file.ts'
import type { PatientInput, PatientRecord, PracticeFile } from './record/model.ts'
import { readPopulation } from './record/population/load.ts'
import type { PopulationSource } from './record/population/population.ts'
import { plannedUntil } from './record/scheduling.ts'
import { practiceStore } from './store.ts'
import { longRecords } from './structured/long-records.ts'

export { type PracticeConfig, practiceConfig } from './config.ts'
export type { PopulationOptions, PopulationReport, PracticeContract, PracticeSummary } from './contract.ts'
export type { LookUp, TracedPerson } from './demographics.ts'
export type { PatientInput, PracticeFile } from './record/model.ts'
export { formatOfName, type MissingPractice } from './record/population/load.ts'
export {
  type CsvKind,
  csvKinds,
  type LeftOut,
  type PopulationFault,
  type PopulationSource,
} from './record/population/population.ts'
export { type SyntheticPerson, syntheticRecord } from './sandbox/synthetic.ts'
export { workedExample, workedExamplePatients } from './sandbox/worked-example.ts'

const batch = 500
/** How often is looked whether a new day has come, for which appointments are planned ahead. */
const planningMs = 600_000
/** Faults of a population that a report lists. */
const faultsShown = 1000

/**
 * A GP practice system: GP Connect of both lines (0.x in DSTU2, 1.x in STU3, each in JSON and XML) for any number
 * of practices in one process, behind a secure proxy.
 *
 * @example
 * const system = practice({ platform, config })
 * await system.contract.load(workedExample({ asid: '200000100001', today: '2026-11-20' }))
 */
export function practice({
  platform,
  config,
  demographics,
}: {
  readonly platform: Platform
  readonly config: PracticeConfig
  /** How people are traced before they are registered or found (§8.2, §8.3); absent: nobody is. */
  readonly demographics?: LookUp
}): Service<PracticeContract> {
  const { clock, random, log } = platform
  const store = practiceStore(platform.store, random, clock)
  const appointments = appointmentStore(platform.store)
  const long = longRecords()
  const listener = practiceListener({
    platform,
    config,
    answering: {
      endpoints,
      store,
      demographics,
      appointments,
      clock,
      random,
      longRecords: long,
      proxyFqdn: config.proxyFqdn.toLowerCase(),
      exactAudience: config.tokenAudience === 'service-root',
      quoteSingleDates: config.quoteSingleDates,
    },
  })

  async function load(file: string | PracticeFile) {
    const read = readPracticeFile(typeof file === 'string' ? await textOf(file) : file)
    await store.write(
      read.practices.map(({ patients, complete, ...settings }) => ({ practice: settings, patients, complete })),
    )
    const patients = read.practices.reduce((sum, one) => sum + one.patients.length, 0)
    log.info({ practices: read.practices.length, patients }, 'practice file loaded')
    return { practices: read.practices.length, patients }
  }

  async function practiceNamed(odsCode: string) {
    const held = await store.practice(odsCode)
    if (held === undefined)
      throw new SpineError(
        'PRACTICE_UNKNOWN',
        { odsCode },
        { explanation: `There is no practice ${odsCode}: load a practice file that names it first.` },
      )
    return held
  }

  async function addPatients(
    odsCode: string,
    patients: Iterable<PatientInput> | AsyncIterable<PatientInput>,
  ): Promise<number> {
    const held = await practiceNamed(odsCode)
    let written = 0
    let waiting: PatientRecord[] = []
    const write = async () => {
      await store.writePatients(odsCode, waiting)
      written += waiting.length
      waiting = []
    }
    for await (const patient of patients) {
      waiting.push(readPatient(patient, held.practice))
      if (waiting.length >= batch) await write()
    }
    if (waiting.length > 0) await write()
    return written
  }

  async function loadPopulation(
    sources: readonly PopulationSource[],
    { odsCode, complete = false, keepGoing = false, dryRun = false, ...reading }: PopulationOptions,
  ): Promise<PopulationReport> {
    if (odsCode !== undefined) await practiceNamed(odsCode)
    const read = await readPopulation(sources, {
      ...(odsCode === undefined ? {} : { odsCode }),
      practiceOf: async (code) => (await store.practice(code))?.practice,
      ...reading,
    })
    const { practices, missing, used, unmapped, leftOut, faults } = read
    const written = !dryRun && practices.length > 0 && (faults.length === 0 || (keepGoing && !complete))
    if (written)
      await store.write(
        practices.map((one) => ({
          ...one,
          // Whoever names a practice by its books alone does not mean that it has no patients.
          complete: complete && (odsCode !== undefined || one.patients.length > 0),
        })),
      )
    const got = practices.map(({ practice, patients }) => ({ odsCode: practice.odsCode, patients: patients.length }))
    const patients = got.reduce((sum, one) => sum + one.patients, 0)
    log.info({ practices: got.length, patients, faults: faults.length, written }, 'population read')
    return {
      practices: got,
      missingPractices: missing,
      written,
      patients,
      resources: used,
      unmapped,
      leftOut,
      faults: faults.slice(0, faultsShown),
      faultCount: faults.length,
    }
  }

  let planning: NodeJS.Timeout | undefined
  let planned: Promise<void> = Promise.resolve()
  let plannedOn: string | undefined
  /** Once a day is enough. A process that does not know that it was done today does it again. */
  async function planAhead(): Promise<void> {
    const today = dayAt(clock.now())
    if (today === plannedOn) return
    await store.planAhead()
    plannedOn = today
  }

  async function practices() {
    return Promise.all(
      (await store.practices()).map(
        async ({ practice: { odsCode, asid, name, serviceRoot, gpConnect, services, schedules } }) => ({
          odsCode,
          asid,
          name,
          serviceRoot,
          gpConnect,
          services: services.length + 1,
          plannedUntil: plannedUntil(schedules, clock.now()),
          patients: await store.count(odsCode),
        }),
      ),
    )
  }

  return {
    name: 'practice',
    contract: { load, addPatients, loadPopulation, practices },
    migrations,
    listeners: [listener],
    async start() {
      for (const file of config.files) await load(file)
      await planAhead()
      planning = setInterval(() => {
        planned = planned
          .then(planAhead)
          .catch((error: Error) => log.warn({ reason: error.message }, 'appointments were not planned ahead'))
      }, planningMs)
      planning.unref()
    },
    async stop() {
      clearInterval(planning)
      await planned
      await long.stop()
    },
    async health(): Promise<HealthReport> {
      const all = await store.practices()
      if (all.length === 0)
        return { status: 'warn', note: 'No practice is loaded: load a practice file, or name one in practice.files.' }
      const off = all.filter(({ practice: { gpConnect } }) => !gpConnect).map(({ practice: { odsCode } }) => odsCode)
      return off.length === 0
        ? { status: 'pass', note: `${all.length} practice${all.length === 1 ? '' : 's'}` }
        : { status: 'warn', note: `GP Connect is switched off at ${off.slice(0, 10).join(', ')}.` }
    },
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new SpineError(
      'PRACTICE_FILE_UNREADABLE',
      { path },
      { cause, explanation: `The practice file ${path} cannot be read.` },
    )
  }
}
