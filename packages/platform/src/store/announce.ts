import pg from 'pg'
import type { Logger } from '../log.ts'
import type { Store } from './store.ts'

/** The channel of `NOTIFY`; its payload is the topic. */
export const channel = 'openspine'
const pollMs = 1_000
/** A NOTIFY takes 8 000 bytes; a longer topic reaches other processes by their poll alone. */
const longestTopic = 2_000

/** How a topic travels: percent-encoded, so that nothing in it needs quoting. */
export function encodeTopic(topic: string): string {
  return encodeURIComponent(topic.toWellFormed()).replaceAll("'", '%27')
}

/** Undefined for what no process of ours can have sent. */
export function decodeTopic(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}

/** The statements that tell these encoded topics to other processes. */
function announcements(encoded: readonly string[]): string {
  return encoded.map((topic) => `notify ${channel}, '${topic}'`).join(';')
}

/** The encoded topics of such statements; undefined when it is anything else. */
export function readAnnouncements(statements: string): readonly string[] | undefined {
  const topics = statements.split(';').map((statement) => /^notify openspine, '([^']+)'$/.exec(statement)?.[1])
  return topics.every((topic) => topic !== undefined && topic.length <= longestTopic) ? topics.map(String) : undefined
}

export interface Announcer extends Pick<Store, 'announce' | 'onAnnounced'> {
  /** Something was announced elsewhere. */
  wake(topic: string): void
  close(): Promise<void>
}

/**
 * Wake-ups within this process, at once and by a poll every second; `tell` carries a topic to other
 * processes, once however often it was announced in the same turn.
 */
export function makeAnnouncer(log: Logger, tell: (topic: string) => void = () => {}): Announcer {
  const listeners = new Map<string, Set<() => void>>()
  const pending = new Set<string>()
  let closed = false

  const call = (wake: () => void) => {
    try {
      wake()
    } catch (error) {
      log.error({ err: error }, 'a listener of the store failed')
    }
  }
  const wake = (topic: string) => {
    for (const listener of [...(listeners.get(topic) ?? [])]) call(listener)
  }
  const poll = setInterval(() => {
    for (const topic of [...listeners.keys()]) wake(topic)
  }, pollMs)
  poll.unref()

  return {
    announce(topic) {
      if (closed || pending.has(topic)) return
      pending.add(topic)
      queueMicrotask(() => {
        pending.delete(topic)
        if (closed) return
        wake(topic)
        tell(topic)
      })
    },
    onAnnounced(topic, listener) {
      const own = () => listener()
      const of = listeners.get(topic) ?? new Set()
      listeners.set(topic, of.add(own))
      return () => {
        of.delete(own)
        if (of.size === 0 && listeners.get(topic) === of) listeners.delete(topic)
      }
    },
    wake,
    async close() {
      closed = true
      clearInterval(poll)
      listeners.clear()
    },
  }
}

/**
 * The same across processes: one dedicated connection of this process listens and notifies. Losing it
 * means only that the poll does the work until it is back.
 */
export function makeSharedAnnouncer(config: pg.ClientConfig, log: Logger): Announcer {
  let client: pg.Client | undefined
  let ready = false
  let closed = false
  let retry: NodeJS.Timeout | undefined
  /** Encoded topics to tell the others as soon as the connection is free. */
  const untold = new Set<string>()

  // One statement at a time, with everything that was announced meanwhile.
  let telling = false
  const tellAll = async () => {
    const connection = client
    if (telling || !ready || !connection || untold.size === 0) return
    telling = true
    const topics = [...untold]
    untold.clear()
    try {
      await connection.query(announcements(topics))
      telling = false
      void tellAll()
    } catch {
      // Told with the next announcement, or by the next connection; the poll stands behind both.
      telling = false
      for (const topic of topics) untold.add(topic)
    }
  }
  const announcer = makeAnnouncer(log, (topic) => {
    const encoded = encodeTopic(topic)
    if (encoded === '' || encoded.length > longestTopic) return
    untold.add(encoded)
    void tellAll()
  })

  const connect = async () => {
    const connection: pg.Client & { readonly processID?: number | null } = new pg.Client({
      ...config,
      application_name: 'openspine wake-ups',
      keepAlive: true,
    })
    client = connection
    const lost = () => {
      if (client !== connection) return
      client = undefined
      ready = false
      if (closed) return
      retry = setTimeout(() => void connect(), pollMs)
      retry.unref()
    }
    connection.on('error', lost)
    connection.on('end', lost)
    connection.on('notification', ({ payload, processId }) => {
      // Our own come back too; they have been heard.
      const topic = payload && processId !== connection.processID ? decodeTopic(payload) : undefined
      if (topic !== undefined) announcer.wake(topic)
    })
    try {
      await connection.connect()
      await connection.query(`listen ${channel}`)
      ready = client === connection
      void tellAll()
    } catch (error) {
      log.debug({ reason: error instanceof Error ? error.message : String(error) }, 'no connection for wake-ups')
      connection.end().catch(() => {})
      lost()
    }
  }
  const first = connect()

  return {
    ...announcer,
    async close() {
      closed = true
      await announcer.close()
      clearTimeout(retry)
      await first
      const last = client
      client = undefined
      await last?.end().catch(() => {})
    },
  }
}
