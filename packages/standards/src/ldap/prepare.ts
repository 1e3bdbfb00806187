/**
 * String preparation for matching (RFC 4518). A prepared string has one form for all spellings that its matching
 * rule calls equal, so that equality is `===` and an index is a map.
 */

// §2.2: mapped to nothing …
const toNothing =
  /\u034f|\u180b|\u180c|\u180d|[\ufe00-\ufe0f]|[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u06dd\u070f\u1806\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2063\u206a-\u206f\ufeff\ufff9-\ufffc\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/gu
// … and to SPACE.
const toSpace = /[\t\n\u000b\f\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/gu
// §2.4: unassigned, private use, surrogates, non-characters and the replacement character.
const prohibited = /[\p{Cn}\p{Co}\p{Cs}\ufffd]/u

/** Case folding over code points, so that no context (final sigma) and no locale matters. */
function fold(value: string): string {
  let out = ''
  for (const char of value) out += [...char.toUpperCase()].map((upper) => upper.toLowerCase()).join('')
  return out.normalize('NFKC')
}

/** True when the text is printable ASCII that preparation leaves as it is, but for case. */
function plain(value: string): boolean {
  const { length } = value
  let before = 0x20
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || (code === 0x20 && before === 0x20)) return false
    before = code
  }
  return before !== 0x20
}

/** Transcode, map, normalise, prohibit; spaces still as they were. Undefined when the text holds a prohibited character. */
function mapped(value: string, ignoreCase: boolean): string | undefined {
  let text = value.replace(toNothing, '').replace(toSpace, ' ')
  if (ignoreCase) text = fold(text)
  text = text.normalize('NFKC')
  return prohibited.test(text) ? undefined : text
}

/**
 * The equality form: outer spaces dropped, inner runs one space; case folded when `ignoreCase`.
 * Undefined means that the value cannot match anything (the assertion is Undefined).
 */
export function prepare(value: string, ignoreCase: boolean): string | undefined {
  if (plain(value)) return ignoreCase ? value.toLowerCase() : value
  const text = mapped(value, ignoreCase)
  if (text === undefined) return undefined
  return text.replace(/ +/g, ' ').replace(/^ | $/g, '')
}

/** RFC 4518 §2.6.1, for a value that substrings are sought in: one space around, two between words. */
export function prepareForSubstrings(value: string, ignoreCase: boolean): string | undefined {
  const text = prepare(value, ignoreCase)
  if (text === undefined) return undefined
  return text === '' ? '  ' : ` ${text.replaceAll(' ', '  ')} `
}

/** RFC 4518 §2.6.1, for a part of a substrings assertion. */
export function prepareSubstring(
  value: string,
  place: 'initial' | 'any' | 'final',
  ignoreCase: boolean,
): string | undefined {
  const text = mapped(value, ignoreCase)
  if (text === undefined) return undefined
  const words = text.replace(/^ +| +$/g, '')
  if (words === '') return text === '' ? '' : ' '
  const before = place === 'initial' || text.startsWith(' ') ? ' ' : ''
  const after = place === 'final' || text.endsWith(' ') ? ' ' : ''
  return before + words.replace(/ +/g, '  ') + after
}
