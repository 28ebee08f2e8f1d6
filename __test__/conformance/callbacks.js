'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')
const { setImmediate: turn } = require('node:timers/promises')
const { SessionStoreError } = require('../..')
const { report } = require('../support/run')
const { session } = require('../support/sessions')
const verbs = require('../support/verbs')

module.exports = (database) => {
  describe.each(Object.entries(verbs))('%s', (name, call) => {
    test('calls back once, and not before it has returned', async () => {
      const store = database.open()
      await store.set('ada', session())
      let calls = 0
      let returned = false
      const [deferred, error, ...results] = await new Promise((resolve) => {
        call(store, (...args) => {
          calls++
          resolve([returned, ...args])
        })
        returned = true
      })
      expect(deferred).toBe(true)
      expect(error).toBeNull()
      expect(results.length).toBeLessThanOrEqual(1)
      for (let i = 0; i < 10; i++) await turn()
      expect(calls).toBe(1)
    })

    test('calls back once with an error, and not before it has returned', async () => {
      const store = database.open()
      await store.close()
      let calls = 0
      let returned = false
      const [deferred, error] = await new Promise((resolve) => {
        call(store, (...args) => {
          calls++
          resolve([returned, ...args])
        })
        returned = true
      })
      expect(deferred).toBe(true)
      if (name === 'close') {
        expect(error).toBeNull()
      } else {
        expect(error).toBeInstanceOf(SessionStoreError)
        expect(error).toBeInstanceOf(Error)
        expect(error.name).toBe('SessionStoreError')
        expect(error.code).toBe('ERR_SESSION_CLOSED')
      }
      for (let i = 0; i < 10; i++) await turn()
      expect(calls).toBe(1)
    })

    test('returns a promise without a callback', async () => {
      const store = database.open()
      const returned = call(store)
      expect(returned).toBeInstanceOf(Promise)
      await returned
    })

    test('keeps the async context', async () => {
      const store = database.open()
      const context = new AsyncLocalStorage()
      const seen = await Promise.all(
        [1, 2, 3].map((id) =>
          context.run(
            id,
            () =>
              new Promise((resolve) => {
                call(store, () => resolve(context.getStore()))
              })
          )
        )
      )
      expect(seen).toEqual([1, 2, 3])
    })
  })

  test('the async context is kept in many callbacks and promises of one batch', async () => {
    const store = database.open()
    const context = new AsyncLocalStorage()
    const ids = Array.from({ length: 200 }, (_, i) => i)
    const seen = await Promise.all(
      ids.map((id) =>
        context.run(id, async () => {
          await store.set(`${id}`, session({ id }))
          const awaited = context.getStore()
          const found = await new Promise((resolve) => {
            store.get(`${id}`, (_error, { id }) => resolve([id, context.getStore()]))
          })
          return [awaited, ...found]
        })
      )
    )
    expect(seen).toEqual(ids.map((id) => [id, id, id]))
  })

  test('the event loop turns between the callbacks of one batch', async () => {
    const store = database.open()
    await store.get('ada')
    let calls = 0
    const callsBetweenTurns = []
    const all = Array.from({ length: 200 }, () => {
      return new Promise((resolve) => {
        store.get('ada', () => {
          calls++
          const end = performance.now() + 0.5
          while (performance.now() < end);
          resolve()
        })
      })
    })
    const done = Promise.all(all).then(() => true)
    while (!(await Promise.race([done, turn(false)]))) {
      callsBetweenTurns.push(calls)
      calls = 0
    }
    expect(Math.max(...callsBetweenTurns)).toBeLessThan(50)
  })

  test('the async context is kept in callbacks of calls that fail at once', async () => {
    const store = database.open()
    const context = new AsyncLocalStorage()
    const seen = await context.run(
      'mine',
      () =>
        new Promise((resolve) => {
          store.set('', session(), () => resolve(context.getStore()))
        })
    )
    expect(seen).toBe('mine')
  })

  test('a method called in a callback works', async () => {
    const store = database.open()
    const found = await new Promise((resolve, reject) => {
      store.set('ada', session({ user: 'ada' }), () => {
        store.get('ada', (error, value) => {
          if (error) reject(error)
          else store.destroy('ada', () => resolve(value))
        })
      })
    })
    expect(found.user).toBe('ada')
    expect(await store.get('ada')).toBeNull()
  })

  test('each callback is called once even if one throws, and the error surfaces', async () => {
    const result = await report('callbacks.js', ['throwing', database.place()])
    expect(result.calls).toEqual(Array(20).fill(1))
    expect(result.thrown).toEqual(['thrown by the callback of get 7'])
    expect(result.rejections).toEqual([])
  })

  test('a callback that throws is called once, whatever the method, and the error surfaces', async () => {
    const names = Object.keys(verbs)
    const result = await report('callbacks.js', ['verbs', database.place()])
    expect(result.calls).toEqual(Object.fromEntries(names.map((name) => [name, 1])))
    expect(result.thrown).toEqual(names)
    expect(result.rejections).toEqual([])
  })

  test('a callback that throws when it is given an error is called once', async () => {
    const names = Object.keys(verbs)
    const result = await report('callbacks.js', ['closed', database.place()])
    expect(result.calls).toEqual(Object.fromEntries(names.map((name) => [name, 1])))
    expect([...result.thrown].sort()).toEqual([...names].sort())
    expect(result.rejections).toEqual([])
  })

  test('errors are never unhandled rejections, even if the promise is ignored', async () => {
    const result = await report('callbacks.js', ['ignored', database.place()])
    expect(result.thrown).toEqual([])
    expect(result.rejections).toEqual([])
  })

  test('what a callback throws never ends in a promise of the store', async () => {
    // An error thrown there must reach the domain of the caller, not a catch of the store: it ends the process.
    const result = await report('callbacks.js', ['fatal', database.place()])
    expect(result.code).not.toBe(0)
    expect(result.stderr).toMatch('thrown for good')
  })
}
