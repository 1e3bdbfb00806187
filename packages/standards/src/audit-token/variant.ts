/** Tells from its claims which variant a token wants to be. */
import { isObject, isText, type Json, objectAt, objectsAt } from './claims.ts'
import { fixedAudience } from './gp-connect.ts'
import type { TokenVariant } from './rule.ts'
import { visitorsAudience } from './visitors.ts'

export interface DetectedVariant {
  readonly variant: TokenVariant
  /** What speaks for it: whole sentences, strongest first. */
  readonly why: readonly string[]
}

type Family = 'early' | 'later' | 'spine' | 'visitors'

const embedded = ['requesting_device', 'requesting_organization', 'requesting_practitioner', 'requested_record']

function hasSystem(claims: Json, prefix: string): boolean {
  return embedded.some((claim) =>
    objectsAt(objectAt(claims, claim), 'identifier').some(({ system }) => isText(system) && system.startsWith(prefix)),
  )
}

const practitioner = (claims: Json) => objectAt(claims, 'requesting_practitioner')

const signs: readonly { readonly of: Family; readonly says: string; holds(claims: Json): boolean }[] = [
  { of: 'early', says: `aud is ${fixedAudience}.`, holds: ({ aud }) => aud === fixedAudience },
  { of: 'early', says: 'requested_record is sent.', holds: (it) => it['requested_record'] !== undefined },
  {
    of: 'early',
    says: 'Identifiers are of systems that begin with http://fhir.nhs.net/.',
    holds: (it) => hasSystem(it, 'http://fhir.nhs.net/'),
  },
  {
    of: 'early',
    says: 'The name of requesting_practitioner is one object.',
    holds: (it) => isObject(practitioner(it)['name']),
  },
  {
    of: 'early',
    says: 'requesting_practitioner has a practitionerRole.',
    holds: (it) => practitioner(it)['practitionerRole'] !== undefined,
  },
  {
    of: 'later',
    says: 'Identifiers are of systems that begin with https://fhir.nhs.uk/Id/.',
    holds: (it) => hasSystem(it, 'https://fhir.nhs.uk/Id/'),
  },
  {
    of: 'later',
    says: 'The name of requesting_practitioner is a list.',
    holds: (it) => Array.isArray(practitioner(it)['name']),
  },
  { of: 'later', says: 'aud is a service root of STU3.', holds: ({ aud }) => isText(aud) && aud.includes('/STU3/') },
  { of: 'visitors', says: `aud is ${visitorsAudience}.`, holds: ({ aud }) => aud === visitorsAudience },
  {
    of: 'visitors',
    says: 'The scope is in the claim requested_scopes.',
    holds: ({ requested_scopes: scopes }) => scopes !== undefined,
  },
  {
    of: 'visitors',
    says: 'requested_record is sent, with a system that begins with https://fhir.nhs.uk/Id/.',
    holds: (it) =>
      objectsAt(objectAt(it, 'requested_record'), 'identifier').some(
        ({ system }) => isText(system) && system.startsWith('https://fhir.nhs.uk/Id/'),
      ),
  },
  { of: 'spine', says: 'requesting_system is sent.', holds: (it) => it['requesting_system'] !== undefined },
  { of: 'spine', says: 'requesting_user is sent.', holds: (it) => it['requesting_user'] !== undefined },
  { of: 'spine', says: 'The scope is in the claim scope.', holds: ({ scope }) => scope !== undefined },
  {
    of: 'spine',
    says: 'requesting_organization is a text.',
    holds: (it) => isText(it['requesting_organization']),
  },
]

const forMigration: typeof signs = [
  {
    of: 'later',
    says: 'reason_for_request is migration.',
    holds: (it) => it['reason_for_request'] === 'migration',
  },
  {
    of: 'later',
    says: 'requested_scope has conf/N or conf/R.',
    holds: ({ requested_scope: scope }) => isText(scope) && / conf\/|^conf\//.test(scope),
  },
]

/**
 * The variant that most of the claims speak for. `nrl` is never found: its tokens are those of `spine-core` under
 * stricter rules, so that only the interaction tells it.
 */
export function detectVariant(claims: Json): DetectedVariant {
  const holding = (list: typeof signs) => list.filter((sign) => sign.holds(claims))
  const held = holding(signs)
  const migration = holding(forMigration)
  const weight = (family: Family) =>
    held.filter(({ of }) => of === family).length + (family === 'later' ? migration.length : 0)
  const [first = 'later'] = (['later', 'early', 'spine', 'visitors'] as const).toSorted((a, b) => weight(b) - weight(a))
  const why = held.filter(({ of }) => of === first).map(({ says }) => says)
  if (first === 'spine')
    return { variant: 'spine-core', why: [...why, 'A token of the record locator (nrl) looks the same.'] }
  if (first === 'visitors') return { variant: 'visitors', why }
  if (first === 'early') return { variant: 'gpconnect-0', why }
  if (migration.length > 0) return { variant: 'gpconnect-1.6', why: [...migration.map(({ says }) => says), ...why] }
  return { variant: 'gpconnect-1.2', why: why.length > 0 ? why : ['No claim tells the variant; this one is usual.'] }
}
