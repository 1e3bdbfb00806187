import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { CareRecord, ClientSession, Lookup, RecordSection, Trace } from '@openspine/client'
import type { StoredAuditRecord } from '@openspine/platform/audit'
import { workedExamplePatients } from '@openspine/practice'
import { isSpineError } from '@openspine/standards/error'
import { formatNhsNumber } from '@openspine/standards/nhs'
import { explainRecords } from './commands/audit.ts'
import { consumerClient, terminalUser } from './context.ts'
import { printStep, type Step } from './demo-steps.ts'
import type { Spine } from './openspine.ts'
import { rowCount } from './readable-html.ts'
import { careRecordInteractions, loadSandbox, sandboxPractices, serviceRoot } from './sandbox/sandbox.ts'
import { bold, dim, green, output } from './terminal.ts'

const wanted = { family: 'Testcase', given: 'Arlo', birthDate: '1980-02-29', postcode: 'ZZ99 3CZ' }
const [getCareRecord] = careRecordInteractions

/**
 * The GP Connect integration example, 1a to 5b, run as a consumer on the network: real sockets, mutual
 * TLS, nothing passed in memory. Answers whether every step held.
 */
export async function runDemo(spine: Spine, options: { readonly json: boolean }): Promise<boolean> {
  await loadSandbox(spine)
  const { settings, urls, platform } = spine
  const identity = await platform.trust.identity(settings.values.client.fqdn)
  const client = consumerClient(
    settings,
    {
      ca: readFileSync(platform.trust.files.bundle, 'utf8'),
      cert: identity.certificate + identity.chain,
      key: identity.key,
    },
    {
      pds: `${urls['api']}${settings.values.demographics.basePath}`,
      directory: String(urls['directory']),
      proxy: String(urls['proxy']),
    },
  )
  const example = new IntegrationExample(spine, client.session({ practitioner: terminalUser }), options.json)
  try {
    await example.run()
  } finally {
    await client.close()
  }
  if (options.json) output.json({ steps: example.steps })
  else printAddresses(spine, identity.files)
  return example.steps.length > 0 && example.steps.every(({ held }) => held)
}

class IntegrationExample {
  readonly steps: Step[] = []
  readonly #spine: Spine
  readonly #session: ClientSession
  readonly #json: boolean

  constructor(spine: Spine, session: ClientSession, json: boolean) {
    this.#spine = spine
    this.#session = session
    this.#json = json
  }

