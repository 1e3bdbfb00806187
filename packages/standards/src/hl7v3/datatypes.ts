import { elementsOf, type XmlElement } from '../xml/xml.ts'
import { all, hl7, one, present, textAt, valueAt } from './element.ts'

/*
 * The data types of HL7 V3 that PDS messages use, each as a plain value with a reader and a writer. Readers take what is
 * there and judge nothing: which value must be what is a rule of the message.
 */

/** What an update does with a value; absent: nothing. */
export type UpdateMode = 'added' | 'altered' | 'removed'

interface Any {
  /** As written; PDS knows `added`, `altered` and `removed`. */
  readonly updateMode?: string
  readonly nullFlavor?: string
}

const anyOf = (element: XmlElement) => ({
  updateMode: valueAt(element, 'updateMode'),
  nullFlavor: valueAt(element, 'nullFlavor'),
})

/** Instance identifier. */
export interface Ii extends Any {
  readonly root?: string
  readonly extension?: string
  readonly assigningAuthorityName?: string
}

export const readIi = (element: XmlElement): Ii =>
  present<Ii>({
    root: valueAt(element, 'root'),
    extension: valueAt(element, 'extension'),
    assigningAuthorityName: valueAt(element, 'assigningAuthorityName'),
    ...anyOf(element),
  })

export const writeIi = (name: string, { root, extension, assigningAuthorityName, ...any }: Ii): XmlElement =>
  hl7(name, { root, extension, assigningAuthorityName, ...any })

/** `qualifier` of a code: replies of traces give a code, those of updates a value. */
export interface Qualifier {
  readonly code?: string
  readonly value?: Cd
}

/** Coded value, with all that CS, CV, CE and CD know here. */
export interface Cd extends Any {
  readonly code?: string
  readonly codeSystem?: string
  readonly displayName?: string
  readonly qualifiers?: readonly Qualifier[]
}

export function readCd(element: XmlElement): Cd {
  const qualifiers = all(element, 'qualifier').map((qualifier): Qualifier => {
    const value = one(qualifier, 'value')
    return present<Qualifier>({ code: valueAt(qualifier, 'code'), value: value && readCd(value) })
  })
  return present<Cd>({
    code: valueAt(element, 'code'),
    codeSystem: valueAt(element, 'codeSystem'),
    displayName: valueAt(element, 'displayName'),
    ...anyOf(element),
    qualifiers: qualifiers.length === 0 ? undefined : qualifiers,
  })
}

export function writeCd(name: string, { qualifiers = [], ...attributes }: Cd): XmlElement {
  const { code, codeSystem, displayName, updateMode, nullFlavor } = attributes
  return hl7(
    name,
    { code, codeSystem, displayName, updateMode, nullFlavor },
    ...qualifiers.map(({ code: own, value }) => hl7('qualifier', { code: own }, value && writeCd('value', value))),
  )
}

/** Point in time, integer, boolean: whatever is told by one attribute `value`. */
export interface Valued extends Any {
  readonly value?: string
}

export const readValued = (element: XmlElement): Valued =>
  present<Valued>({ value: valueAt(element, 'value'), ...anyOf(element) })

export const writeValued = (name: string, { value, updateMode, nullFlavor }: Valued): XmlElement =>
  hl7(name, { value, updateMode, nullFlavor })

/** Interval of time. All bounds as they stand, because senders write too many of them, and which is wrong is for a rule to say. */
export interface Ivl extends Any {
  readonly value?: string
  readonly bounds: readonly { readonly bound: 'low' | 'high' | 'center' | 'width'; readonly value: string }[]
}

const boundNames: ReadonlySet<string> = new Set(['low', 'high', 'center', 'width'])

export function readIvl(element: XmlElement): Ivl {
  const bounds = elementsOf(element).flatMap((child): Ivl['bounds'] =>
    boundNames.has(child.name)
      ? [{ bound: child.name as Ivl['bounds'][number]['bound'], value: valueAt(child, 'value') ?? '' }]
      : [],
  )
  return present<Ivl>({ value: valueAt(element, 'value'), ...anyOf(element), bounds })
}

export const writeIvl = (name: string, { value, updateMode, nullFlavor, bounds }: Ivl): XmlElement =>
  hl7(name, { value, updateMode, nullFlavor }, ...bounds.map((each) => hl7(each.bound, { value: each.value })))

/** An interval from low to high, as records have it; undefined where it has neither. */
export function interval(low: string | undefined, high: string | undefined): Ivl | undefined {
  if (low === undefined && high === undefined) return undefined
  return {
    bounds: [
      ...(low === undefined ? [] : [{ bound: 'low', value: low } as const]),
      ...(high === undefined ? [] : [{ bound: 'high', value: high } as const]),
    ],
  }
}

