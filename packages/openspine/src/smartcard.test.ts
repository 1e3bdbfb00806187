import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { get, request } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { roleAssertion, smartcardAgent } from '@openspine/client/smartcard'
import { readRoleAssertion } from '@openspine/standards/saml'
import { loadSandbox, type Spine, startSpine } from './openspine.ts'

describe('smartcards, over real sockets', () => {
  let spine: Spine
  let agent: string
  let ca: string
  let broker: string
  before(async () => {
    spine = await startSpine({ overrides: { 'smartcard.agentPort': 0 } })
    await loadSandbox(spine)
    agent = String(spine.urls['smartcard-agent'])
    broker = String(spine.urls['api'])
    ca = readFileSync(spine.platform.trust.files.bundle, 'utf8')
  })
  after(() => spine.stop())

  const tell = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(agent + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const broken = (path: string, method = 'GET') =>
    new Promise<{ status: number; type: string; body: string }>((resolve, reject) => {
      const url = new URL(broker)
      const options = { host: url.hostname, port: url.port, path, method, ca }
      const sent = (method === 'GET' ? get : request)(options, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, type: String(response.headers['content-type']), body }),
        )
      })
      sent.on('error', reject).end()
    })

  it('card, PIN, role, ticket, assertion, and the card taken out', async () => {
    assert.ok(agent.startsWith('http://127.0.0.1:'))
    const { cards } = (await tell('GET', '/cards')).body as { cards: { uid: string }[] }
    assert.deepEqual(cards.map(({ uid }) => uid).sort(), ['555100000001', '555100000002', '555100000003'])
    const { getTicket, getTicketNoAuth } = smartcardAgent(agent)
    assert.equal(await getTicketNoAuth(), '')
    await assert.rejects(getTicket(), { code: 'CLIENT_REFUSED', outcome: { status: 404 } })
    assert.equal((await tell('PUT', '/card', { uid: '555100000001', pin: '9999' })).body['error'], 'SMARTCARD_PIN')
    const inserted = await tell('PUT', '/card', { uid: '555100000001', pin: '1234' })
    assert.equal(inserted.status, 200)
    assert.equal((inserted.body['roles'] as unknown[]).length, 2)
    assert.equal(await getTicketNoAuth(), '')
    await assert.rejects(getTicket(), { code: 'CLIENT_REFUSED', outcome: { status: 409 } })
    await tell('PUT', '/role', { role: '555110000002' })
    const ticket = await getTicket()
    assert.equal(await getTicketNoAuth(), ticket)

    const may = await tell('GET', '/permission?activity=B0825')
    assert.deepEqual([may.body['allowed'], may.body['version']], [true, spine.contracts.accessControl.version])

    const assertion = await roleAssertion({ broker, ticket, ca })
    assert.deepEqual([assertion.uid, assertion.activeRoleId], ['555100000001', '555110000002'])
    assert.equal(assertion.mode, 'live')
    assert.equal(assertion.issuer.startsWith('https://'), true)
    const active = assertion.roles.find(({ id }) => id === assertion.activeRoleId)
    assert.deepEqual([active?.odsCode, active?.jobRoleCode], ['X26', 'S8000:G8000:R8000'])
    assert.ok(active?.activityCodes.includes('B0825'))

    // What the role may do is decided by the rules in force, which the decision names.
    const { accessControl } = spine.contracts
    const decision = accessControl.decide({
      roles: assertion.roles.map(({ id, odsCode, jobRoleCode = '', activityCodes }) => ({
        id,
        odsCode,
        jobRole: jobRoleCode,
        activities: activityCodes,
      })),
      selectedRoleId: assertion.activeRoleId,
      orgCode: 'X26',
      need: { any: ['B0820'], sameOrganisation: true },
    })
    assert.equal(decision.allowed, true)
    assert.equal(decision.version, accessControl.version)

    const raw = await broken(`/saml/RoleAssertion?token=${encodeURIComponent(ticket)}`)
    assert.deepEqual([raw.status, raw.type], [200, 'text/xml;charset=UTF-8'])
    assert.equal(readRoleAssertion(raw.body, { now: Date.now() }).uid, '555100000001')

    assert.deepEqual((await tell('DELETE', '/card')).body, { removed: true })
    await assert.rejects(roleAssertion({ broker, ticket, ca }), {
      code: 'SAML_STATUS',
      outcome: { status: 'samlp:Requester' },
    })
  })

  it('keeps desks apart, and trains', async () => {
    await tell('PUT', '/card?desk=ward-1', { uid: '555100000002', pin: '1234', training: true })
    const ticket = await smartcardAgent(agent, { desk: 'ward-1' }).getTicket()
    assert.equal((await roleAssertion({ broker, ticket, ca })).mode, 'training')
    assert.equal((await tell('GET', '/permission?desk=ward-1&activity=B0820')).body['reason'], 'training-mode')
    assert.equal((await tell('GET', '/card?desk=ward-2')).body['card'], 'absent')
    assert.equal((await tell('PUT', '/card?desk=ward-1', { uid: '555100000003', pin: '1234' })).status, 409)
    await tell('DELETE', '/card?desk=ward-1')
  })

  it('answers every bad question in its own words', async () => {
    for (const [method, path, body, headers, status] of [
      ['GET', '/card?desk=a%20b', undefined, {}, 400],
      ['GET', '/card?desk=a&desk=b', undefined, {}, 400],
      ['PUT', '/card', 'no json', {}, 400],
      ['PUT', '/card', { uid: 5 }, {}, 400],
      ['GET', '/permission?activity=B0820', undefined, {}, 404],
      ['GET', '/permission?activity=B0820&activity=B0825', undefined, {}, 400],
      ['PUT', '/role', {}, {}, 400],
      ['PUT', '/role', { role: '555110000001' }, {}, 404],
      ['GET', '/ticket', undefined, { origin: 'https://evil.example' }, 403],
    ] as const) {
      const answer = await tell(method, path, body, headers)
      assert.equal(answer.status, status, `${method} ${path}`)
      assert.equal(typeof answer.body['explanation'], 'string')
    }
    for (const query of [
      '',
      '?',
      '?token=',
      '?token=nonsense',
      '?token=%zz',
      '?token=a&token=b',
      `?token=${'a'.repeat(9000)}`,
    ]) {
      const { status, type, body } = await broken(`/saml/RoleAssertion${query}`)
      assert.deepEqual([status, type], [200, 'text/xml;charset=UTF-8'], query)
      assert.ok(body.includes('<samlp:StatusCode Value="samlp:Requester"/>') && !body.includes('Assertion '), query)
    }
    assert.equal((await broken('/saml/RoleAssertion', 'POST')).status, 405)
  })

  it('has no agent in the profile strict', async () => {
    const strict = await startSpine({ overrides: { 'smartcard.agentPort': 0, profile: 'strict' } })
    try {
      assert.equal(strict.urls['smartcard-agent'], undefined)
    } finally {
      await strict.stop()
    }
  })
})
