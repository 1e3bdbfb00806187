/** Every scenario and story, and which obligations each shows. */
import type { Generation } from './obligation.ts'
import type { ObligationId } from './obligations.ts'
import { obligations } from './obligations.ts'
import { type Area, generationOf, type Scenario } from './scenario.ts'
import { appointments } from './scenarios/appointments.ts'
import { everyRequest } from './scenarios/every-request.ts'
import { foundations } from './scenarios/foundations.ts'
import { htmlBundle } from './scenarios/html-bundle.ts'
import { htmlMarkup } from './scenarios/html-markup.ts'
import { htmlRequests } from './scenarios/html-requests.ts'
import { htmlTables } from './scenarios/html-tables.ts'
import { identifiers } from './scenarios/identifiers.ts'
import { register } from './scenarios/register.ts'
import { structuredBundle } from './scenarios/structured-bundle.ts'
import { structuredItems } from './scenarios/structured-items.ts'
import { structuredRequests } from './scenarios/structured-requests.ts'
import { token } from './scenarios/token.ts'

/** By name, as tests and tables say it. */
export const areas: Readonly<Record<string, Area>> = {
  'Tokens (§3)': token,
  'Types, headers and order (§4.1, §4.2)': everyRequest,
  'Searches by identifier (§4.3)': identifiers,
  'Access Record HTML: requests (§7.1, §7.2)': htmlRequests,
  'Access Record HTML: tables (§7.3, §7.5, §7.6)': htmlTables,
  'Access Record HTML: markup and banners (§7.4)': htmlMarkup,
  'Access Record HTML: bundle and metadata (§7.7, §7.8)': htmlBundle,
  'Foundations (§8.1, §8.2)': foundations,
  'Registration of a patient (§8.3)': register,
  'Structured records: requests (§9.1)': structuredRequests,
  'Structured records: bundle and lists (§9.2)': structuredBundle,
  'Structured records: items and migration (§9.3 to §9.6)': structuredItems,
  'Interactions, appointments and documents (§6, §10, §11)': appointments,
}

/** Of every refusal, its outcome is held to the catalogue. */
const ofEveryRefusal = ['5.1-profile', '5.1-system', '5.1-severity', '5.1-one-coding'] as const

/** What a scenario names, and what every answer of its kind is held to besides. */
function shownBy({ shows, code, status }: Scenario): readonly string[] {
  if (code === undefined) return shows
  const row = status === 415 ? '5.2-415' : `5.2-${code.replace('ACCESS DENIED', 'ACCESS-DENIED')}`
  return [...shows, ...(status >= 400 ? ofEveryRefusal : []), ...(row in obligations ? [row] : [])]
}

export interface Showing {
  readonly area: string
  readonly name: string
  readonly generation: Generation
  readonly shows: readonly string[]
}

export const showings: readonly Showing[] = Object.entries(areas).flatMap(([area, { scenarios, stories }]) => [
  ...scenarios.map((scenario) => ({
    area,
    name: scenario.name,
    generation: generationOf(scenario.base),
    shows: shownBy(scenario),
  })),
  ...stories.map(({ name, generation, shows }) => ({ area, name, generation, shows })),
])

/** The scenarios that show an obligation in one line. */
export function shownIn(id: ObligationId, generation: Generation): readonly Showing[] {
  return showings.filter((showing) => showing.generation === generation && showing.shows.includes(id))
}
