'use strict'

/**
 * @typedef {object} Bar
 * @property {string} name
 * @property {number | null} value null if there is none
 * @property {string} label
 * @property {'ours' | 'store' | 'reference'} tone
 *
 * @typedef {{ title: string, bars: Bar[] }} Panel
 */

const WIDTH = 880
const MARGIN = 20
const GAP = 24
const COLUMN = (WIDTH - 2 * MARGIN - GAP) / 2
const NAME = 178
const ROW = 20
const BAR = 13
const PANEL_HEAD = 30

// An image has no say in the page around it: it brings its own ground, light or dark as the reader's system is.
const STYLE = `
.ground { fill: #ffffff; stroke: #d0d7de }
text { font: 12px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.panel { font-weight: 600 }
.own { font-weight: 600 }
.quiet { fill: #57606a }
.ours { fill: #0969da }
.store { fill: #6e7781 }
.reference { fill: #bcc6d0 }
.axis { stroke: #8c959f }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; stroke: #30363d }
text { fill: #e6edf3 }
.quiet { fill: #9198a1 }
.ours { fill: #4493f8 }
.store { fill: #9198a1 }
.reference { fill: #525b66 }
.axis { stroke: #7d8590 }
}
`.trim()

/**
 * Horizontal bars from zero, in panels of two columns. Each panel has a scale of its own.
 *
 * @param {{ title: string, unit: string, panels: Panel[], notes: string[] }} chart
 * @returns {string} SVG
 */
function barChart({ title, unit, panels, notes }) {
  const body = []
  // What the widest label takes, about 7 of the 12 pixels of its height a letter.
  const label = 10 + 7 * Math.max(...panels.flatMap(({ bars }) => bars.map((bar) => bar.label.length)))
  let y = 88
  for (let index = 0; index < panels.length; index += 2) {
    const pair = panels.slice(index, index + 2)
    pair.forEach((panel, column) => {
      body.push(...drawPanel(panel, MARGIN + column * (COLUMN + GAP), y, COLUMN - NAME - label))
    })
    y += PANEL_HEAD + Math.max(...pair.map(({ bars }) => bars.length)) * ROW + 18
  }
  for (const note of notes) {
    body.push(text(MARGIN, y, note, 'quiet'))
    y += 17
  }
  const height = y + 4
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title unit">`,
    `<style>\n${STYLE}\n</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    `<text id="title" class="title" x="${MARGIN}" y="32">${escaped(title)}</text>`,
    `<text id="unit" class="quiet" x="${MARGIN}" y="54">${escaped(unit)}</text>`,
    ...body,
    '</svg>'
  ].join('\n')}\n`
}

function drawPanel({ title, bars }, x, y, space) {
  const most = Math.max(...bars.map(({ value }) => value ?? 0), Number.MIN_VALUE)
  const axis = x + NAME
  const top = y + PANEL_HEAD - 16
  return [
    text(x, y, title, 'panel'),
    ...bars.flatMap(({ name, value, label, tone }, index) => {
      const middle = top + index * ROW + ROW / 2
      const length = Math.max(1, ((value ?? 0) / most) * space)
      const kind = tone === 'ours' ? 'own' : ''
      return [
        text(axis - 8, middle + 4, name, kind, 'end'),
        value === null
          ? ''
          : `<rect class="${tone}" x="${axis}" y="${middle - BAR / 2}" width="${length.toFixed(1)}" height="${BAR}" rx="1.5"/>`,
        text(axis + (value === null ? 0 : length) + 6, middle + 4, label, kind)
      ].filter(Boolean)
    }),
    `<line class="axis" x1="${axis}" y1="${top}" x2="${axis}" y2="${top + bars.length * ROW}"/>`
  ]
}

function text(x, y, content, kind, anchor = '') {
  const attributes = [kind ? ` class="${kind}"` : '', anchor ? ` text-anchor="${anchor}"` : ''].join('')
  return `<text x="${x}" y="${y}"${attributes}>${escaped(content)}</text>`
}

function escaped(words) {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

module.exports = { barChart }
