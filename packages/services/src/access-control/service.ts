import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import type { AccessControl, RuleDocument, RuleVersion } from './contract.ts'
import { decide } from './decide.ts'
import { migrations } from './migrations.ts'
import { readRuleFiles, ruleFiles } from './rule-files.ts'
import { type Rules, rulesOf } from './rules.ts'
import { ruleStore } from './store.ts'

export { accessChecks } from './decide.ts'
export { ruleFiles } from './rule-files.ts'

const topic = 'access-control'
/** The version that comes with the software: what is public, and nothing else. */
const builtIn = new URL('data/2026-11-25/', import.meta.url)

/** The files of a version in a folder, by name. What is not there is not in the answer. */
export function ruleFilesIn(folder: string | URL): Record<string, string> {
  const path = typeof folder === 'string' ? folder : fileURLToPath(folder)
  const there = new Set(readdirSync(path))
  return Object.fromEntries(
    ruleFiles.filter((name) => there.has(name)).map((name) => [name, readFileSync(join(path, name), 'utf8')]),
  )
}

const digestOf = (document: RuleDocument) => createHash('sha256').update(JSON.stringify(document)).digest('hex')

/** National role-based access control (identity specification §6). */
export function accessControl({ platform }: { readonly platform: Platform }): Service<AccessControl> {
  const { store, clock, log, audit } = platform
  const rows = ruleStore(store)
  let own: RuleDocument | undefined
  let current: Rules | undefined
  let change = -1
  let fault: string | undefined
  let stopListening: (() => void) | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** Resolves when memory shows everything that was committed before the call. */
  const refresh = (): Promise<void> => {
    const mine = turn.then(async () => {
      const head = await rows.head()
      if (head.change !== change || current === undefined) {
        current = rulesOf(head.inUse === undefined ? await builtInRules() : await kept(head.inUse))
        change = head.change
        log.info({ version: current.document.version }, 'access rules in use')
      }
      fault = undefined
    })
    turn = mine.catch(() => {})
    return mine
  }

  async function kept(version: string): Promise<RuleDocument> {
    const stored = await rows.find(version)
    if (stored === undefined) throw new Error(`the access rules ${version} are in use and not in the store`)
    return JSON.parse(stored.document) as RuleDocument
  }

  const builtInRules = async () => (own ??= await readRuleFiles(ruleFilesIn(builtIn)))

  const rules = (): Rules => {
    if (current === undefined) throw new Error('access-control was asked before it was started')
    return current
  }

  const changed = async (event: string, facts: Readonly<Record<string, unknown>>): Promise<void> => {
    store.announce(topic)
    await refresh()
    await audit.append({ event, at: clock.now(), facts })
  }

  async function versions(): Promise<readonly RuleVersion[]> {
    const document = await builtInRules()
    const imported = await rows.list()
    const { inUse } = await rows.head()
    return [
      { version: document.version, digest: digestOf(document), source: document.source, inUse: inUse === undefined },
      ...imported.map((each) => ({ ...each, inUse: each.version === inUse })),
    ]
  }

  async function versionNamed(version: string): Promise<RuleVersion> {
    const found = (await versions()).find((each) => each.version === version)
    if (found !== undefined) return found
    throw new SpineError(
      'RBAC_VERSION_UNKNOWN',
      { version },
      { explanation: `There are no access rules ${version}. \`openspine rbac versions\` lists them.` },
    )
  }

  const taken = (version: string) =>
    new SpineError(
      'RBAC_VERSION_TAKEN',
      { version },
      {
        explanation: `There are other access rules of the version ${version}: a version never changes, because decisions name it. Give yours a version of its own in version.json.`,
      },
    )

  const contract: AccessControl = {
    get version() {
      return rules().document.version
    },
    rules: () => rules().document,
    decide: (question) => decide(rules(), question),
    isPermitted: (role, activity) => rules().grant(role, activity) !== undefined,
    explain: (role, activity) => rules().explain(role, activity),
    versions,
    async import(files, by) {
      const document = await readRuleFiles(files)
      const { version, source } = document
      const digest = digestOf(document)
      const ours = await builtInRules()
      if (version === ours.version) {
        if (digest !== digestOf(ours)) throw taken(version)
        return contract.use(version, by)
      }
      const text = JSON.stringify(document)
      const about = { importedAt: clock.now(), importedBy: by }
      if ((await rows.add({ version, digest, source, document: text, ...about })) === 'taken') throw taken(version)
      await changed('access-control.rules.imported', { by, version, digest, source })
      return versionNamed(version)
    },
    async use(version, by) {
      const wanted = await versionNamed(version)
      await rows.use(wanted.importedAt === undefined ? undefined : version)
      await changed('access-control.rules.used', { by, version, digest: wanted.digest })
      return versionNamed(version)
    },
  }

  return {
    name: 'access-control',
    contract,
    migrations,
    async start() {
      await refresh()
      stopListening = store.onAnnounced(topic, () => {
        refresh().catch((error: unknown) => {
          fault = 'The access rules could not be read from the store: this process may use an older version.'
          log.error({ err: error }, fault)
        })
      })
    },
    async stop() {
      stopListening?.()
      await turn
    },
    async health() {
      return fault === undefined ? { status: 'pass' } : { status: 'fail', note: fault }
    },
  }
}
