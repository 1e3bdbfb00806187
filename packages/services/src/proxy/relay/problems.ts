import type { Fault } from '@openspine/standards/http1'
import { type Refusal, shapes } from '../refusal.ts'

/** A fault of framing as a refusal. */
export function framingRefusal(fault: Fault): Refusal {
  return {
    check: 'framing',
    clause: 'SSP §2.7; RFC 9112',
    status: fault.status,
    text: fault.status === 431 ? shapes[431].reason : 'The request is not sound HTTP/1.1',
    explanation: `${fault.reason} The connection was closed, because what follows cannot be told apart from it.`,
    compared: { code: fault.code },
  }
}

/** What to look at when a provider cannot be reached. */
export function advice(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'Does the registered host name exist? The setting proxy.hosts can name addresses that DNS does not know.'
  if (code === 'ECONNREFUSED') return 'Is the provider running, and is the registered port right?'
  if (code.startsWith('CERT_') || code.startsWith('ERR_TLS_CERT') || code.includes('VERIFY') || code.includes('CERT'))
    return 'The provider must show a certificate of this environment that names the registered host and is in time and not revoked.'
  return 'Is the provider running, reachable, and does it accept the proxy’s certificate?'
}
