import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { asJson, extensionUrl, isJson, items, type Json, text } from '../person.ts'
import { odsIdentifierFault } from './registrations.ts'
import { dayOf, isObject, objectOf, periodFault, type Snippet, type SnippetRule } from './snippet.ts'

const pharmacies: ReadonlySet<unknown> = new Set([
  extensionUrl.nominatedPharmacy,
  extensionUrl.dispensingDoctor,
  extensionUrl.applianceSupplier,
])

/** Languages beyond ISO 639-1 (§2). */
const furtherLanguages = new Set(['q1', 'q2', 'q3', 'q4', 'q5'])
/** ISO 639-1. */
const languages = new Set(
  'aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu'.split(
    ' ',
  ),
)

const writtenFormats = new Set(['11', '12', '13'])
const contactMethods = new Set(['1', '2', '3', '4', '5', '6', '7', '8'])
const longestTimes = 40
const countryNumbers = new Set(['1', '2', '3', '4', '7', '9', '10'])
const removalCodes = new Set(['DEA', 'EMB', 'SCT', 'NIT', 'TRA', 'ORR', 'AFN', 'SDN', 'LDN'])

/** One of the parts of an extension that has some, with its place. */
export function partOf(extension: Json, url: string): { readonly part: Json; readonly index: number } | undefined {
  const parts = items(extension['extension'])
  const index = parts.findIndex((part) => part['url'] === url)
  const part = parts[index]
  return part && { part, index }
}

/** The code of a coded part. */
export const codeIn = (part: Json | undefined): unknown =>
  items(asJson(part?.['valueCodeableConcept'])['coding'])[0]?.['code']

/** The status in a death notification: 1 informal, 2 formal, U removed. */
export function deathStatus(extension: Json): string | undefined {
  return text(codeIn(partOf(extension, 'deathNotificationStatus')?.part))
}

function codedPart(snippet: Snippet, url: string, codes: ReadonlySet<string>): PdsOutcome | undefined {
  const found = partOf(objectOf(snippet), url)
  if (!found) return undefined
  const code = codeIn(found.part)
  return typeof code === 'string' && codes.has(code)
    ? undefined
    : outcomes.invalidField(code ?? '', `${snippet.path}/extension/${found.index}/valueCodeableConcept/coding/0/code`)
}

const of = (
  urls: ReadonlySet<unknown>,
  rule: Omit<SnippetRule, 'refusal'>,
  refusal: (snippet: Snippet) => PdsOutcome | undefined,
): SnippetRule => ({
  ...rule,
  refusal: (snippet) => (urls.has(objectOf(snippet)['url']) ? refusal(snippet) : undefined),
})

