import { SpineError } from '@openspine/standards/error'
import { type Migration, Migrator } from 'kysely/migration'
import type { Database } from './store.ts'

/**
 * Brings the schema that bears the service's name up to date, wholly or not at all. Its own migration
 * table stands in that schema; an advisory lock of the transaction keeps processes apart.
 */
export async function migrate(
  db: Database,
  service: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableSchema: service,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName
  throw new SpineError('STORE_MIGRATION_FAILED', undefined, {
    detail: `${service}${failed === undefined ? '' : `/${failed}`}: ${error instanceof Error ? error.message : String(error)}`,
    explanation: `The tables of ${service} could not be brought up to date${failed === undefined ? '' : ` (step ${failed})`}; nothing was changed.`,
    cause: error,
  })
}
