/**
 * What may be used once is used once, by whichever process of an environment: two servers share a PostgreSQL, and requests
 * come to both at the same moment; one is killed (kill -9) and started again. On the embedded store there is one server.
 * TEST_TOKENS=5000 has so many other tokens given out before a used assertion is tried again; it has to happen
 * within the five minutes that an assertion lives.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { freshDatabase } from './database.ts'
import { Environment } from './openspine-process.ts'
import {
  type Answer,
  applicationKey,
  browser,
  clientAssertion,
  credentials,
  type WebClient,
  webClient,
} from './token-client.ts'

const strict = process.env['OPENSPINE_STRICT_TESTS'] === '1'
const otherTokens = Number(process.env['TEST_TOKENS'] ?? 1_200)
const database = await freshDatabase()
const callbackUrl = 'https://app.example.test/signed-in'
const own = applicationKey('test-1')

interface Application {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: string
}

const originOf = ({ settings }: Environment) => `https://localhost:${settings['OPENSPINE_API_PORT']}`
const tokenUrlOf = (environment: Environment) => `${originOf(environment)}/oauth2/token`
const clientOf = ({ dataDir }: Environment) => webClient(readFileSync(join(dataDir, 'trust', 'ca-bundle.pem'), 'utf8'))

/** An application that may call PDS, registered by the command beside the server. */
async function register(environment: Environment): Promise<Application> {
  const run = async (...args: readonly string[]) => {
    const ran = await environment.run(...args, '--json')
    assert.equal(ran.code, 0, ran.stdout + ran.stderr)
    return JSON.parse(ran.stdout)
  }
  const products = (await run('app', 'products')) as { name: string; apis: readonly string[] }[]
  const subscribed = products
    .filter(({ apis }) => apis.includes('personal-demographics'))
    .flatMap(({ name }) => ['--product', name])
  const made = await run('app', 'create', 'Used once', ...subscribed)
  const id: string = made.application
  const file = join(environment.dataDir, 'used-once.json')
  writeFileSync(file, own.keySet)
  await run('app', 'keys', id, '--file', file)
  await run('app', 'set', id, '--callback', callbackUrl)
  return { id, clientId: made.key.secret, clientSecret: made.key.clientSecret }
}

const won = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 200)
const descriptions = (answers: readonly Answer[]) =>
  [...new Set(answers.filter(({ status }) => status !== 200).map(({ json }) => json['error_description']))].sort()
const usedBefore = "Non-unique 'jti' claim in client_assertion JWT"

async function kill(server: Awaited<ReturnType<Environment['start']>>): Promise<void> {
  server.process.kill('SIGKILL')
  await once(server.process, 'exit')
}

