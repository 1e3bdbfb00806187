/** Parameters of a form or query: a value that is empty counts as absent. */
export interface Form {
  one(name: string): string | undefined
  /** Whether a name stands there twice (RFC 6749 §3.2 forbids it). */
  readonly repeats: boolean
}

/** Reads `application/x-www-form-urlencoded`; of a repeated name the first value counts. */
export function readForm(text: string): Form {
  const values = new Map<string, string>()
  let repeats = false
  for (const [name, value] of new URLSearchParams(text)) {
    if (values.has(name)) repeats = true
    else values.set(name, value)
  }
  return { one: (name) => values.get(name) || undefined, repeats }
}
