import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { checkArchitecture } from './architecture.ts'

const manifest = (name: string, dependencies: string[], exported: string[] = []) =>
  JSON.stringify({
    name,
    exports: Object.fromEntries(exported.map((path) => [path, './x'])),
    dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '1'])),
  })

const house: Record<string, string> = {
  'package.json': manifest('root', []),
  'packages/standards/package.json': manifest('@openspine/standards', ['saxes'], ['./nhs']),
  'packages/standards/src/nhs.ts': "import { SaxesParser } from 'saxes'\nexport const a = SaxesParser\n",
  'packages/platform/package.json': manifest('@openspine/platform', ['@openspine/standards', 'kysely'], ['./store']),
  'packages/platform/src/store.ts':
    "import { a } from '@openspine/standards/nhs'\nimport { sql } from 'kysely'\nexport const b = [a, sql]\n",
  'packages/services/package.json': manifest(
    '@openspine/services',
    ['@openspine/platform', '@openspine/standards', 'kysely'],
    ['./one'],
  ),
  'packages/services/src/one/contract.ts': 'export interface One { a: 1 }\n',
  'packages/services/src/one/store.ts': "import { sql } from 'kysely'\nexport const d = sql\n",
  'packages/services/src/one/service.ts':
    "import type { Two } from '../two/contract.ts'\nimport { d } from './store.ts'\nexport const e: Two = d\n",
  'packages/services/src/two/contract.ts': "import type { One } from '../one/contract.ts'\nexport type Two = One\n",
}

function check(planted: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'openspine-house-'))
  try {
    for (const [file, text] of Object.entries({ ...house, ...planted })) {
      mkdirSync(dirname(join(root, file)), { recursive: true })
      writeFileSync(join(root, file), text)
    }
    return checkArchitecture(root)
  } finally {
    rmSync(root, { recursive: true })
  }
}

describe('architecture', () => {
  it('is content with a house in order, and has read it', () => {
    assert.deepEqual(check(), { files: 6, imports: 7, violations: [] })
  })

  const planted: [string, Record<string, string>, RegExp][] = [
    [
      'an upward import',
      { 'packages/platform/src/up.ts': "import { e } from '@openspine/services/one'\n" },
      /packages\/platform may not import packages\/services/,
    ],
    [
      'an undeclared workspace import',
      {
        'packages/client/package.json': manifest('@openspine/client', []),
        'packages/client/src/c.ts': "import { a } from '@openspine/standards/nhs'\n",
      },
      /@openspine\/standards is not declared/,
    ],
    [
      'an undeclared library',
      { 'packages/standards/src/x.ts': "export * from 'left-pad'\n" },
      /left-pad is not declared/,
    ],
    [
      'a cycle',
      { 'packages/standards/src/p.ts': "import './q.ts'\n", 'packages/standards/src/q.ts': "import './p.ts'\n" },
      /^cycle: /,
    ],
    [
      'a deep import into another service',
      { 'packages/services/src/two/t.ts': "import { d } from '../one/store.ts'\n" },
      /service two may import service one only through its contract/,
    ],
    [
      'a deep import into a package',
      { 'packages/platform/src/deep.ts': 'const a = await imp' + "ort('@openspine/standards/src/nhs.ts')\n" },
      /does not export/,
    ],
    [
      'a relative import out of a package',
      { 'packages/platform/src/out.ts': "import { a } from '../../standards/src/nhs.ts'\n" },
      /must not leave its package/,
    ],
    [
      'SQL outside store.ts',
      { 'packages/services/src/one/rule.ts': "import { sql } from 'kysely'\n" },
      /SQL stands only in store\.ts/,
    ],
    [
      'input and output in standards',
      { 'packages/standards/src/io.ts': "import { connect } from 'node:net'\n" },
      /standards are pure/,
    ],
  ]
  for (const [what, files, complaint] of planted) {
    it(`refuses ${what}`, () => {
      const { violations } = check(files)
      assert.equal(violations.length, 1, violations.join('\n'))
      assert.match(violations[0] ?? '', complaint)
    })
  }
})
