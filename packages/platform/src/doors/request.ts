import type { FastifyRequest } from 'fastify'

/** A header as it was sent; what stands several times is joined. */
export function rawHeader({ headers }: Pick<FastifyRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value.join(', ') : value
}

/** A header; one that is empty counts as none. */
export function headerOf(request: Pick<FastifyRequest, 'headers'>, name: string): string | undefined {
  const value = rawHeader(request, name)
  return value === undefined || value.trim() === '' ? undefined : value
}

/** Pairs of a query, in order. What cannot be decoded stays as it was sent: it is no value that anything could have. */
export function queryPairs(query: string): readonly (readonly [name: string, value: string])[] {
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part.replaceAll('+', '%20'))
    } catch {
      return part
    }
  }
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [decoded(name), decoded(value.join('='))] as const
    })
}
