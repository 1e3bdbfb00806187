/**
 * What is checked, in which order, and with which outcome (§4.2). The reference page is made from these lists,
 * and tests fail each check once. What a check learns stands on the sheet for the checks behind it.
 */
export type { Check } from './checks/check.ts'
export { headChecks, tokenChecks } from './checks/head.ts'
export { endpoints } from './endpoints.ts'
