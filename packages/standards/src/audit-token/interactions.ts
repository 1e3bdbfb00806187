/** Which token an interaction wants (§6): variant, scope, and what a 0.x token must be about. */
import { serviceNamePrefix } from '../nhs/interactions.ts'
import type { RecordType } from './claims.ts'
import type { TokenVariant } from './rule.ts'
import type { TokenScope } from './scope.ts'

export interface InteractionToken {
  /** Any of these; the first is the usual one. */
  readonly variants: readonly TokenVariant[]
  /** Absent where the interaction itself does not fix it. */
  readonly scope?: TokenScope
  /** 0.x alone. */
  readonly recordType?: RecordType
  /** Record migration (1.6): the practitioner need not be named, and `conf/R` asks for what is sensitive. */
  readonly migrate: boolean
}

/** Below `urn:nhs:names:services:gpconnect:`, for 1.x. */
const laterInteractions: Readonly<Record<TokenScope, readonly string[]>> = {
  'organization/*.read': [
    'fhir:rest:read:metadata-1',
    'fhir:rest:search:practitioner-1',
    'fhir:rest:read:practitioner-1',
    'fhir:rest:search:organization-1',
    'fhir:rest:read:organization-1',
    'fhir:rest:read:location-1',
    'fhir:rest:search:healthcareservice-1',
    'fhir:rest:read:healthcareservice-1',
    'fhir:rest:search:slot-1',
    'structured:fhir:rest:read:metadata-1',
    'documents:fhir:rest:read:metadata-1',
  ],
  'patient/*.read': [
    'fhir:rest:search:patient-1',
    'fhir:rest:read:patient-1',
    'fhir:rest:search:patient_appointments-1',
    'fhir:rest:read:appointment-1',
    'fhir:operation:gpc.getstructuredrecord-1',
    'documents:fhir:rest:search:patient-1',
    'documents:fhir:rest:search:documentreference-1',
    'documents:fhir:rest:read:binary-1',
  ],
  'patient/*.write': [
    'fhir:operation:gpc.registerpatient-1',
    'fhir:rest:create:appointment-1',
    'fhir:rest:update:appointment-1',
    'fhir:rest:cancel:appointment-1',
  ],
  'organization/*.write': [],
}

const gpConnect = `${serviceNamePrefix}gpconnect:`
const early = { variants: ['gpconnect-0'], migrate: false } as const
const later = { variants: ['gpconnect-1.2', 'gpconnect-1.6'], migrate: false } as const
const migration = { variants: ['gpconnect-1.6'], scope: 'patient/*.read', migrate: true } as const

const interactionTokens: ReadonlyMap<string, InteractionToken> = new Map<string, InteractionToken>([
  [`${gpConnect}fhir:rest:read:metadata`, { ...early, scope: 'organization/*.read', recordType: 'Organization' }],
  [`${gpConnect}fhir:operation:gpc.getcarerecord`, { ...early, scope: 'patient/*.read', recordType: 'Patient' }],
  ...Object.entries(laterInteractions).flatMap(([scope, names]) =>
    names.map((name): [string, InteractionToken] => [gpConnect + name, { ...later, scope: scope as TokenScope }]),
  ),
  [`${gpConnect}fhir:operation:gpc.migratestructuredrecord-1`, migration],
  [`${gpConnect}documents:fhir:rest:migrate:binary-1`, migration],
])

/** The token that an interaction wants; undefined for an interaction whose token is not known here. */
export function interactionToken(interaction: string): InteractionToken | undefined {
  if (interaction.startsWith(`${serviceNamePrefix}nrl:`)) return { variants: ['nrl'], migrate: false }
  if (interaction.startsWith(`${serviceNamePrefix}visitorsandmigrants:`))
    return { variants: ['visitors'], migrate: false }
  return interactionTokens.get(interaction)
}
