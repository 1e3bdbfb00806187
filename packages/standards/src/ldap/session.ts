import { BerReader, integer, isBerError, octetString, tags } from './ber.ts'
import { oids, resultCodes } from './codes.ts'
import { equality, evaluate } from './compile.ts'
import { defaultFilterLimits, type Filter, type FilterLimits } from './filter.ts'
import type {
  BindRequest,
  CompareRequest,
  ExtendedRequest,
  LdapMessage,
  LdapRequest,
  LdapResponse,
  LdapResult,
  SearchRequest,
  WriteRequest,
} from './message.ts'
import { responseTags } from './message.ts'
import { decodeRequest, type RequestOutcome } from './request.ts'
import { encodeResponse, noticeOfDisconnection, plainResult } from './response.ts'
import { rootDse, subschema } from './root.ts'
import type { Schema } from './schema.ts'
import { missing, Resolver, type SearchGround, SearchRun, serverControls, withOperational } from './search.ts'
import { Sink, writeCode } from './select.ts'
import { PduSplitter } from './splitter.ts'
import type { Tree } from './tree.ts'

export interface LdapEngineOptions {
  readonly schema: Schema
  /** The state of the directory now: asked once per operation. */
  tree(): Tree
  /** Milliseconds since the epoch. */
  now(): number
  readonly namingContexts: readonly string[]
  readonly vendorName: string
  readonly vendorVersion: string
  /** OpenLDAP's stance where the schema declares no matching rule: Undefined. Default false. */
  readonly strict?: boolean
  /** Default 1000. */
  readonly sizeLimit?: number
  /** Default 60. */
  readonly timeLimitSeconds?: number
  /** Default 1 MiB. */
  readonly maxPduBytes?: number
  readonly filterLimits?: FilterLimits
  /** Operations of one connection that may be under way; more wait unread. Default 100. */
  readonly maxOutstanding?: number
  /** Whether this name and password are right. Absent: nobody can bind but anonymously. */
  authenticate?(dn: string, password: Buffer): Promise<boolean>
}

/** One finished operation, for audit and metrics. */
export interface OperationReport {
  readonly operation: LdapRequest['op']
  readonly code: number
  readonly startedAt: number
  readonly endedAt: number
  /** Base of a search, entry of a compare, name of a bind, target of a write. */
  readonly dn: string
  readonly scope?: number
  readonly filter?: Filter
  readonly attributes?: readonly string[]
  readonly entries?: number
  readonly oid?: string
}

/** How much one call of `run` does at most: bytes written, candidates of one step, time spent on new requests. */
const slice = { bytes: 64 * 1024, candidates: 1000, milliseconds: 4 }

/** Makes sessions over one directory; holds what they share. */
export class LdapEngine {
  readonly options: LdapEngineOptions
  readonly ground: SearchGround
  readonly resolver: Resolver
  readonly sink = new Sink()
  readonly maxPduBytes: number
  readonly maxOutstanding: number
  readonly filterLimits: FilterLimits

  constructor(options: LdapEngineOptions) {
    this.options = options
    const about = { ...options, schemaTime: options.now() }
    this.ground = {
      schema: options.schema,
      strict: options.strict ?? false,
      sizeLimit: options.sizeLimit ?? 1000,
      timeLimitSeconds: options.timeLimitSeconds ?? 60,
      rootDse: rootDse(about),
      subschema: subschema(about),
      now: options.now,
    }
    this.resolver = new Resolver(options.schema)
    this.maxPduBytes = options.maxPduBytes ?? 1024 * 1024
    this.maxOutstanding = options.maxOutstanding ?? 100
    this.filterLimits = options.filterLimits ?? defaultFilterLimits
  }

  /** `report` is told of every finished operation; `mayAsk` says whether one more search or compare is allowed now. */
  session(report?: (report: OperationReport) => void, mayAsk?: () => boolean): LdapSession {
    return new LdapSession(this, report, mayAsk)
  }
}

/**
 * The server's side of one LDAP connection, without a socket: `feed` it what arrives, call `run` for what to
 * send until `busy` is false, close when `ended`. `run` does a bounded piece of work, so that one connection
 * never holds up the others; stop reading while `full`.
 *
 * @example
 * session.feed(chunk)
 * do socket.write(session.run()) while (session.busy)
 */
export class LdapSession {
  /** Name that the client is bound as; empty for anonymous. */
  boundAs = ''
  /** Everything was said: send what `run` answered, then close. */
  ended = false
  /** Called when an answer that took time (a password check) is there: call `run`. */
  onReady: (() => void) | undefined

