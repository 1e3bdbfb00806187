/** Everything that the practice system serves: one line for each room. */
import { accessRecordEndpoints } from './access-record/endpoints.ts'
import { appointmentEndpoints } from './appointments/endpoints.ts'
import { documentEndpoints } from './documents/endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { foundationsEndpoints } from './foundations/endpoints.ts'
import { structuredEndpoints } from './structured/endpoints.ts'

export const endpoints: readonly Endpoint[] = [
  ...accessRecordEndpoints,
  ...foundationsEndpoints,
  ...appointmentEndpoints,
  ...structuredEndpoints,
  ...documentEndpoints,
]
