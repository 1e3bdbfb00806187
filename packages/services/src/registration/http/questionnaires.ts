import { invalid, quoted, refuse } from './refusal.ts'

/** One question: what its answer must be, and whether something is made out of it. */
interface Question {
  readonly name: string
  readonly type: 'string' | 'integer' | 'strings'
  /** Must be answered: `first` when values are made out of it, which is asked before all else. */
  readonly required?: 'first' | 'yes'
}

/** A questionnaire of version 1. Questions that the service answers itself are no part of it. */
export interface Questionnaire {
  readonly name: string
  readonly questions: readonly Question[]
}

/** Answers by question. */
export type Answers = Readonly<Record<string, unknown>>

const text = (name: string, required?: Question['required']): Question => ({
  name,
  type: 'string',
  ...(required === undefined ? {} : { required }),
})

/** Directory specification §11. */
export const questionnaires = {
  messageSets: {
    name: 'spine_mhs_message_sets',
    questions: [
      text('MHS SN', 'first'),
      text('MHS IN', 'first'),
      text('Interaction Type'),
      text('MHS Is Authenticated'),
      text('Contract Property Template Key'),
      text('Product Key'),
      text('MHS IP Address'),
      text('Reliability Configuration Reply Mode'),
      text('Reliability Configuration Ack Requested'),
      text('Reliability Configuration Duplication Elimination'),
      text('Reliability Configuration Actor'),
      text('Reliability Configuration Persist Duration'),
      { name: 'Reliability Configuration Retries', type: 'integer' },
      text('Reliability Configuration Retry Interval'),
    ],
  },
  additionalInteractions: { name: 'spine_as_additional_interactions', questions: [text('Interaction ID', 'yes')] },
  messageHandlingSystem: {
    name: 'spine_mhs',
    questions: [
      text('MHS FQDN', 'first'),
      text('MHS Service Description'),
      text('MHS Manufacturer Organisation', 'yes'),
      text('Product Name'),
      text('Product Version'),
      text('Approver URP', 'yes'),
      text('DNS Approver', 'yes'),
      text('Requestor URP', 'yes'),
    ],
  },
  accreditedSystem: {
    name: 'spine_as',
    questions: [
      text('ODS Code', 'first'),
      text('Product Name', 'yes'),
      text('Product Version', 'yes'),
      text('Requestor URP', 'yes'),
      text('Approver URP', 'yes'),
      { name: 'ACF', type: 'strings' },
      { name: 'Category Bag', type: 'strings' },
      text('Description'),
    ],
  },
} as const satisfies Record<string, Questionnaire>

const fits = (type: Question['type'], value: unknown): boolean =>
  type === 'integer'
    ? Number.isSafeInteger(value)
    : typeof value === 'string' ||
      (type === 'strings' && Array.isArray(value) && value.every((each) => typeof each === 'string'))

/** A value as Python would print it, shortened. */
function printed(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return JSON.stringify(value).slice(0, 200)
}

/** Throws the refusal of the first fault: unexpected answers, answers out of which values are made, then the others. */
export function judgeAnswers({ name, questions }: Questionnaire, answers: Answers): void {
  const known = new Set<string>(questions.map((question) => question.name))
  const unexpected = Object.keys(answers).filter((each) => !known.has(each))
  const judged = `Failed to validate data against '${name}/1': `
  if (unexpected.length > 0) {
    const expected = [...known].sort()
    const strays = quoted(...unexpected.slice(0, 20))
    throw invalid(`Payload contains unexpected fields: {${strays}}. Expected fields are: [${quoted(...expected)}].`)
  }
  const missing = (how: Question['required']) =>
    questions.filter((each) => each.required === how && !Object.hasOwn(answers, each.name)).map((each) => each.name)
  const needed = missing('first')
  if (needed.length > 0) {
    throw invalid(`The following required fields are missing in the response to ${name}: ${needed.join(', ')}`)
  }
  const [lacking] = missing('yes')
  if (lacking !== undefined) {
    throw refuse([{ code: 'MISSING_VALUE', message: `${judged}'${lacking}' is a required property` }])
  }
  for (const question of questions) {
    if (!Object.hasOwn(answers, question.name)) continue
    const value = answers[question.name]
    if (fits(question.type, value)) continue
    throw invalid(
      `${judged}${printed(value)} is not of type '${question.type === 'strings' ? 'array' : question.type}'`,
    )
  }
}

/** Throws the refusal when one interaction stands in several answers. */
export function judgeTwice(interactions: readonly string[]): void {
  const counts = new Map<string, number>()
  for (const id of interactions) counts.set(id, (counts.get(id) ?? 0) + 1)
  for (const [id, count] of counts) {
    if (count === 1) continue
    throw invalid(
      `Duplicate 'Interaction ID' provided: value '${id.slice(0, 300)}' occurs ${count} times in the questionnaire response.`,
    )
  }
}
