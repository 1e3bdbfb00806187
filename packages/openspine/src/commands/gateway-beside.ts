import type { Gateway } from '@openspine/services/gateway/contract'
import type { Command } from 'commander'
import { settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'

/** Who changes something, in the audit. */
export const by = 'openspine app'

/** Opens the gateway beside a running server, which sees what changes within a second. */
export function withGateway<Result>(command: Command, work: (gateway: Gateway) => Promise<Result>): Promise<Result> {
  const settings = settingsOf(command)
  return withPlatform(command, async (platform) => {
    const { gateway } = makeServices(platform, settings)
    await platform.store.migrate(gateway.name, gateway.migrations ?? {})
    await gateway.start?.()
    try {
      return await work(gateway.contract)
    } finally {
      await gateway.stop?.(1000)
    }
  })
}