describe('used once, over two processes', {
  skip: database !== undefined || strict ? false : 'TEST_DATABASE_URL is not set',
  timeout: 600_000,
}, () => {
  let first: Environment
  let second: Environment
  let web: WebClient
  let app: Application
  let urls: readonly string[]
  let secondServer: Awaited<ReturnType<Environment['start']>>

  before(async () => {
    assert.ok(database !== undefined, 'TEST_DATABASE_URL is not set, and OPENSPINE_STRICT_TESTS=1 wants both engines')
    first = await Environment.create({ DATABASE_URL: database.url })
    second = await Environment.create({ DATABASE_URL: database.url, OPENSPINE_DATA_DIR: first.dataDir })
    await first.start('start', '--demo')
    secondServer = await second.start('start')
    app = await register(first)
    web = clientOf(first)
    urls = [tokenUrlOf(first), tokenUrlOf(second)]
  })
  after(async () => {
    web?.close()
    await second?.remove()
    await first?.remove()
    await database?.drop()
  })

  const assertion = () => clientAssertion({ clientId: app.clientId, audience: urls }, own)
  /** The same form so often at once, in turn at both servers. */
  const together = (times: number, fields: Readonly<Record<string, string>>) =>
    Promise.all(Array.from({ length: times }, (_, n) => web.post(String(urls[n % urls.length]), fields)))

  it('refuses at one server an assertion that was used at the other', async () => {
    for (const [at, then] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const used = credentials(assertion())
      const given = await web.post(String(urls[at]), used)
      assert.equal(given.status, 200, given.text)
      const again = await web.post(String(urls[then]), used)
      assert.deepEqual([again.status, again.json['error_description']], [400, usedBefore])
    }
  })

  it('gives one token for 24 uses of one assertion at once', async () => {
    for (let round = 0; round < 5; round++) {
      const answers = await together(24, credentials(assertion()))
      assert.equal(won(answers).length, 1)
      assert.deepEqual(descriptions(answers), [usedBefore])
    }
  })

  it('redeems a code once of 16 times at once, and the refresh token that it gave once of 16', async () => {
    const code = await signedIn(web, originOf(first), app)
    const { clientId: client_id, clientSecret: client_secret } = app
    const redemption = {
      grant_type: 'authorization_code',
      redirect_uri: callbackUrl,
      client_id,
      client_secret,
      code: await code(),
    }
    const redeemed = await together(16, redemption)
    assert.equal(won(redeemed).length, 1)
    assert.deepEqual(descriptions(redeemed), ['authorization_code is invalid'])

    // A second use ends what the first gave: the refresh token of another code is used.
    const given = await web.post(String(urls[1]), { ...redemption, code: await code() })
    assert.equal(given.status, 200, given.text)
    const refresh_token = String(given.json['refresh_token'])
    const refreshed = await together(16, { grant_type: 'refresh_token', client_id, client_secret, refresh_token })
    assert.equal(won(refreshed).length, 1)
    assert.deepEqual(descriptions(refreshed), ['refresh_token is invalid'])
  })

  it('refuses a used assertion after the server that took it was killed, and started again', async () => {
    const used = credentials(assertion())
    const given = await web.post(String(urls[1]), used)
    assert.equal(given.status, 200, given.text)
    await kill(secondServer)
    secondServer = await second.start('start')
    for (const url of urls) {
      const again = await web.post(url, used)
      assert.deepEqual([again.status, again.json['error_description']], [400, usedBefore])
    }
  })

  it(`refuses a used assertion after ${otherTokens} other tokens`, async (t) => {
    const began = performance.now()
    const used = credentials(assertion())
    const given = await web.post(String(urls[0]), used)
    assert.equal(given.status, 200, given.text)
    let left = otherTokens
    const worker = async (n: number) => {
      while (left-- > 0) {
        const other = await web.post(String(urls[n % 2]), credentials(assertion()))
        assert.equal(other.status, 200, other.text)
      }
    }
    await Promise.all(Array.from({ length: 16 }, (_, n) => worker(n)))
    t.diagnostic(`${otherTokens} tokens in ${((performance.now() - began) / 1000).toFixed(1)} s`)
    for (const url of urls) {
      const again = await web.post(url, used)
      assert.deepEqual([again.status, again.json['error_description']], [400, usedBefore])
    }
  })
})

/** Signs a clinician in at this server, as often as it is called: a code of the platform each time. */
async function signedIn(web: WebClient, origin: string, { clientId }: Application): Promise<() => Promise<string>> {
  return async () => {
    const go = browser(web, origin)
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: callbackUrl,
      response_type: 'code',
      state: 'one-state',
    })
    const page = await go(`${origin}/oauth2/authorize?${query}`)
    const back = await go(page.url, { person: '555100000001', authenticator: 'AAL3_FIDO2', answer: 'yes' })
    const code = new URL(back.url).searchParams.get('code')
    assert.ok(code, `${back.url} ${back.answer.text}`)
    return code
  }
}

describe('used once, on the embedded store', () => {
  let environment: Environment
  before(async () => {
    environment = await Environment.create()
  })
  after(() => environment?.remove())

  it('refuses a used assertion after kill -9', { timeout: 300_000 }, async (t) => {
    const server = await environment.start('start')
    const app = await register(environment)
    const web = clientOf(environment)
    t.after(() => web.close())
    const url = tokenUrlOf(environment)
    const used = credentials(clientAssertion({ clientId: app.clientId, audience: url }, own))
    const given = await web.post(url, used)
    assert.equal(given.status, 200, given.text)
    // At once: what was acknowledged is in the store, and not on its way there.
    await kill(server)
    await environment.start('start')
    const again = await web.post(url, used)
    assert.deepEqual([again.status, again.json['error_description']], [400, usedBefore])
    const explained = await environment.run('explain', String(again.json['message_id']))
    assert.equal(explained.code, 0, explained.stdout + explained.stderr)
    for (const part of [/answered 400 at \/oauth2\/token/, /from +Used once/, /failed +jti new/, /likely +The same /])
      assert.match(explained.stdout, part)
  })
})
