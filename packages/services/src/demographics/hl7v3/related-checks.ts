import { oid, type PdsRelated, type PdsUpdate } from '@openspine/standards/hl7v3'
import type { MessageCheck } from './message-check.ts'
import { does, filled } from './object-checks.ts'

const clause = 'messaging §8.3'
const role = 'scopedRelatedPersonRole'

const about = (
  name: string,
  where: string,
  explains: string,
  breaks: (related: PdsRelated) => boolean,
): MessageCheck<PdsUpdate> => ({
  name,
  where: `${role}.${where}`,
  clause,
  explains,
  breaks: ({ related }) => related.some((each) => each.updateMode !== undefined && breaks(each)),
})

const removed = ({ updateMode }: PdsRelated) => updateMode === 'removed'
const written = ({ updateMode }: PdsRelated) => does(updateMode, 'added', 'altered')

/** What is removed is named, and nothing else is told of it. */
const bare = (where: string, told: (related: PdsRelated) => boolean) =>
  about(
    'RELATED_PERSON_CANNOT_PROVIDE_DATE',
    where,
    'A related person who is removed is named by the object id alone.',
    (each) => removed(each) && told(each),
  )

/** The rules of related people in an update. */
export const relatedChecks: readonly MessageCheck<PdsUpdate>[] = [
  bare('address', ({ addresses }) => addresses.length > 0),
  bare('effectiveTime', ({ effectiveTime }) => effectiveTime !== undefined),
  bare('positionNumber', ({ position }) => position !== undefined),
  bare('telecom', ({ telecoms }) => telecoms.length > 0),
  bare('player', ({ names, numbers, language }) => names.length > 0 || numbers.length > 0 || language !== undefined),
  bare('part3', ({ nextOfKin }) => nextOfKin),
  bare('subjectOf1', ({ contact }) => contact !== undefined),
  bare('subjectOf2', ({ writtenFormat }) => writtenFormat !== undefined),
  about(
    'MANDATORY_FIELD_MISSING_SUPP_INFO',
    'id',
    'A related person who is altered or removed is named by the object id.',
    ({ updateMode, id }) => updateMode !== 'added' && !(id?.root === oid.pdsObject && filled(id.extension)),
  ),
  about(
    'MANDATORY_FIELD_MISSING_SUPP_INFO',
    'code',
    'A related person has a kind of relation and a class: PRS, GUARD or AGNT.',
    (each) => written(each) && (!filled(each.code) || !['PRS', 'GUARD', 'AGNT'].includes(each.classCode)),
  ),
  about(
    'RELATED_PERSON_INCORRRECT_ID_FIELDS',
    'relatedPatient.id',
    'A related person has one NHS number at most.',
    ({ numbers }) => numbers.length > 1,
  ),
  about('ONLY_USUAL_NAME_SUPPORTED', 'player.name', 'The name of a related person is the usual one (L).', ({ names }) =>
    names.some(({ use }) => use !== 'L'),
  ),
  about(
    'ONLY_HOME_ADDRESS_SUPPORTED',
    'address',
    'The address of a related person is that of the home (H).',
    ({ addresses }) => addresses.some(({ use }) => use !== 'H'),
  ),
  about(
    'RELATED_PERSON_DATA_INVALID_NHS_SUPPLIED',
    'relatedPatient',
    'Of a related person with an NHS number nothing else is told that their own record has.',
    (each) =>
      each.numbers.length === 1 &&
      (each.names.length > 0 ||
        each.addresses.length > 0 ||
        each.telecoms.length > 0 ||
        each.contact !== undefined ||
        each.writtenFormat !== undefined),
  ),
  about(
    'TOO_MANY_TELECOM_ELEMENTS',
    'telecom',
    'A related person has five telecoms at most.',
    ({ telecoms }) => telecoms.length > 5,
  ),
  about(
    'RELATED_PERSON_NAME_ADDRESS_MISSING',
    'address',
    'A related person without an NHS number has one address.',
    (each) => written(each) && each.numbers.length === 0 && each.addresses.length !== 1,
  ),
  about(
    'RELATED_PERSON_NAME_ADDRESS_MISSING',
    'name',
    'A related person without an NHS number has one name.',
    (each) => written(each) && each.numbers.length === 0 && each.names.length !== 1,
  ),
]
