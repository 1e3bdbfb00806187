import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Obligation } from './obligation.ts'
import { type ObligationId, obligations } from './obligations.ts'
import { showings, shownIn } from './scenarios.ts'

const root = new URL('../../', import.meta.url)

describe('obligations of a provider (§3 to §9)', () => {
  for (const [id, { generations, elsewhere }] of Object.entries(obligations) as [ObligationId, Obligation][])
    it(id, () => {
      if (elsewhere !== undefined) {
        assert.ok(existsSync(new URL(elsewhere.test, root)), `${elsewhere.test} is not there`)
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
