/** kill -9 while people are registered: a repeated X-Request-ID gives the same person, and nobody has two numbers. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { Environment } from './openspine-process.ts'
import { json, RawConnection } from './raw-http.ts'

let environment: Environment
before(async () => {
  environment = await Environment.create()
})
after(() => environment?.remove())

const path = '/personal-demographics/FHIR/R4/Patient'

/** Family names without digits, so that each is another name under folding. */
const family = (n: number) => `Crash${[...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('')}`

const body = (n: number) =>
  JSON.stringify({
    name: [{ use: 'usual', given: ['Kay'], family: family(n) }],
    gender: 'female',
    // Few dates, so that registrations stand in each other's way.
    birthDate: `1990-01-0${(n % 3) + 1}`,
    address: [
      { use: 'home', period: { start: '2020-01-01' }, line: ['', '1 A Street', '', 'B'], postalCode: 'ZZ99 3CZ' },
    ],
    extension: [
      {
        url: 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-RegisteringAuthority',
        extension: [
          { url: 'registeringAuthorityType', valueCodeableConcept: { coding: [{ code: 'x' }] } },
          { url: 'organisationIdentifier', valueString: 'RGS' },
        ],
      },
    ],
  })

it('registers each once, whenever the process ends', { timeout: 300_000 }, async () => {
  const first = await environment.start('start', '--demo')
  const url = `https://localhost:${environment.settings['OPENSPINE_API_PORT']}`
  const ca = readFileSync(join(environment.dataDir, 'trust', 'ca-bundle.pem'), 'utf8')
  const send = async (connection: RawConnection, id: string, n: number) => {
    const text = body(n)
    connection.send(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: ${id}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    )
    return connection.answer()
  }

  const sent: { readonly id: string; readonly n: number }[] = []
  const acknowledged = new Map<string, string>()
  let down = false
  const worker = async () => {
    try {
      const connection = await RawConnection.open(url, { ca })
      while (!down) {
        const asked = { id: randomUUID(), n: sent.length }
        sent.push(asked)
        const answer = await send(connection, asked.id, asked.n)
        if (answer === undefined) return
        assert.equal(answer.status, 201, answer.body.toString())
        acknowledged.set(asked.id, answer.body.toString())
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
    }
  }
  const workers = Array.from({ length: 8 }, worker)
  while (acknowledged.size < 60) await new Promise((resolve) => setTimeout(resolve, 5))
  first.process.kill('SIGKILL')
  await once(first.process, 'exit')
  down = true
  await Promise.all(workers)

  const second = await environment.start('start', '--demo')
  const connection = await RawConnection.open(url, { ca })
  const numbers = new Set<string>()
  for (const { id, n } of sent) {
    const answer = await send(connection, id, n)
    assert.equal(answer?.status, 201, `${id}: ${answer?.body.toString()}`)
    const before = acknowledged.get(id)
    if (before !== undefined) assert.equal(answer.body.toString(), before)
    numbers.add((json(answer) as { id: string }).id)
  }
  assert.equal(numbers.size, sent.length, 'every one has a number of their own')
  // The same person under another id is found: nobody was registered beside the one that was answered.
  for (const { n } of sent.slice(0, 20)) {
    const answer = await send(connection, randomUUID(), n)
    assert.match(String(answer?.body), /SINGLE_MATCH/)
  }
  second.process.kill('SIGTERM')
  await once(second.process, 'exit')
})
