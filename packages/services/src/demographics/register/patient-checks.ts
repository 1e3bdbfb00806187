import { outcomes } from '../outcomes.ts'
import { asJson, currentUrl, extensionUrl, items, type Json, ukCore } from '../person.ts'
import { addressRules, linesComplete, linesMissing } from '../rules/addresses.ts'
import { type BodyCheck, formed, list, needs, ofEach, ofMember, only, single } from '../rules/body.ts'
import { emailIsOne, isEmail, telecomRules } from '../rules/contacts.ts'
import { birthDateRules, genderRules } from '../rules/details.ts'
import { codeIn, extensionRules, partOf } from '../rules/extensions.ts'
import { nameRules } from '../rules/names.ts'
import { isObject, objectOf, type SnippetRule } from '../rules/snippet.ts'

/** Extensions that come with a new record and are not kept in it (§12). */
export const passingUrl = {
  registeringAuthority: `${ukCore}Extension-UKCore-RegisteringAuthority`,
  birthSex: `${ukCore}Extension-UKCore-BirthSex`,
  cadavericDonor: 'http://hl7.org/fhir/StructureDefinition/patient-cadavericDonor',
  residentialStatus: `${ukCore}Extension-UKCore-ResidentialStatus`,
  interpreterRequired: 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired',
  numberUnavailable: `${ukCore}Extension-UKCore-NHSNumberUnavailableReason`,
} as const

/** Extensions that may come: to be kept, or only to be let pass. */
const knownUrls: ReadonlySet<unknown> = new Set([
  ...Object.values<string>(passingUrl),
  extensionUrl.communication,
  extensionUrl.contactPreference,
  extensionUrl.birthPlace,
  extensionUrl.deathNotification,
  extensionUrl.ethnicCategory,
])

const clause = '§12'

/** Asked of each item of a list, one rule after the other. */
const each = (listed: string, rules: readonly SnippetRule[]) => rules.map((rule) => ofEach(listed, rule))

/** Asked of the extensions with this URL alone. */
const about = (url: string, rules: readonly SnippetRule[]): readonly SnippetRule[] =>
  rules.map((rule) => ({
    ...rule,
    refusal: (snippet) => (currentUrl(objectOf(snippet)['url']) === url ? rule.refusal(snippet) : undefined),
  }))

const onePerKind = (listed: string, explanation: string, kind: (item: Json) => string): BodyCheck => ({
  name: `${listed} has one of each kind`,
  clause: '§2',
  explanation,
  refusal({ value, prefix }) {
    const kinds = items(value[listed]).map(kind)
    return new Set(kinds).size < kinds.length
      ? outcomes.tooManyValues(value[listed] as unknown[], prefix + listed)
      : undefined
  },
})

const hasPeriod: SnippetRule = {
  name: 'period is there',
  clause,
  explanation: 'An address has a period with the day on which it begins.',
  refusal: (snippet) =>
    objectOf(snippet)['period'] === undefined ? outcomes.missingField(`${snippet.path}/period`) : undefined,
}

const authorityTypes: ReadonlySet<unknown> = new Set([...'abcdefghijklmnopqrstuvwx1', 1])

const authorityRules: readonly SnippetRule[] = [
  {
    name: 'Registering authority has a type',
    clause,
    explanation: 'registeringAuthorityType has a code from a to x, or 1.',
    refusal(snippet) {
      const extension = objectOf(snippet)
      if (extension['extension'] === undefined) return outcomes.missingField(`${snippet.path}/extension`)
      const found = partOf(extension, 'registeringAuthorityType')
      if (!found) return outcomes.tooFewValues(items(extension['extension']), `${snippet.path}/extension`)
      const path = `${snippet.path}/extension/${found.index}/valueCodeableConcept`
      if (found.part['valueCodeableConcept'] === undefined) return outcomes.missingField(path)
      const code = codeIn(found.part)
      if (code === undefined) return outcomes.missingField(`${path}/coding/0/code`)
      return authorityTypes.has(code) ? undefined : outcomes.invalidField(code, `${path}/coding/0/code`)
    },
  },
  {
    name: 'Registering authority is named',
    clause,
    explanation: 'organisationIdentifier has a valueString of 2 to 15 characters.',
    refusal(snippet) {
      const extension = objectOf(snippet)
      const found = partOf(extension, 'organisationIdentifier')
      if (!found) return outcomes.tooFewValues(items(extension['extension']), `${snippet.path}/extension`)
      const path = `${snippet.path}/extension/${found.index}/valueString`
      const { valueString } = found.part
      if (valueString === undefined) return outcomes.missingField(path)
      const sound = typeof valueString === 'string' && valueString.length >= 2 && valueString.length <= 15
      return sound ? undefined : outcomes.invalidField(valueString, path)
    },
  },
]

