import type { Connection, PoolClient } from 'pg'
import { Submitted } from './submitted.ts'

type Chunks = AsyncIterable<string>

/** Part of `pg`'s connection that its type declarations leave out. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sendCopyFail(reason: string): void
}

class CopyIn extends Submitted {
  readonly #statement: string
  readonly #chunks: Chunks

  constructor(statement: string, chunks: Chunks, settle: (error: unknown, rows: number) => void) {
    super(settle)
    this.#statement = statement
    this.#chunks = chunks
  }

  submit(connection: Connection): void {
    connection.query(this.#statement)
  }

  handleCopyInResponse(connection: CopyConnection): void {
    void this.#send(connection)
  }

  async #send(connection: CopyConnection): Promise<void> {
    const { stream } = connection
    try {
      for await (const chunk of this.#chunks) {
        if (this.failure !== undefined || stream.destroyed) return
        connection.sendCopyFromChunk(Buffer.from(chunk))
        if (stream.writableNeedDrain) await drained(stream)
      }
      connection.endCopyFrom()
    } catch (error) {
      // The rows' source failed: PostgreSQL takes back what it has read, and the caller gets the cause.
      this.failure ??= error
      connection.sendCopyFail('the source of the rows failed')
    }
  }
}

function drained(stream: Connection['stream']): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

/** Runs `COPY … FROM STDIN` with these pieces of text; answers the number of rows. All or nothing. */
export function copyIn(client: PoolClient, statement: string, chunks: Chunks): Promise<number> {
  return new Promise((resolve, reject) => {
    client.query(
      new CopyIn(statement, chunks, (error, rows) => {
        if (error === undefined) resolve(rows)
        else reject(error)
      }),
    )
  })
}
