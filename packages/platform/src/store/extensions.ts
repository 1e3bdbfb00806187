import { fuzzystrmatch } from '@electric-sql/pglite/contrib/fuzzystrmatch'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { unaccent } from '@electric-sql/pglite/contrib/unaccent'

/**
 * The extensions of the embedded engine, which stand in its template already; PostgreSQL 15 has them
 * too, and lets a database's owner create them. A migration that needs one says
 * `create extension if not exists … with schema public`.
 */
export const extensions = { pg_trgm, fuzzystrmatch, unaccent }
