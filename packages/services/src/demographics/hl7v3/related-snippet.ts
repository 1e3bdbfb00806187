import type { PdsRelated } from '@openspine/standards/hl7v3'
import { namingSystem } from '@openspine/standards/nhs'
import { extensionUrl, type Json } from '../person.ts'
import { nextOfKin, relatedRoles, relatedUrl, relationSystems, relations } from '../related-words.ts'
import { addressSnippet, formatPart, languageOf, methodParts, nameSnippet, period, telecomSnippet } from './snippets.ts'

type Told = Omit<PdsRelated, 'updateMode' | 'id'>

/** The relation, and where it does not follow from that the role; and whether it is the next of kin. */
function codingsOf({ code, classCode, nextOfKin: next }: Told): readonly Json[] {
  const relation = relations.find((each) => each.code === code)
  const usual = relation?.word === 'Guardian' ? 'GUARD' : relation?.word.startsWith('Proxy') === true ? 'AGNT' : 'PRS'
  const role = Object.entries(relatedRoles).find(([, each]) => each === classCode)?.[0]
  const coding = (word: string) => {
    const found = relations.find((each) => each.word === word)
    return {
      system: relationSystems[found?.system ?? 'further'],
      code: word,
      ...(found === undefined ? {} : { display: found.display }),
    }
  }
  return [
    coding(relation?.word ?? code ?? ''),
    ...(role === undefined || usual === classCode ? [] : [coding(role)]),
    ...(next ? [coding(nextOfKin)] : []),
  ]
}

/** A related person of a message as the record has them, without the id. */
export function relatedSnippet(told: Told): Json {
  const { numbers, names, addresses, telecoms, language, contact, writtenFormat, position, correspondence } = told
  const { method: code, times } = contact ?? {}
  const preferences = [
    ...(writtenFormat === undefined ? [] : [formatPart({ code: writtenFormat })]),
    ...methodParts({ ...(code === undefined ? {} : { code }), ...(times === undefined ? {} : { times }) }),
  ]
  const extension = [
    ...(correspondence ? [{ url: relatedUrl.correspondence, valueBoolean: true }] : []),
    ...(position === undefined ? [] : [{ url: relatedUrl.rank, valuePositiveInt: Number(position) }]),
    ...(preferences.length === 0 ? [] : [{ url: extensionUrl.contactPreference, extension: preferences }]),
    ...(language === undefined ? [] : [{ url: extensionUrl.communication, ...languageOf(language) }]),
  ]
  return {
    ...(numbers[0] === undefined
      ? {}
      : { identifier: [{ system: namingSystem.fhirNhsUk.nhsNumber, value: numbers[0].extension }] }),
    active: true,
    ...period(told.effectiveTime),
    relationship: [{ coding: codingsOf(told) }],
    ...(names.length === 0 ? {} : { name: names.map(nameSnippet) }),
    ...(addresses.length === 0 ? {} : { address: addresses.map(addressSnippet) }),
    ...(telecoms.length === 0 ? {} : { telecom: telecoms.map(telecomSnippet) }),
    ...(extension.length === 0 ? {} : { extension }),
  }
}
