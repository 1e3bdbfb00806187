import type { Page } from 'playwright-core'

/**
 * Runs in the page; as text, because it is the browser's language and not this project's. Looks for what can be measured
 * of WCAG 2.2 AA: language and title (3.1.1, 2.4.2), one main heading and landmark (1.3.1), names of fields (4.1.2, 3.3.2), ids that are there
 * and there once, contrast of text (1.4.3) and size of targets (2.5.8).
 */
const examination = `(() => {
  const faults = []
  const all = (selector) => [...document.querySelectorAll(selector)]
  const told = (element) => element.outerHTML.slice(0, 80)
  if (document.documentElement.lang !== 'en') faults.push('no language')
  if (document.title.trim() === '') faults.push('no title')
  for (const selector of ['h1', 'main']) if (all(selector).length !== 1) faults.push('not one ' + selector)
  const ids = all('[id]').map(({ id }) => id)
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push('twice the id ' + id)
  for (const element of all('[aria-describedby], [aria-labelledby]'))
    for (const name of ['aria-describedby', 'aria-labelledby'])
      for (const id of (element.getAttribute(name) ?? '').split(' ').filter(Boolean))
        if (!ids.includes(id)) faults.push(name + ' leads nowhere: ' + id)
  for (const link of all('a[href^="#"]'))
    if (!ids.includes(link.getAttribute('href').slice(1))) faults.push('a link leads nowhere: ' + told(link))
  for (const input of all('input:not([type=hidden]), select, textarea'))
    if (![...input.labels].some(({ textContent }) => textContent.trim() !== '')) faults.push('no label: ' + told(input))
  for (const group of all('fieldset'))
    if (!group.querySelector('legend')?.textContent.trim()) faults.push('no legend: ' + told(group))
  for (const target of all('button:not([hidden]), label:has(input), input[type=text], input[type=search]')) {
    const { width, height } = target.getBoundingClientRect()
    if (width < 24 || height < 24) faults.push('a small target: ' + told(target))
  }
  const channels = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor
      if ((channels(color)[3] ?? 1) !== 0) return color
    }
    return 'rgb(255, 255, 255)'
  }
  for (const element of all('body *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => b - a)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < 4.5) faults.push('contrast ' + ratio.toFixed(1) + ': ' + told(element))
  }
  return faults
})()`

/** What is wrong with a page for people who do not see it, or see it badly; on a narrow screen too (1.4.10: 320 pixels). */
export async function barriers(page: Page): Promise<readonly string[]> {
  const faults = (await page.evaluate(examination)) as string[]
  const size = page.viewportSize()
  await page.setViewportSize({ width: 320, height: 640 })
  const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
  if (size !== null) await page.setViewportSize(size)
  return width <= 320 ? faults : [...faults, `${width} pixels wide on a screen of 320`]
}