/** Extensions that a new record must have. */
export const withExtensions = (needed: readonly string[]): BodyCheck => ({
  name: 'Extensions that are needed are there',
  clause: '§12, §13',
  explanation: `These extensions are there, once: ${needed.map((url) => url.slice(url.lastIndexOf('/') + 1)).join(', ')}.`,
  refusal({ value, prefix }) {
    const extensions = items(value['extension'])
    const urls = extensions.map(({ url }) => currentUrl(url))
    const field = `${prefix}extension`
    if (needed.some((url) => !urls.includes(url))) return outcomes.tooFewValues(extensions, field)
    return needed.some((url) => urls.indexOf(url) !== urls.lastIndexOf(url))
      ? outcomes.tooManyValues(extensions, field)
      : undefined
  },
})

/** What is missing, one at a time, in this order; and what is too much. */
const presence = (members: readonly string[]): readonly BodyCheck[] => [
  needs('name', { clause, explanation: 'A new record has a name.' }),
  needs('address', { clause, explanation: 'A new record has an address.' }),
  needs('gender', { clause, explanation: 'A new record has a gender.' }),
  needs('birthDate', { clause, explanation: 'A new record has a date of birth.' }),
  list('address', 1, { clause, explanation: 'address is a list with one address at least.' }),
  ...each('address', [isObject, hasPeriod]),
  needs('extension', { clause, explanation: 'A new record tells the registering authority in an extension.' }),
  only(members, { clause, explanation: 'A new record has no members but those of the specification.' }),
]

/** Every value by itself. The gender and the date are named by their short paths wherever they stand. */
const values: readonly BodyCheck[] = [
  formed('resourceType', (value) => value === 'Patient', { clause, explanation: 'The resource is a Patient.' }),
  list('name', 1, { clause, explanation: 'name is a list of one name.' }),
  single('name', { clause, explanation: 'name is a list of one name.' }),
  ...each('name', nameRules),
  formed('name/0/use', (value) => value === 'usual', {
    clause,
    explanation: 'The name of a new record is the usual one.',
  }),
  ...genderRules.map((rule) => ofMember('gender', rule, 'gender')),
  ...birthDateRules.map((rule) => ofMember('birthDate', rule, 'birthDate')),
  ...each('address', addressRules),
  onePerKind('address', 'There is one address of each use.', ({ use }) => String(use)),
  list('telecom', 0, { clause, explanation: 'telecom is a list.' }),
  ...each(
    'telecom',
    // What is no e-mail address is told later, and in other words.
    telecomRules.filter((rule) => rule !== emailIsOne),
  ),
  onePerKind('telecom', 'There is one telecom of each system and use.', ({ system, use }) => `${system} ${use}`),
  list('extension', 1, { clause, explanation: 'extension is a list.' }),
  ...each('extension', [
    isObject,
    {
      name: 'url is known',
      clause,
      explanation: 'The extension is none of those that may come with a new record.',
      refusal(snippet) {
        const { url } = objectOf(snippet)
        if (url === undefined) return outcomes.missingField(`${snippet.path}/url`)
        return knownUrls.has(currentUrl(url)) ? undefined : outcomes.invalidField(url, `${snippet.path}/url`)
      },
    },
    ...about(passingUrl.registeringAuthority, authorityRules),
    ...[extensionUrl.communication, extensionUrl.contactPreference, extensionUrl.birthPlace].flatMap((url) =>
      // The first two rules are those of every extension.
      about(url, extensionRules.slice(2)),
    ),
  ]),
]

const createMembers = ['resourceType', 'id', 'meta', 'name', 'gender', 'birthDate', 'address', 'telecom', 'extension']

/** POST /Patient: the body, before anybody is looked for (§12). */
export const createChecks: readonly BodyCheck[] = [
  ...presence(createMembers),
  ...values,
  withExtensions([passingUrl.registeringAuthority]),
]

/** The baby of a birth notification: as a new record, with more members and extensions (§13). */
export const babyChecks: readonly BodyCheck[] = [
  ...presence([...createMembers, '_birthDate', 'multipleBirthInteger', 'deceasedDateTime']),
  ...values,
  withExtensions([passingUrl.registeringAuthority, extensionUrl.ethnicCategory, extensionUrl.birthPlace]),
]

/** A new record as a whole, after nobody was found who matches: the words are those of the register itself (§7). */
export const newRecordChecks: readonly BodyCheck[] = [
  {
    name: 'Usual name has no end',
    clause: '§7, §12',
    explanation: 'The usual name of a new record goes on.',
    refusal: ({ value }) =>
      items(value['name']).some((name) => asJson(name['period'])['end'] !== undefined)
        ? outcomes.invalidCreate('An end date can not be provided on usual name')
        : undefined,
  },
  {
    name: 'Address lines are complete',
    clause: '§7, §10.3',
    explanation: 'An address has premises or street in line 1 or 2, and the post town in line 4.',
    refusal: ({ value, prefix, today }) =>
      items(value['address']).every((address) => linesComplete({ value: address, path: prefix, today }))
        ? undefined
        : outcomes.invalidCreate(linesMissing),
  },
  {
    name: 'E-mail addresses are some',
    clause: '§7',
    explanation: 'An e-mail address has an @ with something on both sides, and 7 to 89 characters.',
    refusal: ({ value }) =>
      items(value['telecom']).every(({ system, value: address }) => system !== 'email' || isEmail(address))
        ? undefined
        : outcomes.invalidCreate('email format is invalid'),
  },
]
