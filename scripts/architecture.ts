import { existsSync, globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize } from 'node:path'

/** Who may import whom: the floors of docs/architecture.md. A workspace that is missing here may import nothing of ours. */
const floors: Readonly<Record<string, readonly string[]>> = {
  'packages/standards': [],
  'packages/client': ['packages/standards'],
  'packages/platform': ['packages/standards'],
  'packages/services': ['packages/standards', 'packages/platform'],
  'packages/practice': ['packages/standards', 'packages/platform'],
  'packages/adaptor': ['packages/standards', 'packages/platform', 'packages/client'],
  'packages/hub': ['packages/standards', 'packages/platform', 'packages/client', 'packages/services'],
  'packages/openspine': [
    'packages/standards',
    'packages/client',
    'packages/platform',
    'packages/services',
    'packages/practice',
    'packages/adaptor',
    'packages/hub',
  ],
}
const top = ['conformance', 'bench', 'examples', 'scripts']

interface Import {
  readonly from: string
  readonly specifier: string
  readonly typeOnly: boolean
}

interface Workspace {
  readonly folder: string
  readonly name: string
  readonly exports: ReadonlySet<string>
  readonly dependencies: ReadonlySet<string>
  readonly devDependencies: ReadonlySet<string>
}

export interface ArchitectureReport {
  readonly files: number
  readonly imports: number
  readonly violations: readonly string[]
}

const importPattern =
  /^[ \t]*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/gm

/** Reads every import below `root` and names each one that the architecture forbids. */
export function checkArchitecture(root: string): ArchitectureReport {
  const workspaces = globSync(
    ['packages/*/package.json', 'conformance/package.json', 'bench/package.json', 'examples/*/package.json'],
    {
      cwd: root,
    },
  ).map((file) => readWorkspace(root, dirname(file)))
  const rootWorkspace = readWorkspace(root, '')
  const byName = new Map(workspaces.map((workspace) => [workspace.name, workspace]))
  const files = globSync(['packages/*/{src,bin}/**/*.{ts,mjs}', ...top.map((folder) => `${folder}/**/*.ts`)], {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  }).sort()
  const violations: string[] = []
  const graph = new Map<string, string[]>()
  let imports = 0

  for (const file of files) {
    const home = workspaces.find(({ folder }) => file.startsWith(`${folder}/`)) ?? rootWorkspace
    const edges: string[] = []
    graph.set(file, edges)
    for (const { specifier, typeOnly } of importsOf(file, readFileSync(join(root, file), 'utf8'))) {
      imports++
      const refuse = (why: string) => violations.push(`${file}: '${specifier}': ${why}`)
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(file), specifier))
        if (!existsSync(join(root, target))) refuse('there is no such file')
        else if (home.folder !== '' && !target.startsWith(`${home.folder}/`))
          refuse('a relative import must not leave its package')
        else if (home.folder === '' && target.startsWith('packages/')) refuse('import a package by its name')
        else checkService(file, target, refuse)
        if (!typeOnly) edges.push(target)
        continue
      }
      if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
        if (
          home.folder === 'packages/standards' &&
          /^node:(net|tls|http|https|fs|dgram|child_process|worker_threads)\b/.test(specifier) &&
          !isTest(file) &&
          !isGenerator(file)
        )
          refuse('standards are pure: no input or output')
        continue
      }
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
      const declared =
        home.dependencies.has(name) ||
        ((isTest(file) || isGenerator(file) || home.folder === '') && home.devDependencies.has(name))
      const target = byName.get(name)
      if (target && target !== home && !allows(home.folder, target.folder))
        refuse(`${home.folder} may not import ${target.folder}`)
      else if (!declared && target !== home) refuse(`${name} is not declared in ${join(home.folder, 'package.json')}`)
      else if (target) {
        const subPath = `.${specifier.slice(name.length)}`
        if (!target.exports.has(subPath)) refuse(`${name} does not export ${subPath}`)
        const service = /^\.\/([^/]+)/.exec(subPath)?.[1]
        if (target.folder === 'packages/services' && home.folder === target.folder && service)
          refuse('within a package import by relative path')
      }
      if (
        name === 'kysely' &&
        !typeOnly &&
        /^packages\/(services|practice)\//.test(file) &&
        !/\/(store|migrations)(\.store)?(\.test)?\.ts$/.test(file) &&
        !isTest(file)
      )
        refuse('SQL stands only in store.ts and migrations.ts')
    }
  }
  violations.push(...cycles(graph))
  return { files: files.length, imports, violations }
}

function readWorkspace(root: string, folder: string): Workspace {
  const content = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    name: string
    exports?: Record<string, unknown>
    dependencies?: Record<string, string>
    devDependencies?: Record<string, string>
  }
  return {
    folder,
    name: content.name,
    exports: new Set(Object.keys(content.exports ?? {})),
    dependencies: new Set(Object.keys(content.dependencies ?? {})),
    devDependencies: new Set(Object.keys(content.devDependencies ?? {})),
  }
}

function importsOf(from: string, text: string): Import[] {
  return [...text.matchAll(importPattern)].map((match) => ({
    from,
    specifier: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }))
}

const isTest = (file: string) => /\.test(-kit)?\.ts$|\/testing(\/|\.ts$)|\/fixtures\//.test(file)
const isGenerator = (file: string) => /\/generate\.ts$/.test(file)

function allows(from: string, to: string): boolean {
  return (
    top.some((folder) => from === folder || from.startsWith(`${folder}/`)) ||
    from === '' ||
    (floors[from]?.includes(to) ?? false)
  )
}

/** A service reaches another only through its contract; a test may start the other, to see what really becomes of its calls. */
function checkService(file: string, target: string, refuse: (why: string) => void): void {
  const service = (path: string) => /^packages\/services\/src\/([^/]+)\//.exec(path)?.[1]
  const [mine, theirs] = [service(file), service(target)]
  const open = isTest(file) ? ['contract', 'service', 'testing'] : ['contract']
  if (mine && theirs && mine !== theirs && !open.some((name) => target.endsWith(`/${theirs}/${name}.ts`)))
    refuse(`service ${mine} may import service ${theirs} only through its contract.ts`)
}

/** Every cycle of imports that remain at run time, once, as a path (Tarjan's strongly connected components). */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const order = new Map<string, { index: number; low: number; open: boolean }>()
  const stack: string[] = []
  const found: string[] = []
  const visit = (file: string) => {
    const mark = { index: order.size, low: order.size, open: true }
    order.set(file, mark)
    stack.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue
      const seen = order.get(next)
      if (!seen) mark.low = Math.min(mark.low, visit(next).low)
      else if (seen.open) mark.low = Math.min(mark.low, seen.index)
    }
    if (mark.low === mark.index) {
      const component = stack.splice(stack.indexOf(file))
      for (const member of component) (order.get(member) as typeof mark).open = false
      if (component.length > 1 || graph.get(file)?.includes(file))
        found.push(`cycle: ${component.join(' → ')} → ${component[0]}`)
    }
    return mark
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return found
}
