/** The sections of an access record (specification 0.7.4; §7.3): code, title, and whether a period may be asked for. */
export const sections = {
  ADM: { title: 'Administrative Items', period: true },
  ALL: { title: 'Allergies and Adverse Reactions', period: false },
  CLI: { title: 'Clinical Items', period: true },
  ENC: { title: 'Encounters', period: true },
  IMM: { title: 'Immunisations', period: false },
  MED: { title: 'Medications', period: true },
  OBS: { title: 'Observations', period: true },
  PRB: { title: 'Problems and Issues', period: true },
  REF: { title: 'Referrals', period: true },
  SUM: { title: 'Summary', period: false },
} as const

export type SectionCode = keyof typeof sections

export const sectionCodes = Object.keys(sections) as readonly SectionCode[]

/** Codes are upper case; any other spelling is not a section. */
export function isSectionCode(code: string): code is SectionCode {
  return Object.hasOwn(sections, code)
}
