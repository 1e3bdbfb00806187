import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { hasTest, missingTests, namings } from './named-tests.ts'
import type { Obligation } from './obligation.ts'
import { type ObligationId, obligations } from './obligations.ts'
import { showings, shownIn } from './scenarios.ts'

const root = new URL('../../', import.meta.url)

describe('obligations of a provider (§3 to §9) and of a consumer (§14)', () => {
  for (const [id, { generations, elsewhere }] of Object.entries(obligations) as [ObligationId, Obligation][])
    it(id, () => {
      if (elsewhere !== undefined) {
        const { file, title } = elsewhere.test
        assert.ok(hasTest(readFileSync(new URL(file, root), 'utf8'), title), `${file} has no test "${title}"`)
        return
      }
      for (const generation of generations)
        assert.ok(shownIn(id, generation).length > 0, `no scenario of ${generation} shows it`)
    })

  it('are named by scenarios in the generations that have them alone', () => {
    for (const { name, generation, shows } of showings)
      for (const id of shows) {
        const generations: readonly string[] = obligations[id as ObligationId].generations
        assert.ok(generations.includes(generation), `${name} shows ${id}, which ${generation} does not have`)
      }
  })
})

describe('tests that obligations name', () => {
  it('are found by their whole title, and by the fixed parts of one that is filled in', () => {
    const filled = (name: string) => ['$', `{${name}}`].join('')
    const source = `it('one', f)\n  test(\n    \`two ${filled('kind')}: done\`, f)\n it(\`${filled('all')}\`, f)\n// it's three`
    for (const title of ['one', 'two of them: done']) assert.ok(hasTest(source, title), title)
    for (const title of ['on', 'one more', 'two : don', 'three', 'two : done'])
      assert.ok(!hasTest(source, title), title)
  })

  it('are missed where their file ran without them, and only there', () => {
    const [first] = namings
    assert.ok(first)
    const others = namings.filter(({ file }) => file !== first.file).map(({ file }) => file)
    assert.ok(namings.length > 15 && others.length > 0)
    const all = Object.fromEntries(
      namings.map(({ file }) => [file, namings.filter((one) => one.file === file).map(({ title }) => title)]),
    )
    const ran = Object.keys(all)
    assert.deepEqual(missingTests(all, ran), [])
    const without = { ...all, [first.file]: (all[first.file] ?? []).filter((title) => title !== first.title) }
    assert.ok(missingTests(without, ran).every(({ title }) => title === first.title))
    assert.ok(missingTests(without, ran).length > 0)
    assert.deepEqual(missingTests(without, others), [])
  })
})
