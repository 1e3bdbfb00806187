/**
 * The folded forms under which people are indexed and compared (demographics specification §27). Pure and
 * computed here rather than in the database, so that every engine sees the same keys.
 */

/** Letters whose plain form is not reached by taking off a combining mark. */
const spelledOut: Readonly<Record<string, string>> = {
  ß: 'SS',
  æ: 'AE',
  œ: 'OE',
  ĳ: 'IJ',
  ø: 'O',
  ł: 'L',
  đ: 'D',
  ð: 'D',
  þ: 'TH',
  ħ: 'H',
  ı: 'I',
  ĸ: 'K',
  ŋ: 'N',
  ŧ: 'T',
  ŀ: 'L',
  ŉ: 'N',
  ſ: 'S',
}

const plain = /^[A-Za-z]*$/

/**
 * A to Z alone: marks taken off, ligatures spelled out, upper case, everything else dropped.
 *
 * @example
 * foldName("Anne-Marie O'Näß") // 'ANNEMARIEONASS'
 */
export function foldName(name: string): string {
  if (plain.test(name)) return name.toUpperCase()
  const lower = name.toLowerCase()
  let spelled = ''
  for (const letter of lower) spelled += spelledOut[letter] ?? letter
  return spelled
    .normalize('NFD')
    .toUpperCase()
    .replaceAll(/[^A-Z]/g, '')
}

/** The folded parts of a name at its spaces and hyphens: `Anne-Marie J` → ANNE, MARIE, J. */
export function namePieces(name: string): string[] {
  return name
    .split(/[\s-]+/)
    .map(foldName)
    .filter((piece) => piece !== '')
}

/** For the accent tie-break: the same letters with the same marks, whatever the case and the Unicode form. */
export function sameSpelling(a: string, b: string): boolean {
  return a === b || accented(a) === accented(b)
}

const accented = (text: string) => text.normalize('NFC').toLowerCase().trim()

/** Upper-case letters and digits; spaces do not count. `zz99 3cz` → `ZZ993CZ`. */
export function foldPostcode(postcode: string): string {
  return postcode.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
}

/** Digits alone; the country prefix stays, because `0091…` is not the local number. */
export function foldPhone(phone: string): string {
  return phone.replaceAll(/\D/g, '')
}

export function foldEmail(email: string): string {
  return email.trim().toLowerCase()
}

/** `1980-02-29` → 19800229: sorts by time, needs no time zone. Undefined unless it is a day of the calendar. */
export function dayNumber(date: string): number | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date)
  if (!parts) return undefined
  const year = Number(parts[1])
  const month = Number(parts[2])
  const day = Number(parts[3])
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
    ? year * 10_000 + month * 100 + day
    : undefined
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
