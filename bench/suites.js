'use strict'

/**
 * A selection is every combination of its lists. What `peers` leaves out is filled in by the kind: all that it can measure.
 *
 * @typedef {object} Suite
 * @property {string} meaning
 * @property {boolean} [preset] options choose among its cells. In other suites they take the place of its lists.
 * @property {Selection[]} selections
 *
 * @typedef {Record<string, any> & { kind: string, rounds: number, seconds: number, warmup: number, minutes?: number }} Selection
 */

const database = ['sqlite', 'postgres', 'mysql']
const durability = ['normal']

const store = {
  kind: 'store',
  database,
  durability,
  rows: [10000],
  size: [600],
  processes: [1],
  workload: ['get', 'set-new', 'set-existing', 'touch', 'mix'],
  callers: [1, 16, 128],
  rounds: 5,
  seconds: 2,
  warmup: 1
}

const express = {
  kind: 'express',
  database,
  durability,
  size: [600],
  request: ['read', 'write'],
  connections: [64],
  rounds: 5,
  seconds: 5,
  warmup: 2
}

const prune = {
  kind: 'prune',
  database,
  durability,
  rows: [400000],
  expired: [200000],
  size: [600],
  callers: [16],
  rounds: 3,
  seconds: 2,
  warmup: 1
}

const memory = {
  kind: 'memory',
  database,
  durability,
  peers: ['ours'],
  rows: [1000],
  size: [600],
  callers: [64],
  minutes: 10,
  rounds: 1,
  seconds: 6,
  warmup: 2
}

// The best known stores and the drivers. Others would fill tables of a million rows for nothing.
const scale = {
  ...store,
  peers: ['ours', 'css', 'bs3', 'pgsimple', 'mysqlsession', 'driver-sqlite', 'driver-pg', 'driver-mysql'],
  workload: ['get', 'set-existing', 'touch', 'mix'],
  callers: [128]
}

// Short trials: what must fit into half an hour, ten minutes of which are those of `memory`.
const brief = { rounds: 3, seconds: 0.8, warmup: 0.5 }
const figure = { ...store, ...brief, callers: [128] }
const served = { ...express, rounds: 3, seconds: 1.5, warmup: 1 }
const sets = ['set-new', 'set-existing']

/** @type {Record<string, Suite>} */
const suites = {
  store: { meaning: 'each method and the mix, at 1, 16 and 128 callers', selections: [store] },
  express: { meaning: 'requests to Express', selections: [express] },
  scale: {
    meaning: '1000 to 1,000,000 sessions, 500 to 50,000 bytes, 1 to 4 processes',
    preset: true,
    selections: [
      { ...scale, rows: [1000, 100000, 1000000] },
      { ...scale, size: [500, 5000, 50000] },
      { ...scale, processes: [1, 2, 4] }
    ]
  },
  prune: {
    meaning: 'gets while expired sessions are removed',
    selections: [prune, { ...prune, rows: [1010000], expired: [1000000], rounds: 1 }]
  },
  memory: { meaning: 'growth in ten minutes, and what a store adds to Express', selections: [memory] },
  figures: {
    meaning: 'the goals of goals.js, each with whether it was reached',
    preset: true,
    selections: [
      { ...figure, database: ['postgres'], workload: ['get'], peers: ['ours', 'driver-pg', 'redis'] },
      { ...figure, database: ['postgres'], workload: sets, peers: ['ours', 'driver-pg', 'css'] },
      {
        ...figure,
        database: ['postgres'],
        workload: ['mix'],
        callers: [64],
        peers: ['ours', 'driver-pg', 'redis', 'css']
      },
      { ...figure, database: ['mysql'], workload: ['get', ...sets, 'mix'], peers: ['ours', 'driver-mysql'] },
      { ...figure, database: ['postgres', 'mysql'], workload: ['touch'], peers: ['ours'] },
      { ...figure, database: ['sqlite'], callers: [16, 128], peers: ['ours', 'bs3'] },
      { ...figure, database: ['sqlite'], durability: ['full'], workload: sets, peers: ['ours', 'bs3'] },
      {
        ...figure,
        database: ['postgres', 'mysql'],
        workload: ['get', 'set-existing', 'touch'],
        callers: [1],
        peers: ['ours', 'driver-pg', 'driver-mysql']
      },
      { ...figure, database: ['sqlite'], workload: ['get'], callers: [1], peers: ['ours'] },
      { ...figure, workload: ['get', 'touch'], rows: [1000000], peers: ['ours'] },
      { ...figure, database: ['postgres'], workload: ['mix'], callers: [64], processes: [1, 4], peers: ['ours'] },
      { ...served, peers: ['ours', 'css', 'memory', 'none'] },
      { ...prune, rows: [1010000], expired: [1000000], peers: ['ours'], rounds: 1 },
      memory
    ]
  },
  charts: {
    meaning: 'what the charts show: all peers at 1 and 128 callers, and requests to Express',
    preset: true,
    selections: [
      { ...figure, workload: ['get', 'set-existing', 'touch', 'mix'] },
      { ...figure, workload: ['get', 'set-existing'], callers: [1] },
      { ...served, peers: ['ours', 'css', 'bs3', 'pgsimple', 'mysqlsession', 'memory', 'none'] }
    ]
  }
}

module.exports = { suites }
