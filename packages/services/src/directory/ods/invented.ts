import type { DirectoryEntry } from '../contract.ts'
import { organisationOfRow } from './organisation-file.ts'

/** Invented organisations that have codes of the right form. */
export const mostInvented = 220_000

/** In every thousand: one commissioner, two trusts with their sites, pharmacies and practices. */
const block = { trusts: 1, sites: 3, pharmacies: 100, practices: 400 }

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ'
const signs = `${letters}0123456789`
/** Of practices: none of those that the worked examples use. */
const practiceLetters = 'EGHJKLMNPVWY'

const first = [
  'ALDER',
  'BIRCH',
  'CEDAR',
  'ELM',
  'HAWTHORN',
  'HAZEL',
  'JUNIPER',
  'LARCH',
  'MAPLE',
  'OAK',
  'ROWAN',
  'WILLOW',
]
const second = ['BRIDGE', 'BROOK', 'CROSS', 'FIELD', 'GATE', 'GREEN', 'HILL', 'LANE', 'MEAD', 'MILL', 'PARK', 'WELL']
const third = ['ASH', 'BOURNE', 'COMBE', 'DALE', 'FORD', 'HAM', 'LEY', 'MERE', 'STOKE', 'THORPE', 'TON', 'WICK']
const streets = ['CHURCH', 'HIGH', 'MARKET', 'MILL', 'NORTH', 'QUEEN', 'SCHOOL', 'STATION', 'VICTORIA', 'WEST']

/** Two signs for a number below 34². */
const pair = (number: number) =>
  `${signs[Math.floor(number / signs.length) % signs.length]}${signs[number % signs.length]}`

/** A number from `0` below `below`, of seed, index and purpose alone. */
function dice(seed: number, index: number, purpose: number): (below: number) => number {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b) ^ Math.imul(purpose, 0xc2b2ae35)) | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/**
 * The organisation of a number, from 0, below `mostInvented`: the same for the same seed. Names and places are
 * invented, postcodes are of the area ZZ99, which no place has.
 */
export function inventedOrganisation(seed: number, index: number): DirectoryEntry {
  const thousand = Math.floor(index / 1000)
  const within = index % 1000
  const roll = dice(seed, index, 1)
  const pick = (words: readonly string[]) => words[roll(words.length)] ?? ''
  const commissioner = `Q${pair(thousand)}`
  const trust = (number: number) => `R${pair(thousand * 2 + number)}`
  const place = `${pick(first)}${pick(third)}`
  const name = `${pick(first)}${pick(second)}`
  const about = (): { type: Parameters<typeof organisationOfRow>[1]; code: string; name: string; parent: string } => {
    if (within < block.trusts)
      return { type: 'commissioner', code: commissioner, name: `NHS ${place} COMMISSIONING`, parent: '' }
    if (within < block.sites) {
      return { type: 'trust', code: trust(within - block.trusts), name: `${place} HOSPITALS NHS TRUST`, parent: '' }
    }
    if (within < block.pharmacies) {
      const number = within - block.sites
      const owner = trust(number % 2)
      return { type: 'site', code: `${owner}${pair(number)}`, name: `${name} HOSPITAL`, parent: owner }
    }
    if (within < block.practices) {
      const number = thousand * 300 + within - block.pharmacies
      const two = `${letters[Math.floor(number / 2400) % letters.length]}${letters[Math.floor(number / 100) % letters.length]}`
      // Two letters and two digits are too few for all: then letters stand for tens.
      const round = Math.floor(number / 57_600)
      const tens = Math.floor((number % 100) / 10)
      const code = `F${two}${round === 0 ? tens : letters[(round - 1) * 10 + tens]}${number % 10}`
      return { type: 'pharmacy', code, name: `${name} PHARMACY`, parent: commissioner }
    }
    const number = thousand * 600 + within - block.practices
    const code = `${practiceLetters[Math.floor(number / 100_000) % practiceLetters.length]}${String(number % 100_000).padStart(5, '0')}`
    return { type: 'practice', code, name: `${name} SURGERY`, parent: commissioner }
  }
  const { type, code, name: full, parent } = about()
  const closed = roll(12) === 0
  const opened = 1974 + roll(45)
  const street = `${1 + roll(250)} ${pick(streets)} STREET`
  const digits = String(960_000 + roll(1000))
  const reading = organisationOfRow(
    [
      code,
      full,
      'Y99',
      '',
      street,
      '',
      '',
      place,
      'INVENTEDSHIRE',
      `ZZ99 ${roll(10)}${letters[roll(letters.length)]}${letters[roll(letters.length)]}`,
      `${opened}0401`,
      closed ? `${opened + 1 + roll(2025 - opened)}0331` : '',
      closed ? 'C' : 'A',
      'B',
      parent,
      '',
      '',
      `01632 ${digits}`,
      ...Array.from({ length: 7 }, () => ''),
      type === 'practice' ? '4' : '',
      '',
    ],
    type,
  )
  if ('rejected' in reading) throw new Error(`an invented organisation ${reading.rejected}`)
  return reading.entry
}
