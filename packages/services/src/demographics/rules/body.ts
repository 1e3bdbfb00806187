import type { Check } from '../checks.ts'
import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { isJson, type Json } from '../person.ts'
import type { SnippetRule } from './snippet.ts'

/** What somebody posts, and where it stands in the whole of it: nothing, or `entry/0/resource/`. */
export interface Body {
  readonly value: Json
  readonly prefix: string
  /** `yyyy-mm-dd` in UTC. */
  readonly today: string
}

export type BodyCheck = Check<Body>

/** The value at `identifier/0/value`. */
export function valueAt(value: unknown, path: string): unknown {
  let found: unknown = value
  for (const step of path.split('/')) {
    if (Array.isArray(found)) found = found[Number(step)]
    else if (isJson(found)) found = found[step]
    else return undefined
  }
  return found
}

const isAbsent = (value: unknown) => value === undefined || value === null

/** The fault on the way to a value that is needed: the first step that is missing, or that is no such thing. */
export function missingFault({ value, prefix }: Body, path: string): PdsOutcome | undefined {
  let found: unknown = value
  const passed: string[] = []
  for (const step of path.split('/')) {
    const at = prefix + passed.join('/')
    if (/^\d+$/.test(step)) {
      if (!Array.isArray(found)) return outcomes.invalidField(found, at)
      if (found.length <= Number(step)) return outcomes.tooFewValues(found, at)
      found = found[Number(step)]
      passed.push(step)
      continue
    }
    if (!isJson(found)) return outcomes.invalidField(found, at)
    found = found[step]
    passed.push(step)
    if (isAbsent(found)) return outcomes.missingField(prefix + passed.join('/'))
  }
  return undefined
}

export function needs(path: string, about: { readonly clause: string; readonly explanation: string }): BodyCheck {
  return { name: `${path} is there`, ...about, refusal: (body) => missingFault(body, path) }
}

/** A list that holds one item, no more. */
export function single(path: string, about: { readonly clause: string; readonly explanation: string }): BodyCheck {
  return {
    name: `${path} is one`,
    ...about,
    refusal({ value, prefix }) {
      const list = valueAt(value, path)
      return Array.isArray(list) && list.length > 1 ? outcomes.tooManyValues(list, prefix + path) : undefined
    },
  }
}

/** A value that has this form, where it is there. */
export function formed(
  path: string,
  test: (value: unknown, body: Body) => boolean,
  about: { readonly clause: string; readonly explanation: string },
): BodyCheck {
  return {
    name: `${path} is allowed`,
    ...about,
    refusal(body) {
      const value = valueAt(body.value, path)
      return isAbsent(value) || test(value, body) ? undefined : outcomes.invalidField(value, body.prefix + path)
    },
  }
}

export const matching = (form: RegExp) => (value: unknown) => typeof value === 'string' && form.test(value)

/** No members but these. */
export function only(
  names: readonly string[],
  about: { readonly clause: string; readonly explanation: string },
): BodyCheck {
  const known = new Set(names)
  return {
    name: 'No other members',
    ...about,
    refusal({ value }) {
      const others = Object.keys(value).filter((name) => !known.has(name))
      return others.length > 0 ? outcomes.additionalProperties(others) : undefined
    },
  }
}

/** A member that is a list, where it is there, with so many items at least. */
export function list(
  path: string,
  least: number,
  about: { readonly clause: string; readonly explanation: string },
): BodyCheck {
  return {
    name: `${path} is a list`,
    ...about,
    refusal({ value, prefix }) {
      const found = valueAt(value, path)
      if (isAbsent(found)) return undefined
      if (!Array.isArray(found)) return outcomes.invalidField(found, prefix + path)
      return found.length < least ? outcomes.tooFewValues(found, prefix + path) : undefined
    },
  }
}

/** A rule of single snippets, asked of each item of a list. */
export function ofEach(listed: string, rule: SnippetRule): BodyCheck {
  return {
    name: `${listed}: ${rule.name}`,
    clause: rule.clause,
    explanation: rule.explanation,
    refusal({ value, prefix, today }) {
      const found = valueAt(value, listed)
      if (!Array.isArray(found)) return undefined
      for (const [index, item] of found.entries()) {
        const outcome = rule.refusal({ value: item, path: `${prefix}${listed}/${index}`, today })
        if (outcome) return outcome
      }
      return undefined
    },
  }
}

/** A rule of a single value, asked of a member, under the path by which diagnostics name it. */
export function ofMember(member: string, rule: SnippetRule, named?: string): BodyCheck {
  return {
    ...rule,
    refusal({ value, prefix, today }) {
      const found = value[member]
      return isAbsent(found) ? undefined : rule.refusal({ value: found, path: named ?? prefix + member, today })
    },
  }
}
