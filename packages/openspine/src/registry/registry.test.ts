import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { DirectoryEntry } from '@openspine/services/directory/contract'
import fc from 'fast-check'
import { planLines } from './plan-text.ts'
import {
  applyPlan,
  checkPlan,
  exportRegistry,
  planRegistry,
  type RegistryPlan,
  refuseOtherEnvironment,
} from './registry.ts'
import {
  emptyFolder,
  filesOf,
  handler,
  openRegistry,
  organisation,
  person,
  put,
  system,
  type TestRegistry,
} from './testing.ts'

const write = (registry: TestRegistry, folder: string, environment = 'test') =>
  exportRegistry(folder, environment, registry.parts)
const planned = (registry: TestRegistry, folder: string, options: Partial<{ prune: boolean; quirks: boolean }> = {}) =>
  planRegistry(folder, 'test', registry.parts, {
    prune: options.prune ?? false,
    tolerateLiveQuirks: options.quirks ?? false,
  })
const apply = async (plan: RegistryPlan) => applyPlan(await checkPlan(plan), 'tester')
const names = (registry: TestRegistry) => [...registry.directory.tree().names()]
const summary = (plan: RegistryPlan) => plan.changes.map(({ kind, name }) => `${kind} ${name.split(',')[0]}`)

/** Changes a file of the folder as an editor would. */
function edit(folder: string, path: string, change: (text: string) => string) {
  const before = readFileSync(join(folder, path), 'utf8')
  const after = change(before)
  assert.notEqual(after, before, `the edit of ${path} changes something`)
  writeFileSync(join(folder, path), after)
}

const agreement = { from: 'X26', to: 'A20047', interaction: 'urn:nhs:names:services:gpconnect:*' }
const metadata = 'fhir:rest:read:metadata-1'
const structured = 'fhir:operation:gpc.getstructuredrecord-1'

let registry: TestRegistry
let target: TestRegistry
/** A folder of a registry that holds nothing but its branches. */
let nothing: string

before(async () => {
  registry = await openRegistry()
  target = await openRegistry()
  nothing = mkdtempSync(join(tmpdir(), 'openspine-registry-'))
  write(target, nothing)
})
after(async () => {
  await registry.close()
  await target.close()
  rmSync(nothing, { recursive: true, force: true })
})

/** A registry with something of everything, and the folder that it is exported to. */
async function filled(t: TestContext): Promise<string> {
  await apply(planned(registry, nothing, { prune: true }))
  await registry.directory.apply(
    [
      organisation('X26'),
      organisation('A20047', { l: ['Ynys Môn'] }),
      system('200000100001', 'A20047', {
        nhsAsSvcIA: ['urn:nhs:names:services:pds:b', 'urn:nhs:names:services:pds:a'],
      }),
      handler('S20001A000001', 'A20047', metadata),
      system('200000100000', 'X26', {}, 'Consumer.example'),
      ...person('555000000012', 'A20047', { nhsPuSecret: ['do not tell'] }),
    ].map(put),
    'tester',
  )
  await registry.registration.agree(agreement, 'tester')
  const folder = emptyFolder(t)
  write(registry, folder)
  return folder
}

test('a folder is text that a reviewer reads', async (t) => {
  const folder = await filled(t)
  const files = filesOf(folder)
  assert.deepEqual(Object.keys(files), [
    '.gitattributes',
    'agreements.jsonl',
    'order.txt',
    'organisations/A2.ldif',
    'organisations/X2.ldif',
    'people/12.ldif',
    'registry.json',
    'services/A20047.ldif',
    'services/X26.ldif',
    'tree.ldif',
  ])
  assert.equal(files['agreements.jsonl'], `${JSON.stringify(agreement)}\n`)
  assert.equal(
    files['registry.json'],
    '{\n  "format": "openspine-registry",\n  "version": 1,\n  "environment": "test"\n}\n',
  )
  assert.equal(
    files['services/X26.ldif'],
    [
      'version: 1',
      '',
      'dn: uniqueIdentifier=200000100000,ou=Services,o=nhs',
      'objectClass: top',
      'objectClass: nhsAs',
      'nhsApproverURP: System',
      'nhsAsSvcIA: urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1',
      'nhsDateApproved: 20260102090000',
      'nhsDateRequested: 20260101090000',
      'nhsIDCode: X26',
      'nhsMHSPartyKey: X26-850000',
      'nhsProductKey: 1',
      'nhsRequestorURP: System',
      'uniqueIdentifier: 200000100000',
      'registeredFqdn: consumer.example',
      '',
    ].join('\n'),
  )
  assert.match(files['organisations/A2.ldif'] ?? '', /^l: Ynys Môn$/m, 'a name stays a name')
  assert.match(files['services/A20047.ldif'] ?? '', /pds:b\nnhsAsSvcIA: urn:nhs:names:services:pds:a\n/, 'stored order')
  assert.equal(
    Object.values(files).some((text) => /do not tell|nhsPuSecret/i.test(text)),
    false,
  )
  assert.deepEqual(summary(planned(registry, folder, { prune: true })), [])
  assert.deepEqual([...planLines(planned(registry, folder))], ['Nothing differs.'])
})

