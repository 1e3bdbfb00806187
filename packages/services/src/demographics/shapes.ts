import { createHash } from 'node:crypto'
import type { Store } from '@openspine/platform/store'

/** Shapes of statement that get a name, of one store's. */
const mostShapes = 100

/** A text as it goes to the driver. */
export interface Named {
  readonly name?: string
  readonly text: string
}

/**
 * Names statements, so that each is planned once for a connection; the embedded engine has one session for all and must not
 * have names. The first shapes that are met get names, the rest none: connections keep named statements for ever.
 */
export function statementShapes(store: Pick<Store, 'kind'>): (text: string) => Named {
  const shapes = new Map<string, string>()
  return (text) => {
    if (store.kind !== 'postgresql') return { text }
    const known = shapes.get(text)
    if (known !== undefined) return { name: known, text }
    if (shapes.size >= mostShapes) return { text }
    // By content: another store on the same connections must give the same name to the same text.
    const name = `demographics-${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    shapes.set(text, name)
    return { name, text }
  }
}
