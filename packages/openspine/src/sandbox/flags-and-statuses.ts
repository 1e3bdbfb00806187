import type { KeptFlag } from '@openspine/services/adjustments/contract'
import type { StatusChange } from '@openspine/services/visitors/contract'

const at = (day: string) => Date.parse(`${day}T15:00:00Z`)

/**
 * What has been decided about the invented people: every category, two people about whom was decided twice, and a person
 * of whom nothing may be shown. About everybody else nothing was decided.
 */
export const sandboxStatuses: readonly StatusChange[] = [
  { nhsNumber: '9990548625', basic: 'Y', category: 'F', source: 'home-office', effectiveAt: at('2024-01-01') },
  {
    nhsNumber: '9990548617',
    basic: 'U',
    category: 'DECISION_PENDING',
    source: 'home-office',
    effectiveAt: at('2025-02-03'),
  },
  { nhsNumber: '9990548617', basic: 'N', category: 'B', source: 'home-office', effectiveAt: at('2025-03-10') },
  {
    nhsNumber: '9990548668',
    basic: 'Y',
    category: 'D',
    source: 'overseas-visitor-manager',
    effectiveAt: at('2025-06-01'),
  },
  {
    nhsNumber: '9990548668',
    basic: 'N',
    category: 'C',
    source: 'overseas-visitor-manager',
    effectiveAt: at('2025-06-20'),
  },
  {
    nhsNumber: '9990548684',
    basic: 'N',
    category: 'A',
    source: 'overseas-visitor-manager',
    effectiveAt: at('2025-09-09'),
  },
  {
    nhsNumber: '9990548706',
    basic: 'N',
    category: 'E',
    source: 'overseas-visitor-manager',
    effectiveAt: at('2026-01-15'),
  },
  { nhsNumber: '9990548714', basic: 'U', category: 'NONE', source: 'home-office', effectiveAt: at('2026-02-01') },
  { nhsNumber: '9990548838', basic: 'Y', category: 'F', source: 'home-office', effectiveAt: at('2026-03-01') },
  { nhsNumber: '9990548846', basic: 'Y', category: 'F', source: 'home-office', effectiveAt: at('2026-03-01') },
]

/** A child about whom a local authority has raised a flag. */
export const sandboxProtected: {
  readonly nhsNumber: string
  readonly code: KeptFlag
  readonly notes: string
  readonly team: string
} = {
  nhsNumber: '9990548684',
  code: 'child-protection-information-system-flag',
  notes: 'Ring the team before discharge',
  team: 'Testham children’s services, 01632 960101',
}