test('one changed value is one changed line', async (t) => {
  const folder = await filled(t)
  const before = filesOf(folder)
  const moved = handler('S20001A000001', 'A20047', metadata, {
    nhsMHSEndPoint: [`https://gp.example/${'x'.repeat(200)}`],
  })
  await registry.directory.apply([put(moved)], 'tester')
  assert.deepEqual(write(registry, folder), { files: 9, written: 1, removed: 0 })
  const after = filesOf(folder)
  const different = Object.keys(after).filter((path) => after[path] !== before[path])
  assert.deepEqual(different, ['services/A20047.ldif'])
  const [old, now] = [before, after].map((files) => files['services/A20047.ldif']?.split('\n') ?? [])
  assert.equal(old?.length, now?.length)
  assert.equal(now?.filter((line, index) => line !== old?.[index]).length, 1)
})

test('registries that are equal give the same bytes, and a folder gives an equal registry', async (t) => {
  const source = registry
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    fc.constantFrom(
      ' led',
      'trailed ',
      ':colon',
      '<file:///etc/passwd',
      '# hash',
      '\u202eright to left',
      'a\u00a0b',
      'line\nline',
      'Zoë',
    ),
  )
  const value = text.map((each) => each.replaceAll('\0', '')).filter((each) => each.trim() !== '')
  const values = fc.uniqueArray(value, {
    minLength: 1,
    maxLength: 3,
    selector: (each) =>
      each
        .normalize('NFKD')
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, ' ')
        .trim() + each.length,
  })
  const code = fc.constantFrom('A20047', 'A99', 'X26', 'CON', 'B1')
  const entry = fc.oneof(
    fc.tuple(code, values).map(([ods, l]) => [organisation(ods, { nhsAltOrgNames: l })]),
    fc
      .tuple(fc.integer({ min: 0, max: 15 }), code, values)
      .map(([n, ods, description]) => [
        system(String(200_000_000_000 + n), ods, { description }, n % 2 === 0 ? `h${n}.example` : undefined),
      ]),
    fc
      .tuple(fc.integer({ min: 0, max: 15 }), code, value)
      .map(([n, ods, nhsMHSServiceDescription]) => [
        handler(`S${n}`, ods, `fhir:x-${n}`, { nhsMHSServiceDescription: [nhsMHSServiceDescription] }),
      ]),
    fc
      .tuple(fc.integer({ min: 0, max: 4 }), code, value)
      .map(([n, ods, givenName]) => person(String(555_000_000_000 + n * 50), ods, { givenName: [givenName] })),
    fc.tuple(fc.integer({ min: 0, max: 4 }), value).map(([n, description]): DirectoryEntry[] => [
      {
        dn: `cn=list ${n},ou=ReferenceData,o=nhs`,
        attributes: { objectClass: ['top', 'nhsList'], cn: [`list ${n}`], description: [description] },
      },
    ]),
  )
  const agreements = fc.uniqueArray(fc.tuple(code, code), { maxLength: 4, selector: (pair) => pair.join() })
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 25 }), agreements, async (groups, agreed) => {
      for (const each of [source, target]) await apply(planned(each, nothing, { prune: true }))
      // One call each: what comes again replaces an entry in its place.
      const changes = groups.flat().map(put)
      await source.directory.apply(changes, 'tester', { imported: true })
      const agree = agreed.map(([from, to]) => ({ from, to, interaction: agreement.interaction }))
      await source.registration.change({ agree, withdraw: [] }, 'tester')
      const [first, second] = [emptyFolder(t), emptyFolder(t)]
      write(source, first)
      await apply(planned(target, first, { quirks: true }))
      write(target, second)
      assert.deepEqual(filesOf(second), filesOf(first))
      assert.deepEqual(names(target), names(source), 'entries stand in the order that clients saw')
      const [here, there] = [source.directory.tree(), target.directory.tree()]
      for (const dn of here.names()) assert.deepEqual(there.entry(dn), here.entry(dn))
      assert.deepEqual(summary(planned(source, second, { prune: true })), [])
    }),
    { numRuns: 25 },
  )
})

