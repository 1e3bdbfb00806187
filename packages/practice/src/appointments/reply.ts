/** The answer to whoever wrote or read one appointment: ETag, Location, and the body where it is wanted (§4.1). */
import { header } from '../checks/check.ts'
import type { Result } from '../endpoint.ts'
import type { Sheet } from '../sheet.ts'
import { appointmentResource } from './resources.ts'
import type { StoredAppointment } from './store.ts'

const etag = ({ version }: StoredAppointment) => `W/"${version}"`

/** After a write: `Prefer: return=minimal` leaves the body out; 201 says where the new appointment is. */
export function written(sheet: Sheet, status: 200 | 201, stored: StoredAppointment): Result {
  const minimal = (header(sheet, 'prefer') ?? '')
    .split(/[,;]/)
    .some((part) => /^return\s*=\s*"?minimal"?$/i.test(part.trim()))
  return {
    status,
    ...(minimal ? {} : { resource: appointmentResource(stored) }),
    headers: { etag: etag(stored), ...(status === 201 ? { location: addressOf(sheet, stored) } : {}) },
  }
}

export function read(stored: StoredAppointment): Result {
  return { status: 200, resource: appointmentResource(stored), headers: { etag: etag(stored) } }
}

/** The proxy sends the provider's own authority as Host (§2.7); without one the address is relative to it. */
function addressOf(sheet: Sheet, { id }: StoredAppointment): string {
  const host = header(sheet, 'host') ?? ''
  const authority = /^[A-Za-z0-9.\-:[\]]+$/.test(host) ? `https://${host}` : ''
  return `${authority}${sheet.service?.serviceRoot}/Appointment/${id}`
}
