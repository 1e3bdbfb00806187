/** LDAP version 3 for both sides of a connection, the schema of the Spine directory, and a server engine without sockets. */
export { isBerError, type LdapOutcome } from './ber.ts'
export { oids, resultCodes } from './codes.ts'
export { compileFilter, evaluate, type Truth } from './compile.ts'
export { pagedResults, readPage } from './controls.ts'
export { escapeDnValue, type NormalisedName, normaliseDn, parseDn, renderDn } from './dn.ts'
export { type Attributes, type EncodedEntry, generalizedTime, nameKey, type Provenance } from './entry.ts'
export { defaultFilterLimits, type Filter, type FilterLimits } from './filter.ts'
export { escapeFilterValue, filterText, parseFilter } from './filter-text.ts'
export {
  type LdifModification,
  type LdifRecord,
  ldifAttributes,
  ldifLine,
  ldifModifications,
  readLdif,
  readLdifPieces,
  writeLdif,
} from './ldif.ts'
export { type MemoryTree, memoryTree, structuralClass } from './memory-tree.ts'
export type {
  BindRequest,
  Control,
  LdapMessage,
  LdapRequest,
  LdapResponse,
  LdapResult,
  PartialAttribute,
  Scope,
  SearchRequest,
} from './message.ts'
export { decodeRequest, encodeRequest } from './request.ts'
export { decodeResponse, encodeResponse, noticeOfDisconnection, succeeded } from './response.ts'
export { type AttributeType, type ObjectClass, type Schema, spineSchema } from './schema.ts'
export { cancelValue, LdapEngine, type LdapEngineOptions, type LdapSession, type OperationReport } from './session.ts'
export { PduSplitter } from './splitter.ts'
export type { Cursor, Tree, TreeEntry, TreeQuery } from './tree.ts'
export type { TreeEdit } from './tree-edit.ts'
