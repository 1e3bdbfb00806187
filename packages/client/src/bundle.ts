import { first, type Json, list, object, text } from './json.ts'

/** Why an answer with status 200 is not the whole: a warning that the provider put into the bundle. */
export interface Shortcoming {
  /** For example `NOT_IMPLEMENTED`. */
  readonly code: string
  /** As the provider says it, unchanged. */
  readonly text: string
  /** The parameter that it is about, where the provider names one. */
  readonly diagnostics?: string
}

/** A Bundle of any version, ready to be looked into. */
export interface ReadBundle {
  readonly resources: readonly Json[]
  /** The resource that a reference means: by fullUrl, or by type and id; `#id` inside `within`. */
  resolve(reference: string | undefined, within?: Json): Json | undefined
  ofType(resourceType: string): readonly Json[]
  /** Not empty: the answer is incomplete (§14), and a user must be told why. */
  readonly incomplete: readonly Shortcoming[]
}

/** Order means nothing in a bundle (§9.2), so everything is found by reference or type. */
export function readBundle(bundle: Json): ReadBundle {
  const entries = list(bundle['entry']).map(object)
  const resources = entries.flatMap(({ resource }) => (resource === undefined ? [] : [object(resource)]))
  const byReference = new Map<string, Json>()
  for (const { resource, fullUrl } of entries) {
    const { resourceType, id } = object(resource)
    if (typeof fullUrl === 'string') byReference.set(fullUrl, object(resource))
    if (typeof id === 'string') byReference.set(`${resourceType}/${id}`, object(resource))
  }
  const ofType = (wanted: string) => resources.filter(({ resourceType }) => resourceType === wanted)
  return {
    resources,
    ofType,
    resolve(reference, within) {
      if (reference === undefined) return undefined
      if (reference.startsWith('#'))
        return list(within?.['contained'])
          .map(object)
          .find(({ id }) => id === reference.slice(1))
      return byReference.get(reference) ?? byReference.get(reference.split('/').slice(-2).join('/'))
    },
    incomplete: ofType('OperationOutcome').flatMap(shortcomings),
  }
}

function shortcomings(outcome: Json): Shortcoming[] {
  return list(outcome['issue']).map((one) => {
    const issue = object(one)
    const details = object(issue['details'])
    const coding = first(details['coding'])
    const diagnostics = text(issue['diagnostics'])
    const code = text(coding['code']) ?? text(issue['code']) ?? 'unknown'
    return {
      code,
      text: text(details['text']) ?? text(coding['display']) ?? diagnostics ?? code,
      ...(diagnostics === undefined ? {} : { diagnostics }),
    }
  })
}
