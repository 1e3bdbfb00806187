import { configReference } from '@openspine/platform/config'
import { sections } from 'openspine'
import { checksPage } from './checks-page.ts'
import { obligationsPage } from './obligations-page.ts'

/** Every reference page, by its file: made from the code, so that it cannot drift from it. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  return {
    'docs/reference/configuration.md': configReference(sections),
    'docs/reference/checks.md': checksPage(),
    'docs/reference/gp-connect-obligations.md': obligationsPage(),
  }
}
