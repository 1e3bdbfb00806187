/** Narrative: one well-formed XHTML `div`. */

import { isSpineError } from '../error.ts'
import type { XmlLimits } from './problem.ts'
import { readXml } from './reader.ts'

export const xhtmlNamespace = 'http://www.w3.org/1999/xhtml'

/**
 * Why the text is not one well-formed `div` of the XHTML namespace that stands alone, or undefined when it is.
 * Named HTML entities such as `&nbsp;` are not XML. Nothing but the `div` may stand before or behind it.
 */
export function xhtmlDivProblem(text: string, limits: XmlLimits = {}): string | undefined {
  if (!text.startsWith('<div') || !text.endsWith('>')) return 'The narrative is not a div element.'
  let depth = 0
  let problem: string | undefined
  let last = 0
  try {
    readXml(
      text,
      {
        start(element) {
          if (depth++ === 0 && (element.name !== 'div' || element.namespace !== xhtmlNamespace))
            problem = 'The narrative is not a div element of the XHTML namespace.'
        },
        end(endOffset) {
          depth--
          last = endOffset
        },
      },
      limits,
    )
  } catch (error) {
    if (isSpineError(error)) return error.explanation ?? error.code
    throw error
  }
  return problem ?? (last === text.length ? undefined : 'Something follows the div element of the narrative.')
}
