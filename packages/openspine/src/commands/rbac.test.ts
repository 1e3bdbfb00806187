import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { AccessExplanation } from '@openspine/services/access-control/contract'
import { explanationLines } from './rbac.ts'

const lines = (it: AccessExplanation) => explanationLines(it).map((line) => stripVTControlCharacters(line).trim())

const base = { version: 'v1', jobRole: 'R8000', activity: 'B0820', enough: ['B0820', 'B0825'], notInForce: [] }

describe('openspine rbac explain', () => {
  it('says by what a role may', () => {
    assert.deepEqual(
      lines({
        ...base,
        jobRoleName: 'Clinical Practitioner Access Role',
        activityName: 'View Patient Demographics',
        allowed: true,
        grant: { activity: 'B0820', held: 'B0825', by: 'given' },
        path: ['B0825', 'B0820'],
        baseline: ['B8029'],
        jobRolesWithIt: [],
      }),
      [
        '✔ R8000 Clinical Practitioner Access Role may do B0820 View Patient Demographics',
        'B0825 was given to the role profile.',
        'B0825 includes B0820.',
        'Baseline of the role: B8029. Rules: v1.',
      ],
    )
  })

  it('says what would be enough, and what is only published', () => {
    assert.deepEqual(
      lines({
        ...base,
        allowed: false,
        baseline: [],
        jobRolesWithIt: Array.from({ length: 15 }, (_, i) => `R00${i + 10}`),
        notInForce: ['B0360'],
      }),
      [
        '✖ R8000 (no list knows it) may not do B0820',
        'Enough would be: B0820, B0825, given to the role profile.',
        'Job roles that have it by the baseline: R0010, R0011, R0012, R0013, R0014, R0015, R0016, R0017, R0018, R0019, R0020, R0021 and 3 more.',
        'Published, but not in force: B0360.',
        'Baseline of the role: nothing. Rules: v1.',
      ],
    )
  })
})
