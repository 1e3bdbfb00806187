import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SpineError } from '@openspine/standards/error'
import { z } from 'zod'
import { configReference, loadConfig, shownValue } from './config.ts'
import { spineConfig } from './spine-config.ts'

const proxy = z.object({
  connectSeconds: z.number().positive().default(5).describe('Time to connect.'),
  tls13: z.boolean().default(true).describe('Whether TLS 1.3 is offered.').meta({ strict: false }),
  names: z.array(z.string()).default([]).describe('Names.'),
  host: z.string().default('127.0.0.1').describe('Address.').meta({ follows: 'host' }),
})
const sections = { '': spineConfig, proxy }

function problems(run: () => unknown): string {
  let message = ''
  assert.throws(run, (error: SpineError) => {
    message = error.message
    return error.code === 'CONFIG_INVALID'
  })
  return message
}

describe('configuration', () => {
  it('takes defaults, then the file, then the environment, then the command line, and says which', () => {
    const { values, entries } = loadConfig(sections, {
      file: { name: 'openspine.json', text: '{"environment":"int","proxy":{"connectSeconds":2,"tls13":false}}' },
      env: { OPENSPINE_PROXY_CONNECT_SECONDS: '3.5', OPENSPINE_PROXY_NAMES: 'a, b', HOME: '/nowhere' },
      overrides: { 'proxy.connectSeconds': '4' },
    })
    assert.equal(values[''].environment, 'int')
    assert.deepEqual(values.proxy, { connectSeconds: 4, tls13: false, names: ['a', 'b'], host: '127.0.0.1' })
    const origin = (name: string) => entries.find((entry) => entry.name === name)?.origin
    assert.equal(origin('proxy.connectSeconds'), 'command line')
    assert.equal(origin('proxy.tls13'), 'file openspine.json')
    assert.equal(origin('proxy.names'), 'environment OPENSPINE_PROXY_NAMES')
    assert.equal(origin('dataDir'), 'default')
  })

  it('has other defaults under the profile strict, which a setting still overrides', () => {
    const strict = loadConfig(sections, { env: { OPENSPINE_PROFILE: 'strict' } })
    assert.equal(strict.values.proxy.tls13, false)
    assert.equal(strict.entries.find((entry) => entry.name === 'proxy.tls13')?.origin, 'default of profile strict')
    const set = loadConfig(sections, { env: { OPENSPINE_PROFILE: 'strict', OPENSPINE_PROXY_TLS13: 'true' } })
    assert.equal(set.values.proxy.tls13, true)
  })

  it('lets a key follow another until it is set itself', () => {
    const following = loadConfig(sections, { env: { OPENSPINE_HOST: '0.0.0.0' } })
    assert.equal(following.values.proxy.host, '0.0.0.0')
    assert.equal(following.entries.find((entry) => entry.name === 'proxy.host')?.origin, 'follows host')
    const own = loadConfig(sections, { env: { OPENSPINE_HOST: '0.0.0.0', OPENSPINE_PROXY_HOST: '10.0.0.1' } })
    assert.equal(own.values.proxy.host, '10.0.0.1')
  })

  it('refuses unknown keys by name, with a suggestion, wherever they stand', () => {
    const message = problems(() =>
      loadConfig(sections, {
        file: { name: 'f.json', text: '{"proxy":{"conectSeconds":1},"prxy":{}}' },
        env: { OPENSPINE_PROXY_TLS: 'true' },
        overrides: { profil: 'strict' },
      }),
    )
    assert.match(
      message,
      /proxy\.conectSeconds \(file f\.json\) is not a setting\. Did you mean proxy\.connectSeconds\?/,
    )
    assert.match(message, /prxy \(file f\.json\) is not a setting/)
    assert.match(message, /OPENSPINE_PROXY_TLS \(environment\) is not a setting\. Did you mean OPENSPINE_PROXY_TLS13\?/)
    assert.match(message, /profil \(command line\) is not a setting\. Did you mean profile\?/)
  })

  it('refuses invalid values by name and never prints a secret', () => {
    const message = problems(() =>
      loadConfig(sections, {
        env: {
          OPENSPINE_PROXY_CONNECT_SECONDS: 'soon',
          DATABASE_URL: 'mysql://me:hunter2@db/x',
          OPENSPINE_API_PORT: '70000',
        },
      }),
    )
    assert.match(message, /proxy\.connectSeconds "soon" \(environment OPENSPINE_PROXY_CONNECT_SECONDS\) is refused/)
    assert.match(message, /apiPort 70000/)
    assert.match(message, /databaseUrl \(environment DATABASE_URL\) is refused/)
    assert.doesNotMatch(message, /hunter2/)
    assert.match(
      problems(() => loadConfig(sections, { file: { name: 'f.json', text: '{' } })),
      /f\.json is not JSON/,
    )
  })

  it('masks the password of a URL where it shows the rest', () => {
    const { entries } = loadConfig(sections, { env: { DATABASE_URL: 'postgres://me:hunter2@db.example/spine' } })
    const entry = entries.find(({ name }) => name === 'databaseUrl')
    assert.ok(entry)
    assert.equal(shownValue(entry), 'postgres://me:********@db.example/spine')
  })

  it('has a sentence for every key in its reference', () => {
    const page = configReference(sections)
    assert.match(
      page,
      /\| `proxy.tls13` \| `OPENSPINE_PROXY_TLS13` \| `true`; `false` in `strict` \| Whether TLS 1.3 is offered\. \|/,
    )
    assert.doesNotMatch(page, /\| {2}\|$/m, 'a key without a description')
  })
})
