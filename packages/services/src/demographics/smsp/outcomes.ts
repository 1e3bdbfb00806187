/** Response codes of the Mini Services (demographics specification §20; messaging specification §7.7). */
export const miniCodes = {
  'SMSP-0000': 'Success',
  'SMSP-0001': 'Input message validation error',
  'SMSP-0002': 'Response message validation error',
  'SMSP-0003': 'Data returned from local store, Spine unavailable',
  'SMSP-9999': 'Generic Spine Mini Service Provider software failure',
  'DEMOG-0001': 'No match',
  'DEMOG-0007': 'Multiple matches found',
  'DEMOG-0017': 'Superceding NHS number returned',
  'DEMOG-0022': 'NHS number of response record has been invalidated',
  'DEMOG-0040': 'NHS number not verified',
  'DEMOG-0042': 'NHS number is not a new style number',
  'DEMOG-9999': 'Generic Spine service error',
} as const

export type MiniCode = keyof typeof miniCodes
