'use strict'

const echarts = require('echarts')
const { peers } = require('./peers')
const { rateOf } = require('./report')

const WIDTH = 880
const NAME = 190
const LABEL = 60
const ROW = 20
const HEAD = 34
const COLORS = { ours: '#0969da', store: '#6e7781', reference: '#bcc6d0', text: '#24292f' }

const colorOf = (peer) => COLORS[peer] ?? (peers[peer].reference ? COLORS.reference : COLORS.store)

/** An SVG with bars from zero, in two columns of panels, each with a scale of its own. */
function drawChart(title, panels, { date, machine, node }) {
  const rows = Math.max(...panels.map(({ cells }) => cells.length))
  const topOf = (index) => 82 + (index >> 1) * (HEAD + ROW * rows + 10)
  const leftOf = (index) => (index % 2) * (WIDTH / 2)
  const size = { width: WIDTH, height: topOf(panels.length + 1) }
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'system-ui, Arial, sans-serif', color: COLORS.text },
    title: [
      {
        text: `${title}: operations per second, more is better`,
        subtext: `${date.slice(0, 10)}, ${machine}, Node.js ${node}.\nEach panel has its own scale. Light bars: not an SQL session store.`,
        left: 12,
        top: 10,
        textStyle: { fontSize: 16, color: COLORS.text },
        subtextStyle: { lineHeight: 16 }
      },
      ...panels.map(({ title, load }, index) => ({
        text: `${title}, ${load}`,
        left: 12 + leftOf(index),
        top: topOf(index) + 8,
        textStyle: { fontSize: 12, color: COLORS.text }
      }))
    ],
    grid: panels.map(({ cells }, index) => ({
      left: NAME + leftOf(index),
      top: topOf(index) + HEAD,
      width: WIDTH / 2 - NAME - LABEL,
      height: ROW * cells.length
    })),
    xAxis: panels.map((_, gridIndex) => ({ type: 'value', gridIndex, show: false, min: 0 })),
    yAxis: panels.map(({ cells }, gridIndex) => ({
      type: 'category',
      gridIndex,
      inverse: true,
      data: cells.map(({ peer }) => peers[peer].name),
      axisTick: { show: false },
      axisLabel: { color: COLORS.text, fontSize: 11 }
    })),
    series: panels.map(({ cells }, index) => ({
      type: 'bar',
      xAxisIndex: index,
      yAxisIndex: index,
      barWidth: 13,
      data: cells.map(({ peer, rate = 0 }) => ({ value: rate, itemStyle: { color: colorOf(peer) } })),
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

module.exports = { drawChart }
