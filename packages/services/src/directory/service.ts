import { createHash, timingSafeEqual } from 'node:crypto'
import type { HealthReport, Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import {
  type EncodedEntry,
  generalizedTime,
  LdapEngine,
  type NormalisedName,
  nameKey,
  type OperationReport,
  readLdif,
  readLdifPieces,
  type Schema,
  spineSchema,
} from '@openspine/standards/ldap'
import type { FastifyPluginAsync } from 'fastify'
import type { Api, Gateway } from '../gateway/contract.ts'
import type { DirectoryConfig } from './config.ts'
import type { Directory, DirectoryEntry, DirectorySnapshot, DirectoryTree } from './contract.ts'
import { explainLookup } from './explain/lookup.ts'
import { type ExplainGround, explainSearch } from './explain/search.ts'
import { type SdsSettled, sdsFace } from './fhir/face.ts'
import { lookupTrail } from './fhir/record.ts'
import { admission, explainFace } from './http/explain.ts'
import { routeLookup } from './http/route-lookup.ts'
import { ldapListeners } from './ldap/listener.ts'
import { ldapTrail } from './ldap/trail.ts'
import { exportEntries, readEntries } from './ldif.ts'
import { type Lookups, lookups } from './lookup.ts'
import { migrations } from './migrations.ts'
import { odsFaces } from './ods/ods.ts'
import { Registry } from './registry.ts'
import { directorySnapshot, type InteractionMemory } from './snapshot.ts'

export type { WriteCheck } from './checks/check.ts'
export { writeChecks } from './checks/checks.ts'
export { type DirectoryConfig, directoryConfig } from './config.ts'
export { parameterChecks, sdsChecks } from './fhir/checks.ts'
export { sdsOutcomes } from './fhir/outcomes.ts'
export { mostInvented } from './ods/invented.ts'
export { inventedOrganisations, loadOrganisations, organisationsOfCsv } from './ods/load.ts'
export { type FileType, fileTypeOf, fileTypes } from './ods/organisation-file.ts'

/** Explanations worked out at the same time: each looks at every entry. */
const mostExplanations = 8

/**
 * The Spine directory: accredited systems, message handling systems, organisations and people in one tree, served
 * over LDAP with mutual TLS, over FHIR behind the gateway (without one, not at all), and to the other services from
 * memory.
 */
export function directory(needs: {
  readonly platform: Platform
  readonly config: DirectoryConfig
  readonly gateway?: Gateway
}): Service<Directory> {
  const { platform, config } = needs
  const { store, clock, random, log, metrics } = platform
  const schema = spineSchema()
  const registry = new Registry({ store, schema, clock, random, log, config })
  const trail = ldapTrail({ audit: platform.audit, clock, log })
  const lookupsTrail = lookupTrail({ audit: platform.audit, clock, log })
  const engine = makeEngine(needs, schema, registry)
  const ldap = ldapListeners({ platform, config, engine, trail, observe: operationMetrics(platform) })

  const entries = metrics.gauge('openspine_directory_entries', 'Entries in the directory tree of this process')
  const version = metrics.gauge('openspine_directory_version', 'Number of the last change that this process shows')
  const memory: InteractionMemory = new WeakMap()
  let snapshot: DirectorySnapshot | undefined
  registry.onChange(() => {
    snapshot = undefined
    entries.set(registry.state.tree.size)
    version.set(registry.state.version)
  })

  let explanations = 0
  const explaining = async <Answer>(work: (ground: ExplainGround) => Promise<Answer>): Promise<Answer> => {
    if (explanations >= mostExplanations) {
      const explanation = 'Too many explanations are being worked out at once: ask again in a moment.'
      throw new SpineError('DIRECTORY_BUSY', { status: 503 }, { explanation })
    }
    explanations++
    try {
      const { tree, version: at } = registry.state
      return await work({ tree, version: at, schema, strict: config.strictMatching, now: clock.now() })
    } finally {
      explanations--
    }
  }

  const contract: Directory = {
    snapshot() {
      const { tree, version: at } = registry.state
      snapshot ??= directorySnapshot(
        {
          tree,
          version: at,
          schema,
          config,
          registeredFqdn: (entry) => registry.registeredFqdn(entry),
          today: () => generalizedTime(platform.clock.now()).slice(0, 8),
        },
        memory,
      )
      return snapshot
    },
    onChange: (listener) => registry.onChange(listener),
    tree: () => directoryTree(registry, schema),
    async apply(changes, by, options = {}) {
      const imported = options.imported === true
      const { after, version: at } = await registry.apply(changes, by, { ...options, imported })
      await platform.audit.append({
        event: 'directory.change',
        at: clock.now(),
        facts: { by, changes: changes.length, imported, after, version: at },
      })
      return { version: at }
    },
    async importLdif(text, by) {
      const tree = contract.tree()
      const records = typeof text === 'string' ? readLdif(text) : readLdifPieces(text)
      const { changes, repairs, modifies } = await readEntries(schema, records, (key) => tree.entry(key))
      // A modification was worked out on what the tree held: it must be what the tree holds still.
      const options = { imported: true, ...(modifies ? { ifVersion: tree.version } : {}) }
      const { version: at } = await contract.apply(changes, by, options)
      return { version: at, changes: changes.length, repairs }
    },
    explain: (question) => explaining((ground) => explainSearch(question, ground)),
    explainLookup: (question) => explaining((ground) => explainLookup(question, ground)),
    exportLdif: () => exportEntries(schema, withoutChangeLog(registry.state.tree.entries())),
  }

  const health = async (): Promise<HealthReport> => {
    const note = registry.fault ?? trail.fault ?? lookupsTrail.fault
    if (note !== undefined) return { status: 'fail', note }
    if (registry.state.tree.get('o=nhs') === undefined) {
      return { status: 'fail', note: 'The directory has not been loaded from the store.' }
    }
    return { status: 'pass' }
  }

  needs.gateway?.declare(sdsApi(config.fhirBasePath, health))

  return {
    name: 'directory',
    contract,
    migrations,
    routes: {
      async api(app) {
        await app.register(odsFaces({ platform, config, schema, state: () => registry.state }))
        await app.register(
          explainFace({
            explain: contract.explain,
            explainLookup: contract.explainLookup,
            ...(needs.gateway === undefined ? {} : { admit: admission(needs.gateway) }),
          }),
        )
        await app.register(
          httpFaces(needs, {
            lookups: lookups({ registry, schema, clock, staleSeconds: config.staleSeconds, forwarding: config }),
            health,
            async record(event) {
              await lookupsTrail.room()
              lookupsTrail.add(event)
            },
          }),
        )
      },
    },
    listeners: ldap.listeners,
    start: () => registry.start(),
    async stop() {
      await registry.stop()
      await Promise.all([trail.flush(), lookupsTrail.flush()])
    },
    health,
  }
}

/** What the SDS FHIR API asks of its callers: a key, except for its health. */
const sdsApi = (basePath: string, health: () => Promise<HealthReport>): Api => ({
  name: 'spine-directory',
  version: '0.1.0',
  basePath,
  access: [{ mode: 'key' }, { mode: 'open', paths: ['/healthcheck', '/healthcheck/deep'] }],
  faults: 'fhir-display',
  health,
})

/** The faces over HTTP: the SDS FHIR API behind the gateway, and the old route lookup. */
function httpFaces(
  { platform, config, gateway }: Parameters<typeof directory>[0],
  about: {
    readonly lookups: Lookups
    health(): Promise<HealthReport>
    record(event: SdsSettled): Promise<void>
  },
): FastifyPluginAsync {
  const { clock, random, log, metrics } = platform
  const requests = metrics.counter('openspine_directory_lookups_total', 'Look-ups over HTTP by operation and status', [
    'operation',
    'status',
  ])
  const seconds = metrics.histogram('openspine_directory_lookup_seconds', 'Time from reading a look-up to its answer', [
    'operation',
  ])
  const settled = async (event: SdsSettled) => {
    const { operation, status, ms } = event
    requests.inc({ operation, status: String(status) })
    seconds.observe({ operation }, ms / 1000)
    await about.record(event)
  }
  const { fhirBasePath: basePath, fhirPublicUrl: publicUrl, routeLookupPath } = config
  const { lookups: find, health } = about
  const ldapUrl = `ldaps://${config.fqdn}:${config.port}`
  const sds = gateway?.behind(
    sdsApi(basePath, health),
    sdsFace({ basePath, publicUrl, lookups: find, clock, random, log, health, ldapUrl, settled }),
  )
  return async (app) => {
    if (sds !== undefined) await app.register(sds)
    if (routeLookupPath !== '')
      await app.register(routeLookup({ path: routeLookupPath, lookups: find, clock, log, settled }))
  }
}

/** The state of this moment, whatever is committed later. */
function directoryTree(registry: Registry, schema: Schema): DirectoryTree {
  const { state } = registry
  const find = (dn: string) => state.tree.get(dn) ?? state.tree.get(nameKey(schema, dn)?.key ?? '')
  const shown = (entry: EncodedEntry): DirectoryEntry => {
    const registeredFqdn = registry.registeredFqdn(entry)
    return {
      dn: entry.dn,
      attributes: entry.attributes(schema),
      ...(registeredFqdn === undefined ? {} : { registeredFqdn }),
    }
  }
  return {
    version: state.version,
    *names() {
      for (const { dn } of withoutChangeLog(state.tree.entries())) yield dn
    },
    entry(dn) {
      const entry = find(dn)
      return entry === undefined || inChangeLog(entry) ? undefined : shown(entry)
    },
    *under(dn) {
      for (const entry of withoutChangeLog(state.tree.under(find(dn)?.key ?? ''))) yield shown(entry)
    },
    check: (changes, options) => registry.check(state, changes, { imported: options?.imported === true }),
  }
}

function makeEngine(
  { platform, config }: { readonly platform: Platform; readonly config: DirectoryConfig },
  schema: Schema,
  registry: Registry,
): LdapEngine {
  const authenticate = bindAccount(schema, config)
  return new LdapEngine({
    schema,
    tree: () => registry.state.tree,
    now: () => platform.clock.now(),
    namingContexts: ['o=nhs'],
    vendorName: 'OpenSpine',
    vendorVersion: '0.1.0',
    strict: config.strictMatching,
    sizeLimit: config.sizeLimit,
    timeLimitSeconds: config.timeLimitSeconds,
    maxPduBytes: config.maxPduBytes,
    maxOutstanding: config.maxOutstanding,
    ...(authenticate === undefined ? {} : { authenticate }),
  })
}

/** Counts operations by kind and result, and times searches. */
function operationMetrics({ metrics }: Pick<Platform, 'metrics'>): (report: OperationReport) => void {
  const operations = metrics.counter(
    'openspine_directory_operations_total',
    'LDAP operations by kind and result code',
    ['operation', 'code'],
  )
  const seconds = metrics.histogram(
    'openspine_directory_search_seconds',
    'Time from reading a search to its last entry',
  )
  return ({ operation, code, startedAt, endedAt }) => {
    operations.inc({ operation, code: String(code) })
    if (operation === 'search') seconds.observe((endedAt - startedAt) / 1000)
  }
}

const inChangeLog = ({ key }: { readonly key: string }) => /(^|,)cn=changelog,o=nhs$/.test(key)

function* withoutChangeLog<Entry extends { readonly key: string }>(entries: Iterable<Entry>): IterableIterator<Entry> {
  for (const entry of entries) if (!inChangeLog(entry)) yield entry
}

type Authenticate = (dn: string, password: Buffer) => Promise<boolean>

/** The one account that may bind, where there is one. Compares digests, so that nothing is told by the time it takes. */
function bindAccount(schema: Schema, config: DirectoryConfig): Authenticate | undefined {
  const name: NormalisedName | undefined = config.bindDn === '' ? undefined : nameKey(schema, config.bindDn)
  if (name === undefined || config.bindPassword === '') return undefined
  const digest = (password: string | Buffer) => createHash('sha256').update(password).digest()
  const expected = digest(config.bindPassword)
  return async (dn, password) => {
    const right = timingSafeEqual(digest(password), expected)
    return nameKey(schema, dn)?.key === name.key && right
  }
}
