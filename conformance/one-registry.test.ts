/**
 * One registry, many views: what one process commits is shown by LDAP, the SDS FHIR API, ODS and the proxy's admission of
 * every process within a second. Two servers share a PostgreSQL; a third process, the command, makes the changes.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createClient, type SpineClient } from '@openspine/client'
import { isSpineError } from '@openspine/standards/error'
import { freshDatabase } from './database.ts'
import { Environment } from './openspine-process.ts'
import { careRecordInteraction, consumer, metadataInteraction, sspHeaders, type TlsMaterial } from './sandbox.ts'

const strict = process.env['OPENSPINE_STRICT_TESTS'] === '1'
const database = await freshDatabase()
const odsCode = 'C81001'
const endpoint = `https://gp.supplier.example:9643/${odsCode}/DSTU2/1`
/** ASID of the system, once it is registered; until then one that nobody has. */
let registered = '999999999999'
/** The promise that this file is about, for when a look begins that sees the change. */
const secondsAllowed = 1

interface View {
  readonly name: string
  /** What it shows of the system now, in a word. */
  look(): Promise<'there' | 'absent'>
}

describe('one registry, many views', {
  skip: database !== undefined || strict ? false : 'TEST_DATABASE_URL is not set',
}, () => {
  let first: Environment
  let second: Environment
  let views: readonly View[]
  let ldapTls: Readonly<Record<string, string>>
  const clients: SpineClient[] = []

  before(async () => {
    assert.ok(database !== undefined, 'TEST_DATABASE_URL is not set, and OPENSPINE_STRICT_TESTS=1 wants both engines')
    first = await Environment.create({ DATABASE_URL: database.url })
    second = await Environment.create({ DATABASE_URL: database.url, OPENSPINE_DATA_DIR: first.dataDir })
    await first.start('start', '--demo')
    await second.start('start')
    const { files, bundle } = await told(first, 'cert', 'issue', consumer.fqdn)
    const [ca = '', cert = '', key = ''] = [bundle, files.fullChain, files.key].map((file) =>
      readFileSync(file, 'utf8'),
    )
    const material = { ca, cert, key }
    ldapTls = { LDAPTLS_CACERT: bundle, LDAPTLS_CERT: files.fullChain, LDAPTLS_KEY: files.key }
    views = [first, second].flatMap((environment, place) => {
      const client = clientOf(environment, material)
      clients.push(client)
      return viewsOf(environment, material, client).map((view) => ({
        ...view,
        name: `server ${place + 1}: ${view.name}`,
      }))
    })
  })
  after(async () => {
    for (const client of clients) await client.close()
    await second?.remove()
    await first?.remove()
    await database?.drop()
  })

  it('shows nothing before', async () => {
    for (const view of views) assert.equal(await view.look(), 'absent', view.name)
  })

  it('shows a registered system everywhere within a second', async () => {
    const { asid } = await told(
      first,
      ...['system', 'register', '--ods', odsCode, '--organisation', 'Another Surgery', '--manufacturer', 'YY002'],
      ...['--product', 'My GP system', '--fqdn', 'gp.supplier.example'],
      ...['--url', endpoint],
    )
    registered = asid
    await everywhere(views, 'there')
  })

  it('shows a suspended system nowhere within a second, and a resumed one again', async () => {
    const [{ id }] = await told(first, 'endpoint', 'list', '--ods', odsCode)
    await told(first, 'endpoint', 'suspend', id, '--by', 'Ann')
    await everywhere(
      views.filter(({ name }) => !name.includes('ODS')),
      'absent',
    )
    await told(first, 'endpoint', 'resume', id, '--by', 'Ann')
    await everywhere(views, 'there')
  })

  it('leaves a change log without gaps', async () => {
    const { stdout } = await promisify(execFile)(
      'ldapsearch',
      [
        ...['-LLL', '-x', '-H', `ldaps://localhost:${first.settings['OPENSPINE_DIRECTORY_PORT']}`],
        ...['-b', 'cn=Changelog,o=nhs', '-E', 'pr=500/noprompt', '(changenumber=*)', 'changenumber'],
      ],
      { env: { PATH: process.env['PATH'], ...ldapTls }, maxBuffer: 64 << 20 },
    )
    const numbers = [...stdout.matchAll(/^changenumber: (\d+)$/gim)].map(([, number]) => Number(number))
    const distinct = [...new Set(numbers)].sort((a, b) => a - b)
    assert.ok(distinct.length > 0)
    distinct.forEach((number, place) => {
      assert.equal(number, (distinct[0] as number) + place)
    })
  })
})

