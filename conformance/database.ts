import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A fresh database on the server of the tests (TEST_DATABASE_URL), and how to drop it; undefined when there is no server. */
export async function freshDatabase(): Promise<{ readonly url: string; drop(): Promise<void> } | undefined> {
  const server = process.env['TEST_DATABASE_URL']
  if (!server) return undefined
  const name = `openspine_conformance_${randomBytes(6).toString('hex')}`
  const administer = async (statement: string) => {
    const client = new pg.Client({ connectionString: server })
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }
  await administer(`create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(`drop database if exists ${name} with (force)`) }
}
