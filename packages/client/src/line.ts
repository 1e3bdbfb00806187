import { SpineError } from '@openspine/standards/error'
import type { Demographics } from './demographics.ts'
import type { Directory } from './directory.ts'
import type { HttpClient } from './http.ts'
import type { Lookup, LookupQuery } from './lookup.ts'
import type { ClientSettings, Practitioner } from './settings.ts'

/** What each operation works with. */
export interface ClientLine {
  readonly settings: ClientSettings
  readonly practitioner: Practitioner
  readonly http: HttpClient
  readonly directory: Directory
  readonly now: () => number
  readonly uuid: () => string
  /** Whom this session traced, by NHS number: what a provider's answer is compared with. */
  readonly traced: Map<string, Demographics>
  readonly lookup: (query: LookupQuery) => Promise<Lookup>
}

/** A setting that this operation cannot do without. */
export function needed<Name extends keyof ClientSettings>(
  settings: ClientSettings,
  name: Name,
): NonNullable<ClientSettings[Name]> {
  const value = settings[name]
  if (value === undefined || value === '') {
    throw new SpineError(
      'CLIENT_SETTING_MISSING',
      { setting: name },
      { explanation: `The client setting ${name} is needed for this.` },
    )
  }
  return value
}
