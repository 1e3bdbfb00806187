import { type Problem, quoted, refuse } from './refusal.ts'

/** What a field of a body or a query holds. */
export type Kind =
  | { readonly is: 'text'; readonly filled?: true }
  | { readonly is: 'texts' }
  | { readonly is: 'number' }
  | { readonly is: 'flag' }
  | { readonly is: 'choice'; readonly of: readonly string[] }
  | { readonly is: 'list'; readonly of: readonly Field[] }
  /** Answers to one questionnaire: its name, and how the dialect spells it in an error. */
  | { readonly is: 'responses'; readonly to: string; readonly most?: number }

export interface Field {
  readonly name: string
  readonly kind: Kind
  readonly required?: true
}

/** A body or a query as the dialect judges it: under this name its errors are told. */
export interface Model {
  readonly name: string
  readonly fields: readonly Field[]
  /** A rule over the whole, asked when each field is right. */
  readonly whole?: (values: Readonly<Record<string, unknown>>) => string | undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values, judged: one problem a field, in the order of the model, then what is too much. Throws the refusal. */
export function parse(model: Model, value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw refuse([problem(`${model.name}.__root__`, 'value is not a valid dict')])
  const problems = judgeFields(model.name, model.fields, value)
  if (problems.length > 0) throw refuse(problems)
  const fault = model.whole?.(value)
  if (fault !== undefined) throw refuse([problem(`${model.name}.__root__`, fault)])
  return value
}

const problem = (path: string, says: string): Problem => ({ code: 'VALIDATION_ERROR', message: `${path}: ${says}` })

/** Problems that one answer lists at most. */
const mostProblems = 50

function judgeFields(path: string, fields: readonly Field[], value: Readonly<Record<string, unknown>>): Problem[] {
  const problems: Problem[] = []
  for (const { name, kind, required } of fields) {
    const at = `${path}.${name}`
    if (Object.hasOwn(value, name)) {
      const given = value[name]
      if (given !== null) problems.push(...judgeValue(at, kind, given))
      else if (required) problems.push(problem(at, 'none is not an allowed value'))
    } else if (required) problems.push({ code: 'MISSING_VALUE', message: `${at}: field required` })
  }
  const known = new Set(fields.map(({ name }) => name))
  for (const name of Object.keys(value).sort()) {
    if (!known.has(name)) problems.push(problem(`${path}.${name.slice(0, 100)}`, 'extra fields not permitted'))
  }
  return problems.slice(0, mostProblems)
}

function judgeValue(at: string, kind: Kind, value: unknown): Problem[] {
  switch (kind.is) {
    case 'text':
      if (typeof value !== 'string') return [problem(at, 'str type expected')]
      return kind.filled && value.trim() === '' ? [problem(at, 'ensure this value has at least 1 characters')] : []
    case 'number':
      return Number.isSafeInteger(value) ? [] : [problem(at, 'value is not a valid integer')]
    case 'flag':
      return typeof value === 'boolean' ? [] : [problem(at, 'value could not be parsed to a boolean')]
    case 'choice':
      return typeof value === 'string' && kind.of.includes(value)
        ? []
        : [problem(at, `value is not a valid enumeration member; permitted: ${quoted(...kind.of)}`)]
    case 'texts':
      return judgeItems(at, value, (item, place) => judgeValue(place, { is: 'text' }, item))
    case 'list':
      return judgeItems(at, value, (item, place) =>
        isObject(item) ? judgeFields(place, kind.of, item) : [problem(place, 'value is not a valid dict')],
      )
    case 'responses': {
      if (!isObject(value)) return [problem(at, 'value is not a valid dict')]
      if (Object.keys(value).some((name) => name !== kind.to)) {
        const permitted = `<QuestionnaireInstance.${kind.to.toUpperCase()}: '${kind.to}'>`
        return [problem(`${at}.__key__`, `unexpected value; permitted: ${permitted}`)]
      }
      if (!Object.hasOwn(value, kind.to)) return []
      const place = `${at}.${kind.to}`
      const responses = value[kind.to]
      if (kind.most !== undefined && Array.isArray(responses)) {
        if (responses.length > kind.most)
          return [problem(`${place}.__root__`, `ensure this value has at most ${kind.most} items`)]
        if (responses.length === 0) return [problem(`${place}.__root__`, 'ensure this value has at least 1 items')]
      }
      return judgeItems(place, responses, (item, each) =>
        isObject(item) ? [] : [problem(each, 'value is not a valid dict')],
      )
    }
  }
}

function judgeItems(at: string, value: unknown, judge: (item: unknown, at: string) => Problem[]): Problem[] {
  if (!Array.isArray(value)) return [problem(at, 'value is not a valid list')]
  if (value.length > 1000) return [problem(at, 'ensure this value has at most 1000 items')]
  const problems: Problem[] = []
  for (const [place, item] of value.entries()) {
    problems.push(...judge(item, `${at}.${place}`))
    if (problems.length >= mostProblems) break
  }
  return problems
}
