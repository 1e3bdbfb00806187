/**
 * Writes `dstu2.generated.ts`, `stu3.generated.ts` and `r4.generated.ts` from the type definitions of
 * `@types/fhir`, which list every element in specification order with its cardinality. Run it after a new
 * version of that package: `node packages/standards/src/fhir/generate.ts`. A test fails while they differ.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { primitiveSuffixes } from './tables.ts'

interface Source {
  readonly file: string
  readonly name: 'dstu2' | 'stu3' | 'r4'
  /** Members that the definitions leave out: the type, the member it follows (`''` = first), the member. */
  readonly omitted: readonly (readonly [type: string, after: string, word: string])[]
  /** Members whose type the definitions leave open, with the right one. */
  readonly corrected: readonly (readonly [type: string, word: string])[]
  /** Types that the definitions leave out. */
  readonly added: readonly (readonly [type: string, text: string])[]
}

/**
 * The DSTU2 definitions lack the elements that the specification defines by reference to one of another
 * parent (`nameReference`). A test checks that those listed here complete them.
 */
const sources: readonly Source[] = [
  {
    file: 'r2.d.ts',
    name: 'dstu2',
    omitted: [
      ['BundleEntry', '', 'link:BundleLink*'],
      ['ConceptMapElementTarget', 'dependsOn', 'product:ConceptMapElementTargetDependsOn*'],
      ['ConformanceRest', 'transactionMode', 'searchParam:ConformanceRestResourceSearchParam*'],
      ['ObservationComponent', 'dataAbsentReason', 'referenceRange:ObservationReferenceRange*'],
      ['OperationDefinitionParameter', 'binding', 'part:OperationDefinitionParameter*'],
      ['ParametersParameter', 'resource', 'part:ParametersParameter*'],
      ['QuestionnaireResponseGroupQuestionAnswer', 'value', 'group:QuestionnaireResponseGroup*'],
      ['TestScriptSetup', '', 'metadata:TestScriptMetadata'],
      ['TestScriptTest', 'description', 'metadata:TestScriptMetadata'],
      ['ValueSetCompose', 'include', 'exclude:ValueSetComposeInclude*'],
      ['ValueSetComposeIncludeConcept', 'display', 'designation:ValueSetCodeSystemConceptDesignation*'],
    ],
    corrected: [
      ['TestScriptTest', 'action:TestScriptSetupAction*+'],
      ['TestScriptTeardown', 'action:TestScriptTeardownAction*+'],
    ],
    added: [['TestScriptTeardownAction', 'BackboneElement operation:TestScriptSetupActionOperation']],
  },
  { file: 'r3.d.ts', name: 'stu3', omitted: [], corrected: [], added: [] },
  { file: 'r4.d.ts', name: 'r4', omitted: [], corrected: [], added: [] },
]

interface Declared {
  readonly name: string
  readonly type: string
  readonly many: boolean
  readonly required: boolean
  readonly comment: string
}

interface Interface {
  readonly name: string
  readonly base: string
  isResource: boolean
  readonly members: Declared[]
}

