import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gpConnectInteractions, spineInteractions } from './interactions.ts'
import { isInteractionId, splitInteractionId } from './nhs.ts'

test("the Spine's own system has 478 interactions, none twice", () => {
  assert.equal(spineInteractions.length, 478)
  assert.equal(new Set(spineInteractions).size, 478)
})

test('every interaction but the ebXML signals is one by form, and splits into service and interaction', () => {
  const all = [...spineInteractions, ...Object.values<readonly string[]>(gpConnectInteractions).flat()]
  for (const id of all) {
    if (id.startsWith('urn:oasis:')) continue
    assert.ok(isInteractionId(id), id)
    const parts = splitInteractionId(id)
    assert.equal(`${parts?.service}:${parts?.interaction}`, id)
  }
})

test('no interaction of GP Connect belongs to two capabilities', () => {
  const all = Object.values<readonly string[]>(gpConnectInteractions).flat()
  assert.equal(new Set(all).size, all.length)
})
