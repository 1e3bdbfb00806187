import { type Issue, ruleIssue } from './outcomes.ts'

/** One rule of the content of a message. All that are broken are reported together, each as a reason of the reply. */
export interface MessageCheck<Content> {
  /** Name of the rule, as it goes over the wire. */
  readonly name: string
  /** The field that it is about, where one rule is about several. */
  readonly where?: string
  readonly clause: string
  /** A warning does not stop the message. */
  readonly level?: Issue['level']
  /** Plain words for whoever has to mend the message. */
  readonly explains: string
  breaks(content: Content): boolean
}

/** What the rules find: errors, which stop the message, and warnings, which go out with its answer. */
export function findings<Content>(
  checks: readonly MessageCheck<Content>[],
  content: Content,
): { readonly errors: readonly Issue[]; readonly warnings: readonly Issue[] } {
  const found = checks
    .filter((check) => check.breaks(content))
    .map(({ name, where, level }) => ruleIssue(name, where, level))
  return {
    errors: found.filter(({ level }) => level === 'ER'),
    warnings: found.filter(({ level }) => level !== 'ER'),
  }
}
