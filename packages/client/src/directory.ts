import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { SpineError } from '@openspine/standards/error'
import {
  decodeResponse,
  encodeRequest,
  type LdapResponse,
  type LdapResult,
  PduSplitter,
  parseFilter,
} from '@openspine/standards/ldap'
import type { ClientTls } from './settings.ts'

export interface DirectoryEntry {
  readonly dn: string
  /** Attribute name in lower case → values in the order of the server. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

export interface Directory {
  /** Whole subtree below `base`. */
  search(query: {
    readonly base: string
    readonly filter: string
    readonly attributes: readonly string[]
  }): Promise<readonly DirectoryEntry[]>
  close(): Promise<void>
}

/** More than any look-up needs; a larger PDU or a longer answer is an error, not a way to fill memory. */
const largestPdu = 1024 * 1024
const mostEntries = 10_000

/**
 * The directory over LDAPS, on one connection that is opened when it is first needed, opened again when it
 * broke, and shared by all searches. Anonymous: the client certificate is the identity.
 */
export function ldapDirectory(options: {
  readonly url: string | undefined
  readonly tls: ClientTls | undefined
  readonly timeoutMs: number
  readonly retries: number
  readonly sleep: (ms: number) => Promise<void>
}): Directory {
  let connection: Promise<LdapConnection> | undefined
  const open = async (): Promise<LdapConnection> => {
    if (!options.url)
      throw new SpineError(
        'CLIENT_SETTING_MISSING',
        { setting: 'directoryUrl' },
        { explanation: 'The client setting directoryUrl is needed for this.' },
      )
    const current = connection && (await connection.catch(() => undefined))
    if (current?.usable) return current
    connection = LdapConnection.open(new URL(options.url), options.tls, options.timeoutMs)
    return connection
  }
  return {
    async search(query) {
      for (let retries = 0; ; retries++) {
        try {
          return await (await open()).search(query)
        } catch (error) {
          if (!(error instanceof ConnectionLost)) throw error
          if (retries >= options.retries) throw unreachable(options.url ?? '', error)
          await options.sleep(200 * 2 ** retries)
        }
      }
    },
    async close() {
      const current = connection && (await connection.catch(() => undefined))
      await current?.close()
    },
  }
}

/** The connection, not the question, failed: asking again may help. */
class ConnectionLost extends Error {
  readonly reason: string
  constructor(reason: string, cause?: unknown) {
    super(`the connection to the directory was lost: ${reason}`, { cause })
    this.reason = reason
  }
}

function unreachable(url: string, lost: ConnectionLost): SpineError {
  return new SpineError(
    'CLIENT_UNREACHABLE',
    { origin: url, reason: lost.reason },
    {
      cause: lost,
      explanation: `The directory ${url} could not be reached: ${lost.reason}. It closes the connection when the client certificate is missing, expired, revoked or of another environment.`,
    },
  )
}

interface Pending {
  readonly entries: DirectoryEntry[]
  settle(result: LdapResult): void
  fail(error: Error): void
}

