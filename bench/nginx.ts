/** nginx as provider and as the proxy to compare with: configuration and life of one worker, pinned to a core. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  /** Authorities, and their revocation lists in one file. */
  readonly ca: string
  readonly crl: string
}

export interface NginxPeer {
  /** Process id of the worker. */
  readonly pid: number
  stop(): Promise<void>
}

export const cipher = 'ECDHE-RSA-AES256-GCM-SHA384'

export function nginxVersion(): string | undefined {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' })
    return /nginx\/([\d.]+)/.exec(execFileSync('sh', ['-c', 'nginx -v 2>&1']).toString())?.[1]
  } catch {
    return undefined
  }
}

const frame = (folder: string, http: string) => `
daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log error;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 2048; }
http {
  access_log off; default_type application/fhir+json; merge_slashes off; keepalive_requests 100000000; keepalive_timeout 300s;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  ssl_protocols TLSv1.2; ssl_ciphers ${cipher}; ssl_prefer_server_ciphers on; ssl_session_cache shared:s:10m;
${http}
}
`

const server = (tls: TlsFiles) =>
  `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key}; ssl_client_certificate ${tls.ca}; ssl_crl ${tls.crl}; ssl_verify_client on; ssl_verify_depth 3;`

/** Static files over mutual TLS; a POST is answered with them too. */
export function providerConfig(folder: string, port: number, tls: TlsFiles): string {
  return frame(
    folder,
    `  sendfile off; tcp_nopush off; open_file_cache max=10; output_buffers 2 128k;
  server { listen 127.0.0.1:${port} ssl; root ${folder}/www; client_max_body_size 0; client_body_buffer_size 32k; error_page 405 =200 $uri; ${server(tls)} }`,
  )
}

/** The checks that nginx can make with regular expressions, mutual TLS on both legs, one buffered audit line. */
export function proxyConfig(
  folder: string,
  port: number,
  providerPort: number,
  authority: string,
  tls: TlsFiles,
): string {
  const name = authority.split(':')[0] ?? ''
  return frame(
    folder,
    `
  map $http_ssp_from $bad_from { default 1; "~^\\d{12}$" 0; }
  map $http_ssp_to $bad_to { default 1; "~^\\d{12}$" 0; }
  map $http_ssp_traceid $bad_trace { default 1; "~^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$" 0; }
  map $http_ssp_interactionid $bad_interaction { default 1; ~^urn:nhs:names:services: 0; }
  map $http_authorization $bad_authorization { default 1; "~^Bearer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.$" 0; }
  map "$http_ssp_from $ssl_client_s_dn" $bad_sender { default 1; "~^200000000001 .*CN=consumer\\.example\\.test" 0; }
  map "$http_ssp_to $http_ssp_interactionid" $bad_receiver { default 1; "~^200000000002 urn:nhs:names:services:gpconnect:" 0; }
  map $request_uri $target { default ""; "~^/https://${authority.replaceAll('.', '\\.')}(?<rest>/A20047/STU3/1/gpconnect/.*)$" $rest; }
  map "$bad_from$bad_to$bad_trace$bad_interaction$bad_authorization$bad_sender$bad_receiver" $refused { default 1; 0000000 0; }
  log_format audit escape=json '{"at":"$time_iso8601","trace":"$http_ssp_traceid","from":"$http_ssp_from","to":"$http_ssp_to","interaction":"$http_ssp_interactionid","verb":"$request_method","target":"$request_uri","address":"$remote_addr","subject":"$ssl_client_s_dn","serial":"$ssl_client_serial","issuer":"$ssl_client_i_dn","status":$status,"bytesOut":$body_bytes_sent,"total":$request_time,"provider":"$upstream_response_time","token":"$http_authorization"}';
  access_log ${folder}/access.log audit buffer=64k flush=1s;
  large_client_header_buffers 4 16k; tcp_nodelay on; client_max_body_size 0; client_body_buffer_size 32k;
  upstream provider { server 127.0.0.1:${providerPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port} ssl; ${server(tls)}
    location / {
      if ($refused) { return 403; }
      if ($target = "") { return 400; }
      proxy_pass https://provider$target; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host ${authority};
      proxy_set_header Forwarded "for=$remote_addr;proto=https;by=localhost"; proxy_buffers 32 16k; proxy_buffer_size 16k; proxy_max_temp_file_size 0;
      proxy_ssl_certificate ${tls.certificate}; proxy_ssl_certificate_key ${tls.key}; proxy_ssl_trusted_certificate ${tls.ca}; proxy_ssl_crl ${tls.crl};
      proxy_ssl_verify on; proxy_ssl_verify_depth 3; proxy_ssl_name ${name}; proxy_ssl_server_name on; proxy_ssl_session_reuse on;
      proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers ${cipher};
    }
  }`,
  )
}

/** Starts nginx on a core and waits until it accepts. */
export async function startNginx(folder: string, config: string, port: number, core: number): Promise<NginxPeer> {
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, config)
  const child = spawn('taskset', ['-c', String(core), 'nginx', '-c', file, '-p', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await reachable(port, child, () => said)
  for (let attempt = 0; attempt < 100; attempt++) {
    // The listening socket is there before the worker is.
    const pid = workerOf(child.pid ?? 0)
    if (pid !== undefined) return { pid, stop: () => ended(child) }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('nginx has no worker')
}

function workerOf(master: number): number | undefined {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === master) return Number(entry)
    } catch {
      // gone meanwhile
    }
  }
  return undefined
}

export async function reachable(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error(`ended at once: ${said()}`)
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`does not listen: ${said()}`)
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
