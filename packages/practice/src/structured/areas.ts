/** The clinical areas, in the order in which their parts of a bundle stand. */
import { allergies } from './allergies.ts'
import type { Area } from './area.ts'
import { consultations } from './areas/consultations.ts'
import { diary } from './areas/diary.ts'
import { immunisations } from './areas/immunisations.ts'
import { investigations } from './areas/investigations.ts'
import { linkedProblems, problems } from './areas/problems.ts'
import { referrals } from './areas/referrals.ts'
import { uncategorised } from './areas/uncategorised.ts'
import type { Registry } from './bundle.ts'
import { allDocuments, linkedDocuments } from './documents.ts'
import { medication } from './medication.ts'

export const areas: readonly Area[] = [
  allergies,
  medication,
  consultations,
  problems,
  immunisations,
  uncategorised,
  investigations,
  referrals,
  diary,
]

export const registry: Registry = { areas, linkedProblems, linkedDocuments, allDocuments }
