/**
 * What is checked, in which order, and with which outcome (§4.2, §7.2). The reference page is made from these
 * lists, and a test fails each check once. What a check learns stands on the sheet for the checks behind it.
 */
import type { Check } from './checks/check.ts'
import { headChecks } from './checks/head.ts'
import { parameterChecks } from './checks/parameters.ts'
import { sharingChecks, switchedOn } from './checks/sharing.ts'

export type { Check } from './checks/check.ts'
export { headChecks }

/** Checks of the care record operation, once its body is there. */
export const careRecordChecks: readonly Check[] = [...parameterChecks, ...sharingChecks]

/** Checks of the metadata, after the head. */
export const metadataChecks: readonly Check[] = [switchedOn]
