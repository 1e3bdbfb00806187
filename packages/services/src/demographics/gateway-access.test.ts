import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpineError } from '@openspine/standards/error'
import { gatewayAccess, pdsApi } from './gateway-access.ts'

test('PDS says 503 while more tokens wait for the store than may', async () => {
  const busy = new SpineError('GATEWAY_BUSY', { status: 503 }, { explanation: 'Too many wait.' })
  const access = gatewayAccess({
    gateway: { judge: async () => Promise.reject(busy), refused: async () => {} },
    api: pdsApi({ rbac: 'record', version: '1', basePath: '/pds', health: async () => ({ status: 'pass' }) }),
  })
  const asking = {
    authorization: 'Bearer x',
    requestId: undefined,
    method: 'GET',
    path: '/Patient',
    address: '127.0.0.1',
  }
  await assert.rejects(access(asking), { code: 'PDS_SERVICE_UNAVAILABLE' })
})
