/** What a search asks of a name or postcode, over folded text. */
export interface Pattern {
  /** The folded pieces around the asterisks; one piece means equality. */
  readonly pieces: readonly string[]
}

/** Most asterisks in one value: bounds the work of a match on every engine. */
export const maxAsterisks = 3

/** Undefined when an asterisk stands within the first two characters (§9.1), when folding leaves nothing before it, or when there are too many. */
export function parsePattern(text: string, fold: (text: string) => string): Pattern | undefined {
  const star = text.indexOf('*')
  if (star === -1) return { pieces: [fold(text)] }
  const pieces = text.split('*').map(fold)
  if (star < 2 || pieces[0] === '' || pieces.length - 1 > maxAsterisks) return undefined
  return { pieces }
}

export const isWild = (pattern: Pattern): boolean => pattern.pieces.length > 1

/** Whole-text match; an asterisk stands for any run of characters, also none. Linear: pieces are found greedily. */
export function matches(pattern: Pattern, folded: string): boolean {
  const first = pattern.pieces[0] as string
  if (pattern.pieces.length === 1) return folded === first && first !== ''
  if (!folded.startsWith(first)) return false
  let at = first.length
  for (const piece of pattern.pieces.slice(1, -1)) {
    const found = folded.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  const last = pattern.pieces.at(-1) as string
  return folded.length - last.length >= at && folded.endsWith(last)
}

/** For `LIKE`. Folded text holds letters and digits alone, so nothing needs escaping. */
export const likePattern = (pattern: Pattern): string => pattern.pieces.join('%')

/** Smallest text above everything that begins with `prefix`, in byte order: the end of an index range. */
export function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
