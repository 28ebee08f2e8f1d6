'use strict'

const { session, stored } = require('../support/sessions')
const { application, onEachDatabase, open, peers } = require('./setup')

onEachDatabase((database) => {
  describe('set', () => {
    async function openWith(variant) {
      const place = database.place()
      const peer = await peers.open('connect-session-sequelize', { url: place.db, variant })
      await peer.sync()
      const made = application(place.db, variant)
      return { store: open(made.options), place }
    }

    const byCallback = (store, value) =>
      new Promise((resolve) => store.set('ada', value, (error, row) => resolve({ error, row })))

    test('yields the row to callers that use the result', async () => {
      const { store } = await openWith('with columns of its own')
      const value = session({ user: 'ada' })
      const rows = [await store.set('ada', value), (await byCallback(store, value)).row]
      for (const row of rows) {
        expect(row).toBeInstanceOf(store.sessionModel)
        expect(row.sid).toBe('ada')
        expect(JSON.parse(row.data)).toEqual(stored(value))
        expect(row.expires).toEqual(value.cookie.expires)
        expect(row).toMatchObject({ userId: 'ada', visits: 3, admin: true, score: 1.25 })
        expect(row.isNewRecord).toBe(false)
        expect(row.changed()).toBe(false)
      }
    })

    test('builds no row for a callback that takes only an error', async () => {
      const { store } = await openWith('as it is')
      const build = jest.spyOn(store.sessionModel, 'build')
      const given = await new Promise((resolve) => {
        store.set('ada', session(), function (_error) {
          // biome-ignore lint/complexity/noArguments: with rest parameters it would not be a callback of one
          resolve([...arguments])
        })
      })
      expect(given).toEqual([null, undefined])
      expect(build).not.toHaveBeenCalled()
    })

    test('leaves out attributes that the model lacks, with one warning', async () => {
      const { store, place } = await openWith('with columns of its own')
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const name = `unknown${database.name}`
      store.options.extendDefaultFields = (defaults) => ({ ...defaults, userId: 'ada', [name]: 1 })
      const row = await store.set('ada', session())
      await store.set('bob', session())
      const warnings = warn.mock.calls.filter(([message]) => message.includes(name))
      warn.mockRestore()
      expect(row.userId).toBe('ada')
      expect(row[name]).toBeUndefined()
      expect(warnings).toEqual([[expect.any(String), { code: 'SESSION_UNKNOWN_FIELD' }]])
      expect(await database.query({ ...place, tableName: 'logins' }, 'SELECT user_id FROM logins')).toHaveLength(2)
    })
  })
})
