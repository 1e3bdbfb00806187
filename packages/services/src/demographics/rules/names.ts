import { outcomes } from '../outcomes.ts'
import { isObject, objectOf, oneOf, periodIsSound, type SnippetRule, textListFault } from './snippet.ts'

const longestName = 35
const mostGiven = 5

/** What a name may be written with (§2): the letters of Latin-1 and Latin Extended-A, digits, space and ' - . */
const nameCharacters = /^[ '\-.0-9A-Za-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u017F]*$/

/** Titles that are written in one way only. */
const titles = ['Mr', 'Mrs', 'Ms', 'Dr', 'Rev', 'Sir', 'Lady', 'Lord']

const parts = ['family', 'given', 'prefix', 'suffix'] as const

/** Rules of one name. */
export const nameRules: readonly SnippetRule[] = [
  isObject,
  oneOf('use', new Set(['usual', 'temp', 'nickname', 'old', 'maiden']), {
    clause: '§2',
    explanation: 'A name is used as usual, temp, nickname, old or maiden.',
  }),
  {
    name: 'family is a name',
    clause: '§2',
    explanation: `A name has a family name of at most ${longestName} characters.`,
    refusal(snippet) {
      const { family } = objectOf(snippet)
      const field = `${snippet.path}/family`
      if (family === undefined) return outcomes.missingField(field)
      return typeof family === 'string' && family.trim() !== '' && family.length <= longestName
        ? undefined
        : outcomes.invalidField(family, field)
    },
  },
  {
    name: 'given is a list of names',
    clause: '§2',
    explanation: `given is a list of at most ${mostGiven} names, each of at most ${longestName} characters.`,
    refusal: (snippet) =>
      textListFault(objectOf(snippet)['given'], `${snippet.path}/given`, { most: mostGiven, longest: longestName }),
  },
  {
    name: 'prefix and suffix are lists',
    clause: '§2',
    explanation: 'prefix and suffix are lists of text.',
    refusal(snippet) {
      const { prefix, suffix } = objectOf(snippet)
      const limits = { most: mostGiven, longest: longestName, blank: true }
      return (
        textListFault(prefix, `${snippet.path}/prefix`, limits) ??
        textListFault(suffix, `${snippet.path}/suffix`, limits)
      )
    },
  },
  {
    name: 'Name is written with allowed characters',
    clause: '§2',
    explanation: 'Names are written with Latin letters, digits, space, apostrophe, hyphen and full stop.',
    refusal(snippet) {
      const name = objectOf(snippet)
      for (const part of parts) {
        const value = name[part]
        const texts = Array.isArray(value) ? value.entries() : [[undefined, value] as const]
        for (const [index, text] of texts)
          if (typeof text === 'string' && !nameCharacters.test(text))
            return outcomes.unsupportedCharacters(
              index === undefined ? `${snippet.path}/${part}` : `${snippet.path}/${part}/${index}`,
            )
      }
      return undefined
    },
  },
  {
    name: 'prefix is spelt as it should be',
    clause: '§2',
    explanation: `These titles are spelt exactly so: ${titles.join(', ')}.`,
    refusal(snippet) {
      const { prefix } = objectOf(snippet)
      if (!Array.isArray(prefix)) return undefined
      const index = prefix.findIndex((title) => {
        const plain = withoutFullStops(String(title))
        return titles.some((known) => known !== plain && known.toLowerCase() === plain.toLowerCase())
      })
      return index === -1 ? undefined : outcomes.invalidField(prefix[index], `${snippet.path}/prefix/${index}`)
    },
  },
  {
    name: 'suffix begins with a capital letter',
    clause: '§2',
    explanation: 'A suffix begins with a letter from A to Z.',
    refusal(snippet) {
      const { suffix } = objectOf(snippet)
      if (!Array.isArray(suffix)) return undefined
      const index = suffix.findIndex((part) => part !== '' && !/^[A-Z]/.test(String(part)))
      return index === -1 ? undefined : outcomes.invalidField(suffix[index], `${snippet.path}/suffix/${index}`)
    },
  },
  periodIsSound,
]

const withoutFullStops = (title: string) => title.replace(/\.+$/, '')

/** A name as it is kept: titles without their full stops, no blank parts. */
export function tidyName(name: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const tidied: Record<string, unknown> = { ...name }
  for (const part of ['given', 'prefix', 'suffix'] as const) {
    const value = name[part]
    if (!Array.isArray(value)) continue
    const kept = value
      .map((text: unknown) => (part === 'prefix' && typeof text === 'string' ? withoutFullStops(text) : text))
      .filter((text) => text !== '')
    if (kept.length === 0) delete tidied[part]
    else tidied[part] = kept
  }
  return tidied
}
