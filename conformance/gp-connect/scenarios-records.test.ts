import { runScenarios } from './run.ts'

runScenarios((area) => !/^(Access Record HTML|Tokens|Types|Searches)/.test(area))
