import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { visitorsInteractions } from '@openspine/services/visitors'
import { visitorsAudience } from '@openspine/standards/audit-token'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { formatNhsNumber, namingSystem } from '@openspine/standards/nhs'
import { explainRecords } from './commands/audit.ts'
import { consumerClient, consumerSystem, terminalUser } from './context.ts'
import { Sequence, type Step } from './demo-sequence.ts'
import type { Spine } from './openspine.ts'
import { loadSandbox } from './sandbox/sandbox.ts'
import { spineCore } from './sandbox/spine-core.ts'
import { dim, output } from './terminal.ts'

const wanted = { family: 'Fullrecord', birthDate: '1951-04-03' }
const undecided = '9990548609'
const { nhsNumber: nhsNumberSystem, odsOrganisation } = namingSystem.fhirNhsUk

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
  readonly ms: number
  readonly trace: string
}

/** What the one entry of an answer says, for one line. */
function saidBy({ status, type, text }: Answer): string {
  const bundle = dstu2.read(type.includes('xml') ? 'xml' : 'json', text) as unknown as {
    readonly entry: readonly { readonly resource: Observed }[]
  }
  const resource = bundle.entry[0]?.resource
  if (resource?.resourceType === 'OperationOutcome') {
    const [issue] = resource.issue ?? []
    return `${status} ${issue?.details?.coding?.[0]?.code ?? ''}: ${issue?.diagnostics ?? ''}`
  }
  const codes = (resource?.component ?? []).map(({ valueCodeableConcept: { coding } }) => coding[0])
  const said = codes.map((coding) => `${coding?.code} ${coding?.display}`).join(', ')
  return `${status} ${said}; since ${resource?.effectiveDateTime?.slice(0, 10)}, version ${resource?.meta?.versionId}`
}

interface Observed {
  readonly resourceType: string
  readonly meta?: { readonly versionId: string }
  readonly effectiveDateTime?: string
  readonly component?: readonly { readonly valueCodeableConcept: { readonly coding: readonly Coded[] } }[]
  readonly issue?: readonly {
    readonly details?: { readonly coding?: readonly Coded[] }
    readonly diagnostics?: string
  }[]
}
interface Coded {
  readonly code: string
  readonly display?: string
}

/**
 * The integration example of Visitors & Migrants, run as a hospital's system on the network: demographics, directory and
 * the service itself over real sockets and mutual TLS. Answers whether every step held.
 */
