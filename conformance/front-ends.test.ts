/** nginx that passes TCP through to the doors api, spine and directory, with the address of the client before it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type ConnectionOptions, connect } from 'node:tls'
import type { StoredAuditRecord } from '@openspine/platform/audit'
import { writeProxyHeader } from '@openspine/standards/proxy-protocol'
import { type Spine, startSpine } from 'openspine'
import { freePort, skipStream as skip, startNginx, streamModule } from './nginx.ts'
import { LdapConnection, searchBytes } from './raw-ldap.ts'

/** Where the client calls from: nginx itself comes from 127.0.0.1. */
const clientAddress = '127.0.0.2'
const doors = ['api', 'spine', 'directory'] as const
type DoorName = (typeof doors)[number]

let folder: string
let spine: Spine
let material: ConnectionOptions
let nginx: Awaited<ReturnType<typeof startNginx>> | undefined
const front = new Map<DoorName, number>()

const portOf = (name: DoorName) => Number(new URL(String(spine.urls[name])).port)

before(async () => {
  if (skip) return
  folder = mkdtempSync(join(tmpdir(), 'openspine-doors-'))
  spine = await startSpine({ overrides: { trustedFrontEnds: ['127.0.0.1'] } })
  const identity = await spine.platform.trust.identity('consumer.openspine.example')
  material = {
    ca: readFileSync(spine.platform.trust.files.bundle, 'utf8'),
    cert: identity.certificate + identity.chain,
    ...(identity.key === undefined ? {} : { key: identity.key }),
    localAddress: clientAddress,
  } as ConnectionOptions
  for (const name of doors) front.set(name, await freePort())
  nginx = await startNginx(
    folder,
    [...front.values()],
    `load_module ${streamModule};
events { worker_connections 256; }
stream {
${doors.map((name) => `  server { listen 127.0.0.1:${front.get(name)}; proxy_pass 127.0.0.1:${portOf(name)}; proxy_protocol on; }`).join('\n')}
}`,
  )
})
after(async () => {
  await nginx?.stop()
  await spine?.stop()
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/** The newest row of this event, once there is one. */
async function row(about: { readonly event: string; readonly trace?: string }): Promise<StoredAuditRecord> {
  for (let tries = 0; tries < 200; tries++) {
    const [found] = await spine.platform.audit.find({ ...about, limit: 1 })
    if (found !== undefined) return found
    await wait(25)
  }
  throw new Error(`no ${about.event} in the audit`)
}

/** Small operations share a row. */
const operationOf = ({ facts }: StoredAuditRecord) =>
  (facts['operations'] as readonly Readonly<Record<string, unknown>>[])[0]

function ask(port: number, path: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `https://localhost:${port}${path}`,
      { ...material, localAddress: clientAddress, headers, agent: false },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

describe('doors behind nginx that passes TCP through', () => {
  it('api: the audit has the client’s address', { skip }, async () => {
    await ask(front.get('api') ?? 0, '/spine-directory/FHIR/R4/Endpoint', {})
    assert.equal(operationOf(await row({ event: 'directory.lookup' }))?.['address'], clientAddress)
  })

  it('spine: the certificate is the client’s own, and so is the address', { skip }, async () => {
    const trace = randomUUID()
    await ask(front.get('spine') ?? 0, '/visitorsandmigrants/metadata', { 'Ssp-TraceID': trace })
    const { facts } = await row({ event: 'visitors.request', trace })
    assert.deepEqual([facts['address'], facts['peer']], [clientAddress, 'consumer.openspine.example'])
  })

  it('directory: the same over LDAP', { skip }, async () => {
    const connection = await LdapConnection.open(`ldaps://localhost:${front.get('directory')}`, material)
    connection.socket.write(searchBytes({}))
    const operation = operationOf(await row({ event: 'directory.search' }))
    assert.deepEqual([operation?.['address'], operation?.['client']], [clientAddress, 'consumer.openspine.example'])
    connection.socket.destroy()
  })

  for (const name of doors)
    it(`${name}: a header of somebody else is no TLS, and the front end without one is closed`, { skip }, async () => {
      for (const [localAddress, header] of [
        ['127.0.0.3', writeProxyHeader({ version: 2, ends: client })],
        ['127.0.0.3', writeProxyHeader({ version: 1, ends: client })],
        ['127.0.0.1', undefined],
      ] as const) {
        const socket = connectPlain({ host: '127.0.0.1', port: portOf(name), localAddress })
        socket.on('error', () => undefined)
        if (header !== undefined) socket.write(header)
        const tls = connect({ ...material, socket, servername: 'localhost' })
        let secured = false
        tls.on('secureConnect', () => {
          secured = true
        })
        tls.on('error', () => undefined)
        await new Promise((resolve) => tls.on('close', resolve))
        assert.equal(secured, false)
      }
    })
})

const client = {
  source: { address: '198.51.100.7', port: 40_000 },
  destination: { address: '192.0.2.1', port: 443 },
}