test('a plan tells what a hand edit changes, value by value, with its place', async (t) => {
  const folder = await filled(t)
  edit(folder, 'services/A20047.ldif', (text) =>
    text
      .replace('https://gp.example/A/1', 'https://gp.example/A/2')
      .replace(/(nhsAsSvcIA: .*\n)(nhsAsSvcIA: .*\n)/, '$2$1'),
  )
  edit(folder, 'services/X26.ldif', (text) =>
    text.replace('registeredFqdn: consumer.example', 'registeredFqdn: new.example'),
  )
  edit(folder, 'agreements.jsonl', (text) => text.replace('A20047', 'B82617'))
  writeFileSync(join(folder, 'organisations/B8.ldif'), '')
  const plan = planned(registry, folder, { prune: true })
  assert.deepEqual(
    [...planLines(plan)],
    [
      'A20047',
      '  ~ uniqueIdentifier=200000100001,ou=Services,o=nhs  services/A20047.ldif:3',
      '      nhsAsSvcIA: other order: urn:nhs:names:services:pds:a, urn:nhs:names:services:pds:b',
      '  ~ uniqueIdentifier=S20001A000001,ou=Services,o=nhs  services/A20047.ldif:17',
      '    - nhsMHSEndPoint: https://gp.example/A/1',
      '    + nhsMHSEndPoint: https://gp.example/A/2',
      'X26',
      '  ~ uniqueIdentifier=200000100000,ou=Services,o=nhs  services/X26.ldif:3',
      '    - registeredFqdn: consumer.example',
      '    + registeredFqdn: new.example',
      'agreements',
      '  + X26 → B82617 urn:nhs:names:services:gpconnect:*  agreements.jsonl:1',
      '  - X26 → A20047 urn:nhs:names:services:gpconnect:*',
      '',
      '1 to add, 3 to change, 1 to remove.',
    ],
  )
  await apply(plan)
  assert.deepEqual(summary(planned(registry, folder, { prune: true })), [])
  assert.deepEqual([...(registry.directory.snapshot().accreditedSystem('200000100000')?.fqdns ?? [])], ['new.example'])
})

test('what steers a terminal is shown, not obeyed', async (t) => {
  const folder = await filled(t)
  const hostile = Buffer.from('\u001b[2J\u202egone').toString('base64')
  edit(folder, 'organisations/X2.ldif', (text) => text.replace('l: TOWN', `l:: ${hostile}`))
  const lines = [...planLines(planned(registry, folder))]
  assert.ok(lines.includes('    + l: \\u{1b}[2J\\u{202e}gone'), lines.join('\n'))
})

