import { SpineError } from '@openspine/standards/error'
import type { Scope } from '@openspine/standards/ldap'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Gateway } from '../../gateway/contract.ts'
import type { Directory } from '../contract.ts'

const scopes: Readonly<Record<string, Scope>> = { base: 0, one: 1, sub: 2, children: 3 }
const ofSearch = ['base', 'scope', 'filter']
const ofLookup = ['organization', 'interaction', 'party-key', 'manufacturer']
const longest = 8192

function refused(explanation: string): SpineError<{ readonly status: 400 }> {
  return new SpineError('DIRECTORY_QUESTION', { status: 400 }, { explanation })
}

/** Asks of whoever wants an explanation what the gateway asks of whoever looks up: a key, where one is needed. */
export function admission(gateway: Gateway): (request: FastifyRequest) => void {
  return ({ headers }) => {
    const { apikey } = headers
    const judged = gateway.admit({ api: 'spine-directory', apikey: typeof apikey === 'string' ? apikey : undefined })
    if (judged.admitted) return
    const { status, reason } = judged.refusal
    const explanation = `The gateway refused the request (${reason}): send a key of a registered application in the header apikey, and not too often.`
    throw new SpineError('GATEWAY_REFUSED', { status }, { explanation })
  }
}

/** Query parameters that are known, given once, and of bearable length. */
function parameters(query: unknown): Readonly<Record<string, string>> {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    if (![...ofSearch, ...ofLookup].includes(name))
      throw refused(`There is no parameter ${name.slice(0, 100)}. There are: ${[...ofSearch, ...ofLookup].join(', ')}.`)
    if (typeof value !== 'string') throw refused(`The parameter ${name} may be given once.`)
    if (value === '' && name !== 'base') throw refused(`The parameter ${name} has no value.`)
    if (value.length > longest) throw refused(`The parameter ${name} is longer than ${longest} characters.`)
    given[name] = value
  }
  return given
}

/**
 * `GET /directory/explain`: why a look-up found nothing. With `filter` (and `base`, `scope`: base, one, sub or
 * children) it explains one LDAP search; with `organization`, `interaction`, `party-key`, `manufacturer` the two
 * look-ups that lead to an endpoint and an ASID. Errors are RFC 9457 problems. `admit` refuses by throwing.
 */
export function explainFace(needs: {
  readonly explain: Directory['explain']
  readonly explainLookup: Directory['explainLookup']
  readonly admit?: (request: FastifyRequest) => Promise<void> | void
}): FastifyPluginAsync {
  return async (app) => {
    app.get('/directory/explain', async (request, reply) => {
      await needs.admit?.(request)
      const given = parameters(request.query)
      const named = (names: readonly string[]) => names.some((name) => given[name] !== undefined)
      if (named(ofSearch) && named(ofLookup))
        throw refused(`Give ${ofSearch.join(', ')}, or ${ofLookup.join(', ')}, not some of both.`)
      reply.header('cache-control', 'no-store')
      if (!named(ofSearch)) {
        const { organization, interaction, manufacturer, 'party-key': partyKey } = given
        return needs.explainLookup({
          ...(organization === undefined ? {} : { organization }),
          ...(interaction === undefined ? {} : { interaction }),
          ...(partyKey === undefined ? {} : { partyKey }),
          ...(manufacturer === undefined ? {} : { manufacturer }),
        })
      }
      const { filter, base, scope } = given
      if (filter === undefined) throw refused('The parameter filter is missing.')
      const number = scope === undefined ? undefined : scopes[scope.toLowerCase()]
      if (scope !== undefined && number === undefined)
        throw refused(`There is no scope ${scope.slice(0, 100)}. There are: ${Object.keys(scopes).join(', ')}.`)
      return needs.explain({
        filter,
        ...(base === undefined ? {} : { base }),
        ...(number === undefined ? {} : { scope: number }),
      })
    })
  }
}
