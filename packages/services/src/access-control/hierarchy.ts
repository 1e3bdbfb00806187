/** Which activities include which (§6.2): "A → B" and "A is satisfied by B" both say that B includes A, one way only. */

export interface Inclusion {
  readonly activity: string
  readonly includes: string
}

function edges(hierarchy: readonly Inclusion[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { activity, includes } of hierarchy) {
    const list = found.get(activity)
    if (list === undefined) found.set(activity, [includes])
    else list.push(includes)
  }
  return found
}

/** A ring of activities that include each other, its first one again at its end; undefined where there is none. */
export function cycleIn(hierarchy: readonly Inclusion[]): readonly string[] | undefined {
  const includes = edges(hierarchy)
  const done = new Set<string>()
  // With a list of our own for the way: a hierarchy may be deeper than the stack.
  for (const start of includes.keys()) {
    const way: { readonly code: string; next: number }[] = [{ code: start, next: 0 }]
    const onWay = new Set([start])
    while (way.length > 0) {
      const step = way.at(-1) as { readonly code: string; next: number }
      const next = done.has(step.code) ? undefined : includes.get(step.code)?.[step.next++]
      if (next === undefined) {
        done.add(step.code)
        onWay.delete(step.code)
        way.pop()
      } else if (onWay.has(next)) {
        const codes = way.map(({ code }) => code)
        return [...codes.slice(codes.indexOf(next)), next]
      } else if (!done.has(next)) {
        way.push({ code: next, next: 0 })
        onWay.add(next)
      }
    }
  }
  return undefined
}

export interface Closure {
  /** Activities that are enough for this one: itself first, then those that include it, at whatever distance. */
  enoughFor(activity: string): readonly string[]
  /** From what is held to what is asked, each including the next: one of the shortest ways. */
  path(held: string, asked: string): readonly string[] | undefined
}

/** The transitive closure, worked out once for every activity that another includes. */
export function closureOf(hierarchy: readonly Inclusion[]): Closure {
  const includers = edges(hierarchy.map(({ activity, includes }) => ({ activity: includes, includes: activity })))
  const enough = new Map<string, readonly string[]>()
  for (const activity of includers.keys()) {
    const found = new Set([activity])
    for (const code of found) for (const includer of includers.get(code) ?? []) found.add(includer)
    enough.set(activity, [...found])
  }
  const includes = edges(hierarchy)
  return {
    enoughFor: (activity) => enough.get(activity) ?? [activity],
    path(held, asked) {
      const from = new Map<string, string | undefined>([[held, undefined]])
      for (const code of from.keys()) {
        if (code === asked) break
        for (const next of includes.get(code) ?? []) if (!from.has(next)) from.set(next, code)
      }
      if (!from.has(asked)) return undefined
      const way: string[] = []
      for (let code: string | undefined = asked; code !== undefined; code = from.get(code)) way.unshift(code)
      return way
    },
  }
}