/** Waits until every view shows it; no look that begins later than is allowed may still show the old. */
async function everywhere(views: readonly View[], expected: 'there' | 'absent'): Promise<void> {
  const committed = performance.now()
  await Promise.all(
    views.map(async (view) => {
      for (;;) {
        const began = performance.now()
        if ((await view.look()) === expected) return
        const late = (began - committed) / 1000
        assert.ok(late <= secondsAllowed, `${view.name} is not ${expected} ${late.toFixed(2)} s after the commit`)
        await pause(20)
      }
    }),
  )
}

/** Runs a command that must succeed, and answers what it tells. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the command prints
async function told(environment: Environment, ...args: readonly string[]): Promise<any> {
  const { code, stdout, stderr } = await environment.run(...args, '--json')
  assert.equal(code, 0, `openspine ${args.join(' ')}: ${stdout}${stderr}`)
  return JSON.parse(stdout)
}

function clientOf({ settings }: Environment, tls: TlsMaterial): SpineClient {
  const port = (name: string) => settings[`OPENSPINE_${name}_PORT`]
  return createClient({
    pdsUrl: `https://localhost:${port('API')}/personal-demographics/FHIR/R4`,
    directoryUrl: `ldaps://localhost:${port('DIRECTORY')}`,
    proxyUrl: `https://localhost:${port('PROXY')}`,
    tls,
    asid: consumer.asid,
    organisation: consumer.organisation,
    system: consumer.system,
  })
}

interface Answer {
  readonly status: number
  readonly body: string
}

function fetched(
  agent: Agent,
  port: string | undefined,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ host: 'localhost', port, path, agent, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    }).on('error', reject)
  })
}

function viewsOf({ settings }: Environment, tls: TlsMaterial, client: SpineClient): readonly View[] {
  const agent = new Agent({ ...tls, keepAlive: true })
  const api = (path: string) => fetched(agent, settings['OPENSPINE_API_PORT'], path)
  const token = (system: string, value: string) => encodeURIComponent(`https://fhir.nhs.uk/Id/${system}|${value}`)
  const query = `organization=${token('ods-organization-code', odsCode)}&identifier=${token('nhsServiceInteractionId', careRecordInteraction)}`
  const sds = (resource: string) => async () => {
    const { status, body } = await api(`/spine-directory/FHIR/R4/${resource}?${query}`)
    assert.equal(status, 200, body)
    return JSON.parse(body).total === 1 ? ('there' as const) : ('absent' as const)
  }
  return [
    {
      name: 'LDAP',
      async look() {
        try {
          await client.session(consumer).lookup({ odsCode, interaction: careRecordInteraction })
          return 'there'
        } catch (error) {
          if (isSpineError(error) && error.code === 'CLIENT_NOT_FOUND') return 'absent'
          throw error
        }
      },
    },
    { name: 'FHIR Device', look: sds('Device') },
    { name: 'FHIR Endpoint', look: sds('Endpoint') },
    {
      name: 'ODS',
      look: async () => ((await api(`/ORD/2-0-0/organisations/${odsCode}`)).status === 200 ? 'there' : 'absent'),
    },
    {
      name: 'admission to the proxy',
      async look() {
        const about = { interaction: metadataInteraction, to: registered, traceId: randomUUID(), organisation: odsCode }
        const port = settings['OPENSPINE_PROXY_PORT']
        const { body } = await fetched(agent, port, `/${endpoint}/metadata`, sspHeaders(about))
        // Nobody has agreed to share: that is what stops a request to a system that is known.
        if (body.includes('FOT_CHECK_FAILED')) return 'there'
        assert.match(body, /PARTYKEY_INTERACTION_CHECK_FAILED/)
        return 'absent'
      },
    },
  ]
}
