import pg from 'pg'
import type { Logger } from '../log.ts'
import type { Store } from './store.ts'

/** The channel of `NOTIFY`; its payload is the topic. */
export const channel = 'openspine'
const pollMs = 1_000
/** What a topic is made of: nothing that would need quoting, and short enough for a NOTIFY. */
const topicForm = /^[\w.:/@-]{1,200}$/

/** The statement that carries a topic to other processes. */
export function announcement(topic: string): string {
  return `notify ${channel}, '${topic}'`
}

/** The topics of such statements, joined by `;`; undefined when it is anything else. */
export function readAnnouncements(statements: string): readonly string[] | undefined {
  const topics = statements.split(';').map((statement) => /^notify openspine, '([^']*)'$/.exec(statement)?.[1])
  return topics.every((topic) => topic !== undefined && topicForm.test(topic)) ? topics.map(String) : undefined
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
      if (!topicForm.test(topic)) throw new TypeError('a topic is a short word of letters, digits and . : / @ - _')
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
  /** Topics to tell the others as soon as the connection is free. */
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
      await connection.query(topics.map(announcement).join(';'))
    } catch {
      for (const topic of topics) untold.add(topic)
    }
    telling = false
    if (client === connection) void tellAll()
  }
  const announcer = makeAnnouncer(log, (topic) => {
    untold.add(topic)
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
      if (payload && processId !== connection.processID) announcer.wake(payload)
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