  async run(): Promise<void> {
    if (!this.#json) output.line(`\n${bold('GP Connect: retrieve a care record in HTML')}`)
    const traced = await this.#trace()
    if (!traced) return
    const odsCode = traced.person.practice ?? ''
    const found = await this.#lookup(odsCode)
    if (!found) return
    await this.#record(found, traced.person.nhsNumber, 'ALL')
    await this.#refusedByPractice(odsCode)
    await this.#refusedByProxy()
    await this.#structured(odsCode, traced.person.nhsNumber)
    await this.#appointment(odsCode, traced.person.nhsNumber)
  }

  async #trace(): Promise<Trace | undefined> {
    this.#say(
      '1a',
      'consumer',
      'PDS',
      `find ${wanted.family.toUpperCase()}, born ${wanted.birthDate}, ${wanted.postcode}`,
    )
    return this.#held('1b', 'PDS', 'consumer', async () => {
      const traced = await this.#session.trace(wanted)
      const { nhsNumber, verified, practice } = traced.person
      return {
        result: traced,
        ms: traced.ms,
        said: `NHS number ${formatNhsNumber(nhsNumber)}, ${verified ? 'verified' : 'not verified'}, registered at ${practice}`,
        held: verified && practice !== undefined,
      }
    })
  }

  async #lookup(odsCode: string): Promise<Lookup | undefined> {
    const short = getCareRecord.split(':').at(-1)
    this.#say('2a', 'consumer', 'SDS', `which endpoint serves ${short} at ${odsCode}?  (LDAPS)`)
    const found = await this.#held('2b', 'SDS', 'consumer', async () => {
      const result = await this.#session.lookup({ odsCode, interaction: getCareRecord })
      return { result, ms: result.searches[0]?.ms ?? 0, said: result.endpoint, held: result.endpoint !== '' }
    })
    if (!found) return undefined
    this.#say('3a', 'consumer', 'SDS', `which accredited system has party key ${found.partyKey}?  (LDAPS)`)
    return this.#held('3b', 'SDS', 'consumer', async () => ({
      result: found,
      ms: found.searches[1]?.ms ?? 0,
      said: `ASID ${found.asid}`,
      held: /^\d{12}$/.test(found.asid),
    }))
  }

  async #record(found: Lookup, nhsNumber: string, section: RecordSection): Promise<void> {
    this.#say('4a', 'consumer', 'proxy', `POST /${found.endpoint}/Patient/$gpc.getcarerecord  section ${section}`)
    let record: CareRecord | undefined
    let failure: unknown
    try {
      record = await this.#session.careRecord({ nhsNumber, odsCode: found.odsCode, section })
    } catch (error) {
      failure = error
    }
    await this.#relayed('4b', '4c', record?.traceId ?? traceOf(failure), (status) => status === 200)
    await this.#held('4d', 'proxy', 'consumer', async () => {
      if (!record) throw failure
      const rows = rowCount(record.html)
      return { result: record, ms: record.ms, said: `200, ${record.title}, ${rows} rows`, held: rows > 0 }
    })
  }

  /** A patient whose record may not be shown: the practice refuses, and the proxy passes its answer on as it is. */
  async #refusedByPractice(odsCode: string): Promise<void> {
    const nhsNumber = workedExamplePatients.sensitive
    const error = await this.#session
      .careRecord({ nhsNumber, odsCode, section: 'SUM' })
      .catch((refused: unknown) => refused)
    const trace = traceOf(error)
    const { status, code = '' } = outcomeOf(error)
    await this.#relayed(undefined, '5a', trace, (relayed) => relayed === 404, code)
    await this.#held('5b', 'proxy', 'consumer', async () => {
      if (!isSpineError(error) || error.code !== 'CLIENT_REFUSED')
        throw error ?? new Error('the practice did not refuse')
      return {
        result: error,
        said: `${status} ${code}   why: openspine explain ${trace}`,
        held: status === 404 && code === 'PATIENT_NOT_FOUND',
      }
    })
  }

  /** A practice that has no sharing agreement with the consumer's organisation: the proxy refuses. */
  async #refusedByProxy(): Promise<void> {
    const stranger = sandboxPractices.find(({ agreement }) => !agreement)
    if (!stranger) return
    if (!this.#json) output.line(`\n${bold('The same question to a practice that has not agreed to share')}`)
    this.#say('6a', 'consumer', 'proxy', `POST /…/${stranger.odsCode}/…/Patient/$gpc.getcarerecord`)
    const error = await this.#session
      .careRecord({ nhsNumber: '9990548609', odsCode: stranger.odsCode, section: 'SUM' })
      .catch((refused: unknown) => refused)
    await this.#held('6b', 'proxy', 'consumer', async () => {
      if (!isSpineError(error) || error.code !== 'CLIENT_REFUSED') throw error ?? new Error('the proxy did not refuse')
      const { status, diagnostics = '' } = outcomeOf(error)
      return {
        result: error,
        said: `${status} ${diagnostics}`,
        held: status === 403 && diagnostics.startsWith('FOT_CHECK_FAILED'),
      }
    })
    const records = await this.#spine.platform.audit.find({ trace: traceOf(error), limit: 10 })
    if (!this.#json) for (const line of explainRecords(records)) output.line(dim(`      ${line}`))
  }

  /** The record as FHIR STU3 resources, every clinical area of it. */
  async #structured(odsCode: string, nhsNumber: string): Promise<void> {
    if (!this.#json) output.line(`\n${bold('The same record, structured (GP Connect 1.6, FHIR STU3)')}`)
    this.#say('7a', 'consumer', 'proxy', `POST /…/${odsCode}/STU3/1/…/Patient/$gpc.getstructuredrecord`)
    await this.#held('7b', 'proxy', 'consumer', async () => {
      const record = await this.#session.structuredRecord({
        nhsNumber,
        odsCode,
        include: {
          allergies: { resolved: true },
          medication: {},
          consultations: {},
          problems: [{}],
          immunisations: {},
          uncategorised: {},
          investigations: {},
          referrals: {},
          diary: {},
        },
      })
      const areas = record.lists.filter(({ area }) => area !== undefined)
      const entries = areas.reduce((sum, { items }) => sum + items.length, 0)
      return {
        result: record,
        ms: record.ms,
        said: `200, ${areas.length} areas, ${entries} entries, ${record.complete ? 'complete' : 'incomplete'}`,
        held: record.complete && entries > 0,
      }
    })
  }

  /** Books the first free slot of the coming days; whoever has started before sees the appointment of that time. */
  async #appointment(odsCode: string, nhsNumber: string): Promise<void> {
    if (!this.#json) output.line(`\n${bold('An appointment at the practice (GP Connect 1.2, FHIR STU3)')}`)
    const today = new Date(this.#spine.platform.clock.now())
    const day = (after: number) => new Date(today.getTime() + after * 86_400_000).toISOString().slice(0, 10)
    const patient = await this.#session.findPatient({ odsCode, nhsNumber }).catch(() => undefined)
    const patientId = patient?.id ?? ''
    this.#say('8a', 'consumer', 'proxy', `GET /…/${odsCode}/STU3/1/gpconnect/Patient/${patientId}/Appointment`)
    const before = await this.#held('8b', 'proxy', 'consumer', async () => {
      const found = await this.#session.appointments({ odsCode, patientId, from: day(0), to: day(14) })
      const booked = found.appointments.filter(({ status }) => status === 'booked')
      const said = booked.length === 0 ? '200, none booked' : `200, booked for ${booked[0]?.start}`
      return { result: booked, ms: found.ms, said, held: true }
    })
    if (before === undefined || before.length > 0) return
    this.#say('8c', 'consumer', 'proxy', `GET /…/Slot?start=ge${day(1)}&end=le${day(7)}&status=free`)
    const slots = await this.#held('8d', 'proxy', 'consumer', async () => {
      const found = await this.#session.slots({ odsCode, start: day(1), end: day(7) })
      return {
        result: found.slots,
        ms: found.ms,
        said: `200, ${found.slots.length} free slots`,
        held: found.slots.length > 0,
      }
    })
    const [slot] = slots ?? []
    if (slot === undefined) return
    this.#say('8e', 'consumer', 'proxy', `POST /…/Appointment  ${slot.start}`)
    await this.#held('8f', 'proxy', 'consumer', async () => {
      const { appointment, ms } = await this.#session.bookAppointment({
        odsCode,
        patientId,
        slots: [slot],
        description: 'Asthma review',
      })
      return {
        result: appointment,
        ms,
        said: `201, ${appointment.status} for ${appointment.start}`,
        held: appointment.status === 'booked',
      }
    })
  }

  /** What passed between proxy and practice: the consumer cannot see it, the proxy's audit can. */
  async #relayed(
    request: string | undefined,
    answer: string,
    trace: string,
    holds: (status: unknown) => boolean,
    code?: string,
  ): Promise<void> {
    const records = await this.#spine.platform.audit.find({ trace, limit: 10 })
    const relayed: StoredAuditRecord | undefined = records.find(({ event }) => event === 'proxy.request')
    const facts = relayed?.facts ?? {}
    if (request)
      this.#say(
        request,
        'proxy',
        'practice',
        relayed ? 'admitted; the request passes unchanged, over mutual TLS' : 'nothing was relayed',
        relayed !== undefined,
      )
    const ms = typeof facts['providerMs'] === 'number' ? { ms: facts['providerMs'] } : {}
    this.#print({
      step: answer,
      from: 'practice',
      to: 'proxy',
      said: relayed
        ? `${facts['status']}${code === undefined ? '' : ` ${code}`}, ${facts['bytesOut']} bytes`
        : 'no answer',
      held: holds(facts['status']),
      ...ms,
    })
  }

  async #held<Result>(
    step: string,
    from: string,
    to: string,
    work: () => Promise<{ result: Result; said: string; held: boolean; ms?: number }>,
  ): Promise<Result | undefined> {
    try {
      const { result, ...line } = await work()
      this.#print({ step, from, to, ...line })
      return result
    } catch (error) {
      this.#print({ step, from, to, said: error instanceof Error ? error.message : String(error), held: false })
      return undefined
    }
  }

  #say(step: string, from: string, to: string, said: string, held = true): void {
    this.#print({ step, from, to, said, held })
  }

  #print(step: Step): void {
    this.steps.push(step)
    if (!this.#json) printStep(step)
  }
}

