/** Strict, incremental HTTP/1.1 message framing for a relay (RFC 9112 with every leniency refused). */
export { type BodyKind, BodyReader } from './body.ts'
export { type Fault, type FaultCode, faults } from './faults.ts'
export { type FieldNames, fieldNames, type KnownField } from './fields.ts'
export { HeadReader } from './head.ts'
export { defaultHeadLimits, type HeadLimits } from './lines.ts'
