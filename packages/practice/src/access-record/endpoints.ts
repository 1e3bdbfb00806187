/** Access Record HTML: the metadata and the one operation of the 0.x line (§6, §7). */
import { sharingChecks, switchedOn } from '../checks/sharing.ts'
import { interactions } from '../dstu2/systems.ts'
import type { Endpoint } from '../endpoint.ts'
import { dayAt } from '../record/dates.ts'
import { found } from '../sheet.ts'
import { careRecordBundle } from './care-record.ts'
import { conformance } from './conformance.ts'
import { renderSection } from './html/section.ts'
import { parameterChecks } from './parameter-checks.ts'

export const accessRecordEndpoints: readonly Endpoint[] = [
  {
    action: 'metadata',
    bases: ['html'],
    capability: 'metadata',
    verb: 'GET',
    path: '/metadata',
    interaction: interactions.metadata,
    scope: 'organization/*.read',
    body: false,
    checks: [switchedOn],
    respond: (sheet) => ({ status: 200, resource: conformance(found(sheet, 'practice').practice) }),
  },
  {
    action: 'getCareRecord',
    bases: ['html'],
    capability: 'accessRecordHtml',
    verb: 'POST',
    path: '/Patient/$gpc.getcarerecord',
    interaction: interactions.getCareRecord,
    scope: 'patient/*.read',
    body: true,
    checks: [...parameterChecks, ...sharingChecks],
    respond(sheet, { random, quoteSingleDates }) {
      const held = found(sheet, 'practice')
      const record = found(sheet, 'record')
      const section = found(sheet, 'section')
      const { at } = sheet.request
      const div = renderSection({
        practice: held.practice,
        patient: record.patient,
        section,
        period: sheet.period,
        today: dayAt(at),
        quoteSingleDates,
      })
      const ids = { bundleId: random.uuid(), compositionId: random.uuid() }
      return { status: 200, resource: careRecordBundle({ held, record, section, div, at, ...ids }) }
    },
  },
]
