import type { WriteCheck } from './check.ts'
import { recordChecks } from './records.ts'
import { structureChecks } from './structure.ts'

/** What may be written, in order; the first that fails decides (directory specification §6.3). */
export const writeChecks: readonly WriteCheck[] = [...structureChecks, ...recordChecks]