/** Rules of one extension of a Patient. */
export const extensionRules: readonly SnippetRule[] = [
  isObject,
  {
    name: 'Extension has a known URL',
    clause: '§2',
    explanation: 'The extension is none of those that PDS keeps.',
    refusal(snippet) {
      const { url } = objectOf(snippet)
      const field = `${snippet.path}/url`
      if (url === undefined) return outcomes.missingField(field)
      return Object.values<unknown>(extensionUrl).includes(url) ? undefined : outcomes.invalidField(url, field)
    },
  },
  of(
    pharmacies,
    {
      name: 'Pharmacy is named by its ODS code',
      clause: '§2',
      explanation: 'valueReference.identifier has the ODS code of the pharmacy, three to ten letters and digits.',
    },
    (snippet) =>
      odsIdentifierFault(
        asJson(objectOf(snippet)['valueReference'])['identifier'],
        `${snippet.path}/valueReference/identifier`,
      ),
  ),
  of(
    new Set([extensionUrl.deathNotification]),
    {
      name: 'Death notification has a status',
      clause: '§2, §10.3',
      explanation: 'The status of a death notification is 1 (informal) or 2 (formal); U cannot be set.',
    },
    (snippet) => {
      const extension = objectOf(snippet)
      const found = partOf(extension, 'deathNotificationStatus')
      if (!found) return outcomes.missingField(`${snippet.path}/extension/0`)
      const effective = partOf(extension, 'systemEffectiveDate')
      const date = effective?.part['valueDateTime']
      if (effective && dayOf(date) === undefined)
        return outcomes.invalidField(date ?? '', `${snippet.path}/extension/${effective.index}/valueDateTime`)
      return codedPart(snippet, 'deathNotificationStatus', new Set(['1', '2']))
    },
  ),
  of(
    new Set([extensionUrl.communication]),
    {
      name: 'Language is one that is kept',
      clause: '§10.3',
      explanation:
        'The language is of ISO 639-1 or one of q1 to q5, and not English; interpreterRequired is a boolean.',
    },
    (snippet) => {
      const extension = objectOf(snippet)
      const language = partOf(extension, 'language')
      const interpreter = partOf(extension, 'interpreterRequired')
      if (!language) return outcomes.missingField(`${snippet.path}/extension/0`)
      const code = codeIn(language.part)
      const known = typeof code === 'string' && (languages.has(code) || furtherLanguages.has(code)) && code !== 'en'
      if (!known)
        return outcomes.invalidField(
          code ?? '',
          `${snippet.path}/extension/${language.index}/valueCodeableConcept/coding/0/code`,
        )
      return interpreter && typeof interpreter.part['valueBoolean'] !== 'boolean'
        ? outcomes.invalidField(
            interpreter.part['valueBoolean'] ?? '',
            `${snippet.path}/extension/${interpreter.index}/valueBoolean`,
          )
        : undefined
    },
  ),
  of(
    new Set([extensionUrl.contactPreference]),
    {
      name: 'Contact preference is sound',
      clause: '§2, §10.3',
      explanation: `Format and method are of their lists; times have at most ${longestTimes} characters and need a method.`,
    },
    (snippet) => {
      const extension = objectOf(snippet)
      const fault =
        codedPart(snippet, 'PreferredWrittenCommunicationFormat', writtenFormats) ??
        codedPart(snippet, 'PreferredContactMethod', contactMethods)
      if (fault) return fault
      const times = partOf(extension, 'PreferredContactTimes')
      if (!times) return undefined
      const value = times.part['valueString']
      if (typeof value !== 'string' || value.length > longestTimes)
        return outcomes.invalidField(value ?? '', `${snippet.path}/extension/${times.index}/valueString`)
      return partOf(extension, 'PreferredContactMethod')
        ? undefined
        : outcomes.missingField(`${snippet.path}/extension/PreferredContactMethod`)
    },
  ),
  of(
    new Set([extensionUrl.birthPlace]),
    {
      name: 'Birth place names a place',
      clause: '§10.3',
      explanation:
        'A birth place has a city, a district or a country; the country is a code of the list or of ISO 3166.',
    },
    (snippet) => {
      const { valueAddress } = objectOf(snippet)
      const path = `${snippet.path}/valueAddress`
      if (!isJson(valueAddress)) return outcomes.missingField(path)
      const { city, district, country } = valueAddress
      if (city === undefined && district === undefined && country === undefined) return outcomes.missingField(path)
      for (const [member, value] of [['city', city] as const, ['district', district] as const])
        if (value !== undefined && (typeof value !== 'string' || value.trim() === ''))
          return outcomes.invalidField(value, `${path}/${member}`)
      const known =
        country === undefined ||
        (typeof country === 'string' && (countryNumbers.has(country) || /^[A-Z]{3}$/.test(country)))
      return known ? undefined : outcomes.invalidField(country, `${path}/country`)
    },
  ),
  of(
    new Set([extensionUrl.removal]),
    {
      name: 'Removal from registration has a reason',
      clause: '§2',
      explanation: 'The reason is of the list, and its effectiveTime a period.',
    },
    (snippet) => {
      const extension = objectOf(snippet)
      const time = partOf(extension, 'effectiveTime')
      return (
        (partOf(extension, 'removalFromRegistrationCode')
          ? codedPart(snippet, 'removalFromRegistrationCode', removalCodes)
          : outcomes.missingField(`${snippet.path}/extension/0`)) ??
        (time &&
          periodFault(time.part['valuePeriod'], `${snippet.path}/extension/${time.index}/valuePeriod`, snippet.today))
      )
    },
  ),
]
