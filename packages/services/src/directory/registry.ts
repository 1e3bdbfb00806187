import type { Clock, Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { Store } from '@openspine/platform/store'
import {
  type EncodedEntry,
  type MemoryTree,
  memoryTree,
  nameKey,
  type Schema,
  type TreeEdit,
} from '@openspine/standards/ldap'
import {
  type ChangeAnswer,
  type ChangeCall,
  type ChangeGround,
  putEntry,
  type WorkedChanges,
  workOut,
} from './change.ts'
import { dropChanges, putChange, putHead } from './changelog.ts'
import type { DirectoryConfig } from './config.ts'
import type { DirectoryChange, DirectoryEntry, DirectoryWarning, EntryAttributes } from './contract.ts'
import { type EntryStore, entryStore, type Reader, type StoredChange, type StoredEntry, type Writer } from './store.ts'

/** Attributes with an equality index (directory specification §16.1), and what the reads of §6.4 need beside. */
export const indexedAttributes = [
  'uniqueIdentifier',
  'nhsIDCode',
  'nhsMHSPartyKey',
  'nhsAsSvcIA',
  'nhsMhsSvcIA',
  'nhsMhsFQDN',
  'nhsMhsCPAId',
  'nhsMhsManufacturerOrg',
  'uid',
  'changenumber',
] as const

const topic = 'directory'

/** One committed state. */
export interface RegistryState {
  readonly tree: MemoryTree
  readonly version: number
  /** Oldest change that the log still holds; 0 when it holds none. */
  readonly firstChange: number
}

export interface RegistryNeeds {
  readonly store: Store
  readonly schema: Schema
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly config: DirectoryConfig
}

/**
 * The directory of this process: the newest committed state in memory, kept up with what other processes commit.
 * Reading costs no query; refreshing and writing take turns.
 */
export class Registry {
  readonly #needs: RegistryNeeds
  readonly #rows: EntryStore
  readonly #fqdns = new WeakMap<EncodedEntry, string>()
  readonly #listeners = new Set<() => void>()
  readonly #waiting: Waiting[] = []
  #state: RegistryState
  #turn: Promise<unknown> = Promise.resolve()
  #refreshing: Promise<void> | undefined
  #stopListening: (() => void) | undefined
  /** Why the last refresh failed; undefined when it succeeded. */
  fault: string | undefined
  /** When this process last knew that it shows the newest committed state; undefined before it was loaded. */
  confirmedAt: number | undefined

  constructor(needs: RegistryNeeds) {
    this.#needs = needs
    this.#rows = entryStore(needs.store)
    this.#state = { tree: this.#emptyTree(), version: 0, firstChange: 0 }
  }

  #emptyTree(): MemoryTree {
    return memoryTree({ schema: this.#needs.schema, indexed: indexedAttributes })
  }

  get state(): RegistryState {
    return this.#state
  }

  /** FQDN registered with an entry of the current state. */
  registeredFqdn(entry: EncodedEntry): string | undefined {
    return this.#fqdns.get(entry)
  }

  onChange(listener: () => void): () => void {
    const own = () => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  /** Loads the tree, makes its branches where they are missing, and follows the changes of other processes. */
  async start(): Promise<void> {
    await this.refresh()
    if (this.#state.tree.get('o=nhs') === undefined) await this.apply(branches, 'System', { imported: false })
    this.#stopListening = this.#needs.store.onAnnounced(topic, () => {
      this.refresh().catch((error: unknown) => {
        this.fault = 'The directory could not be read from the store: this process shows an older state.'
        this.#needs.log.error({ err: error }, 'the directory could not be refreshed')
      })
    })
  }

  async stop(): Promise<void> {
    this.#stopListening?.()
    await this.#turn.catch(() => {})
  }

  /** Runs one piece of work after another. */
  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Resolves when this process shows everything that was committed before the call. */
  refresh(): Promise<void> {
    // Whoever comes while one waits for its turn is served by it.
    this.#refreshing ??= this.#inTurn(async () => {
      this.#refreshing = undefined
      const asked = this.#needs.clock.now()
      const version = await this.#rows.version()
      if (version !== this.#state.version) {
        this.#take(await this.#rows.consistently((reader) => this.#read(reader)))
      }
      this.fault = undefined
      this.confirmedAt = asked
    })
    return this.#refreshing
  }

  #take(state: RegistryState): void {
    if (state === this.#state) return
    this.#state = state
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        this.#needs.log.error({ err: error }, 'a listener of the directory failed')
      }
    }
  }

  /** The state that the reader sees: by the changes since ours, or from the beginning when the log does not reach back. */
  async #read(reader: Reader): Promise<RegistryState> {
    const state = this.#state
    const version = await reader.version()
    if (version === state.version) return state
    const changes = await reader.changesSince(state.version)
    if (state.version === 0 || changes[0]?.number !== state.version + 1) return this.#load(reader, version)
    const entries = new Map((await reader.entriesSince(state.version)).map((entry) => [entry.key, entry]))
    const edit = state.tree.edit()
    for (const change of changes) {
      const entry = entries.get(change.key)
      if (change.kind === 'delete') edit.delete(change.key)
      // An entry that was removed and added again later takes its place with the later change.
      else if (entry !== undefined && entry.position <= change.number) this.#put(edit, entry)
      if (change.key === 'o=nhs' && edit.get('cn=changelog,o=nhs') === undefined) putHead(edit, 0, 0, change.at)
      putChange(edit, change)
    }
    return this.#finish(edit, changes, state.firstChange, version)
  }

  async #load(reader: Reader, version: number): Promise<RegistryState> {
    const { config, clock } = this.#needs
    const changes = await reader.changesSince(version - config.changeLogSize)
    const first = changes[0]?.number ?? 0
    const edit = this.#emptyTree().edit()
    let next = 0
    for await (const some of reader.entries()) {
      for (const entry of some) {
        for (
          let change = changes[next];
          change !== undefined && change.number < entry.position;
          change = changes[++next]
        ) {
          putChange(edit, change)
        }
        this.#put(edit, entry)
        if (entry.key === 'o=nhs') putHead(edit, first, version, changes.at(-1)?.at ?? clock.now())
      }
    }
    for (const change of changes.slice(next)) putChange(edit, change)
    return { tree: edit.done(), version, firstChange: first }
  }

  #put(edit: TreeEdit, entry: StoredEntry): void {
    this.#remember(putEntry(edit, entry), entry.registeredFqdn)
  }

  #remember(entry: EncodedEntry, fqdn: string | undefined): void {
    if (fqdn !== undefined) this.#fqdns.set(entry, fqdn)
  }

  /** Cuts the change log of an edition that shows all of `changes` to its size, and names its ends. */
  #finish(edit: TreeEdit, changes: readonly StoredChange[], oldFirst: number, version: number): RegistryState {
    const { config, clock } = this.#needs
    const keptFrom = version - config.changeLogSize + 1
    const shownFrom = oldFirst || (changes[0]?.number ?? 0)
    const first = Math.max(shownFrom, keptFrom)
    if (shownFrom > 0) dropChanges(edit, shownFrom, first - 1)
    if (edit.get('o=nhs') !== undefined) putHead(edit, first, version, changes.at(-1)?.at ?? clock.now())
    return { tree: edit.done(), version, firstChange: first }
  }

  /** Stored attributes of entries that are written again and may hold a secret, which the tree does not show. */
  async #guarded(
    changes: readonly DirectoryChange[],
    tree: MemoryTree,
    reader: Pick<Reader, 'attributesOf'>,
  ): Promise<ReadonlyMap<string, EntryAttributes>> {
    const { schema } = this.#needs
    const guarded = new Set(
      schema.classes.filter(({ may }) => may.some(({ secret }) => secret)).map(({ name }) => name.toLowerCase()),
    )
    const holds = ({ attributes }: DirectoryEntry) =>
      Object.values(attributes).some((values) => values.some((value) => guarded.has(value.toLowerCase())))
    const keys = changes.flatMap((change) => {
      const key = change.kind !== 'delete' && holds(change.entry) ? nameKey(schema, change.entry.dn)?.key : undefined
      return key === undefined || tree.get(key) === undefined ? [] : [key]
    })
    return keys.length === 0 ? new Map() : reader.attributesOf(keys)
  }

  /** What changes are worked out on, but for the secrets of the entries that they write again. */
  #ground(state: RegistryState): Omit<ChangeGround, 'guarded'> {
    const { clock, random, config, schema } = this.#needs
    return {
      tree: state.tree,
      version: state.version,
      schema,
      config,
      now: clock.now(),
      uuid: () => random.uuid(),
      registeredFqdn: (entry) => this.#fqdns.get(entry),
    }
  }

  /** Rejects with what `apply` would reject with at this state; answers its warnings. */
  async check(
    state: RegistryState,
    changes: readonly DirectoryChange[],
    options: { readonly imported: boolean },
  ): Promise<readonly DirectoryWarning[]> {
    const call = { changes, by: 'System', imported: options.imported, ifVersion: undefined }
    const { answers } = await workOut([call], { ...this.#ground(state), guarded: new Map() })
    const [answer] = answers
    if (answer !== undefined && 'refusal' in answer) throw answer.refusal
    return answer?.warnings ?? []
  }

  /**
   * Checks and commits; resolves when `state` shows it. Whoever comes while another commit is under way waits and is
   * committed with all others that wait: one transaction for many, each judged by itself.
   */
  apply(
    changes: readonly DirectoryChange[],
    by: string,
    options: { readonly imported: boolean; readonly ifVersion?: number },
  ): Promise<{ readonly after: number; readonly version: number }> {
    const { imported, ifVersion } = options
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call: { changes, by, imported, ifVersion }, resolve, reject })
      if (this.#waiting.length === 1) this.#commitInTurn()
    })
  }

  #commitInTurn(): void {
    void this.#inTurn(async () => {
      const group = this.#nextGroup()
      try {
        await this.#commit(group)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    })
  }

  /** Those who wait, in order, until their changes are as many as one transaction should hold; the rest take the next turn. */
  #nextGroup(): Waiting[] {
    let size = 0
    const end = this.#waiting.findIndex(({ call }, place) => {
      size += call.changes.length
      return place > 0 && size > mostChangesTogether
    })
    const group = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
    if (this.#waiting.length > 0) this.#commitInTurn()
    return group
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { log, store } = this.#needs
    const calls = group.map(({ call }) => call)
    const { state, answers } = await this.#committed(calls)
    const warnings = answers.flatMap((answer) => ('refusal' in answer ? [] : answer.warnings))
    for (const { code, dn, explanation } of warnings.slice(0, 100)) log.warn({ code, dn }, explanation)
    if (state.version !== this.#state.version) {
      this.#take(state)
      store.announce(topic)
    }
    group.forEach(({ resolve, reject }, place) => {
      const answer = answers[place]
      if (answer !== undefined && 'refusal' in answer) reject(answer.refusal)
      else resolve({ after: answer?.after ?? state.version, version: answer?.version ?? state.version })
    })
  }

  /**
   * Works the changes out on the state that this process knows, before a transaction begins, so that none stands open
   * meanwhile; what another process committed in between makes it begin again, and in the end work under the lock.
   */
  async #committed(calls: readonly ChangeCall[]): Promise<Committed> {
    for (let attempt = 0; attempt < attemptsBeforeLock; attempt++) {
      const before = this.#state
      const worked = await this.#worked(calls, before, this.#rows)
      if (worked.version === before.version) {
        // Nothing to write: the answers hold if this was the newest state.
        if ((await this.#rows.version()) === before.version) return { state: before, answers: worked.answers }
      } else {
        const wrote = await this.#rows.exclusively(async (writer, version) => {
          if (version !== before.version) return false
          await this.#write(writer, worked)
          return true
        })
        if (wrote) return { state: await this.#after(worked, before), answers: worked.answers }
      }
      this.#take(await this.#rows.consistently((reader) => this.#read(reader)))
    }
    const { before, worked } = await this.#rows.exclusively(async (writer) => {
      const latest = await this.#read(writer)
      const changes = await this.#worked(calls, latest, writer)
      if (changes.version !== latest.version) await this.#write(writer, changes)
      return { before: latest, worked: changes }
    })
    const state = worked.version === before.version ? before : await this.#after(worked, before)
    return { state, answers: worked.answers }
  }

  async #worked(
    calls: readonly ChangeCall[],
    state: RegistryState,
    reader: Pick<Reader, 'attributesOf'>,
  ): Promise<WorkedChanges> {
    const changes = calls.flatMap((call) => call.changes)
    return workOut(calls, { ...this.#ground(state), guarded: await this.#guarded(changes, state.tree, reader) })
  }

  async #write(writer: Writer, worked: WorkedChanges): Promise<void> {
    const { changeLogSize } = this.#needs.config
    await writer.write({
      ...worked,
      changes: worked.log.slice(-changeLogSize),
      forget: worked.version - changeLogSize,
    })
  }

  /** The state that committed changes lead to. */
  async #after(worked: WorkedChanges, before: RegistryState): Promise<RegistryState> {
    for (const entry of worked.entries) {
      const encoded = worked.edit.get(entry.key)
      if (encoded !== undefined) this.#remember(encoded, entry.registeredFqdn)
    }
    // The edition shows no more changes than the log keeps: then the order of its places is not that of the store.
    if (worked.log.length > this.#needs.config.changeLogSize)
      return this.#rows.consistently(async (reader) => this.#load(reader, await reader.version()))
    return this.#finish(worked.edit, worked.log, before.firstChange, worked.version)
  }
}

interface Committed {
  readonly state: RegistryState
  readonly answers: readonly ChangeAnswer[]
}

/** So often changes are worked out without the lock while other processes commit theirs. */
const attemptsBeforeLock = 3

/** A call of `apply` that has not been committed yet. */
interface Waiting {
  readonly call: ChangeCall
  resolve(answer: { readonly after: number; readonly version: number }): void
  reject(error: unknown): void
}

/** So many changes of several callers share a transaction: enough to make a flush cheap, few enough to let others in. */
const mostChangesTogether = 2000

const branch = (name: string): DirectoryChange => ({
  kind: 'put',
  entry: { dn: `ou=${name},o=nhs`, attributes: { objectClass: ['top', 'organizationalUnit'], ou: [name] } },
})

/** The branches of directory specification §2. */
const branches: readonly DirectoryChange[] = [
  { kind: 'put', entry: { dn: 'o=nhs', attributes: { objectClass: ['top', 'organization'], o: ['nhs'] } } },
  ...['Organisations', 'People', 'Services', 'ReferenceData', 'Workgroups'].map(branch),
]
