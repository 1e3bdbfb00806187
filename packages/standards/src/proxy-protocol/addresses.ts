/** An IPv4 address as its four octets; undefined when it is not written in full, decimal and without leading zeros. */
export function readIpv4(text: string): readonly number[] | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text)) return undefined
  const octets = text.split('.').map(Number)
  return octets.every((octet) => octet <= 255) ? octets : undefined
}

/** An IPv6 address (RFC 4291 §2.2, without a zone) as its sixteen octets. */
export function readIpv6(text: string): readonly number[] | undefined {
  if (text.length > 45 || !/^[0-9a-fA-F:.]+$/.test(text)) return undefined
  const [before = '', after, more] = text.split('::')
  if (more !== undefined) return undefined
  const head = octetsOf(before, after === undefined)
  const tail = octetsOf(after ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  if (after === undefined) return head.length === 16 ? head : undefined
  const gap = 16 - head.length - tail.length
  return gap < 2 ? undefined : [...head, ...Array<number>(gap).fill(0), ...tail]
}

/** Groups between colons as octets; the last may be an IPv4 address where `last` says that the address ends here. */
function octetsOf(text: string, last: boolean): readonly number[] | undefined {
  if (text === '') return []
  const octets: number[] = []
  const groups = text.split(':')
  for (const [at, group] of groups.entries()) {
    if (last && at === groups.length - 1 && group.includes('.')) {
      const four = readIpv4(group)
      if (four === undefined) return undefined
      octets.push(...four)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      octets.push(value >> 8, value & 0xff)
    }
  }
  return octets.length > 16 ? undefined : octets
}

/** Four octets as IPv4, sixteen as IPv6 in the one form of RFC 5952. */
export function writeAddress(octets: ArrayLike<number>): string {
  const all = Array.from(octets)
  if (all.length === 4) return all.join('.')
  // An IPv4 address in its IPv6 dress is written as such (§5).
  if (all.slice(0, 10).every((octet) => octet === 0) && all[10] === 0xff && all[11] === 0xff)
    return `::ffff:${all.slice(12).join('.')}`
  const groups = Array.from({ length: 8 }, (_, at) => (((all[2 * at] ?? 0) << 8) | (all[2 * at + 1] ?? 0)).toString(16))
  // The longest run of two zeros or more is left out, the first of those alike (§4.2).
  let start = 0
  let length = 1
  for (let at = 0; at < 8; at++) {
    let run = 0
    while (groups[at + run] === '0') run++
    if (run > length) {
      start = at
      length = run
    }
  }
  if (length === 1) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}
