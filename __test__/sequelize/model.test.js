'use strict'

const { DataTypes, Sequelize } = require('sequelize')
const { attributes } = require('../support/variants')
const { application, open, refusal, sequelize } = require('./setup')

describe('the session model', () => {
  const db = (settings) => sequelize({ dialect: 'postgres', host: 'db', logging: false, ...settings })

  test('is defined as connect-session-sequelize does', () => {
    const made = db()
    const { sessionModel } = open({ db: made })
    expect(made.models.Session).toBe(sessionModel)
    expect(sessionModel.getTableName()).toBe('Sessions')
    expect(Object.keys(sessionModel.rawAttributes)).toEqual(['sid', 'expires', 'data', 'createdAt', 'updatedAt'])
    expect(open({ db: made }).sessionModel).toBe(sessionModel)
  })

  test('has the names of the options', () => {
    const made = db()
    const store = open({ db: made, modelKey: 'WebSession', tableName: 'web_sessions' })
    expect(made.models.WebSession).toBe(store.sessionModel)
    expect(store.sessionModel.getTableName()).toBe('web_sessions')
    expect(store.options).toMatchObject({ tableName: 'web_sessions', modelKey: 'WebSession' })
  })

  test('is the application’s if there is one', () => {
    const made = db()
    const theirs = made.define('Session', attributes({ sid: { field: 'id' } }), { tableName: 'Sessions' })
    const store = open({ db: made })
    expect(store.sessionModel).toBe(theirs)
    expect(store.options.columns.sid).toBe('id')
  })

  test('never replaces another model of the application', () => {
    const made = db()
    const theirs = made.define('Session', { trainer: DataTypes.STRING, room: DataTypes.STRING })
    const store = open({ db: made })
    expect(made.models.Session).toBe(theirs)
    expect(store.sessionModel).not.toBe(theirs)
    expect(Object.keys(store.sessionModel.rawAttributes)).toEqual(expect.arrayContaining(['sid', 'expires', 'data']))
    expect(open({ db: made }).sessionModel).toBe(store.sessionModel)
  })

  test('is the one that option `table` names', () => {
    const { sequelize: made, options } = application('postgres://db/app', 'with a model of its own')
    const store = open(options)
    expect(store.sessionModel).toBe(made.models.Login)
    expect(Object.keys(made.models)).toEqual(['Login'])
    expect(store.options).toMatchObject({
      tableName: 'logins',
      columns: { sid: 'session_id', expires: 'valid_until', data: 'content', createdAt: 'created_at', deletedAt: false }
    })
  })

  test('is one of an object of models', () => {
    const { sequelize: made } = application('postgres://db/app', 'with a model of its own')
    const models = { Login: made.models.Login, sequelize: made, Sequelize }
    expect(open({ db: models, table: 'Login' }).sessionModel).toBe(made.models.Login)
  })

  test.each([
    ['is not there', (made) => ({ db: made, table: 'Logins' }), /`Logins`.*`Login`/],
    ['is not among the models', ({ models }) => ({ db: { Login: models.Login }, table: 'Logins' }), /`db`|`Logins`/],
    ['has no sid', (made) => ({ db: made, table: 'Trainer' }), /`Trainer`.*`sid`/]
  ])('that option `table` names and that %s is an error at once', (_name, options, message) => {
    const { sequelize: made } = application('postgres://db/app', 'with a model of its own')
    made.define('Trainer', { name: DataTypes.STRING })
    const error = refusal(options(made))
    expect(error.code).toBe('ERR_SESSION_OPTIONS')
    expect(error.message).toMatch(message)
  })

  test('cannot be named for a URL', () => {
    expect(refusal({ db: 'postgres://db/app', table: 'Login' }).message).toMatch(/`tableName`/)
  })
})
