/**
 * HL7 V3 as the national services speak it: the transmission wrapper and control act that every message has, the rules of
 * their structure, the data types, and the queries, updates and replies of the Personal Demographics Service. Messaging
 * specification §1, §3, §8.2, §8.3; demographics specification §19.
 *
 * @example
 * import { firstBroken, readQuery, readTransmission } from '@openspine/standards/hl7v3'
 */
export {
  type Ad,
  boundOf,
  type Cd,
  type Ii,
  type Ivl,
  interval,
  type Pn,
  type Qualifier,
  readAd,
  readCd,
  readIi,
  readIvl,
  readPn,
  readTel,
  readValued,
  type Tel,
  type UpdateMode,
  type Valued,
  writeAd,
  writeCd,
  writeIi,
  writeIvl,
  writePn,
  writeTel,
  writeValued,
} from './datatypes.ts'
export { all, hl7, hl7Namespace, one, textAt, valueAt } from './element.ts'
export { oid, oldNhsNumberRoots } from './oids.ts'
export {
  type BirthMother,
  noBirth,
  type PdsBirth,
  type PlaceOfBirth,
  readPdsBirth,
  writePdsBirth,
} from './pds-birth.ts'
export {
  type ChangedCode,
  type ChangedConsent,
  type ChangedItem,
  type ChangedPerson,
  type ChangedProvision,
  noChanges,
} from './pds-changed.ts'
export {
  type CareProvision,
  type PdsForm,
  type PdsFormName,
  type PdsMember,
  type PdsPerson,
  pdsForms,
} from './pds-person.ts'
export {
  noRegistration,
  type PdsRegistered,
  type PdsRegistration,
  type RegisteringAuthority,
  readPdsRegistered,
  readPdsRegistration,
  writePdsRegistered,
  writePdsRegistration,
} from './pds-register.ts'
export type { PdsRelated } from './pds-related.ts'
export {
  readPatientRole,
  readPdsSubject,
  shownBy,
  writePdsSubject,
  writeSerialChangeNumber,
} from './pds-response.ts'
export {
  noUpdate,
  type PdsUpdate,
  type PdsUpdateElement,
  readPdsUpdate,
  readPdsUpdated,
  writePdsUpdate,
  writePdsUpdated,
} from './pds-update.ts'
export { noParameters, type QueryParameters, readQuery, type SenderStyle, writeQuery } from './query.ts'
export {
  asidOf,
  controlActContent,
  firstBroken,
  type StructureRule,
  structureRule,
  structureRules,
} from './structure.ts'
export { daysOf, type Moment, readMoment, writeMoment } from './time.ts'
export {
  type Acknowledgement,
  type ControlAct,
  type Hl7V3Code,
  type PersonAuthor,
  readAuthor,
  readTransmission,
  type Transmission,
  writeCommunicationFunction,
  writeTransmission,
} from './transmission.ts'
