/** Reading resources whose shape nobody has vouched for: what is not there, or of another kind, is nothing. */

/** An object of JSON. */
export type Json = Readonly<Record<string, unknown>>

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const asJson = (value: unknown): Json => (isJson(value) ? value : {})
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined
/** The objects of a list; of a single object, that one. */
export const items = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.filter(isJson) : isJson(value) ? [value] : []

export interface Code {
  readonly system: string
  readonly code: string
  readonly display?: string
}

/** The codings of a concept, or of a list of them. */
export function codings(concept: unknown): readonly Code[] {
  return items(concept)
    .flatMap(({ coding }) => items(coding))
    .map(({ system, code, display }) => {
      const shown = text(display)
      return { system: text(system) ?? '', code: text(code) ?? '', ...(shown === undefined ? {} : { display: shown }) }
    })
}

export const extensionOf = (resource: Json, url: string): Json | undefined =>
  items(resource['extension']).find((each) => each['url'] === url)

/** Without members that are undefined: what is absent is not written. */
export const defined = <Value extends Json>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value
