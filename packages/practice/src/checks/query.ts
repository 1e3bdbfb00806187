/** The raw values of a query parameter, in order; nothing is decoded. Names are case-sensitive. */
export function queryValues(query: string, name: string): string[] {
  return query
    .split('&')
    .filter((pair) => pair === name || pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}
