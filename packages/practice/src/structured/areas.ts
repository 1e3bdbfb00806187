/** The clinical areas, in the order in which their parts of a bundle stand. */
import type { Area } from './area.ts'
import type { Registry } from './bundle.ts'

export const areas: readonly Area[] = []

export const registry: Registry = {
  areas,
  linkedProblems: () => ({ resources: [], lists: [], shown: [] }),
}
