import { BerReader, isBerError } from './ber.ts'
import { oids, resultCodes } from './codes.ts'
import { type CompiledFilter, compileFilter, type EntryValues, evaluate, filterWeight } from './compile.ts'
import { type Page, pagedResults, readPage } from './controls.ts'
import { type NormalisedName, normaliseDn } from './dn.ts'
import { nameRules } from './entry.ts'
import { type Filter, readFilter } from './filter.ts'
import { filterText } from './filter-text.ts'
import type { Control, LdapResult, SearchRequest } from './message.ts'
import { plainResult } from './response.ts'
import type { ServerEntry } from './root.ts'
import type { AttributeType, Schema } from './schema.ts'
import { type Selection, type Sink, select, writeEntry } from './select.ts'
import type { Cursor, Tree, TreeEntry } from './tree.ts'

/** What every search of an engine shares. */
export interface SearchGround {
  readonly schema: Schema
  readonly strict: boolean
  /** Entries of one unpaged search, and of one page. */
  readonly sizeLimit: number
  readonly timeLimitSeconds: number
  readonly rootDse: ServerEntry
  readonly subschema: ServerEntry
  now(): number
}

/** Keeps answers by text while they are few: attribute lists and base names of a client population hardly vary. */
export class Recent<Value> {
  readonly #known = new Map<string, Value>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get(key: string, make: () => Value): Value {
    let value = this.#known.get(key)
    if (value === undefined) {
      value = make()
      if (this.#known.size >= this.#limit) this.#known.clear()
      // Not a slice of a client's text, which would keep all of it alive.
      this.#known.set(Buffer.from(key).toString(), value)
    }
    return value
  }
}

