import type { AccessExplanation, ActivityGrant, RoleProfile, RuleDocument } from './contract.ts'
import { closureOf } from './hierarchy.ts'
import { lastSegment } from './rule-files.ts'

type Profile = Omit<RoleProfile, 'id'>

/** One version of the rules, made ready to be asked. */
export interface Rules {
  readonly document: RuleDocument
  /** How the role comes to this activity; undefined where it does not have it. */
  grant(role: Profile, activity: string): ActivityGrant | undefined
  explain(role: Profile, activity: string): AccessExplanation
}

/** Compared on the last segment, unless the rule names the whole triple: the prefix varies for the same R (§6). */
export function codeFits(held: string, asked: string): boolean {
  return asked.includes(':') ? held === asked : lastSegment(held) === asked
}

export function rulesOf(document: RuleDocument): Rules {
  const { enoughFor, path } = closureOf(document.hierarchy.filter(({ inForce }) => inForce))
  const whole = closureOf(document.hierarchy)
  const byJobRole = Map.groupBy(document.baseline, ({ jobRole }) => jobRole ?? '')
  const jobRoles = new Map(document.jobRoles.map((role) => [role.code, role]))
  const activities = new Map(document.activities.map((activity) => [activity.code, activity]))

  /** What the role holds without having been given it. */
  function baselineOf({ jobRole, areasOfWork = [] }: Profile): ReadonlySet<string> {
    const held = new Set<string>()
    // Rows under '' name an area of work alone.
    for (const key of new Set([jobRole, lastSegment(jobRole), '']))
      for (const { activity, areaOfWork } of byJobRole.get(key) ?? [])
        if (areaOfWork === undefined || areasOfWork.some((area) => codeFits(area, areaOfWork))) held.add(activity)
    return held
  }

  function grant(role: Profile, activity: string): ActivityGrant | undefined {
    const given = new Set(role.activities)
    const baseline = baselineOf(role)
    for (const held of enoughFor(activity)) {
      if (given.has(held)) return { activity, held, by: 'given' }
      if (baseline.has(held)) return { activity, held, by: 'baseline' }
    }
    return undefined
  }

  return {
    document,
    grant,
    explain(role, activity) {
      const found = grant(role, activity)
      const jobRoleName = jobRoles.get(lastSegment(role.jobRole))?.name
      const activityName = activities.get(activity)?.name
      const enough = enoughFor(activity)
      const way = found === undefined ? undefined : path(found.held, activity)
      return {
        version: document.version,
        jobRole: role.jobRole,
        ...(jobRoleName === undefined ? {} : { jobRoleName }),
        activity,
        ...(activityName === undefined || activityName === '' ? {} : { activityName }),
        allowed: found !== undefined,
        ...(found === undefined ? {} : { grant: found }),
        ...(way === undefined ? {} : { path: way }),
        enough,
        baseline: [...baselineOf(role)].sort(),
        jobRolesWithIt: [
          ...new Set(
            document.baseline.flatMap(({ activity: held, jobRole, areaOfWork }) =>
              jobRole !== undefined && areaOfWork === undefined && enough.includes(held) ? [jobRole] : [],
            ),
          ),
        ].sort(),
        notInForce: whole.enoughFor(activity).filter((code) => !enough.includes(code)),
      }
    },
  }
}