  readonly #engine: LdapEngine
  readonly #tell: ((report: OperationReport) => void) | undefined
  readonly #mayAsk: (() => boolean) | undefined
  readonly #splitter: PduSplitter
  #searches: SearchRun[] = []
  #binding = false
  #unread = false
  #turn = 0
  /** Responses that became ready outside `run`. */
  #late: Buffer[] = []

  constructor(engine: LdapEngine, report?: (report: OperationReport) => void, mayAsk?: () => boolean) {
    this.#engine = engine
    this.#tell = report
    this.#mayAsk = mayAsk
    this.#splitter = new PduSplitter(engine.maxPduBytes)
  }

  /** More can be done at once. */
  get busy(): boolean {
    return !this.ended && !this.#binding && (this.#searches.length > 0 || this.#unread)
  }

  /** Enough is under way: read no more from the client until `run` has caught up. */
  get full(): boolean {
    return this.#binding || this.#searches.length >= this.#engine.maxOutstanding || this.#unread
  }

  /** Nothing is under way and no part of a message is held. */
  get idle(): boolean {
    return !this.busy && !this.#binding && this.#splitter.buffered === 0
  }

  feed(chunk: Uint8Array): void {
    if (this.ended) return
    this.#splitter.push(chunk)
    this.#unread = true
  }

  /** Says goodbye: the bytes of a notice of disconnection. The session is over. */
  disconnect(code: number, diagnostic: string): Buffer {
    this.#finishAll()
    this.ended = true
    return noticeOfDisconnection(code, diagnostic)
  }

  /** The connection is gone. */
  abort(): void {
    this.#finishAll()
    this.ended = true
  }

  #finishAll() {
    for (const run of this.#searches) this.#reportSearch(run, resultCodes.canceled)
    this.#searches = []
  }

  /** Does a bounded piece of what is asked, and answers the bytes to send (empty when there are none). */
  run(): Buffer {
    const { sink } = this.#engine
    try {
      for (const bytes of this.#late.splice(0)) sink.put(bytes)
      if (!this.ended) {
        // First what is under way: what is asked in one breath is answered in its order, unless it takes long.
        this.#continue(sink)
        this.#begin(sink, sink.length + slice.bytes)
      }
    } catch (error) {
      if (!isBerError(error)) {
        sink.take()
        throw error
      }
      sink.put(this.disconnect(error.outcome.resultCode, error.explanation ?? ''))
    }
    return sink.length === 0 ? nothing : sink.take()
  }

  /** Begins requests that have arrived, while the sink holds less than `full` bytes. */
  #begin(sink: Sink, full: number) {
    const { options, maxOutstanding } = this.#engine
    const until = options.now() + slice.milliseconds
    while (this.#unread && !this.ended && !this.#binding) {
      if (this.#searches.length >= maxOutstanding || sink.length >= full) return
      const pdu = this.#splitter.next()
      if (pdu === undefined) this.#unread = false
      else this.#dispatch(pdu, sink, full)
      // Looked at last, so that every call gets on, however the clock runs.
      if (options.now() > until) return
    }
  }

  /** Goes on with one of the searches that are under way, each in turn. */
  #continue(sink: Sink) {
    if (this.ended || this.#searches.length === 0 || sink.length >= slice.bytes) return
    this.#turn = this.#turn < this.#searches.length ? this.#turn : 0
    const run = this.#searches[this.#turn] as SearchRun
    run.step(sink, slice.bytes, slice.candidates)
    if (run.result === undefined) this.#turn++
    else {
      this.#searches.splice(this.#turn, 1)
      this.#finish(run, sink)
    }
  }

  #dispatch(pdu: Buffer, sink: Sink, full: number) {
    let message: LdapMessage<LdapRequest>
    try {
      message = decodeRequest(pdu, this.#engine.filterLimits)
    } catch (error) {
      if (!isBerError(error, 'LDAP_REQUEST_REFUSED')) throw error
      const { id, operation, resultCode } = error.outcome as RequestOutcome
      if (operation === 'search')
        this.#send(sink, id, { op: 'done', result: plainResult(resultCode, error.explanation) })
      this.#report({ operation, code: resultCode, dn: '' })
      return
    }
    const { id, operation } = message
    switch (operation.op) {
      case 'search': {
        if (this.#mayAsk?.() === false) return this.#refuseBusy(sink, id, operation)
        const { ground, options, resolver } = this.#engine
        const run = new SearchRun(ground, options.tree(), resolver, { id, operation, controls: message.controls })
        run.step(sink, full, slice.candidates)
        if (run.result === undefined) this.#searches.push(run)
        else this.#finish(run, sink)
        return
      }
      case 'bind':
        return this.#bind(sink, id, operation, message)
      case 'unbind':
        this.#finishAll()
        this.ended = true
        return
      case 'abandon':
        this.#cancel(operation.target)
        return
      case 'compare':
        if (this.#mayAsk?.() === false) return this.#refuseBusy(sink, id, operation)
        return this.#compare(sink, id, operation, message)
      case 'extended':
        return this.#extended(sink, id, operation, message)
      default:
        return this.#refuseWrite(sink, id, operation, message)
    }
  }

  #refuseBusy(sink: Sink, id: number, request: SearchRequest | CompareRequest) {
    const result = plainResult(resultCodes.busy, 'This client asks too often: try again in a second.')
    this.#send(sink, id, { op: request.op === 'search' ? 'done' : 'compare', result })
    this.#report({
      operation: request.op,
      code: result.code,
      ...(request.op === 'search'
        ? { dn: request.base, scope: request.scope, filter: request.filter, attributes: request.attributes, entries: 0 }
        : { dn: request.entry, attributes: [request.attribute] }),
    })
  }

