import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileFilter, evaluate } from './compile.ts'
import type { Filter } from './filter.ts'
import { filterText, parseFilter } from './filter-text.ts'
import { type MemoryTree, memoryTree } from './memory-tree.ts'
import type { Scope } from './message.ts'
import { spineSchema } from './schema.ts'

const schema = spineSchema()
const indexed = ['uniqueIdentifier', 'nhsIDCode', 'nhsMHSPartyKey', 'nhsAsSvcIA']
const provenance = {
  uuid: '00000000-0000-4000-8000-000000000001',
  createdAt: Date.UTC(2026, 0, 1),
  modifiedAt: Date.UTC(2026, 0, 2),
  creator: 'cn=a',
  modifier: 'cn=b',
}

/** The same tree as plain data: what the indexes must agree with. */
interface Model {
  readonly dn: string
  readonly key: string
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

const letters = ['A', 'B', 'C', 'b']
const names = [
  'o=nhs',
  'ou=Services,o=nhs',
  'ou=People,o=nhs',
  ...[1, 2, 3, 4, 5, 6].map((n) => `uid=${n},ou=People,o=nhs`),
  ...[1, 2].map((n) => `cn=x\\,y${n},uid=1,ou=People,o=nhs`),
  ...[7, 8, 9].map((n) => `uniqueIdentifier=${n},ou=Services,o=nhs`),
]

const attributes = fc.record(
  {
    objectClass: fc.constantFrom<string[]>(['top', 'nhsAs'], ['nhsPerson'], ['top', 'nhsMhs']),
    nhsIDCode: fc.subarray(letters, { minLength: 1 }),
    nhsMHSPartyKey: fc.subarray(letters, { minLength: 1 }),
    nhsAsSvcIA: fc.subarray(letters, { minLength: 1 }),
    nhsMHSRetries: fc.constantFrom<string[]>(['1'], ['2']),
  },
  { requiredKeys: ['objectClass'], noNullPrototype: true },
)

const steps = fc.array(
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ put: fc.constantFrom(...names), attributes }) },
      { weight: 1, arbitrary: fc.record({ remove: fc.constantFrom(...names) }) },
    ),
    { minLength: 1, maxLength: 8 },
  ),
  { minLength: 1, maxLength: 6 },
)

const item = fc.oneof(
  fc
    .record({
      name: fc.constantFrom('nhsIDCode', 'nhsMHSPartyKey', 'nhsAsSvcIA', 'nhsMHSRetries', 'nosuch'),
      value: fc.constantFrom(...letters, '1'),
    })
    .map(({ name, value }): Filter => ({ kind: 'equal', attribute: name, value: Buffer.from(value) })),
  fc
    .constantFrom('nhsAs', 'person', 'top', 'nosuch')
    .map((name): Filter => ({ kind: 'equal', attribute: 'objectClass', value: Buffer.from(name) })),
  fc
    .constantFrom('nhsMHSRetries', 'objectClass', 'nosuch')
    .map((name): Filter => ({ kind: 'present', attribute: name })),
)
const filter = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    item,
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), of: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not' as const), of: tie('filter') }),
  ),
})).filter

function found(tree: MemoryTree, base: string, scope: Scope, text: Filter, after = 0, budget = 3): string[] {
  const entry = tree.get(base)
  if (entry === undefined) return []
  const cursor = tree.search({ base: entry, scope, filter: compileFilter(text, schema, { strict: false }), after })
  const dns: string[] = []
  for (let next = cursor.next(budget); next !== undefined; next = cursor.next(budget))
    if (next !== null) dns.push(next.dn)
  return dns
}

function expected(models: readonly Model[], base: string, scope: Scope, text: Filter): string[] {
  const compiled = compileFilter(text, schema, { strict: false })
  const parent = (key: string) =>
    key.slice(/(?:^|[^\\]),/.exec(key)?.index === undefined ? key.length : (/(?:^|[^\\]),/.exec(key)?.index ?? 0) + 2)
  return models
    .filter(({ key }) =>
      scope === 0
        ? key === base
        : scope === 1
          ? parent(key) === base && key !== base
          : key.endsWith(`,${base}`) || (scope === 2 && key === base),
    )
    .filter(
      ({ dn, attributes: values }) =>
        evaluate(compiled, { dn, values: ({ name }) => values[name] ?? [] }, schema) === 'true',
    )
    .map(({ dn }) => dn)
}

