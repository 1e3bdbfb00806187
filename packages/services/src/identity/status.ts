import type { Parts } from './call.ts'
import type { BasePath } from './providers.ts'

const heldMs = 10_000
const kinds = ['nhs-cis2', 'nhs-login'] as const

interface ProviderStatus {
  readonly status: 'pass' | 'fail'
  readonly timeout: 'true' | 'false'
  readonly responseCode: number | null
  readonly outcome: string
  readonly links: { readonly self: string }
}

/** What /_status tells (§2.9): whether the identity providers of a base path answer; asked at most every ten seconds. */
export function providerStatus(parts: Parts) {
  const held = new Map<BasePath, { readonly at: number; readonly told: ReturnType<typeof ask> }>()
  async function ask(base: BasePath) {
    const checks: Record<string, ProviderStatus> = {}
    await Promise.all(
      kinds.map(async (kind) => {
        const provider = parts.providers.find((each) => each.kind === kind && each.base === base)
        checks[kind] =
          provider === undefined
            ? failing('Not configured', '', 'false')
            : await parts.fetch({ url: provider.jwksUrl }).then(
                ({ status }) =>
                  status === 200
                    ? {
                        status: 'pass',
                        timeout: 'false',
                        responseCode: 200,
                        outcome: 'OK',
                        links: { self: provider.jwksUrl },
                      }
                    : { ...failing(`Status ${status}`, provider.jwksUrl, 'false'), responseCode: status },
                () => failing('No answer', provider.jwksUrl, 'true'),
              )
      }),
    )
    const passing = kinds.filter((kind) => checks[kind]?.status === 'pass').length
    const status = passing === kinds.length ? 'pass' : passing === 0 ? 'fail' : 'warn'
    // In the order of the specification, whichever answered first.
    return { status, checks: Object.fromEntries(kinds.map((kind) => [kind, checks[kind]])) }
  }
  return (base: BasePath) => {
    const now = parts.clock.now()
    const last = held.get(base)
    if (last !== undefined && now - last.at < heldMs) return last.told
    const told = ask(base)
    held.set(base, { at: now, told })
    return told
  }
}

const failing = (outcome: string, self: string, timeout: 'true' | 'false'): ProviderStatus => ({
  status: 'fail',
  timeout,
  responseCode: null,
  outcome,
  links: { self },
})
