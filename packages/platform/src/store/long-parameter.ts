import type { Connection, Pool, PoolClient } from 'pg'
import { Submitted } from './submitted.ts'

/** The statement `text` with one text ($1) and a long run of bytes ($2) as its parameters. */
class WithLongParameter extends Submitted {
  readonly #text: string
  readonly #name: string
  readonly #bytes: Uint8Array

  constructor(text: string, name: string, bytes: Uint8Array, settle: (error: unknown, rows: number) => void) {
    super(settle)
    this.#text = text
    this.#name = name
    this.#bytes = bytes
  }

  submit(connection: Connection): void {
    const { stream } = connection
    stream.cork()
    connection.parse({ name: '', text: this.#text, types: [] }, true)
    const name = Buffer.from(this.#name)
    const start = Buffer.alloc(1 + 4 + 1 + 1 + 2 + 2 * 2 + 2 + 4 + name.length + 4)
    start[0] = 0x42 // Bind; the portal and the statement have no names
    start.writeInt32BE(start.length - 1 + this.#bytes.length + anyResult.length, 1)
    start.writeInt16BE(2, 7) // formats: the first parameter is text, the second binary
    start.writeInt16BE(1, 11)
    start.writeInt16BE(2, 13)
    start.writeInt32BE(name.length, 15)
    name.copy(start, 19)
    start.writeInt32BE(this.#bytes.length, 19 + name.length)
    stream.write(start)
    stream.write(this.#bytes)
    stream.write(anyResult)
    connection.execute(null, true)
    connection.sync()
    stream.uncork()
  }
}

/** The end of a Bind: all columns of the result as text. */
const anyResult = Buffer.of(0, 1, 0, 0)

/**
 * Runs one statement that answers no rows, with a text as $1 and a long run of bytes as $2, and tells how many rows it
 * touched. `pg` copies a parameter twice into memory that it takes anew for each statement; this gives the bytes to the
 * socket as they are. They must stay as they are until the answer is there, and for good when it is an error.
 */
export async function runWithLongParameter(pool: Pool, text: string, name: string, bytes: Uint8Array): Promise<number> {
  const client: PoolClient = await pool.connect()
  let failure: unknown
  try {
    return await new Promise<number>((resolve, reject) => {
      const settle = (error: unknown, rows: number) => (error === undefined ? resolve(rows) : reject(error))
      client.query(new WithLongParameter(text, name, bytes, settle))
    })
  } catch (error) {
    failure = error
    throw error
  } finally {
    // As `Pool.query` does: after an error the connection is not used again.
    client.release(failure instanceof Error ? failure : failure !== undefined)
  }
}
