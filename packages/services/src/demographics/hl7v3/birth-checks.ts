import { oid, type PdsBirth } from '@openspine/standards/hl7v3'
import type { MessageCheck } from './message-check.ts'
import { filled, objectChecks } from './object-checks.ts'
import { authorityNamed, authorityTyped, onlyCode, onlyId } from './registration-checks.ts'

/** One rule of the notification of a birth. */
export type BirthCheck = MessageCheck<PdsBirth>

const clause = 'demographics §13, §19.1'

const missing = (where: string, explains: string, breaks: BirthCheck['breaks']): BirthCheck => ({
  name: 'MANDATORY_FIELD_MISSING',
  where,
  clause,
  explains,
  breaks,
})

const place = ({ places }: PdsBirth) => places[0]
const mother = ({ mothers }: PdsBirth) => mothers[0]
const onlyFilled = (found: readonly string[]) => found.length === 1 && filled(found[0])

/** The rules of the notification of a birth; those of the birth itself are the rules of every dialect (§13). */
export const birthMessageChecks: readonly BirthCheck[] = [
  missing(
    'rootLevelCheck:PdsRegistrationEvent',
    'The subject is exactly one PdsRegistrationEvent.',
    ({ events }) => events !== 1,
  ),
  missing(
    'registrationEventCheck:patient',
    'The notification is about exactly one baby.',
    ({ babies }) => babies !== 1,
  ),
  missing(
    'registrationEventCheck:registeringAuthority',
    'The notification names one registeringAuthority as its author.',
    ({ authorities }) => authorities.length !== 1,
  ),
  missing(
    'ignoreDuplicateRecordCriterionCheck:value',
    'pertinentIgnoreDuplicateRecordCriterion is true or false, once.',
    ({ ignoreDuplicates }) => ignoreDuplicates.length !== 1 || !['true', 'false'].includes(ignoreDuplicates[0] ?? ''),
  ),
  missing(
    'registeringAuthorityCheck:code',
    'The registering authority has a type (codeSystem 2.16.840.1.113883.2.1.3.2.4.16.20).',
    ({ authorities }) => authorities.length === 1 && !authorities.every(authorityTyped),
  ),
  missing(
    'registeringAuthorityCheck:id',
    'The registering authority is one organisation, by its ODS code.',
    ({ authorities }) => authorities.length === 1 && !authorities.every(authorityNamed),
  ),
  missing(
    'patientCheck:homeaddr',
    'The baby has one home address (H).',
    ({ baby }) => baby.addresses.filter(({ value }) => value.use === 'H').length !== 1,
  ),
  missing('patientCheck:addr', 'The baby has two addresses at most.', ({ baby }) => baby.addresses.length > 2),
  missing('patientCheck:babyOf', 'The baby is of one obstetricCareProvision.', ({ deliveries }) => deliveries !== 1),
  missing(
    'patientPersonCheck:administrativeGenderCode',
    'The baby has an administrativeGenderCode.',
    ({ baby }) => !filled(baby.gender?.code),
  ),
  missing('patientPersonCheck:birthTime', 'The baby has a birthTime.', ({ baby }) => !filled(baby.birthTime?.value)),
  {
    name: 'INSERT_BIRTH_MANDATORY_DATA_MISSING',
    where: 'BirthTime size incorrect',
    clause,
    explains: 'The birthTime tells hour and minute: twelve digits at least.',
    breaks: ({ baby }) => filled(baby.birthTime?.value) && !/^\d{12}/.test(baby.birthTime?.value ?? ''),
  },
  missing(
    'patientPersonCheck:name',
    'The baby has one name, the usual one (L), with one family name.',
    ({ baby: { names } }) =>
      names.length !== 1 || names[0]?.value.use !== 'L' || names[0].value.family.filter(filled).length !== 1,
  ),
  missing(
    'patientPersonCheck:ethnicGroupCode',
    'The baby has an ethnicGroupCode (codeSystem 2.16.840.1.113883.2.1.3.2.4.16.6).',
    ({ ethnicGroups }) => !onlyCode(ethnicGroups, oid.ethnicCategory),
  ),
  missing(
    'patientPersonCheck:multipleBirthOrderNumber',
    'The baby has a multipleBirthOrderNumber.',
    ({ baby }) => !filled(baby.multipleBirth?.value),
  ),
  {
    name: 'INCONSISTENT_DEATH_UPDATE',
    clause,
    explains: 'The date of death and its notification come together.',
    breaks: ({ baby }) => (baby.deceasedTime === undefined) !== (baby.deathNotification === undefined),
  },
  missing('patientCheck:birthWeight', 'The baby has one birthWeight.', ({ weights }) => !onlyFilled(weights)),
  {
    name: 'INVALID_BIRTH_WEIGHT',
    clause,
    explains: 'The birthWeight is four digits: grams, with zeros in front.',
    breaks: ({ weights }) => onlyFilled(weights) && !/^\d{4}$/.test(weights[0] ?? ''),
  },
  missing(
    'suspectedCongenitalAbnormalityCheck:value',
    'suspectedCongenitalAbnormality has one value (codeSystem 2.16.840.1.113883.2.1.3.2.4.17.171).',
    ({ abnormalities }) => !onlyCode(abnormalities, oid.congenitalAbnormality),
  ),
  missing(
    'stillbirthIndicatorCheck:value',
    'stillbirthIndicator has one value (codeSystem 2.16.840.1.113883.2.1.3.2.4.17.172).',
    ({ stillbirths }) => !onlyCode(stillbirths, oid.stillbirth),
  ),
  missing(
    'numberOfFoetusInConfinementCheck:value',
    'numberOfFoetusInConfinement has one value.',
    ({ foetuses }) => !onlyFilled(foetuses),
  ),
  missing('gestationAgeCheck:value', 'gestationAge has one value.', ({ gestations }) => !onlyFilled(gestations)),
  missing(
    'notifierPersonCheck:name',
    'Who notifies the birth has one name.',
    ({ notifiers }) => notifiers.length !== 1,
  ),
  missing(
    'obstetricCareProvisionCheck:participant',
    'There is one place of birth.',
    ({ places }) => places.length !== 1,
  ),
  missing(
    'identifiedDeliveryLocationCheck:code',
    'The place of birth has a type (codeSystem 2.16.840.1.113883.2.1.3.2.4.17.173).',
    (it) =>
      it.places.length === 1 &&
      !onlyCode(place(it)?.code === undefined ? [] : [place(it)?.code ?? {}], oid.placeOfBirth),
  ),
  missing(
    'identifiedDeliveryLocationCheck:id',
    'The place of birth has a site code: births elsewhere cannot be notified here, as in PDS FHIR.',
    (it) => it.places.length === 1 && !filled(place(it)?.id?.extension),
  ),
  missing(
    'identifiedDeliveryLocationCheck:placeOfBirth:addr',
    'The place of birth has an address.',
    (it) => it.places.length === 1 && place(it)?.addr === undefined,
  ),
  missing(
    'obstetricCareProvisionCheck:partnerChildHealth',
    'One child health service is the partner, by its ODS code.',
    ({ partners }) => !onlyId(partners, oid.sdsOrganisation, oid.organisation),
  ),
  missing(
    'obstetricCareProvisionCheck:responsibleChildHealth',
    'One child health service is responsible, by its ODS code.',
    ({ responsible }) => !onlyId(responsible, oid.sdsOrganisation, oid.organisation),
  ),
  missing('obstetricCareProvisionCheck:mother', 'There is one mother.', ({ mothers }) => mothers.length !== 1),
  missing(
    'motherCheck:id',
    'The mother has one NHS number.',
    (it) => it.mothers.length === 1 && !onlyId(mother(it)?.ids ?? [], oid.nhsNumber),
  ),
  missing(
    'motherPersonCheck:birthTime',
    'The mother has a birthTime.',
    (it) => it.mothers.length === 1 && !filled(mother(it)?.birthTime?.value),
  ),
  missing(
    'motherPersonCheck:name',
    'The mother has one name.',
    (it) => it.mothers.length === 1 && mother(it)?.names.length !== 1,
  ),
  missing(
    'primaryCareProvisionCheck:primaryCareProvider',
    'The mother has a practice, by its ODS code.',
    (it) => it.mothers.length === 1 && !onlyId(mother(it)?.practices ?? [], oid.organisation),
  ),
  ...objectChecks.map((check): BirthCheck => ({ ...check, breaks: ({ baby }) => check.breaks(baby) })),
]
