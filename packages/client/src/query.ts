/** A value in a query: `|` and `+` must be encoded (§14), while `:` and `/` stay readable as GP Connect prints them. */
function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/')
}

/** `?name=value&…` in the order given, without what is undefined; empty when nothing is left. */
export function queryText(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const written = pairs.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encoded(value)}`]))
  return written.length === 0 ? '' : `?${written.join('&')}`
}

/** A path segment for an id that a provider or a caller gave. */
export function segment(id: string): string {
  return encodeURIComponent(id)
}
