import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Control,
  decodeResponse,
  encodeRequest,
  type LdapMessage,
  type LdapResponse,
  oids,
  PduSplitter,
} from '@openspine/standards/ldap'

/** A client of the wire: keeps what it is told. */
export class WireClient {
  readonly socket: Socket
  messages: LdapMessage<LdapResponse>[] = []
  readonly closed: Promise<void>
  readonly #splitter = new PduSplitter(1 << 24)
  #wake: (() => void) | undefined
  #id = 0

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk)
      for (let pdu = this.#splitter.next(); pdu !== undefined; pdu = this.#splitter.next())
        this.messages.push(decodeResponse(pdu))
      this.#wake?.()
    })
    socket.on('error', () => {})
    this.closed = once(socket, 'close').then(() => this.#wake?.())
  }

  get results(): LdapMessage<LdapResponse>[] {
    return this.messages.filter(({ operation }) => operation.op === 'done')
  }

  /** The code of the notice of disconnection, if one came. */
  get notice(): number | undefined {
    const last = this.messages.find(({ id }) => id === 0)?.operation
    return last?.op === 'extended' && last.oid === oids.noticeOfDisconnection ? last.result.code : undefined
  }

  async until(there: () => boolean): Promise<void> {
    while (!there()) {
      if (this.socket.closed) throw new Error('the connection closed first')
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** One operation to its end. Attributes stand in the order of their names, as servers order them differently. */
  async ask(
    operation: Parameters<typeof encodeRequest>[0]['operation'],
    controls: readonly Control[] = [],
  ): Promise<Answer> {
    const id = ++this.#id
    this.messages = []
    this.socket.write(encodeRequest({ id, operation, controls }))
    const last = () => this.messages.find((message) => message.id === id && 'result' in message.operation)
    await this.until(() => last() !== undefined)
    const end = last()
    if (end === undefined || !('result' in end.operation)) throw new Error('no result')
    const { code, matchedDn } = end.operation.result
    const entries = this.messages.flatMap(({ operation: each }) =>
      each.op === 'entry'
        ? [
            {
              dn: each.dn,
              attributes: Object.fromEntries(
                each.attributes
                  .map(({ name, values }) => [name, values.map(String)] as const)
                  .sort(([a], [b]) => (a < b ? -1 : 1)),
              ),
            },
          ]
        : [],
    )
    return { code, matchedDn, entries, controls: end.controls }
  }
}

export interface Answer {
  readonly code: number
  readonly matchedDn: string
  readonly entries: readonly { readonly dn: string; readonly attributes: Readonly<Record<string, readonly string[]>> }[]
  /** Of the final response. */
  readonly controls: readonly Control[]
}

/** A client without TLS. */
export async function plainClient(port: number): Promise<WireClient> {
  const socket = connect({ port, host: '127.0.0.1' })
  const client = new WireClient(socket)
  await once(socket, 'connect')
  return client
}
