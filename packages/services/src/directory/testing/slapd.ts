import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ldifAttributes, ldifLine, spineSchema } from '@openspine/standards/ldap'
import type { DirectoryEntry } from '../contract.ts'

/** OpenLDAP's server where it is installed. */
export const slapdPath = ['/usr/sbin/slapd', '/usr/libexec/slapd', '/usr/local/libexec/slapd'].find(existsSync)

const modulePath = ['/usr/lib/ldap', '/usr/lib/openldap', '/usr/libexec/openldap'].find((path) =>
  existsSync(join(path, 'back_mdb.so')),
)

/** The attribute types and classes of the directory as slapd reads them: X-ORIGIN is not for its files. */
export function slapdSchema(): string {
  const schema = spineSchema()
  const ours = (each: { readonly origin: string | undefined }) => each.origin === 'nhsSDS'
  const list = (keyword: string, types: readonly { readonly name: string }[]) =>
    types.length === 0 ? '' : ` ${keyword} ( ${types.map(({ name }) => name).join(' $ ')} )`
  return [
    ...schema.attributes.filter(ours).map(({ oid, name, equality, syntax, single }) => {
      const rule = equality === undefined ? '' : ` EQUALITY ${equality.name}`
      return `attributetype ( ${oid} NAME '${name}'${rule} SYNTAX ${syntax}${single ? ' SINGLE-VALUE' : ''} )`
    }),
    ...schema.classes
      .filter(ours)
      .map(
        ({ oid, name, kind, sup, must, may }) =>
          `objectclass ( ${oid} NAME '${name}' SUP ${sup?.name} ${kind}${list('MUST', must)}${list('MAY', may)} )`,
      ),
    '',
  ].join('\n')
}

/** `o=nhs` and its branches: what our directory makes for itself. */
export const slapdBranches: readonly DirectoryEntry[] = [
  { dn: 'o=nhs', attributes: { objectClass: ['top', 'organization'], o: ['nhs'] } },
  ...['Organisations', 'People', 'Services', 'ReferenceData', 'Workgroups'].map((ou) => ({
    dn: `ou=${ou},o=nhs`,
    attributes: { objectClass: ['top', 'organizationalUnit'], ou: [ou] },
  })),
]

export interface RunningSlapd {
  readonly pid: number
  readonly port: number
  /** Of LDAP over mutual TLS; 0 without it. */
  readonly securePort: number
  /** Milliseconds that it took to load the entries. */
  readonly loadMs: number
  stop(): Promise<void>
}

/**
 * Loads the entries, without what never leaves our directory, into a slapd of its own in `folder`, and starts it.
 * `tls` are paths of PEM files: then it also speaks LDAP over mutual TLS.
 */
export async function startSlapd(
  program: string,
  folder: string,
  entries: Iterable<DirectoryEntry>,
  indexed: readonly string[],
  tls?: { readonly ca: string; readonly certificate: string; readonly key: string },
): Promise<RunningSlapd> {
  const data = join(folder, 'mdb')
  const config = join(folder, 'slapd.conf')
  const ldif = join(folder, 'slapd.ldif')
  await mkdir(data)
  await writeFile(join(folder, 'nhs.schema'), slapdSchema())
  await writeFile(
    config,
    [
      ...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`),
      `include ${join(folder, 'nhs.schema')}`,
      ...(modulePath === undefined ? [] : [`modulepath ${modulePath}`, 'moduleload back_mdb']),
      'loglevel 0',
      'sizelimit unlimited',
      ...(tls === undefined
        ? []
        : [
            `TLSCACertificateFile ${tls.ca}`,
            `TLSCertificateFile ${tls.certificate}`,
            `TLSCertificateKeyFile ${tls.key}`,
            'TLSVerifyClient demand',
          ]),
      'database mdb',
      'maxsize 2147483648',
      'suffix "o=nhs"',
      `directory ${data}`,
      `index ${indexed.join()} eq`,
      '',
    ].join('\n'),
  )
  await pipeline(function* () {
    for (const { dn, attributes } of entries)
      yield `${ldifLine('dn', dn)}${ldifAttributes({ ...attributes, nhsPuSecret: [] })}\n`
  }, createWriteStream(ldif))
  const started = performance.now()
  const load = spawn(program, ['-T', 'add', '-q', '-f', config, '-l', ldif], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  load.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const [code] = await once(load, 'close')
  assert.equal(code, 0, complaint.slice(0, 2000))
  const loadMs = Math.round(performance.now() - started)
  const port = await freePort()
  const securePort = tls === undefined ? 0 : await freePort()
  const urls = [`ldap://127.0.0.1:${port}`, ...(tls === undefined ? [] : [`ldaps://127.0.0.1:${securePort}`])]
  const child = spawn(program, ['-f', config, '-h', urls.join(' '), '-d', '0'], { stdio: 'ignore' })
  await reachable(port)
  return { pid: child.pid ?? 0, port, securePort, loadMs, stop: () => ended(child) }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await exit
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (there) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('slapd did not start')
}
