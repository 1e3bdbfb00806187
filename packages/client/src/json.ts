/** Looking into what a provider sent, of which nothing is sure: absent and wrong are both nothing. */

export type Json = Readonly<Record<string, unknown>>

export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]
}

export function first(value: unknown): Json {
  return object(list(value)[0])
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What a CodeableConcept says to people: its text, else the display of its first coding, else the code. */
export function conceptText(value: unknown): string | undefined {
  const concept = object(value)
  const coding = first(concept['coding'])
  return text(concept['text']) ?? text(coding['display']) ?? text(coding['code'])
}

/** The extension of this name; its URL may be of any version and base. */
export function extension(resource: unknown, name: string): Json | undefined {
  return list(object(resource)['extension'])
    .map(object)
    .find(({ url }) => text(url)?.split('/').at(-1) === name)
}

/** The members of an object that are not undefined. */
export function present<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>
}

type Present<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name]
} & { [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined> }
