import { elementsOf, type XmlElement } from '../xml/xml.ts'
import {
  type Ad,
  type Cd,
  type Ii,
  type Ivl,
  type Pn,
  readAd,
  readCd,
  readIi,
  readIvl,
  readPn,
  writeAd,
  writeCd,
  writeIi,
  writeIvl,
  writePn,
} from './datatypes.ts'
import { all, hl7, hl7Namespace, one, textAt } from './element.ts'

/**
 * The parameters of a PDS query (§8.2), every occurrence as it was sent: how often each may stand, and with what value, is
 * a rule of the query and has an error of its own.
 */
export interface QueryParameters {
  readonly historicDataIndicator: readonly Cd[]
  readonly ignoreHistoryIndicator: readonly Cd[]
  readonly personAddress: readonly Ad[]
  readonly gender: readonly Cd[]
  readonly birthTime: readonly Ivl[]
  readonly deceasedTime: readonly Ivl[]
  readonly personId: readonly Ii[]
  readonly personName: readonly Pn[]
  readonly postcode: readonly Ad[]
  readonly primaryCareId: readonly Ii[]
  readonly searchParameter: readonly Cd[]
  /** Texts such as `person.allData`. */
  readonly retrievalItem: readonly string[]
}

export const noParameters: QueryParameters = {
  historicDataIndicator: [],
  ignoreHistoryIndicator: [],
  personAddress: [],
  gender: [],
  birthTime: [],
  deceasedTime: [],
  personId: [],
  personName: [],
  postcode: [],
  primaryCareId: [],
  searchParameter: [],
  retrievalItem: [],
}

/**
 * How senders write a parameter. `schema`: semanticsText first, with the capitalised text that the schema fixes; `live`: the
 * value first, and the text begins in lower case, as systems in use send it. Readers take both.
 */
export type SenderStyle = 'schema' | 'live'

/** `repeated`: every value of the parameter counts, because several within one element are a fault of their own. */
function valuesIn<Value>(query: XmlElement, names: readonly string[], read: (value: XmlElement) => Value): Value[] {
  return elementsOf(query)
    .filter(({ namespace, name }) => namespace === hl7Namespace && names.includes(name))
    .flatMap((parameter) => all(parameter, 'value').map(read))
}

/** Reads the parameters of a `query`, whatever their order and whatever the text beside them. */
export function readQuery(query: XmlElement): QueryParameters {
  return {
    historicDataIndicator: valuesIn(query, ['historicDataIndicator'], readCd),
    ignoreHistoryIndicator: valuesIn(query, ['ignoreHistoryIndicator'], readCd),
    personAddress: valuesIn(query, ['person.address'], readAd),
    gender: valuesIn(query, ['person.administrativeGenderCode'], readCd),
    birthTime: valuesIn(query, ['person.birthTime'], readIvl),
    deceasedTime: valuesIn(query, ['person.deceasedTime'], readIvl),
    personId: valuesIn(query, ['person.id'], readIi),
    personName: valuesIn(query, ['person.name'], readPn),
    postcode: valuesIn(query, ['person.postalCode'], readAd),
    primaryCareId: valuesIn(query, ['primaryCare.id'], readIi),
    searchParameter: valuesIn(query, ['searchParameter'], readCd),
    retrievalItem: all(query, 'retrievalItem').map((item) => textAt(one(item, 'semanticsText')) ?? ''),
  }
}

/** Writes a `query`; parameters stand in the order of the schema. */
export function writeQuery(parameters: QueryParameters, style: SenderStyle): XmlElement {
  const written = <Value>(
    name: string,
    text: string,
    values: readonly Value[],
    write: (name: string, value: Value) => XmlElement,
  ) =>
    values.map((value) => {
      const semantics = hl7(
        'semanticsText',
        {},
        style === 'schema' ? text : text.charAt(0).toLowerCase() + text.slice(1),
      )
      const own = write('value', value)
      return style === 'schema' ? hl7(name, {}, semantics, own) : hl7(name, {}, own, semantics)
    })
  return hl7(
    'query',
    {},
    ...written('historicDataIndicator', 'HistoricDataIndicator', parameters.historicDataIndicator, writeCd),
    ...written('ignoreHistoryIndicator', 'IgnoreHistoryType', parameters.ignoreHistoryIndicator, writeCd),
    ...written('person.address', 'Person.address', parameters.personAddress, writeAd),
    ...written('person.administrativeGenderCode', 'Person.administrativeGenderCode', parameters.gender, writeCd),
    ...written('person.birthTime', 'Person.birthTime', parameters.birthTime, writeIvl),
    ...written('person.deceasedTime', 'Person.deceasedTime', parameters.deceasedTime, writeIvl),
    ...written('person.id', 'Person.id', parameters.personId, writeIi),
    ...written('person.name', 'Person.name', parameters.personName, writePn),
    ...written('person.postalCode', 'Person.postalCode', parameters.postcode, writeAd),
    ...written('primaryCare.id', 'PrimaryCare.id', parameters.primaryCareId, writeIi),
    ...parameters.retrievalItem.map((item) => hl7('retrievalItem', {}, hl7('semanticsText', {}, item))),
    ...written('searchParameter', 'SearchParameter', parameters.searchParameter, writeCd),
  )
}
