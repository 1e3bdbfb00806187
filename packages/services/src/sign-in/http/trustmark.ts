import type { Issuer } from '../issuer.ts'
import { type OwnRoute, sendJson } from './routes.ts'

/** What the vectors of trust mean (§4.2). */
export function trustmarkRoute(issuer: () => Issuer): OwnRoute {
  return {
    methods: ['GET'],
    path: '/trustmark/:part',
    async handle({ response, part }) {
      const { issuer: url } = issuer()
      if (decodeURIComponent(part) !== new URL(url).host) return sendJson(response, 404, { error: 'not_found' })
      sendJson(response, 200, {
        idp: `${url}/`,
        trustmark_provider: `${url}/`,
        P: ['P0', 'P3', 'P5', 'P6', 'P7', 'P9'],
        C: ['Cp', 'Cd', 'Ck', 'Cm'],
      })
    },
  }
}
