/** The resources of FHIR sources: bundles, single resources and NDJSON, in JSON or XML, with the references between them. */

import { isSpineError } from '@openspine/standards/error'
import type { FhirVersion } from '@openspine/standards/fhir'
import { type AnyResource, loadCodec, parseJson } from '@openspine/standards/fhir'
import type { Place, Population, PopulationSource } from '../population.ts'
import { type Fields, fields, isFields, list, textOf } from './elements.ts'

/** One resource, and where it stands. */
export interface Held {
  readonly type: string
  /** Its id; of a bundle entry without one, the last part of its URL. */
  readonly id: string | undefined
  readonly resource: Fields
  readonly place: Place
}

export interface Resources {
  /** In document order; contained ones only where a List has them: resolved allergies stand there alone. */
  readonly all: readonly Held[]
  /** What a reference of that resource points at. */
  follow(reference: unknown, from: Held): Held | undefined
}

/** Text of one source: what is longer is refused instead of read into memory. */
const longest = 512 * 1024 * 1024

export async function readResources(sources: readonly PopulationSource[], population: Population): Promise<Resources> {
  const all: Held[] = []
  const byKey = new Map<string, Held>()
  const contained = new Map<object, Map<string, Held>>()
  const index = (key: string, held: Held) => {
    if (!byKey.has(key)) byKey.set(key, held)
  }
  const hold = (resource: Fields, place: Place, fullUrl?: string) => {
    const type = textOf(resource['resourceType']) ?? ''
    const given = textOf(resource['id']) ?? fullUrl?.split(/[/:]/).at(-1)
    const id = given !== undefined && /^[A-Za-z0-9\-.]{1,64}$/.test(given) ? given : undefined
    const held: Held = { type, id, resource, place }
    all.push(held)
    for (const scope of [`${place.source}\n`, '']) {
      if (id !== undefined) index(`${scope}${type}/${id}`, held)
      if (fullUrl !== undefined) index(`${scope}${fullUrl}`, held)
      for (const each of named.has(type) ? identifiersOf(resource) : [])
        index(`${scope}${type}?identifier=${each}`, held)
    }
    const inside = list(resource['contained']).map((one, i): Held => {
      const id = textOf(one['id'])?.replace(/^#/, '')
      const where = { ...place, path: `${place.path ?? type}.contained[${i}]` }
      return { type: textOf(one['resourceType']) ?? '', id, resource: one, place: where }
    })
    if (inside.length === 0) return
    contained.set(resource, new Map(inside.map((one) => [one.id ?? '', one])))
    if (type === 'List') all.push(...inside)
  }
  const unpack = (resource: unknown, place: Place, path: string, fullUrl?: string): void => {
    if (Array.isArray(resource)) {
      for (const [i, one] of resource.entries()) unpack(one, place, `${path}[${i}]`)
      return
    }
    if (!isFields(resource) || textOf(resource['resourceType']) === undefined) {
      population.fault({ ...place, path }, 'is no FHIR resource')
      return
    }
    if (resource['resourceType'] !== 'Bundle') {
      hold(resource, { ...place, path }, fullUrl)
      return
    }
    const entries = resource['entry'] ?? []
    if (!Array.isArray(entries)) {
      population.fault({ ...place, path: `${path}.entry` }, 'is no list')
      return
    }
    for (const [i, entry] of entries.entries()) {
      const { resource: inner, request } = fields(entry)
      const where = { ...place, path: `${path}.entry[${i}]` }
      if (inner === undefined && isFields(request))
        population.leaveOut('Bundle.entry (request alone)', where, 'asks for something, and has no resource')
      else if (inner === undefined) population.fault(where, 'has no resource')
      else unpack(inner, place, `${path}.entry[${i}].resource`, textOf(fields(entry)['fullUrl']))
    }
  }
  for (const source of sources)
    for await (const { resource, place } of documentsOf(source, population))
      unpack(resource, place, textOf(fields(resource)['resourceType']) ?? 'document')
  return {
    all,
    follow(reference, { resource, place }) {
      const keys = keysOf(fields(reference))
      const [target] = keys
      if (target?.startsWith('#')) return contained.get(resource)?.get(target.slice(1))
      for (const scope of [`${place.source}\n`, ''])
        for (const key of keys) {
          const found = byKey.get(`${scope}${key}`)
          if (found !== undefined) return found
        }
      return undefined
    },
  }
}

/** Whom references name by identifier. */
const named = new Set(['Patient', 'Organization', 'Practitioner', 'PractitionerRole', 'Location'])

/** `system|value` of each identifier. */
const identifiersOf = (resource: Fields): readonly string[] =>
  list(resource['identifier']).flatMap(({ system, value }) => {
    const [one, other] = [textOf(system), textOf(value)]
    return one === undefined || other === undefined ? [] : [`${one}|${other}`]
  })

/**
 * Under which a reference's target may stand: the reference as it is, conditional ones of transactions too
 * (`Organization?identifier=system|value`), its end of type and id, and what it says by identifier alone.
 */
function keysOf(reference: Fields): readonly string[] {
  const target = textOf(reference['reference'])
  if (target === undefined) {
    const type = textOf(reference['type'])
    return type === undefined ? [] : identifiersOf(reference).map((each) => `${type}?identifier=${each}`)
  }
  const relative = /([A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/.+)?$/.exec(target)?.[1]
  return [target, ...(relative === undefined ? [] : [relative])]
}

/** The JSON or XML documents of a source: one, or one a line. */
async function* documentsOf(
  source: PopulationSource,
  population: Population,
): AsyncGenerator<{ readonly resource: unknown; readonly place: Place }> {
  let text = ''
  let length = 0
  const pieces: string[] = []
  for await (const piece of source.text()) {
    length += piece.length
    if (length > longest) return population.fault({ source: source.name }, `is longer than ${longest} characters`)
    pieces.push(piece)
  }
  text = pieces.join('').replace(/^\ufeff/, '')
  const whole = { source: source.name }
  if (text.trim() === '') return population.fault(whole, 'the file is empty')
  if (text.trimStart().startsWith('<')) {
    const resource = await xmlDocument(text, whole, population)
    if (resource !== undefined) yield { resource, place: whole }
    return
  }
  if (!isLines(text)) {
    const resource = jsonDocument(text, whole, population)
    if (resource !== undefined) yield { resource, place: whole }
    return
  }
  let line = 0
  for (const one of text.split('\n')) {
    line++
    if (one.trim() === '') continue
    const place = { ...whole, line }
    const resource = jsonDocument(one, place, population)
    if (resource !== undefined) yield { resource, place }
  }
}

/** NDJSON: the first line is a whole document, and there are more. */
function isLines(text: string): boolean {
  const end = text.indexOf('\n')
  if (end < 0 || text.slice(end).trim() === '' || !text.slice(0, end).trimEnd().endsWith('}')) return false
  try {
    JSON.parse(text.slice(0, end))
    return true
  } catch {
    return false
  }
}

function jsonDocument(text: string, place: Place, population: Population): unknown {
  try {
    return parseJson(text, { bytes: longest })
  } catch (error) {
    return unreadable(error, place, population)
  }
}

async function xmlDocument(text: string, place: Place, population: Population): Promise<AnyResource | undefined> {
  // What names a version is believed first; otherwise the version is that which has all the elements.
  const hinted: readonly FhirVersion[] = /\/STU3\//.test(text)
    ? ['stu3', 'r4', 'dstu2']
    : /fhir\.nhs\.net|\/DSTU2\//.test(text)
      ? ['dstu2', 'stu3', 'r4']
      : ['stu3', 'r4', 'dstu2']
  let first: unknown
  for (const version of hinted) {
    const codec = await loadCodec(version)
    try {
      return codec.fromXml(text, { bytes: longest, nodes: 50_000_000 })
    } catch (error) {
      first ??= error
    }
  }
  return unreadable(first, place, population)
}

/** Only our own sentences are passed on: they name places and no values. */
function unreadable(error: unknown, place: Place, population: Population): undefined {
  if (!isSpineError(error)) throw error
  population.fault(place, error.message.replace(/\.$/, ''))
  return undefined
}
