import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SpineError } from '@openspine/standards/error'
import { z } from 'zod'
import type { FolderReader, RegistryFile } from './part.ts'
import { byCodeUnit, shown } from './text.ts'

/** Largest file that is read. */
export const maxFileBytes = 64 * 1024 * 1024

const headFile = 'registry.json'
const headSchema = z.strictObject({
  format: z.literal('openspine-registry'),
  version: z.literal(1),
  environment: z.string().min(1).max(200),
})

/** What `registry.json` says: nothing that changes while the content stays. */
export type FolderHead = z.infer<typeof headSchema>

/** Bytes that are the same on every machine; additions on two branches to the list of the order go together. */
const gitAttributes = `*.ldif text eol=lf
*.jsonl text eol=lf
registry.json text eol=lf
order.txt text eol=lf merge=union
`

function fault(file: string, explanation: string, cause?: unknown): SpineError<{ readonly file: string }> {
  return new SpineError('REGISTRY_FILE', { file }, { explanation: `${shown(file)}: ${explanation}`, cause })
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Bytes of a regular file; undefined when there is none. A link, a pipe or a file that is too large is refused unread. */
function bytesOf(root: string, path: string): Buffer | undefined {
  let handle: number
  try {
    handle = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (isMissing(error)) return undefined
    const code = (error as NodeJS.ErrnoException).code
    throw fault(
      path,
      code === 'ELOOP' ? 'it is a symbolic link, and none is followed.' : `it cannot be read (${code}).`,
    )
  }
  try {
    const about = fstatSync(handle)
    if (!about.isFile()) throw fault(path, 'it is no regular file.')
    if (about.size > maxFileBytes)
      throw fault(path, `it has ${about.size} bytes, and none over ${maxFileBytes} is read.`)
    return readFileSync(handle)
  } finally {
    closeSync(handle)
  }
}

function textOf(root: string, path: string): string | undefined {
  const bytes = bytesOf(root, path)
  try {
    return bytes === undefined ? undefined : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw fault(path, 'it is not UTF-8.', cause)
  }
}

/** Names in a folder of the folder; none when it is not there. */
function listed(root: string, path: string): Dirent[] {
  const full = join(root, path)
  try {
    if (path !== '' && !lstatSync(full).isDirectory()) throw fault(path, 'it is no folder, and no link is followed.')
    return readdirSync(full, { withFileTypes: true }).sort((a, b) => byCodeUnit(a.name, b.name))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Paths of the files that stand at a place: one name, or `folder/*.ending`. */
function pathsAt(root: string, place: string): string[] {
  const [folder = '', ending] = place.split('/*')
  if (ending === undefined) return [place]
  return listed(root, folder)
    .filter(({ name }) => !name.startsWith('.') && name.endsWith(ending))
    .map(({ name }) => `${folder}/${name}`)
}

/** Reads the files of a registry folder one by one; `progress` hears how many. Follows no link and reads nothing outside of it. */
export function folderReader(root: string, progress: (files: number) => void): FolderReader {
  let read = 0
  const file = (path: string) => {
    const text = textOf(root, path)
    progress(++read)
    return text === undefined ? undefined : { path, text }
  }
  return {
    file,
    *files(place) {
      for (const path of pathsAt(root, place)) {
        const one = file(path)
        if (one !== undefined) yield one
      }
    },
  }
}

/** What `registry.json` of a folder says; undefined when the folder has none. */
export function folderHead(root: string): FolderHead | undefined {
  const text = textOf(root, headFile)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw fault(headFile, 'it is not JSON.', cause)
  }
  const read = headSchema.safeParse(value)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw fault(headFile, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is not understood'}.`)
}

function refuseFolder(folder: string, explanation: string): never {
  throw new SpineError('REGISTRY_FOLDER', { folder }, { explanation: `${shown(folder)} ${explanation}` })
}

/** What the head of a registry folder says; refused when the folder is none. */
export function registryFolder(root: string): FolderHead {
  return (
    folderHead(root) ?? refuseFolder(root, 'holds no registry.json: it is not a folder that `registry export` wrote.')
  )
}

/** Writes one file so that whoever reads sees the old or the new one; says whether it differs from before. */
function writeFile(root: string, { path, text }: RegistryFile): boolean {
  const before = bytesOf(root, path)
  if (before?.equals(Buffer.from(text))) return false
  const full = join(root, path)
  const temporary = join(dirname(full), `.${basename(full)}.${process.pid}${temporaryEnding}`)
  writeFileSync(temporary, text, { flag: 'wx' })
  renameSync(temporary, full)
  return true
}

const temporaryEnding = '.openspine-new'

export interface WrittenFolder {
  readonly files: number
  /** Files that were made or changed. */
  readonly written: number
  /** Files of earlier content that are no more. */
  readonly removed: number
}

/**
 * Makes the folder hold exactly these files at these places, file by file: a reader sees each as it was or as it is,
 * and a run that was cut off is completed by the next. Files at other places stay. Throws `REGISTRY_FOLDER` for a folder
 * that holds files and is no registry folder of this environment.
 */
export function writeFolder(
  root: string,
  about: {
    readonly environment: string
    readonly places: readonly string[]
    readonly files: Iterable<RegistryFile>
    readonly progress: (files: number) => void
  },
): WrittenFolder {
  mkdirSync(root, { recursive: true })
  const head = folderHead(root)
  const strangers = listed(root, '').filter(({ name }) => !name.startsWith('.'))
  if (head === undefined && strangers.length > 0)
    refuseFolder(root, `holds ${shown(strangers[0]?.name ?? '')} and no registry.json: export into an empty folder.`)
  if (head !== undefined && head.environment !== about.environment)
    refuseFolder(
      root,
      `holds the registry of the environment ${shown(head.environment)}, and this is ${about.environment}: export into another folder.`,
    )
  const folders = about.places.filter((place) => place.includes('/*')).map((place) => place.split('/*')[0] ?? '')
  for (const folder of ['', ...folders]) {
    mkdirSync(join(root, folder), { recursive: true })
    for (const { name } of listed(root, folder))
      if (name.startsWith('.') && name.endsWith(temporaryEnding)) rmSync(join(root, folder, name))
  }
  const result = { files: 0, written: 0, removed: 0 }
  const write = (file: RegistryFile) => {
    result.files++
    if (writeFile(root, file)) result.written++
    about.progress(result.files)
  }
  const written: FolderHead = { format: 'openspine-registry', version: 1, environment: about.environment }
  // First, so that a folder whose export was cut off is known as what it is.
  write({ path: headFile, text: `${JSON.stringify(written, undefined, 2)}\n` })
  if (bytesOf(root, '.gitattributes') === undefined) write({ path: '.gitattributes', text: gitAttributes })
  const there = new Set<string>()
  for (const file of about.files) {
    there.add(file.path)
    write(file)
  }
  for (const path of about.places.flatMap((place) => pathsAt(root, place))) {
    if (there.has(path) || bytesOf(root, path) === undefined) continue
    rmSync(join(root, path))
    result.removed++
  }
  return result
}