test('searches with indexes find what a look at every entry finds, in order, in every edition', () => {
  fc.assert(
    fc.property(
      steps,
      filter,
      fc.constantFrom('o=nhs', 'ou=services,o=nhs', 'ou=people,o=nhs', 'uid=1,ou=people,o=nhs'),
      fc.constantFrom<Scope[]>(0, 1, 2, 3),
      (batches, text, base, scope) => {
        let tree = memoryTree({ schema, indexed })
        let models: readonly Model[] = []
        const editions: { tree: MemoryTree; models: readonly Model[] }[] = []
        let order = 0
        for (const batch of batches) {
          const edit = tree.edit()
          for (const step of batch) {
            // As the directory keeps it: no entry without the one above, none removed from above another.
            const above = 'put' in step ? step.put.slice(step.put.search(/[^\\],/) + 2) : ''
            if ('put' in step && step.put !== 'o=nhs' && edit.get(above.toLowerCase()) === undefined) continue
            if ('remove' in step && edit.hasChildren(step.remove.toLowerCase())) continue
            if ('put' in step) {
              const entry = edit.put(step.put, step.attributes, ++order, provenance)
              const model = { dn: entry.dn, key: entry.key, attributes: step.attributes }
              models = models.some(({ key }) => key === entry.key)
                ? models.map((each) => (each.key === entry.key ? model : each))
                : [...models, model]
            } else {
              const key = step.remove.toLowerCase()
              const known = models.some((each) => each.key.toLowerCase() === key)
              assert.equal(edit.delete(key), known)
              models = models.filter((each) => each.key !== key)
            }
          }
          tree = edit.done()
          editions.push({ tree, models })
        }
        for (const edition of editions) {
          assert.equal(edition.tree.size, edition.models.length)
          const there = edition.models.some(({ key }) => key === base)
          const wanted = there ? expected(edition.models, base, scope, text) : []
          assert.deepEqual(found(edition.tree, base, scope, text), wanted, filterText(text))
          const beneath = [...edition.tree.under(base)]
          assert.deepEqual(
            beneath.map(({ key }) => key).sort(),
            edition.models.flatMap(({ key }) => (`,${key}`.endsWith(`,${base}`) ? [key] : [])).sort(),
          )
          for (const [at, { parentKey }] of beneath.entries())
            assert.ok(at === 0 || beneath.slice(0, at).some(({ key }) => key === parentKey), 'parents first')
          // From any entry on, the rest.
          const all = [...edition.tree.entries()]
          for (const { order: after, dn } of all) {
            const rest = found(edition.tree, base, scope, text, after)
            assert.deepEqual(
              rest,
              wanted.filter((each) => all.findIndex((one) => one.dn === each) > all.findIndex((one) => one.dn === dn)),
            )
          }
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('values come back as they were stored, in their order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 40 }),
      (values) => {
        const edit = memoryTree({ schema, indexed }).edit()
        const given = { objectClass: ['top', 'nhsAs'], NHSASSVCIA: values, nhsPuSecret: ['hidden'], nosuch: ['x'] }
        const entry = edit.put('uid=1,o=nhs', given, 1, provenance)
        assert.deepEqual(entry.attributes(schema), { objectClass: ['top', 'nhsAs'], nhsAsSvcIA: values })
        assert.equal(entry.encoded.includes('hidden'), false)
      },
    ),
  )
})

test('operational attributes', () => {
  const edit = memoryTree({ schema, indexed }).edit()
  edit.put('o=nhs', { objectClass: ['organization'], o: ['nhs'] }, 1, provenance)
  edit.put('uid=1,o=nhs', { objectClass: ['top', 'nhsPerson'], uid: ['1'] }, 2, provenance)
  const tree = edit.done()
  const values = (key: string) =>
    Object.fromEntries(
      schema.attributes.flatMap((attribute) => {
        const entry = tree.get(key)
        const list = entry === undefined ? [] : tree.operational(entry, attribute)
        return list.length === 0 ? [] : [[attribute.name, list.join()]]
      }),
    )
  assert.deepEqual(values('o=nhs'), {
    createTimestamp: '20260101000000Z',
    modifyTimestamp: '20260102000000Z',
    creatorsName: 'cn=a',
    modifiersName: 'cn=b',
    hasSubordinates: 'TRUE',
    subschemaSubentry: 'cn=Subschema',
    structuralObjectClass: 'organization',
    entryUUID: provenance.uuid,
    entryDN: 'o=nhs',
    numSubordinates: '1',
  })
  assert.equal(values('uid=1,o=nhs')['structuralObjectClass'], 'nhsPerson')
  assert.equal(values('uid=1,o=nhs')['hasSubordinates'], 'FALSE')
})

test('a large tree answers the look-ups of the specification from its indexes', () => {
  const edit = memoryTree({ schema, indexed }).edit()
  edit.put('ou=Services,o=nhs', { objectClass: ['organizationalUnit'], ou: ['Services'] }, 1, provenance)
  for (let i = 0; i < 20_000; i++) {
    const values = {
      objectClass: ['top', 'nhsAs'],
      nhsIDCode: [`A${i % 4000}`],
      nhsAsSvcIA: [`urn:${i % 7}`, 'urn:all'],
    }
    edit.put(`uniqueIdentifier=${i},ou=Services,o=nhs`, { ...values, uniqueIdentifier: [String(i)] }, i + 2, provenance)
  }
  const tree = edit.done()
  const base = tree.get('ou=services,o=nhs')
  assert.ok(base !== undefined)
  const cursor = tree.search({
    base,
    scope: 2,
    filter: compileFilter(parseFilter('(&(nhsIDCode=A77)(objectClass=nhsAs)(nhsAsSvcIA=urn:all))'), schema, {
      strict: true,
    }),
    after: 0,
  })
  const dns: string[] = []
  for (let next = cursor.next(100); next; next = cursor.next(100)) dns.push(next.dn)
  assert.equal(dns.length, 5)
  assert.ok(cursor.examined <= 5, `${cursor.examined} candidates for 5 entries`)
  assert.deepEqual(
    tree.having('nhsIDCode', 'A77').map(({ dn }) => dn),
    dns,
  )
  assert.deepEqual(tree.having('nhsIDCode', 'a77'), [])
  assert.equal(tree.holds('nhsAsSvcIA', 'urn:all'), true)
})

test('long lists lose many entries at once, and take some of them back in the same edit', () => {
  const dnOf = (n: number) => `uniqueIdentifier=${n},o=nhs`
  const one = { objectClass: ['top', 'nhsAs'], nhsIDCode: ['A'] }
  const start = memoryTree({ schema, indexed }).edit()
  start.put('o=nhs', { objectClass: ['top', 'organization'], o: ['nhs'] }, 0, provenance)
  for (let n = 1; n <= 3000; n++) start.put(dnOf(n), one, n, provenance)
  const before = start.done()
  const edit = before.edit()
  for (let n = 1; n <= 2000; n++) edit.delete(dnOf(n).toLowerCase())
  for (let n = 3001; n <= 3010; n++) edit.put(dnOf(n), one, n, provenance)
  assert.equal(edit.having('nhsIDCode', 'A').length, 1010)
  edit.delete(dnOf(3000).toLowerCase())
  edit.put(dnOf(2500), { ...one, nhsIDCode: ['B'] }, 2500, provenance)
  edit.put(dnOf(2500), one, 2500, provenance)
  const after = edit.done()
  const text = parseFilter('(&(objectClass=nhsAs)(nhsIDCode=A))')
  const wanted = [...Array(3010).keys()].map((n) => n + 1).filter((n) => n > 2000 && n !== 3000)
  assert.deepEqual(found(after, 'o=nhs', 1, text, 0, 10_000), wanted.map(dnOf))
  assert.deepEqual(found(after, 'o=nhs', 2, parseFilter('(nhsIDCode=A)'), 0, 10_000), wanted.map(dnOf))
  assert.equal(found(before, 'o=nhs', 1, text, 0, 10_000).length, 3000)
  const rest = after.edit()
  for (const n of wanted) rest.delete(dnOf(n).toLowerCase())
  assert.equal(rest.hasChildren('o=nhs'), false)
  assert.deepEqual(found(rest.done(), 'o=nhs', 2, text, 0, 10_000), [])
})
