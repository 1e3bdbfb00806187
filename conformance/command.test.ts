/** The command as a user meets it: processes, files, exit codes, and lines pasted from its output. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Environment, type Ran } from './openspine-process.ts'

let environment: Environment
let server: Awaited<ReturnType<Environment['start']>>

before(async () => {
  environment = await Environment.create()
  server = await environment.start('start', '--demo')
})
after(() => environment?.remove())

function shell(line: string): Promise<Ran> {
  return new Promise((resolve) => {
    execFile('bash', ['-c', line], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

const pasted = (start: RegExp) => server.printed.filter((line) => start.test(line)).map((line) => line.trim())

describe('openspine start --demo', () => {
  it('prints the whole sequence, each step in order, and none that did not hold', () => {
    const steps = server.printed.map((line) => /^ (\d+[a-f]) /.exec(line)?.[1]).filter((step) => step !== undefined)
    assert.equal(
      steps.join(' '),
      '1a 1b 2a 2b 3a 3b 4a 4b 4c 4d 5a 5b 6a 6b 7a 7b 8a 8b 8c 8d 8e 8f 9a 9b 9c 9d 9e 9f 10a 10b 10c 10d 10e 10f',
      server.printed.join('\n'),
    )
    assert.ok(server.printed.some((line) => /7b .*200, 10 areas, \d+ entries, complete/.test(line)))
    assert.ok(server.printed.some((line) => /8f .*201, booked for \d{4}-/.test(line)))
    assert.ok(
      server.printed.some((line) => /9b .*401 Missing or invalid 'aud' claim.*openspine explain rrt-/.test(line)),
    )
    assert.ok(server.printed.some((line) => /10b .*ID token of 555100000001, .*level 3/.test(line)))
    assert.ok(server.printed.some((line) => /10f .*200, registered at A20047/.test(line)))
    assert.ok(!server.printed.some((line) => line.includes('✖')), server.printed.join('\n'))
    assert.ok(server.printed.some((line) => /1b .*999 054 8609, verified, registered at A20047/.test(line)))
    assert.ok(server.printed.some((line) => /4d .*200, Allergies and Adverse Reactions, 3 rows/.test(line)))
    assert.ok(
      server.printed.some((line) =>
        /FOT_CHECK_FAILED_MESSAGESENDER_200000100000_MESSAGERECEIVER_200000100002/.test(line),
      ),
    )
  })

  it('prints a curl line that works when it is pasted', async () => {
    const [line = ''] = pasted(/^ +curl /)
    const ran = await shell(line)
    assert.equal(ran.code, 0, ran.stderr)
    assert.equal(JSON.parse(ran.stdout).id, '9990548609')
  })

  it('prints ldapsearch lines that give the two answers of the worked example', async () => {
    const [endpoint = '', system = ''] = pasted(/ldapsearch /)
    const first = await shell(endpoint)
    assert.equal(first.code, 0, first.stderr)
    assert.match(first.stdout, /^nhsMHSEndPoint: https:\/\/localhost:\d+\/A20047\/DSTU2\/1$/m)
    assert.match(first.stdout, /^nhsMHSPartyKey: A20047-850001$/m)
    const second = await shell(system)
    assert.match(second.stdout, /^uniqueIdentifier: 200000100001$/m)
  })
})

describe('commands beside a running server', () => {
  it('trace, lookup and record act as a consumer on the network', async () => {
    const traced = await environment.run('trace', '--family', 'Testcase', '--birth-date', '1980-02-29', '--json')
    assert.equal(traced.code, 0, traced.stdout + traced.stderr)
    assert.equal(JSON.parse(traced.stdout).nhsNumber, '9990548609')
    const found = await environment.run('--json', 'lookup', 'A20047', 'gpconnect:fhir:operation:gpc.getcarerecord')
    assert.equal(found.code, 0, found.stdout + found.stderr)
    assert.equal(JSON.parse(found.stdout).asid, '200000100001')
    const record = await environment.run('record', '999 054 8609', '--section', 'ALL')
    assert.equal(record.code, 0, record.stderr)
    assert.match(record.stdout, /Current Allergies and Adverse Reactions/)
  })

  it('record --structured and documents read what GP Connect 1.x has of the same patient, in JSON and XML', async () => {
    const structured = await environment.run('record', '9990548609', '--structured', '--include', 'allergies,problems')
    assert.equal(structured.code, 0, structured.stderr)
    assert.match(structured.stdout, /^Testcase, Arlo Ben {3}999 054 8609/)
    assert.match(structured.stdout, /^Allergies and adverse reactions {2}\d+$/m)
    assert.doesNotMatch(structured.stdout, /≠|could not be compared/)
    const listed = await environment.run('documents', 'list', '9990548609', '--format', 'xml', '--json')
    assert.equal(listed.code, 0, listed.stdout + listed.stderr)
    const { documents, comparison } = JSON.parse(listed.stdout)
    assert.deepEqual(comparison, { differences: [], notCompared: [] })
    const letter = documents.find(
      ({ contentType, url }: { contentType: string; url?: string }) => url && contentType === 'text/plain',
    )
    const file = join(environment.dataDir, 'letter.txt')
    const saved = await environment.run('documents', 'get', letter.url, '--practice', 'A20047', '--save', file)
    assert.equal(saved.code, 0, saved.stderr)
    assert.equal(readFileSync(file).length, letter.size)
  })

  it('appointments are booked, listed, amended and cancelled at the real practice', async () => {
    const answer = async (...args: readonly string[]) => {
      const ran = await environment.run('appointments', ...args, '--json')
      assert.equal(ran.code, 0, ran.stdout + ran.stderr)
      return JSON.parse(ran.stdout)
    }
    const at = ['--practice', 'A20047']
    const booked = await answer('book', '9990548609', '--first', '--description', 'Invented cough')
    const { id, version } = booked.appointment
    assert.equal(booked.appointment.bookedBy, 'Invented Trust')
    const amended = await answer('amend', id, ...at, '--comment', 'since Monday', '--format', 'xml')
    assert.equal(amended.appointment.comment, 'since Monday')
    const late = await environment.run('appointments', 'cancel', id, ...at, '--reason', 'x', '--if-version', version)
    assert.equal(late.code, 3, late.stdout)
    assert.match(late.stderr, /CLIENT_CONFLICT/)
    await answer('cancel', id, ...at, '--reason', 'feels better')
    const { appointments } = await answer('list', '9990548609')
    const cancelled = appointments.find((one: { id: string }) => one.id === id)
    assert.deepEqual([cancelled.status, cancelled.cancellationReason], ['cancelled', 'feels better'])
  })

  it('system register gives a newcomer a place in the directory, which the running server shows within a second', async () => {
    const url = 'https://gp.supplier.example:9643/C81001/DSTU2/1'
    const about = [
      '--manufacturer',
      'YY002',
      '--product',
      'My GP system',
      '--fqdn',
      'gp.supplier.example',
      '--url',
      url,
    ]
    const line = ['system', 'register', '--ods', 'C81001', '--organisation', 'Another Surgery', ...about]
    const registered = await environment.run(...line, '--json')
    const at = Date.now()
    assert.equal(registered.code, 0, registered.stdout + registered.stderr)
    const { asid, partyKey, files } = JSON.parse(registered.stdout)
    assert.match(asid, /^\d{12}$/)
    assert.match(partyKey, /^C81001-\d{6}$/)
    assert.match(readFileSync(files.certificate, 'utf8'), /BEGIN CERTIFICATE/)
    const interaction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord'
    const found = await environment.run('lookup', 'C81001', interaction, '--json')
    assert.equal(found.code, 0, `${found.stderr} after ${Date.now() - at} ms`)
    assert.deepEqual([JSON.parse(found.stdout).asid, JSON.parse(found.stdout).endpoint], [asid, url])

    const again = await environment.run(...line)
    assert.equal(again.code, 3)
    assert.match(again.stderr, /REGISTRATION_ONE_PROVIDER/)
  })

  it('system register takes a GP Connect provider of both lines, each capability at its root', async () => {
    const host = 'https://both.supplier.example:9643'
    const line = [
      ...['system', 'register', '--ods', 'C81002', '--organisation', 'A Third Surgery', '--manufacturer', 'YY002'],
      ...['--product', 'Both lines', '--fqdn', 'both.supplier.example', '--gp-connect'],
    ]
    for (const wrong of [`${host}/C81002`, 'http://both.supplier.example'])
      assert.equal((await environment.run(...line, wrong)).code, 2)
    const registered = await environment.run(...line, host, '--json')
    assert.equal(registered.code, 0, registered.stdout + registered.stderr)
    const { asid, interactions } = JSON.parse(registered.stdout)
    assert.equal(interactions.length, 27)
    for (const [interaction, root] of [
      ['gpconnect:fhir:operation:gpc.getcarerecord', 'DSTU2/1'],
      ['gpconnect:fhir:rest:search:patient-1', 'STU3/1/gpconnect'],
      ['gpconnect:fhir:rest:create:appointment-1', 'STU3/1/gpconnect'],
      ['gpconnect:fhir:operation:gpc.getstructuredrecord-1', 'STU3/1/gpconnect/structured'],
      ['gpconnect:documents:fhir:rest:read:binary-1', 'STU3/1/gpconnect/documents'],
    ] as const) {
      const found = await environment.run('lookup', 'C81002', interaction, '--json')
      assert.equal(found.code, 0, found.stderr)
      assert.deepEqual(
        [JSON.parse(found.stdout).asid, JSON.parse(found.stdout).endpoint],
        [asid, `${host}/C81002/${root}`],
      )
    }
  })

  it('proxy report counts what went through, by whatever is asked for', async () => {
    const interaction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord'
    const line = ['proxy', 'report', '--by', 'provider,interaction,day']
    const ran = await environment.run(...line, '--json')
    assert.equal(ran.code, 0, ran.stderr)
    const { rows, total } = JSON.parse(ran.stdout)
    const row = rows.find(
      (one: { interaction: string; relayed: number }) => one.interaction === interaction && one.relayed,
    )
    assert.deepEqual(row.provider, { odsCode: 'A20047', asid: '200000100001' })
    assert.match(row.day, /^\d{4}-\d{2}-\d{2}$/)
    assert.ok(row.successful > 0 && row.bytesIn > 0 && row.bytesOut > row.bytesIn && row.firstByteMs.median > 0)
    assert.ok(total.refused > 0, 'the demonstration has a refused request')
    const sum = rows.reduce((all: number, { requests }: { requests: number }) => all + requests, 0)
    assert.equal(sum, total.requests)

    const shown = await environment.run(...line)
    assert.match(shown.stdout, /^provider +interaction +day +requests +relayed/)
    assert.ok(shown.stdout.includes(`A20047 200000100001  ${interaction}`), shown.stdout)
    const none = await environment.run('proxy', 'report', '--to', '2020-01-01')
    assert.deepEqual([none.code, none.stdout], [0, 'No request in that time.\n'])
    for (const wrong of [
      ['--by', 'patient'],
      ['--by', 'day,day'],
      ['--from', 'yesterday'],
      ['--from', '2026-02-30'],
      ['--from', '2026-02-02', '--to', '2026-02-01'],
    ])
      assert.equal((await environment.run('proxy', 'report', ...wrong)).code, 2, wrong.join(' '))
  })

  it('an answer of no is exit code 3, wrong usage is 2, each in plain words', async () => {
    const nobody = await environment.run('trace', '--family', 'Nobody', '--birth-date', '1901-01-01')
    assert.equal(nobody.code, 3)
    assert.match(nobody.stderr, /Nobody in demographics fits/)
    assert.equal((await environment.run('trace')).code, 2)
    assert.equal((await environment.run('nonsense')).code, 2)
    const setting = await environment.run('--set', 'proxi.port=1', 'config')
    assert.equal(setting.code, 2)
    assert.match(setting.stderr, /proxi\.port \(command line\) is not a setting\. Did you mean proxy\.port\?/)
  })

  it('a reader that takes only the first line is no failure', async () => {
    const ran = await environment.runFor(1, 'config')
    assert.deepEqual([ran.code, ran.stderr], [0, ''])
  })

  it('explain tells why a request was refused', async () => {
    const refused = await environment.run('--json', 'record', '9990548609', '--practice', 'B82617')
    assert.equal(refused.code, 3, refused.stdout)
    const { traceId } = JSON.parse(refused.stdout).error.outcome
    const explained = await environment.run('explain', traceId)
    assert.equal(explained.code, 0, explained.stderr)
    assert.match(explained.stdout, /sharing agreement/i)
    assert.match(explained.stdout, /Directory entries used: uniqueIdentifier=\d{12},ou=Services,o=nhs; /)
    const [, pasted = ''] = /openspine lookup --filter '([^']+)'/.exec(explained.stdout) ?? []
    const receiver = await environment.run('lookup', '--filter', pasted)
    assert.equal(receiver.code, 0, receiver.stdout + receiver.stderr)
  })

  it('lookup --explain tells which condition failed against which record', async () => {
    const interaction = 'gpconnect:fhir:operation:gpc.getcarerecord'
    const found = await environment.run('lookup', 'A20047', interaction, '--explain')
    assert.equal(found.code, 0, found.stdout + found.stderr)
    assert.match(found.stdout, /system {2}1 found/)
    const nothing = await environment.run('lookup', 'a20047', interaction, '--explain')
    assert.equal(nothing.code, 3, nothing.stderr)
    assert.match(nothing.stdout, /its nhsIDCode is A20047: upper and lower case count/)
    const typo = await environment.run(
      '--json',
      'lookup',
      '--filter',
      '(nhsIDCod=A20047)',
      '--base',
      'ou=Services,o=nhs',
    )
    assert.equal(typo.code, 3)
    assert.match(JSON.parse(typo.stdout).causes[0], /Did you mean nhsIDCode\?/)
    const unreadable = await environment.run('lookup', '--filter', '(nhsIDCode=A20047')
    assert.equal(unreadable.code, 3)
    assert.match(unreadable.stderr, /The filter cannot be read/)
    assert.equal((await environment.run('lookup', 'A20047')).code, 2)
    assert.equal((await environment.run('lookup', 'A20047', interaction, '--filter', '(o=x)')).code, 2)
  })

  it('audit verify and audit tail read beside the server', async () => {
    const verified = await environment.run('audit', 'verify', '--json')
    assert.equal(verified.code, 0, verified.stdout + verified.stderr)
    assert.ok(JSON.parse(verified.stdout).records > 5)
    const tail = await environment.run('audit', 'tail', '-n', '3', '--event', 'proxy.request', '--json')
    assert.equal(JSON.parse(tail.stdout).length, 3)
  })

  it('load people loads, and goes on where it stopped', async () => {
    const first = await environment.run('load', 'people', '--count', '1500', '--seed', '1', '--json')
    assert.equal(first.code, 0, first.stderr)
    assert.equal(JSON.parse(first.stdout).written, 500, 'the demo had loaded the first 1,000 of this seed')
    const again = await environment.run('load', 'people', '--count', '1500', '--seed', '1', '--json')
    assert.equal(JSON.parse(again.stdout).written, 0)
  })

  it('load organisations loads a public file, tells what it left out, and the running server shows the rest', async () => {
    const file = join(environment.dataDir, 'epraccur.csv')
    const row = (code: string) =>
      `"${code}","LOADED, SURGERY","Y99","","1 HIGH STREET","","","NOWHERE","","ZZ99 1AA","20010401","","A","B","X26"${','.repeat(10)},4,`
    writeFileSync(file, `${row('Y99901')}\r\n${row('not a code')}\r\n`)
    const loaded = await environment.run('load', 'organisations', '--file', file, '--json')
    assert.equal(loaded.code, 3, loaded.stderr)
    const { accepted, changed, rejected, rejections } = JSON.parse(loaded.stdout)
    assert.deepEqual([accepted, changed, rejected, rejections[0].row], [1, 1, 1, 2])
    const invented = await environment.run('load', 'organisations', '--count', '20')
    assert.equal(invented.code, 0, invented.stderr)
    assert.match(invented.stdout, /^20 organisations in the directory in .*, 20 of them new or changed$/m)
    for (const wrong of [[], ['--count', '0'], ['--file', `${file}x`], ['--file', file, '--type', 'shop']])
      assert.equal((await environment.run('load', 'organisations', ...wrong)).code, 2, wrong.join(' '))

    const [line = ''] = pasted(/^ +curl /)
    const ca = /--cacert (\S+)/.exec(line)?.[1]
    const url = `https://localhost:${environment.settings['OPENSPINE_API_PORT']}/ORD/2-0-0/organisations/Y99901`
    let shown = ''
    for (let round = 0; round < 20 && !shown.includes('LOADED'); round++) {
      shown = (await shell(`curl -s --cacert ${ca} ${url}`)).stdout
      await wait(100)
    }
    assert.equal(JSON.parse(shown).Organisation.Name, 'LOADED, SURGERY')
  })

  it('config prints values, origins and no secret', async () => {
    const shown = await environment.run('config', '--set', 'client.accessToken=hunter2')
    assert.match(shown.stdout, /apiPort +\d+ +environment OPENSPINE_API_PORT/)
    assert.doesNotMatch(shown.stdout, /hunter2/)
  })

  it('a second server on the same store is refused, naming the first', async () => {
    const second = await environment.run('start', '--once')
    assert.equal(second.code, 1, second.stdout)
    assert.match(second.stderr, new RegExp(`\\b${server.process.pid}\\b`))
  })

  it('cert issue gives a certificate that the directory takes, and refuses after cert revoke without a restart', async () => {
    const issued = await environment.run('cert', 'issue', 'other.openspine.example', '--json')
    assert.equal(issued.code, 0, issued.stderr)
    const { files, serial } = JSON.parse(issued.stdout)
    const [line = ''] = pasted(/ldapsearch /)
    const search = line
      .replace(/LDAPTLS_CERT=\S+/, `LDAPTLS_CERT=${files.fullChain}`)
      .replace(/LDAPTLS_KEY=\S+/, `LDAPTLS_KEY=${files.key}`)
    const allowed = await shell(search)
    assert.equal(allowed.code, 0, allowed.stderr)
    const revoked = await environment.run('cert', 'revoke', serial, '--reason', 'keyCompromise')
    assert.equal(revoked.code, 0, revoked.stderr)
    const deadline = Date.now() + 3000
    let after = await shell(search)
    while (after.code === 0 && Date.now() < deadline) {
      await wait(100)
      after = await shell(search)
    }
    assert.notEqual(after.code, 0)
    assert.match(after.stderr, /Can't contact LDAP server|-1/)
    assert.match((await environment.run('cert', 'show', 'other.openspine.example')).stdout, /revoked .*keyCompromise/)
  })
})

describe('stopping', () => {
  it('SIGTERM ends the server with exit code 0, and everything is still there after the next start', async () => {
    server.process.kill('SIGTERM')
    const [code] = await once(server.process, 'exit')
    assert.equal(code, 0)
    const again = await environment.run('start', '--demo', '--once')
    assert.equal(again.code, 0, again.stdout + again.stderr)
    const verified = await environment.run('audit', 'verify')
    assert.equal(verified.code, 0, verified.stdout)
  })
})
