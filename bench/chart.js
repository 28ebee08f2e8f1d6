'use strict'

const echarts = require('echarts')
const { TITLES } = require('./databases')
const { findPeer } = require('./peers')
const { figuresOf, panelsOf, rateOf } = require('./report')

const WIDTH = 880
const NAME = 190
const LABEL = 60
const ROW = 20
const PANEL_HEAD = 34
const COLORS = { ours: '#0969da', store: '#6e7781', reference: '#bcc6d0', text: '#24292f' }

/** @returns {Record<string, string>} an SVG for each database by the name of its file */
function drawCharts(/** @type {any} */ result, /** @type {string} */ file) {
  const figures = figuresOf(result.trials)
  const charts = Object.entries(TITLES).flatMap(([database, title]) => {
    const panels = panelsOf(figures, database).filter(({ cells }) => cells.length > 1)
    return panels.length > 0 ? [[`${file}-${database}-operations.svg`, draw(title, panels, result.environment)]] : []
  })
  return Object.fromEntries(charts)
}

/** Bars from zero, in two columns of panels, each with a scale of its own. */
function draw(title, panels, { date, machine, node }) {
  let top = 82
  const places = panels.map((panel, index) => {
    const pair = panels.slice(index & ~1, (index & ~1) + 2)
    const height = ROW * Math.max(...pair.map(({ cells }) => cells.length))
    const place = {
      left: NAME + (index % 2) * (WIDTH / 2),
      top: top + PANEL_HEAD,
      width: WIDTH / 2 - NAME - LABEL,
      height: ROW * panel.cells.length
    }
    if (index % 2 === 1 || index === panels.length - 1) top += PANEL_HEAD + height + 10
    return place
  })
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: top + 14 })
  const callers = panels.find((panel) => !panel.express)?.callers
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'system-ui, Arial, sans-serif', color: COLORS.text },
    title: [
      {
        text: `${title}: operations per second${callers ? ` with ${callers} callers` : ''}, more is better`,
        subtext: `${date.slice(0, 10)}, ${machine}, Node.js ${node}.\nEach panel has its own scale. Light bars: not an SQL session store.`,
        left: 12,
        top: 10,
        textStyle: { fontSize: 16, color: COLORS.text }
      },
      ...panels.map((panel, index) => ({
        text: panel.express ? `${panel.title}, requests/s over ${panel.callers} connections` : panel.title,
        left: 12 + (index % 2) * (WIDTH / 2),
        top: places[index].top - 26,
        textStyle: { fontSize: 12, color: COLORS.text }
      }))
    ],
    grid: places,
    xAxis: panels.map((_, gridIndex) => ({ type: 'value', gridIndex, show: false, min: 0 })),
    yAxis: panels.map(({ cells }, gridIndex) => ({
      type: 'category',
      gridIndex,
      inverse: true,
      data: cells.map(({ peer }) => findPeer(peer).name),
      axisTick: { show: false },
      axisLabel: { color: COLORS.text, fontSize: 11 }
    })),
    series: panels.map(({ cells }, index) => ({
      type: 'bar',
      xAxisIndex: index,
      yAxisIndex: index,
      barWidth: 13,
      data: cells.map((cell) => ({ value: cell.rate ?? 0, itemStyle: { color: COLORS[toneOf(findPeer(cell.peer))] } })),
      label: {
        show: true,
        position: 'right',
        color: COLORS.text,
        fontSize: 11,
        formatter: ({ dataIndex }) => rateOf(cells[dataIndex])
      }
    }))
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

function toneOf({ alias, reference }) {
  if (alias === 'ours') return 'ours'
  return reference ? 'reference' : 'store'
}

module.exports = { drawCharts }
