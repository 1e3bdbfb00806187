import { oid, type PdsRelated } from '@openspine/standards/hl7v3'
import { asJson, items, type Json, text } from './person.ts'
import { motherCodes, nextOfKin, relatedRoles, relatedUrl, relations } from './related-words.ts'
import { addressOf, contactOf, languageOf, nameOf, object, period, telecomOf } from './spine-person.ts'

/*
 * A related person as HL7 V3 tells of them, from what a view shows.
 */

/** Codes of the relation: one is what the person is, others say more. */
function codesOf(related: Json): readonly string[] {
  return items(related['relationship']).flatMap(({ coding }) =>
    items(coding).flatMap(({ code }) => (typeof code === 'string' ? [motherCodes.has(code) ? 'MTH' : code] : [])),
  )
}

/** Proxies and guardians have a class of their own, whether the record says so or only what they are. */
function classOf(codes: readonly string[], relation: string | undefined): string {
  for (const [word, classCode] of Object.entries(relatedRoles)) if (codes.includes(word)) return classCode
  return relation?.startsWith('Proxy') === true ? relatedRoles.Agent : relatedRoles.Personal
}

/** `subject` is the number of the person whose relative it is. */
export function relatedOf(related: Json, subject: string): PdsRelated {
  const codes = codesOf(related)
  const known = relations.filter(({ word }) => codes.includes(word))
  const relation = known.find(({ word }) => word !== nextOfKin) ?? known[0]
  const own = text(asJson(asJson(related['patient'])['identifier'])['value'])
  const number = own === subject ? undefined : own
  const extensions = items(related['extension'])
  const rank = extensions.find(({ url }) => url === relatedUrl.rank)?.['valuePositiveInt']
  const effectiveTime = period(related['period'])
  const language = languageOf(related)
  return {
    classCode: classOf(codes, relation?.word),
    code: relation?.code ?? '99',
    ...(effectiveTime && { effectiveTime }),
    ...object(related['id']),
    ...(typeof rank === 'number' ? { position: String(rank) } : {}),
    nextOfKin: codes.includes(nextOfKin) && relation?.word !== nextOfKin,
    correspondence: extensions.find(({ url }) => url === relatedUrl.correspondence)?.['valueBoolean'] === true,
    // Whoever has a record of their own is told of by its number, and by nothing else (messaging §8.3).
    numbers: number === undefined ? [] : [{ root: oid.nhsNumber, extension: number }],
    names: number === undefined ? items(related['name']).slice(0, 1).map(nameOf) : [],
    addresses: number === undefined ? items(related['address']).slice(0, 1).map(addressOf) : [],
    telecoms: number === undefined ? items(related['telecom']).map(telecomOf) : [],
    ...(language && { language }),
    ...(number === undefined ? contactOf(related) : {}),
  }
}
