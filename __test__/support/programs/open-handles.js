'use strict'

// Tests of an application, for a Jest that looks for what they leave open.

const { Sequelize } = require('sequelize')
const { RustSequelizeStore } = require('../../..')

const session = () => ({ cookie: { expires: new Date(Date.now() + 60_000) } })

test('a store that was used and closed', async () => {
  const store = new RustSequelizeStore({ db: 'sqlite::memory:' })
  await store.set('ada', session())
  expect(await store.length()).toBe(1)
  await new Promise((resolve) => store.get('ada', resolve))
  await store.close()
})

test('a store that was closed with calls under way', async () => {
  const store = new RustSequelizeStore({ db: 'sqlite::memory:' })
  const saved = store.set('ada', session())
  await Promise.all([store.close(), saved])
})

test('a store that was never used', () => {
  expect(new RustSequelizeStore({ db: 'sqlite::memory:' }).stats().gets).toBe(0)
})

test('a store through Sequelize', async () => {
  const sequelize = new Sequelize({ dialect: 'sqlite', storage: ':memory:', logging: false })
  const store = new RustSequelizeStore({ db: sequelize })
  await store.set('ada', session())
  await store.close()
  await sequelize.close()
})
