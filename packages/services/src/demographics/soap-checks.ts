/** The ordered checks of the faces over SOAP, for the pages that list them. */
export { type SyncCheck, transportChecks, updateWrapperChecks, wrapperChecks } from './hl7v3/checks.ts'
export { type FaultNumber, type Issue, issues, ruleIssue, transportFaults } from './hl7v3/outcomes.ts'
export { type QueryCheck, queryChecks } from './hl7v3/query-checks.ts'
export { type UpdateCheck, updateChecks } from './hl7v3/update-checks.ts'
export { faultChecks, type MiniCheck, type RequestCheck, requestChecks } from './smsp/checks.ts'
export { miniCodes } from './smsp/outcomes.ts'
