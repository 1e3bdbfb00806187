/** The clinical areas, in the order in which their parts of a bundle stand. */
import { allergies } from './allergies.ts'
import type { Area } from './area.ts'
import type { Registry } from './bundle.ts'
import { medication } from './medication.ts'

export const areas: readonly Area[] = [allergies, medication]

export const registry: Registry = {
  areas,
  linkedProblems: () => ({ resources: [], lists: [], shown: [] }),
}
