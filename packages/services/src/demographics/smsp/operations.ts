/** The five operations of the Mini Services (demographics specification §20). */
export const operations = [
  'verifyNHSNumber',
  'getNHSNumber',
  'getPatientDetailsByNHSNumber',
  'getPatientDetailsBySearch',
  'getPatientDetails',
] as const

export type Operation = (typeof operations)[number]

const servicePrefix = 'urn:nhs-itk:services:201005:'

/** SOAPAction, wsa:Action and service of a request. */
export const actionOf = (operation: Operation): string => `${servicePrefix}${operation}-v1-0`

export const operationOf = (action: string): Operation | undefined =>
  operations.find((operation) => actionOf(operation) === action)

/** Names under which the payload of a request comes: the one of its profile, and that without `Request` which the last has. */
export const payloadNames = (operation: Operation): readonly string[] => [
  `${operation}Request-v1-0`,
  `${operation}-v1-0`,
]

/**
 * Name of the payload of a reply. The three that give details share one message: clients look for it under this name
 * whichever they asked.
 */
export const replyName = (operation: Operation): string =>
  `${operation.startsWith('getPatientDetails') ? 'getPatientDetails' : operation}Response-v1-0`

/** Whether a system lists an interaction of the operation (its names in the directory differ in their ends). */
export function isRegistered(interactions: ReadonlySet<string>, operation: Operation): boolean {
  const ends = ['', 'Request'].flatMap((middle) => ['-v1', '-v1-0'].map((end) => `${operation}${middle}${end}`))
  return ends.some((end) => interactions.has(`urn:nhs:names:services:pds-simple:${end}`))
}
