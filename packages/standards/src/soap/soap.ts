/**
 * SOAP 1.1 as the Spine and the Interoperability Toolkit use it: envelopes, WS-Addressing in two editions, faults with the
 * Spine's error list, and the time stamp and user name of WS-Security. Messaging specification §1, §4, §7.1.
 *
 * @example
 * import { readAddressing, readEnvelope } from '@openspine/standards/soap'
 */
export { readSoapAction } from './action.ts'
export { type Addressing, noAddressing, readAddressing, writeAddressing } from './addressing.ts'
export {
  blockTexts,
  type Envelope,
  type EnvelopeStyle,
  envelopeLimits,
  readEnvelope,
  type SoapCode,
  writeEnvelope,
} from './envelope.ts'
export {
  type ErrorListEntry,
  type Fault,
  readErrorList,
  readFault,
  writeErrorList,
  writeFault,
} from './fault.ts'
export {
  type AddressingEdition,
  addressingNamespaces,
  errorListNamespace,
  securityNamespace,
  soapNamespace,
  utilityNamespace,
} from './names.ts'
export { readSecurity, type Security, securityTime, writeSecurity } from './security.ts'
