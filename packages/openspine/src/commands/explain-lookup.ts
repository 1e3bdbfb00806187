import { request } from 'node:https'
import type { LookupExplanation, SearchExplanation } from '@openspine/services/directory/contract'
import { SpineError } from '@openspine/standards/error'
import type { Settings } from '../settings.ts'
import { bold, dim, green, output, red } from '../terminal.ts'

/** What the directory is asked to explain: parameters of `GET /directory/explain`. */
export type ExplainParameters = Readonly<
  Partial<Record<'organization' | 'interaction' | 'filter' | 'base' | 'scope', string>>
>

const longestAnswer = 16 * 1024 * 1024

/** Asks the api door of the environment that the settings name. CLIENT_UNREACHABLE, CLIENT_REFUSED, CLIENT_ANSWER. */
export async function askWhy(
  settings: Settings,
  ca: string,
  pdsUrl: string,
  parameters: ExplainParameters,
): Promise<LookupExplanation | SearchExplanation> {
  const url = new URL('/directory/explain', settings.values.client.pdsUrl || pdsUrl)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const { status, body } = await get(url, ca, settings.values.client.timeoutSeconds * 1000)
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch (cause) {
    throw new SpineError(
      'CLIENT_ANSWER',
      { status },
      { explanation: `${url.origin} answered ${status} with something else than JSON.`, cause },
    )
  }
  if (status === 200) return answer as LookupExplanation | SearchExplanation
  const detail: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'detail') : undefined
  throw new SpineError(
    'CLIENT_REFUSED',
    { status },
    { explanation: typeof detail === 'string' ? detail : `${url.origin} answered ${status}.` },
  )
}

function get(url: URL, ca: string, timeoutMs: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(
        new SpineError(
          'CLIENT_UNREACHABLE',
          { url: url.origin },
          { explanation: `${url.origin} cannot be reached: ${cause.message}`, cause },
        ),
      )
    const asked = request(
      url,
      { ca, agent: false, timeout: timeoutMs, headers: { accept: 'application/json' } },
      (response) => {
        const pieces: Buffer[] = []
        let size = 0
        response.on('data', (piece: Buffer) => {
          size += piece.length
          if (size > longestAnswer) asked.destroy(new Error('the answer is too long'))
          else pieces.push(piece)
        })
        response.on('error', fail)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') }),
        )
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    asked.on('error', fail)
    asked.end()
  })
}

/** Whether everything that was asked for was found. */
export function foundAll(explained: LookupExplanation | SearchExplanation): boolean {
  return 'filter' in explained ? explained.found > 0 : explained.endpoint.found > 0 && explained.system.found > 0
}

/** An explanation for people. */
export function showExplanation(explained: LookupExplanation | SearchExplanation): void {
  if ('filter' in explained) showSearch('search', explained)
  else {
    const { organization } = explained
    if (organization !== undefined)
      output.line(
        `organisation  ${bold(organization.odsCode)}  ${organization.dn === undefined ? red('not in the directory') : (organization.name ?? '')}${organization.closed === undefined ? '' : `  closes ${organization.closed}`}`,
      )
    showSearch('endpoint', explained.endpoint)
    showSearch('system', explained.system)
  }
  for (const [index, cause] of explained.causes.entries())
    output.line(`${index === 0 ? bold('likely cause') : 'or'}: ${cause}`)
}

function showSearch(what: string, explained: SearchExplanation): void {
  const { base, scope, filter, found, names, conditions, nearest } = explained
  output.line(
    `${found > 0 ? green('✔') : red('✖')} ${bold(what)}  ${found} found  ${dim(`${scope} of ${base}  ${filter}`)}`,
  )
  for (const name of names) output.line(`    ${name}`)
  for (const { condition, met, elsewhere, note } of conditions)
    output.line(
      `    ${String(met).padStart(7)} meet ${condition}${elsewhere > 0 ? dim(`  (${elsewhere} elsewhere)`) : ''}${note === undefined ? '' : `  ${red(note)}`}`,
    )
  for (const { dn, objectClass, shortfalls } of nearest) {
    output.line(`    near: ${objectClass} ${dn}`)
    for (const { condition, why } of shortfalls) output.line(dim(`          ${condition}: ${why}`))
  }
}
