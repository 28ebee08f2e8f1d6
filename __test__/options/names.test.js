'use strict'

const { Sequelize, DataTypes } = require('sequelize')
const { RustSequelizeStore, SessionStoreError } = require('../..')
const { create, refusal } = require('./setup')

/** The longest names: PostgreSQL counts bytes, MySQL and MariaDB characters. */
const LIMITS = {
  postgres: {
    url: 'postgres://localhost/sessions',
    longest: ['x'.repeat(63), `${'é'.repeat(31)}x`],
    limit: '63 bytes'
  },
  mysql: { url: 'mysql://localhost/sessions', longest: ['x'.repeat(64), 'é'.repeat(64)], limit: '64 characters' }
}

describe.each(Object.entries(LIMITS))('names on %s', (dialect, { url, longest, limit }) => {
  /** The options in which a name can be. */
  const places = [
    ['tableName', (name) => ({ tableName: name })],
    ['schema', (name) => ({ schema: name })],
    ...['sid', 'expires', 'data', 'createdAt', 'updatedAt', 'deletedAt'].map((column) => [
      `columns.${column}`,
      (name) => ({ columns: { [column]: name } })
    ])
  ]

  test.each(places)(
    'that are too long are refused in option %s, and those of the greatest length are not',
    (_, options) => {
      for (const name of longest) {
        create({ db: url, ...options(name) })
        expect(RustSequelizeStore.ddl(dialect, options(name))).toMatch(name)
        const errors = [refusal({ db: url, ...options(`${name}y`) })]
        try {
          RustSequelizeStore.ddl(dialect, options(`${name}y`))
        } catch (error) {
          errors.push(error)
        }
        expect(errors).toHaveLength(2)
        for (const error of errors) {
          expect(error).toBeInstanceOf(SessionStoreError)
          expect(error.code).toBe('ERR_SESSION_OPTIONS')
          expect(error.message).toMatch(limit)
        }
      }
    }
  )

  test.each(['tableName', 'field'])('that are too long are refused in the %s of a Sequelize model', async (place) => {
    const [name] = longest
    const sequelize = new Sequelize('sessions', 'user', 'password', { dialect, logging: false })
    const model = (name) =>
      sequelize.define(
        `Session${name.length}`,
        {
          sid: { type: DataTypes.STRING(36), primaryKey: true, ...(place === 'field' && { field: name }) },
          expires: DataTypes.DATE,
          data: DataTypes.TEXT
        },
        place === 'tableName' ? { tableName: name } : {}
      )
    create({ db: sequelize, table: model(name) })
    const error = refusal({ db: sequelize, table: model(`${name}y`) })
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(limit)
    await sequelize.close()
  })
})

test('names on SQLite may have any length', async () => {
  const name = 'x'.repeat(300)
  const store = create({ db: 'sqlite::memory:', tableName: name, columns: { sid: name } })
  await store.set('ada', { cookie: {} })
  expect(await store.ids()).toEqual(['ada'])
})
