import { once } from 'node:events'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/** One HTTP/1.1 answer, read by hand and without leniency. */
export interface RawAnswer {
  readonly status: number
  readonly reason: string
  /** Names in lower case; every value that came. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: Buffer
}

export const header = (answer: RawAnswer, name: string): string | undefined => answer.headers.get(name)?.join(', ')
export const json = (answer: RawAnswer): unknown => JSON.parse(answer.body.toString('utf8'))

/**
 * One TLS connection on which bytes are sent as they are: no client library between a hostile request and
 * the wire. Answers are read strictly, so that a server's unsound answer fails the test that meets it.
 */
export class RawConnection {
  readonly socket: TLSSocket
  /** Resolves when the connection is gone, however that came about. */
  readonly closed: Promise<void>
  #bytes = Buffer.alloc(0)
  #ended = false
  #wake: (() => void) | undefined

  private constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
    const over = () => {
      this.#ended = true
      this.#wake?.()
    }
    socket.on('end', over)
    socket.on('error', over)
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        over()
        resolve()
      }),
    )
  }

  /** Rejects when the handshake fails. */
  static async open(url: string, tls: ConnectionOptions & { localAddress?: string } = {}): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), servername: 'localhost', ...tls })
    socket.setNoDelay(true)
    const connection = new RawConnection(socket)
    await once(socket, 'secureConnect')
    return connection
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** The next whole answer (interim ones are passed over), without a body where it answers HEAD; undefined when the connection ends before one began. */
  async answer(to?: 'HEAD'): Promise<RawAnswer | undefined> {
    let end = this.#bytes.indexOf('\r\n\r\n')
    while (end < 0) {
      if (this.#ended) {
        if (this.#bytes.length > 0) throw new Error(`broken off in the head: ${this.#bytes.toString('latin1')}`)
        return undefined
      }
      await this.#more()
      end = this.#bytes.indexOf('\r\n\r\n')
    }
    const [first = '', ...lines] = this.#bytes.toString('latin1', 0, end).split('\r\n')
    this.#bytes = this.#bytes.subarray(end + 4)
    const start = /^HTTP\/1\.1 (\d{3}) ([\x20-\x7e]*)$/.exec(first)
    if (!start) throw new Error(`not a status line: ${first}`)
    const headers = new Map<string, string[]>()
    for (const line of lines) {
      const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
      if (!field) throw new Error(`not a header line: ${line}`)
      const name = (field[1] ?? '').toLowerCase()
      headers.set(name, [...(headers.get(name) ?? []), field[2] ?? ''])
    }
    const status = Number(start[1])
    if (status < 200) return this.answer(to)
    return {
      status,
      reason: start[2] ?? '',
      headers,
      body: to === 'HEAD' ? Buffer.alloc(0) : await this.#body(status, headers),
    }
  }

  /** Bytes that came and belong to no answer that was read. */
  get left(): string {
    return this.#bytes.toString('latin1')
  }

  async #body(status: number, headers: ReadonlyMap<string, readonly string[]>): Promise<Buffer> {
    if (status === 204 || status === 304) return Buffer.alloc(0)
    if (headers.get('transfer-encoding')?.join() === 'chunked') {
      const chunks: Buffer[] = []
      for (;;) {
        const size = Number.parseInt((await this.#line()).toString('latin1'), 16)
        const chunk = await this.#take(size + 2)
        if (size === 0) return Buffer.concat(chunks)
        chunks.push(chunk.subarray(0, size))
      }
    }
    const [length] = headers.get('content-length') ?? []
    if (length !== undefined) return this.#take(Number(length))
    while (!this.#ended) await this.#more()
    const rest = this.#bytes
    this.#bytes = Buffer.alloc(0)
    return rest
  }

  async #line(): Promise<Buffer> {
    for (;;) {
      const end = this.#bytes.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#bytes.subarray(0, end)
        this.#bytes = this.#bytes.subarray(end + 2)
        return line
      }
      if (this.#ended) throw new Error('broken off in the body')
      await this.#more()
    }
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#bytes.length < length) {
      if (this.#ended) throw new Error(`broken off in the body: ${this.#bytes.length} of ${length} bytes`)
      await this.#more()
    }
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return taken
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
    })
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.socket.destroy()
  }
}

/** One request on a connection of its own: its answer, and whether the server then ended the connection by itself. */
export async function ask(url: string, tls: ConnectionOptions, bytes: string | Uint8Array): Promise<RawAnswer> {
  const connection = await RawConnection.open(url, tls)
  try {
    connection.send(bytes)
    const answer = await connection.answer()
    if (answer === undefined) throw new Error('closed without an answer')
    return answer
  } finally {
    connection.destroy()
  }
}