  #send(sink: Sink, id: number, operation: LdapResponse) {
    sink.put(encodeResponse({ id, operation, controls: [] }))
  }

  #report(about: Omit<OperationReport, 'startedAt' | 'endedAt'> & { readonly startedAt?: number }) {
    if (this.#tell === undefined) return
    const endedAt = this.#engine.options.now()
    this.#tell({ startedAt: endedAt, endedAt, ...about })
  }

  #finish(run: SearchRun, sink: Sink) {
    const result = run.result as LdapResult
    if (result.diagnostic === '' && result.matchedDn === '' && run.controls.length === 0) {
      writeCode(sink, run.id, responseTags.done, result.code)
    } else {
      sink.put(encodeResponse({ id: run.id, operation: { op: 'done', result }, controls: run.controls }))
    }
    this.#reportSearch(run, result.code)
  }

  #reportSearch(run: SearchRun, code: number) {
    const { base, scope, filter, attributes } = run.request
    this.#report({
      operation: 'search',
      code,
      startedAt: run.startedAt,
      dn: base,
      scope,
      filter,
      attributes,
      entries: run.entries,
    })
  }

  #cancel(id: number): boolean {
    const at = this.#searches.findIndex((run) => run.id === id)
    const [run] = at < 0 ? [] : this.#searches.splice(at, 1)
    if (run !== undefined) this.#reportSearch(run, resultCodes.canceled)
    return run !== undefined
  }

  /** A bind abandons what this connection has under way, and makes it anonymous until it succeeds (RFC 4511 §4.2.1). */
  #bind(sink: Sink, id: number, request: BindRequest, { controls }: LdapMessage<LdapRequest>) {
    this.#finishAll()
    this.boundAs = ''
    const { authentication, name } = request
    const answer = (result: LdapResult) => {
      this.#report({ operation: 'bind', code: result.code, dn: name })
      return encodeResponse({ id, operation: { op: 'bind', result }, controls: [] })
    }
    const refusal = this.#bindRefusal(request) ?? controlRefusal(controls)
    if (refusal !== undefined || name === '') {
      sink.put(answer(refusal ?? plainResult(resultCodes.success)))
      return
    }
    const { authenticate } = this.#engine.options
    const wrong = plainResult(resultCodes.invalidCredentials)
    if (authenticate === undefined || authentication.kind !== 'simple') {
      sink.put(answer(wrong))
      return
    }
    this.#binding = true
    void authenticate(name, Buffer.from(authentication.password))
      .catch(() => false)
      .then((right) => {
        this.#binding = false
        if (this.ended) return
        if (right) this.boundAs = name
        this.#late.push(answer(right ? plainResult(resultCodes.success) : wrong))
        this.#unread = true
        this.onReady?.()
      })
  }

  #bindRefusal({ version, authentication, name }: BindRequest): LdapResult | undefined {
    if (version !== 3) return plainResult(resultCodes.protocolError, 'Only LDAP version 3 is spoken here.')
    if (authentication.kind !== 'simple') {
      return plainResult(resultCodes.authMethodNotSupported, 'Only simple authentication is supported.')
    }
    const { password } = authentication
    if (name === '') return password.length === 0 ? undefined : plainResult(resultCodes.invalidCredentials)
    if (this.#engine.resolver.name(name) === undefined) {
      return plainResult(resultCodes.invalidDNSyntax, 'The name is not a distinguished name.')
    }
    if (password.length === 0) {
      return plainResult(resultCodes.unwillingToPerform, 'A name without a password does not authenticate.')
    }
    return undefined
  }

  #compare(sink: Sink, id: number, request: CompareRequest, { controls }: LdapMessage<LdapRequest>) {
    const result = this.#compareResult(request, controls)
    this.#send(sink, id, { op: 'compare', result })
    this.#report({ operation: 'compare', code: result.code, dn: request.entry, attributes: [request.attribute] })
  }

  #compareResult(request: CompareRequest, given: LdapMessage<LdapRequest>['controls']): LdapResult {
    const { ground, options, resolver } = this.#engine
    const controls = serverControls(given, false)
    if ('code' in controls) return controls
    const name = resolver.name(request.entry)
    if (name === undefined) return plainResult(resultCodes.invalidDNSyntax, 'The entry is not a distinguished name.')
    // As OpenLDAP: whether there is anything to compare by, then the value, then the entry.
    const attribute = ground.schema.attribute(request.attribute)
    if (attribute === undefined) return plainResult(resultCodes.undefinedAttributeType)
    if (ground.schema.equality(attribute, ground.strict ? 'none' : 'caseIgnoreMatch') === undefined)
      return plainResult(resultCodes.inappropriateMatching)
    const item = equality(ground.schema, ground, attribute, request.value.toString('utf8'))
    if (item.kind !== 'equal') return plainResult(resultCodes.invalidAttributeSyntax)
    const tree = options.tree()
    const server = [ground.rootDse, ground.subschema].find(({ key }) => key === name.key)
    const entry = server ?? tree.get(name.key)
    if (entry === undefined) return missing(tree, name)
    const values = withOperational(tree, entry)
    const present = ground.schema.subtypes(attribute).some((type) => !type.secret && values.values(type).length > 0)
    if (!present) return plainResult(resultCodes.noSuchAttribute)
    const truth = evaluate(item, values, ground.schema)
    return plainResult(truth === 'true' ? resultCodes.compareTrue : resultCodes.compareFalse)
  }

  #extended(sink: Sink, id: number, { oid, value }: ExtendedRequest, { controls }: LdapMessage<LdapRequest>) {
    const refused = controlRefusal(controls)
    let response: { result: LdapResult; value?: Buffer }
    if (refused !== undefined) response = { result: refused }
    else if (oid === oids.whoAmI) {
      const authzId = this.boundAs === '' ? '' : `dn:${this.boundAs}`
      response = { result: plainResult(resultCodes.success), value: Buffer.from(authzId) }
    } else if (oid === oids.cancel) response = { result: this.#cancelResult(sink, value) }
    else response = { result: plainResult(resultCodes.protocolError, 'This extended operation is not supported.') }
    this.#send(sink, id, { op: 'extended', ...response })
    this.#report({ operation: 'extended', code: response.result.code, dn: '', oid })
  }

  /** RFC 3909: the cancelled search is answered with `canceled`, the cancel itself with success. */
  #cancelResult(sink: Sink, value: Buffer | undefined): LdapResult {
    const reader = new BerReader(value ?? nothing)
    let target: number
    try {
      reader.enter(tags.sequence)
      target = reader.integer()
    } catch (error) {
      if (!isBerError(error)) throw error
      return plainResult(resultCodes.protocolError, 'The cancel request is malformed.')
    }
    if (!this.#cancel(target)) return plainResult(resultCodes.noSuchOperation)
    this.#send(sink, target, { op: 'done', result: plainResult(resultCodes.canceled) })
    return plainResult(resultCodes.success)
  }

  #refuseWrite(sink: Sink, id: number, request: WriteRequest, { controls }: LdapMessage<LdapRequest>) {
    const result =
      controlRefusal(controls) ??
      (this.boundAs === ''
        ? plainResult(resultCodes.strongerAuthRequired, 'Changes are made by registration, not by LDAP.')
        : plainResult(resultCodes.insufficientAccessRights, 'Changes are made by registration, not by LDAP.'))
    this.#send(sink, id, { op: request.op, result })
    this.#report({ operation: request.op, code: result.code, dn: request.target })
  }
}

const nothing = Buffer.alloc(0)

function controlRefusal(controls: LdapMessage<LdapRequest>['controls']): LdapResult | undefined {
  const read = serverControls(controls, false)
  return 'code' in read ? read : undefined
}

/** The value of a cancel request (RFC 3909), for clients. */
export function cancelValue(target: number): Buffer {
  const id = integer(target)
  return octetString(id, tags.sequence)
}
