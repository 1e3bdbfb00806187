/** Printable text without space at its ends, which needs no encoding; other spaces than U+0020 would deceive a reader. */
const printable = /^[^\p{C}\p{Z}]+(?: +[^\p{C}\p{Z}]+)*$/u

/**
 * `name: value` as one line. Printable text stays text in any script, so that a reviewer reads names, not base64; what
 * an eye or an editor could miss (control characters, direction marks, spaces at the ends) is base64 as in RFC 2849.
 * Never folded: a changed value is one changed line.
 */
export function textLine(name: string, value: string): string {
  return printable.test(value) && !/^[:<]/.test(value)
    ? `${name}: ${value}\n`
    : `${name}:: ${Buffer.from(value).toString('base64')}\n`
}

/** Text from a folder for a terminal: what would steer the terminal is shown as an escape, what is long is cut. */
export function shown(text: string, longest = 300): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`)
}

/** Orders texts by their code units: the same everywhere, whatever the language of the machine. */
export const byCodeUnit = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
