import { shownApplication } from '@openspine/services/gateway'
import type { Application, Gateway, KeyUse } from '@openspine/services/gateway/contract'
import { SpineError } from '@openspine/standards/error'
import { output, table } from '../terminal.ts'

export const day = (at: number) => new Date(at).toISOString().slice(0, 10)
export const notFound = (explanation: string) => new SpineError('CLIENT_NOT_FOUND', {}, { explanation })

/** An application, and when its keys were used. */
export interface Used {
  readonly application: Application
  readonly uses: readonly KeyUse[]
}

export const withUses = async (gateway: Gateway, application: Application): Promise<Used> => ({
  application,
  uses: await gateway.uses(application.id),
})

/** By its id, or by its name where one application alone has it. */
export function named(gateway: Gateway, given: string): Application {
  const all = gateway.applications()
  const found = all.filter(({ id, name }) => id === given.toLowerCase() || name === given)
  const [application, ...others] = found
  if (application === undefined) throw notFound(`There is no application ${given}. \`openspine app list\` shows them.`)
  if (others.length > 0)
    throw new SpineError(
      'USAGE',
      {},
      {
        explanation: `${found.length} applications have the name ${given}: give the id. \`openspine app list\` shows them.`,
      },
    )
  return application
}

export function showApplication(used: Used): void {
  const { application, uses } = used
  const {
    id,
    name,
    createdAt,
    status,
    displayName,
    callbackUrl,
    asid,
    origins,
    owner,
    settings,
    rates,
    keys,
    subscriptions,
  } = application
  output.line(`${name}  ${id}  since ${day(createdAt)}${status === 'revoked' ? '  REVOKED' : ''}`)
  const facts = [
    ['owner', owner],
    ['shown as', displayName],
    ['callback', callbackUrl],
    ['ASID', asid],
    ['origins', origins?.join(', ')],
    ['settings', settings && JSON.stringify(settings)],
    [
      'limits',
      rates &&
        Object.entries(rates)
          .map(([limit, value]) => `${limit} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
          .join(', '),
    ],
  ]
  for (const [what, value] of facts) if (value !== undefined) output.line(`  ${what}  ${value}`)
  if (application.publicKeys !== undefined) for (const line of keyLines(used)) output.line(`  ${line}`)
  const last = (kind: KeyUse['kind'], key: string) => uses.find((use) => use.kind === kind && use.name === key)
  const rows = [
    ...keys.map(({ id: key, kind, createdAt: made, revokedAt }) => {
      const secret = last('secret', key)
      return [
        `  key ${key}`,
        kind,
        revokedAt === undefined ? `since ${day(made)}` : `revoked ${day(revokedAt)}`,
        lastUsed(last('key', key)) + (secret === undefined ? '' : `, its secret ${day(secret.lastUsedAt)}`),
      ]
    }),
    ...subscriptions.map(({ product, status: state }) => [`  product ${product}`, state, '', '']),
  ]
  for (const line of table(rows)) output.line(line)
}

const lastUsed = (use: KeyUse | undefined) => (use === undefined ? 'not used yet' : `last used ${day(use.lastUsedAt)}`)

export function keyLines({ application, uses }: Used): readonly string[] {
  const { publicKeys } = written({ application, uses })
  if (publicKeys === undefined) return ['no public keys are registered']
  const use = ({ lastUsedAt }: { readonly lastUsedAt?: string }) =>
    lastUsedAt === undefined ? 'not used yet' : `last used ${lastUsedAt.slice(0, 10)}`
  if ('url' in publicKeys)
    return [`public keys at ${publicKeys.url}`, ...publicKeys.used.map((key) => `public key ${key.kid}  ${use(key)}`)]
  return publicKeys.map((key) => `public key ${key.kid}  ${key.bits} bits  ${key.alg}  ${use(key)}`)
}

export const written = ({ application, uses }: Used) => shownApplication(application, uses)
