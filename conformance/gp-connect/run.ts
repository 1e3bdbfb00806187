/**
 * Scenarios of GP Connect derived from its specification, for both generations: each is run direct and through the
 * secure proxy, in JSON and in XML, over mutual TLS.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Sandbox, startSandbox } from '../sandbox.ts'
import { type Asked, asker, ways } from './ask.ts'
import { prepare, setSecondPractice } from './people.ts'
import { check, isSound, type Settings, type Telling } from './scenario.ts'
import { areas } from './scenarios.ts'

/** Registers the tests of the areas whose name passes, with a sandbox of their own. */
export function runScenarios(belongs: (area: string) => boolean): void {
  let sandbox: Sandbox
  let sender: Awaited<ReturnType<typeof asker>>
  before(async () => {
    sandbox = await startSandbox()
    sender = await asker(sandbox)
    await prepare(sandbox)
  })
  after(async () => {
    sender?.close()
    await sandbox?.stop()
  })

  let settingsNow = '{}'
  async function withSettings(settings: Settings): Promise<void> {
    const wanted = JSON.stringify(settings)
    if (wanted === settingsNow) return
    await setSecondPractice(sandbox, settings)
    settingsNow = wanted
  }

  const chosen = Object.entries(areas).filter(([area]) => belongs(area))
  for (const [index, way] of ways.entries())
    describe(`${way.door === 'proxy' ? 'through the proxy' : 'direct'}, in ${way.format}`, () => {
      for (const [area, { scenarios, stories }] of chosen)
        describe(area, () => {
          for (const scenario of scenarios)
            it(`${scenario.name}: ${scenario.status} ${scenario.code ?? ''}`.trim(), async () => {
              const { settings } = scenario
              if (settings !== undefined) await withSettings(settings)
              const asked: Asked = settings === undefined ? scenario : { ...scenario, practice: 'B82617' }
              check(way, scenario, await sender.ask(way, asked))
            })

          for (const story of stories)
            it(story.name, async () => {
              const ask = (asked: Asked) => sender.ask(way, asked)
              const telling: Telling = {
                way,
                sandbox,
                index,
                ask,
                async refused(asked, status, code) {
                  const answered = await ask(asked)
                  assert.deepEqual([answered.status, answered.code], [status, code], answered.text.slice(0, 600))
                  isSound(answered, story.generation)
                  return answered
                },
              }
              await story.tell(telling)
            })
        })
    })

  it('leaves an audit that verifies', async () => {
    assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
  })
}
