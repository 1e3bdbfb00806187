import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { maxFileBytes } from './folder.ts'
import { exportRegistry, planRegistry } from './registry.ts'
import { emptyFolder, filesOf, openRegistry, organisation, put, system } from './testing.ts'

const head = 'version: 1\n\n'
const dn = 'dn: uniqueIdentifier=X26,ou=Organisations,o=nhs\n'

/** What stands in a file of the folder → the refusal, its file and line. */
const texts: readonly (readonly [path: string, text: string | Buffer, code: string, message: RegExp])[] = [
  ['services/X26.ldif', `${head}${dn}nonsense\n`, 'LDIF_SYNTAX', /^services\/X26\.ldif, line 4: /],
  [
    'services/X26.ldif',
    `${head}${dn}o:< file:///etc/passwd\n`,
    'LDIF_SYNTAX',
    /^services\/X26\.ldif, line 4: .*URLs are not read/,
  ],
  ['people/00.ldif', `${head}${dn}o:: !\n`, 'LDIF_SYNTAX', /^people\/00\.ldif, line 4: .*base64/],
  [
    'tree.ldif',
    `${head}${dn}changetype: delete\n`,
    'REGISTRY_RECORD',
    /^tree\.ldif, line 3: uniqueIdentifier=X26.*changetype delete/,
  ],
  ['tree.ldif', `${head}dn: X26\n`, 'DIRECTORY_NAME', /^tree\.ldif, line 3: X26: /],
  [
    'workgroups.ldif',
    `${head}${dn.replace('X26', 'X1')}\n${dn.replace('X26', 'x1')}`,
    'REGISTRY_TWICE',
    /^workgroups\.ldif, line 5: .*workgroups\.ldif, line 3 already/,
  ],
  [
    'people/00.ldif',
    `${head}dn: uid=1,ou=People,o=nhs\nNHSPUSECRET: x\n`,
    'REGISTRY_SECRET',
    /^people\/00\.ldif, line 3: .*nhsPuSecret/,
  ],
  ['services/X26.ldif', `${head}${dn}registeredFqdn: a\nregisteredFqdn: b\n`, 'REGISTRY_RECORD', /line 3: .*twice/],
  [
    'services/X26.ldif',
    Buffer.from([0x64, 0x6e, 0xff, 0xfe]),
    'REGISTRY_FILE',
    /^services\/X26\.ldif: it is not UTF-8/,
  ],
  ['order.txt', 'dn: o=nhs\nwhatever\n', 'REGISTRY_RECORD', /^order\.txt, line 2: /],
  ['agreements.jsonl', '\n{"from":"X26","to":"A1"}\n', 'REGISTRY_RECORD', /^agreements\.jsonl, line 2: /],
  ['agreements.jsonl', '{"from":"X26","to":"A1","interaction":"urn:nhs:x","more":1}\n', 'REGISTRY_RECORD', /line 1: /],
  [
    'agreements.jsonl',
    '{"from":"a","to":"b","interaction":"urn:nhs:x"}\n{"to":"b ","from":"a","interaction":"urn:nhs:x"}\n',
    'REGISTRY_TWICE',
    /line 2: .*line 1\./,
  ],
  [
    'registry.json',
    '{"format":"openspine-registry","version":2,"environment":"test"}',
    'REGISTRY_FILE',
    /^registry\.json: version: /,
  ],
  ['registry.json', '[', 'REGISTRY_FILE', /^registry\.json: it is not JSON/],
]

test('what cannot be read is refused with its place, and nothing outside of the folder is read', async (t) => {
  const registry = await openRegistry()
  t.after(() => registry.close())
  await registry.directory.apply([put(organisation('X26')), put(system('200000100000', 'X26'))], 'tester')
  const folder = emptyFolder(t)
  const outside = emptyFolder(t)
  const path = (name: string) => join(folder, name)
  const refused = (code: string, message: RegExp) =>
    assert.throws(() => planRegistry(folder, 'test', registry.parts, { prune: true, tolerateLiveQuirks: true }), {
      code,
      message,
    })
  const renew = () => {
    rmSync(folder, { recursive: true, force: true })
    exportRegistry(folder, 'test', registry.parts)
  }

  for (const [name, text, code, message] of texts) {
    renew()
    writeFileSync(path(name), text)
    refused(code, message)
  }

  renew()
  renameSync(path('services/X26.ldif'), join(outside, 'X26.ldif'))
  symlinkSync(join(outside, 'X26.ldif'), path('services/X26.ldif'))
  refused('REGISTRY_FILE', /^services\/X26\.ldif: .*symbolic link/)
  assert.throws(() => exportRegistry(folder, 'test', registry.parts), { code: 'REGISTRY_FILE' })

  renew()
  const before = filesOf(outside)
  rmSync(path('services'), { recursive: true })
  symlinkSync(outside, path('services'))
  refused('REGISTRY_FILE', /^services: .*no link is followed/)
  assert.throws(() => exportRegistry(folder, 'test', registry.parts), { code: 'REGISTRY_FILE' })
  assert.deepEqual(filesOf(outside), before)

  renew()
  writeFileSync(path('people/00.ldif'), '')
  truncateSync(path('people/00.ldif'), maxFileBytes + 1)
  refused('REGISTRY_FILE', /^people\/00\.ldif: it has \d+ bytes/)

  renew()
  execFileSync('mkfifo', [path('people/00.ldif')])
  refused('REGISTRY_FILE', /^people\/00\.ldif: it is no regular file/)

  rmSync(folder, { recursive: true })
  refused('REGISTRY_FOLDER', /registry\.json/)
})
