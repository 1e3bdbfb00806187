/** Every ordered check of new records, births and health insurance cards, for the page that lists them. */
export { coverageBodyChecks, coverageChecks, coverageOwnerChecks, coverageRequestChecks } from '../coverage.ts'
export { birthChecks, newBirthChecks } from './birth-checks.ts'
export { createChecks, newRecordChecks } from './patient-checks.ts'
export { birthQueryChecks, registerRequestChecks } from './request-checks.ts'
