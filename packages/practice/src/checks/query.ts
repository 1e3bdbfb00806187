/** The raw values of a query parameter, in order; nothing is decoded. Names are case-sensitive. */
export function queryValues(query: string, name: string): string[] {
  return query
    .split('&')
    .filter((pair) => pair === name || pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
}

/** The parameters of a query as names and values, percent-decoded; what cannot be decoded stays as it is. */
export function queryParameters(query: string): readonly { readonly name: string; readonly value: string }[] {
  if (query === '') return []
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
    return { name: decoded(name), value: decoded(value) }
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
