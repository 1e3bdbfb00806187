import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import {
  decodeResponse,
  encodeRequest,
  type LdapMessage,
  type LdapResponse,
  oids,
  PduSplitter,
  parseFilter,
  type SearchRequest,
} from '@openspine/standards/ldap'
import type { Sandbox } from './sandbox.ts'

/** How a connection ended: everything that was said on it, and what broke it off. */
export interface LdapEnd {
  readonly messages: readonly LdapMessage<LdapResponse>[]
  /** Code of the notice of disconnection, where one came. */
  readonly notice?: number
  /** Error code, where the connection was not closed in an orderly way. */
  readonly refused?: string
}

export type SearchChange = Partial<Omit<SearchRequest, 'op' | 'filter'>> & { readonly filter?: string }

/** The bytes of a search; by default for the consumer's own system. */
export function searchBytes({ filter = '(uniqueIdentifier=200000100000)', ...change }: SearchChange, id = 1): Buffer {
  return encodeRequest({
    id,
    operation: {
      op: 'search',
      base: 'ou=Services,o=nhs',
      scope: 2,
      derefAliases: 0,
      sizeLimit: 0,
      timeLimit: 0,
      typesOnly: false,
      filter: parseFilter(filter),
      attributes: ['nhsIDCode'],
      ...change,
    },
    controls: [],
  })
}

/** One LDAP connection over TLS on which bytes are sent as they are. */
export class LdapConnection {
  readonly socket: TLSSocket
  readonly messages: LdapMessage<LdapResponse>[] = []
  readonly #splitter = new PduSplitter(1 << 24)
  readonly #closed: Promise<void>
  #refused: string | undefined
  #read = 0
  #over = false
  #wake: (() => void) | undefined

  private constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk)
      for (let pdu = this.#splitter.next(); pdu !== undefined; pdu = this.#splitter.next())
        this.messages.push(decodeResponse(pdu))
      this.#wake?.()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#refused ??= error.code ?? error.message
    })
    this.#closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.#over = true
        this.#wake?.()
        resolve()
      }),
    )
  }

  static async open(url: string, tls: ConnectionOptions): Promise<LdapConnection> {
    const { port } = new URL(url)
    const socket = connect({ host: '127.0.0.1', port: Number(port), servername: 'localhost', ...tls })
    const connection = new LdapConnection(socket)
    await once(socket, 'secureConnect')
    return connection
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  search(change: SearchChange, id = 1): void {
    this.send(searchBytes(change, id))
  }

  /** The next message; undefined when the connection ends first. */
  async next(): Promise<LdapMessage<LdapResponse> | undefined> {
    while (this.#read >= this.messages.length) {
      if (this.#over) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = () => {
          this.#wake = undefined
          resolve()
        }
      })
    }
    return this.messages[this.#read++]
  }

  /** The next final result and the number of entries before it; undefined when the connection ends first. */
  async result(): Promise<{ readonly code: number; readonly matchedDn: string; readonly entries: number } | undefined> {
    for (let entries = 0; ; ) {
      const operation = (await this.next())?.operation
      if (operation === undefined) return undefined
      if (operation.op === 'entry') entries++
      else if ('result' in operation) {
        const { code, matchedDn } = operation.result
        return { code, matchedDn, entries }
      }
    }
  }

  /** Waits until the other side has closed. */
  async end(): Promise<LdapEnd> {
    await this.#closed
    const notice = this.messages.find(({ id }) => id === 0)?.operation
    return {
      messages: this.messages,
      ...(notice?.op === 'extended' && notice.oid === oids.noticeOfDisconnection ? { notice: notice.result.code } : {}),
      ...(this.#refused === undefined ? {} : { refused: this.#refused }),
    }
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** A connection to the directory, with the consumer's certificate unless another is given. */
export function directoryConnection(
  { spine, material }: Pick<Sandbox, 'spine' | 'material'>,
  tls: ConnectionOptions = material,
): Promise<LdapConnection> {
  return LdapConnection.open(String(spine.urls['directory']), tls)
}
