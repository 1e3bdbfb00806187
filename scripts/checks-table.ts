/** How the page of checks shows a list of them. */

/** One line of a table: what is checked, where it is written, and what the wire says when it fails. */
export interface Row {
  readonly name: string
  readonly clause: string
  readonly asks: string
  readonly failure: string
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
/** Placeholders in angle brackets would be taken for HTML, so the words of the wire stand as code. */
export const code = (text: string) => `\`${text.replaceAll('`', "'")}\``

/** The checks in their order, numbered. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ name, clause, asks, failure }, index) =>
      `| ${index + 1} | ${cell(name)} | ${cell(clause)} | ${cell(asks)} | ${cell(failure)} |`,
  )
  return ['| # | Check | Clause | What is asked | When it fails |', '|---|---|---|---|---|', ...lines].join('\n')
}
