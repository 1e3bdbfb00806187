import type { SharingAgreement, SharingAgreements } from '@openspine/services/registration/contract'
import { SpineError } from '@openspine/standards/error'
import { z } from 'zod'
import { type Place, type PlannedChange, placed, placeOf, type RegistryPart } from './part.ts'
import { byCodeUnit } from './text.ts'

type Agreement = Omit<SharingAgreement, 'id'>

const file = 'agreements.jsonl'
const lineSchema = z.strictObject({ from: z.string(), to: z.string(), interaction: z.string() })

/** The line of an agreement. Ids are of one environment alone, so a line has none: the three together are its name. */
const lineOf = ({ from, to, interaction }: Agreement) => JSON.stringify({ from, to, interaction })
const nameOf = ({ from, to, interaction }: Agreement) => `${from} → ${to} ${interaction}`

function agreementOf(text: string, place: Place): Agreement {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  const read = lineSchema.safeParse(value)
  if (read.success)
    return { from: read.data.from.trim(), to: read.data.to.trim(), interaction: read.data.interaction.trim() }
  const explanation = 'an agreement is one line {"from": …, "to": …, "interaction": …} with three texts.'
  throw placed(new SpineError('REGISTRY_RECORD', {}, { explanation }), place)
}

/** The sharing agreements in force: one file, one line each, sorted. */
export function agreementsPart(agreements: SharingAgreements): RegistryPart {
  return {
    name: 'agreements',
    places: [file],
    *files() {
      const lines = agreements.list().map(lineOf).sort(byCodeUnit)
      yield { path: file, text: lines.map((line) => `${line}\n`).join('') }
    },
    plan(folder, { prune }) {
      const version = agreements.version()
      const there = new Map(agreements.list().map((agreement) => [lineOf(agreement), agreement]))
      const wanted = new Map<string, { readonly agreement: Agreement; readonly place: Place }>()
      for (const { path, text } of folder.files(file)) {
        text.split('\n').forEach((line, index) => {
          if (line.trim() === '') return
          const place = { file: path, line: index + 1 }
          const agreement = agreementOf(line, place)
          const earlier = wanted.get(lineOf(agreement))
          if (earlier !== undefined) {
            const explanation = `the same agreement stands on line ${earlier.place.line}.`
            throw placed(new SpineError('REGISTRY_TWICE', {}, { explanation }), place, nameOf(agreement))
          }
          wanted.set(lineOf(agreement), { agreement, place })
        })
      }
      const agree = [...wanted].filter(([line]) => !there.has(line)).map(([, each]) => each)
      const only = [...there].filter(([line]) => !wanted.has(line)).map(([, each]) => each)
      const withdraw = prune ? only : []
      const named = { agree: agree.map(({ agreement }) => agreement), withdraw: withdraw.map(({ id }) => id) }
      const about = { group: 'agreements', attributes: [] }
      const changes: PlannedChange[] = [
        ...agree.map(({ agreement, place }) => ({ ...about, kind: 'add' as const, name: nameOf(agreement), place })),
        ...withdraw.map((agreement) => ({ ...about, kind: 'remove' as const, name: nameOf(agreement) })),
      ]
      return {
        version,
        notes: [],
        changes,
        staying: only.length - withdraw.length,
        async check() {
          try {
            agreements.check(named)
          } catch (error) {
            const broken = agree[placeOf(error) ?? -1]
            throw broken === undefined ? error : placed(error, broken.place, nameOf(broken.agreement))
          }
          return []
        },
        async apply(by) {
          await agreements.change(named, by, { ifVersion: version })
        },
      }
    },
  }
}