test('a broken rule in the last entry, or in an agreement, changes nothing at all', async (t) => {
  const folder = await filled(t)
  const before = [names(registry), registry.registration.list()]
  const services = readFileSync(join(folder, 'services/X26.ldif'), 'utf8')
  edit(folder, 'organisations/A2.ldif', (text) => text.replace('Ynys Môn', 'BANGOR'))
  edit(folder, 'agreements.jsonl', (text) => `${text}{"from":"A20047","to":"X26","interaction":"urn:nhs:x"}\n`)
  edit(folder, 'services/X26.ldif', (text) => text + text.slice('version: 1\n'.length).replaceAll('200000100000', '12'))
  await assert.rejects(checkPlan(planned(registry, folder)), {
    code: 'DIRECTORY_ASID',
    outcome: {
      change: 1,
      dn: 'uniqueIdentifier=12,ou=Services,o=nhs',
      attribute: 'uniqueIdentifier',
      file: 'services/X26.ldif',
      line: 28,
      name: 'uniqueIdentifier=12,ou=Services,o=nhs',
    },
    message: 'services/X26.ldif, line 28: uniqueIdentifier=12,ou=Services,o=nhs: 12 is no ASID of 12 digits.',
  })
  // Whoever skips the check is still refused as a whole.
  await assert.rejects(applyPlan({ plan: planned(registry, folder), warnings: [] }, 'tester'), {
    code: 'DIRECTORY_ASID',
  })
  const borne = await checkPlan(planned(registry, folder, { quirks: true }))
  assert.deepEqual(
    borne.warnings.map(({ code, place }) => [code, place?.line]),
    [['DIRECTORY_ASID', 17]],
  )
  writeFileSync(join(folder, 'services/X26.ldif'), services)
  edit(folder, 'agreements.jsonl', (text) => text.replace('urn:nhs:x', 'nonsense'))
  await assert.rejects(checkPlan(planned(registry, folder)), {
    code: 'REGISTRATION_INTERACTION',
    message: /^agreements\.jsonl, line 2: A20047 → X26 nonsense: /,
  })
  assert.deepEqual([names(registry), registry.registration.list()], before)
  assert.deepEqual(registry.directory.tree().entry('uniqueIdentifier=A20047,ou=Organisations,o=nhs')?.attributes['l'], [
    'Ynys Môn',
  ])
})

test('more agreements than may be are refused before anything is written', async (t) => {
  const folder = await filled(t)
  const lines = Array.from({ length: 50 }, (_, n) => JSON.stringify({ ...agreement, from: `A${n}` }))
  writeFileSync(join(folder, 'agreements.jsonl'), lines.join('\n'))
  await assert.rejects(checkPlan(planned(registry, folder)), { code: 'REGISTRATION_FULL' })
})

test('what is cut off between two parts is completed by the next run', async (t) => {
  const folder = await filled(t)
  edit(folder, 'organisations/A2.ldif', (text) => text.replace('Ynys Môn', 'BANGOR'))
  edit(folder, 'agreements.jsonl', (text) => `${text}{"from":"A20047","to":"X26","interaction":"urn:nhs:x"}\n`)
  const cut = planned(registry, folder)
  await applyPlan({ plan: { ...cut, parts: cut.parts.slice(0, 1) }, warnings: [] }, 'tester')
  const again = planned(registry, folder)
  assert.deepEqual(summary(again), ['add A20047 → X26 urn:nhs:x'])
  await apply(again)
  assert.deepEqual(summary(planned(registry, folder, { prune: true })), [])
})

test('a plan is applied to no other state than its own', async (t) => {
  const folder = await filled(t)
  edit(folder, 'organisations/A2.ldif', (text) => text.replace('Ynys Môn', 'BANGOR'))
  const old = planned(registry, folder)
  await registry.directory.apply([put(organisation('B1'))], 'somebody else')
  await assert.rejects(apply(old), { code: 'DIRECTORY_VERSION' })
  const town = () => registry.directory.tree().entry('uniqueIdentifier=A20047,ou=Organisations,o=nhs')?.attributes['l']
  assert.deepEqual(town(), ['Ynys Môn'])

  edit(folder, 'agreements.jsonl', () => '')
  const other = planned(registry, folder, { prune: true })
  await registry.registration.agree({ ...agreement, to: 'B1' }, 'somebody else')
  await assert.rejects(apply(other), { code: 'REGISTRATION_VERSION' })
  assert.equal(registry.registration.list().length, 2)
})

test('what the folder does not hold stays, or is pruned: children first, branches never', async (t) => {
  await filled(t)
  const folder = emptyFolder(t)
  cpSync(nothing, folder, { recursive: true })
  const kept = planned(registry, folder)
  assert.deepEqual([kept.changes.length, kept.staying], [0, 9])
  assert.match([...planLines(kept)].join('\n'), /9 more stand in the registry alone and stay; --prune removes them\./)
  writeFileSync(join(folder, 'tree.ldif'), 'version: 1\n')
  const plan = planned(registry, folder, { prune: true })
  assert.deepEqual(new Set(plan.changes.map(({ kind }) => kind)), new Set(['remove']))
  assert.equal(plan.changes.length, 9)
  await apply(plan)
  assert.equal(names(registry).length, 6)
  assert.equal(registry.registration.list().length, 0)
})

