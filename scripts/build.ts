/** `npm run build`: JavaScript and declarations of every package into its `dist`, as it is published. */
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Lower floors first: each is compiled against the declarations of those below it. */
const packages = ['standards', 'client', 'platform', 'services', 'practice', 'openspine']
const cache = resolve('node_modules/.cache/openspine')
mkdirSync(cache, { recursive: true })

for (const name of packages) {
  const folder = resolve('packages', name)
  const config = join(cache, `tsconfig.${name}.json`)
  rmSync(join(folder, 'dist'), { recursive: true, force: true })
  writeFileSync(
    config,
    JSON.stringify({
      extends: resolve('tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        rewriteRelativeImportExtensions: true,
        customConditions: [],
        typeRoots: [resolve('node_modules/@types')],
        rootDir: join(folder, 'src'),
        outDir: join(folder, 'dist'),
      },
      include: [join(folder, 'src')],
      exclude: ['src/**/*.test.ts', 'src/**/*.test-kit.ts'].map((pattern) => join(folder, pattern)),
    }),
  )
  execFileSync(resolve('node_modules/.bin/tsc'), ['-p', config], { stdio: 'inherit' })
  // What the code reads at run time beside it: templates of the store, texts.
  for (const file of globSync('src/**/*', { cwd: folder, withFileTypes: true })) {
    if (!file.isFile() || /\.(ts|md)$/.test(file.name)) continue
    const from = join(file.parentPath, file.name)
    const to = from.replace(join(folder, 'src'), join(folder, 'dist'))
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to)
  }
  process.stdout.write(`${name} built\n`)
}
