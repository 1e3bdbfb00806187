import { SpineError } from '@openspine/standards/error'
import { z } from 'zod'

/**
 * Configuration: defaults < file < environment < command line. Every key has a schema, a default and a
 * sentence (zod `.default()`, `.describe()`); an unknown or invalid key is refused by name.
 *
 * Sections are flat. The section `''` holds the keys of the whole Spine; `proxy` with a key
 * `connectSeconds` is `proxy.connectSeconds` in messages and on the command line, `{"proxy":
 * {"connectSeconds": 5}}` in the file, and `OPENSPINE_PROXY_CONNECT_SECONDS` in the environment.
 *
 * `.meta({ follows: 'host' })` takes the value of that key of the section `''` when it is not set itself;
 * `.meta({ secret: true })` masks a value, `.meta({ env: 'DATABASE_URL' })` adds a second name in the
 * environment, `.meta({ strict: value })` gives another default under the profile `strict`.
 */
export type Sections = Readonly<Record<string, z.ZodObject>>

export interface ConfigSources {
  /** The text of the file and the name to use in messages. */
  readonly file?: { readonly name: string; readonly text: string }
  readonly env?: Readonly<Record<string, string | undefined>>
  /** `section.key` → value, already typed or as text. Wins over everything. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

export interface ConfigEntry {
  /** `section.key`, or `key` for the section `''`. */
  readonly name: string
  readonly value: unknown
  /** `default`, `default of profile strict`, `file NAME`, `environment NAME` or `command line`. */
  readonly origin: string
  readonly secret: boolean
  readonly description: string
}

export interface LoadedConfig<S extends Sections> {
  readonly values: { readonly [Name in keyof S]: z.infer<S[Name]> }
  readonly entries: readonly ConfigEntry[]
}

interface Key {
  readonly name: string
  readonly section: string
  readonly key: string
  readonly schema: z.ZodType
  readonly environment: readonly string[]
  readonly meta: {
    readonly secret?: boolean
    readonly env?: string
    readonly strict?: unknown
    readonly follows?: string
    readonly description?: string
  }
}

const notSettings = new Set(['OPENSPINE_CONFIG', 'OPENSPINE_STRICT_TESTS'])

/** Reads and checks everything; throws one SpineError `CONFIG_INVALID` that lists every problem. */
export function loadConfig<const S extends Sections>(sections: S, sources: ConfigSources = {}): LoadedConfig<S> {
  const keys = new Map(keysOf(sections).map((key) => [key.name, key]))
  const problems: string[] = []
  const found = new Map<string, { value: unknown; origin: string }>()

  for (const [name, value] of fileEntries(sections, sources.file, problems)) {
    const origin = `file ${sources.file?.name}`
    if (keys.has(name)) found.set(name, { value, origin })
    else problems.push(`${name} (${origin}) is not a setting.${suggestion(name, keys.keys())}`)
  }
  const byVariable = new Map(
    [...keys.values()].flatMap((key) => key.environment.map((variable) => [variable, key] as const)),
  )
  for (const [variable, text] of Object.entries(sources.env ?? {})) {
    const key = byVariable.get(variable)
    if (key && text !== undefined && text !== '') {
      found.set(key.name, { value: fromText(key, text), origin: `environment ${variable}` })
    } else if (!key && variable.startsWith('OPENSPINE_') && !notSettings.has(variable)) {
      problems.push(`${variable} (environment) is not a setting.${suggestion(variable, byVariable.keys())}`)
    }
  }
  for (const [name, value] of Object.entries(sources.overrides ?? {})) {
    const key = keys.get(name)
    if (key)
      found.set(name, { value: typeof value === 'string' ? fromText(key, value) : value, origin: 'command line' })
    else problems.push(`${name} (command line) is not a setting.${suggestion(name, keys.keys())}`)
  }

  const strict = found.get('profile')?.value === 'strict'
  const values: Record<string, Record<string, unknown>> = Object.fromEntries(
    Object.keys(sections).map((name) => [name, {}]),
  )
  const entries: ConfigEntry[] = []
  for (const key of keys.values()) {
    let given = found.get(key.name)
    if (!given && strict && 'strict' in key.meta)
      given = { value: key.meta.strict, origin: 'default of profile strict' }
    const leader = given || key.meta.follows === undefined ? undefined : found.get(key.meta.follows)
    if (leader) given = { value: leader.value, origin: `follows ${key.meta.follows}` }
    const parsed = key.schema.safeParse(given?.value)
    if (!parsed.success) {
      const said = key.meta.secret ? '' : ` ${JSON.stringify(given?.value)}`
      const why = parsed.error.issues.map((issue) => issue.message).join('; ')
      problems.push(
        `${key.name}${said} (${given?.origin ?? 'default'}) is refused: ${why}. It is: ${key.meta.description ?? ''}`,
      )
      continue
    }
    ;(values[key.section] as Record<string, unknown>)[key.key] = parsed.data
    entries.push({
      name: key.name,
      value: parsed.data,
      origin: given?.origin ?? 'default',
      secret: key.meta.secret === true,
      description: key.meta.description ?? '',
    })
  }
  if (problems.length > 0) {
    throw new SpineError(
      'CONFIG_INVALID',
      { problems },
      { explanation: `The configuration cannot be used:\n  ${problems.join('\n  ')}` },
    )
  }
  return { values: values as LoadedConfig<S>['values'], entries }
}