interface Refused {
  readonly status?: number
  readonly traceId?: string
  readonly code?: string
  readonly diagnostics?: string
}

const outcomeOf = (error: unknown): Refused => (isSpineError(error) ? (error.outcome as Refused) : {})
const traceOf = (error: unknown): string => outcomeOf(error).traceId ?? ''

/** Lines that work when they are pasted into a terminal in this folder. */
function printAddresses(spine: Spine, files: { readonly fullChain: string; readonly key?: string }): void {
  const { urls, platform, settings } = spine
  const path = (file: string) => relative(process.cwd(), file) || file
  const [ca, cert, key] = [path(platform.trust.files.bundle), path(files.fullChain), path(files.key ?? '')]
  const [practice] = sandboxPractices
  output.line(`\n${bold('Doors')}`)
  for (const [name, url] of Object.entries(urls)) output.line(`  ${name.padEnd(10)} ${url}`)
  output.line(`\n${bold('Try it')}`)
  output.line(
    `  curl --cacert ${ca} -H "X-Request-ID: $(cat /proc/sys/kernel/random/uuid)" '${urls['api']}${settings.values.demographics.basePath}/Patient/9990548609'`,
  )
  output.line(
    `  LDAPTLS_CACERT=${ca} LDAPTLS_CERT=${cert} LDAPTLS_KEY=${key} ldapsearch -x -LLL -H ${urls['directory']} -b ou=services,o=nhs '(&(nhsIDCode=${practice?.odsCode})(objectClass=nhsMhs)(nhsMhsSvcIA=${getCareRecord}))' nhsMhsEndPoint nhsMHSPartyKey`,
  )
  output.line(
    `  LDAPTLS_CACERT=${ca} LDAPTLS_CERT=${cert} LDAPTLS_KEY=${key} ldapsearch -x -LLL -H ${urls['directory']} -b ou=services,o=nhs '(&(nhsIDCode=${practice?.odsCode})(objectClass=nhsAS)(nhsMHSPartyKey=${practice?.partyKey})(nhsAsSvcIA=${getCareRecord}))' uniqueIdentifier`,
  )
  output.line(`  npx openspine record 9990548609 --section ALL`)
  output.line(`  npx openspine record 9990548609 --structured --include all`)
  output.line(`  npx openspine appointments list 9990548609`)
  const endpoint = practice && urls['practice'] ? serviceRoot(urls['practice'], practice.odsCode) : ''
  output.line(dim(`  the practice's service root, as registered: ${endpoint}`))
  output.line(green('  every step above went over real sockets; the audit has it: npx openspine audit verify'))
}
