import { runScenarios } from './run.ts'

runScenarios((area) => area.startsWith('Access Record HTML'))
