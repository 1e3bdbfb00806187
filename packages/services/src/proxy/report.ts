import type { AuditRecord } from '@openspine/platform/audit'
import { passed } from './explain.ts'

/** What a volumetric report (§2.11) may be broken down by. */
export const dimensions = ['provider', 'consumer', 'interaction', 'day'] as const
export type ReportDimension = (typeof dimensions)[number]

/** What a row is about: one member for each dimension that was asked for. */
export interface ReportGroup {
  /** Undefined where the request named no system of the directory: whoever made it up gets no row. */
  readonly provider?: SystemName | undefined
  /** Undefined where the certificate did not prove who sent the request. */
  readonly consumer?: SystemName | undefined
  /** Undefined where the sender is not registered for it: anybody can write a name into a header. */
  readonly interaction?: string | undefined
  /** The day on which the request began, UTC. */
  readonly day?: string
}

export interface SystemName {
  readonly odsCode: string
  readonly asid: string
}

/** Milliseconds. Quantiles have two significant digits; mean and greatest are exact. */
export interface Times {
  readonly mean: number
  readonly median: number
  readonly p95: number
  readonly greatest: number
}

export interface ReportRow {
  readonly group: ReportGroup
  /** Every request of which there is a record, refused ones too. */
  readonly requests: number
  /** The provider's answer passed on whole. */
  readonly relayed: number
  /** Of these, answers with a status from 200 to 299. */
  readonly successful: number
  /** Refused by the proxy; the provider never saw them. */
  readonly refused: number
  /** Admitted, but the exchange with the provider failed. */
  readonly failed: number
  /** The consumer left before the end (499). */
  readonly consumerLeft: number
  /** Closed without an answer (444), or answered by the proxy (OPTIONS). */
  readonly other: number
  /** Requests by status. */
  readonly statuses: Readonly<Record<string, number>>
  /** Body bytes from consumers, and to them, as they came: the framing of chunks is in them. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** From the request's departure to the first byte of the provider's answer; absent where there was none. */
  readonly firstByteMs?: Times
  /** From the first byte of a request to the end of its answer. */
  readonly totalMs?: Times
}

type Facts = AuditRecord['facts']

/** Adds audit records up. What it holds grows with the groups, not with the records. */
export class ProxyReport {
  readonly #by: readonly ReportDimension[]
  readonly #rows = new Map<string, Sum>()
  #all = new Sum({})

  constructor(by: readonly ReportDimension[]) {
    this.#by = by
  }

  /** A record of the event `proxy.request`; others do not belong here. */
  add({ at, facts }: Pick<AuditRecord, 'at' | 'facts'>): void {
    const group = Object.fromEntries(this.#by.map((name) => [name, keys[name](facts, at)])) as ReportGroup
    const key = JSON.stringify(this.#by.map((name) => group[name] ?? null))
    let sum = this.#rows.get(key)
    if (sum === undefined) {
      sum = new Sum(group)
      this.#rows.set(key, sum)
    }
    sum.add(facts)
    this.#all.add(facts)
  }

  /** In the order of the dimensions; what is not known stands last. */
  rows(): ReportRow[] {
    const place = (row: ReportRow) => this.#by.map((name) => sortKey(row.group[name]))
    return [...this.#rows.values()]
      .map((sum) => sum.row())
      .map((row) => ({ row, place: place(row) }))
      .sort((a, b) => compare(a.place, b.place))
      .map(({ row }) => row)
  }

  /** All rows together. */
  total(): ReportRow {
    return this.#all.row()
  }
}

const keys: { readonly [name in ReportDimension]: (facts: Facts, at: number) => SystemName | string | undefined } = {
  provider: (facts) => systemName(facts['receiverOds'], facts['to']),
  consumer: (facts) =>
    passed(facts, 'sender-certificate') ? systemName(facts['senderOds'], facts['from']) : undefined,
  interaction: (facts) =>
    passed(facts, 'sender-interaction') && typeof facts['interaction'] === 'string' ? facts['interaction'] : undefined,
  day: (_facts, at) => new Date(at).toISOString().slice(0, 10),
}

function systemName(odsCode: unknown, asid: unknown): SystemName | undefined {
  return typeof odsCode === 'string' && typeof asid === 'string' ? { odsCode, asid } : undefined
}

/** Behind every text where there is none. */
function sortKey(value: SystemName | string | undefined): string {
  if (value === undefined) return '\uffff'
  return typeof value === 'string' ? value : `${value.odsCode} ${value.asid}`
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (const [i, one] of a.entries()) {
    const other = b[i] ?? ''
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}

const counted = ['relayed', 'refused', 'failed'] as const

class Sum {
  readonly #group: ReportGroup
  #requests = 0
  readonly #endings = new Map<string, number>()
  readonly #statuses = new Map<number, number>()
  #successful = 0
  #bytesIn = 0
  #bytesOut = 0
  readonly #firstByte = new Spread()
  readonly #total = new Spread()

  constructor(group: ReportGroup) {
    this.#group = group
  }

  add(facts: Facts): void {
    const { ending, status, bytesIn, bytesOut, firstByteMs, totalMs } = facts
    this.#requests++
    if (typeof ending === 'string') this.#endings.set(ending, (this.#endings.get(ending) ?? 0) + 1)
    if (typeof status === 'number') {
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
      if (ending === 'relayed' && status >= 200 && status < 300) this.#successful++
    }
    if (typeof bytesIn === 'number') this.#bytesIn += bytesIn
    if (typeof bytesOut === 'number') this.#bytesOut += bytesOut
    if (typeof firstByteMs === 'number') this.#firstByte.add(firstByteMs)
    if (typeof totalMs === 'number') this.#total.add(totalMs)
  }

  row(): ReportRow {
    const [relayed = 0, refused = 0, failed = 0] = counted.map((name) => this.#endings.get(name) ?? 0)
    const consumerLeft = this.#endings.get('consumer-left') ?? 0
    const firstByteMs = this.#firstByte.times()
    const totalMs = this.#total.times()
    return {
      group: this.#group,
      requests: this.#requests,
      relayed,
      successful: this.#successful,
      refused,
      failed,
      consumerLeft,
      other: this.#requests - relayed - refused - failed - consumerLeft,
      statuses: Object.fromEntries([...this.#statuses].sort(([a], [b]) => a - b)),
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(totalMs === undefined ? {} : { totalMs }),
    }
  }
}

/** Durations, counted by their first two digits: a few hundred counters hold any number of them. */
class Spread {
  readonly #counts = new Map<number, number>()
  #n = 0
  #sum = 0
  #greatest = 0

  add(ms: number): void {
    const value = Math.max(0, Math.round(ms))
    const unit = value < 100 ? 1 : 10 ** (String(value).length - 2)
    const bucket = Math.floor(value / unit) * unit
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
    this.#n++
    this.#sum += ms
    this.#greatest = Math.max(this.#greatest, ms)
  }

  times(): Times | undefined {
    if (this.#n === 0) return undefined
    const sorted = [...this.#counts].sort(([a], [b]) => a - b)
    const quantile = (share: number): number => {
      let left = Math.ceil(share * this.#n)
      for (const [value, count] of sorted) {
        left -= count
        if (left <= 0) return value
      }
      return this.#greatest
    }
    return {
      mean: Math.round((this.#sum / this.#n) * 10) / 10,
      median: quantile(0.5),
      p95: quantile(0.95),
      greatest: this.#greatest,
    }
  }
}
