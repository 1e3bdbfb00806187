/** Soundex digit of each letter A to Z; 0 for vowels, 7 for H and W, which do not part equal neighbours. */
const digits = '01230127022455012623017202'

/**
 * American Soundex of a folded name (A to Z alone): a letter and three digits, `''` for an empty name.
 *
 * @example
 * soundex('SMYTHE') // 'S530'
 */
export function soundex(folded: string): string {
  if (folded === '') return ''
  let code = folded.charAt(0)
  let last = digits.charAt(folded.charCodeAt(0) - 65)
  for (let i = 1; i < folded.length && code.length < 4; i++) {
    const digit = digits.charAt(folded.charCodeAt(i) - 65)
    if (digit === '7') continue
    if (digit !== '0' && digit !== last) code += digit
    last = digit
  }
  return code.padEnd(4, '0')
}