/** Resolves base names and attribute lists with a short memory. */
export class Resolver {
  readonly #schema: Schema
  readonly #names = new Recent<NormalisedName | 'invalid'>(1024)
  readonly #selections = new Recent<Selection>(1024)

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** Undefined when the text is no name. */
  name(text: string): NormalisedName | undefined {
    const rules = nameRules(this.#schema)
    const make = () => normaliseDn(text, rules) ?? 'invalid'
    const name = text.length > 300 ? make() : this.#names.get(text, make)
    return name === 'invalid' ? undefined : name
  }

  selection(list: readonly string[]): Selection {
    if (list.length > 50) return select(this.#schema, list)
    const key = list.length === 1 ? (list[0] as string) : list.join('\n')
    if (key.length > 1000) return select(this.#schema, list)
    return this.#selections.get(list.length === 0 ? '\n' : key, () => select(this.#schema, list))
  }
}

/** The result for a name that is not there: names the deepest ancestor that is. */
export function missing(tree: Tree, name: NormalisedName): LdapResult {
  for (let i = 1; i < name.parts.length; i++) {
    const ancestor = tree.get(name.parts.slice(i).join(','))
    if (ancestor !== undefined) return plainResult(resultCodes.noSuchObject, '', ancestor.dn)
  }
  return plainResult(resultCodes.noSuchObject)
}

export interface ServerControls {
  readonly page: Page | undefined
  readonly assertion: Filter | undefined
}

const noControls: ServerControls = { page: undefined, assertion: undefined }

/** Reads the controls of one request; answers the refusal when a critical one is unknown or a value is malformed. */
export function serverControls(controls: readonly Control[], pages: boolean): ServerControls | LdapResult {
  if (controls.length === 0) return noControls
  let page: Page | undefined
  let assertion: Filter | undefined
  for (const control of controls) {
    try {
      if (control.oid === oids.pagedResults && pages) {
        if (page !== undefined) return plainResult(resultCodes.protocolError, 'The paged results control stands twice.')
        page = readPage(control.value)
      } else if (control.oid === oids.assertion) {
        assertion = readFilter(new BerReader(control.value ?? Buffer.alloc(0)))
      } else if (control.oid !== oids.manageDsaIT && control.critical) {
        return plainResult(
          resultCodes.unavailableCriticalExtension,
          `Control ${printable(control.oid)} is not supported.`,
        )
      }
    } catch (error) {
      if (!isBerError(error)) throw error
      return plainResult(error.outcome.resultCode, `The value of control ${printable(control.oid)} is malformed.`)
    }
  }
  return { page, assertion }
}

function printable(oid: string): string {
  return oid.replace(/[^0-9A-Za-z.-]/g, '?').slice(0, 100)
}

/** An entry with its operational attributes, for evaluation. */
export function withOperational(tree: Tree, entry: TreeEntry): EntryValues {
  return {
    dn: entry.dn,
    values: (type) => (type.usage === 'userApplications' ? entry.values(type) : operationalValues(tree, entry, type)),
  }
}

function operationalValues(tree: Tree, entry: TreeEntry, type: AttributeType): readonly string[] {
  return 'operational' in entry ? (entry as ServerEntry).operational(type) : tree.operational(entry, type)
}

/** Order of the last entry, fingerprint of the search, entries of the pages so far. */
const cookieSize = 16
const none = (): readonly string[] => []

/** One search from its request to its result. `step` does a bounded piece of it. */
export class SearchRun {
  readonly id: number
  readonly request: SearchRequest
  readonly startedAt: number
  entries = 0
  /** Set when the search has ended; then its result waits to be sent. */
  result: LdapResult | undefined
  /** Controls of the final response. */
  controls: readonly Control[] = []

  readonly #ground: SearchGround
  readonly #tree: Tree
  #selection: Selection | undefined
  #cursor: Cursor | undefined
  #limit = 0
  /** Entries of earlier pages. */
  #before = 0
  /** Comparisons that one candidate may cost. */
  #weight = 1
  #page: Page | undefined
  #deadline = Number.POSITIVE_INFINITY
  #last = 0

  constructor(
    ground: SearchGround,
    tree: Tree,
    resolver: Resolver,
    message: { readonly id: number; readonly operation: SearchRequest; readonly controls: readonly Control[] },
  ) {
    this.id = message.id
    this.request = message.operation
    this.#ground = ground
    this.#tree = tree
    this.startedAt = ground.now()
    this.result = this.#begin(resolver, message.controls)
  }

  #begin(resolver: Resolver, given: readonly Control[]): LdapResult | undefined {
    const { request } = this
    const controls = serverControls(given, true)
    if ('code' in controls) return controls
    const name = resolver.name(request.base)
    if (name === undefined) return plainResult(resultCodes.invalidDNSyntax, 'The base is not a distinguished name.')
    const server = this.#serverEntry(name.key)
    const base = server ?? (name.key === '' ? undefined : this.#tree.get(name.key))
    if (base === undefined) return missing(this.#tree, name)
    const filter = compileFilter(request.filter, this.#ground.schema, this.#ground)
    this.#weight = filterWeight(filter)
    if (controls.assertion !== undefined && !this.#asserted(controls.assertion, base)) {
      return plainResult(resultCodes.assertionFailed, 'The asserted condition does not hold.')
    }
    const seconds = Math.min(request.timeLimit || this.#ground.timeLimitSeconds, this.#ground.timeLimitSeconds)
    this.#deadline = this.startedAt + seconds * 1000
    this.#limit = Math.min(request.sizeLimit || this.#ground.sizeLimit, this.#ground.sizeLimit)
    this.#selection = resolver.selection(request.attributes)
    const refused = this.#openPage(controls.page)
    if (refused !== undefined) return refused
    this.#cursor =
      server === undefined
        ? this.#tree.search({ base, scope: request.scope, filter, after: this.#last })
        : this.#single(server, filter)
    return undefined
  }

  /** The root DSE answers to scope base alone: any other search of "" finds no such object. */
  #serverEntry(key: string): ServerEntry | undefined {
    const { rootDse, subschema } = this.#ground
    if (key === '') return this.request.scope === 0 ? rootDse : undefined
    return key === subschema.key ? subschema : undefined
  }

  #asserted(assertion: Filter, base: TreeEntry): boolean {
    const { schema } = this.#ground
    return (
      evaluate(compileFilter(assertion, schema, this.#ground), withOperational(this.#tree, base), schema) === 'true'
    )
  }

  #single(entry: ServerEntry, filter: CompiledFilter): Cursor {
    const { scope } = this.request
    let left = scope === 0 || scope === 2
    return {
      examined: 0,
      next: () => {
        if (!left) return undefined
        left = false
        const truth = evaluate(filter, withOperational(this.#tree, entry), this.#ground.schema)
        return truth === 'true' ? entry : undefined
      },
    }
  }

  /** Checks the cookie, and sets where the page begins; answers the result when there is nothing to search. */
  #openPage(page: Page | undefined): LdapResult | undefined {
    if (page === undefined) return undefined
    this.#page = page
    if (page.cookie.length > 0) {
      if (page.cookie.length !== cookieSize || page.cookie.readUInt32BE(8) !== this.#fingerprint()) {
        this.#page = undefined
        return plainResult(resultCodes.unwillingToPerform, 'The cookie of the paged results control is not valid.')
      }
      this.#last = Number(page.cookie.readBigUInt64BE(0))
      this.#before = page.cookie.readUInt32BE(12)
    }
    if (page.size === 0) {
      this.controls = [pagedResults({ size: 0, cookie: Buffer.alloc(0) })]
      return plainResult(resultCodes.success)
    }
    return undefined
  }

  /** Ties a cookie to the search that it continues. */
  #fingerprint(): number {
    const { base, scope, filter } = this.request
    let hash = 0x811c9dc5
    for (const char of `${scope} ${base.toLowerCase()} ${filterText(filter)}`) {
      hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
    }
    return hash >>> 0
  }

  #end(code: number, more = false): void {
    this.result = plainResult(code)
    this.#cursor = undefined
    if (this.#page === undefined) return
    const cookie = Buffer.alloc(more ? cookieSize : 0)
    if (more) {
      cookie.writeBigUInt64BE(BigInt(this.#last), 0)
      cookie.writeUInt32BE(this.#fingerprint(), 8)
      cookie.writeUInt32BE(this.#before + this.entries, 12)
    }
    this.controls = [pagedResults({ size: 0, cookie })]
  }

  /**
   * Writes entries until the search ends, `candidates` were looked at, or the sink holds `bytes`. Ended when
   * `result` is set.
   */
  step(sink: Sink, bytes: number, candidates: number): void {
    const cursor = this.#cursor
    if (this.result !== undefined || cursor === undefined || this.#selection === undefined) return
    const { typesOnly, sizeLimit } = this.request
    const pageSize =
      this.#page === undefined ? Number.POSITIVE_INFINITY : Math.min(this.#page.size, this.#ground.sizeLimit)
    // Four comparisons are an ordinary look-up; a monstrous filter gets fewer candidates in a slice.
    const until = cursor.examined + Math.max(1, Math.floor((candidates * 4) / Math.max(4, this.#weight)))
    while (cursor.examined < until && sink.length < bytes) {
      const entry = cursor.next(until - cursor.examined)
      if (entry === null) break
      if (entry === undefined) this.#end(resultCodes.success)
      // This entry proves that there are more than were allowed. The client's limit counts all pages together.
      else if (sizeLimit > 0 && this.#before + this.entries >= sizeLimit) this.#end(resultCodes.sizeLimitExceeded)
      else if (this.entries >= pageSize) this.#end(resultCodes.success, true)
      else if (this.entries >= this.#limit) this.#end(resultCodes.sizeLimitExceeded)
      else {
        // Most searches want none.
        const operational =
          this.#selection.operational.length === 0
            ? none
            : (type: AttributeType) => operationalValues(this.#tree, entry, type)
        writeEntry(sink, this.id, entry, this.#selection, typesOnly, operational)
        this.entries++
        this.#last = entry.order
        continue
      }
      return
    }
    if (this.#ground.now() > this.#deadline) this.#end(resultCodes.timeLimitExceeded)
  }
}
