/** The clinical areas of a structured record, as switches name them (§9.1, §9.5). */
export const areaNames = [
  'allergies',
  'medication',
  'consultations',
  'problems',
  'immunisations',
  'uncategorised',
  'investigations',
  'referrals',
  'diary',
] as const

export type AreaName = (typeof areaNames)[number]

/** What a practice can switch off: the areas, and documents, which others bring along. */
export const switchableAreas = [...areaNames, 'documents'] as const

export type SwitchableArea = (typeof switchableAreas)[number]
