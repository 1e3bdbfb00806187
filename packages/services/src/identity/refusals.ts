import { type Call, clientLookups, type Parts, type Result } from './call.ts'
import { firstRefusal, invalidRequest } from './checks/check.ts'
import { ownerChecks } from './checks/client.ts'
import type { Identity, RefusalExplanation } from './contract.ts'

/**
 * GET /refusals and /refusals/{message_id}: an addition, for the people who run an application. They prove themselves with
 * its client_id and client_secret (HTTP Basic), and see what was refused to it, which check failed and what is usually
 * behind that. Of other applications nothing is told, not even that there is such an id.
 */
export async function ownRefusals(
  parts: Parts,
  _call: Call,
  asked: { readonly authorization: string | undefined; readonly messageId: string | undefined },
  refusals: Pick<Identity, 'refusal' | 'refusals'>,
): Promise<Result> {
  const { clientId, secret } = basic(asked.authorization)
  const named = {
    ...clientLookups(parts, clientId),
    clientId,
    environment: parts.environment,
    product: '',
    secret,
    secretFits: () => clientId !== undefined && secret !== undefined && parts.clients.secretFits(clientId, secret),
  }
  const fault = await firstRefusal(ownerChecks, named, { national: false, client: named.client })
  if (fault !== undefined) return fault
  const client = named.client()
  const application = client?.application ?? ''
  if (asked.messageId === undefined)
    return { status: 200, body: { refusals: (await refusals.refusals(application)).map(written) } }
  const found = await refusals.refusal(asked.messageId)
  if (found !== undefined && found.application === application) return { status: 200, body: written(found) }
  return {
    refused: true,
    check: 'refusal of this application',
    clause: 'addition to 2.9',
    outcome: invalidRequest('Not Found', 404),
    cause:
      'No refusal of this application has this message_id; what was refused before the application was known is in the audit alone.',
    client,
  }
}

function basic(authorization: string | undefined): { clientId: string | undefined; secret: string | undefined } {
  const given = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1]
  if (given === undefined) return { clientId: undefined, secret: undefined }
  const [, clientId, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(given, 'base64').toString('utf8')) ?? []
  return { clientId: clientId || undefined, secret: secret || undefined }
}

/** Names as the other bodies of the server have them. */
const written = ({ messageId, at, cause, likely, application, name, key, ...rest }: RefusalExplanation) => ({
  message_id: messageId,
  at: new Date(at).toISOString(),
  ...rest,
  cause,
  likely_causes: likely,
  application_id: application,
  application_name: name,
  key_id: key,
})
