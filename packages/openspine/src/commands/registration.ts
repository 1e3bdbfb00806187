import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { knownSets } from '@openspine/services/registration'
import type { EndpointUrl, InteractionSet, NewInteractionSet } from '@openspine/services/registration/contract'
import { SpineError } from '@openspine/standards/error'
import { splitInteractionId } from '@openspine/standards/nhs'
import { serviceNamePrefix } from '@openspine/standards/nhs/interactions'
import { Option } from 'commander'

/** What the commands of registration have in common: who acts, and how sets and URLs are written on a line. */

function operator(): string {
  try {
    return userInfo().username
  } catch {
    return 'operator'
  }
}

/** `--by`: who takes the step, as the directory will show it. */
export const actor = () =>
  new Option('--by <who>', 'who does this: a user role profile DN, or any name').default(operator())

export const usage = (explanation: string) => new SpineError('USAGE', {}, { explanation })

export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SpineError('USAGE', { file }, { cause, explanation: `The ${what} ${file} cannot be read.` })
  }
}

const whole = (id: string) => (id.startsWith('urn:') ? id : serviceNamePrefix + id)

/**
 * Sets as they are named on a line: each word the name of a known set, an interaction id (its prefix may be left out), or a
 * JSON file `{ "name": …, "messages": [{ "service", "interaction", "template"?, "properties"? }] }`.
 */
export function setsNamed(words: readonly string[], use: InteractionSet['use']): readonly NewInteractionSet[] {
  const single: string[] = []
  const sets = words.flatMap((word): NewInteractionSet[] => {
    const known = knownSets.find(({ name }) => name === word)
    if (known !== undefined) return [setOf(known.name, known.interactions, use)]
    if (word.endsWith('.json')) return [setOfFile(word, use)]
    if (!word.includes(':'))
      throw usage(`There is no set ${word}. Known sets: ${knownSets.map(({ name }) => name).join(', ')}.`)
    single.push(whole(word))
    return []
  })
  return single.length === 0 ? sets : [...sets, setOf('single', single, use)]
}

/** A set of a product has a name of its own: what is used beside what is served is told apart by it. */
const nameFor = (name: string, use: InteractionSet['use']) => (use === 'messages' ? name : `${name} (used)`)

function setOf(name: string, ids: readonly string[], use: InteractionSet['use']): NewInteractionSet {
  if (use === 'additional') return { use, name: nameFor(name, use), interactions: ids }
  const messages = ids.map((id) => {
    const parts = splitInteractionId(id)
    if (parts === undefined) throw usage(`${id} is no interaction id.`)
    return parts
  })
  return { use, name, messages }
}

function setOfFile(file: string, use: InteractionSet['use']): NewInteractionSet {
  const text = readText(file, 'set')
  const refuse = () =>
    usage(`${file} must hold a JSON object with name and ${use === 'messages' ? 'messages' : 'interactions'}.`)
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw refuse()
  }
  const { name, messages, interactions } = Object(given) as Record<string, unknown>
  if (typeof name !== 'string') throw refuse()
  const isText = (value: unknown): value is string => typeof value === 'string'
  if (use === 'additional') {
    if (!Array.isArray(interactions) || !interactions.every(isText)) throw refuse()
    return { use, name: nameFor(name, use), interactions }
  }
  const isMessage = (each: unknown) => isText(Object(each)['service']) && isText(Object(each)['interaction'])
  if (!Array.isArray(messages) || !messages.every(isMessage)) throw refuse()
  return { use, name, messages: messages as Extract<NewInteractionSet, { use: 'messages' }>['messages'] }
}

/** `https://…`, or `<set>=https://…` for one message set alone. */
export function urlNamed(word: string): EndpointUrl {
  const [, set, url] = /^([a-z0-9-]+)=(https?:.*)$/i.exec(word) ?? []
  return set === undefined || url === undefined ? { url: word } : { set, url }
}

/** Leaves out what was not given on the line. */
export function given<Fields extends Readonly<Record<string, unknown>>>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]?: Exclude<Fields[Name], undefined>
  }
}