/** A value as it may be shown: secrets are masked, and so is the password of a URL. */
export function shownValue(entry: ConfigEntry): string {
  if (entry.value === undefined) return ''
  if (entry.secret && entry.value !== '') {
    const url = typeof entry.value === 'string' && URL.canParse(entry.value) ? new URL(entry.value) : undefined
    if (!url) return '********'
    if (url.password) url.password = '********'
    return url.href
  }
  return typeof entry.value === 'string' ? entry.value : JSON.stringify(entry.value)
}

/** The reference page, in Markdown: made from the schemas, so that it cannot drift from them. */
export function configReference(sections: Sections): string {
  const lines = [
    '# Settings',
    '',
    'Made from the schemas by `npm run docs`; do not edit. Sources, later ones win: defaults, the file `openspine.json`',
    '(or the one that `OPENSPINE_CONFIG` or `--config` names), environment variables, `--set name=value`.',
    '`openspine config` prints the values in force and where each came from.',
  ]
  for (const section of Object.keys(sections)) {
    lines.push(
      '',
      `## ${section === '' ? 'The whole Spine' : section}`,
      '',
      '| Setting | Environment | Default | Meaning |',
      '|---|---|---|---|',
    )
    for (const key of keysOf({ [section]: sections[section] as z.ZodObject })) {
      const fallback = key.schema.safeParse(undefined)
      const shown = fallback.success && fallback.data !== undefined ? `\`${JSON.stringify(fallback.data)}\`` : ''
      const following = key.meta.follows === undefined ? '' : `; what \`${key.meta.follows}\` is set to`
      const inStrict = 'strict' in key.meta ? `; \`${JSON.stringify(key.meta.strict)}\` in \`strict\`` : ''
      const cell = (text: string) => text.replaceAll('|', '\\|')
      lines.push(
        `| \`${key.name}\` | \`${key.environment.join('`, `')}\` | ${cell(shown + inStrict + following)} | ${cell(key.meta.description ?? '')} |`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function keysOf(sections: Sections): Key[] {
  return Object.entries(sections).flatMap(([section, schema]) =>
    Object.entries(schema.shape).map(([key, keySchema]) => {
      const type = keySchema as z.ZodType
      const meta = (type.meta() ?? {}) as Key['meta']
      const words = `${section}.${key}`.replace(/^\./, '').replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
      const variable = `OPENSPINE_${words.replaceAll(/[.-]/g, '_').toUpperCase()}`
      return {
        name: section === '' ? key : `${section}.${key}`,
        section,
        key,
        schema: type,
        environment: meta.env ? [variable, meta.env] : [variable],
        meta,
      }
    }),
  )
}

function fileEntries(sections: Sections, file: ConfigSources['file'], problems: string[]): [string, unknown][] {
  if (!file) return []
  let content: unknown
  try {
    content = JSON.parse(file.text)
  } catch (error) {
    problems.push(`file ${file.name} is not JSON: ${(error as Error).message}`)
    return []
  }
  if (!isObject(content)) {
    problems.push(`file ${file.name} must hold one JSON object`)
    return []
  }
  return Object.entries(content).flatMap(([name, value]): [string, unknown][] =>
    name !== '' && Object.hasOwn(sections, name) && isObject(value)
      ? Object.entries(value).map(([key, inner]) => [`${name}.${key}`, inner])
      : [[name, value]],
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Environment and command line give text: read it as the schema's type; what cannot be read stays text and is refused by the schema. */
function fromText(key: Key, text: string): unknown {
  const type = (z.toJSONSchema(key.schema, { io: 'input', unrepresentable: 'any' }) as { type?: string }).type
  if (type === 'number' || type === 'integer') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'array' && !text.startsWith('[')) return text.split(',').map((item) => item.trim())
  if (type === 'array' || type === 'object') {
    try {
      return JSON.parse(text)
    } catch {
      return text
    }
  }
  return text
}

function suggestion(name: string, known: Iterable<string>): string {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 4)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ? ` Did you mean ${best}?` : ''
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
