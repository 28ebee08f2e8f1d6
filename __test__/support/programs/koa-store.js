'use strict'

// A process of its own with a store of koa-generic-session-sequelize, the real one or ours, and an application of
// koa-generic-session on it: node koa-store.js ours|theirs <options of Sequelize as JSON> <options of the store as JSON>
// It calls what it is sent, on the store or on the model, and answers with what that yields.

const { once } = require('node:events')
const Koa = require('koa')
const session = require('koa-generic-session')
const { Sequelize } = require('sequelize')

const [, , name, config, options] = process.argv
const Store =
  name === 'ours' ? require('../../../compat/koa-generic-session-sequelize') : require('koa-generic-session-sequelize')
const { url, ...rest } = JSON.parse(config)
const sequelize = url === undefined ? new Sequelize(rest) : new Sequelize(url, rest)
const store = new Store(sequelize, JSON.parse(options))

const plain = (value) => (typeof value?.get === 'function' ? value.get() : value)

const tasks = {
  store: (method, ...args) => store[method](...args),
  /** Rows as they are in the table, whoever wrote them. */
  rows: () => store.Model.findAll({ raw: true, order: ['id'] }),
  insert: (row) => store.Model.create(row)
}

const routes = {
  '/state': () => {},
  '/login': async (ctx) => {
    await ctx.regenerateSession()
    ctx.session.user = ctx.query.user
  },
  '/count': (ctx) => {
    ctx.session.views = (ctx.session.views ?? 0) + 1
  },
  '/logout': (ctx) => {
    ctx.session = null
  }
}

async function main() {
  const app = new Koa()
  app.keys = ['a secret of the tests']
  app.use(session({ store }))
  app.use(async (ctx) => {
    await routes[ctx.path](ctx)
    ctx.body = { ...ctx.session }
  })
  const server = app.listen(0, '127.0.0.1')
  await Promise.all([once(server, 'listening'), once(store, 'connect')])
  process.on('message', async ({ id, task, args }) => {
    try {
      process.send({ id, result: plain(await tasks[task](...args)) })
    } catch (error) {
      process.send({ id, error: { message: error.message } })
    }
  })
  process.send({ origin: `http://127.0.0.1:${server.address().port}` })
}

main()