class LdapConnection {
  readonly #socket: Socket
  readonly #pending = new Map<number, Pending>()
  readonly #timeoutMs: number
  #lastId = 0
  #lost: ConnectionLost | undefined

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    const splitter = new PduSplitter(largestPdu)
    socket.on('data', (chunk: Buffer) => {
      try {
        splitter.push(chunk)
        for (let pdu = splitter.next(); pdu !== undefined; pdu = splitter.next()) {
          const message = decodeResponse(pdu)
          this.#receive(message.id, message.operation)
        }
      } catch (error) {
        socket.destroy()
        this.#lose('it sent what is not LDAP', error)
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lose(error.code ?? error.message, error))
    socket.on('close', () => this.#lose('it closed the connection'))
  }

  static async open(url: URL, tls: ClientTls | undefined, timeoutMs: number): Promise<LdapConnection> {
    const secure = url.protocol === 'ldaps:'
    const host = url.hostname
    const port = Number(url.port) || (secure ? 636 : 389)
    const socket = secure
      ? connectTls({
          host,
          port,
          servername: /^[\d.]+$|:/.test(host) ? '' : host,
          rejectUnauthorized: true,
          ...(tls?.ca === undefined ? {} : { ca: typeof tls.ca === 'string' ? tls.ca : [...tls.ca] }),
          ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
          ...(tls?.key === undefined ? {} : { key: tls.key }),
        })
      : connectPlain({ host, port })
    socket.setNoDelay(true)
    const timer = setTimeout(() => socket.destroy(new Error('timed out')), timeoutMs)
    try {
      await once(socket, secure ? 'secureConnect' : 'connect')
    } catch (error) {
      throw new ConnectionLost((error as NodeJS.ErrnoException).code ?? (error as Error).message, error)
    } finally {
      clearTimeout(timer)
    }
    return new LdapConnection(socket, timeoutMs)
  }

  get usable(): boolean {
    return this.#lost === undefined
  }

  async search(query: {
    readonly base: string
    readonly filter: string
    readonly attributes: readonly string[]
  }): Promise<readonly DirectoryEntry[]> {
    if (this.#lost) throw this.#lost
    this.#lastId = (this.#lastId % 0x7fffffff) + 1
    const id = this.#lastId
    const entries: DirectoryEntry[] = []
    const result = await new Promise<LdapResult>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(
          new SpineError(
            'CLIENT_TIMEOUT',
            {},
            { explanation: `The directory did not answer within ${this.#timeoutMs / 1000} s.` },
          ),
        )
      }, this.#timeoutMs)
      this.#pending.set(id, {
        entries,
        settle: (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        fail: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#socket.write(
        encodeRequest({
          id,
          operation: {
            op: 'search',
            base: query.base,
            scope: 2,
            derefAliases: 0,
            sizeLimit: mostEntries,
            timeLimit: Math.ceil(this.#timeoutMs / 1000),
            typesOnly: false,
            filter: parseFilter(query.filter),
            attributes: query.attributes,
          },
          controls: [],
        }),
      )
    })
    // noSuchObject: the base is not there, so nothing is below it.
    if (result.code !== 0 && result.code !== 32) {
      throw new SpineError(
        'CLIENT_DIRECTORY',
        { code: result.code, diagnostic: result.diagnostic },
        {
          explanation: `The directory answered with result ${result.code}${result.diagnostic ? `: ${result.diagnostic}` : ''}.`,
        },
      )
    }
    return entries
  }

  #receive(id: number, response: LdapResponse): void {
    // Message 0 is the notice of disconnection (RFC 4511 §4.4.1): the connection ends with it.
    if (id === 0) {
      this.#socket.destroy()
      this.#lose(
        'result' in response && response.result.diagnostic !== ''
          ? response.result.diagnostic
          : 'it gave notice of disconnection',
      )
      return
    }
    const pending = this.#pending.get(id)
    if (!pending) return
    if (response.op === 'entry') {
      pending.entries.push({
        dn: response.dn,
        attributes: Object.fromEntries(
          response.attributes.map(({ name, values }) => [
            name.toLowerCase(),
            values.map((value) => value.toString('utf8')),
          ]),
        ),
      })
    } else if ('result' in response) {
      this.#pending.delete(id)
      pending.settle(response.result)
    }
  }

  #lose(reason: string, cause?: unknown): void {
    this.#lost ??= new ConnectionLost(reason, cause)
    for (const pending of this.#pending.values()) pending.fail(this.#lost)
    this.#pending.clear()
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    // A connection that breaks while it is closed is closed.
    const closed = once(this.#socket, 'close').catch(() => undefined)
    this.#socket.end(encodeRequest({ id: (this.#lastId % 0x7fffffff) + 1, operation: { op: 'unbind' }, controls: [] }))
    const timer = setTimeout(() => this.#socket.destroy(), 500)
    await closed
    clearTimeout(timer)
  }
}
