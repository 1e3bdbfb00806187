import { clauseOf, type Obligation } from '../conformance/gp-connect/obligation.ts'
import { type ObligationId, obligations } from '../conformance/gp-connect/obligations.ts'
import { showings, shownIn } from '../conformance/gp-connect/scenarios.ts'

const cell = (text: string) => text.replaceAll('|', '\\|')

function shown(id: ObligationId, { generations, elsewhere }: Obligation): string {
  if (elsewhere !== undefined) return `\`${elsewhere.test.file}\`: “${elsewhere.test.title}” (${elsewhere.reason})`
  return generations.map((generation) => `${generation}: ${shownIn(id, generation).length}`).join(', ')
}

/** What a GP Connect provider must do, and how many scenarios of the suite show it. */
export function obligationsPage(): string {
  const rows = Object.entries(obligations) as [ObligationId, Obligation][]
  const clauses = Map.groupBy(rows, ([id]) => clauseOf(id))
  const sections = [...clauses].map(([clause, of]) => {
    const lines = of.map(
      ([id, obligation]) => `| \`${id}\` | ${cell(obligation.asks)} | ${cell(shown(id, obligation))} |`,
    )
    return [
      `## ${clause}`,
      '',
      `| Id | ${clause === '14' ? 'The consumer' : 'The provider'} | Shown by |`,
      '|---|---|---|',
      ...lines,
    ].join('\n')
  })
  return `# Obligations of GP Connect

Made by \`npm run docs\`. ${rows.length} obligations, in our words, by the clause of the specification as this house numbers it,
each with the number of scenarios that show it in each generation (0.x is Access Record HTML on DSTU2, 1.x everything on STU3), or
with the test that shows it where a scenario cannot: that test must have passed where its
file ran. Clause 14 is the consumer's. The suite has ${showings.length} scenarios; each runs directly and through the proxy, in JSON and in XML: \`npm test -- conformance/gp-connect\`.

${sections.join('\n\n')}
`
}
