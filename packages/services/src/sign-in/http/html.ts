import { createHash } from 'node:crypto'

/** HTML that is safe to put into a page. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Piece = Html | string | number | undefined | false | readonly Html[]

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template whose values are escaped unless they are `Html` themselves. */
export function html(parts: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return new Html(parts.reduce((text, part, place) => text + shown(values[place - 1]) + part))
}

function shown(value: Piece): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return (value as readonly Html[]).map(({ text }) => text).join('')
  return String(value).replace(/[&<>"']/g, (character) => escapes[character] as string)
}

/** Contrast of text is 7:1 or more; what has the focus has a thick dark line on yellow; targets are 44 pixels or more. */
const style = `
*{box-sizing:border-box}
body{margin:0;font:1.1875rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;color:#1b1f24;background:#f4f5f2}
header{background:#26404d;color:#fff;padding:.75rem 1rem}
header p{margin:0 auto;max-width:44rem;font-weight:600}
main{display:block;max-width:46rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.25rem;margin:0 0 .5rem}
.note{border-left:.4rem solid #8a5a00;background:#fff6e0;padding:.75rem 1rem;margin:0 0 1.5rem}
.note p{margin:0}
.error{border:.25rem solid #a01c1c;padding:1rem;margin:0 0 1.5rem;background:#fff}
.list li{margin:0 0 .75rem}
.error a{color:#a01c1c;font-weight:600}
.problem{color:#a01c1c;font-weight:600;margin:0 0 .5rem}
fieldset{border:0;margin:0 0 1.75rem;padding:0}
legend{font-size:1.375rem;font-weight:700;padding:0;margin-bottom:.5rem}
.choice{display:flex;gap:.75rem;align-items:flex-start;background:#fff;border:1px solid #5a6872;border-radius:.25rem;padding:.7rem .8rem;margin:0 0 .5rem;cursor:pointer}
.choice input{width:1.5rem;height:1.5rem;margin:.15rem 0 0;flex:none;accent-color:#26404d}
.choice span span{display:block;color:#414b53;font-size:1rem}
label.field{display:block;font-weight:600;margin-bottom:.25rem}
.hint{color:#414b53;margin:0 0 .5rem;font-size:1rem}
input[type=text],input[type=search]{font:inherit;width:100%;max-width:24rem;min-height:2.75rem;padding:.4rem .6rem;border:2px solid #1b1f24;border-radius:0;background:#fff}
button{font:inherit;font-weight:600;min-height:2.9rem;padding:.5rem 1.25rem;border:2px solid #1d5a3a;border-radius:.25rem;background:#1d5a3a;color:#fff;cursor:pointer;margin:0 .5rem .5rem 0}
button.quiet{background:#fff;color:#1b1f24;border-color:#1b1f24}
.search{margin:0 0 1.5rem}
.skip{position:absolute;left:-999rem}
.skip:focus{position:static;display:inline-block;padding:.5rem 1rem}
:focus-visible,.choice:focus-within{outline:.2rem solid #1b1f24;outline-offset:0;box-shadow:0 0 0 .4rem #ffd33d}
.choice input:focus-visible{outline:none;box-shadow:none}
@media (forced-colors:active){.choice:focus-within{outline:.2rem solid Highlight}}
`

const styleDigest = createHash('sha256').update(style).digest('base64')

/**
 * Without `form-action`: browsers hold it against every redirect that follows a form, and the way back to an
 * application may lead over several hosts. Where it leads was proved before.
 */
const headers: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleDigest}'; base-uri 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface Page {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `script` is the address of the one script that the page may run; no page but those of passkeys has one. */
export function page(title: string, provider: string, content: Html, script?: string): Page {
  const document = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - ${provider}</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to main content</a>
<header><p>${provider}</p></header>
<main id="main">
${content}
</main>
${script === undefined ? '' : html`<script src="${script}" defer></script>`}
</body>
</html>
`
  const policy = `${headers['content-security-policy']}; script-src ${script}`
  return {
    headers: script === undefined ? headers : { ...headers, 'content-security-policy': policy },
    body: document.text,
  }
}

/** What cannot be told to the application, because it is not known to be one. */
export function errorPage(error: string, description: string | undefined, provider = 'OpenSpine sign-in'): Page {
  return page(
    'You cannot sign in',
    provider,
    html`<h1>You cannot sign in</h1>
<p>The request of the application that sent you here cannot be answered. Go back to the application and start again.</p>
<p>If it happens again, give the people who run the application this message: <strong>${error}</strong>${description === undefined ? '' : `: ${description}`}.</p>`,
  )
}
