'use strict'

// Tests of an application fake the timers as they like, also before they load the store (`fakeTimers.enableGlobally` of Jest). No call may
// wait for a timer that nobody advances.

const modes = { modern: {}, legacy: { legacyFakeTimers: true } }
const cases = Object.keys(modes).flatMap((mode) => ['before', 'after'].map((when) => [mode, when]))

afterEach(() => jest.useRealTimers())

test.each(cases)('%s fake timers that are there %s the store is loaded hold up no call', async (mode, when) => {
  jest.resetModules()
  if (when === 'before') jest.useFakeTimers(modes[mode])
  const { RustSequelizeStore } = require('..')
  if (when === 'after') jest.useFakeTimers(modes[mode])
  const store = new RustSequelizeStore({ db: 'sqlite::memory:' })

  await store.set('ada', { cookie: {}, n: 1 })

  expect((await store.get('ada')).n).toBe(1)
  expect(await store.get('')).toBeNull()
  expect(Object.keys(await store.all())).toEqual(['ada'])
  await expect(store.set('', {})).rejects.toThrow('session id')
  expect(await new Promise((resolve) => store.get('ada', (_error, found) => resolve(found.n)))).toBe(1)
  expect(await new Promise((resolve) => store.ids((_error, sids) => resolve(sids)))).toEqual(['ada'])
  await store.close()
})