/** The first bound of that name. */
export const boundOf = (ivl: Ivl | undefined, name: Ivl['bounds'][number]['bound']): string | undefined =>
  ivl?.bounds.find(({ bound }) => bound === name)?.value

const texts = (element: XmlElement, name: string): readonly string[] =>
  all(element, name).map((part) => textAt(part) ?? '')

const part = (name: string) => (text: string) => hl7(name, {}, text)

const readPeriod = (element: XmlElement, name: string): Ivl | undefined => {
  const found = one(element, name)
  return found && readIvl(found)
}

const readId = (element: XmlElement): Ii | undefined => {
  const found = one(element, 'id')
  return found && readIi(found)
}

/** Name of a person. */
export interface Pn extends Any {
  readonly use?: string
  readonly prefix: readonly string[]
  readonly given: readonly string[]
  readonly family: readonly string[]
  readonly suffix: readonly string[]
  readonly validTime?: Ivl
  readonly id?: Ii
}

export const readPn = (element: XmlElement): Pn =>
  present<Pn>({
    use: valueAt(element, 'use'),
    ...anyOf(element),
    prefix: texts(element, 'prefix'),
    given: texts(element, 'given'),
    family: texts(element, 'family'),
    suffix: texts(element, 'suffix'),
    validTime: readPeriod(element, 'validTime'),
    id: readId(element),
  })

export const writePn = (name: string, pn: Pn): XmlElement =>
  hl7(
    name,
    { use: pn.use, updateMode: pn.updateMode, nullFlavor: pn.nullFlavor },
    ...pn.prefix.map(part('prefix')),
    ...pn.given.map(part('given')),
    ...pn.family.map(part('family')),
    ...pn.suffix.map(part('suffix')),
    pn.validTime && writeIvl('validTime', pn.validTime),
    pn.id && writeIi('id', pn.id),
  )

/** Postal address. The five lines have fixed meanings (premises, street, locality, town, county), so empty ones count. */
export interface Ad extends Any {
  readonly use?: string
  readonly lines: readonly string[]
  readonly postalCode?: string
  readonly addressKey?: string
  readonly city?: string
  readonly county?: string
  readonly country?: string
  /** What kind of temporary address it is. */
  readonly description?: string
  readonly useablePeriod?: Ivl
  readonly id?: Ii
}

export const readAd = (element: XmlElement): Ad =>
  present<Ad>({
    use: valueAt(element, 'use'),
    ...anyOf(element),
    lines: texts(element, 'streetAddressLine'),
    postalCode: textAt(one(element, 'postalCode')),
    addressKey: textAt(one(element, 'addressKey')),
    city: textAt(one(element, 'city')),
    county: textAt(one(element, 'county')),
    country: textAt(one(element, 'country')),
    description: textAt(one(element, 'desc')),
    useablePeriod: readPeriod(element, 'useablePeriod'),
    id: readId(element),
  })

/** `codeFirst`: the postcode before the lines, as the Mini Services have it. */
export function writeAd(name: string, ad: Ad, order: { readonly codeFirst?: boolean } = {}): XmlElement {
  const optional = (element: string, text: string | undefined) => (text === undefined ? undefined : part(element)(text))
  const code = optional('postalCode', ad.postalCode)
  const lines = ad.lines.map(part('streetAddressLine'))
  return hl7(
    name,
    { use: ad.use, updateMode: ad.updateMode, nullFlavor: ad.nullFlavor },
    ...(order.codeFirst === true ? [code, ...lines] : [...lines, code]),
    optional('addressKey', ad.addressKey),
    optional('city', ad.city),
    optional('county', ad.county),
    optional('country', ad.country),
    optional('desc', ad.description),
    ad.useablePeriod && writeIvl('useablePeriod', ad.useablePeriod),
    ad.id && writeIi('id', ad.id),
  )
}

/** Telephone number or mail address: a URL (`tel:`, `mailto:`, `fax:`, `textphone:`). */
export interface Tel extends Any {
  readonly use?: string
  readonly value?: string
  readonly useablePeriod?: Ivl
  readonly id?: Ii
}

export const readTel = (element: XmlElement): Tel =>
  present<Tel>({
    use: valueAt(element, 'use'),
    value: valueAt(element, 'value'),
    ...anyOf(element),
    useablePeriod: readPeriod(element, 'useablePeriod'),
    id: readId(element),
  })

export const writeTel = (name: string, tel: Tel): XmlElement =>
  hl7(
    name,
    { use: tel.use, value: tel.value, updateMode: tel.updateMode, nullFlavor: tel.nullFlavor },
    tel.useablePeriod && writeIvl('useablePeriod', tel.useablePeriod),
    tel.id && writeIi('id', tel.id),
  )
