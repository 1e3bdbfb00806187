/**
 * Columns of a batch trace (§21), in the order of the published request file. A file begins with a row of their names, any of
 * them in any order; or with the header record of the older service, and then all of them stand in this order.
 */
export const requestColumns = [
  'UNIQUE REFERENCE',
  'NHS_NO',
  'FAMILY_NAME',
  'GIVEN_NAME',
  'OTHER_GIVEN_NAME',
  'GENDER',
  'DATE_OF_BIRTH',
  'POSTCODE',
  'DATE_OF_DEATH',
  'ADDRESS_LINE1',
  'ADDRESS_LINE2',
  'ADDRESS_LINE3',
  'ADDRESS_LINE4',
  'ADDRESS_LINE5',
  'ADDRESS_DATE',
  'GP_PRACTICE_CODE',
  'NHAIS_POSTING_ID',
  'AS_AT_DATE',
  'LOCAL_PATIENT_ID',
  'INTERNAL_ID',
  'TELEPHONE_NUMBER',
  'MOBILE_NUMBER',
  'EMAIL_ADDRESS',
] as const

export type RequestColumn = (typeof requestColumns)[number]

/** Columns of the answer, in order: those published, and the serial change number at the end. */
export const responseColumns = [
  'UNIQUE REFERENCE',
  'REQ_NHS_NUMBER',
  'FAMILY_NAME',
  'GIVEN_NAME',
  'OTHER_GIVEN_NAME',
  'GENDER',
  'DATE_OF_BIRTH',
  'DATE_OF_DEATH',
  'ADDRESS_LINE1',
  'ADDRESS_LINE2',
  'ADDRESS_LINE3',
  'ADDRESS_LINE4',
  'ADDRESS_LINE5',
  'POSTCODE',
  'GP_PRACTICE_CODE',
  'GP_REGISTRATION_DATE',
  'NHAIS_POSTING_ID',
  'AS_AT_DATE',
  'LOCAL_PATIENT_ID',
  'INTERNAL_ID',
  'TELEPHONE_NUMBER',
  'MOBILE_NUMBER',
  'EMAIL_ADDRESS',
  'SENSITIVITY_FLAG',
  'MPS_ID',
  'ERROR/SUCCESS_CODE',
  'MATCHED_NHS_NO',
  'MATCHED_ALGORITHM_INDICATOR',
  'MATCHED_CONFIDENCE_PERCENTAGE',
  'SERIAL_CHANGE_NUMBER',
] as const

export type ResponseColumn = (typeof responseColumns)[number]

/** Workflow in the header record of the older service. */
export const olderWorkflow = 'SPINE_MPTPHASE4_TRACE'

/** Codes of a row. */
export const rowCodes = {
  success: '00',
  requiredField: '10',
  invalidGender: '12',
  invalidFormat: '13',
  tooManyFields: '17',
  superseded: '90',
  invalidated: '91',
  sensitive: '92',
  notEnoughData: '96',
  several: '97',
  notFound: '98',
} as const

export type RowCode = (typeof rowCodes)[keyof typeof rowCodes]

/** Which trace found the person. */
export const algorithms = { none: '0', crossCheck: '1', alphanumeric: '3', algorithmic: '4' } as const

export type Algorithm = (typeof algorithms)[keyof typeof algorithms]

/** Numbers that stand for nobody and for several. */
export const noMatch = '0000000000'
export const severalMatches = '9999999999'
