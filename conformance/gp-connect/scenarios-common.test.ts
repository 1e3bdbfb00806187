import { runScenarios } from './run.ts'

runScenarios((area) => /^(Tokens|Types|Searches)/.test(area))