export async function runVisitorsDemo(spine: Spine, { json }: { readonly json: boolean }): Promise<boolean> {
  await loadSandbox(spine)
  const { settings, urls, platform, contracts } = spine
  const { client: own, demographics } = settings.values
  const identity = await platform.trust.identity(own.fqdn)
  const ca = readFileSync(platform.trust.files.bundle, 'utf8')
  const tls = { ca, cert: identity.certificate + identity.chain, key: identity.key }
  const client = consumerClient(settings, tls, {
    pds: `${urls['api']}${demographics.basePath}`,
    directory: String(urls['directory']),
    proxy: String(urls['proxy']),
  })
  const agent = new Agent({ keepAlive: true, ...tls })
  const sequence = new Sequence(json)
  const { steps } = sequence
  const add = (step: Step) => sequence.print(step)
  const say = (step: string, from: string, to: string, said: string) => sequence.say(step, from, to, said)
  const heading = (text: string) => sequence.title(text)
  const session = client.session({ practitioner: terminalUser })
  let endpoint = ''
  let asid = ''

  function ask(nhsNumber: string, about: { readonly tokenFor?: string; readonly accept?: string } = {}) {
    const trace = platform.random.uuid()
    const now = Math.floor(platform.clock.now() / 1000)
    const query = new URLSearchParams({
      'subject:Patient.identifier': `${nhsNumberSystem}|${nhsNumber}`,
      code: 'https://fhir.nhs.uk/fhir-observation-code-1|0001',
    })
    const headers = {
      'Ssp-TraceID': trace,
      'Ssp-From': own.asid,
      'Ssp-To': asid,
      'Ssp-InteractionID': visitorsInteractions.search,
      Accept: about.accept ?? 'application/json+fhir',
      Authorization: `Bearer ${writeUnsecuredToken(claimsOf(spine, about.tokenFor ?? nhsNumber, now))}`,
    }
    const started = performance.now()
    return new Promise<Answer>((resolve, reject) => {
      const asked = request(`${endpoint}/Observation?${query}`, { agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: String(response.headers['content-type']),
            text: Buffer.concat(chunks).toString('utf8'),
            ms: performance.now() - started,
            trace,
          }),
        )
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  async function answered(step: string, answer: Answer, holds: (said: string) => boolean): Promise<void> {
    const said = saidBy(answer)
    add({ step, from: 'Spine', to: 'consumer', said, ms: answer.ms, held: holds(said) })
  }

  try {
    heading('Visitors & Migrants: is this patient charged?')
    say('1a', 'consumer', 'PDS', `find ${wanted.family.toUpperCase()}, born ${wanted.birthDate}`)
    const traced = await session.trace(wanted)
    const { nhsNumber } = traced.person
    add({
      step: '1b',
      from: 'PDS',
      to: 'consumer',
      said: `NHS number ${formatNhsNumber(nhsNumber)}`,
      ms: traced.ms,
      held: true,
    })

    say('2a', 'consumer', 'SDS', 'which endpoint and ASID of the Spine serve search:observation:1?  (LDAPS)')
    const interaction = `${visitorsInteractions.search}:1`
    const found = await session.lookup({ odsCode: spineCore.odsCode, interaction })
    ;({ endpoint, asid } = found)
    const ms = found.searches.reduce((sum, search) => sum + search.ms, 0)
    add({
      step: '2b',
      from: 'SDS',
      to: 'consumer',
      said: `${endpoint}, ASID ${asid}`,
      ms,
      held: asid === spineCore.asid,
    })

    say('3a', 'consumer', 'Spine', 'GET /Observation  (mutual TLS, audit token, JSON)')
    await answered('3b', await ask(nhsNumber), (said) => said.startsWith('200 Y Chargeable, F'))

    heading('The overseas visitor manager finds that the patient is exempt')
    const effectiveAt = Math.floor(platform.clock.now() / 1000) * 1000
    const change = { nhsNumber, basic: 'N', category: 'E', source: 'overseas-visitor-manager', effectiveAt } as const
    const recorded = await contracts.visitors.record([change], 'demo')
    add({
      step: '4a',
      from: 'manager',
      to: 'Spine',
      said: 'not chargeable, category E, from now',
      held: recorded === 1,
    })
    say('4b', 'consumer', 'Spine', 'GET /Observation  (XML)')
    const xml = await ask(nhsNumber, { accept: 'application/xml+fhir' })
    await answered('4c', xml, (said) => said.startsWith('200 N Not chargeable, E') && xml.type.includes('xml'))

    heading('Somebody about whom nothing was decided, and a question that is refused')
    say('5a', 'consumer', 'Spine', `GET /Observation  ${formatNhsNumber(undecided)}`)
    await answered('5b', await ask(undecided), (said) => said.startsWith('200 NO_RECORD_FOUND'))
    say('6a', 'consumer', 'Spine', 'GET /Observation with a token for another patient')
    const refused = await ask(nhsNumber, { tokenFor: undecided })
    await answered('6b', refused, (said) => said.startsWith('400 REQUEST_UNMATCHED'))
    const records = await platform.audit.find({ trace: refused.trace, limit: 10 })
    if (!json) for (const line of explainRecords(records)) output.line(dim(`      ${line}`))
  } catch (error) {
    add({
      step: '✖',
      from: 'consumer',
      to: 'Spine',
      said: error instanceof Error ? error.message : String(error),
      held: false,
    })
  } finally {
    agent.destroy()
    await client.close()
  }
  if (json) output.json({ steps })
  return steps.every(({ held }) => held)
}

/** The claims of §25 for whoever sits at the terminal. */
function claimsOf({ settings }: Spine, nhsNumber: string, now: number) {
  const { client } = settings.values
  const system = consumerSystem(settings)
  return {
    iss: system.url,
    sub: terminalUser.id,
    aud: visitorsAudience,
    exp: now + 300,
    iat: now,
    reason_for_request: 'directcare',
    requested_record: { resourceType: 'Patient', identifier: [{ system: nhsNumberSystem, value: nhsNumber }] },
    requested_scopes: 'patient/Observation.read',
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: `${system.url}Id/device`, value: system.deviceId }],
      model: system.model,
      version: system.version,
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: odsOrganisation, value: client.odsCode }],
      name: client.organisationName,
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: terminalUser.id,
      identifier: [{ system: `${system.url}Id/local-user`, value: terminalUser.id }],
    },
  }
}
