import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const pages = globSync(['README.md', 'docs/**/*.md', 'packages/*/README.md', 'packages/*/src/**/README.md']).sort()

interface Block {
  readonly page: string
  /** Line of the page on which the code begins. */
  readonly line: number
  readonly code: string
}

function typeScript(page: string): Block[] {
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match[1] ?? '',
  }))
}

const blocks = pages.flatMap(typeScript)

/** Names that a page's code takes from the sentence before it, page by page. */
const given: Readonly<Record<string, string>> = {
  'packages/practice/README.md': "declare const platform: import('@openspine/platform/service').Platform\n",
}

/** Runs work in a folder from which the packages resolve (Node strips no types below node_modules), each block a module of its own. */
async function withFiles(work: (folder: string, files: ReadonlyMap<string, Block>) => Promise<void>) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'openspine-docs-')))
  try {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const files = new Map<string, Block>()
    for (const [index, block] of blocks.entries()) {
      const file = join(folder, `block-${index}.ts`)
      writeFileSync(file, `${given[block.page] ?? ''}${block.code}\nexport {}\n`)
      files.set(file, block)
    }
    await work(folder, files)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('the TypeScript in the pages', () => {
  it('is there', () => assert.ok(blocks.length >= 8, `${blocks.length} blocks in ${pages.length} pages`))

  it('passes the type checker', () =>
    withFiles(async (folder, files) => {
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({
          extends: resolve('tsconfig.json'),
          compilerOptions: {
            noUnusedLocals: false,
            noPropertyAccessFromIndexSignature: false,
            typeRoots: [resolve('node_modules/@types')],
          },
          include: ['block-*.ts'],
        }),
      )
      writeFileSync(join(folder, 'block-planted.ts'), "export const wrong: number = 'text'\n")
      const said = await promisify(execFile)(resolve('node_modules/.bin/tsc'), ['-p', folder]).then(
        ({ stdout }) => stdout,
        (error: { stdout?: string }) => error.stdout ?? String(error),
      )
      const lines = said.split('\n').filter((line) => line.includes('block-'))
      assert.ok(
        lines.some((line) => line.includes('block-planted')),
        `the planted fault was not found: ${said}`,
      )
      const faults = lines
        .filter((line) => !line.includes('block-planted'))
        .map((line) => {
          const block = files.get(join(folder, /block-\d+\.ts/.exec(line)?.[0] ?? ''))
          return `${block?.page}, block at line ${block?.line}: ${line}`
        })
      assert.deepEqual(faults, [], said)
    }))

  it('of the guide to tests and of the package openspine runs', () =>
    withFiles(async (folder, files) => {
      const runs = [...files].filter(([, { page }]) =>
        ['docs/guides/embed-in-tests.md', 'packages/openspine/README.md'].includes(page),
      )
      assert.ok(runs.length >= 5, `${runs.length} blocks`)
      const one = runs.map(
        ([file, { page, line }]) =>
          `console.error(${JSON.stringify(`${page}, block at line ${line}`)})\nawait import(${JSON.stringify(`./${basename(file)}`)})\n`,
      )
      writeFileSync(join(folder, 'run.ts'), one.join(''))
      // In one process: five starts of the house without five starts of Node.
      await promisify(execFile)(process.execPath, ['--conditions=source', 'run.ts'], { cwd: folder, timeout: 240_000 })
    }))
})

describe('the links in the pages', () => {
  it('lead to files that there are', () => {
    const broken = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].flatMap(([, target = '']) =>
        existsSync(join(dirname(page), target)) ? [] : [`${page} → ${target}`],
      ),
    )
    assert.deepEqual(broken, [])
  })

  it('lead to headings that there are', () => {
    const anchors = (page: string) =>
      new Set(
        [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
            .replaceAll(' ', '-'),
        ),
      )
    const broken = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s:]*\.md)?#([^)\s]+)\)/g)].flatMap(([, file, anchor = '']) => {
        const target = file === undefined ? page : join(dirname(page), file)
        return existsSync(target) && anchors(target).has(anchor) ? [] : [`${page} → ${file ?? ''}#${anchor}`]
      }),
    )
    assert.deepEqual(broken, [])
  })
})