test('changes are made in an order that works', async (t) => {
  const folder = await filled(t)
  // The interaction moves from a changed entry to a new one, a system moves to a new organisation, and the list of the
  // order has a role above its person.
  await registry.directory.apply([put(handler('S9', 'A20047', structured))], 'tester')
  write(registry, folder)
  edit(folder, 'services/A20047.ldif', (text) => {
    const [head = '', ...entries] = text.split('\n\n')
    const moved = entries.map((entry) => entry.replaceAll(metadata, 'fhir:other-1'))
    const added = entries.filter((entry) => /=S2/.test(entry)).map((entry) => entry.replaceAll('S20001A000001', 'S10'))
    return [head, ...moved, ...added].join('\n\n')
  })
  edit(folder, 'services/X26.ldif', (text) => text.replace('nhsIDCode: X26', 'nhsIDCode: C3'))
  edit(folder, 'organisations/X2.ldif', (text) => text + text.slice('version: 1\n'.length).replaceAll('X26', 'C3'))
  edit(
    folder,
    'people/12.ldif',
    (text) => text + text.slice('version: 1\n'.length).replaceAll('000000012', '000000013'),
  )
  edit(
    folder,
    'order.txt',
    (text) => `dn: uniqueIdentifier=755000000013,uniqueIdentifier=8,uid=555000000013,ou=People,o=nhs\n${text}`,
  )
  const plan = planned(registry, folder)
  await apply(plan)
  assert.deepEqual(summary(planned(registry, folder)), [])
  assert.deepEqual(
    names(registry)
      .slice(-5)
      .map((dn) => dn.split(',')[0]),
    [
      'uid=555000000013',
      'uniqueIdentifier=8',
      'uniqueIdentifier=755000000013',
      'uniqueIdentifier=C3',
      'uniqueIdentifier=S10',
    ],
  )
  write(registry, folder)
  edit(folder, 'order.txt', (text) => text.split('\n').reverse().join('\n'))
  const { notes, changes } = planned(registry, folder)
  assert.deepEqual([changes.length, notes.length], [0, 1])
  assert.match(
    notes[0] ?? '',
    /^order\.txt has another order than the registry for entries of .*entries that are there keep their place\.$/,
  )
})

test('secrets stay in the store when an entry is applied again', async (t) => {
  const folder = await filled(t)
  edit(folder, 'people/12.ldif', (text) => text.replace('cn: Ann Other', 'cn: Ann O. Other'))
  await apply(planned(registry, folder))
  const [row] = await registry.query(`select attributes from directory.entry where dn like 'uid=555%'`)
  const attributes = JSON.parse(String(row?.['attributes']))
  assert.deepEqual([attributes.nhsPuSecret, attributes.cn], [['do not tell'], ['Ann O. Other']])
})

test('a folder of another environment is told from ours', async (t) => {
  const folder = await filled(t)
  const plan = planRegistry(folder, 'other', registry.parts, { prune: false, tolerateLiveQuirks: false })
  assert.throws(() => refuseOtherEnvironment(plan), {
    code: 'REGISTRY_ENVIRONMENT',
    outcome: { environment: 'other', from: 'test' },
  })
  assert.throws(() => write(registry, folder, 'other'), {
    code: 'REGISTRY_FOLDER',
    message: /environment test.*another folder/,
  })
})

test('an export touches its own files alone', async (t) => {
  const folder = await filled(t)
  writeFileSync(join(folder, 'README.md'), 'ours')
  writeFileSync(join(folder, 'services/notes.txt'), 'ours')
  writeFileSync(join(folder, 'services/.X26.ldif.1.openspine-new'), 'left by an export that was killed')
  await registry.directory.apply([{ kind: 'delete', dn: 'uniqueIdentifier=200000100000,ou=Services,o=nhs' }], 'tester')
  assert.deepEqual(write(registry, folder), { files: 8, written: 1, removed: 1 })
  assert.deepEqual(readdirSync(join(folder, 'services')), ['A20047.ldif', 'notes.txt'])
  assert.equal(readFileSync(join(folder, 'README.md'), 'utf8'), 'ours')
  const strange = emptyFolder(t)
  writeFileSync(join(strange, 'photo.jpg'), '')
  assert.throws(() => write(registry, strange), { code: 'REGISTRY_FOLDER', message: /photo\.jpg/ })
  assert.deepEqual(readdirSync(strange), ['photo.jpg'])
})
