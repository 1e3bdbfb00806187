import type {
  AccessDecision,
  AccessQuestion,
  ActivityGrant,
  DenyReason,
  Need,
  Requirement,
  RequirementGroup,
  RoleProfile,
} from './contract.ts'
import { codeFits, type Rules } from './rules.ts'

interface Subject extends AccessQuestion {
  /** The roles that bear the selected id: one, unless something is wrong. */
  readonly selected: readonly RoleProfile[]
}

/** What is asked before the rule itself is, in order; the first that does not pass is the reason. */
export interface AccessCheck {
  readonly name: DenyReason
  readonly clause: string
  readonly explains: string
  passes(subject: Subject): boolean
}

const same = (one: string | undefined, other: string | undefined) =>
  one !== undefined && one !== '' && one.toUpperCase() === other?.toUpperCase()

export const accessChecks: readonly AccessCheck[] = [
  {
    name: 'role-not-selected',
    clause: '6.4',
    explains: 'No role was selected: only a selected role counts, never the union of all.',
    passes: ({ selectedRoleId }) => selectedRoleId !== undefined && selectedRoleId !== '',
  },
  {
    name: 'role-unknown',
    clause: '6.4',
    explains: 'The selected role is none of this person.',
    passes: ({ selected }) => selected.length > 0,
  },
  {
    name: 'role-ambiguous',
    clause: '6.4',
    explains: 'Two roles of this person bear the selected id: which one counts cannot be known.',
    passes: ({ selected }) => selected.length === 1,
  },
  {
    name: 'organisation-differs',
    clause: '6.4',
    explains: 'The selected role is not one at the acting organisation.',
    passes: ({ need, orgCode, selected: [role] }) => need.sameOrganisation !== true || same(role?.odsCode, orgCode),
  },
  {
    name: 'level-too-low',
    clause: '6.4',
    explains: 'The sign-on has a lower assurance level than is asked for.',
    // Written so that a level which is no number does not pass.
    passes: ({ need: { minimumLevel }, level }) =>
      minimumLevel === undefined || (level !== undefined && level >= minimumLevel),
  },
  {
    name: 'training-mode',
    clause: '6.4',
    explains: 'The session is in training mode, which never reaches live data.',
    passes: ({ need: { data = 'live' }, mode = 'live' }) => mode === 'live' || data === 'training',
  },
]

const kindOf = (code: string): 'job-role' | 'area-of-work' | 'activity' =>
  /^(?:S\d{4}:G\d{4}:)?R\d{4}$/.test(code)
    ? 'job-role'
    : /^(?:P\d{4}:Q\d{4}:)?T\d{4}$/.test(code)
      ? 'area-of-work'
      : 'activity'

type Verdict =
  | { readonly met: true; readonly grants: readonly ActivityGrant[] }
  | { readonly met: false; readonly missing: readonly string[] }

/** A rule that says nothing is met by nobody: it is more likely unfinished than meant for all. */
function groupMet(rules: Rules, role: RoleProfile, group: RequirementGroup): Verdict {
  const { all, any } = group
  if (all === undefined && any === undefined) return { met: false, missing: [] }
  const grants: ActivityGrant[] = []
  const missing: string[] = []
  let met = true
  for (const requirement of all ?? []) {
    const verdict = requirementMet(rules, role, requirement)
    if (verdict.met) grants.push(...verdict.grants)
    else {
      met = false
      missing.push(...verdict.missing)
    }
  }
  if (any !== undefined) {
    const verdicts = any.map((requirement) => requirementMet(rules, role, requirement))
    const found = verdicts.find((verdict) => verdict.met)
    if (found?.met) grants.push(...found.grants)
    else {
      met = false
      for (const verdict of verdicts) if (!verdict.met) missing.push(...verdict.missing)
    }
  }
  return met ? { met, grants } : { met: false, missing: [...new Set(missing)] }
}

function requirementMet(rules: Rules, role: RoleProfile, requirement: Requirement): Verdict {
  if (typeof requirement !== 'string') return groupMet(rules, role, requirement)
  const kind = kindOf(requirement)
  if (kind === 'activity') {
    const grant = rules.grant(role, requirement)
    return grant === undefined ? { met: false, missing: [requirement] } : { met: true, grants: [grant] }
  }
  const held = kind === 'job-role' ? [role.jobRole] : (role.areasOfWork ?? [])
  return held.some((code) => codeFits(code, requirement))
    ? { met: true, grants: [] }
    : { met: false, missing: [requirement] }
}

const names = (need: Need, missing: readonly string[]) =>
  missing.length === 0
    ? 'The rule asks for nothing, so that nobody meets it.'
    : `The selected role lacks ${need.any !== undefined && need.all === undefined ? 'every one of' : 'something of'} ${missing.join(', ')}.`

/** Whether one person, in the selected role, may do one thing. */
export function decide(rules: Rules, question: AccessQuestion): AccessDecision {
  const { version } = rules.document
  const { roles, selectedRoleId, need } = question
  const selected = roles.filter(({ id }) => id === selectedRoleId)
  const [role] = selected
  const about = role === undefined ? { version } : { version, role: role.id }
  const failed = accessChecks.find((check) => !check.passes({ ...question, selected }))
  if (failed !== undefined) return { allowed: false, ...about, reason: failed.name, explanation: failed.explains }
  const verdict = groupMet(rules, role as RoleProfile, need)
  if (verdict.met) return { allowed: true, version, role: (role as RoleProfile).id, grants: verdict.grants }
  const { missing } = verdict
  return { allowed: false, ...about, reason: 'not-permitted', explanation: names(need, missing), missing }
}
