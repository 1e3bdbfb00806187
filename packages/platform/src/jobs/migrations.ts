import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `due` is when a job may be taken, in milliseconds since the epoch, and for a taken job the end of its lease: so nothing
 * has to look for dead holders. A parked job (`parked` is when) is never taken.
 */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-jobs': {
    async up(db) {
      await sql`create table job.job (
        queue text collate "C" not null,
        id text collate "C" not null,
        body text not null,
        created int8 not null,
        due int8 not null,
        attempt int4 not null default 0,
        lease text collate "C",
        parked int8,
        error_code text,
        error_text text,
        primary key (queue, id)
      ) with (fillfactor = 70)`.execute(db)
      await sql`create index job_due on job.job (queue, due) where parked is null`.execute(db)
      await sql`create index job_parked on job.job (queue, parked) where parked is not null`.execute(db)
    },
  },
}
