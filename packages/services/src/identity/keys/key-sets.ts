import type { Clock } from '@openspine/platform/clock'
import { type KeySetReading, type PublicKey, readKeySet } from '@openspine/standards/jose'
import { type Fetch, FetchFault } from './fetch.ts'

/** What is known of a key set at the time of a look-up. */
export interface KeyLookup {
  /** Keys with the id that was asked for: several when the set repeats it, none when it is not there. */
  readonly found: readonly PublicKey[]
  /** Ids in the set. */
  readonly kids: readonly string[]
  /** When the set was fetched; undefined for one that is held here. */
  readonly fetchedAt: number | undefined
  /** Why keys of the set are not used, and why the last fetch failed, in sentences. */
  readonly remarks: readonly string[]
}

export interface KeySets {
  /** From the cache while it lasts; throws `FetchFault` when there is neither an answer nor an old one. */
  at(url: string, kid: string, lifeMs: number): Promise<KeyLookup>
  /** From the text of a set; throws `FetchFault` when it is none. */
  held(text: string, kid: string): KeyLookup
}

interface Entry {
  readonly keys: Extract<KeySetReading, { ok: true }>
  readonly fetchedAt: number
}

interface Source {
  entry?: Entry
  /** When a fetch was begun last, and why it failed if it did. */
  triedAt?: number
  /** When a key id that was not there had the set fetched again: nothing else counts against the next such fetch. */
  refetchedAt?: number
  fault?: FetchFault
  fetching?: Promise<void>
}

const refetchMs = 60_000
/** A server that fails is left alone so long, when there are no older keys of it. */
const failingMs = 1_000
/** Keys of a server that is down are used no longer than this. */
const stalestMs = 24 * 3_600_000
const mostSources = 10_000

/**
 * Key sets by URL, cached (§2.6, §2.4 step 5). An unknown key id has the set fetched again at once, at most once a minute; of
 * several look-ups at once one fetches. While a server is down the keys that it gave before are used.
 */
export function keySets(needs: { readonly fetch: Fetch; readonly clock: Clock; readonly refetch: boolean }): KeySets {
  const { fetch, clock } = needs
  const sources = new Map<string, Source>()
  const texts = new Map<string, KeySetReading>()

  async function load(url: string, source: Source): Promise<void> {
    source.triedAt = clock.now()
    try {
      const { status, body } = await fetch({ url, headers: { accept: 'application/jwk-set+json, application/json' } })
      if (status < 200 || status > 299) throw new FetchFault(`The server answered with status ${status}.`)
      const keys = readKeySet(body.toString('utf8'))
      if (!keys.ok) throw new FetchFault(keys.fault)
      source.entry = { keys, fetchedAt: clock.now() }
      delete source.fault
    } catch (error) {
      source.fault =
        error instanceof FetchFault ? error : new FetchFault('The key set cannot be fetched.', { cause: error })
    }
  }

  /** One at a time for a URL: who comes meanwhile waits for the same answer. */
  const fetchOnce = (url: string, source: Source) => {
    source.fetching ??= load(url, source).finally(() => {
      delete source.fetching
    })
    return source.fetching
  }

  function sourceOf(url: string): Source {
    const source = sources.get(url) ?? {}
    // Most recently used last: the first is the one to forget.
    sources.delete(url)
    sources.set(url, source)
    if (sources.size > mostSources) sources.delete(sources.keys().next().value as string)
    return source
  }

  return {
    async at(url, kid, lifeMs) {
      const source = sourceOf(url)
      const now = clock.now()
      const since = now - (source.triedAt ?? Number.NEGATIVE_INFINITY)
      const age = now - (source.entry?.fetchedAt ?? Number.NEGATIVE_INFINITY)
      if (source.fetching !== undefined && (source.entry === undefined || age >= lifeMs)) await source.fetching
      else if (source.entry === undefined ? since >= failingMs : age >= lifeMs && since >= refetchMs)
        await fetchOnce(url, source)
      else if (source.fetching !== undefined && matching(source.entry, kid).length === 0) await source.fetching
      else if (needs.refetch && matching(source.entry, kid).length === 0 && mayRefetch(source, now)) {
        source.refetchedAt = now
        await fetchOnce(url, source)
      }
      const { entry, fault } = source
      if (entry === undefined || clock.now() - entry.fetchedAt > Math.max(stalestMs, lifeMs))
        throw fault ?? new FetchFault('The key set cannot be fetched.')
      const remarks = fault === undefined ? [] : [`The last fetch failed: ${fault.message}`]
      return told(entry.keys, kid, entry.fetchedAt, remarks)
    },
    held(text, kid) {
      const keys = texts.get(text) ?? readKeySet(text)
      texts.delete(text)
      texts.set(text, keys)
      if (texts.size > mostSources) texts.delete(texts.keys().next().value as string)
      if (!keys.ok) throw new FetchFault(keys.fault)
      return told(keys, kid, undefined, [])
    },
  }
}

const mayRefetch = ({ refetchedAt }: Source, now: number) => refetchedAt === undefined || now - refetchedAt >= refetchMs

const matching = (entry: Entry | undefined, kid: string) => entry?.keys.keys.filter((each) => each.kid === kid) ?? []

function told(
  { keys, unused }: Entry['keys'],
  kid: string,
  fetchedAt: number | undefined,
  remarks: readonly string[],
): KeyLookup {
  return {
    found: keys.filter((each) => each.kid === kid),
    kids: keys.flatMap((each) => each.kid ?? []),
    fetchedAt,
    remarks: [...remarks, ...unused.map((each) => `Key ${JSON.stringify(each.kid ?? '')} is not used: ${each.reason}`)],
  }
}