/** Reads the one regular shape that these files have: interfaces of one-line members with doc comments. */
function readInterfaces(text: string): Interface[] {
  const found: Interface[] = []
  let current: Interface | undefined
  let comment = ''
  for (const line of text.split('\n')) {
    const opening = /^export interface (\w+)(?:<[^>]*>)?(?: extends (\w+))? \{$/.exec(line)
    if (opening !== null) {
      current = { name: opening[1] ?? '', base: opening[2] ?? '', isResource: false, members: [] }
      found.push(current)
      continue
    }
    if (line === '}') {
      current = undefined
      continue
    }
    if (current === undefined) continue
    if (/^ {2}\/\*\*/.test(line)) comment = ''
    if (/^ {2,3}(\/\*\*|\*)/.test(line)) {
      comment += line.trim()
      continue
    }
    const declared = /^ {2}(?:readonly )?(\w+)(\??): (.+);$/.exec(line)
    if (declared === null) throw new Error(`unexpected line in ${current.name}: ${line}`)
    const [, name = '', optional, written = ''] = declared
    // Backbone elements may have an ordinary element of this name (Claim.payee in STU3).
    if (name === 'resourceType' && line.startsWith('  readonly ')) {
      current.isResource = written !== 'string'
      continue
    }
    if (name.startsWith('_')) continue
    let type = written.replace(/ \| undefined$/, '')
    const many = type.endsWith('[]')
    if (many) type = type.slice(0, -2)
    // A reference to one of several types is written `(Reference | Reference)`.
    const union = new Set(type.replace(/^\((?!')(.*)\)$/, '$1').split(' | '))
    if (union.size === 1) type = [...union].join('')
    current.members.push({ name, type: type.replace('<T>', ''), many, required: optional === '', comment })
  }
  return found
}

function code(owner: string, member: Declared): string {
  if (member.type === 'T' || member.type === 'FhirResource') return 'Resource'
  if (owner === 'Narrative' && member.name === 'div') return 'x'
  if ((owner === 'Element' && member.name === 'id') || (owner === 'Extension' && member.name === 'url')) return '@'
  if (member.type === 'string' || member.type.startsWith("('")) return 's'
  if (member.type === 'boolean') return 'b'
  if (member.type === 'number') return 'n'
  if (/^[A-Z]\w*$/.test(member.type)) return member.type
  throw new Error(`unexpected type of ${owner}.${member.name}: ${member.type}`)
}

/** The suffixes with which a name may spell its type as a member of a choice. */
function suffixesOf(owner: string, member: Declared): string[] {
  if (member.many || member.required) return []
  const kind = code(owner, member)
  if (/^[A-Z]/.test(kind)) return member.name.endsWith(kind) ? [kind] : []
  return Object.keys(primitiveSuffixes).filter(
    (suffix) => primitiveSuffixes[suffix] === kind && member.name.endsWith(suffix),
  )
}

/** Neighbours with one comment, one stem and their types as suffixes are the forms of one choice. */
function choiceFrom(owner: string, members: readonly Declared[], at: number): { stem: string; forms: string[] } {
  const first = members[at]
  if (first === undefined) return { stem: '', forms: [] }
  let best = { stem: '', forms: [] as string[] }
  for (const firstSuffix of suffixesOf(owner, first)) {
    const stem = first.name.slice(0, -firstSuffix.length)
    if (stem === '') continue
    const forms: string[] = []
    for (const member of members.slice(at)) {
      const suffix = suffixesOf(owner, member).find((one) => stem + one === member.name)
      if (suffix === undefined || member.comment !== first.comment) break
      forms.push(suffix)
    }
    if (forms.length > best.forms.length) best = { stem, forms }
  }
  return best
}

function wordsOf(owner: Interface): string[] {
  const words: string[] = []
  for (let at = 0; at < owner.members.length; ) {
    const choice = choiceFrom(owner.name, owner.members, at)
    if (choice.forms.length > 1) {
      words.push(`${choice.stem}[x]:${choice.forms.join(',')}`)
      at += choice.forms.length
      continue
    }
    const member = owner.members[at++]
    if (member === undefined) break
    words.push(`${member.name}:${code(owner.name, member)}${member.many ? '*' : ''}${member.required ? '+' : ''}`)
  }
  return words
}

function generate(text: string, source: Source): string {
  const version = /^\/\/ Contents of: \S+ version: (\S+)$/m.exec(text)?.[1]
  if (version === undefined) throw new Error(`${source.file} does not name its version`)
  const interfaces = readInterfaces(text).sort((a, b) => (a.name < b.name ? -1 : 1))
  const lines = interfaces.map((one) => {
    const words = wordsOf(one)
    for (const [type, word] of source.corrected) {
      if (type !== one.name) continue
      const at = words.findIndex((known) => known.startsWith(word.slice(0, word.indexOf(':') + 1)))
      if (at === -1) throw new Error(`${type} has no member to correct with ${word}`)
      words[at] = word
    }
    for (const [type, after, word] of source.omitted) {
      if (type !== one.name) continue
      const name = word.slice(0, word.indexOf(':'))
      if (words.some((known) => known.startsWith(`${name}:`))) throw new Error(`${type}.${name} is no longer omitted`)
      const at = words.findIndex((known) => known.startsWith(`${after}:`) || known.startsWith(`${after}[x]:`))
      if (at === -1 && after !== '') throw new Error(`${type} has no member ${after}`)
      words.splice(at + 1, 0, word)
    }
    return `    ${one.name}: '${[one.base + (one.isResource ? '!' : ''), ...words].join(' ')}',`
  })
  for (const [type, text] of source.added) lines.push(`    ${type}: '${text}',`)
  return `// Written by generate.ts from ${source.file} of @types/fhir. Do not edit: change the generator and run it.
import type { FhirTables } from './tables.ts'

export const ${source.name}Tables: FhirTables = {
  version: '${version}',
  types: {
${lines.join('\n')}
  },
}
`
}

/** The three generated files, by name, from the installed `@types/fhir`. */
export function generateAll(): { readonly name: string; readonly text: string }[] {
  const folder = createRequire(import.meta.url)
    .resolve('@types/fhir/package.json')
    .replace(/package\.json$/, '')
  return sources.map((source) => ({
    name: `${source.name}.generated.ts`,
    text: generate(readFileSync(folder + source.file, 'utf8'), source),
  }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of generateAll()) writeFileSync(new URL(file.name, import.meta.url), file.text)
}
